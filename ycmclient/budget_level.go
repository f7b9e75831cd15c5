package ycmclient

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Level is what of a request budget must outlive the process, because YCM remembers it too.
type Level struct {
	Taken       int       `json:"taken"` // Tokens that were not back.
	Sent        time.Time `json:"sent"`  // When the last was taken.
	Share       float64   `json:"share"` // Of the limit that is asked for, up to 1.
	ShareSince  time.Time `json:"share_since"`
	PausedUntil time.Time `json:"paused_until"`
	Pauses      int       `json:"pauses"` // In a row.
}

// save tells of what must outlive the process. It is called with the lock held, so that what is written last is newest.
func (b *budget) save() {
	if b.changed != nil {
		b.changed(Level{
			Taken: b.sending + len(b.returns), Sent: b.sent,
			Share: b.share.whole, ShareSince: b.share.since,
			PausedUntil: b.pause.until, Pauses: b.pause.row,
		})
	}
}

// underWay is how long a request can have been on its way to YCM when the process was killed.
const underWay = 5 * time.Second

// restore goes on from the level of a process that has ended. Its tokens come back as if all of them had been used last
// when it sent its last request. A level that makes no sense is made harmless: files can be damaged and clocks set.
func (b *budget) restore(l Level) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if l.Share >= leastShare && l.Share <= 1 {
		b.share.whole = l.Share
	}
	b.share.since = yeastar.Earlier(now, l.ShareSince)
	b.share.assumedFull = time.Time{}
	b.pace()
	b.sent = yeastar.Earlier(now, l.Sent)
	for range min(max(0, l.Taken), b.limit.Burst) {
		b.giveBack(yeastar.Earlier(now, b.sent.Add(underWay)))
	}
	until := l.PausedUntil.Add(-max(0, l.Sent.Sub(now))) // Not longer by what a clock was set back.
	b.pause = pause{from: now, until: yeastar.Earlier(now.Add(longestTold), until), row: min(max(0, l.Pauses), 10)}
	b.grant(now)
}
