package main

import (
	"fmt"
	"strings"
)

// What the variables choose, as label matchers. The names of regions and groups are the operator's and may hold any
// character: the regex format of Grafana escapes what means something in a regular expression, and a raw string of
// PromQL takes what that gives as it is, quotes and backslashes included. "All" is (.*) and costs nothing.
const (
	inAccount = "account=~`${account:regex}`"
	inRegion  = inAccount + ", region=~`${region:regex}`"
	inGroup   = inRegion + ", group=~`${group:regex}`"
	thisPBX   = inAccount + `, cloud_pbx_id="${pbx}"`
	notChosen = "ycm_cloud_pbx_info{" + inRegion + ", group!~`${group:regex}`}"
)

// identity distinguishes PBXs, with the name for people.
const identity = "account, cloud_pbx_id, name, region"

const (
	day  = 86400
	week = 7 * day
)

// selector is a metric with label matchers.
func selector(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(matchers, ", ") + "}"
}

// account is a metric of the accounts that are chosen.
func account(metric string, matchers ...string) string {
	return selector(metric, append([]string{inAccount}, matchers...)...)
}

// recorded is a series of the dashboards' recording rules, which count each PBX once, for the PBXs that are chosen.
func recorded(series string, matchers ...string) string {
	return whileListed(selector(series, append([]string{inGroup}, matchers...)...))
}

// pbxs is how many PBXs there are that are chosen. It is there while the list of PBXs is known and the rules are loaded,
// and so distinguishes an empty list from missing data.
func pbxs() string {
	return recorded("account_region_group:ycm_cloud_pbxs:count")
}

// each is a metric of the PBXs that are chosen, one series a PBX with its identity and the further labels given,
// however many exporters serve it. It is for lists at one moment: over time, recorded is cheaper.
func each(metric string) string {
	return eachBy("", metric)
}

func eachBy(further, metric string, matchers ...string) string {
	return chosen(fmt.Sprintf("max by (%s%s) (%s)", identity, further, selector(metric, append([]string{inRegion}, matchers...)...)))
}

// chosen leaves out of a vector the PBXs of the groups that are not chosen. The group is a label of the info metric
// alone. Taking the others away, rather than joining with those that are wanted, costs nothing when all groups are
// chosen, and keeps the PBXs with direct access, which are in no list.
func chosen(vector string) string {
	return "(" + vector + " unless on (account, cloud_pbx_id) " + notChosen + ")"
}

// pbx is a metric of the one PBX that is chosen, as one series, however many exporters serve it.
func pbx(metric string) string {
	return pbxBy("account, cloud_pbx_id", metric)
}

func pbxBy(labels, metric string, matchers ...string) string {
	return fmt.Sprintf("max by (%s) (%s)", labels, selector(metric, append([]string{thisPBX}, matchers...)...))
}

// byStatusOrNone adds up what is not well by its status. Where there is none it is a 0 by that name, if a witness says that the
// answer is known.
func byStatusOrNone(unwell, witness string) string {
	return "sum by (status) (" + unwell + ") or " + labelled("(0 * sum("+witness+") unless on () sum("+unwell+"))", "status", "none")
}

// number is the number of series of a vector: 0 only where there is a witness that the answer is known.
func number(vector, witness string) string {
	return "count(" + vector + ") or 0 * count(" + witness + ")"
}

// whileListed limits recorded series to the time while the account's list of PBXs is scraped. They remain for longer than that: for
// the interval of their group, or for minutes where the rules bridge gaps for the alerts.
func whileListed(vector string) string {
	return "(" + vector + " and on (account) " + account("ycm_cloud_pbxs") + ")"
}

// regions adds a recorded sum up by region.
func regions(series string) string { return sumBy("region", recorded(series)) }

// sumBy adds a vector up by a label. Regions are those of onePlace.
func sumBy(label, vector string) string {
	if label != "region" {
		return "sum by (" + label + ") (" + vector + ")"
	}
	return asRegion("sum by (place) (" + onePlace(vector) + ")")
}

// YCM spells some regions in its list of PBXs other than in its list of regions. onePlace gives both one name, in a label
// "place": in the label "region" series could become equal before they are added up.
func onePlace(vector string) string {
	vector = fmt.Sprintf(`label_replace(%s, "place", "$1", "region", "(.*)")`, vector)
	for _, r := range []struct{ name, spelled string }{
		{"China(Guangdong)", `(?i)china\\(guangdong\\)`}, {"Europe(London)", `(?i)europe\\(london\\)`},
	} {
		vector = fmt.Sprintf(`label_replace(%s, "place", "%s", "region", "%s")`, vector, r.name, r.spelled)
	}
	return vector
}

// asRegion names the label "place" of aggregated series "region".
func asRegion(vector string) string {
	return fmt.Sprintf(`label_replace(label_replace(%s, "region", "$1", "place", "(.*)"), "place", "", "", "")`, vector)
}

// The resources that a plan limits, with their titles and the metrics of what is used and what may be.
var resources = []resource{
	{"calls", "Calls", "active_calls", "concurrent_calls_capacity"},
	{"extensions", "Extensions", "extensions_used", "extensions_capacity"},
	{"recording", "Recording", "recording_used_seconds", "recording_capacity_seconds"},
}

type resource struct{ name, title, used, capacity string }

// What makes a version sort number by number: zeros before each of its four numbers, then of each the last four digits.
const (
	fourNumbers    = `([0-9]+)[.]([0-9]+)[.]([0-9]+)[.]([0-9]+)`
	withZeros      = `000$1.000$2.000$3.000$4`
	lastFourDigits = `[0-9]*([0-9]{4})[.][0-9]*([0-9]{4})[.][0-9]*([0-9]{4})[.][0-9]*([0-9]{4})`
	joinedDigits   = `$1$2$3$4`
)

// inOrder gives each series a label "order" that sorts its version number by number: 84.10 comes after 84.9. Prometheus
// sorts series by their labels, and this one comes first.
func inOrder(vector string) string {
	padded := fmt.Sprintf("label_replace(%s, \"order\", %q, \"version\", %q)", vector, withZeros, fourNumbers)
	return fmt.Sprintf("label_replace(%s, \"order\", %q, \"order\", %q)", padded, joinedDigits, lastFourDigits)
}

// withRegion gives a word to a region without a name, which could not head a column.
func withRegion(vector string) string {
	return fmt.Sprintf(`label_replace(%s, "region", "none", "region", "")`, vector)
}

// either joins vectors whose label sets may be the same: of those, the first counts.
func either(vectors ...string) string {
	return strings.Join(vectors, " or ")
}

// labelled gives every series of a vector one more label.
func labelled(vector, name, value string) string {
	return fmt.Sprintf("label_replace(%s, %q, %q, \"\", \"\")", vector, name, value)
}

// top is the n greatest of a vector.
func top(n int, vector string) string { return fmt.Sprintf("topk(%d, %s)", n, vector) }

// bottom is the n smallest of a vector.
func bottom(n int, vector string) string { return fmt.Sprintf("bottomk(%d, %s)", n, vector) }

// daysUntil is how many days are left to a time.
func daysUntil(timestamp string) string {
	return fmt.Sprintf("(%s - time()) / %d", timestamp, day)
}

// daysSince is how many days ago a time was.
func daysSince(timestamp string) string {
	return fmt.Sprintf("(time() - %s) / %d", timestamp, day)
}

// encoded turns a state set of the PBX that is chosen into one series for the labels, whose value is the place, from 1, of
// the state that is 1 in states.
func encoded(labels, metric string, states []state) string {
	terms := make([]string, len(states))
	for i, s := range states {
		terms[i] = fmt.Sprintf("%d * %s", i+1, selector(metric, thisPBX, fmt.Sprintf("status=%q", s.name)))
	}
	return fmt.Sprintf("max by (%s) (%s)", labels, strings.Join(terms, " or "))
}
