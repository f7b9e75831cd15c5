package ycmtest

import "strings"

// The words of ordinary names.
var (
	firstWords = []string{
		"Harbour", "Northgate", "Summit", "Riverside", "Maple", "Granite", "Lakeview", "Beacon", "Orchard", "Sterling", "Atlas",
		"Copper", "Juniper", "Meridian", "Oakfield", "Pioneer", "Quarry", "Redwood", "Silver", "Tidewater", "Union", "Valley",
		"Westbrook", "Amber", "Bluebell", "Cedar", "Delta", "Eastfield", "Falcon", "Greenway", "Highland", "Ivory",
	}
	secondWords = []string{
		"Dental", "Logistics", "Law", "Clinic", "Hotel", "Motors", "Foods", "Insurance", "School", "Plumbing", "Architects",
		"Pharmacy", "Travel", "Textiles", "Bakery", "Printing", "Security", "Veterinary", "Optics", "Farms", "Studios",
		"Energy", "Realty", "Accounting",
	}
	places = []string{"", "", "", " North", " South", " East", " West", " Central", " Annex", " 2", " Depot", " Head Office"}

	groups = []string{
		"", "commercial PCE", "commercial PCE", "Retail", "Healthcare", "Hospitality", `Partner "North"`, "R&D (test|dev)", "Éducation",
	}
)

// oddNames are names that need care with quoting, encoding or regular expressions.
var oddNames = []string{
	`The "Old" Mill`,
	`C:\PBX\main`,
	"Two\nlines",
	"Zürich Apotheke",
	"東京デザイン事務所",
	`A+B (East) [1].*|^$`,
	"Tab\there",
	"Кафе «Волна»",
	`{name="x"} 1`,
	"مكتب البحر",
	"Smith & Sons <HQ>",
	"☎️ Helpdesk 🎧",
	" padded ",
	`100 %s ${account} $1`,
	`O'Brien's; DROP TABLE pbx;--`,
	`ends with \`,
}

// foreignNames are those of them that are realistic.
var foreignNames = []string{
	`The "Old" Mill`, "Zürich Apotheke", "東京デザイン事務所", "Кафе «Волна»", "مكتب البحر", "Smith & Sons", "O'Brien's",
}

// name makes a name. Four in 61 are odd ones, all of which occur in a fleet of 244.
func (w world) name(n int64) string {
	const odd = 4
	if place := w.wheel(aboutName, n); place < odd {
		names := oddNames
		if w.healthy {
			names = foreignNames
		}
		return names[(n/spokes*odd+place)%int64(len(names))]
	}
	var name strings.Builder
	for i, words := range [][]string{firstWords, secondWords, places} {
		if i == 1 {
			name.WriteByte(' ')
		}
		name.WriteString(words[w.below(int64(len(words)), aboutName, n, int64(i)+1)])
	}
	return name.String()
}

// named returns the ids of the PBXs whose name contains a text in any case, with f.mu held.
func (f *fleet) named(text string) []int64 {
	text = strings.ToLower(text)
	var ids []int64
	for _, id := range f.ids {
		p, ok := f.changed[id]
		if !ok {
			p.Name = f.world.name(f.world.ordinal(id))
		}
		if strings.Contains(strings.ToLower(p.Name), text) {
			ids = append(ids, id)
		}
	}
	return ids
}
