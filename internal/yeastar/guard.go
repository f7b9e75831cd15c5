package yeastar

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// How many refused logins a guard allows for the same credentials, so that the address is not blocked: YCM blocks it at the sixth
// in a row ("Delete Blocked API IP"), a PBX at the fifth ("Remove Blocked API IP Addresses"). Only a person unblocks it.
const (
	MostRefusalsYCM = 5
	MostRefusalsPBX = 4
)

const (
	afterRefusal  = time.Minute
	afterRefusals = time.Hour // From manyRefusals on.
	manyRefusals  = 4
	forgetRefusal = 24 * time.Hour // As far as others are concerned.
)

const checkGateway = "check which server responds at this address: a firewall, a login page or another web server"

// Guard keeps the exporter's address from being blocked at one base URL. All that log in there share it, and their refusals count
// together; a success resets that count. It is safe for concurrent use.
type Guard struct {
	most  int
	login chan struct{} // Held while a login is under way.

	// Reload, if not nil, returns the state as another process may have persisted it, before each login.
	Reload  func() (LoginState, bool)
	persist func(LoginState) // May be nil.

	mu     sync.Mutex
	state  LoginState
	latest map[string]Error // The latest refusal of each Client ID, in this process.
}

// LoginState is what a guard persists. It holds no secret.
type LoginState struct {
	Salt     string    `json:"salt"` // Of the fingerprints.
	Refusals []Refusal `json:"refusals"`
}

// Refusal is a refused login.
type Refusal struct {
	Account     string    `json:"account"`
	ClientID    string    `json:"client_id"`
	Fingerprint string    `json:"fingerprint"` // Of the credentials.
	At          time.Time `json:"at"`
	Reset       bool      `json:"reset,omitempty"`   // Another login succeeded since: it counts for its own credentials alone.
	Gateway     bool      `json:"gateway,omitempty"` // The answer was not the API's.
}

// Credentials are what a client logs in with. Those of a request with a refresh token have no secret: a refusal of it counts at the
// server, but says nothing about the client secret.
type Credentials struct {
	Account  string
	ClientID string
	Secret   secret.Text
}

// Barred is the cause of the error of a login that was not tried.
type Barred struct {
	Refusals int       // In a row.
	Until    time.Time // Zero: until the credentials change.
	Account  string    // Whose refused login was the latest.
}

// Error says when the next login is tried, and why not now.
func (b *Barred) Error() string {
	when := "the credentials change or the secret file is written again"
	if !b.Until.IsZero() {
		when = b.Until.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("next login attempt not before %s; refused logins in a row: %d, the last of account %s", when, b.Refusals, b.Account)
}

// NewGuard makes a guard that allows so many refusals, and continues from a state. persist, if not nil, receives each changed state, in
// order.
func NewGuard(most int, s LoginState, persist func(LoginState)) *Guard {
	g := &Guard{most: most, login: make(chan struct{}, 1), persist: persist, latest: map[string]Error{}, state: LoginState{Salt: rand.Text()}}
	g.adopt(s)
	return g
}

func (g *Guard) adopt(s LoginState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.Salt = cmp.Or(s.Salt, g.state.Salt)
	for i := range s.Refusals { // A clock that was set back must not delay logins for long.
		s.Refusals[i].At = Earlier(s.Refusals[i].At, time.Now())
	}
	g.state = s
}

// Retain drops the refusals of Client IDs that are not configured.
func (g *Guard) Retain(configured func(clientID string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := len(g.state.Refusals)
	g.state.Refusals = slices.DeleteFunc(g.state.Refusals, func(r Refusal) bool { return !configured(r.ClientID) })
	if len(g.state.Refusals) < before {
		g.save()
	}
}

// Check returns the error of a login with these credentials that must not be tried now, else nil.
func (g *Guard) Check(c Credentials) *Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, fingerprint := time.Now(), g.fingerprint(c)
	var own, standing, ownByAPI, standingByAPI int
	var last Refusal
	for _, r := range g.state.Refusals {
		byAPI := 1
		if r.Gateway {
			byAPI = 0
		}
		if r.Fingerprint == fingerprint {
			own, ownByAPI, last = own+1, ownByAPI+byAPI, r
		}
		if !r.Reset && now.Sub(r.At) < forgetRefusal {
			standing, standingByAPI, last = standing+1, standingByAPI+byAPI, r
		}
	}
	bar := &Barred{Refusals: max(own, standing), Account: last.Account}
	switch {
	case bar.Refusals == 0, own == 0 && standing < manyRefusals:
		return nil
	case ownByAPI > 0 && max(ownByAPI, standingByAPI) >= g.most:
	case bar.Refusals >= manyRefusals:
		bar.Until = last.At.Add(afterRefusals)
	default:
		bar.Until = last.At.Add(afterRefusal)
	}
	if !bar.Until.IsZero() && !now.Before(bar.Until) {
		return nil
	}
	failure := g.latest[c.ClientID]
	switch {
	case own == 0 && last.Gateway:
		failure.Advice = checkGateway
	case own == 0:
		failure.Advice = "correct the credentials of account " + last.Account
	}
	failure.Class, failure.Reach, failure.Err = Auth, NotSent, bar
	failure.Message = Cut(Line(joined(bar.Error(), failure.Message)), maxMessage)
	return &failure
}

// Login calls login, unless no login may be tried with these credentials now or ctx ends before another login at the base URL has.
// It records the outcome.
func (g *Guard) Login(ctx context.Context, c Credentials, login func() *Error) *Error {
	select {
	case g.login <- struct{}{}:
		defer func() { <-g.login }()
	case <-ctx.Done():
		return &Error{Class: ClassOf(ctx.Err()), Message: "canceled while waiting for a concurrent login", Err: ctx.Err()}
	}
	if g.Reload != nil {
		if s, ok := g.Reload(); ok {
			g.adopt(s)
		}
	}
	if barred := g.Check(c); barred != nil {
		return barred
	}
	failure := login()
	g.record(c, g.fingerprint(c), failure)
	return failure
}

func (g *Guard) record(c Credentials, fingerprint string, failure *Error) {
	if failure != nil && (!failure.RefusesLogin() || failure.RetryLogin > 0) || failure == nil && c.Secret.Empty() {
		return // Whether a server that accepts a refresh token starts its count again is not documented.
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.state.Refusals = slices.DeleteFunc(g.state.Refusals, func(r Refusal) bool {
		return r.ClientID == c.ClientID && (failure == nil || r.Fingerprint != fingerprint && now.Sub(r.At) >= forgetRefusal)
	})
	if failure == nil {
		for i := range g.state.Refusals {
			g.state.Refusals[i].Reset = true
		}
		delete(g.latest, c.ClientID)
	} else {
		if failure.foreign {
			failure.Message = Cut(joined("a gateway responded instead of the API", failure.Message), maxMessage)
			failure.Advice = checkGateway
		}
		g.latest[c.ClientID] = *failure // A copy: the caller completes its own.
		g.state.Refusals = append(g.state.Refusals, Refusal{
			Account: c.Account, ClientID: c.ClientID, Fingerprint: fingerprint, At: now, Gateway: failure.foreign,
		})
	}
	g.save()
}

func (g *Guard) save() {
	if g.persist != nil {
		g.persist(LoginState{Salt: g.state.Salt, Refusals: slices.Clone(g.state.Refusals)})
	}
}

// fingerprint identifies credentials, and differs for the same in a file that was written again.
func (g *Guard) fingerprint(c Credentials) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d", g.state.Salt, c.ClientID, c.Secret.Reveal(), c.Secret.Written().UnixNano()))
	return hex.EncodeToString(sum[:16])
}

// joined puts a server's text behind one of our own, if there is one.
func joined(own, text string) string {
	if text == "" {
		return own
	}
	return own + ": " + text
}
