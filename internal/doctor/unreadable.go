package doctor

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// tellUnreadable tells what makes a list one that the exporter does not read, if anything does.
func (x *examination) tellUnreadable(first page, records []record, ids []int64) bool {
	const report = "report this; the exporter does not read such a list"
	total := first.Total.Value
	switch {
	case !first.Total.Given:
		x.add(listing, "total", Problem, "The list has no total that is a whole number, so that the exporter cannot tell whether it has read all of it. It has %s.", report, fieldsIn(x.list.pages[1]))
	case total < 0 || total > ycmclient.MaxTotal:
		x.add(listing, "total", Problem, "YCM counts %d PBXs, which cannot be.", report, total)
	case total == 0 && len(records) == 0:
		x.add(listing, "total", Note, "YCM counts no PBX and lists none.", "check whether the account should see any, and search in the configuration")
	case len(records) == 0 && len(first.rows) > 0:
		x.add(listing, "list", Problem, "The records of the list are no objects.", report)
	case len(records) == 0 && first.List == nil:
		x.add(listing, "total", Problem, "YCM counts %d PBXs, but the answer has no list. It has %s.", report, total, fieldsIn(x.list.pages[1]))
	case len(records) == 0:
		x.add(listing, "total", Problem, "YCM counts %d PBXs and lists none.", "check whether the account should see any, and search in the configuration", total)
	case len(ids) == 0:
		x.add(listing, "ids", Problem, "No record has an id (cloudPbxId) that is a whole number above 0.", report)
	default:
		return x.tellUnread()
	}
	return true
}

// tellUnread tells whether pages that follow page 1 are such as the exporter does not read.
func (x *examination) tellUnread() bool {
	one := idsOf(x.list.pages[1].records())
	for _, n := range x.list.numbers() {
		e := x.list.pages[n]
		ids := idsOf(e.records())
		if len(ids) == 0 {
			continue
		}
		if slices.Equal(ids, one) {
			x.add(listing, "pages", Problem, "Page %d is the same as page 1: YCM ignores the number of the page, so that no more than its first %s can be read.",
				"report this; until then, accounts of YCM that see fewer PBXs each can be read, or parts of the list by search", n, count(len(one), "PBX"))
			return true
		}
		if p, _ := e.page(); !p.Total.Given {
			x.add(listing, "total", Problem, "Page %d has records and no total.", "report this; the exporter does not read such a list", n)
			return true
		}
	}
	return false
}

// fieldsIn names the fields of an answer and of its data, as far as they look like names.
func fieldsIn(e *exchange) string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(e.body, &fields) // What is no object has no fields.
	data := fields["data"]
	text := "the fields " + namesOf(fields)
	switch {
	case len(data) == 0:
	case data[0] == '{':
		var inner map[string]json.RawMessage
		_ = json.Unmarshal(data, &inner) // It is an object.
		text += ", and in data " + namesOf(inner)
	case data[0] == '[':
		text += ", and data is an array"
	default:
		text += ", and data is no object"
	}
	return text
}

// namesOf lists the names of fields.
func namesOf(fields map[string]json.RawMessage) string {
	const most = 20
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(name string) bool { return !capture.KnownName(name) })
	if len(names) == 0 {
		return "(none that looks like one)"
	}
	return strings.Join(names[:min(len(names), most)], ", ")
}
