package poll

import "time"

// longestSilence is how long a poll under way may bring nothing before it no longer holds a snapshot that is stale.
const longestSilence = 2 * time.Minute

// life is how long a snapshot is served, of which a poll of that duration was the last that succeeded: at least as long as
// two such polls take.
func (j *job) life(took time.Duration) time.Duration { return max(j.Schedule.StaleAfter, 2*took) }

// hold serves the snapshot on beyond its time, while the poll under way makes progress: it may well take longer than the
// snapshot has left, and then series would go and come back. A poll that brings nothing for a while lets it go, and what
// was let go does not come back. It is called with the lock held.
func (j *job) hold(now time.Time) {
	if j.expires.IsZero() || !now.Before(j.until()) {
		return
	}
	patience := min(longestSilence, j.Schedule.StaleAfter)
	held := now.Add(patience)
	if held.Before(j.expires) || held.Sub(j.held) < patience/10 {
		return
	}
	j.held = held
	j.out.Extend(j.account, j.Name, held)
}

// until is when the snapshot is served no longer.
func (j *job) until() time.Time {
	if j.held.After(j.expires) {
		return j.held
	}
	return j.expires
}

// release lets the snapshot expire when it is its time, which may be now, because the poll under way has ended. It is
// called with the lock held.
func (j *job) release(now time.Time) {
	switch {
	case j.expires.IsZero():
	case !now.Before(j.expires):
		j.out.Withdraw(j.account, j.Name)
		j.expires, j.status.Restored = time.Time{}, false
	case !j.held.IsZero():
		j.out.Extend(j.account, j.Name, j.expires)
	}
	j.held = time.Time{}
}
