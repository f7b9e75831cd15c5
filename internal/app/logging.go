package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/go-kit/log/level"
)

// Logger writes lines that begin with time, level and msg. It is a logger of go-kit, of slog, and of the HTTP server's errors.
type Logger struct{ *slog.Logger }

// NewLogger writes to w in a format, logfmt or json, what has a level or a more severe one.
func NewLogger(w io.Writer, least, format string) Logger {
	var from slog.Level
	_ = from.UnmarshalText([]byte(least)) // It stays info for an unknown level.
	options := &slog.HandlerOptions{Level: from, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Value.Kind() {
		case slog.KindTime:
			a.Value = slog.TimeValue(a.Value.Time().UTC())
		case slog.KindDuration:
			a.Value = slog.StringValue(a.Value.String())
		default:
			if a.Key == slog.LevelKey {
				a.Value = slog.StringValue(strings.ToLower(a.Value.String()))
			}
		}
		return a
	}}
	if format == "json" {
		return Logger{slog.New(slog.NewJSONHandler(w, options))}
	}
	return Logger{slog.New(slog.NewTextHandler(w, options))}
}

// Log writes a line of go-kit's keys and values.
func (l Logger) Log(pairs ...any) error {
	severity, message, rest := slog.LevelInfo, "", make([]any, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		if s, ok := value.(fmt.Stringer); ok {
			value = fmt.Sprint(s)
		}
		switch pairs[i] {
		case level.Key():
			if err := severity.UnmarshalText([]byte(fmt.Sprint(value))); err != nil {
				return err
			}
		case slog.MessageKey:
			message = fmt.Sprint(value)
		default:
			rest = append(rest, fmt.Sprint(pairs[i]), value)
		}
	}
	l.Logger.Log(context.Background(), severity, message, rest...)
	return nil
}

// Write logs an error of the HTTP server. Load balancers and scanners cause failed handshakes all the time.
func (l Logger) Write(line []byte) (int, error) {
	severity := slog.LevelError
	if bytes.Contains(line, []byte("TLS handshake error")) {
		severity = slog.LevelDebug
	}
	l.Logger.Log(context.Background(), severity, "HTTP server error", "err", strings.TrimSpace(string(line)))
	return len(line), nil
}
