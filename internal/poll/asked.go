package poll

import (
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// asked makes what a collector tells of each PBX that it asked: it is counted, and a failure or a finding is logged. Of PBXs
// that were configured one by one a failure is a warning, once for each kind.
func asked(account, name string, metrics *Metrics, logger log.Logger) func(sweep.Target, any, error) {
	said := map[*sweep.Direct]yeastar.Class{}
	return func(t sweep.Target, _ any, err error) {
		class := yeastar.ClassOf(err)
		metrics.pbxPolls.WithLabelValues(account, name, string(class)).Inc()
		at := level.Debug(logger)
		if d := t.Direct(); d != nil && said[d] != class {
			said[d] = class
			at = level.Warn(logger)
		}
		if err != nil {
			at.Log("msg", "A PBX did not tell what it was asked", "cloud_pbx_id", t.ID(), "pbx", t.Name(), "class", class, "err", err)
			return
		}
	}
}
