package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
)

// NewLogger writes to w in a format, logfmt or json, what has a level or a more severe one. Lines begin with time, level and msg.
func NewLogger(w io.Writer, least, format string) *slog.Logger {
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
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// serverErrors logs the errors of an HTTP server.
type serverErrors struct{ *slog.Logger }

// Write logs an error. Load balancers and scanners cause failed handshakes all the time.
func (l serverErrors) Write(line []byte) (int, error) {
	severity := slog.LevelError
	if bytes.Contains(line, []byte("TLS handshake error")) {
		severity = slog.LevelDebug
	}
	l.Log(context.Background(), severity, "HTTP server error", "err", strings.TrimSpace(string(line)))
	return len(line), nil
}
