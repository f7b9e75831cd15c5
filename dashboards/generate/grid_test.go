package main

import "testing"

// TestPanelsFillTheGrid checks that no panel covers another, leaves a hole or shares its number, on the dashboard and in each
// collapsed row.
func TestPanelsFillTheGrid(t *testing.T) {
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		numbers := map[int]string{}
		for _, p := range d.all() {
			if other, ok := numbers[p.ID]; ok || p.ID == 0 {
				t.Errorf("panels %q and %q both have the number %d", p.Title, other, p.ID)
			}
			numbers[p.ID] = p.Title
			if p.Type == "stat" && p.GridPos.W < 6 {
				t.Errorf("tile %q takes %d columns, want 6 at least: in a window of 800 pixels its title could not be read", p.Title, p.GridPos.W)
			}
		}
		fillsGrid(t, d.Panels)
		for _, p := range d.Panels {
			if p.Collapsed {
				fillsGrid(t, p.Panels)
			}
		}
	})
}

func fillsGrid(t *testing.T, panels []Panel) {
	t.Helper()
	taken := map[[2]int]string{}
	top, bottom := panels[0].GridPos.Y, 0
	for _, p := range panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("panel %q lies over %q at column %d, row %d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X+p.GridPos.W > columns {
			t.Errorf("panel %q is at %+v, which is not in %d columns", p.Title, p.GridPos, columns)
		}
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	if len(taken) != columns*(bottom-top) {
		t.Errorf("%d of %d places are taken: there is a hole in a line", len(taken), columns*(bottom-top))
	}
}

// TestTitlesAreUnique: two panels with one title on one dashboard are confused in links and reports; a tile and the
// list that it opens share one.
func TestTitlesAreUnique(t *testing.T) {
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		seen := map[string]bool{}
		for _, p := range d.all() {
			key := p.Title
			if p.Type == "table" {
				key += " (table)"
			}
			if seen[key] || p.Type == "row" && seen[p.Title+" (table)"] {
				t.Errorf("two panels, or a row and a panel, are named %q", p.Title)
			}
			seen[key] = true
			if p.Type == "row" {
				seen[p.Title+" (table)"] = true
			}
		}
	})
}
