//go:build !race

package exposition

// mostAllocations is what a scrape may allocate, whatever the size of the fleet.
const mostAllocations = 1_500
