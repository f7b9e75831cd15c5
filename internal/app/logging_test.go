package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-kit/log/level"
)

func TestLogLinesHaveOneShapeInJSON(t *testing.T) {
	var out bytes.Buffer
	logger := NewLogger(&out, "info", "json")
	level.Info(logger).Log("msg", "ours", "address", ":1")
	slogger(logger).With("a", 1).WithGroup("g").Info("theirs", "address", ":1")
	slogger(logger).Debug("not to be seen")
	var keys []string
	for line := range strings.Lines(out.String()) {
		var pairs map[string]any
		if err := json.Unmarshal([]byte(line), &pairs); err != nil {
			t.Fatalf("a line is no JSON: %v: %s", err, line)
		}
		delete(pairs, "a")
		var own []string
		for _, key := range []string{"level", "time", "msg", "address", "g.address"} {
			if pairs[key] != nil {
				own = append(own, strings.TrimPrefix(key, "g."))
				delete(pairs, key)
			}
		}
		if len(pairs) > 0 {
			t.Errorf("a line has more: %v", pairs)
		}
		keys = append(keys, strings.Join(own, " "))
	}
	if len(keys) != 2 || keys[0] != keys[1] || keys[0] != "level time msg address" {
		t.Errorf("the keys of the lines are %q", keys)
	}
}

func TestTheHTTPServersErrorsAreOurs(t *testing.T) {
	for line, want := range map[string]string{
		"http: TLS handshake error from 192.0.2.1:1: EOF":           "level=debug",
		"http: panic serving 192.0.2.1:1: oh\ngoroutine 1:\nmain.x": "level=error",
		"http: superfluous response.WriteHeader call":               "level=warn",
	} {
		var out bytes.Buffer
		serverLog(NewLogger(&out, "debug", "logfmt")).Println(line)
		first, rest, several := strings.Cut(line, "\n")
		if got := out.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, first) || strings.Count(got, "\n") != 1 || several && !strings.Contains(got, strings.Split(rest, "\n")[0]) {
			t.Errorf("%q is logged as %s, want one line of %s", line, got, want)
		}
	}
}
