package config

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

// Collectors are all of collector.All, enabled or not, in its order.
type Collectors []collector.Configured

// Entries makes each collector a key of the file, with its schedule and its settings side by side below it.
func (cs Collectors) Entries() (entries []strictyaml.Entry) {
	for i := range cs {
		entries = append(entries, strictyaml.Entry{Key: cs[i].Name, Into: &struct {
			Schedule *collector.Schedule `yaml:",inline"`
			Settings collector.Settings  `yaml:",inline"`
		}{&cs[i].Schedule, cs[i].Settings}})
	}
	return entries
}

func (cs Collectors) check(d *document) {
	for i := range cs {
		path := "collectors." + cs[i].Name
		checkSchedule(&cs[i].Schedule, d, path)
		if cs[i].Settings == nil {
			continue
		}
		at := func(p collector.Problem) string { return strictyaml.Below(path, p.Path) }
		for _, p := range slices.DeleteFunc(cs[i].Settings.Check(), func(p collector.Problem) bool { return d.Wrong(at(p)) }) {
			d.Problem(at(p), "%s", p.Message)
		}
	}
}

func checkSchedule(s *collector.Schedule, d *document, path string) {
	interval, staleAfter := path+".interval", path+".stale_after"
	d.upTo(interval, 30*day, s.Interval)
	d.upTo(staleAfter, 365*day, s.StaleAfter)
	if !d.Given(staleAfter) {
		s.StaleAfter = max(3*s.Interval, 10*time.Minute)
	}
	if !d.Wrong(interval) {
		d.Must(staleAfter, s.StaleAfter >= s.Interval, "%s is below interval %s; make stale_after at least %[2]s",
			model.Duration(s.StaleAfter), model.Duration(s.Interval))
	}
}

// checkRequired reports the collectors whose settings ask for what another one learns that is not enabled.
func (cs Collectors) checkRequired(d *document) {
	for _, c := range cs {
		role, key := c.Requires()
		if role == "" || !c.Schedule.Enabled {
			continue
		}
		provider := slices.IndexFunc(cs, func(p collector.Configured) bool { return p.Provides == role })
		d.Must(strictyaml.Below("collectors."+c.Name, key), cs[provider].Schedule.Enabled, "needs what collector %s learns; enable collectors.%[1]s", cs[provider].Name)
	}
}

// checkTargets reports the collectors that have no PBX to ask: without the list, an account knows only the PBXs that it
// names itself.
func (c *Config) checkTargets(d *document) {
	list := slices.IndexFunc(c.Collectors, func(c collector.Configured) bool { return c.Provides == collector.ListOfPBXs })
	alone := slices.IndexFunc(c.Accounts, func(a Account) bool { return len(a.PBXs) == 0 })
	if c.Collectors[list].Schedule.Enabled || alone < 0 || d.Wrong(strictyaml.Item("accounts", alone)+".pbxs") {
		return
	}
	for _, asking := range c.Collectors {
		if asking.AsksPBXs && asking.Schedule.Enabled {
			d.Problem("collectors."+asking.Name, "has no PBX to ask in accounts[%d]; enable collectors.%s, "+
				"or write pbxs into that account", alone, c.Collectors[list].Name)
		}
	}
}
