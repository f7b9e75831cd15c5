package main

import "fmt"

// list is what needs attention: a tile with the number, and the table that the tile opens. Both read the same vector, so
// that they cannot disagree.
type list struct {
	title, description string
	vector             string // a series for each row
	witness            string // series that are there while the answer is known
	colour             string // of the number, if it is not 0
	unit               string // of the values
	worst              string // the column that the table is sorted by
	descending         bool
	columns            []column
}

// most is how many rows a table shows: more cannot be read, and a browser must carry them.
const most = 500

// tile is the number of rows: "none" in green only where the witness is, else grey.
func (l list) tile() Panel {
	return stat(l.title, l.description, "locale", now(number(l.vector, l.witness))).problem(l.colour).opens(l.title)
}

// table lists the rows; with more than the most, the ones whose values are greatest or, if the worst are small, smallest.
func (l list) table() Panel {
	return worst(most, l.vector, l.title, l.description, l.unit, l.descending).
		decimals(0).columns(l.columns...).sorted(l.worst, l.descending)
}

// worst is a table of the n PBXs whose values are greatest or, ascending, smallest. Above them stands how many there are.
func worst(n int, vector, title, description, unit string, descending bool) Panel {
	rowsOf := bottom
	if descending {
		rowsOf = top
	}
	return table(title, fmt.Sprintf("%s At most %d, and how many of how many.", description, n), unit, rows(rowsOf(n, vector))).
		withCount(n, vector, "PBX", "name")
}
