package poll

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

func trunksOnly(c plan) { c["trunks"] = every(15*time.Minute, 45*time.Minute) }

// Of each trunk the status that the PBX reports is 1, and there is no other, in the next sweep too; a trunk is up where it can carry calls.
func TestTrunkStatusFollowsThePBX(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 1, listAnd(trunksOnly))
		id := ycm.IDs()[0]
		statuses := []int{0, 1, 2, 3, 4, 41, 42, 43, 44, 45, 5, -1}
		set := func(shift int) {
			ycm.Update(id, func(p *ycmtest.PBX) {
				p.Trunks = nil
				for i := range statuses {
					p.Trunks = append(p.Trunks, ycmtest.Trunk{ID: int64(i), Name: fmt.Sprintf("t%d", i), Type: "register", Status: statuses[(i+shift)%len(statuses)]})
				}
			})
		}
		want := []string{
			"Unknown", "Idle", "Busy", "IdleUnmonitored", "Registering", "RegistrationFailed", "Unreachable",
			"AccountTrunkUnavailable", "Disabled", "AuthenticationFailed", "Unknown", "Unknown",
		}
		set(0)
		defer start(b.Account)()
		after(time.Minute)
		for shift := range 2 {
			present := map[string]string{}
			all := b.values("trunks", "ycm_cloud_pbx_trunk_status", "trunk", "status")
			for key, v := range all {
				trunk, status, _ := strings.Cut(key, " ")
				if v == 1 {
					present[trunk] += status
				}
			}
			for i := range statuses {
				if got := present[fmt.Sprintf("t%d", i)]; got != want[(i+shift)%len(want)] {
					t.Errorf("trunk %d with status %d has the present status %q, want %s", i, statuses[(i+shift)%len(want)], got, want[(i+shift)%len(want)])
				}
			}
			if len(all) != len(statuses) {
				t.Errorf("there are %d samples of %d trunks, want one of each", len(all), len(statuses))
			}
			up := b.values("trunks", "ycm_cloud_pbx_trunk_up", "trunk")
			for i := range statuses {
				status := statuses[(i+shift)%len(statuses)]
				got, known := up[fmt.Sprintf("t%d", i)]
				if canCarryCalls := status >= 1 && status <= 3; known != (canCarryCalls || status == 4 || status > 40) || known && (got == 1) != canCarryCalls {
					t.Errorf("a trunk with status %d is up: %v, known: %t", status, got, known)
				}
			}
			set(1)
			after(16 * time.Minute)
		}
	})
}

// A PBX with thousands of trunks is served up to the cap, and a metric says that it was hit.
func TestTrunksAreCapped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 3, listAnd(trunksOnly))
		for i, n := range []int{0, pbxclient.MaxTrunks, 4000} {
			ycm.Update(ycm.IDs()[i], func(p *ycmtest.PBX) {
				for k := range n {
					p.Trunks = append(p.Trunks, ycmtest.Trunk{ID: int64(k), Name: "line", Type: "register", Status: 1})
				}
			})
		}
		none := ycmtest.Answer(http.StatusOK, "application/json", `{"errcode":0,"errmsg":"SUCCESS","total_number":0,"data":[]}`)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Match: to(ycm.PBXs()[0]), Effect: none})
		b.once(t)
		got := map[string]int{}
		for key, v := range b.values("trunks", "ycm_cloud_pbx_trunk_status", "cloud_pbx_id", "trunk", "status") {
			if id, _, _ := strings.Cut(key, " "); v == 1 {
				got[id]++
			}
		}
		truncated := b.values("trunks", "ycm_cloud_pbx_trunks_truncated", "cloud_pbx_id")
		for i, want := range []struct {
			trunks int
			capped float64
		}{{0, 0}, {500, 0}, {500, 1}} {
			id := fmt.Sprint(ycm.IDs()[i])
			if v, served := truncated[id]; got[id] != want.trunks || v != want.capped || !served {
				t.Errorf("PBX %d has %d trunks and truncated=%v (served: %v), want %d and %v", i, got[id], v, served, want.trunks, want.capped)
			}
		}
		exposed(t, b.shelf.serves("trunks"))
	})
}

// What a PBX answers about its trunks is as hostile as any answer: there is no sample of it, and none of others is lost.
func TestHostileTrunks(t *testing.T) {
	t.Parallel()
	json := func(body string) ycmtest.Effect { return ycmtest.Answer(http.StatusOK, "application/json", body) }
	effects := []ycmtest.Effect{
		ycmtest.HTML(http.StatusOK), ycmtest.Oversize(17 << 20), ycmtest.Malformed(), json(`{"errcode":0,"data":7}`),
		json(`{"errcode":0,"total_number":3000000000,"data":[{"id":1}]}`), json(`{"errcode":40002,"errmsg":"PARAMETER ERROR","invalid_param_list":[{"field":"page"}]}`),
		json(`{"errcode":0,"total_number":1,"data":[{"id":1,"name":{"a":1},"type":[],"status":"x"}]}`),
		json(`{"errcode":0,"total_number":1,"data":[{"id":1,"name":"a\u0000b\u001b[31m\ud800","type":"register","status":41}]}`),
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, len(effects)+1, listAnd(trunksOnly))
		pbxs := ycm.PBXs()
		for i, effect := range effects {
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Match: to(pbxs[i]), Effect: effect})
		}
		b.once(t)
		source := b.shelf.serves("trunks")
		exposed(t, source)
		served := b.values("trunks", "ycm_cloud_pbx_trunks_truncated", "cloud_pbx_id")
		if len(served) != 3 {
			t.Errorf("%d PBXs have trunks served, want the last three of %d", len(served), len(pbxs))
		}
		for key := range b.values("trunks", "ycm_cloud_pbx_trunk_status", "trunk") {
			if strings.ContainsAny(key, "\x00\x1b") {
				t.Errorf("a trunk is called %q", key)
			}
		}
	})
}
