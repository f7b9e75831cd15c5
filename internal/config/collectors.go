package config

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

// Collectors are all of collector.All, enabled or not, in its order. In the file, each is a key with its schedule and its
// settings side by side below it.
type Collectors []collector.Configured

// DefaultCollectors are those of a file that does not mention them.
func DefaultCollectors() (cs Collectors) {
	for _, c := range collector.All() {
		configured := collector.Configured{Collector: c, Schedule: c.Schedule}
		if c.Settings != nil {
			configured.Settings = c.Settings()
		}
		cs = append(cs, configured)
	}
	return cs
}

func (cs Collectors) check(d *document) {
	for i := range cs {
		c, path := &cs[i].Schedule, "collectors."+cs[i].Name
		d.between(path+".interval", c.Interval, 30*day)
		if !d.given(path + ".stale_after") {
			c.StaleAfter = max(3*c.Interval, 10*time.Minute)
		} else if d.between(path+".stale_after", c.StaleAfter, 365*day); !d.failed[path+".interval"] {
			d.must(path+".stale_after", c.StaleAfter >= c.Interval, "%s is below interval %s; make stale_after at least %[2]s",
				model.Duration(c.StaleAfter), model.Duration(c.Interval))
		}
		if cs[i].Settings != nil {
			for _, p := range cs[i].Settings.Check() {
				if p.Needs == "" {
					d.problem(strings.TrimSuffix(path+"."+p.Path, "."), "%s", p.Message)
				} else if c.Enabled {
					enabled := slices.ContainsFunc(cs, func(c collector.Configured) bool { return c.Name == p.Needs && c.Schedule.Enabled })
					d.must(path+"."+p.Path, enabled, "needs collector %s; set collectors.%[1]s.enabled to true", p.Needs)
				}
			}
		}
	}
}

// Metrics is which of the collectors' families are exported.
type Metrics struct {
	// Exclude are regular expressions, each of which must match a whole name, of the families that are not created.
	Exclude []string `yaml:"exclude"`
}

// check excludes the families from the collectors.
func (m Metrics) check(d *document, all Collectors) {
	for i, text := range m.Exclude {
		path, matched := itemAt("metrics.exclude", i), false
		pattern, err := regexp.Compile(text)
		if wrong := new(syntax.Error); errors.As(err, &wrong) {
			d.problem(path, "is not a regular expression: %s", wrong.Code)
			continue
		}
		pattern.Longest() // So that it finds a whole name if it matches one.
		for i := range all {
			for _, f := range all[i].Families {
				if pattern.FindString(f.Name) == f.Name {
					matched = true
					all[i].Excluded = append(all[i].Excluded, f.Name)
				}
			}
			slices.Sort(all[i].Excluded)
			all[i].Excluded = slices.Compact(all[i].Excluded)
		}
		if !matched && !slices.Contains(m.Exclude[:i], text) {
			d.warn(path, "matches no metric of a collector; see docs/metrics.md for their names. "+
				"The exporter's own metrics cannot be excluded")
		}
	}
}
