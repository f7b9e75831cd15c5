package ycmtest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Whatever hour of the week a healthy fleet is started, its first hour brings the same few things to do.
func TestHealthyFleetHasTheSameProblemsAtEveryHour(t *testing.T) {
	want := map[string]int{"silent": 1, "small one stopped": 1, "old backup": 1, "trunk not registered": 1}
	for start := time.Duration(0); start < 7*24*time.Hour; start += 3*time.Hour + 20*time.Minute {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(start)
			s := New(Options{PBXs: 200, Seed: 1, Live: true, Healthy: true})
			begin := s.PBXs()
			trouble, notRunning, busy := map[string]int{}, map[int64]int{}, map[int64]int{}
			for minute := range 60 {
				for _, p := range s.PBXs() {
					if p.Activation == activated && p.Status != Running && p.Status != Upgrading {
						notRunning[p.ID]++
					}
					if p.Status == Running && p.ActiveCalls*10 >= p.ConcurrentCallCapacity*8 {
						busy[p.ID]++
					}
					if minute == 59 {
						count(trouble, s, p)
					}
				}
				time.Sleep(time.Minute)
			}
			for _, p := range begin {
				switch {
				case notRunning[p.ID] >= 15 && p.ExtensionCapacity < 20:
					trouble["small one stopped"]++
				case notRunning[p.ID] >= 15:
					trouble["large one stopped"]++
				}
			}
			for id, minutes := range busy {
				t.Errorf("%v: PBX %d used four fifths of its calls in %d minutes of an hour", time.Now(), id, minutes)
			}
			if diff := cmp.Diff(want, trouble); diff != "" {
				t.Errorf("%v: trouble of the first hour (-want +got):\n%s", time.Now(), diff)
			}
			if a, b := ending(begin), ending(s.PBXs()); a != b {
				t.Errorf("%v: what ends soon was %s and is %s after an hour", time.Now(), a, b)
			}
		})
	}
}

// count adds what needs attention on a PBX, but for being stopped.
func count(trouble map[string]int, s *Server, p PBX) {
	now := time.Now().Unix()
	for what, holds := range map[string]bool{
		"silent":               p.Silent && p.ExtensionCapacity >= 100 && p.Type == "Commercial",
		"old backup":           p.LastBackup != 0 && now-p.LastBackup > 7*day,
		"backup missing":       p.Activation == activated && p.LastBackup == 0 && now-p.Created > 7*day+hour,
		"unactivated long":     p.Activation == unactivated && now-p.Created > 14*day,
		"recording nearly out": p.RecordingCapacity > 0 && p.UsedRecording*10 >= p.RecordingCapacity*9,
		"expired":              p.PlanExpiration < now || p.Expiration != 0 && p.Expiration < now,
		"ends within 7 days":   p.PlanExpiration < now+7*day || p.Expiration != 0 && p.Expiration < now+7*day,
	} {
		if holds {
			trouble[what]++
		}
	}
	down := 0
	trunks := s.fleet.world.trunks(p, s.fleet.world.ordinal(p.ID), now)
	for _, trunk := range trunks {
		if trunk.Status == TrunkRegistering || trunk.Status >= TrunkRegistrationFailed && trunk.Status != TrunkDisabled {
			trouble["trunk not registered"]++
			down++
		}
	}
	if down == len(trunks) {
		trouble["no trunk"]++
	}
}

// ending is how many plans and PBXs end within 30 days.
func ending(pbxs []PBX) string {
	plans, commercial, trials := 0, 0, 0
	for _, p := range pbxs {
		soon := time.Now().Unix() + 30*day
		switch {
		case p.Type == "Trial" && p.Expiration < soon:
			trials++
		case p.Type != "Trial" && p.PlanExpiration < soon:
			plans++
		}
		if p.Type != "Trial" && p.Expiration != 0 && p.Expiration < soon {
			commercial++
		}
	}
	return fmt.Sprintf("%d plans, %d PBXs, %d trials", plans, commercial, trials)
}

// A fleet of any size has one PBX of each kind that needs attention, and a tiny one has none.
func TestHealthyFleetOfAnySize(t *testing.T) {
	for _, size := range []int{1, 7, 19, 20, 21, 61, 1000} {
		silent := 0
		for _, p := range New(Options{PBXs: size, Healthy: true, Epoch: epoch}).PBXs() {
			if p.Silent {
				silent++
			}
		}
		if want := min(1, size/tiny); silent != want {
			t.Errorf("of %d PBXs %d do not answer, want %d", size, silent, want)
		}
	}
}
