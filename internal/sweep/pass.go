package sweep

import (
	"context"
	"errors"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// triesInARow is how many PBXs of a version may fail to answer a request before the version waits.
	triesInARow = 3
	// longestWait is how long it waits at most before the next PBX is tried.
	longestWait = time.Hour
	// requestsAnInterval bounds the pace of a pass: as if there were so many requests to make in an interval, but not
	// slower than one a second.
	requestsAnInterval = 3000
)

// Ask sends a request to a PBX that has the version being read, and to another if that one does not answer it. It
// returns an error when several did not.
type Ask func(request func(ctx context.Context, c *pbxclient.Client) error) error

var (
	errNobody = errors.New("none of the PBXs that have the version is Running")
	errOver   = errors.New("the time slice is over") // is nobody's fault, and not shown
)

// Refused reports whether an error of Ask says that PBXs answer the request, but not with what was asked for.
func Refused(err error) bool {
	return yeastar.ReachOf(err) == yeastar.Answered || yeastar.ClassOf(err) == yeastar.Invalid
}

// pass reads a version, or goes on with a pass that did not end. The error is that of ctx, or YCM's if it does not pass
// requests on.
func (s *Versions[R]) pass(ctx context.Context, v *version[R]) (lost error) {
	if v.partial == nil {
		v.partial = new(R)
		if v.whole != nil && !s.complete(v.whole) {
			*v.partial = (*v.whole).Clone()
		}
	}
	passedOver := false
	v.tried = true
	err := s.read(v.partial, func(request func(context.Context, *pbxclient.Client) error) error {
		if passedOver {
			v.failures = 0
		}
		var err error
		lost, err = s.ask(ctx, v, request)
		passedOver = err != nil
		return err
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case lost != nil, errors.Is(err, errOver):
	case err != nil:
		wait := time.Minute << min(max(0, v.failures-triesInARow), 10)
		v.err, v.due = err, time.Now().Add(min(s.Interval, longestWait, wait))
	default:
		v.whole, v.at, v.partial, v.failures, v.err = v.partial, time.Now(), nil, 0, nil
		v.due = v.at.Add(s.Interval)
	}
	return lost
}

// complete reports whether nothing is lacking that is to be read.
func (s *Versions[R]) complete(known *R) bool {
	return s.read(known, func(func(context.Context, *pbxclient.Client) error) error { return errNobody }) == nil
}

// ask sends a request to PBXs of the version until one answers, or several have not. lost is the error if it is YCM's,
// which did not pass the request on.
func (s *Versions[R]) ask(ctx context.Context, v *version[R], request func(context.Context, *pbxclient.Client) error) (lost, err error) {
	for {
		t, ok := s.candidate(v)
		if !ok {
			return nil, errNobody
		}
		if err := s.pause(ctx); err != nil {
			return nil, err
		}
		err := request(ctx, s.Fleet.client(t))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.Asked(t, nil, err)
		if err == nil {
			v.pbx, v.failures = t.id, 0
			return nil, nil
		}
		if t.lost(err) {
			return err, err
		}
		v.failures++
		v.pbx = t.id + 1
		another, _ := s.candidate(v)
		if v.failures >= triesInARow || another.id == t.id {
			return nil, err
		}
	}
}

// pause waits until the next request may be sent.
func (s *Versions[R]) pause(ctx context.Context) error {
	if !time.Now().Before(s.end) {
		return errOver
	}
	if !s.allAtOnce {
		timer := time.NewTimer(time.Until(s.sent.Add(min(time.Second, s.Interval/requestsAnInterval))))
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	s.sent = time.Now()
	return nil
}

// candidate is the PBX that is asked for a version: the one that was asked before, else the next one that has the
// version; after the last comes the first.
func (s *Versions[R]) candidate(v *version[R]) (found Target, ok bool) {
	targets, err := s.Fleet.Targets()
	if err != nil {
		return found, false
	}
	if t, ok := targets.find(v.pbx); ok && s.versionOf(t) == v.name {
		return t, true
	}
	for t := range targets.all() {
		switch {
		case s.versionOf(t) != v.name:
		case t.id > v.pbx:
			return t, true
		case !ok:
			found, ok = t, true
		}
	}
	return found, ok
}
