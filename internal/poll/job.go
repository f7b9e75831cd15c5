package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// job is one collector of one account: when it is polled, what became of it, and how long its snapshot is served.
type job struct {
	collector.Configured
	account string
	poller  collector.Poller
	period  time.Duration // from the start of a poll to the start of the next
	waits   []wait        // before the first poll
	asked   func(sweep.Target, any, error)
	out     Publisher
	keeper  Keeper // may be nil
	metrics *Metrics
	logger  log.Logger
	watch   func(done, total int) // may be nil; is told how far the present poll is

	rate   func() float64 // requests a second that the account may send at present
	polled chan struct{}  // closed when the first poll has ended, well or badly
	nudges chan time.Time // when to try again before its time
	logged logged         // touched by the polling goroutine alone

	keeping chan struct{} // one write of the reading at a time has a place here

	mu        sync.Mutex
	status    CollectorStatus
	history   history
	repeats   repeats
	failure   yeastar.Class // of the last poll that ended
	lastEnded time.Time     // the start of the last poll that ended
	published time.Time     // when the snapshot being served was
	lasts     time.Duration // how long it is served from then on, whatever is configured
	expires   time.Time     // when it is stale; zero when there is none
	held      time.Time     // until when it is served all the same, because a poll under way makes progress; zero when there is none
	unkept    bool          // what was published last has not been kept
	kept      time.Time     // the start of the poll whose reading was kept last
}

// wait is for the first poll of another job to end.
type wait struct {
	job      *job
	patience time.Duration // at most; 0: as long as it takes
}

func newJob(o Options, c collector.Configured) *job {
	logger := log.With(o.Logger, "account", o.Account, "collector", c.Name)
	return &job{
		Configured: c, account: o.Account, period: c.Schedule.Interval, asked: asked(o.Account, c.Name, o.Metrics, logger),
		out: o.Publisher, keeper: o.Keeper, metrics: o.Metrics, logger: logger, polled: make(chan struct{}), nudges: make(chan time.Time, 1), keeping: make(chan struct{}, 1),
		rate: func() float64 { return o.Client.Budget().PerSecond },
	}
}

// sweeper is the job's poller, if that asks PBX after PBX.
func (j *job) sweeper() (collector.Sweeper, bool) {
	s, ok := j.poller.(collector.Sweeper)
	return s, ok
}

// poll polls the collector once, and keeps account of it. A poll that failed because ctx ended counts as none.
func (j *job) poll(ctx context.Context) error {
	started := time.Now()
	j.begin(started)
	err := j.attempt(ctx, started)
	if err != nil && ctx.Err() != nil {
		j.abandon()
		return err
	}
	j.end(started, time.Now(), err)
	return err
}

// attempt polls and publishes. A panic is an error like any other.
func (j *job) attempt(ctx context.Context, started time.Time) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c := crash.Of(cause)
			level.Error(j.logger).Log("msg", "Collector panicked", "panic", c.Error(), "stack", string(c.Stack()))
			err = fmt.Errorf("account %s: the collector panicked: %v; please report it with the stack in the log", j.account, cause)
		}
	}()
	snapshot, err := j.poller.Poll(ctx, j.progress)
	if snapshot == nil {
		return err
	}
	now := time.Now()
	took := now.Sub(started)
	expires := now.Add(j.life(took))
	if failed := j.out.Publish(j.account, j.Name, snapshot, expires); failed != nil {
		return errors.Join(failed, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.published, j.lasts, j.expires, j.held, j.unkept = now, 2*took, expires, time.Time{}, true
	j.status.Restored = false
	return err
}

// begin notes that a poll starts.
func (j *job) begin(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Running, j.status.LastStart, j.status.Next = true, now, now.Add(j.period)
	j.status.Done, j.status.Total = 0, 0
	j.hold(now)
	j.tell()
}

// progress notes how far the poll is.
func (j *job) progress(done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Done, j.status.Total = done, total
	j.hold(time.Now())
	j.tell()
}

func (j *job) tell() {
	if j.watch != nil {
		j.watch(j.status.Done, j.status.Total)
	}
}

// end notes what became of a poll.
func (j *job) end(started, now time.Time, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lastEnded, j.failure = started, classOf(err)
	j.status.Running, j.status.Duration = false, now.Sub(started)
	if err == nil {
		j.status.LastSuccess, j.status.Err = now, ""
		j.repeats.nudged = false
		j.status.Total = max(j.status.Total, 1)
		j.status.Done = j.status.Total
		j.tell()
	} else {
		j.status.Err = err.Error()
		j.release(now)
	}
	j.history = j.history.with(Poll{Start: started, Duration: j.status.Duration, Total: j.status.Total, Err: j.status.Err})
	j.metrics.ended(j, classOf(err), j.status)
	select {
	case <-j.polled:
	default:
		close(j.polled)
	}
}

// abandon notes that a poll was given up because polling ends.
func (j *job) abandon() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Running = false
	j.release(time.Now())
}

// Reading implements collector.Peer.
func (j *job) Reading() any { return j.poller.Reading() }

// LastPoll implements collector.Peer.
func (j *job) LastPoll() (began time.Time, succeeded bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lastEnded, j.status.Err == ""
}

// Serving implements collector.Peer.
func (j *job) Serving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Now().Before(j.until())
}

// inherit goes on where the same collector of an account that has ended left off; unchanged tells whether the account
// itself is what it was.
func (j *job) inherit(old *job, unchanged bool) {
	snapshot := j.poller.Restore(old.poller.Reading())
	old.mu.Lock()
	defer old.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status, j.history, j.failure = old.status, old.history, old.failure
	j.logged.whole = old.logged.whole
	same := j.SameSettings(old.Configured)
	if unchanged && same {
		j.lastEnded = old.lastEnded
	}
	j.kept = old.kept
	if !old.expires.IsZero() {
		j.published, j.lasts = old.published, old.lasts
		j.expires = j.published.Add(max(j.Schedule.StaleAfter, j.lasts))
		j.serve(snapshot, same && j.SameFamilies(old.Configured) && j.account == old.account)
	}
	select {
	case <-old.polled:
		close(j.polled)
		if j.account != old.account {
			j.metrics.inherited(j)
		}
	default:
	}
}

// serve goes on serving a snapshot that was inherited; one that other settings or families are to be shown by is published anew.
func (j *job) serve(snapshot exposition.Source, same bool) {
	if same || snapshot == nil || !time.Now().Before(j.expires) {
		j.out.Extend(j.account, j.Name, j.expires)
		return
	}
	if err := j.out.Publish(j.account, j.Name, snapshot, j.expires); err != nil {
		level.Error(j.logger).Log("msg", "What was known before the reload cannot be served", "err", err)
		j.out.Withdraw(j.account, j.Name)
	}
}

// classOf is the error's class. Whatever is not the client's is something that could not be understood.
func classOf(err error) yeastar.Class {
	var failed *yeastar.Error
	switch {
	case err == nil:
		return yeastar.OK
	case errors.As(err, &failed):
		return failed.Class
	default:
		return yeastar.Invalid
	}
}
