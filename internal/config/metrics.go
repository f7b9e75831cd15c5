package config

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

// Metrics is which of the collectors' families are made.
type Metrics struct {
	// Exclude are regular expressions, each of which must match a whole name, of the families that are not made.
	Exclude []string `yaml:"exclude"`
}

// check excludes the families from the collectors, and switches off the collectors that nothing is left of.
func (m Metrics) check(d *document, all Collectors) {
	var patterns []*regexp.Regexp
	for i, text := range m.Exclude {
		path := strictyaml.Item("metrics.exclude", i)
		pattern, err := regexp.Compile(`^(?:` + text + `)$`)
		if _, alone := regexp.Compile(text); alone != nil || err != nil { // A parenthesis too many would close ours.
			d.Must(path, false, "is not a regular expression: %s", codeOf(errors.Join(alone, err)))
			continue
		}
		patterns = append(patterns, pattern)
		if !slices.ContainsFunc(all, func(c collector.Configured) bool { return len(excluded(c, pattern)) > 0 }) {
			d.Warn(path, "matches no metric of a collector; see docs/metrics.md for their names. "+
				"The exporter's metrics about itself cannot be excluded")
		}
	}
	for i := range all {
		all[i].Excluded = excluded(all[i], patterns...)
	}
	all.idle(d)
}

// codeOf is what is wrong with a regular expression, without the expression.
func codeOf(err error) string {
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return wrong.Code.String()
	}
	return "it cannot be read"
}

// excluded is the families of a collector that a pattern matches.
func excluded(c collector.Configured, patterns ...*regexp.Regexp) (names []string) {
	for _, f := range c.Families {
		if slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(f.Name) }) {
			names = append(names, f.Name)
		}
	}
	return names
}

// idle switches off the collectors that nothing is left of, unless one that polls needs what they learn. The list of PBXs
// is always polled.
func (cs Collectors) idle(d *document) {
	for again := true; again; {
		again = false
		for i := range cs {
			c := &cs[i]
			if c.Schedule.Enabled && len(c.Excluded) == len(c.Families) && c.Provides != collector.ListOfPBXs && !cs.needed(c.Provides) {
				c.Schedule.Enabled, again = false, true // Whom it needed may be idle, too.
				d.Warn("collectors."+c.Name, "is not polled, because metrics.exclude leaves none of its metrics")
			}
		}
	}
}

// needed reports whether a collector that polls needs what another one learns.
func (cs Collectors) needed(role collector.Role) bool {
	return role != "" && slices.ContainsFunc(cs, func(c collector.Configured) bool {
		required, _ := c.Requires()
		return c.Schedule.Enabled && (required == role || slices.ContainsFunc(c.Needs, func(n collector.Need) bool { return n.Role == role }))
	})
}
