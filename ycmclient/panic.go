package ycmclient

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// readers are goroutines that read for one caller. A panic of theirs would end the process, so it is carried over to
// the caller, who can recover it like one of his own.
type readers struct{ group *errgroup.Group }

// panicked is a panic on its way to the caller.
type panicked struct {
	cause any
	stack []byte
}

// Error tells what the goroutine panicked with.
func (p *panicked) Error() string { return fmt.Sprint(p.cause) }

// Stack is that of the goroutine that panicked, which the caller's own does not show.
func (p *panicked) Stack() []byte { return p.stack }

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
				err = &panicked{cause: cause, stack: debug.Stack()}
			}
		}()
		return read()
	})
}

// wait returns when all have ended, with the first failure.
func (r readers) wait() error {
	err := r.group.Wait()
	if p := (*panicked)(nil); errors.As(err, &p) {
		panic(p)
	}
	return err
}
