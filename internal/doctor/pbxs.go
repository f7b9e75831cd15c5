package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// listRequests is how many requests the list may take, the login included: enough for a complete walk of 300 PBXs.
const listRequests = 8

// fleet is what the recorded pages of the list of Cloud PBXs show, also those of a walk that did not end.
type fleet struct {
	total    int64              // as YCM reports it
	pageSize int                // PBXs on the largest page
	id       int64              // of a PBX; 0 if none is listed
	sample   ycmclient.CloudPBX // a Running one; zero if there is none
	versions map[string]bool    // of the firmware of Running PBXs
	share    float64            // of the PBXs that are Running, among those that were read
}

// size returns what the demand depends on. PBXs of one firmware version are alike.
func (f *fleet) size() collector.FleetSize {
	return collector.FleetSize{
		Pages: math.Ceil(float64(f.total) / float64(f.pageSize)), PBXs: f.share * float64(f.total), Versions: float64(len(f.versions)),
	}
}

// readFleet reads the pages of the list. One that cannot be read adds nothing.
func readFleet(pages [][]byte) fleet {
	f := fleet{versions: map[string]bool{}}
	read, running := 0, 0
	for _, body := range pages {
		var page struct {
			Data struct {
				Total yeastar.Number                `json:"total"`
				List  yeastar.List[json.RawMessage] `json:"list"`
			} `json:"data"`
		}
		if yeastar.Decode(body, &page) != nil {
			continue
		}
		f.total = cmp.Or(page.Data.Total.Value, f.total)
		f.pageSize = max(f.pageSize, len(page.Data.List.Items))
		for _, record := range page.Data.List.Items {
			var pbx struct {
				ID      yeastar.Number `json:"cloudPbxId"`
				Status  yeastar.Text   `json:"pbxStatus"`
				SN      yeastar.Text   `json:"sn"`
				Version yeastar.Text   `json:"version"`
			}
			if json.Unmarshal(record, &pbx) != nil {
				continue
			}
			f.id = cmp.Or(f.id, pbx.ID.Value)
			if read++; !strings.EqualFold(pbx.Status.String(), ycmclient.Running.String()) {
				continue
			}
			running++
			f.versions[pbx.Version.String()] = true
			if f.sample.ID == 0 && yeastar.IsSerialNumber(pbx.SN.String()) {
				f.sample = ycmclient.CloudPBX{ID: pbx.ID.Value, Status: ycmclient.Running, SN: pbx.SN.String(), Version: pbx.Version.String()}
			}
		}
	}
	f.share = float64(running) / float64(max(1, read))
	return f
}

// checkList walks the list as far as it may, and reports on it and on the login. It returns whether more can be checked.
func (x *examination) checkList(ctx context.Context) bool {
	var read ycmclient.List
	r := x.check(ctx, listRequests, func(ctx context.Context) (err error) {
		read, err = x.client.Walk(ctx, nil, nil, nil)
		return err
	})
	x.fleet = readFleet(r.pages)
	if !x.checkLogin(r) {
		return false
	}
	switch {
	case r.err == nil && read.Total == 0 && len(read.PBXs) == 0:
		x.add(listSection, "list", Warning, "The list of Cloud PBXs is empty.", "check whether the account should see any, and search in the configuration")
	case r.err == nil:
		x.add(listSection, "list", OK, "The complete list was read: %s.", "", Count(len(read.PBXs), "PBX"))
		if int64(read.Listed) != read.Total {
			x.add(listSection, "total", Warning, "YCM reports a total of %d PBXs but lists %d.", "nothing needs to be done: the exporter serves the PBXs that are listed", read.Total, read.Listed)
		}
	case r.ended && x.fleet.id != 0 && ctx.Err() == nil:
		x.add(listSection, "list", OK, "YCM reports %d PBXs; a complete walk takes more requests than the doctor may send.", "", x.fleet.total)
	default:
		class := yeastar.ClassOf(r.err)
		advice := map[yeastar.Class]string{
			yeastar.Denied:   "grant the account its Cloud PBXs in YCM",
			yeastar.NotFound: "update YCM, which may be too old for this endpoint; check base_url",
			yeastar.Invalid:  "report this, with a file of --capture: it differs from the documentation",
		}[class]
		x.add(listSection, "list", Problem, "The list of Cloud PBXs cannot be read: %s.", cmp.Or(advice, class.Advice()), r.describe(r.err))
	}
	// A server that does not respond must not cost 25 time-outs.
	return r.failure == nil && ctx.Err() == nil
}

// checkSinglePBX queries one PBX by its id, as the exporter does with one that a walk did not list.
func (x *examination) checkSinglePBX(ctx context.Context) {
	if x.fleet.id == 0 {
		return
	}
	r := x.check(ctx, 1, func(ctx context.Context) error {
		_, err := x.client.CloudPBX(ctx, x.fleet.id)
		return err
	})
	if r.err == nil {
		x.add(listSection, "single", OK, "A single PBX can be queried by its id.", "")
	} else {
		x.add(listSection, "single", Warning, "A single PBX cannot be queried by its id: %s.", "nothing needs to be done: a PBX that is missing in a walk is confirmed by more walks", r.describe(r.err))
	}
}

// checkProxy queries a Running PBX through YCM, also if no collector does, because that decides whether they can be enabled.
func (x *examination) checkProxy(ctx context.Context) {
	if x.fleet.sample.ID == 0 {
		x.add(proxySection, "proxy", OK, "Not checked, because no Running PBX was listed.", "")
		return
	}
	r := x.check(ctx, 1, func(ctx context.Context) error {
		_, err := pbxclient.Proxied(x.client, x.Client.Account, x.fleet.sample.SN).SystemInformation(ctx)
		return err
	})
	switch {
	case r.requests == 0:
		x.add(proxySection, "proxy", OK, "Not checked, because the doctor had no request left.", "")
	case r.err != nil:
		x.add(proxySection, "proxy", Warning, "A Running PBX does not answer through YCM: %s.",
			"a PBX that is too old or has its API disabled reports nothing here; leave collectors that query PBXs disabled if no PBX answers", r.describe(r.err))
	default:
		x.add(proxySection, "proxy", OK, "A Running PBX answered through YCM.", "")
	}
}

const (
	maxDirect      = 2 // PBXs with direct access that are checked
	directRequests = 3 // a login, a query, and revoking the token
)

// checkDirect queries the first PBXs with direct access.
func (x *examination) checkDirect(ctx context.Context) {
	for i, pbx := range x.PBXs[:min(len(x.PBXs), maxDirect)] {
		pbx.Transport = limitedTransport{pbx.Transport, x.recorder}
		r := x.check(ctx, directRequests, func(ctx context.Context) error {
			client := pbxclient.Direct(pbx)
			_, err := client.SystemInformation(ctx)
			_ = client.Close(ctx) // If the token cannot be revoked it expires.
			return err
		})
		check := fmt.Sprintf("pbxs[%d]", i)
		switch {
		case r.requests == 0:
			x.add(directSection, check, OK, "%s: not checked, because the doctor had no request left.", "", check)
		case r.err != nil:
			x.add(directSection, check, Problem, "%s: the PBX cannot be queried: %s.", "check its url and credentials, and whether its API is enabled for this address", check, r.describe(r.err))
		default:
			x.add(directSection, check, OK, "%s: the PBX answered.", "", check)
		}
	}
	if rest := len(x.PBXs) - maxDirect; rest > 0 {
		x.add(directSection, "pbxs", OK, "%s not checked.", "", Count(rest, "further PBX"))
	}
}
