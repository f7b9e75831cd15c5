package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

const (
	// triesInARow is how many PBXs of a version may fail to answer a question before it waits.
	triesInARow = 3
	// longestWait is how long it waits at most before the next PBX is tried.
	longestWait = time.Hour
)

// autoprovisioning reads which phones the firmware of an account's PBXs can provision. What is true of one PBX is true
// of all with its version, so one of each is asked, and another if it does not answer. A version that is new is read
// soon; in each interval all are read again, evenly spread, one request at a time.
type autoprovisioning struct {
	account   string
	settings  config.Autoprovisioning
	directory *directory
	noted     func(s subject, err error)
	whole     bool // see hurry

	present  *roster
	editions []*edition        // by version
	visits   map[string]*visit // of PBXs that the list does not have, by name
	begun    time.Time         // of the round under way, or of the last one; zero before the first
	over     bool              // that round has ended
	came     time.Duration     // how far into the round the last answer came
	took     time.Duration     // by the last round that ended
	slot     time.Time         // when the next question may be asked
}

func newAutoprovisioning(a *Account, settings config.Autoprovisioning) *autoprovisioning {
	return &autoprovisioning{
		account: a.options.Account.Name, settings: settings, directory: a.directory, noted: a.noteOf(autoprovisioningName),
		visits: map[string]*visit{}, over: true,
	}
}

// Poll goes on with the round for a while and returns what is known then.
func (a *autoprovisioning) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	err := a.proceed(ctx, progress)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if a.present == nil {
		return nil, err
	}
	for _, e := range a.editions {
		if time.Since(e.read) > max(a.settings.StaleAfter, 2*max(a.took, a.came)) {
			e.book = nil
		}
	}
	return newSheet(a.account, autoprovisioningColumns(), &library{a.editions, a.settings}), err
}

// proceed asks one question after the other as their slots come, until the slice is over, nothing is left to ask in it,
// or YCM does not pass questions on.
func (a *autoprovisioning) proceed(ctx context.Context, progress func(done, total int)) error {
	ends := time.Now().Add(sliceOf(a.settings.Interval))
	patience, cancel := context.WithDeadline(ctx, ends.Add(longestRest)) // where the budget leaves nothing over
	defer cancel()
	if a.whole {
		ends, patience = ends.Add(longestPoll), ctx
		a.editions, a.begun = nil, time.Time{}
	}
	for time.Now().Before(ends) {
		if err := a.enrol(patience); err != nil {
			return err
		}
		progress(a.progress())
		e, s, ok := a.pick()
		switch {
		case !ok && a.begin():
			continue
		case !ok || a.slot.After(ends):
			return nil
		}
		if !sleep(ctx, time.Until(a.slot)) {
			return ctx.Err()
		}
		a.slot = time.Now().Add(a.gap(e))
		if err := a.ask(patience, e, s); err != nil && (patience.Err() == nil || ctx.Err() != nil) {
			return err
		}
	}
	return nil
}

// pick is the edition that is read next, and the PBX that is asked. Those that were never read come first, and of them
// the one of which least is known, so that vendors and models of all are known before the rest of one.
func (a *autoprovisioning) pick() (next *edition, s subject, ok bool) {
	now := time.Now()
	for _, e := range a.editions {
		unread := e.book == nil
		if now.Before(e.again) || e.done && (!unread || a.whole) {
			continue
		}
		candidate, found := a.candidate(e, e.pbx)
		if !found {
			e.done, e.again = true, now.Add(pulse(a.settings.Interval))
			continue
		}
		e.pbx = candidate.key
		if next == nil || unread && (next.book != nil || e.draft.asked() < next.draft.asked()) {
			next, s, ok = e, candidate, true
		}
	}
	return next, s, ok
}

// begin starts the next round if it is time.
func (a *autoprovisioning) begin() bool {
	if !a.over {
		a.over, a.took = true, time.Since(a.begun)
	}
	if a.whole || len(a.editions) == 0 || time.Since(a.begun) < a.settings.Interval {
		return false
	}
	a.begun, a.over, a.came = time.Now(), false, 0
	for _, e := range a.editions {
		e.done = false
		if e.book != nil {
			e.draft = nil
		}
	}
	return true
}

// gap is the time from one question about an edition to the next. All questions are spread over the interval, by how
// many there were the last time. Before that, they are as far apart as if there were 3,000, but at most a second.
func (a *autoprovisioning) gap(e *edition) time.Duration {
	switch {
	case a.whole:
		return 0
	case e.book == nil:
		return min(time.Second, a.settings.Interval/3000)
	}
	questions := 0
	for _, e := range a.editions {
		if e.book != nil {
			questions += e.book.asked()
		}
	}
	return time.Duration(spread * float64(a.settings.Interval) / float64(questions))
}

// ask asks the next question about an edition. The error is YCM's, if it does not pass the question on.
func (a *autoprovisioning) ask(ctx context.Context, e *edition, s subject) error {
	if e.draft == nil {
		e.draft = newPhonebook()
	}
	q, _ := e.draft.next(a.settings)
	err := q.ask(ctx, a.directory.client(s))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a.noted(s, err)
	switch {
	case err == nil:
		e.row, e.err = 0, nil
		a.came = time.Since(a.begun)
	case s.lost(err):
		return err
	default:
		a.failed(e, s, q, err)
	}
	if _, more := e.draft.next(a.settings); !more {
		e.book, e.draft, e.read, e.done = e.draft, nil, time.Now(), true
	}
	return nil
}

// failed turns to another PBX. When none of several answers a question, it is passed over if they refuse it, or the
// edition waits.
func (a *autoprovisioning) failed(e *edition, s subject, q question, err error) {
	e.err = err
	e.row++
	another, _ := a.candidate(e, s.key+1)
	e.pbx = another.key
	refused := yeastar.ReachOf(err) == yeastar.Answered || yeastar.ClassOf(err) == yeastar.Invalid
	switch {
	case e.row < triesInARow && another.key != s.key:
	case q.pass != nil && refused:
		q.pass()
		e.row = 0
	default:
		e.done = true
		e.again = time.Now().Add(min(a.settings.Interval, longestWait, time.Minute<<min(max(0, e.row-triesInARow), 10)))
	}
}

// progress is how many questions of the round have been asked, and how many there are as far as is known.
func (a *autoprovisioning) progress() (done, total int) {
	for _, e := range a.editions {
		switch {
		case e.done && e.book != nil:
			done += e.book.asked()
		case e.draft != nil:
			done += e.draft.asked()
			total += e.draft.left(a.settings)
		case !e.done:
			total++
		}
	}
	return done, done + total
}

func (a *autoprovisioning) lap() time.Duration {
	if a.over {
		return a.took
	}
	return max(a.took, time.Since(a.begun))
}

func (a *autoprovisioning) hurry() { a.whole = true }
func (a *autoprovisioning) wait()  {}

// inherit keeps what is known. Where that is less than this collector is to read, the rest is read as if it were new.
func (a *autoprovisioning) inherit(old collector) {
	before, ok := old.(*autoprovisioning)
	if !ok {
		return
	}
	a.editions, a.visits = before.editions, before.visits
	a.begun, a.over, a.came, a.took, a.slot = before.begun, before.over, before.came, before.took, before.slot
	for _, e := range a.editions {
		if e.book == nil {
			continue
		}
		if _, more := e.book.next(a.settings); more {
			e.draft, e.book = e.book, nil
		}
	}
}
