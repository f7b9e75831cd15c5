package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The log has one line per account about what is polled and at which rate, and one more when the first list is complete. A
// reload repeats the first, and not the second.
func TestLogReportsTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.simulate(t, ycmtest.Options{PBXs: 120}, listOnly())
		expect := func(when string, want int, parts ...string) {
			t.Helper()
			if lines := b.journal.with(parts...); len(lines) != want {
				t.Errorf("%s: %d lines have %q, want %d; the log is %v", when, len(lines), parts, want, b.journal.with())
			}
		}
		stop := start(b.Account)
		after(5 * time.Minute)
		stop()
		expect("at the start", 1, "level=info", "Account started", "account=main", "base_url=http", "collectors=cloud_pbx:", "requests_per_second=")
		expect("after the first walk", 1, "level=info", "Initial Cloud PBX poll completed", "account=main", "collector=cloud_pbx", "duration=", "pbxs=120")

		b.reload(b.plan.with("cloud_pbx", every(2*time.Minute, time.Hour)))
		stop = start(b.Account)
		after(5 * time.Minute)
		stop()
		expect("after a reload", 1, "level=info", "Account started", "collectors=cloud_pbx:2m")
		expect("after a reload", 1, "Initial Cloud PBX poll completed")
	})
}
