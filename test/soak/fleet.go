package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// fleet is a simulated YCM. Every change that is made to its PBXs is on record, so that it is known what was true when.
type fleet struct {
	account string
	limit   ycmtest.RateLimit
	secret  string
	sim     *ycmtest.Server
	url     string
	found   *findings
	meter   *meter
	size    int

	mu      sync.Mutex
	rng     *rand.Rand
	calm    bool
	states  map[int64][]state // of each PBX, the oldest first
	tokens  map[string]bool   // that were ever accepted
	listing time.Time         // when a page of the list was last requested
}

// state is what a PBX was from one moment to another. The moments are generous: two states in a row overlap by the time
// that the change took.
type state struct {
	pbx   ycmtest.PBX
	since time.Time
	until time.Time // zero: it still is
}

func (s state) overlaps(from, to time.Time) bool {
	return !s.since.After(to) && (s.until.IsZero() || !s.until.Before(from))
}

// newFleet serves a fleet on loopback until the process ends.
func newFleet(account string, size int, limit ycmtest.RateLimit, seed uint64, found *findings) *fleet {
	f := &fleet{
		account: account, limit: limit, secret: fmt.Sprintf("%s-secret-of-the-soak-%d", account, seed), found: found, size: size,
		rng: rand.New(rand.NewPCG(seed, 0)), states: map[int64][]state{}, tokens: map[string]bool{},
	}
	f.sim = ycmtest.New(ycmtest.Options{
		PBXs: size, Seed: seed, ClientID: account + "-client", ClientSecret: f.secret, RateLimit: &limit, TokenLife: 5 * time.Minute, History: 1,
	})
	now := time.Now()
	f.meter = newMeter(limit, now)
	for _, p := range f.sim.PBXs() {
		if p.Raw != nil {
			f.sim.Update(p.ID, plain)
			p, _ = f.sim.PBX(p.ID)
		}
		f.states[p.ID] = []state{{pbx: p, since: now}}
	}
	f.sim.OnRequest(f.came)
	f.url = httptest.NewServer(f.sim).URL
	return f
}

// plain leaves out what the simulator writes otherwise than a PBX has it: what is true of that is a matter of parsers.
func plain(p *ycmtest.PBX) { p.Raw = nil }

// came looks at each request before it is answered, and sees to it that the list moves under the reader.
func (f *fleet) came(r *http.Request) {
	now := time.Now()
	direct := r.URL.Path[:min(5, len(r.URL.Path))] == "/pbx/"
	if over, lump := false, false; !direct {
		if over, lump = f.meter.count(now); over {
			f.found.add("request over the limit", "account %s, where tokens come in lumps: %v; it was for %s", f.account, lump, r.URL.Path)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == "/dm/open_api/v2/cloud_pbx/instances" {
		f.listing = now
		if !f.calm && f.rng.IntN(3) == 0 {
			f.change()
		}
	}
}

// stir changes a PBX, unless the fleet is to be calm.
func (f *fleet) stir() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.calm {
		f.change()
	}
}

// vanish deletes so many PBXs that more walks have to confirm it.
func (f *fleet) vanish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range len(f.sim.IDs()) / 8 {
		f.remove()
	}
}

// change creates, deletes or changes a PBX, with the lock held. The fleet keeps about its size.
func (f *fleet) change() {
	ids := f.sim.IDs()
	switch n := f.rng.IntN(10); {
	case n < 2 && len(ids) > f.size*3/4:
		f.remove()
	case n < 4 && len(ids) < f.size*5/4, len(ids) <= f.size*3/4:
		before := time.Now()
		p := f.sim.Add(plain)
		f.states[p.ID] = []state{{pbx: p, since: before}}
	default:
		f.edit(ids[f.rng.IntN(len(ids))], func(p *ycmtest.PBX) {
			statuses := []string{ycmtest.Running, ycmtest.Running, ycmtest.Running, ycmtest.Stopped, ycmtest.Starting, ycmtest.Upgrading}
			p.Status = statuses[f.rng.IntN(len(statuses))]
			p.ActiveCalls, p.UsedExtensions = f.rng.Int64N(100), f.rng.Int64N(1000)
			p.Version = fmt.Sprintf("84.%d.0.%d", f.rng.IntN(30), f.rng.IntN(200))
			p.Silent = f.rng.IntN(8) == 0
		})
	}
}

// edit changes a PBX, with the lock held.
func (f *fleet) edit(id int64, change func(*ycmtest.PBX)) {
	before := time.Now()
	f.sim.Update(id, change)
	p, _ := f.sim.PBX(id)
	f.ended(id, time.Now())
	f.states[id] = append(f.states[id], state{pbx: p, since: before})
}

// remove deletes a PBX, often the first, which moves all pages; with the lock held.
func (f *fleet) remove() {
	ids := f.sim.IDs()
	id := ids[0]
	if f.rng.IntN(2) == 0 {
		id = ids[f.rng.IntN(len(ids))]
	}
	f.sim.Delete(id)
	f.ended(id, time.Now())
}

func (f *fleet) ended(id int64, at time.Time) {
	states := f.states[id]
	states[len(states)-1].until = at
}

// setCalm stops the changes, or lets them continue.
func (f *fleet) setCalm(calm bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calm = calm
}

// forget drops what was true only before a moment, and notes which tokens are good.
func (f *fleet) forget(before time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, states := range f.states {
		for len(states) > 0 && !states[0].until.IsZero() && states[0].until.Before(before) {
			states = states[1:]
		}
		if f.states[id] = states; len(states) == 0 {
			delete(f.states, id)
		}
	}
	for _, token := range f.sim.Tokens() {
		f.tokens[token] = true
	}
}

// secrets is all that must never be shown.
func (f *fleet) secrets() []string {
	f.forget(time.Time{})
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []string{f.secret}
	for token := range f.tokens {
		all = append(all, token)
	}
	return all
}

// lastRequested is when a page of the list was last requested.
func (f *fleet) lastRequested() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.listing
}

// directPBX is the address of a PBX with direct access.
func (f *fleet) directPBX() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, _ := f.sim.PBX(f.sim.IDs()[len(f.sim.IDs())/2])
	return p.URL
}
