package collector

import (
	"context"
	"errors"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// run polls until ctx ends: from start to start on the collector's interval, at once when late, and the first time
// after the delay.
func (j *job) run(ctx context.Context, delay time.Duration) {
	if j.after != nil {
		select {
		case <-j.after.polled:
		case <-ctx.Done():
			return
		}
	}
	due := j.firstDue(time.Now().Add(delay))
	for j.sleep(ctx, due) {
		started := time.Now()
		err := j.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		took := time.Since(started)
		j.log(err, took)
		due = started.Add(j.period) // May have passed: the next poll is due at once then.
	}
}

// firstDue is when the first poll is due: at the given time, or if that is later an interval after a poll that was
// inherited.
func (j *job) firstDue(at time.Time) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if next := j.lastEnded.Add(j.period); next.After(at) {
		return next
	}
	return at
}

// sleep waits until a poll is due, and reports whether it is: not if ctx has ended.
func (j *job) sleep(ctx context.Context, due time.Time) bool {
	j.mu.Lock()
	j.status.Next = due
	j.mu.Unlock()
	return sleep(ctx, time.Until(due))
}

// sleep waits, and reports whether it was not ctx that ended it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// logged is what a job's log lines have said, so as not to say it again.
type logged struct {
	class yeastar.Class // of the last poll
	slow  bool          // that polls, or rounds, take longer than their interval
}

// log writes one line about a poll that has ended.
func (j *job) log(err error, took time.Duration) {
	class := classOf(err)
	logger, msg := level.Warn(j.logger), "Poll failed"
	switch {
	case err == nil && j.lastLine.class != yeastar.OK && j.lastLine.class != "":
		logger, msg = level.Info(j.logger), "Poll succeeded again"
	case err == nil:
		logger, msg = level.Debug(j.logger), "Poll succeeded"
	case class == yeastar.Denied && j.lastLine.class == yeastar.Denied:
		logger, msg = level.Debug(j.logger), "Poll is still denied"
	case j.rounds != nil && class == j.lastLine.class:
		logger, msg = level.Debug(j.logger), "Poll still fails"
	case class == yeastar.Denied:
		msg = "Poll denied; it is tried again each interval. If the account may not have this, switch the collector off"
	}
	j.lastLine.class = class
	fields := []any{"msg", msg, "duration", took}
	if err != nil {
		fields = append(fields, "class", class)
		var failed *yeastar.Error
		if errors.As(err, &failed) {
			fields = append(fields, "endpoint", failed.Endpoint, "code", failed.Code, "request_id", failed.RequestID)
		}
		fields = append(fields, "err", err)
	}
	logger.Log(fields...)

	if j.rounds != nil {
		j.logRound(j.rounds.lap())
		return
	}
	if took > j.schedule.Interval && !j.lastLine.slow {
		j.lastLine.slow = true
		level.Warn(j.logger).Log("msg", "Poll takes longer than its interval, so polls follow each other without a pause; raise the interval or the rate limit",
			"duration", took, "interval", j.schedule.Interval)
	}
}

// logRound writes a line when rounds begin to take longer than their interval. A tenth more is a matter of the last
// answers.
func (j *job) logRound(took time.Duration) {
	slow := took > j.schedule.Interval+j.schedule.Interval/10
	if slow && !j.lastLine.slow {
		level.Warn(j.logger).Log("msg", "A round of all PBXs takes longer than its interval, so each is asked more rarely: the budget leaves too little over, or too many PBXs do not answer. Raise the interval or the rate limit",
			"duration", took, "interval", j.schedule.Interval)
	}
	j.lastLine.slow = slow
}
