package main

// columns is how wide Grafana's grid is.
const columns = 24

// line is panels side by side, all of one height.
type line struct {
	height int
	panels []Panel
}

// across puts panels beside each other. Those without a width share what is left of the line. No more than four tiles
// fit: in a window of 800 pixels their titles could not be read. The line of the first tile, which has a reason to tell as
// well, is higher.
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
			p.ID = len(placed) + 1
			p.GridPos = GridPos{H: l.height, W: p.GridPos.W, X: x, Y: y}
			x += p.GridPos.W
			placed = append(placed, p)
		}
		y += l.height
	}
	return placed
}
