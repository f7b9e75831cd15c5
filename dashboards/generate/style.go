package main

import (
	"fmt"
	"maps"
	"slices"
)

// wide sets how many of the 24 columns a panel takes.
func (p Panel) wide(width int) Panel {
	p.GridPos.W = width
	return p
}

// decimals sets how many digits follow the decimal point.
func (p Panel) decimals(n int) Panel {
	p.FieldConfig.Defaults.Decimals = &n
	return p
}

// limits sets the smallest and the greatest value of an axis or bar.
func (p Panel) limits(least, greatest float64) Panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = &least, &greatest
	return p
}

// empty is what a panel says when its queries give nothing, which is no error.
func (p Panel) empty(text string) Panel {
	p.FieldConfig.Defaults.NoValue = text
	return p
}

// mapped shows words instead of values.
func (p Panel) mapped(mappings ...Mapping) Panel {
	p.FieldConfig.Defaults.Mappings = append(p.FieldConfig.Defaults.Mappings, mappings...)
	return p
}

// stepped colours values by their size: base, and another colour from each step on.
func (p Panel) stepped(base string, from ...Step) Panel {
	p.FieldConfig.Defaults.Thresholds = thresholds(base, from...)
	return p
}

func thresholds(base string, from ...Step) *Thresholds {
	return &Thresholds{Mode: "absolute", Steps: append([]Step{{Color: base}}, from...)}
}

// least is less than every value that is shown. The first colour of all is for what has no value.
const least = -1e12

// some is the least that is more than nothing.
const some = 1e-9

// at is a colour from a value on.
func at(value float64, colour string) Step {
	return Step{Color: colour, Value: &value}
}

// problem shows a number that should be 0: "none" in green, else in the colour given, and grey without data.
func (p Panel) problem(colour string) Panel {
	return p.stepped(unknown, at(0, good), at(1, colour)).mapped(word(0, "none", good))
}

// off is 0 where no account has a collector enabled, although a witness says that there is data.
func off(collector, witness string) string {
	return "0 * sum(" + witness + ") unless on () count(" + account("ycm_collector_interval_seconds", fmt.Sprintf("collector=%q", collector)) + ")"
}

// orOff shows "off" with the name of a collector that no account has enabled.
func (p Panel) orOff(collector, witness string) Panel {
	target := named("-1 + "+off(collector, witness), "off")
	if p.Type == "timeseries" {
		target = over(off(collector, witness), "off: collector "+collector)
		p = p.series(target.LegendFormat, inColour(unknown))
	} else {
		p = p.mapped(word(-1, "off: collector "+collector, unknown)).series("off", property("displayName", " "))
	}
	target.RefID = string(rune('A' + len(p.Targets)))
	p.Targets = append(p.Targets, target)
	return p
}

// orOffRow is orOff for a table: a row that says so in the column of a label. A matrix needs the label that its columns are made of.
func (p Panel) orOffRow(collector, witness, label string, heads ...string) Panel {
	row := func(name, value string) string {
		vector := labelled("("+off(collector, witness)+") / 0", name, value)
		for _, head := range heads {
			vector = labelled(vector, head, " ")
		}
		return " or on () " + vector
	}
	p.Targets[0].Expr += row(label, "off: collector "+collector)
	if len(p.Targets) > 1 {
		p.Targets[1].Expr += row("heading", "PBX")
	}
	return p.override(Option{ID: "byType", Options: "number"}, property("mappings", append(slices.Clone(p.FieldConfig.Defaults.Mappings), blank)))
}

// counted shows how many things are in each state: those that some are in by the state's colour, the others grey.
func (p Panel) counted(states []state) Panel {
	p = p.stepped(unknown).option("textMode", "value_and_name").option("orientation", "vertical")
	for _, s := range states {
		p = p.series(s.name, property("thresholds", thresholds(unknown, at(1, s.colour))), property("displayName", s.words()))
	}
	return p
}

// stateColours draws the series that are named for states in the colours and words of those.
func (p Panel) stateColours(states []state) Panel {
	for _, s := range states {
		p = p.series(s.name, inColour(s.colour), property("displayName", s.words()))
	}
	return p
}

// option sets one of the options that only this kind of panel has.
func (p Panel) option(name string, value any) Panel {
	p.Options[name] = value
	return p
}

// renamed shows series by other names.
func (p Panel) renamed(names map[string]string) Panel {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p = p.series(name, property("displayName", names[name]))
	}
	return p
}

// custom sets one of the drawing options that can be overridden by field.
func (p Panel) custom(name string, value any) Panel {
	p.FieldConfig.Defaults.Custom[name] = value
	return p
}

// stacked puts the series on top of each other.
func (p Panel) stacked() Panel {
	if p.Type == "barchart" {
		return p.option("stacking", "normal")
	}
	return p.custom("stacking", map[string]any{"mode": "normal", "group": "A"}).custom("fillOpacity", 60).custom("showPoints", "never").
		custom("lineWidth", 0) // the line of a series that is 0 would be drawn in its colour over the one below
}

// series changes how the series of one name is shown.
func (p Panel) series(name string, properties ...Option) Panel {
	return p.override(Option{ID: "byName", Options: name}, properties...)
}

// matching changes how the series whose names match a regular expression are shown.
func (p Panel) matching(regexp string, properties ...Option) Panel {
	return p.override(Option{ID: "byRegexp", Options: regexp}, properties...)
}

func (p Panel) override(matcher Option, properties ...Option) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, Override{Matcher: matcher, Properties: properties})
	return p
}

// property is one thing that an override changes.
func property(id string, value any) Option { return Option{ID: id, Value: value} }

// inColour gives a series a colour of its own.
func inColour(colour string) Option {
	return property("color", map[string]any{"mode": "fixed", "fixedColor": colour})
}

// dashed draws a limit, a forecast or a comparison: a dashed line without a filling.
func dashed() []Option {
	return []Option{
		property("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 6}}),
		property("custom.fillOpacity", 0),
		property("custom.showPoints", "never"),
	}
}

// axis says what the values on the axis are. Of things that are counted it reaches to 1 at least: none of them would be
// drawn on an axis to 100.
func (p Panel) axis(label string) Panel {
	if slices.Contains([]string{"locale", "cpm", "reqpm"}, p.FieldConfig.Defaults.Unit) {
		p = p.custom("axisSoftMax", 1)
	}
	return p.custom("axisLabel", label)
}

// opens makes the panel's value a link to the table of that title, full screen; see linkLists.
func (p Panel) opens(title string) Panel {
	p.list = title
	return p
}

// leadsTo makes the panel's values links to another dashboard.
func (p Panel) leadsTo(uid string) Panel {
	for _, to := range pages {
		if to.uid == uid {
			return p.linked(to.title, to.address())
		}
	}
	panic("no dashboard " + uid)
}

// linked makes the panel's values a link.
func (p Panel) linked(title, url string) Panel {
	p.FieldConfig.Defaults.Links = []Link{{Title: title, URL: url}}
	return p
}

// during sets a time range of the panel's own, and the least step in it.
func (p Panel) during(shown, step string) Panel {
	p.TimeFrom, p.Interval = shown, step
	return p
}

// transformed reshapes what the queries gave.
func (p Panel) transformed(id string, options map[string]any) Panel {
	p.Transformations = append(p.Transformations, Transformation{ID: id, Options: options})
	return p
}
