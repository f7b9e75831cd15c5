package collector

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/crash"
	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// round asks each PBX once an interval, evenly spread, and keeps the newest result of each. It goes two lanes that do
// not hold each other up: PBXs that are spoken to directly, and PBXs through YCM. Requests of the latter are paid from
// what the walks leave over of the budget; where that does not carry the interval, a round takes the time it takes.
type round[R any] struct {
	account   string
	schedule  config.Schedule
	directory *directory
	columns   func() []column[told[R]]
	ask       func(ctx context.Context, c *pbxclient.Client) (R, error)
	learned   func(err error) bool       // whether what ask returned with err is a result
	noted     func(s subject, err error) // is told of each PBX that was asked

	whole           bool // see hurry
	direct, proxied lane
	answers         chan answer[R] // with room for all that are in flight
	flights         sync.WaitGroup
	epoch           time.Time
	results         map[int64]result[R] // by key
	doubts          []answer[R]         // from no answer of a PBX, where it may be YCM that does not serve
}

// result is the newest that is known of a PBX.
type result[R any] struct {
	value R
	at    time.Duration // since the epoch
}

// answer is what came of asking a PBX.
type answer[R any] struct {
	subject
	result[R]
	lane  *lane
	err   error
	crash *crash.Crash // of the goroutine that asked; nil if it ended well
}

// told is a PBX with what it told.
type told[R any] struct {
	id           int64
	name, region string
	value        R
}

// newRound makes the round of what ask asks for. Where learned is told of a failure, it decides whether ask's value is
// a result all the same.
func newRound[R any](a *Account, name string, schedule config.Schedule, columns func() []column[told[R]],
	ask func(context.Context, *pbxclient.Client) (R, error), learned func(error) bool,
) *round[R] {
	return &round[R]{
		account: a.options.Account.Name, schedule: schedule, directory: a.directory,
		columns: columns, ask: ask, learned: learned, noted: a.noteOf(name),
		direct: newLane(true), proxied: newLane(false), answers: make(chan answer[R], 2*inFlight),
		epoch: time.Now(), results: map[int64]result[R]{},
	}
}

// Poll goes on with the round for a while and returns what is known then.
func (r *round[R]) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	if r.whole {
		r.direct, r.proxied = newLane(true), newLane(false)
	}
	if err := r.proceed(ctx, progress); err != nil {
		return nil, err
	}
	present, err := r.directory.roster()
	if err != nil {
		return nil, err
	}
	return r.snapshot(present), r.proxied.err
}

// proceed asks PBXs as their slots come, until the slice is over, nobody is left to ask in it, or ctx ends. Requests
// that are under way then go on; their answers come to the next poll.
func (r *round[R]) proceed(ctx context.Context, progress func(done, total int)) error {
	length := sliceOf(r.schedule.Interval)
	end := time.Now().Add(length)
	over := time.NewTimer(length)
	defer over.Stop()
	if r.whole {
		over.Stop()
	}
	slot := time.NewTimer(length)
	defer slot.Stop()
	for {
		present, err := r.directory.roster()
		if err != nil {
			return err
		}
		progress(r.direct.asked+r.proxied.asked, present.size(true)+present.size(false))
		l, s, at := r.next(present)
		flying := r.direct.flying + r.proxied.flying
		if flying == 0 && (l == nil || !r.whole && at.After(end)) {
			return nil
		}
		var due <-chan time.Time
		if l != nil {
			slot.Reset(time.Until(at))
			due = slot.C
		}
		select {
		case <-ctx.Done():
			r.flights.Wait()
			return ctx.Err()
		case <-over.C:
			return nil
		case a := <-r.answers:
			if ctx.Err() == nil { // else it may be of the end alone
				r.hear(a, present)
			}
		case <-due:
			r.send(ctx, l, s, present)
		}
	}
}

// next is the lane whose turn is next, nil if none can go on before an answer comes. A whole round ends with itself,
// or with YCM's refusal to pass requests on.
func (r *round[R]) next(present *roster) (l *lane, s subject, at time.Time) {
	for _, candidate := range []*lane{&r.direct, &r.proxied} {
		whom, when, ok := candidate.next(present, r.schedule.Interval)
		if !ok || r.whole && (candidate.err != nil || candidate.over && !candidate.begun.IsZero()) {
			continue
		}
		if l == nil || when.Before(at) {
			l, s, at = candidate, whom, when
		}
	}
	return l, s, at
}

// spread is the share of the interval over which a lane's PBXs are spread; the rest is for the last answers.
const spread = 0.9

// send asks a PBX in the background.
func (r *round[R]) send(ctx context.Context, l *lane, s subject, present *roster) {
	var gap time.Duration
	if size := present.size(l.direct); size > 0 && !r.whole {
		gap = time.Duration(spread * float64(r.schedule.Interval) / float64(size))
	}
	l.leave(s, gap)
	r.flights.Go(func() {
		a := answer[R]{subject: s, lane: l}
		defer func() {
			if cause := recover(); cause != nil {
				a.crash = crash.Of(cause)
			}
			a.at = time.Since(r.epoch)
			r.answers <- a
		}()
		a.value, a.err = r.ask(ctx, r.directory.client(s))
	})
}

// hear sorts what came of asking a PBX. Of a PBX that YCM did not pass a request on to, nothing is known. That a PBX
// did not answer through YCM is believed once YCM is known to serve.
func (r *round[R]) hear(a answer[R], present *roster) {
	a.lane.flying--
	if a.crash != nil {
		panic(a.crash)
	}
	r.noted(a.subject, a.err)
	reach := yeastar.ReachOf(a.err)
	if a.lost(a.err) {
		a.lane.refused(a.key, a.err, present.size(false), r.schedule.Interval)
		return
	}
	a.lane.told()
	switch {
	case a.lane.direct:
		r.keep(a)
	case reach == yeastar.NoAnswer && !aboutPBX(a.err):
		r.doubts = append(r.doubts, a)
	default:
		a.lane.served()
		r.believe()
		r.keep(a)
	}
}

func (r *round[R]) keep(a answer[R]) {
	if r.learned(a.err) && r.results[a.key].at <= a.at {
		r.results[a.key] = a.result
	}
}

// believe keeps what was in doubt.
func (r *round[R]) believe() {
	for _, a := range r.doubts {
		r.keep(a)
	}
	r.doubts = r.doubts[:0]
}

// settle decides the doubts that are older than the last walk of the list: they were YCM's if that failed too.
func (r *round[R]) settle() {
	walked, well := r.directory.list.last()
	open := r.doubts[:0]
	for _, a := range r.doubts {
		switch {
		case !r.whole && walked.Before(r.epoch.Add(a.at)):
			open = append(open, a)
		case well:
			r.keep(a)
		}
	}
	r.doubts = open
}

// snapshot is the newest result of each PBX that can be asked, unless that is older than stale_after and than two
// rounds. What is too old, or of others, is forgotten.
func (r *round[R]) snapshot(present *roster) exposition.Source {
	if len(r.doubts) > 0 {
		r.settle()
	}
	oldest := time.Since(r.epoch) - max(r.schedule.StaleAfter, 2*max(r.direct.took, r.direct.came, r.proxied.took, r.proxied.came))
	maps.DeleteFunc(r.results, func(key int64, known result[R]) bool {
		_, ok := present.find(key)
		return !ok || known.at < oldest
	})
	records := make([]told[R], 0, len(r.results))
	for s := range present.all() {
		if known, ok := r.results[s.key]; ok {
			records = append(records, told[R]{s.id(), s.name, s.region, known.value})
		}
	}
	return newPerPBX(r.account, r.columns(), records, func(t *told[R]) (int64, string, string) { return t.id, t.name, t.region })
}

func (r *round[R]) lap() time.Duration { return max(r.direct.lap(), r.proxied.lap()) }
func (r *round[R]) hurry()             { r.whole = true }
func (r *round[R]) wait()              { r.flights.Wait() }

func (r *round[R]) inherit(old collector) {
	before, ok := old.(*round[R])
	if !ok {
		return
	}
	r.epoch, r.results = before.epoch, before.results
	r.direct.inherit(&before.direct)
	r.proxied.inherit(&before.proxied)
}
