package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// hostile are names as operators give them, and as nobody should.
var hostile = []string{
	`Plain`, `Dr. "Quote" & Sons`, `O'Brien`, `back\slash\`, `Regex.*(a|b)$ [x] {y} ^+?`, `日本 レストラン`, `${account:regex}`, `$region`,
	`[[group]]`, `a/b`, `100 %20`, `?a=b&c=d#e`, `"} or vector(1) #`, `cloud_pbx_id="9",name="x"} 1 2`, `<b>bold</b>`, ` `,
}

// asGrafana does what Grafana's regex format does to a value that is chosen.
func asGrafana(value string) string {
	return regexp.MustCompile(`[\\^$*+?.()|[\]{}/]`).ReplaceAllString(value, `\$0`)
}

// TestNamesDoNotBreakQueries puts hostile regions and groups where Grafana puts them, and reads the matchers back as
// Prometheus does: each must be closed where it was, and match that name alone.
func TestNamesDoNotBreakQueries(t *testing.T) {
	matcher := regexp.MustCompile("(region|group)(=~|!~)`([^`]*)`")
	for _, d := range dashboards() {
		for _, query := range d.queries() {
			for _, name := range hostile {
				filled := query
				for _, variable := range []string{"region", "group", "home"} {
					filled = strings.ReplaceAll(filled, "${"+variable+":regex}", asGrafana(name))
				}
				want := strings.Count(query, "${region:regex}") + strings.Count(query, "${group:regex}") + strings.Count(query, "${home:regex}")
				found := matcher.FindAllStringSubmatch(filled, -1)
				if len(found) != want {
					t.Fatalf("%s: %q leaves %d matchers of %d in: %s", d.UID, name, len(found), want, filled)
				}
				for _, m := range found {
					pattern, err := regexp.Compile("^(?s:" + m[3] + ")$")
					if err != nil {
						t.Fatalf("%s: %q makes the matcher %s: %v", d.UID, name, m[0], err)
					}
					for _, other := range hostile {
						if pattern.MatchString(other) != (other == name) {
							t.Errorf("%s: the matcher %s for %q takes %q: %t", d.UID, m[0], name, other, other != name)
						}
					}
				}
			}
		}
	}
}

// TestFreeTextIsAlwaysEscaped finds variables with names of the operator's that stand anywhere but in a raw string.
func TestFreeTextIsAlwaysEscaped(t *testing.T) {
	escaped := regexp.MustCompile("(account|region|group)[=!]~`(\\(\\?i\\)|\\|)?\\$\\{(account|region|group|home):regex\\}`")
	used := regexp.MustCompile(`\$\{?(account|region|group|home)\b|\[\[`)
	for _, d := range dashboards() {
		for _, query := range d.queries() {
			if left := escaped.ReplaceAllString(query, ""); used.MatchString(left) {
				t.Errorf("%s: a name gets into this query unescaped: %s", d.UID, query)
			}
		}
	}
}

// TestAnyPBXNameCanBeChosen reads hostile names out of what Grafana makes of the answer to query_result.
func TestAnyPBXNameCanBeChosen(t *testing.T) {
	pattern := regexp.MustCompile(strings.TrimSuffix(strings.TrimPrefix(pbxRegex, "/"), "/"))
	for _, name := range slices.Concat(hostile, []string{"", "two\nlines", "tick`ed"}) {
		answer := `{cloud_pbx_id="7738",name="` + name + `"} 1 1795340000000`
		m := pattern.FindStringSubmatch(answer)
		if m == nil {
			t.Errorf("the PBX %q is not offered", name)
			continue
		}
		if id, text := m[pattern.SubexpIndex("value")], m[pattern.SubexpIndex("text")]; id != "7738" || text != name {
			t.Errorf("the PBX %q is offered as %q with the id %q", name, text, id)
		}
	}
}

// TestNamesThatCannotBeWrittenAreNotOffered: PromQL's raw strings have no way to write a backtick.
func TestNamesThatCannotBeWrittenAreNotOffered(t *testing.T) {
	pattern := regexp.MustCompile(strings.TrimSuffix(strings.TrimPrefix(choosable, "/"), "/"))
	for _, name := range hostile {
		if !pattern.MatchString(name) {
			t.Errorf("%q can be chosen, but is not offered", name)
		}
	}
	for _, name := range []string{"tick`ed", "two\nlines", ""} {
		if pattern.MatchString(name) {
			t.Errorf("%q is offered, but cannot be chosen", name)
		}
	}
}

// TestVariablesChain checks that each variable offers only what those before it leave, on every dashboard alike: a value
// that a link hands over must mean the same there.
func TestVariablesChain(t *testing.T) {
	first := map[string]Variable{}
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		var before []string
		for _, v := range d.Templating.List {
			for _, name := range []string{"account", "region", "group"} {
				uses := strings.Contains(v.Definition, "${"+name+":regex}")
				if v.Name != "home" && uses != (v.Type == "query" && v.Name != "account" && slices.Contains(before, name)) {
					t.Errorf("variable %s depends on %s: %t, although those before it are %q", v.Name, name, uses, before)
				}
			}
			if v.Description == "" {
				t.Errorf("variable %s has no description", v.Name)
			}
			if other, ok := first[v.Name]; ok && (other.Multi != v.Multi || other.IncludeAll != v.IncludeAll || other.Definition != v.Definition) {
				t.Errorf("variable %s is not what it is on other dashboards", v.Name)
			}
			first[v.Name] = v
			before = append(before, v.Name)
		}
		if before[0] != "datasource" || before[1] != "account" {
			t.Errorf("the variables are %q, want datasource and account first", before)
		}
	})
}

// TestLinksLeadSomewhere checks that every link names a dashboard that there is, and hands over variables that there are.
func TestLinksLeadSomewhere(t *testing.T) {
	target := regexp.MustCompile(`"url": "/d/([a-z-]+)`)
	handed := regexp.MustCompile(`\$\{([a-z]+):queryparam\}`)
	field := regexp.MustCompile(`\$\{__data\.fields\.[a-z_]+[^}]*\}`)
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		encoded, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		links := target.FindAllSubmatch(encoded, -1)
		if len(d.Links) != 1 || !slices.Equal(d.Links[0].Tags, d.Tags) || !d.Links[0].IncludeVars {
			t.Errorf("links %+v, want a menu of the dashboards, with the variables", d.Links)
		}
		for _, link := range links {
			if !slices.ContainsFunc(pages, func(p page) bool { return p.uid == string(link[1]) }) {
				t.Errorf("a link leads to %s, which is no dashboard", link[1])
			}
		}
		for _, m := range handed.FindAllSubmatch(encoded, -1) {
			if !slices.ContainsFunc(d.Templating.List, func(v Variable) bool { return v.Name == string(m[1]) }) {
				t.Errorf("a link hands over the variable %s, which is not on this dashboard", m[1])
			}
		}
		for _, m := range field.FindAllString(string(encoded), -1) {
			if !strings.Contains(m, ":percentencode") && !strings.Contains(m, ".host}") {
				t.Errorf("a link holds the field %s unescaped", m)
			}
		}
	})
}

// TestVersionsSortByNumber does with Go what the two label_replace of inOrder do in Prometheus.
func TestVersionsSortByNumber(t *testing.T) {
	replace := func(value, pattern, with string) string {
		re := regexp.MustCompile("^(?s:" + pattern + ")$")
		m := re.FindStringSubmatchIndex(value)
		if m == nil {
			return ""
		}
		return string(re.ExpandString(nil, with, value, m))
	}
	order := func(version string) string {
		return replace(replace(version, fourNumbers, withZeros), lastFourDigits, joinedDigits)
	}
	sorted := []string{"9.10.0.1", "84.8.0.25", "84.9.0.12", "84.10.0.8", "84.10.0.10", "84.10.1.0", "100.0.0.1234"}
	for i := 1; i < len(sorted); i++ {
		if order(sorted[i-1]) >= order(sorted[i]) {
			t.Errorf("%s sorts as %s, %s as %s: want the first before the second", sorted[i-1], order(sorted[i-1]), sorted[i], order(sorted[i]))
		}
	}
}
