package app

import (
	"io"
	stdlog "log"
	"log/slog"
	"strings"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"
)

// NewLogger writes to w in the chosen format, from the chosen severity up, with the time of each line.
func NewLogger(w io.Writer, least, format string) log.Logger {
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	logger = level.NewFilter(logger, level.Allow(level.ParseDefault(least, level.InfoValue())))
	return log.With(logger, "time", log.DefaultTimestampUTC)
}

// slogger is the logger for the toolkit, whose lines look like ours: without the caller, and with the time that ours have.
func slogger(logger log.Logger) *slog.Logger {
	return slog.New(sloggokit.NewGoKitHandler(log.LoggerFunc(func(pairs ...any) error {
		severity, pairs := pairs[:2], pairs[2:] // The bridge puts the level first.
		rest := make([]any, 0, len(pairs))
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] != "caller" && pairs[i] != slog.TimeKey {
				rest = append(rest, pairs[i], pairs[i+1])
			}
		}
		return log.WithPrefix(logger, severity...).Log(rest...)
	}), slog.LevelDebug))
}

// CaptureStandardLog sends what libraries write to the standard library's own logger to ours, until it is restored. The
// HTTP client writes there what a server sent, tokens and all, so only the place in the code is told and never the text.
func CaptureStandardLog(logger log.Logger) (restore func()) {
	writer, flags, prefix := stdlog.Writer(), stdlog.Flags(), stdlog.Prefix()
	stdlog.SetFlags(stdlog.Lshortfile)
	stdlog.SetPrefix("")
	stdlog.SetOutput(logWriter(func(line string) {
		file, rest, _ := strings.Cut(line, ":")
		number, _, _ := strings.Cut(rest, ":")
		level.Warn(logger).Log("msg", "Suppressed a library log message (it may contain server data)", "source", file+":"+number)
	}))
	return func() {
		stdlog.SetOutput(writer)
		stdlog.SetFlags(flags)
		stdlog.SetPrefix(prefix)
	}
}

// serverLog is what the HTTP server writes its errors to. Who only knocks, as load balancers and scanners do, is no news.
func serverLog(logger log.Logger) *stdlog.Logger {
	return stdlog.New(logWriter(func(line string) {
		first, stack, _ := strings.Cut(line, "\n")
		switch {
		case strings.Contains(first, "TLS handshake error"):
			level.Debug(logger).Log("msg", "A client's TLS handshake failed", "err", first)
		case strings.Contains(first, "panic serving"):
			level.Error(logger).Log("msg", "A page panicked; please report it with the stack", "err", first, "stack", stack)
		default:
			level.Warn(logger).Log("msg", "The HTTP server complained", "err", first)
		}
	}), "", 0)
}

// A logWriter is told each line that a standard logger writes.
type logWriter func(line string)

func (w logWriter) Write(line []byte) (int, error) {
	w(strings.TrimSpace(string(line)))
	return len(line), nil
}
