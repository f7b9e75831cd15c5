package main

import (
	"fmt"
	"slices"
)

// page is where a dashboard is and what it is called.
type page struct{ uid, title string }

// pages are all the dashboards.
var pages = []page{
	{"ycm-fleet", "YCM fleet overview"},
	{"ycm-pbx", "YCM PBX detail"},
	{"ycm-capacity", "YCM capacity and renewals"},
	{"ycm-firmware", "YCM firmware"},
	{"ycm-pbx-api", "YCM trunks and phones"},
	{"ycm-exporter", "YCM exporter"},
	{"ycm-availability", "YCM availability"},
	{"ycm-changes", "YCM changes"},
	{"ycm-wallboard", "YCM wallboard"},
}

// dashboards makes all of them.
func dashboards() []Dashboard {
	all := []Dashboard{fleetOverview(), pbxDetail(), capacity(), firmware(), trunksAndPhones(), exporter(), availability(), changesDashboard(), wallboard()}
	linkLists(all)
	return all
}

// dashboard is an empty one, with the links and settings that all share.
func dashboard(uid, description string, shown, refresh string, variables ...Variable) Dashboard {
	d := Dashboard{
		UID:         uid,
		Description: description,
		Tags:        []string{"ycm"},
		Links: []Link{{
			Title: "YCM dashboards", Type: "dashboards", Icon: "external link", Tags: []string{"ycm"},
			IncludeVars: true, KeepTime: true, AsDropdown: true, // a button for each would not fit into one line
		}},
		Time:          TimeRange{From: "now-" + shown, To: "now"},
		Refresh:       refresh,
		Timezone:      "browser",
		Editable:      true,
		GraphTooltip:  1, // one crosshair for all panels
		SchemaVersion: schemaVersion,
		Templating:    Templating{List: slices.Concat([]Variable{datasourceVariable}, variables)},
		Annotations:   Annotations{List: []Annotation{}},
	}
	for _, p := range pages {
		if p.uid == uid {
			d.Title = p.title
		}
	}
	return d
}

// address is where another dashboard is, with what is chosen on this one.
func (p page) address() string {
	return "/d/" + p.uid + "?${__url_time_range}&" + allVariables
}

// pbxPage is the address of the detail of the PBX in a table's row. Region and group stay as they are chosen here.
const pbxPage = "/d/ycm-pbx?${__url_time_range}&${datasource:queryparam}&var-account=${__data.fields.account:percentencode}" +
	"&${region:queryparam}&${group:queryparam}&var-pbx=${__data.fields.cloud_pbx_id:percentencode}"

// linkLists leads from each number to the table that lists what it counts, full screen: on the number's own dashboard, else
// on the first that has it.
func linkLists(all []Dashboard) {
	for _, from := range all {
		for _, p := range from.all() {
			if p.list == "" {
				continue
			}
			for _, to := range append([]Dashboard{from}, all...) {
				tables := to.all()
				if i := slices.IndexFunc(tables, func(t *Panel) bool { return t.Type == "table" && t.Title == p.list }); i >= 0 {
					url := fmt.Sprintf("/d/%s?viewPanel=%d&${__url_time_range}&%s", to.UID, tables[i].ID, allVariables)
					*p = p.linked("Open the list", url)
					break
				}
			}
		}
	}
}
