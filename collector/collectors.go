package collector

import (
	"fmt"
	"slices"
	"strings"
)

// All lists every collector, in the order in which they start. The firmware is first, because the list of PBXs is
// compared with it.
func All() []Collector {
	return []Collector{
		firmware(),
		cloudPBX(),
		subscription(),
		users(),
		dids(),
		pbxAPI(),
		trunks(),
		extensions(),
		phones(),
		capacity(),
		autoprovisioning(),
	}
}

// byLabel sorts what is exported as the values of a label.
func byLabel[S fmt.Stringer](all []S) []S {
	slices.SortFunc(all, func(a, b S) int { return strings.Compare(a.String(), b.String()) })
	return all
}
