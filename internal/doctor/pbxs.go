package doctor

import (
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const proxied = "PBXs through YCM"

// tellPBXs tells whether PBXs answer through YCM's proxy.
func (x *examination) tellPBXs() {
	asked := x.tap.of(systemInformation)
	if len(asked) == 0 {
		x.add(proxied, "proxy", Note, "No PBX was asked through YCM's proxy.", "")
		return
	}
	ok, slowest := 0, time.Duration(0)
	var failures []string
	for _, e := range asked {
		slowest = max(slowest, e.took())
		if failure := e.failure(); failure != nil {
			failures = append(failures, describe(e, failure))
			continue
		}
		ok++
	}
	slices.Sort(failures) // They came in any order.
	if failures == nil {
		x.add(proxied, "proxy", Fine, "All %s answered system/information, the slowest in %s.", "", count(ok, "Running PBX"), short(slowest))
		x.tellInformation(asked)
		return
	}
	x.add(proxied, "proxy", Note, "%d of %s answered system/information; the others: %s.",
		"a PBX that is too old, has its API switched off or does not serve tells nothing here; leave the collectors that ask PBXs switched off if none answers",
		ok, count(len(asked), "Running PBX"), strings.Join(failures, "; "))
	if ok > 0 {
		x.tellInformation(asked)
	}
}

// tellInformation tells in which form the proxy passes a PBX's answer on.
func (x *examination) tellInformation(asked []*exchange) {
	for _, e := range asked {
		if e.failure() != nil {
			continue
		}
		var a struct {
			ErrCode   yeastar.Number       `json:"errcode"`
			RequestID yeastar.Words        `json:"requestId"`
			Status    yeastar.Words        `json:"status"`
			Data      yeastar.List[record] `json:"data"`
		}
		_ = yeastar.Decode(e.body, &a) // It is JSON, as failure knows.
		form := "an answer of the PBX's own form (errcode)"
		if !a.ErrCode.Given {
			form = "an answer of another form than documented (no errcode)"
		}
		if a.RequestID != "" {
			form += " with YCM's requestId"
		}
		if a.Status != "" {
			form += ", in YCM's envelope"
		}
		x.add(proxied, "proxy_form", either(a.ErrCode.Given && a.Status == "", Fine, Note), "The proxy passes on %s.", "", form)
		return
	}
}
