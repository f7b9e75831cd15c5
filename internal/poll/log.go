package poll

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// causes is which collector of an account has logged a cause of failed polls, so that there is one line for it.
type causes struct {
	mu sync.Mutex
	by map[string]*job
}

// update records why a collector's last poll failed, empty if it succeeded. It reports whether that is new of the account, and
// whether the collector has logged another cause, which is over.
func (c *causes) update(j *job, cause string) (began, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.by)
	maps.DeleteFunc(c.by, func(other string, by *job) bool { return by == j && other != cause })
	ended = len(c.by) < before
	if began = cause != "" && c.by[cause] == nil; began {
		c.by[cause] = j
	}
	return began, ended
}

// log writes one line about a poll that has ended: at a level that people see when polls begin to fail, and when they succeed again.
func (j *job) log(err error, took time.Duration, first bool) {
	class, cause := classOf(err), ""
	switch class {
	case yeastar.OK:
	case yeastar.Denied, yeastar.NotFound, yeastar.Invalid:
		cause = string(class) + " " + j.Name
	default: // The server, the way to it, and the login are the same for all collectors.
		cause = string(class)
	}
	began, ended := j.causes.update(j, cause)
	logger, msg := level.Debug(j.Logger), "Poll succeeded"
	switch {
	case began:
		logger, msg = level.Warn(j.Logger), "Poll failed"
	case err != nil:
		msg = "Poll still failing"
	case ended:
		logger, msg = level.Info(j.Logger), "Poll recovered"
	case first && j.Name == collector.CloudPBX:
		logger, msg = level.Info(j.Logger), "Initial Cloud PBX poll completed"
	}
	fields := []any{"msg", msg, "duration", took}
	if err == nil && j.Name == collector.CloudPBX {
		fields = append(fields, "pbxs", j.status.Steps)
	}
	if err != nil {
		fields = append(fields, "err", j.errorText(err))
	}
	logger.Log(fields...)
}

// errorText is an error without the account, which each line has as a field.
func (j *job) errorText(err error) string {
	return strings.Replace(err.Error(), "account "+j.Account+": ", "", 1)
}

// queried returns what counts the PBXs that the collector queried, and logs failures: a warning, once for each kind, if the PBX
// was configured by itself.
func (j *job) queried() func(sweep.Target, error) {
	failing := map[*sweep.Direct]yeastar.Class{}
	return func(t sweep.Target, err error) {
		class := yeastar.ClassOf(err)
		j.Metrics.pbxPolls.WithLabelValues(j.Account, j.Name, string(class)).Inc()
		logger := level.Debug(j.Logger)
		if d := t.Direct(); d != nil && failing[d] != class {
			failing[d] = class
			logger = level.Warn(j.Logger)
		}
		if err != nil {
			logger.Log("msg", "PBX API request failed", "cloud_pbx_id", t.ID(), "pbx", t.Name(), "err", j.errorText(err))
		}
	}
}
