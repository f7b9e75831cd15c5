package ycmtest

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RateLimit is a token bucket in the vendor's terms ("Limit API Request Rate for Subordinate Users"). Every request
// that a Client ID can be told of takes a token, logins and refused ones included. The vendor's pages tell neither
// whether tokens come evenly or in a lump, nor whether a refused answer says when to come again.
type RateLimit struct {
	Burst    int           // tokens that the bucket holds; it is full at the start
	Rate     int           // tokens added each interval
	Interval time.Duration // a minute if 0
	Lump     bool          // the interval's tokens come at its end, all at once
	Hint     bool          // refused answers carry Retry-After
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
		defaultTo(&own.Interval, time.Minute)
		limit = &own
	}
	return &limiter{limit: limit, buckets: make(map[string]*bucket)}
}

// take takes a token of client's bucket, or tells how long it is until there is one.
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
	if l.limit.Lump {
		l.fillInLumps(b, now)
	} else {
		l.fillEvenly(b, now)
	}
	const rounding = 1e-6 // so that a token is not refused for the last bit of a float
	if b.tokens >= 1-rounding {
		b.tokens--
		return true, 0
	}
	if l.limit.Lump {
		return false, b.filled.Add(l.limit.Interval).Sub(now)
	}
	return false, time.Duration((1 - b.tokens) / float64(l.limit.Rate) * float64(l.limit.Interval))
}

func (l *limiter) fillEvenly(b *bucket, now time.Time) {
	intervals := float64(now.Sub(b.filled)) / float64(l.limit.Interval)
	b.tokens = min(float64(l.limit.Burst), b.tokens+intervals*float64(l.limit.Rate))
	b.filled = now
}

func (l *limiter) fillInLumps(b *bucket, now time.Time) {
	intervals := now.Sub(b.filled) / l.limit.Interval
	b.tokens = min(float64(l.limit.Burst), b.tokens+float64(intervals)*float64(l.limit.Rate))
	b.filled = b.filled.Add(intervals * l.limit.Interval)
}

// refuse answers a request for which there is no token.
func (s *Server) refuse(w http.ResponseWriter, wait time.Duration) {
	if s.limiter.limit.Hint {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	s.fail(w, failureOf(1000040))
}
