package main

import "fmt"

// list is a tile with a number, and the table that the tile opens. Both read the same vector, so
// that they cannot disagree.
type list struct {
	title, description string
	vector             string // a series for each row
	witness            string // series that exist while the answer is known
	colour             string // of the number, if it is not 0
	unit               string // of the values
	worst              string // the column that the table is sorted by
	descending         bool
	columns            []column
	collector          string // that must be on for an answer, if it is off by default
}

// most is how many rows a table shows: more cannot be read, and a browser must carry them.
const most = 500

// tile is the number of rows: "none" in green only where the witness is, else grey.
func (l list) tile() Panel {
	p := stat(l.title, l.description, "locale", now(number(l.vector, l.witness))).problem(l.colour).opens(l.title)
	if l.collector != "" {
		p = p.orOff(l.collector, pbxs())
	}
	return p
}

// table lists the rows; with more than the most, the ones whose values are greatest or, if the worst are small, smallest.
func (l list) table() Panel {
	p := worst(most, l.vector, l.witness, l.title, l.description, l.unit, l.descending)
	if l.collector != "" {
		p = p.orOffRow(l.collector, pbxs(), "name")
	}
	return p.decimals(0).columns(l.columns...).sorted(l.worst, l.descending)
}

// worst is a table of the n PBXs whose values are greatest or, ascending, smallest. The first column is headed by how many there are.
func worst(n int, vector, witness, title, description, unit string, descending bool) Panel {
	rowsOf := bottom
	if descending {
		rowsOf = top
	}
	return table(title, fmt.Sprintf("%s Shows up to %d rows; the header shows how many of how many.", description, n), unit,
		rows(orNone(rowsOf(n, vector), witness))).
		withCount(n, vector, witness, "PBX", "name").
		override(Option{ID: "byType", Options: "number"}, property("mappings", []Mapping{blank}))
}

// blank hides the value of a row that only says "none". It is for numbers: Grafana takes words for NaN, too.
var blank = Mapping{Type: "special", Options: map[string]any{"match": "nan", "result": result{Text: " "}}}

// orNone is a row "none" where a vector is empty and a witness says that the answer is known.
func orNone(vector, witness string) string {
	return vector + " or on () " + labelled("(0 * count("+witness+") / 0)", "name", "none")
}
