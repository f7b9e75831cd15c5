package main

import (
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// phases is at how many moments of an interval a YCM that adds its tokens in lumps is taken to do so.
const phases = 16

// meter compares each request with the limit, as the vendor's pages can be read in two ways: tokens come steadily, or all at once
// at the end of an interval that began at any moment.
type meter struct {
	limit ycmtest.RateLimit

	mu      sync.Mutex
	buckets []*bucket
	least   float64 // tokens that any bucket was ever left with
}

type bucket struct {
	lump   bool
	filled time.Time // when tokens were last added
	tokens float64
}

func newMeter(limit ycmtest.RateLimit, now time.Time) *meter {
	m := &meter{limit: limit, least: float64(limit.Burst)}
	m.buckets = append(m.buckets, &bucket{filled: now, tokens: float64(limit.Burst)})
	for phase := range phases {
		began := now.Add(-limit.Interval * time.Duration(phase) / phases)
		m.buckets = append(m.buckets, &bucket{lump: true, filled: began, tokens: float64(limit.Burst)})
	}
	return m
}

// count takes a token from each bucket, and reports whether one of them had none.
func (m *meter) count(now time.Time) (over, lump bool) {
	const rounding = 1e-6
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.buckets {
		intervals := float64(now.Sub(b.filled)) / float64(m.limit.Interval)
		if b.lump {
			intervals = float64(int(intervals))
		}
		b.filled = b.filled.Add(time.Duration(intervals * float64(m.limit.Interval)))
		b.tokens = min(float64(m.limit.Burst), b.tokens+intervals*float64(m.limit.Rate)) - 1
		m.least = min(m.least, b.tokens)
		if b.tokens < -rounding {
			b.tokens, over, lump = 0, true, b.lump
		}
	}
	return over, lump
}
