package main

// columns is how wide Grafana's grid is.
const columns = 24

// line is panels side by side, all of one height.
type line struct {
	height int
	panels []Panel
}

// across puts panels beside each other.
func across(height int, panels ...Panel) line {
	return line{height, panels}
}

// heading starts a part of a dashboard.
func heading(title string) line {
	return line{1, []Panel{{Type: "row", Title: title, GridPos: GridPos{W: columns}}}}
}

// place puts the lines below each other and numbers the panels.
func place(lines ...line) []Panel {
	var placed []Panel
	y := 0
	for _, l := range lines {
		x := 0
		for _, p := range l.panels {
			p.ID = len(placed) + 1
			p.GridPos = GridPos{H: l.height, W: p.GridPos.W, X: x, Y: y}
			x += p.GridPos.W
			placed = append(placed, p)
		}
		y += l.height
	}
	return placed
}
