package ycmtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Endpoint names one call of the API, as the exporter's own metrics do.
type Endpoint string

// The endpoints that the simulator knows.
const (
	Token            Endpoint = "token"
	CloudPBXList     Endpoint = "cloud_pbx_list"
	CloudPBX         Endpoint = "cloud_pbx"
	Regions          Endpoint = "regions"
	Firmware         Endpoint = "firmware"
	Subscription     Endpoint = "subscription"
	PlanStatistics   Endpoint = "plan_statistics"
	RMConnections    Endpoint = "rm_connections"
	Users            Endpoint = "users"
	UserSubscription Endpoint = "user_subscription"
	Proxy            Endpoint = "proxy"   // a PBX's API through YCM
	PBXAPI           Endpoint = "pbx_api" // a PBX's API with direct access
)

// Request is one request that was received.
type Request struct {
	Time         time.Time
	Endpoint     Endpoint
	Method, Path string
	Query        string // as received; with direct access it holds the access token
	Client       string // whose rate limit it counts against; "" if unknown
	Refused      bool   // by the rate limit
}

// Stats counts the requests since New.
type Stats struct {
	Requests int              `json:"requests"` // with an endpoint, to YCM and to PBXs with direct access
	Admitted int              `json:"admitted"` // to YCM, admitted by the rate limit
	Refused  int              `json:"refused"`  // refused by the rate limit
	By       map[Endpoint]int `json:"by_endpoint"`

	LoginsRefused    int `json:"logins_refused"`     // logins and refreshes that YCM refused
	PBXLoginsRefused int `json:"pbx_logins_refused"` // and that PBXs refused
	Lockouts         int `json:"lockouts"`           // of an address from YCM or a PBX
}

// requestLog keeps the latest requests and counts all.
type requestLog struct {
	mu         sync.Mutex
	size       int
	latest     []Request // up to twice as many
	stats      Stats
	violations []string
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Time = time.Now() // under the lock, so that times rise from one to the next
	if len(l.latest) == 2*l.size {
		l.latest = slices.Clone(l.latest[l.size:])
	}
	l.latest = append(l.latest, r)
	if l.stats.By == nil {
		l.stats.By = make(map[Endpoint]int)
	}
	l.stats.By[r.Endpoint]++
	l.stats.Requests++
	switch {
	case r.Refused:
		l.stats.Refused++
	case r.Endpoint != PBXAPI:
		l.stats.Admitted++
	}
}

// violation records a request that no exporter may send.
func (s *Server) violation(r *http.Request, what string) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if len(s.log.violations) < 1000 {
		s.log.violations = append(s.log.violations, fmt.Sprintf("%s %s: %s", r.Method, r.URL.Path, what))
	}
}

// Violations returns the requests that the API documents do not allow or an exporter must not send: other methods than GET and
// the logins, unknown paths, PBX calls that are not read-only, no User-Agent, secrets in a URL.
func (s *Server) Violations() []string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.violations)
}

// Stats returns the counts since New.
func (s *Server) Stats() Stats {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	stats := s.log.stats
	stats.By = maps.Clone(stats.By)
	return stats
}

// Count returns how many requests were received for an endpoint.
func (s *Server) Count(e Endpoint) int { return s.Stats().By[e] }

// Requests returns the latest requests, oldest first: at most Options.History of them.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.latest[max(0, len(s.log.latest)-s.log.size):])
}

// MostWithin returns the largest number of the kept requests within any window of time. Requests to PBXs with direct access
// do not count: YCM's limit does not apply to them.
func (s *Server) MostWithin(window time.Duration) int {
	requests := slices.DeleteFunc(s.Requests(), func(r Request) bool { return r.Endpoint == PBXAPI })
	most, first := 0, 0
	for i, r := range requests {
		for r.Time.Sub(requests[first].Time) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
