// Package crash runs functions on goroutines of their own: it carries a panic to the goroutine that waits, which can recover it
// as its own, and gives up waiting for what hangs, such as a read of a file system that does not respond.
package crash

import (
	"context"
	"fmt"
	"runtime/debug"
)

// Crash is a panic on its way, with the stack of the goroutine that panicked.
type Crash struct {
	cause any
	stack []byte
}

// Catch calls f, and returns a panic of it as a *Crash. One that was carried here already stays as it is.
func Catch(f func() error) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case *Crash:
			err = cause
		default:
			err = &Crash{cause: cause, stack: debug.Stack()}
		}
	}()
	return f()
}

// Error returns what the goroutine panicked with.
func (c *Crash) Error() string { return fmt.Sprint(c.cause) }

// Stack returns the stack of the goroutine that panicked.
func (c *Crash) Stack() []byte { return c.stack }

// GiveUpAfter runs f on a goroutine of its own and returns its result, or the error of ctx as soon as ctx ends. A system call
// cannot be cancelled, so f then continues by itself; late, if not nil, receives its result. A panic of f is a *Crash.
func GiveUpAfter[T any](ctx context.Context, f func() (T, error), late func(T, error)) (T, error) {
	type outcome struct {
		result T
		err    error
	}
	done, givenUp := make(chan outcome), make(chan struct{})
	defer close(givenUp)
	go func() {
		var o outcome
		o.err = Catch(func() (err error) {
			o.result, err = f()
			return err
		})
		select {
		case done <- o:
		case <-givenUp:
			if late != nil {
				late(o.result, o.err)
			}
		}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
