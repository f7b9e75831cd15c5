package yeastar

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// How many refused logins in a row a guard lets happen at most, so that the address is not blocked: YCM blocks it at
// the sixth ("Delete Blocked API IP"), a PBX at the fifth ("Remove Blocked API IP Addresses"). Only a person unblocks it.
const (
	MostRefusalsYCM = 5
	MostRefusalsPBX = 4
)

const (
	afterRefusal  = time.Minute
	afterRefusals = time.Hour // From manyRefusals on.
	manyRefusals  = 4
)

// Guard keeps the exporter's address from being blocked at one base URL, whatever number of clients logs in there:
// they share it. All refusals there count together, but those of credentials that never were good do not keep clients
// waiting that have been logged in. Credentials that changed are tried at once, and a success frees nobody else. It is
// safe for concurrent use.
type Guard struct {
	most  int           // Refusals in a row.
	login chan struct{} // Held while a login is under way.

	mu      sync.Mutex
	state   LoginState
	changed func(LoginState) // May be nil.
}

// LoginState is what a guard has learned: plain values, without any secret.
type LoginState struct {
	Salt    string // Of the fingerprints.
	Clients map[string]ClientState
}

// ClientState is what came of the logins of one Client ID.
type ClientState struct {
	Fingerprint string    // Of the credentials that were used last.
	Proven      bool      // They were accepted, these or some before.
	Refusals    int       // Since then.
	Refused     time.Time // The latest of them.
	NotBefore   time.Time // No login before, for another reason.
}

// Credentials are what a client logs in with.
type Credentials struct {
	ClientID string
	Secret   secret.Text
}

// Barred is the error of a login that was not tried.
type Barred struct {
	Refusals int       // In a row.
	Until    time.Time // Zero: until the credentials change.
}

// Error tells when the next login is tried, and why not now.
func (b *Barred) Error() string {
	when := "the credentials change or the secret file is written anew"
	if !b.Until.IsZero() {
		when = b.Until.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("not tried again before %s, refused logins in a row: %d", when, b.Refusals)
}

// After returns the error of the login that was not tried, in the terms of the latest refusal, nil if none is known.
func (b *Barred) After(refusal *Error) Error {
	e := Error{Class: Auth}
	if refusal != nil {
		e = *refusal
	}
	e.Message = Cut(Line(strings.TrimSuffix(b.Error()+": "+e.Message, ": ")), MaxMessage)
	return e
}

// NewGuard makes a guard that lets at most so many refusals in a row happen. It goes on from a state; the zero state is
// that of a base URL that was never asked.
func NewGuard(most int, s LoginState) *Guard {
	if s.Salt == "" {
		s.Salt = rand.Text()
	}
	g := &Guard{most: most, login: make(chan struct{}, 1), state: LoginState{Salt: s.Salt, Clients: map[string]ClientState{}}}
	now := time.Now()
	for id, c := range s.Clients { // A clock that went back must not put logins off for long.
		c.Refused, c.NotBefore = Earlier(c.Refused, now), Earlier(c.NotBefore, now.Add(afterRefusals))
		g.state.Clients[id] = c
	}
	return g
}

// State returns what the guard has learned.
func (g *Guard) State() LoginState {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.copied()
}

func (g *Guard) copied() LoginState {
	return LoginState{Salt: g.state.Salt, Clients: maps.Clone(g.state.Clients)}
}

// OnChange sets who is told, in order, what the guard has learned whenever it learns more.
func (g *Guard) OnChange(changed func(LoginState)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed = changed
}

// Check returns a [*Barred] if no login may be tried with these credentials now.
func (g *Guard) Check(c Credentials) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.state.Clients[c.ClientID]
	if own.Fingerprint != "" && own.Fingerprint != g.fingerprint(c) {
		return nil
	}
	var refusals int
	var until time.Time
	for _, other := range g.state.Clients {
		if other.Proven || !own.Proven {
			refusals += other.Refusals
			until = Later(until, other.Refused)
		}
	}
	switch {
	case refusals >= g.most:
		return &Barred{Refusals: refusals}
	case refusals >= manyRefusals:
		until = until.Add(afterRefusals)
	case refusals > 0:
		until = until.Add(afterRefusal)
	}
	if until = Later(until, own.NotBefore); time.Now().Before(until) {
		return &Barred{Refusals: refusals, Until: until}
	}
	return nil
}

// Begin returns nil when a login may be tried with these credentials, as Check does, and no other is under way. End
// has to be called after it. Its error is a [*Barred] or that of ctx.
func (g *Guard) Begin(ctx context.Context, c Credentials) error {
	select {
	case g.login <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := g.Check(c)
	if err != nil {
		g.End()
	}
	return err
}

// End tells that the login is over, after what came of it was recorded.
func (g *Guard) End() { <-g.login }

// Accepted records a login that succeeded.
func (g *Guard) Accepted(c Credentials) {
	g.record(c.ClientID, func(s *ClientState) { *s = ClientState{Fingerprint: g.fingerprint(c), Proven: true} })
}

// Refused records a login that was refused.
func (g *Guard) Refused(c Credentials) {
	g.record(c.ClientID, func(s *ClientState) {
		s.Fingerprint, s.Refused = g.fingerprint(c), time.Now()
		s.Refusals++
	})
}

// RefreshRefused records that a refresh token was refused: that may count as well, but the credentials may be good.
func (g *Guard) RefreshRefused(clientID string) {
	g.record(clientID, func(s *ClientState) { s.Refusals++ })
}

// Postpone records a login that failed for a reason that credentials do not mend and time may.
func (g *Guard) Postpone(c Credentials, d time.Duration) {
	g.record(c.ClientID, func(s *ClientState) { s.Fingerprint, s.NotBefore = g.fingerprint(c), time.Now().Add(d) })
}

func (g *Guard) record(clientID string, change func(*ClientState)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state.Clients[clientID]
	change(&s)
	g.state.Clients[clientID] = s
	if g.changed != nil {
		g.changed(g.copied())
	}
}

// fingerprint tells credentials from others, and from the same in a file that was written anew.
func (g *Guard) fingerprint(c Credentials) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", g.state.Salt, c.Secret.Reveal(), c.Secret.Written().UnixNano()))
	return hex.EncodeToString(sum[:16])
}
