package app

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

// Progress is how far a poll has come; an empty name says that it is over.
type Progress func(name string, done, total int)

// PollOnce polls every enabled collector of every account once, and returns what it found, complete or not, with the errors of
// all collectors that failed. recorder may be nil.
func PollOnce(ctx context.Context, cfg *config.Config, recorder *capture.Recorder, progress Progress, logger log.Logger) (*exposition.Set, []*poll.Account, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer progress("", 0, 0)
	e := newExporter(ctx, nil, logger)
	e.recorder = recorder
	var accounts []*poll.Account
	var failed []error
	for _, c := range cfg.Accounts {
		r, err := e.prepare(c, cfg.Collectors, nil)
		if err != nil {
			return e.set, accounts, err
		}
		accounts = append(accounts, r.account)
		failed = append(failed, r.account.Once(ctx, func(collector string, done, total int) { progress(c.Name+" "+collector, done, total) }))
	}
	return e.set, accounts, errors.Join(failed...)
}
