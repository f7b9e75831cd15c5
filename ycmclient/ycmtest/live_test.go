package ycmtest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// livingFleet lets a fleet live in a bubble.
func livingFleet(t *testing.T, pbxs int, story func(t *testing.T, s *Server)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(58*time.Hour + 30*time.Minute) // Fake time begins on a Saturday at midnight.
		story(t, New(Options{PBXs: pbxs, Live: true}))
	})
}

// Calls follow the working day of the region.
func TestCallsFollowTheTimeOfDay(t *testing.T) {
	livingFleet(t, 500, func(t *testing.T, s *Server) {
		calls := func(region string) (sum int64) {
			for _, p := range s.PBXs() {
				if p.Region == region && p.Status == Running {
					sum += p.ActiveCalls
				}
			}
			return sum
		}
		morningInEurope, nightInAmerica := calls("Europe(Frankfurt)"), calls("US West(Oregon)")
		time.Sleep(9 * time.Hour)
		eveningInEurope, morningInAmerica := calls("Europe(Frankfurt)"), calls("US West(Oregon)")
		if morningInEurope < 10*max(1, eveningInEurope) || morningInAmerica < 10*max(1, nightInAmerica) {
			t.Errorf("Europe has %d calls in the morning and %d in the evening, America %d and %d by night; want ten times as many by day",
				morningInEurope, eveningInEurope, morningInAmerica, nightInAmerica)
		}
	})
}

// In some hours PBXs stop, start, are restored, are upgraded and go silent, and all of them come back.
func TestPBXsStopAndStart(t *testing.T) {
	livingFleet(t, 300, func(t *testing.T, s *Server) {
		counts, changed := make(map[string]int), make(map[int64]bool)
		versions := make(map[int64]string)
		for _, p := range s.PBXs() {
			versions[p.ID] = p.Version
		}
		for range 6 * 30 {
			time.Sleep(2 * time.Minute)
			for _, p := range s.PBXs() {
				counts[p.Status]++
				if p.Silent {
					counts["silent"]++
				}
				if p.Status != Running && p.Activation == activated {
					changed[p.ID] = true
				}
				if compareVersions(p.Version, versions[p.ID]) > 0 {
					counts["new version"]++
				}
			}
		}
		for _, what := range []string{Running, Stopped, Starting, Upgrading, Restoring, Provisioning, "silent", "new version"} {
			if counts[what] == 0 {
				t.Errorf("in six hours nothing was %s: %v", what, counts)
			}
		}
		if share := counts[Running] * 100 / (6 * 30 * 300); share < 85 || len(changed) < 10 {
			t.Errorf("PBXs ran %d %% of the time and %d ever did not, want 85 or more and 10 or more", share, len(changed))
		}
	})
}

// As days go by backups are made, recordings grow, ended plans are renewed, and nothing comes from the future.
func TestFleetChangesOverDays(t *testing.T) {
	livingFleet(t, 200, func(t *testing.T, s *Server) {
		before := s.PBXs()
		time.Sleep(40 * 24 * time.Hour)
		var backedUp, grown, renewed, past int
		for i, p := range s.PBXs() {
			was := before[i]
			if p.LastBackup > was.LastBackup {
				backedUp++
			}
			if p.UsedRecording > was.UsedRecording {
				grown++
			}
			if p.PlanExpiration > was.PlanExpiration {
				renewed++
			}
			if p.PlanExpiration < time.Now().Unix() {
				past++
			}
			if p.LastBackup > time.Now().Unix() || p.ActiveCalls > p.ConcurrentCallCapacity || p.UsedRecording > p.RecordingCapacity {
				t.Errorf("PBX %d cannot be: %+v", p.ID, p)
			}
			if p.ID != was.ID || p.Name != was.Name || p.SN != was.SN || p.Created != was.Created || p.ExtensionCapacity != was.ExtensionCapacity {
				t.Errorf("PBX %d has become another one: %+v", p.ID, p)
			}
		}
		if backedUp < 120 || grown < 80 || renewed < 5 || past < 2 || past > 30 {
			t.Errorf("in 40 days %d were backed up, %d recorded more, %d were renewed, %d are past their end", backedUp, grown, renewed, past)
		}
	})
}

// A demo that is restarted with the same epoch continues.
func TestRestartedDemoContinues(t *testing.T) {
	livingFleet(t, 100, func(t *testing.T, s *Server) {
		start := time.Now()
		time.Sleep(50 * time.Hour)
		again := New(Options{PBXs: 100, Live: true, Epoch: start})
		if diff := cmp.Diff(s.PBXs(), again.PBXs()); diff != "" {
			t.Errorf("the fleet that was started again differs:\n%s", diff)
		}
	})
}

// Trunks of a PBX lose their registration now and then.
func TestTrunksLoseRegistration(t *testing.T) {
	livingFleet(t, 61, func(t *testing.T, s *Server) {
		registering, serving := 0, 0
		for range 24 {
			for n := range int64(61) {
				for _, trunk := range s.fleet.world.trunks(PBX{}, n, time.Now().Unix()) {
					switch trunk.Status {
					case TrunkRegistering:
						registering++
					case TrunkIdle:
						serving++
					}
				}
			}
			time.Sleep(time.Hour)
		}
		if registering == 0 || serving < 50*registering {
			t.Errorf("in a day trunks were found registering %d times and serving %d times, want a few in a hundred", registering, serving)
		}
	})
}

// A PBX that was stopped stays stopped until it is released, while the others change.
func TestChangedPBXStaysUntilReleased(t *testing.T) {
	livingFleet(t, 61, func(t *testing.T, s *Server) {
		id := s.IDs()[30]
		s.SetStatus(id, Stopped)
		held, _ := s.PBX(id)
		time.Sleep(30 * 24 * time.Hour)
		if now, _ := s.PBX(id); !cmp.Equal(now, held) {
			t.Errorf("the PBX has moved:\n%s", cmp.Diff(held, now))
		}
		s.Release(id)
		if now, _ := s.PBX(id); cmp.Equal(now, held) {
			t.Error("the released PBX still holds still")
		}
	})
}

// A PBX's uptime begins when it came up last.
func TestUptime(t *testing.T) {
	livingFleet(t, 100, func(t *testing.T, s *Server) {
		w := s.fleet.world
		restarts, last := 0, make(map[int64]int64)
		for range 2 * 24 * 6 {
			now := time.Now().Unix()
			for n := range int64(100) {
				started := w.startedAt(n, now)
				if started > now || started < last[n] {
					t.Fatalf("PBX %d came up at %d, before %d or after now, %d", n, started, last[n], now)
				}
				if last[n] != 0 && started > last[n] {
					restarts++
				}
				last[n] = started
			}
			time.Sleep(10 * time.Minute)
		}
		if restarts < 10 {
			t.Errorf("in two days there were %d restarts, want 10 or more", restarts)
		}
	})
}

// PBXs that are created while the fleet lives are younger than all others.
func TestCreatedPBX(t *testing.T) {
	livingFleet(t, 20, func(t *testing.T, s *Server) {
		time.Sleep(time.Hour)
		p := s.Add(nil)
		if last := s.IDs()[20]; p.ID != last || p.Created != time.Now().Unix() {
			t.Errorf("the PBX is %d, created %s ago, want %d, created now", p.ID, time.Since(time.Unix(p.Created, 0)), last)
		}
		time.Sleep(time.Hour)
		if again, _ := s.PBX(p.ID); again.Created != p.Created {
			t.Error("the time it was created has changed")
		}
		if own := s.Add(func(p *PBX) { p.ID = 1_000_000; p.Name = "own" }); own.ID != 1_000_000 {
			t.Errorf("the PBX with an id of its own has %d, want 1000000", own.ID)
		}
		if next := s.Add(func(p *PBX) { p.ID = 5 }); next.ID <= 1_000_000 {
			t.Errorf("an id that would not be the highest was kept: %d", next.ID)
		}
	})
}
