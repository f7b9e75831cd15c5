package poll

import (
	"errors"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// logged is what a job's log lines have said, so as not to say it again.
type logged struct {
	class yeastar.Class // of the last poll
	slow  bool          // that polls, or sweeps, take longer than their interval
	whole bool          // that the list of PBXs was read for the first time
}

// logStart writes one line about what is to be polled. Where the fleet is known already it tells how long a walk of it
// takes at the rate limit, else how many PBXs a minute one can read.
func (a *Account) logStart() {
	var polled []string
	for _, j := range a.jobs {
		polled = append(polled, j.Name+":"+model.Duration(j.Schedule.Interval).String())
	}
	budget := a.options.Client.Budget()
	fields := []any{
		"msg", "Account started", "account", a.options.Account, "base_url", a.options.BaseURL.Redacted(), "collectors", strings.Join(polled, ","),
		"requests_per_second", budget.PerSecond,
	}
	if pbxs, known := a.fleet.Listed(); known {
		seconds := max(0, float64(pbxs)/listed-budget.Tokens) / budget.PerSecond
		fields = append(fields, "pbxs", pbxs, "expected_walk", (time.Duration(seconds) * time.Second).String())
	} else {
		fields = append(fields, "pbxs_per_minute", int(budget.PerSecond*60*listed))
	}
	level.Info(a.options.Logger).Log(fields...)
}

// log writes one line about a poll that has ended.
func (j *job) log(err error, took time.Duration) {
	class := classOf(err)
	sweeper, sweeps := j.sweeper()
	logger, msg := level.Warn(j.logger), "Poll failed"
	switch {
	case err == nil && j.logged.class != yeastar.OK && j.logged.class != "":
		logger, msg = level.Info(j.logger), "Poll succeeded again"
	case err == nil && j.Provides == collector.ListOfPBXs && !j.logged.whole:
		logger, msg = level.Info(j.logger), "The whole list was read for the first time"
	case err == nil:
		logger, msg = level.Debug(j.logger), "Poll succeeded"
	case class == yeastar.Denied && j.logged.class == yeastar.Denied:
		logger, msg = level.Debug(j.logger), "Poll is still denied"
	case sweeps && class == j.logged.class:
		logger, msg = level.Debug(j.logger), "Poll still fails"
	case class == yeastar.Denied:
		msg = "Poll denied; it is tried again each interval. If the account may not have this, switch the collector off"
	}
	j.logged.class = class
	fields := []any{"msg", msg, "duration", took}
	if err == nil && j.Provides == collector.ListOfPBXs {
		j.logged.whole = true
		fields = append(fields, "pbxs", j.history.total())
	}
	if err != nil {
		fields = append(fields, "class", class)
		var failed *yeastar.Error
		if errors.As(err, &failed) {
			fields = append(fields, "endpoint", failed.Endpoint, "code", failed.Code, "request_id", failed.RequestID)
		}
		fields = append(fields, "err", err)
	}
	logger.Log(fields...)

	if sweeps {
		j.logSweep(sweeper.Duration())
		return
	}
	if took > j.Schedule.Interval && !j.logged.slow {
		j.logged.slow = true
		level.Warn(j.logger).Log("msg", "Poll takes longer than its interval, so polls follow each other without a pause; raise the interval or the rate limit",
			"duration", took, "interval", j.Schedule.Interval)
	}
}

// logSweep writes a line when sweeps begin to take longer than their interval. A tenth more is a matter of the last
// answers.
func (j *job) logSweep(took time.Duration) {
	slow := took > j.Schedule.Interval+j.Schedule.Interval/10
	if slow && !j.logged.slow {
		level.Warn(j.logger).Log("msg", "A round of all PBXs takes longer than its interval, so each is asked more rarely: the budget leaves too little over, or too many PBXs do not answer. Raise the interval or the rate limit",
			"duration", took, "interval", j.Schedule.Interval)
	}
	j.logged.slow = slow
}
