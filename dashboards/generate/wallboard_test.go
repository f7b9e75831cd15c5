package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestWallboardIsGreenOnlyWithCurrentData: nobody reads a banner on a TV while all tiles below it are green.
func TestWallboardIsGreenOnlyWithCurrentData(t *testing.T) {
	for _, p := range wallboard().Panels[1:] {
		green := slices.ContainsFunc(p.FieldConfig.Defaults.Thresholds.Steps, func(s Step) bool { return s.Color == good })
		for _, o := range p.FieldConfig.Overrides {
			green = green || slices.ContainsFunc(o.Properties, func(o Option) bool { return strings.Contains(fmt.Sprint(o.Value), good) })
		}
		if green && !slices.ContainsFunc(p.Targets, func(target Target) bool { return strings.HasSuffix(target.Expr, " unless on () ("+untrusted()+")") }) {
			t.Errorf("panel %q may be green although the data of an account is missing or outdated", p.Title)
		}
	}
}

// TestWallboardTextsAreShort: the values are written so large that longer words are cut.
func TestWallboardTextsAreShort(t *testing.T) {
	for _, p := range wallboard().Panels[1:] {
		for _, m := range p.FieldConfig.Defaults.Mappings {
			options, _ := m.Options.(map[string]any)
			for value, shown := range options {
				if text := shown.(result).Text; len(text) > 8 {
					t.Errorf("panel %q shows %q for %s", p.Title, text, value)
				}
			}
		}
	}
}

// TestWallboardFitsOneScreen: 1080 pixels in kiosk mode are 28 rows of the grid.
func TestWallboardFitsOneScreen(t *testing.T) {
	for _, p := range wallboard().Panels {
		if p.GridPos.Y+p.GridPos.H > 28 {
			t.Errorf("panel %q ends at row %d, below the screen", p.Title, p.GridPos.Y+p.GridPos.H)
		}
	}
}
