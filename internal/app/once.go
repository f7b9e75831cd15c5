package app

import (
	"context"
	"errors"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

// Progress receives how far a poll is; an empty name when all have ended.
type Progress func(name string, done, total int)

// PollOnce polls every enabled collector of every account once, and returns what it found, complete or not, with the errors of
// all collectors that failed.
func PollOnce(ctx context.Context, cfg *config.Config, clients Clients, progress Progress, logger log.Logger) (*exposition.Set, []*poll.Account, error) {
	defer progress("", 0, 0)
	e := newExporter(ctx, nil, logger)
	e.clients = clients
	var accounts []*poll.Account
	var failed []error
	for _, c := range cfg.Accounts {
		r, err := e.prepare(c, cfg.Collectors)
		if err != nil {
			return e.set, accounts, err
		}
		accounts = append(accounts, r.account)
		failed = append(failed, r.account.Once(ctx, func(collector string, done, total int) { progress(c.Name+" "+collector, done, total) }))
	}
	return e.set, accounts, errors.Join(failed...)
}
