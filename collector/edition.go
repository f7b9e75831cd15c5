package collector

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// maxVersions is how many firmware versions of an account are read: those that most PBXs have.
const maxVersions = 100

// edition is a firmware version that PBXs of the account have.
type edition struct {
	version string
	pbxs    int
	book    *phonebook // the last that was read to its end; nil before
	read    time.Time  // when that was
	draft   *phonebook // the one being read; nil in between
	done    bool       // in this round
	pbx     int64      // key of the PBX that is asked
	row     int        // failures in a row
	again   time.Time  // when to try again
	err     error      // the last failure of the row
}

// visit is what a PBX that the list does not have said of its version, and when to ask it again.
type visit struct {
	version string
	again   time.Time
}

// shown is what is known of the version: of one that was never read to the end, the beginning.
func (e *edition) shown() *phonebook {
	if e.book == nil && e.draft != nil {
		return e.draft
	}
	return e.book
}

// enrol brings the editions up to date with the account's PBXs.
func (a *autoprovisioning) enrol(ctx context.Context) error {
	present, err := a.directory.roster()
	if err != nil {
		return err
	}
	if !a.visit(ctx, present) && present == a.present {
		return nil
	}
	a.present = present
	counts := map[string]int{}
	for i := range present.pbxs() {
		counts[present.pbxs()[i].Version]++
	}
	for _, s := range present.direct {
		if s.id() == 0 {
			counts[a.versionOf(s)]++
		}
	}
	delete(counts, "")
	versions := slices.SortedFunc(maps.Keys(counts), func(v, w string) int {
		return cmp.Or(cmp.Compare(counts[w], counts[v]), cmp.Compare(v, w))
	})
	versions = versions[:min(maxVersions, len(versions))]
	slices.Sort(versions)

	before := map[string]*edition{}
	for _, e := range a.editions {
		before[e.version] = e
	}
	a.editions = nil
	for _, v := range versions {
		e := before[v]
		if e == nil {
			e = &edition{version: v, pbx: firstKey}
		}
		e.pbxs = counts[v]
		a.editions = append(a.editions, e)
	}
	if a.begun.IsZero() && len(a.editions) > 0 {
		a.begun, a.over = time.Now(), false
	}
	return nil
}

// visit asks each PBX that the list does not have for its version, once an interval, and reports whether one changed.
func (a *autoprovisioning) visit(ctx context.Context, present *roster) (changed bool) {
	for _, s := range present.direct {
		v := a.visits[s.name]
		if s.id() != 0 || v != nil && time.Now().Before(v.again) {
			continue
		}
		if v == nil {
			v = &visit{}
			a.visits[s.name] = v
		}
		system, err := s.contact.client.SystemInformation(ctx)
		if ctx.Err() != nil {
			return changed
		}
		a.noted(s, err)
		v.again = time.Now().Add(min(a.settings.Interval, longestWait))
		if err == nil && system.FirmwareVersion != v.version {
			v.version, changed = system.FirmwareVersion, true
		}
	}
	return changed
}

// candidate is the PBX of that key if it has the edition, else the next one that has; after the last comes the first.
func (a *autoprovisioning) candidate(e *edition, key int64) (found subject, ok bool) {
	if s, ok := a.present.find(key); ok && a.versionOf(s) == e.version {
		return s, true
	}
	for s := range a.present.all() {
		switch {
		case a.versionOf(s) != e.version:
		case s.key > key:
			return s, true
		case !ok:
			found, ok = s, true
		}
	}
	return found, ok
}

func (a *autoprovisioning) versionOf(s subject) string {
	if v := a.visits[s.name]; v != nil && s.id() == 0 {
		return v.version
	}
	return s.version
}
