package ycmclient

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"sync"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Servers is what YCMs and PBXs remember of this exporter, and what it therefore keeps when its configuration changes: the rate limit
// and the token of each Client ID at a base URL, and the refused logins at each base URL. A process makes one and gives it to each of
// its clients. It is safe for concurrent use.
type Servers struct {
	store Store

	mu         sync.Mutex
	accounts   map[accountKey]*account
	guards     map[string]*yeastar.Guard
	configured map[accountKey]bool // nil: all
}

// Login is a Client ID at a YCM or at a PBX.
type Login struct {
	URL      *url.URL
	ClientID string
}

// Store persists refused logins across restarts. Load and Save are called in order, with locks held, so they must be quick; what they
// cannot do is theirs to report. A storage.Store is one.
type Store interface {
	Load(name string, load func(next func(record any) error) error) bool
	Reload(name string, load func(next func(record any) error) error) bool // Without locks, as another process may have stored it.
	Save(name string, records func(write func(record any) error) error)
}

type accountKey struct{ baseURL, clientID string }

// account is what belongs to one Client ID at one YCM.
type account struct {
	limiter *limiter
	session *yeastar.Session
}

// NewServers begins with what the store has; without a store, with nothing.
func NewServers(s Store) *Servers {
	return &Servers{store: s, accounts: map[accountKey]*account{}, guards: map[string]*yeastar.Guard{}}
}

// Retain drops the refused logins, stored ones too, of accounts and of PBXs that are no longer configured.
func (s *Servers) Retain(configured []Login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configured = map[accountKey]bool{}
	for _, l := range configured {
		s.configured[accountKey{l.URL.String(), l.ClientID}] = true
	}
	for baseURL, g := range s.guards {
		s.retain(baseURL, g)
	}
}

func (s *Servers) retain(baseURL string, g *yeastar.Guard) {
	g.Retain(func(clientID string) bool { return s.configured == nil || s.configured[accountKey{baseURL, clientID}] })
}

// Guard returns the guard of all logins at a PBX with direct access.
func (s *Servers) Guard(pbx *url.URL) *yeastar.Guard {
	return s.guard(pbx.String(), yeastar.MostRefusalsPBX)
}

func (s *Servers) guard(baseURL string, most int) *yeastar.Guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.guards[baseURL]; ok {
		return g
	}
	g := yeastar.NewGuard(most, yeastar.LoginState{}, nil)
	if s.store != nil {
		sum := sha256.Sum256([]byte(baseURL))
		name := fmt.Sprintf("logins-%x", sum[:8])
		read := func(load func(string, func(next func(record any) error) error) bool) (state yeastar.LoginState, ok bool) {
			ok = load(name, func(next func(record any) error) error { return next(&state) })
			return state, ok
		}
		state, _ := read(s.store.Load)
		g = yeastar.NewGuard(most, state, func(state yeastar.LoginState) {
			s.store.Save(name, func(write func(record any) error) error { return write(state) })
		})
		g.Reload = func() (yeastar.LoginState, bool) { return read(s.store.Reload) }
	}
	s.guards[baseURL] = g
	s.retain(baseURL, g)
	return g
}

// account returns what belongs to the Client ID; limit is that of a new limiter.
func (s *Servers) account(key accountKey, limit RateLimit) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.accounts[key]; ok {
		return a
	}
	a := &account{limiter: newLimiter(limit), session: yeastar.NewSession()}
	s.accounts[key] = a
	return a
}
