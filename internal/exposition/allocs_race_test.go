//go:build race

package exposition

// The race detector has pools forget things at random, so that a scrape allocates some more.
const mostAllocations = 2_000
