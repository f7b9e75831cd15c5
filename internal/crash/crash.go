// Package crash carries the panic of a goroutine to the one that waits for it, who can recover it like one of his own.
package crash

import (
	"fmt"
	"runtime/debug"
)

// Crash is a panic on its way, with the stack that the receiver's own does not show.
type Crash struct {
	cause any
	stack []byte
}

// Of makes a crash of what recover returned; it is called where that was, for the sake of the stack. A crash that was
// carried here already stays what it is.
func Of(cause any) *Crash {
	if c, ok := cause.(*Crash); ok {
		return c
	}
	return &Crash{cause: cause, stack: debug.Stack()}
}

// Catch calls f, and returns a panic of it as a *Crash.
func Catch(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = Of(cause)
		}
	}()
	return f()
}

// Error tells what the goroutine panicked with.
func (c *Crash) Error() string { return fmt.Sprint(c.cause) }

// Stack is that of the goroutine that panicked.
func (c *Crash) Stack() []byte { return c.stack }
