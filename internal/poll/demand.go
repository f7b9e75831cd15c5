package poll

import "github.com/ycm-exporter/ycm_exporter/collector"

// listed is how many PBXs one request for the list returns.
const listed = 50

// demand estimates how many requests a second the account's collectors send on average, if the budget lets them poll as
// often as they are configured to: one for each page of the list, and one for each thing that another collector counts.
func (a *Account) demand() (rate float64) {
	for _, j := range a.jobs {
		j.mu.Lock()
		requests := j.requests(j.history.total())
		j.mu.Unlock()
		rate += requests / j.Schedule.Interval.Seconds()
	}
	return rate
}

// requests is how many requests there are to so many steps of a poll's progress.
func (j *job) requests(steps int) float64 {
	if j.Provides == collector.ListOfPBXs && steps > 0 {
		return 1 + float64(steps)/listed
	}
	return float64(steps)
}
