package main

import (
	"fmt"
	"strings"
)

// What the variables choose, as label matchers. The names of regions and groups are the operator's and may hold any
// character: the regex format of Grafana escapes what means something in a regular expression, and a raw string of
// PromQL takes what that gives as it is, quotes and backslashes included. "All" is .* and costs nothing.
const (
	inAccount = "account=~`${account:regex}`"
	inRegion  = inAccount + ", region=~`${region:regex}`"
	inGroup   = inRegion + ", group=~`${group:regex}`"
	thisPBX   = inAccount + `, cloud_pbx_id="${pbx}"`
	notChosen = "ycm_cloud_pbx_info{" + inRegion + ", group!~`${group:regex}`}"
)

// identity is what tells one PBX from another, with its name for people.
const identity = "account, cloud_pbx_id, name, region"

const (
	day  = 86400
	week = 7 * day
)

// selector is a metric with label matchers.
func selector(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(matchers, ", ") + "}"
}

// of is a metric of the PBXs in the accounts and regions that are chosen, whatever their group.
func of(metric string, matchers ...string) string {
	return selector(metric, append([]string{inRegion}, matchers...)...)
}

// chosen leaves out of a vector the PBXs of the groups that are not chosen. The group is a label of the info metric
// alone. Taking the others away, rather than joining with those that are wanted, costs nothing when all groups are
// chosen, and keeps the PBXs that are spoken to directly and are in no list.
func chosen(vector string) string {
	return "(" + vector + " unless on (account, cloud_pbx_id) " + notChosen + ")"
}

// fleet is a metric of the PBXs that are chosen.
func fleet(metric string, matchers ...string) string {
	return chosen(of(metric, matchers...))
}

// info is the info metric of the PBXs that are chosen.
func info(matchers ...string) string {
	return selector("ycm_cloud_pbx_info", append([]string{inGroup}, matchers...)...)
}

// account is a metric of the accounts that are chosen.
func account(metric string, matchers ...string) string {
	return selector(metric, append([]string{inAccount}, matchers...)...)
}

// pbx is a metric of the one PBX that is chosen.
func pbx(metric string, matchers ...string) string {
	return selector(metric, append([]string{thisPBX}, matchers...)...)
}

// calls is the active calls of the PBXs that are chosen. YCM may show the calls of long ago on a PBX that is not
// Running: those are left out.
func calls() string { return callsAgo("") }

// callsAgo is calls with an offset modifier, or none.
func callsAgo(offset string) string {
	return fmt.Sprintf("(%s%s unless on (account, cloud_pbx_id) (%s%s == 0) unless on (account, cloud_pbx_id) %s%s)",
		of("ycm_cloud_pbx_active_calls"), offset, of("ycm_cloud_pbx_status", `status="Running"`), offset, notChosen, offset)
}

// use is which part of a capacity the PBXs that are chosen use, 0 to 1. Resource is calls, extensions or recording.
func use(resource string) string {
	used, capacity := usedAndCapacity(resource)
	return chosen(of(used) + " / (" + of(capacity) + " > 0)")
}

// usedAndCapacity names the two metrics of a resource.
func usedAndCapacity(resource string) (used, capacity string) {
	switch resource {
	case "calls":
		return "ycm_cloud_pbx_active_calls", "ycm_cloud_pbx_concurrent_calls_capacity"
	case "recording":
		return "ycm_cloud_pbx_recording_used_seconds", "ycm_cloud_pbx_recording_capacity_seconds"
	default:
		return "ycm_cloud_pbx_" + resource + "_used", "ycm_cloud_pbx_" + resource + "_capacity"
	}
}

// What makes a version sort number by number: zeros before each of its four numbers, then of each the last four digits.
const (
	fourNumbers    = `([0-9]+)[.]([0-9]+)[.]([0-9]+)[.]([0-9]+)`
	withZeros      = `000$1.000$2.000$3.000$4`
	lastFourDigits = `[0-9]*([0-9]{4})[.][0-9]*([0-9]{4})[.][0-9]*([0-9]{4})[.][0-9]*([0-9]{4})`
	joinedDigits   = `$1$2$3$4`
)

// inOrder gives each series a label "order" that sorts its version number by number: 84.10 comes after 84.9.
func inOrder(vector string) string {
	padded := fmt.Sprintf("label_replace(%s, \"order\", %q, \"version\", %q)", vector, withZeros, fourNumbers)
	return fmt.Sprintf("label_replace(%s, \"order\", %q, \"order\", %q)", padded, joinedDigits, lastFourDigits)
}

// withRegion gives a word to a region without a name, which could not head a column.
func withRegion(vector string) string {
	return fmt.Sprintf(`label_replace(%s, "region", "no name", "region", "")`, vector)
}

// count is the number of series of a vector, 0 for none.
func count(vector string) string {
	return "count(" + vector + ") or vector(0)"
}

// either joins vectors whose label sets may be the same: of those, the first counts.
func either(vectors ...string) string {
	return strings.Join(vectors, " or ")
}

// labelled gives every series of a vector one more label.
func labelled(vector, name, value string) string {
	return fmt.Sprintf("label_replace(%s, %q, %q, \"\", \"\")", vector, name, value)
}

// top is the n greatest of a vector, with the labels given and no others.
func top(n int, labels, vector string) string {
	return fmt.Sprintf("max by (%s) (topk(%d, %s))", labels, n, vector)
}

// bottom is the n smallest of a vector, with the labels given and no others.
func bottom(n int, labels, vector string) string {
	return fmt.Sprintf("min by (%s) (bottomk(%d, %s))", labels, n, vector)
}

// daysUntil is how many days are left to a time.
func daysUntil(timestamp string) string {
	return fmt.Sprintf("(%s - time()) / %d", timestamp, day)
}

// daysSince is how many days ago a time was.
func daysSince(timestamp string) string {
	return fmt.Sprintf("(time() - %s) / %d", timestamp, day)
}

// orNothing gives a series of zeros when a metric has no sample in all of the time range: a timeline without any series
// would show an error.
func orNothing(vector, label, metric string) string {
	return fmt.Sprintf("%s or (%s unless on () count(last_over_time(%s[$__range] @ end())))", vector, labelled("vector(0)", label, "–"), metric)
}

// orRow gives one series of 0 with a label when a vector has none: what is made of several queries, or drawn as columns,
// would show an error without any row.
func orRow(vector, label, value string) string {
	return vector + " or on () " + labelled("vector(0)", label, value)
}

// orUnknown gives a value that is no number when a vector has none, so that its name stays where it belongs.
func orUnknown(vector string) string {
	return vector + " or on () vector(NaN)"
}

// encoded turns a state set into one series whose value is the place, from 1, of the state that is 1 in states.
func encoded(by string, states []state, series func(name string) string) string {
	terms := make([]string, len(states))
	for i, s := range states {
		terms[i] = fmt.Sprintf("%d * %s", i+1, series(s.name))
	}
	return fmt.Sprintf("sum by (%s) (%s)", by, strings.Join(terms, " or "))
}
