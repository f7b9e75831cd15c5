package poll

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// devices polls the devices of every PBX every 15 minutes.
func devices(c plan) {
	for _, name := range []string{"extensions", "phones", "capacity"} {
		c[name] = every(15*time.Minute, 45*time.Minute)
	}
}

// registered is an extension's SIP phones, by their status.
func registered(statuses ...int) ycmtest.SIPPhones {
	phones := ycmtest.SIPPhones{List: []ycmtest.Registration{}}
	for _, s := range statuses {
		phones.List = append(phones.List, ycmtest.Registration{Status: s, Device: "phone"})
	}
	return phones
}

// An extension counts once for each kind of endpoint, however many phones it has registered, and is online if one of them
// is; all pages count; an extension that is deleted and one that comes back show in the next sweep.
func TestExtensionsAreCountedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 2, listAnd(devices))
		online := ycmtest.Registration{Status: 1}
		set := func(id int64, extensions ...ycmtest.OnlineStatus) {
			ycm.Update(id, func(p *ycmtest.PBX) {
				p.Extensions = []ycmtest.Extension{}
				for i, o := range extensions {
					p.Extensions = append(p.Extensions, ycmtest.Extension{ID: int64(i + 1), Number: "1001", Name: "Given Family", Online: o})
				}
			})
		}
		few, many := ycm.IDs()[0], ycm.IDs()[1]
		set(few,
			ycmtest.OnlineStatus{SIPPhone: registered(0, 1, 1)},
			ycmtest.OnlineStatus{SIPPhone: registered(0, 0), LinkusMobile: online},
			ycmtest.OnlineStatus{SIPPhone: registered()},
		)
		all := make([]ycmtest.OnlineStatus, 250)
		for i := range all {
			all[i] = ycmtest.OnlineStatus{SIPPhone: registered(1), LinkusWeb: online}
		}
		set(many, all...)
		defer start(b.Account)()
		after(10 * time.Minute)
		check := func(when string, want map[string]float64) {
			t.Helper()
			got := b.values("extensions", "ycm_cloud_pbx_endpoints", "cloud_pbx_id", "endpoint", "state")
			for key, n := range b.values("extensions", "ycm_cloud_pbx_extensions_reachable", "cloud_pbx_id") {
				got[key+" reachable"] = n
			}
			for key := range got {
				if strings.HasPrefix(key, fmt.Sprint(many)) && got[key] == 0 {
					delete(got, key)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		of := func(fewOf map[string]float64, sip, web float64) map[string]float64 {
			want := map[string]float64{
				fmt.Sprint(many, " sip_phone online"): sip, fmt.Sprint(many, " linkus_web online"): web, fmt.Sprint(many, " reachable"): sip,
				fmt.Sprint(many, " linkus_desktop offline"): sip, fmt.Sprint(many, " linkus_mobile offline"): sip,
			}
			for key, n := range fewOf {
				want[fmt.Sprint(few, " ", key)] = n
			}
			return want
		}
		check("at first", of(map[string]float64{
			"sip_phone online": 1, "sip_phone offline": 2, "linkus_mobile online": 1, "linkus_mobile offline": 2,
			"linkus_desktop online": 0, "linkus_desktop offline": 3, "linkus_web online": 0, "linkus_web offline": 3, "reachable": 2,
		}, 250, 250))
		set(few)
		set(many, all[:101]...)
		after(16 * time.Minute)
		check("when the extensions of one were deleted", of(map[string]float64{"reachable": 0}, 101, 101))
	})
}

// Of more than 300 pairs of vendor and model those with the fewest phones have no series, and a metric says so. A phone
// without an extension is neither registered nor not.
func TestPairsOfVendorAndModelAreCapped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 3, listAnd(devices))
		for i, pairs := range []int{1, 300, 450} {
			ycm.Update(ycm.IDs()[i], func(p *ycmtest.PBX) {
				for k := range 2 * pairs {
					p.Phones = append(p.Phones, ycmtest.Phone{ID: int64(k), MAC: "805ec0000000", Vendor: "Maker", Model: fmt.Sprintf("M%03d", k%pairs), Status: "Registered", Number: "1001"})
				}
				// The last of the models has one more, which has no extension.
				p.Phones = append(p.Phones, ycmtest.Phone{ID: 9999, Vendor: "Maker", Model: fmt.Sprintf("M%03d", pairs-1), Status: "Unregistered", Number: "Unassigned"})
			})
		}
		b.once(t)
		exposed(t, b.shelf.serves("phones"))
		truncated := b.values("phones", "ycm_cloud_pbx_phones_truncated", "cloud_pbx_id")
		phones := b.values("phones", "ycm_cloud_pbx_phones", "cloud_pbx_id", "model", "state")
		for i, want := range []struct {
			pairs  int
			capped float64
			most   string
		}{{1, 0, "M000"}, {300, 0, "M299"}, {300, 1, "M449"}} {
			id, pairs := fmt.Sprint(ycm.IDs()[i]), map[string]bool{}
			for key := range phones {
				if rest, ok := strings.CutPrefix(key, id+" "); ok {
					model, _, _ := strings.Cut(rest, " ")
					pairs[model] = true
				}
			}
			if v, served := truncated[id]; len(pairs) != want.pairs || v != want.capped || !served {
				t.Errorf("PBX %d has %d pairs and truncated=%v (served: %v), want %d and %v", i, len(pairs), v, served, want.pairs, want.capped)
			}
			got := [3]float64{phones[id+" "+want.most+" registered"], phones[id+" "+want.most+" unregistered"], phones[id+" "+want.most+" unassigned"]}
			if got != [3]float64{2, 0, 1} {
				t.Errorf("of model %s, of which PBX %d has most, %v are registered, unregistered and unassigned; want 2, 0 and 1", want.most, i, got)
			}
		}
	})
}

// What a PBX answers is as hostile as any answer: there is no sample of it, and none of others is lost; what slips into a
// label is cut and clean.
func TestHostileDevices(t *testing.T) {
	t.Parallel()
	json := func(body string) ycmtest.Effect { return ycmtest.Answer(http.StatusOK, "application/json", body) }
	long := strings.Repeat("x", 5000)
	refused := []ycmtest.Effect{
		ycmtest.HTML(http.StatusOK), ycmtest.Oversize(17 << 20), ycmtest.Malformed(), json(`{"errcode":0,"total_number":3000000000,"data":[{"id":1}]}`),
		json(`{"errcode":0,"total_number":5,"data":[{"id":1},{"id":2}]}`), json(`{"errcode":-2}`),
	}
	odd := []ycmtest.Effect{
		json(`{"errcode":0,"total_number":2,"data":[{"id":1,"vendor":{"a":1},"model":[],"assigned_ext_status":7,"online_status":"x"},{"vendor":"none"}]}`),
		json(`{"errcode":0,"total_number":1,"data":[{"id":1,"vendor":"a\u0000b\u001b[31m\ud800","model":"` + long + `","assigned_ext_status":"Registered","online_status":{"sip_phone":{"status_list":[7,null,{"status":"1"}]}}}]}`),
	}
	for name, family := range map[string]string{"extensions": "ycm_cloud_pbx_endpoints", "phones": "ycm_cloud_pbx_phones_truncated", "capacity": "ycm_cloud_pbx_ai_used_seconds"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, len(refused)+len(odd)+1, listAnd(func(c plan) { c[name] = every(time.Hour, 3*time.Hour) }))
				pbxs := ycm.PBXs()
				for i, effect := range append(refused, odd...) {
					ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Match: to(pbxs[i]), Effect: effect})
				}
				b.once(t)
				shown := exposed(t, b.shelf.serves(name))
				if strings.ContainsAny(shown, "\x00\x1b") || strings.Contains(shown, long[:200]) {
					t.Errorf("the scrape shows what no label may hold:\n%.2000q", shown)
				}
				served := b.values(name, family, "cloud_pbx_id")
				for i, p := range pbxs {
					_, ok := served[fmt.Sprint(p.ID)]
					if last := i == len(pbxs)-1; last && !ok || i < len(refused) && ok && name != "capacity" {
						t.Errorf("PBX %d of %d has a sample of %s: %v, want it of those alone whose answer can be understood", i, len(pbxs), family, ok)
					}
				}
			})
		})
	}
}

// A phone that only a PBX with other firmware has is held against each version that runs; a restart forgets none, although
// no PBX can be polled after it.
func TestPhonesInUseAreHeldAgainstEachVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.options.Store = newMemory()
		ycm := b.fleetOf(t, 3, listAnd(func(c plan) {
			devices(c)
			c["autoprovisioning"] = every(24*time.Hour, 72*time.Hour).with("depth: models\nrequired_phones: in_use")
		}))
		versions(ycm, "84.9.0.61", "84.12.0.32", "84.20.0.22")
		have := [][2]string{{"Fanvil", "X4U"}, {"cisco", "CP-7841"}, {"Yealink", "T73W"}}
		for i, phone := range have {
			ycm.Update(ycm.IDs()[i], func(p *ycmtest.PBX) {
				p.Phones = []ycmtest.Phone{{ID: 1, Vendor: phone[0], Model: phone[1], Status: "Registered", Number: "1001"}}
			})
		}
		want := map[string]float64{
			"84.9.0.61 Fanvil X4U": 1, "84.12.0.32 Fanvil X4U": 1, "84.20.0.22 Fanvil X4U": 1,
			"84.9.0.61 cisco CP-7841": 0, "84.12.0.32 cisco CP-7841": 1, "84.20.0.22 cisco CP-7841": 1,
			"84.9.0.61 Yealink T73W": 0, "84.12.0.32 Yealink T73W": 0, "84.20.0.22 Yealink T73W": 1,
		}
		check := func(when string) {
			t.Helper()
			if diff := cmp.Diff(want, b.values("autoprovisioning", "ycm_autoprovisioning_phone_supported", "version", "vendor", "model")); diff != "" {
				t.Errorf("%s, phones are supported (-want +got):\n%s", when, diff)
			}
		}
		stop := start(b.Account)
		after(time.Hour)
		check("in the first hour")
		stop()

		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: ycmtest.Hang()})
		b.restart()
		check("right after a restart")
		stop = start(b.Account)
		after(10 * time.Minute)
		stop()
		check("while no PBX can be polled after a restart")
	})
}

// A sweep of 100 PBXs with 40 extensions each is one request for each PBX, and walks keep their interval beside it.
func TestExtensionsLeaveTheWalksTheirInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const pbxs = 100
		b := newBench(t)
		ycm := b.fleetOf(t, pbxs, listAnd(func(c plan) { c["extensions"] = every(15*time.Minute, 45*time.Minute) }))
		ycm.UpdateAll(func(p *ycmtest.PBX) { p.UsedExtensions, p.ExtensionCapacity = 40, 50 })
		b.limit(ycm, 16, time.Minute)
		stop := start(b.Account)
		after(20 * time.Minute)
		before := ycm.Count(ycmtest.Proxy)
		after(30 * time.Minute)
		polled := ycm.Count(ycmtest.Proxy) - before
		stop()
		var last time.Time
		longest := time.Duration(0)
		for _, r := range ycm.Requests() {
			if r.Endpoint == ycmtest.CloudPBXList && strings.Contains(r.Query, "pageNumber=1&") {
				if !last.IsZero() {
					longest = max(longest, r.Time.Sub(last))
				}
				last = r.Time
			}
		}
		t.Logf("in half an hour %d requests to PBXs; a sweep takes %v; walks begin at most %v apart", polled, b.sweepDuration(t, "extensions"), longest)
		if polled < 1.9*pbxs || polled > 2.2*pbxs {
			t.Errorf("in half an hour, which is two sweeps, %d requests were sent to PBXs, want one for each of %d PBXs and sweep", polled, pbxs)
		}
		if longest == 0 || longest > 75*time.Second {
			t.Errorf("walks begin up to %v apart, want each minute", longest)
		}
	})
}
