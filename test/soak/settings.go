package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"
)

// settings is the configuration that the exporter has, which changes all the time.
type settings struct {
	fleets []*fleet
	file   string

	mu         sync.Mutex
	rng        *rand.Rand
	accounts   []accountSettings
	staleAfter int // of the list, in seconds
	longest    int // that it has been of late
	trunks     bool
	apiSeconds int
	resting    bool // no PBX is queried, so that what the exporter holds does not depend on how far its sweeps are
}

// accountSettings is what changes of one account.
type accountSettings struct {
	present     bool
	timeout     int // seconds
	readers     int
	direct      bool
	wrongSecret bool
}

const steadyStaleAfter = 60 // seconds

func newSettings(file string, fleets []*fleet, seed uint64) *settings {
	s := &settings{fleets: fleets, file: file, rng: rand.New(rand.NewPCG(seed, 1)), staleAfter: steadyStaleAfter, longest: steadyStaleAfter, apiSeconds: 30}
	for range fleets {
		s.accounts = append(s.accounts, accountSettings{present: true, timeout: 10, readers: 2})
	}
	return s
}

// write writes the file; broken makes it one that cannot be used.
func (s *settings) write(broken bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	b.WriteString("accounts:\n")
	for i, a := range s.accounts {
		f := s.fleets[i]
		if !a.present {
			continue
		}
		secret := f.secret
		if a.wrongSecret {
			secret = "wrong-" + secret
		}
		fmt.Fprintf(&b, "- name: %s\n  base_url: %s\n  client_id: %s-client\n  client_secret: %s\n  rate_limit: {burst: %d, rate: %d, interval: %s}\n",
			f.account, f.url, f.account, secret, f.limit.Burst, f.limit.Rate, f.limit.Interval)
		fmt.Fprintf(&b, "  timeout: %ds\n  page_concurrency: %d\n", a.timeout, a.readers)
		if a.direct {
			fmt.Fprintf(&b, "  pbxs: [{url: %s/pbx/%s, client_id: demo-pbx-client-id, client_secret: demo-pbx-client-secret}]\n", f.url, f.directPBX())
		}
	}
	fmt.Fprintf(&b, "collectors:\n  cloud_pbx: {interval: 5s, stale_after: %ds}\n  firmware: {interval: 30s}\n  subscription: {interval: 20s}\n", s.staleAfter)
	fmt.Fprintf(&b, "  pbx_api: {enabled: %t, interval: %ds}\n  trunks: {enabled: %t, interval: 40s}\n", !s.resting, s.apiSeconds, s.trunks && !s.resting)
	if broken {
		b.WriteString("  no_such_collector: {}\n")
	}
	return os.WriteFile(s.file, []byte(b.String()), 0o600)
}

// change changes one thing.
func (s *settings) change() {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.rng.IntN(len(s.accounts))
	a := &s.accounts[i]
	switch s.rng.IntN(8) {
	case 0:
		a.readers = 1 + s.rng.IntN(8)
	case 1:
		a.direct = !a.direct
	case 2:
		s.trunks = !s.trunks
	case 3:
		s.apiSeconds = 20 + s.rng.IntN(20)
	case 4:
		s.setStaleAfter(20 + s.rng.IntN(60))
	case 5:
		a.present = !a.present || i == 0 // The first account is always there.
	default:
		a.timeout = 3 + s.rng.IntN(15)
	}
}

// settle makes the settings what they were at the beginning.
func (s *settings) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.accounts {
		s.accounts[i] = accountSettings{present: true, timeout: 10, readers: 2}
	}
	s.setStaleAfter(steadyStaleAfter)
	s.trunks, s.apiSeconds, s.resting = true, 30, false
}

// rest makes the settings those by which the exporter is measured, with new connections.
func (s *settings) rest() {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resting = true
	for i := range s.accounts {
		s.accounts[i].timeout++
	}
}

// wrongSecret gives an account another secret, or its own again.
func (s *settings) wrongSecret(i int, wrong bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[i].wrongSecret = wrong
}

func (s *settings) setStaleAfter(seconds int) {
	s.staleAfter = seconds
	s.longest = max(s.longest, seconds)
}

// longestStaleAfter is how long a snapshot may be served at most.
func (s *settings) longestStaleAfter() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.longest) * time.Second
}
