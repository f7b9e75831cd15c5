package main

// datasource is the Prometheus that the viewer chooses.
func datasource() *Datasource {
	return &Datasource{Type: "prometheus", UID: "${datasource}"}
}

// Each variable offers what those before it leave. They are read when the dashboard is opened, not at each refresh.
var (
	datasourceVariable = Variable{
		Name: "datasource", Label: "Data source", Description: "The Prometheus that scrapes ycm_exporter.",
		Type: "datasource", Query: "prometheus", Refresh: 1, Current: map[string]any{}, Options: []any{},
	}
	accountVariable = labelVariable("account", "Account", "The YCM accounts, as the exporter's configuration names them.",
		"label_values(ycm_api_rate_limit_requests_per_second, account)")
	regionVariable = labelVariable("region", "Region", "The regions that the PBXs of the accounts are in. "+unchoosable,
		"label_values("+selector("ycm_cloud_pbx_info", inAccount)+", region)")
	groupVariable = labelVariable("group", "Group", "The groups that the PBXs of the regions are in. "+unchoosable,
		"label_values("+selector("ycm_cloud_pbx_info", inRegion)+", group)")
	pbxVariable = queryVariable(Variable{
		Name: "pbx", Label: "PBX", Description: "One Cloud PBX by name; the variable's value is its id in YCM. Where two accounts have equal ids, choose the account first.",
		// While nothing is scraped, the names of the last day.
		Query: "query_result(max by (cloud_pbx_id, name) (" + selector("ycm_cloud_pbx_info", inGroup) + " or on () last_over_time(" + selector("ycm_cloud_pbx_info", inGroup) + "[1d])))",
		Regex: pbxRegex, Current: map[string]any{},
	})
	// homeVariable is the region of the PBX that is chosen, so that what YCM lists for it can be found however YCM spells it.
	homeVariable = queryVariable(Variable{
		Name: "home", Label: "Region of the PBX", Description: "The region that the PBX is in.",
		Query: "label_values(" + selector("ycm_cloud_pbx_info", thisPBX) + ", region)",
		Regex: choosable, Current: map[string]any{}, Hide: 2,
	})
)

// A name is part of a raw string of PromQL, which has no way to write a backtick; and Grafana reads queries of
// variables line by line. Such names are rare, and "All" has them.
const (
	unchoosable  = "Names with a backtick or a line break cannot be chosen alone."
	choosable    = "/^([^`\\n]+)$/"
	allVariables = "${datasource:queryparam}&${account:queryparam}&${region:queryparam}&${group:queryparam}"
	alphabetical = 5 // Grafana's sort: alphabetical, without regard to case
)

// pbxRegex takes id and name out of what query_result gives, where nothing is escaped. The labels come sorted by name,
// and a name may hold whatever looks like a label.
const pbxRegex = `/^\{cloud_pbx_id="(?<value>[^"]+)",name="(?<text>[\s\S]*)"\} \S+ \S+$/`

// labelVariable offers the values of a label, several at a time or all of them.
func labelVariable(name, label, description, query string) Variable {
	return queryVariable(Variable{
		Name: name, Label: label, Description: description, Query: query, Regex: choosable,
		Multi: true, IncludeAll: true, AllValue: "(.*)",
		Current: map[string]any{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}},
	})
}

func queryVariable(v Variable) Variable {
	query := v.Query.(string)
	v.Type, v.Datasource, v.Definition = "query", datasource(), query
	v.Query = map[string]any{"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
	v.Refresh, v.Sort, v.Options = 1, alphabetical, []any{}
	return v
}
