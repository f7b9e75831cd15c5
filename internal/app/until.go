package app

import "time"

// until runs f, and gives it up, if it has not ended by then, some time after stopping is closed. What it does goes on
// without anybody waiting for it, until the process ends.
func until(stopping <-chan struct{}, limit time.Duration, f func() error) (ended bool, err error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err = <-done:
		return true, err
	case <-stopping:
	}
	select {
	case err = <-done:
		return true, err
	case <-time.After(limit):
		return false, nil
	}
}
