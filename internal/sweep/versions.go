package sweep

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// maxVersions is how many firmware versions of an account are read: those that most PBXs have.
const maxVersions = 100

// Versions reads what is true of every PBX with one firmware version from one of them: R is that. A version is read in
// one pass, one request at a time, once an interval, and soon if it is new. Where the time slice is over, YCM does not
// pass requests on, or no PBX answers, the pass goes on later.
//
// Its methods but Reading are for one goroutine.
type Versions[R Cloner[R]] struct {
	Options
	read func(known *R, ask Ask) error

	allAtOnce bool
	versions  []*version[R]     // by name
	targets   *Targets          // that the versions were last counted of
	hosts     map[string]string // versions of PBXs that the list does not have, by their hosts
	hostsDue  time.Time         // when they are asked again
	began     time.Time         // of the sweep under way; zero when no version is due
	took      time.Duration     // by the last sweep
	end       time.Time         // of the time slice
	sent      time.Time         // when the last request was
	reading   atomic.Pointer[VersionsReading[R]]
}

// Cloner makes a copy that can be changed without changing the original.
type Cloner[R any] interface{ Clone() R }

// version is a firmware version that PBXs of the account have.
type version[R any] struct {
	name     string
	pbxs     int
	whole    *R        // as it was last read to its end, nil before; it does not change
	at       time.Time // when that was
	partial  *R        // as far as a pass has come that did not end; nil in between
	due      time.Time // when it is to be read
	tried    bool      // in this run
	pbx      int64     // id of the PBX that is asked
	failures int       // in a row
	err      error     // the last of them
}

// VersionsReading is what is known of versions, as it outlives what reads them: encoding/json can write it and read it
// back.
type VersionsReading[R any] struct {
	Versions []VersionReading[R]
	Hosts    map[string]string // versions of PBXs that YCM's list does not have, by their hosts
}

// VersionReading is what is known of a firmware version.
type VersionReading[R any] struct {
	Version string
	PBXs    int       // of the account that have it
	At      time.Time // when it was read to its end; zero before
	Value   *R        // before that the beginning; nil if nothing is known
	Problem string    `json:",omitempty"` // why it could not be read the last time, or not to its end
}

// NewVersions makes what reads the versions of a fleet. read asks for whatever known lacks and puts it there; it
// returns nil when nothing is lacking, and else the error of ask that it cannot go on after.
func NewVersions[R Cloner[R]](o Options, read func(known *R, ask Ask) error) *Versions[R] {
	return &Versions[R]{Options: o, read: read, hosts: map[string]string{}}
}

// Run reads one version after the other until none is due, the time slice is over, or YCM does not pass requests on,
// which is the error. progress is told how many versions of how many have been read.
func (s *Versions[R]) Run(ctx context.Context, progress func(done, total int)) error {
	if s.allAtOnce {
		s.versions, s.targets, s.hostsDue = nil, nil, time.Time{}
	}
	defer s.publish()
	s.end = time.Now().Add(timeSlice(s.Interval))
	patience, cancel := context.WithDeadline(ctx, s.end.Add(longestRest)) // where the budget leaves nothing over
	defer cancel()
	if s.allAtOnce {
		s.end, patience = s.end.AddDate(1, 0, 0), ctx
	}
	for time.Now().Before(s.end) {
		more, err := s.step(patience, progress)
		switch {
		case patience.Err() != nil && ctx.Err() == nil:
			return nil
		case err != nil || !more:
			return err
		}
	}
	return nil
}

// step reads one version, if there are more that are due.
func (s *Versions[R]) step(ctx context.Context, progress func(done, total int)) (more bool, err error) {
	if err := s.count(ctx); err != nil {
		return false, err
	}
	v, due := s.next()
	progress(len(s.versions)-due, len(s.versions))
	switch {
	case v != nil && s.began.IsZero():
		s.began = time.Now()
	case v == nil && !s.began.IsZero():
		s.began, s.took = time.Time{}, time.Since(s.began)
	}
	if v == nil {
		return false, nil
	}
	return true, s.pass(ctx, v)
}

// count brings the versions up to date with the account's PBXs.
func (s *Versions[R]) count(ctx context.Context) error {
	targets, err := s.Fleet.Targets()
	if err != nil {
		return err
	}
	if s.askHosts(ctx, targets); targets == s.targets {
		return ctx.Err()
	}
	s.targets = targets
	counts := map[string]int{}
	for i := range targets.pbxs() {
		counts[targets.pbxs()[i].Version]++
	}
	for _, t := range targets.unlisted() {
		counts[s.versionOf(t)]++
	}
	delete(counts, "")
	names := slices.SortedFunc(maps.Keys(counts), func(v, w string) int {
		return cmp.Or(cmp.Compare(counts[w], counts[v]), cmp.Compare(v, w))
	})
	names = names[:min(maxVersions, len(names))]
	slices.Sort(names)
	versions := make([]*version[R], len(names))
	for i, name := range names {
		versions[i] = &version[R]{name: name, pbx: beforeAll}
		if known := slices.IndexFunc(s.versions, func(v *version[R]) bool { return v.name == name }); known >= 0 {
			versions[i] = s.versions[known]
		}
		versions[i].pbxs = counts[name]
	}
	s.versions = versions
	return ctx.Err()
}

// askHosts asks the PBXs that the list does not have for their versions.
func (s *Versions[R]) askHosts(ctx context.Context, targets *Targets) {
	if time.Now().Before(s.hostsDue) {
		return
	}
	s.hostsDue = time.Now().Add(min(s.Interval, longestWait))
	for _, t := range targets.unlisted() {
		system, err := s.Fleet.client(t).SystemInformation(ctx)
		if ctx.Err() != nil {
			return
		}
		s.Asked(t, nil, err)
		if err == nil && system.FirmwareVersion != s.hosts[t.Name] {
			s.hosts[t.Name], s.targets = system.FirmwareVersion, nil
		}
	}
}

func (s *Versions[R]) versionOf(t Target) string {
	if t.ID() == 0 {
		return s.hosts[t.Name]
	}
	return t.Version
}

// next is the version to read next, nil if none is due: first those that were never read, and of them, as of the
// others, the one that most PBXs have. due is how many are.
func (s *Versions[R]) next() (best *version[R], due int) {
	for _, v := range s.versions {
		if time.Now().Before(v.due) || s.allAtOnce && v.tried {
			continue
		}
		if _, found := s.candidate(v); !found {
			v.due = time.Now().Add(PublishInterval(s.Interval))
			continue
		}
		due++
		unread := v.whole == nil
		if best == nil || unread && best.whole != nil || unread == (best.whole == nil) && v.pbxs > best.pbxs {
			best = v
		}
	}
	return best, due
}

// publish makes the reading anew, without what is older than stale_after and than two sweeps.
func (s *Versions[R]) publish() {
	reading := &VersionsReading[R]{Hosts: maps.Clone(s.hosts)}
	for _, v := range s.versions {
		if v.whole != nil && time.Since(v.at) > max(s.StaleAfter, 2*s.took) {
			v.whole = nil
		}
		known := VersionReading[R]{Version: v.name, PBXs: v.pbxs, Value: v.whole}
		switch {
		case v.whole != nil:
			known.At = v.at
		case v.partial != nil:
			beginning := (*v.partial).Clone()
			known.Value = &beginning
		}
		if v.err != nil {
			known.Problem = v.err.Error()
		}
		reading.Versions = append(reading.Versions, known)
	}
	s.reading.Store(reading)
}

// Reading returns what was known after the last run, nil before the first.
func (s *Versions[R]) Reading() *VersionsReading[R] { return s.reading.Load() }

// Restore goes on where another that has ended left off. What that had not read to its end is read anew; what lacks
// something that this one is to read is due, and served as it is until then.
func (s *Versions[R]) Restore(reading *VersionsReading[R]) {
	s.hosts = maps.Clone(reading.Hosts)
	for _, known := range reading.Versions {
		if known.At.IsZero() || known.Value == nil {
			continue
		}
		v := &version[R]{name: known.Version, pbxs: known.PBXs, whole: known.Value, at: yeastar.Earlier(known.At, time.Now()), pbx: beforeAll}
		if s.complete(v.whole) {
			v.due = v.at.Add(s.Interval)
		}
		s.versions = append(s.versions, v)
	}
	s.publish()
}

// Duration is how long the last sweep took, or the present one takes already if that is longer; 0 before the first.
func (s *Versions[R]) Duration() time.Duration {
	if s.began.IsZero() {
		return s.took
	}
	return max(s.took, time.Since(s.began))
}

// AllAtOnce makes each run read every version, without a pause between requests.
func (s *Versions[R]) AllAtOnce() { s.allAtOnce = true }

// Wait returns at once: nothing is under way between runs.
func (*Versions[R]) Wait() {}
