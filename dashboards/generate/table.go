package main

import (
	"fmt"
	"slices"
)

// column is one column of a table: the field that it shows, its title, and how its values look.
type column struct {
	field, title string
	properties   []Option
}

// col is a column.
func col(field, title string, properties ...Option) column {
	return column{field, title, properties}
}

// shown is a column of a merged table, whose fields have their titles as names.
func shown(title string, properties ...Option) column { return col(title, title, properties...) }

// hidden is a column that is there for links alone.
func hidden(field string) column {
	return column{field, field, []Option{property("custom.hidden", true)}}
}

// unplaced is where Grafana puts a column that has no place: the others come after it.
const unplaced = 1 << 53

// columns puts the fields in order, names them, and leaves out the time of the query. A column without a title is the one
// that withCount heads. It comes first.
func (p Panel) columns(all ...column) Panel {
	index, titles := map[string]int{}, map[string]string{}
	for i, c := range all {
		name := c.title
		if name == "" {
			name = c.field
		} else {
			index[c.field], titles[c.field] = unplaced+2*(i+1), c.title
		}
		if len(c.properties) > 0 {
			p = p.series(name, c.properties...)
		}
	}
	return p.transformed("organize", map[string]any{
		"excludeByName": map[string]bool{"Time": true}, "indexByName": index, "renameByName": titles,
	})
}

// withCount heads the column of a field with a title and how many of the series of a
// vector the table shows, n at most: "PBX, 20 of 173". Without series the title alone stands there, if a witness exists; without that the
// query returns nothing, so that the table shows its text for no data.
func (p Panel) withCount(n int, vector, witness, title, field string) Panel {
	count := named(fmt.Sprintf(`label_replace(label_join(count_values("shown", clamp_max(count(%[1]s), %[2]d))`+
		` * on () group_left (total) count_values("total", count(%[1]s)), "heading", " of ", "shown", "total"), "heading", "%[3]s, $1", "heading", "(.*)")`+
		` or on () label_replace(0 * count(%[4]s), "heading", "%[3]s", "", "")`,
		vector, n, title, witness), "")
	count.RefID = "B"
	p.Targets = append(p.Targets, count)
	return p.transformed("labelsToFields", map[string]any{}).transformed("configFromData", map[string]any{
		"configRefId": count.RefID,
		"applyTo":     Option{ID: "byName", Options: field},
		"mappings":    []any{map[string]any{"fieldName": "heading", "handlerKey": "displayName"}},
	})
}

// sorted sorts a table by one of its columns.
func (p Panel) sorted(title string, descending bool) Panel {
	return p.option("sortBy", []any{map[string]any{"displayName": title, "desc": descending}})
}

// sortedBy sorts the rows by a field before they are drawn.
func (p Panel) sortedBy(field string, descending bool) Panel {
	return p.transformed("sortBy", map[string]any{
		"fields": map[string]any{}, "sort": []any{map[string]any{"field": field, "desc": descending}},
	})
}

// converted reads a field as another type, one step after the other.
func (p Panel) converted(field string, types ...string) Panel {
	for _, t := range types {
		p = p.transformed("convertFieldType", map[string]any{"fields": map[string]any{}, "conversions": []any{
			map[string]any{"targetField": field, "destinationType": t},
		}})
	}
	return p
}

// titled names the values of each query, and leaves out the times of the queries.
func (p Panel) titled(titles map[string]string) Panel {
	hide := map[string]bool{"Time": true}
	for i := range p.Targets {
		hide[fmt.Sprintf("Time %d", i+1)] = true
	}
	return p.transformed("organize", map[string]any{"excludeByName": hide, "indexByName": map[string]int{}, "renameByName": titles})
}

// joined puts what several queries gave for the same value of a field side by side.
func (p Panel) joined(field string) Panel {
	return p.transformed("joinByField", map[string]any{"byField": field, "mode": "outer"})
}

// inColumn queries the values of a column of a merged table.
func inColumn(title, expr string) Target { return named(labelled(expr, columnLabel, title), "") }

// columnLabel is the label that says which column a value belongs to.
const columnLabel = "column"

// merged puts what several queries gave for the same labels into one row, each in its column. The queries are none for a
// table: of those, Grafana shows a head without rows and "No data" when there is nothing.
func (p Panel) merged() Panel {
	return p.transformed("labelsToFields", map[string]any{"valueLabel": columnLabel}).transformed("merge", map[string]any{})
}

// matrix makes a column for each value of one label and a row for each of another, sorted by a label.
func (p Panel) matrix(row, column, title, by string, descending bool) Panel {
	p = p.custom("minWidth", 95).
		series(title, property("custom.align", "left"), property("custom.cellOptions", map[string]any{"type": "auto"}), property("custom.minWidth", 190))
	return p.sortedBy(by, descending).transformed("groupingToMatrix", map[string]any{
		"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null",
	}).transformed("organize", map[string]any{
		"excludeByName": map[string]bool{}, "indexByName": map[string]int{}, "renameByName": map[string]string{row + `\` + column: title},
	})
}

// pbxColumns are the columns that say which PBX a row is about, its name leading to its page and headed by withCount. The
// region comes last: it is what a narrow window may cut off.
func pbxColumns(more ...column) []column {
	return slices.Concat([]column{
		col("name", "", atLeast(110), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
	}, more, []column{col("region", "Region", atLeast(150), regionNames()), hidden("account"), hidden("cloud_pbx_id")})
}

// regionNames gives the regions that YCM spells in two ways one name.
func regionNames() Option {
	same := func(pattern, name string) Mapping {
		return Mapping{Type: "regex", Options: map[string]any{"pattern": pattern, "result": result{Text: name}}}
	}
	return property("mappings", []Mapping{same(`/^china\(guangdong\)$/i`, "China(Guangdong)"), same(`/^europe\(london\)$/i`, "Europe(London)")})
}

// width fixes how many pixels a column takes.
func width(pixels int) Option { return property("custom.width", pixels) }

// atLeast keeps a column from being narrower than so many pixels; else that is 150.
func atLeast(pixels int) Option { return property("custom.minWidth", pixels) }

// unit shows a column's values in a unit of their own.
func unit(name string) Option { return property("unit", name) }

// inText colours the text of a column's values by their size or by what they are mapped to.
func inText(mappings ...Mapping) []Option {
	options := []Option{property("custom.cellOptions", map[string]any{"type": "color-text"})}
	if len(mappings) > 0 {
		options = append(options, property("mappings", mappings))
	}
	return options
}

// inSteps colours the text of a column's values by steps.
func inSteps(from ...Step) []Option {
	return append(inText(), property("thresholds", thresholds(unknown, from...)))
}

// asBar draws a column's values as bars from 0 to 1 in one colour, and other colours from each step on.
func asBar(colour string, from ...Step) []Option {
	return []Option{
		property("custom.cellOptions", map[string]any{"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}),
		property("min", 0), property("max", 1), property("thresholds", thresholds(colour, from...)),
	}
}
