package doctor

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const listPath = "v2/cloud_pbx/instances"

// listRequests is how many requests the list may take, the login included: enough for a complete walk of 300 PBXs.
const listRequests = 8

// list is what is known of the list of Cloud PBXs.
type list struct {
	total  int64            // as YCM reports it
	size   int              // PBXs on the largest page
	pbxs   map[int64]record // those that were read, by id
	fields map[string]bool  // names of the fields that came
	asked  string           // the page size that was requested last
}

// record is what the doctor needs to know of a PBX, to choose one for queries and to estimate how many are Running.
type record struct {
	ID      yeastar.Number `json:"cloudPbxId"`
	Status  yeastar.Text   `json:"pbxStatus"`
	SN      yeastar.Text   `json:"sn"`
	Version yeastar.Text   `json:"version"`
}

// readList reads the pages of the list that were recorded. A page that cannot be read adds nothing.
func readList(exchanges []*exchange) list {
	l := list{pbxs: map[int64]record{}, fields: map[string]bool{}}
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
		l.asked = e.query.Get("pageSize")
		if e.status > 299 || yeastar.Decode(e.content.Bytes(), &page) != nil {
			continue
		}
		if page.Data.Total.Given {
			l.total = page.Data.Total.Value
		}
		l.size = max(l.size, len(page.Data.List.Items))
		for _, wire := range page.Data.List.Items {
			var r record
			var fields map[string]json.RawMessage
			if json.Unmarshal(wire, &r) == nil && json.Unmarshal(wire, &fields) == nil && r.ID.Given {
				l.pbxs[r.ID.Value] = r
			}
			for name := range fields {
				l.fields[name] = true
			}
		}
	}
	return l
}

// pages returns how many requests a walk of the list takes.
func (l *list) pages() int64 {
	size := int64(ycmclient.PageSize)
	if l.size > 0 && l.total > int64(l.size) {
		size = int64(l.size)
	}
	return max(1, (l.total+size-1)/size)
}

// running estimates how many PBXs are Running, by the share of those that were read.
func (l *list) running() float64 {
	n := 0
	for _, r := range l.pbxs {
		if r.isRunning() {
			n++
		}
	}
	return float64(n) / float64(max(1, len(l.pbxs))) * float64(l.total)
}

// sample returns the Running PBX with the lowest id.
func (l *list) sample() (ycmclient.CloudPBX, bool) {
	for _, id := range slices.Sorted(maps.Keys(l.pbxs)) {
		if r := l.pbxs[id]; r.isRunning() && yeastar.IsSerialNumber(r.SN.String()) {
			return ycmclient.CloudPBX{ID: id, Status: ycmclient.Running, SN: r.SN.String(), Version: r.Version.String()}, true
		}
	}
	return ycmclient.CloudPBX{}, false
}

func (r record) isRunning() bool {
	return strings.EqualFold(r.Status.String(), ycmclient.Running.String())
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
	switch {
	case r.err == nil && read.Total == 0 && len(read.PBXs) == 0:
		x.add(listSection, "list", Warning, "The list of Cloud PBXs is empty.", "check whether the account should see any, and search in the configuration")
	case r.err == nil:
		x.add(listSection, "list", OK, "The complete list was read: %s.", "", count(len(read.PBXs), "PBX"))
		if int64(read.Listed) != read.Total {
			x.add(listSection, "total", Warning, "YCM reports a total of %d PBXs but lists %d.", "nothing needs to be done: the exporter serves the PBXs that are listed", read.Total, read.Listed)
		}
	case r.spent && len(x.list.pbxs) > 0 && ctx.Err() == nil:
		x.add(listSection, "list", OK, "YCM reports %d PBXs, of which %d were read; a complete walk takes more requests than the doctor may send.", "", x.list.total, len(x.list.pbxs))
	default:
		class := yeastar.ClassOf(r.err)
		advice := map[yeastar.Class]string{
			yeastar.Denied:   "grant the account its Cloud PBXs in YCM",
			yeastar.NotFound: "update YCM, which may be too old for this endpoint; check base_url",
			yeastar.Invalid:  "report this, with a file of --capture: it differs from the documentation",
		}[class]
		if advice == "" {
			advice = class.Advice()
		}
		x.add(listSection, "list", Problem, "The list of Cloud PBXs cannot be read: %s.", advice, describe(r.err, r.last()))
	}
	x.checkPages()
	x.checkFields()
	return ctx.Err() == nil
}

// checkPages reports on the page size.
func (x *examination) checkPages() {
	const more = "nothing needs to be done, but a walk takes more requests"
	switch l := x.list; {
	case l.size == 0:
	case l.asked != strconv.Itoa(ycmclient.PageSize):
		x.add(listSection, "page_size", Warning, "YCM refuses requests for pages of %d PBXs; the exporter reads pages of %d.", more, ycmclient.PageSize, l.size)
	case l.size < ycmclient.PageSize && l.total > int64(l.size):
		x.add(listSection, "page_size", Warning, "Pages have %d PBXs although %d are requested.", more, l.size, ycmclient.PageSize)
	case l.total > int64(l.size):
		x.add(listSection, "page_size", OK, "Pages have %d PBXs, as requested.", "", l.size)
	}
}

// fieldName matches names that a program gives fields, and not what may be a person's name in the place of one.
var fieldName = regexp.MustCompile(`^[a-z]{2,20}([A-Z][a-z]{0,20}){0,4}$`)

// checkFields compares the fields of PBXs with those that the exporter reads.
func (x *examination) checkFields() {
	if len(x.list.pbxs) == 0 {
		return
	}
	came := map[string]bool{}
	for name := range x.list.fields {
		came[strings.ToLower(name)] = true
	}
	var missing, unread []string
	for _, name := range ycmclient.ListFields() {
		if !came[strings.ToLower(name)] {
			missing = append(missing, name)
		}
		delete(came, strings.ToLower(name))
	}
	for _, name := range slices.Sorted(maps.Keys(x.list.fields)) {
		if came[strings.ToLower(name)] && fieldName.MatchString(name) && len(unread) < 40 {
			unread = append(unread, name)
		}
	}
	if missing == nil {
		x.add(listSection, "fields_missing", OK, "All fields that the exporter reads are there.", "")
	} else {
		x.add(listSection, "fields_missing", Warning, "Fields that no PBX has: %s.", "metrics of these fields are absent", strings.Join(missing, ", "))
	}
	if unread != nil {
		x.add(listSection, "fields_unread", OK, "Fields that the exporter does not read: %s.", "", strings.Join(unread, ", "))
	}
	if fields := slices.Sorted(slices.Values(x.recorder.unexpected)); len(fields) > 0 {
		x.add(listSection, "values", Warning, "Fields with values that are not documented: %s.", "report them; an unknown status is exported as status=\"Unknown\", and other metrics of these fields are absent", strings.Join(fields, ", "))
	}
}

// checkSinglePBX queries one PBX by its id, as the exporter does with one that a walk did not list.
func (x *examination) checkSinglePBX(ctx context.Context) {
	if len(x.list.pbxs) == 0 {
		return
	}
	r := x.check(ctx, 1, func(ctx context.Context) error {
		_, err := x.client.CloudPBX(ctx, slices.Min(slices.Collect(maps.Keys(x.list.pbxs))))
		return err
	})
	switch {
	case r.requests == 0:
	case r.err != nil:
		x.add(listSection, "single", Warning, "A single PBX cannot be queried by its id: %s.", "nothing needs to be done: a PBX that is missing in a walk is confirmed by more walks", describe(r.err, r.last()))
	default:
		x.add(listSection, "single", OK, "A single PBX can be queried by its id.", "")
	}
}
