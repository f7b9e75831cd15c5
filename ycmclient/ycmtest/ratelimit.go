package ycmtest

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RateLimit is a token bucket in the vendor's terms ("Limit API Request Rate for Subordinate Users"). Every request of a known
// Client ID takes a token, logins included. The vendor's pages document neither whether tokens are added evenly or in a lump, nor
// whether the answer to a refused request has Retry-After.
type RateLimit struct {
	Burst    int           // size of the bucket, which is full at the start
	Rate     int           // tokens added each interval
	Interval time.Duration // a minute if 0
	Lump     bool          // the interval's tokens are added at its end, all at once
	Hint     bool          // answers to refused requests have Retry-After
}

// limiter keeps a bucket for each Client ID.
type limiter struct {
	limit   *RateLimit
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	filled time.Time // when tokens were last added
}

func newLimiter(limit *RateLimit) *limiter {
	if limit != nil {
		own := *limit
		own.Interval = cmp.Or(own.Interval, time.Minute)
		limit = &own
	}
	return &limiter{limit: limit, buckets: make(map[string]*bucket)}
}

// take takes a token of a client's bucket, or returns how long it is until there is one.
func (l *limiter) take(client string) (ok bool, wait time.Duration) {
	if l.limit == nil || client == "" {
		return true, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := l.buckets[client]
	if b == nil {
		b = &bucket{tokens: float64(l.limit.Burst), filled: now}
		l.buckets[client] = b
	}
	since := now.Sub(b.filled)
	if l.limit.Lump {
		since = since.Truncate(l.limit.Interval)
	}
	perToken := float64(l.limit.Interval) / float64(l.limit.Rate)
	b.tokens = min(float64(l.limit.Burst), b.tokens+float64(since)/perToken)
	b.filled = b.filled.Add(since)
	const rounding = 1e-6 // A token is not refused for the last bit of a float.
	if b.tokens >= 1-rounding {
		b.tokens--
		return true, 0
	}
	if l.limit.Lump {
		return false, b.filled.Add(l.limit.Interval).Sub(now)
	}
	return false, time.Duration((1 - b.tokens) * perToken)
}

// refuse answers a request that exceeds the rate limit.
func (s *Server) refuse(w http.ResponseWriter, wait time.Duration) {
	if s.limiter.limit.Hint {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	s.fail(w, failureOf(1000040))
}
