package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// findings collects what should not have been, and reports it at once.
type findings struct {
	out     io.Writer
	started time.Time

	mu     sync.Mutex
	counts map[string]int // by kind
}

func newFindings(out io.Writer) *findings {
	return &findings{out: out, started: time.Now(), counts: map[string]int{}}
}

// shownOfKind is how many findings of one kind are shown: the hundredth lost PBX is no news.
const shownOfKind = 5

// add reports what was found wrong, of a kind such as "lost PBX".
func (f *findings) add(kind, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[kind]++
	if f.counts[kind] <= shownOfKind {
		f.print("FOUND "+kind+": "+format, args...)
	}
}

// log reports what happens.
func (f *findings) log(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.print(format, args...)
}

func (f *findings) print(format string, args ...any) {
	fmt.Fprintf(f.out, "%7.1fs %s\n", time.Since(f.started).Seconds(), strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// summary returns how many of each kind were found, empty if nothing was.
func (f *findings) summary() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(f.counts)) {
		all = append(all, fmt.Sprintf("%d of kind %q", f.counts[kind], kind))
	}
	return strings.Join(all, ", ")
}
