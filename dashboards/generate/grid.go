package main

import "slices"

// columns is the width of Grafana's grid.
const columns = 24

// line is panels side by side, all of one height.
type line struct {
	height int
	panels []Panel
}

// across puts panels beside each other. Panels without a width share what is left of the line. At most four tiles
// fit: in a window of 800 pixels their titles could not be read.
func across(height int, panels ...Panel) line {
	return line{height, panels}
}

// heading starts a row with a title.
func heading(title string) line {
	return line{1, []Panel{{Type: "row", Title: title, GridPos: GridPos{W: columns}}}}
}

// folded is a collapsed row: Grafana loads its panels only when it is opened.
func folded(title string, lines ...line) line {
	row := heading(title)
	row.panels[0].Collapsed, row.panels[0].Panels = true, place(lines...)
	return row
}

// place puts the lines below each other and numbers the panels. Panels of a collapsed row are placed as if it were open.
func place(lines ...line) []Panel {
	var placed []Panel
	y := 0
	for _, l := range lines {
		left, without := columns, 0
		for _, p := range l.panels {
			left -= p.GridPos.W
			if p.GridPos.W == 0 {
				without++
			}
		}
		x := 0
		for _, p := range l.panels {
			if p.GridPos.W == 0 {
				p.GridPos.W = left / without
			}
			p.GridPos = GridPos{H: l.height, W: p.GridPos.W, X: x, Y: y}
			x += p.GridPos.W
			p.Panels = slices.Clone(p.Panels)
			for i := range p.Panels {
				p.Panels[i].GridPos.Y += y + l.height
			}
			placed = append(placed, p)
		}
		y += l.height
	}
	number := 0
	for i := range placed {
		number++
		placed[i].ID = number
		for j := range placed[i].Panels {
			number++
			placed[i].Panels[j].ID = number
		}
	}
	return placed
}
