package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const listPath = "v2/cloud_pbx/instances"

// listRequests is how many requests the list may take, the login included: enough for a complete walk of 300 PBXs.
const listRequests = 8

// list is what the recorded pages of the list of Cloud PBXs show besides what a walk returns, also if it did not end.
type list struct {
	total    int64  // as YCM reports it
	size     int    // PBXs on the largest page
	pageSize string // that was requested last
	ids      map[int64]bool
	running  int                // PBXs that are Running
	sample   ycmclient.CloudPBX // the Running one with the lowest id; zero if there is none
	versions map[string]bool    // of firmware
	fields   map[string]bool    // that a PBX has, in lower case
}

// readList reads the pages of the list. One that cannot be read adds nothing.
func readList(exchanges []*exchange) list {
	l := list{ids: map[int64]bool{}, versions: map[string]bool{}, fields: map[string]bool{}}
	for _, e := range exchanges {
		var page struct {
			Data struct {
				Total yeastar.Number                `json:"total"`
				List  yeastar.List[json.RawMessage] `json:"list"`
			} `json:"data"`
		}
		if e.path != listPath || e.err != nil {
			continue
		}
		l.pageSize = e.query.Get("pageSize")
		if e.status > 299 || yeastar.Decode(e.content.Bytes(), &page) != nil {
			continue
		}
		l.total = cmp.Or(page.Data.Total.Value, l.total)
		l.size = max(l.size, len(page.Data.List.Items))
		for _, record := range page.Data.List.Items {
			l.add(record)
		}
	}
	return l
}

// add adds a PBX.
func (l *list) add(record []byte) {
	var fields map[string]json.RawMessage
	var pbx struct {
		ID      yeastar.Number `json:"cloudPbxId"`
		Status  yeastar.Text   `json:"pbxStatus"`
		SN      yeastar.Text   `json:"sn"`
		Version yeastar.Text   `json:"version"`
	}
	if json.Unmarshal(record, &fields) != nil || json.Unmarshal(record, &pbx) != nil || !pbx.ID.Given || l.ids[pbx.ID.Value] {
		return
	}
	l.ids[pbx.ID.Value], l.versions[pbx.Version.String()] = true, true
	for name := range fields {
		l.fields[strings.ToLower(name)] = true
	}
	if !strings.EqualFold(pbx.Status.String(), ycmclient.Running.String()) || !yeastar.IsSerialNumber(pbx.SN.String()) {
		return
	}
	if l.running++; l.running == 1 || pbx.ID.Value < l.sample.ID {
		l.sample = ycmclient.CloudPBX{ID: pbx.ID.Value, Status: ycmclient.Running, SN: pbx.SN.String(), Version: pbx.Version.String()}
	}
}

// checkList walks the list as far as it may, and reports on it and on the login. It returns whether more can be checked.
func (x *examination) checkList(ctx context.Context) bool {
	var read ycmclient.List
	r := x.check(ctx, listRequests, func(ctx context.Context) (err error) {
		read, err = x.client.Walk(ctx, new(ycmclient.WalkState), nil, nil)
		return err
	})
	x.list = readList(r.exchanges)
	if !x.checkLogin(r) {
		return false
	}
	switch l := x.list; {
	case r.err == nil && read.Total == 0 && len(read.PBXs) == 0:
		x.add(listSection, "list", Warning, "The list of Cloud PBXs is empty.", "check whether the account should see any, and search in the configuration")
	case r.err == nil:
		x.add(listSection, "list", OK, "The complete list was read: %s.", "", count(len(read.PBXs), "PBX"))
		if int64(read.Listed) != read.Total {
			x.add(listSection, "total", Warning, "YCM reports a total of %d PBXs but lists %d.", "nothing needs to be done: the exporter serves the PBXs that are listed", read.Total, read.Listed)
		}
	case r.spent && len(l.ids) > 0 && ctx.Err() == nil:
		x.add(listSection, "list", OK, "YCM reports %d PBXs, of which %d were read; a complete walk takes more requests than the doctor may send.", "", l.total, len(l.ids))
	default:
		class := yeastar.ClassOf(r.err)
		advice := map[yeastar.Class]string{
			yeastar.Denied:   "grant the account its Cloud PBXs in YCM",
			yeastar.NotFound: "update YCM, which may be too old for this endpoint; check base_url",
			yeastar.Invalid:  "report this, with a file of --capture: it differs from the documentation",
		}[class]
		x.add(listSection, "list", Problem, "The list of Cloud PBXs cannot be read: %s.", cmp.Or(advice, class.Advice()), describe(r.err, r.last()))
	}
	if len(x.list.ids) > 0 {
		x.checkPages()
		x.checkFields()
	}
	return ctx.Err() == nil
}

// checkPages reports on the page size.
func (x *examination) checkPages() {
	const more = "nothing needs to be done, but a walk takes more requests"
	switch l := x.list; {
	case l.pageSize != strconv.Itoa(ycmclient.PageSize):
		x.add(listSection, "page_size", Warning, "YCM refuses requests for pages of %d PBXs; the exporter reads pages of %d.", more, ycmclient.PageSize, l.size)
	case l.total <= int64(l.size): // There is one page.
	case l.size < ycmclient.PageSize:
		x.add(listSection, "page_size", Warning, "Pages have %d PBXs although %d are requested.", more, l.size, ycmclient.PageSize)
	default:
		x.add(listSection, "page_size", OK, "Pages have %d PBXs, as requested.", "", l.size)
	}
}

// checkFields reports fields that the exporter reads and does not get, or cannot read.
func (x *examination) checkFields() {
	missing := slices.DeleteFunc(ycmclient.ListFields(), func(name string) bool { return x.list.fields[strings.ToLower(name)] })
	unexpected := slices.Sorted(slices.Values(x.recorder.unexpected))
	if len(missing) > 0 {
		x.add(listSection, "fields_missing", Warning, "Fields that no PBX has: %s.", "metrics of these fields are absent", strings.Join(missing, ", "))
	}
	if len(unexpected) > 0 {
		x.add(listSection, "values", Warning, "Fields with values that are not documented: %s.",
			"report them; an unknown status is exported as status=\"Unknown\", and other metrics of these fields are absent", strings.Join(unexpected, ", "))
	}
	if len(missing)+len(unexpected) == 0 {
		x.add(listSection, "fields", OK, "All fields that the exporter reads are there, with documented values.", "")
	}
}

// checkSinglePBX queries one PBX by its id, as the exporter does with one that a walk did not list.
func (x *examination) checkSinglePBX(ctx context.Context) {
	if len(x.list.ids) == 0 {
		return
	}
	r := x.check(ctx, 1, func(ctx context.Context) error {
		_, err := x.client.CloudPBX(ctx, slices.Min(slices.Collect(maps.Keys(x.list.ids))))
		return err
	})
	if r.err == nil {
		x.add(listSection, "single", OK, "A single PBX can be queried by its id.", "")
	} else {
		x.add(listSection, "single", Warning, "A single PBX cannot be queried by its id: %s.", "nothing needs to be done: a PBX that is missing in a walk is confirmed by more walks", describe(r.err, r.last()))
	}
}
