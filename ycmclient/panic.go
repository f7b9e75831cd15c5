package ycmclient

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
)

// readers are goroutines that read for one caller. A panic of theirs would end the process, so it is carried over to
// the caller, who can recover it like one of his own.
type readers struct{ group *errgroup.Group }

// newReaders makes a group whose context ends with its first failure.
func newReaders(ctx context.Context) (readers, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	return readers{group}, ctx
}

// start has another goroutine read.
func (r readers) start(read func() error) {
	r.group.Go(func() (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = crash.Of(cause)
			}
		}()
		return read()
	})
}

// wait returns when all have ended, with the first failure.
func (r readers) wait() error {
	err := r.group.Wait()
	if c := (*crash.Crash)(nil); errors.As(err, &c) {
		panic(c)
	}
	return err
}
