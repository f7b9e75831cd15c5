package poll

import (
	"errors"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// logged is the state of a job that its log lines have reported.
type logged struct {
	class  yeastar.Class // of the last poll
	slow   bool          // polls, or sweeps, take longer than their interval
	listed bool          // the list of PBXs was polled once
}

// logStart writes one line about what is to be polled. Where the fleet is known already it tells how long a walk of it
// takes at the rate limit, else how many PBXs a minute one can read.
func (a *Account) logStart() {
	var polled []string
	for _, j := range a.jobs {
		polled = append(polled, j.Name+":"+model.Duration(j.Schedule.Interval).String())
	}
	rate := a.options.Client.RateLimit().PerSecond
	fields := []any{
		"msg", "Account started", "account", a.options.Account, "base_url", a.options.BaseURL.Redacted(), "collectors", strings.Join(polled, ","),
		"requests_per_second", rate,
	}
	if pbxs, known := a.fleet.Listed(); known {
		walk := time.Duration(float64(pbxs) / listed / rate * float64(time.Second))
		fields = append(fields, "pbxs", pbxs, "expected_walk", walk.Round(time.Second).String())
	} else {
		fields = append(fields, "pbxs_per_minute", int(rate*60*listed))
	}
	level.Info(a.options.Logger).Log(fields...)
}

// log writes one line about a poll that has ended: at a level that people see when polls begin to fail, and when they succeed again.
func (j *job) log(err error, took time.Duration) {
	class := classOf(err)
	logger, msg := level.Warn(j.logger), "Poll failed"
	switch {
	case err == nil && j.logged.class != yeastar.OK && j.logged.class != "":
		logger, msg = level.Info(j.logger), "Poll succeeded again"
	case err == nil && j.Name == collector.CloudPBX && !j.logged.listed:
		logger, msg = level.Info(j.logger), "Initial Cloud PBX poll completed"
	case err == nil:
		logger, msg = level.Debug(j.logger), "Poll succeeded"
	case class == j.logged.class:
		logger, msg = level.Debug(j.logger), "Poll still fails"
	}
	j.logged.class = class
	fields := []any{"msg", msg, "duration", took}
	if err == nil && j.Name == collector.CloudPBX {
		j.logged.listed = true
		fields = append(fields, "pbxs", lastTotal(j.status.Polls))
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
	j.logSlow(took)
}

// logSlow writes a line when polls, or sweeps, begin to take longer than their interval. A sweep that is late by a tenth is late
// because of its last answers.
func (j *job) logSlow(took time.Duration) {
	limit, msg := j.Schedule.Interval, "Poll exceeds its interval; increase the interval or rate_limit"
	if sweeper, ok := j.sweeper(); ok {
		took, limit, msg = sweeper.Duration(), limit+limit/10, "PBX sweep exceeds its interval; increase the interval or rate_limit"
	}
	slow := took > limit
	if slow && !j.logged.slow {
		level.Warn(j.logger).Log("msg", msg, "duration", took, "interval", j.Schedule.Interval)
	}
	j.logged.slow = slow
}

// queried returns what counts the PBXs that the collector queried, and logs failures: a warning, once for each kind, if the PBX
// was configured by itself.
func (j *job) queried() func(sweep.Target, error) {
	failing := map[*sweep.Direct]yeastar.Class{}
	return func(t sweep.Target, err error) {
		class := yeastar.ClassOf(err)
		j.metrics.pbxPolls.WithLabelValues(j.account, j.Name, string(class)).Inc()
		logger := level.Debug(j.logger)
		if d := t.Direct(); d != nil && failing[d] != class {
			failing[d] = class
			logger = level.Warn(j.logger)
		}
		if err != nil {
			logger.Log("msg", "PBX API request failed", "cloud_pbx_id", t.ID(), "pbx", t.Name(), "class", class, "err", err)
		}
	}
}
