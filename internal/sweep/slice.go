package sweep

import "time"

// PublishInterval is how often what is learned is served: a collector that asks PBXs is polled so often, and each poll
// is a time slice of the sweep.
func PublishInterval(interval time.Duration) time.Duration {
	return min(interval, max(interval/20, 10*time.Second), time.Minute)
}

// timeSlice is how long a poll goes on with a sweep: just less than until the next, so as not to be late for it.
func timeSlice(interval time.Duration) time.Duration {
	p := PublishInterval(interval)
	return p - min(p/100, 100*time.Millisecond)
}
