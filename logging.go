package main

import (
	"io"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// newLogger writes to w in the chosen format, from the chosen severity up. It carries no keys of its own, because
// the bridge to slog adds the time and the level itself; stamped adds the time for everyone else.
func newLogger(w io.Writer, least, format string) log.Logger {
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return level.NewFilter(logger, level.Allow(level.ParseDefault(least, level.InfoValue())))
}

// stamped adds the time to each line, under the name that the slog bridge uses too.
func stamped(logger log.Logger) log.Logger {
	return log.With(logger, "time", log.DefaultTimestampUTC)
}
