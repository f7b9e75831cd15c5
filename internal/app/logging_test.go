package app

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Lines of the exporter, of the toolkit and of the HTTP server begin with time, level and msg.
func TestLogLinesBeginWithTimeLevelAndMessage(t *testing.T) {
	t.Parallel()
	const when = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*Z`
	for format, want := range map[string]string{
		"logfmt": `^time=` + when + ` level=warn msg="Poll failed" account=main after=1m30s err="no route"\n` +
			`time=` + when + ` level=info msg="Listening on" address=:1\n` +
			`time=` + when + ` level=error msg="HTTP server error" err="http: panic serving 192.0.2.1:1: oh\\ngoroutine 1:"\n$`,
		"json": `^{"time":"` + when + `","level":"warn","msg":"Poll failed","account":"main","after":"1m30s","err":"no route"}\n` +
			`{"time":"` + when + `","level":"info","msg":"Listening on","address":":1"}\n` +
			`{"time":"` + when + `","level":"error","msg":"HTTP server error","err":"http: panic serving 192.0.2.1:1: oh\\ngoroutine 1:"}\n$`,
	} {
		var out bytes.Buffer
		logger := NewLogger(&out, "info", format)
		level.Warn(log.With(logger, "account", "main")).Log("msg", "Poll failed", "after", 90*time.Second, "err", errors.New("no route"))
		level.Debug(logger).Log("msg", "Hidden at this level")
		logger.Info("Listening on", "address", ":1")
		for _, line := range []string{"http: TLS handshake error from 192.0.2.1:1: EOF\n", "http: panic serving 192.0.2.1:1: oh\ngoroutine 1:\n"} {
			if _, err := logger.Write([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: the lines are\n%swant\n%s", format, out.String(), strings.ReplaceAll(want, `\n`, "\n"))
		}
	}
}
