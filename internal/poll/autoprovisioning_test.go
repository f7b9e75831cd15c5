package poll

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// phonesOf reads the catalogue each day, to a depth.
func phonesOf(depth string, required ...string) func(plan) {
	return func(c plan) {
		c["autoprovisioning"] = every(24*time.Hour, 72*time.Hour).with("depth: " + depth + "\nrequired_phones: [" + strings.Join(required, ", ") + "]")
	}
}

// hourlyListAnd polls the list each hour, which is enough where the fleet stands still for a day.
func hourlyListAnd(enable func(plan)) plan {
	c := plan{"cloud_pbx": every(time.Hour, 3*time.Hour)}
	enable(c)
	return c
}

// versions gives PBXs of a fleet firmware, in the order of their ids.
func versions(ycm *ycmtest.Server, versions ...string) {
	for i, id := range ycm.IDs() {
		ycm.Update(id, func(p *ycmtest.PBX) { p.Version = versions[i%len(versions)] })
	}
}

// menus counts the requests for the catalogue, by version and menu.
func menus(ycm *ycmtest.Server, from int) map[string]int {
	version := map[string]string{}
	for _, p := range ycm.PBXs() {
		version[p.SN] = p.Version
	}
	n := map[string]int{}
	for _, r := range ycm.Requests()[from:] {
		if sn, _, found := strings.Cut(strings.TrimPrefix(r.Path, "/dm/open_api/v1/cloud_pbx/"), "/openapi/v1.0/auto_provisioning/"); found {
			query, _ := http.NewRequest(http.MethodGet, "/?"+r.Query, nil)
			n[version[sn]+" "+query.URL.Query().Get("menu")]++
		}
	}
	return n
}

// However many PBXs have a firmware version, its catalogue is read once, as deep as was configured.
func TestCatalogueIsReadOncePerVersion(t *testing.T) {
	t.Parallel()
	for depth, want := range map[string]map[string]int{
		"vendors": {"84.12.0.32 phone_vendor": 1, "84.16.0.25 phone_vendor": 1},
		"models": {
			"84.12.0.32 phone_vendor": 1, "84.16.0.25 phone_vendor": 1,
			"84.12.0.32 phone_model": 10, "84.16.0.25 phone_model": 10,
		},
		"full": {
			"84.12.0.32 phone_vendor": 1, "84.16.0.25 phone_vendor": 1,
			"84.12.0.32 phone_model": 10, "84.16.0.25 phone_model": 10,
			"84.12.0.32 phone_template": 88, "84.16.0.25 phone_template": 89, // H3 is a phone of two vendors
			"84.12.0.32 autop_method": 89, "84.16.0.25 autop_method": 90,
		},
	} {
		t.Run(depth, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 40, hourlyListAnd(phonesOf(depth)))
				versions(ycm, "84.12.0.32", "84.16.0.25")
				defer start(b.Account)()
				after(23 * time.Hour)
				got := menus(ycm, 0)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("requests in the first 23 hours (-want +got):\n%s", diff)
				}
				for family, served := range map[string]bool{
					"ycm_autoprovisioning_phone_vendors":    true,
					"ycm_autoprovisioning_phone_models":     depth != "vendors",
					"ycm_autoprovisioning_phone_model_info": depth == "full",
				} {
					if got := b.sampled("autoprovisioning", family) > 0; got != served {
						t.Errorf("with depth %s, %s has samples: %v, want %v", depth, family, got, served)
					}
				}
			})
		})
	}
}

// A version is read within minutes of its first PBX, and the known ones once per interval; one that no PBX has any more is
// not exported.
func TestCatalogueFollowsTheFleet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 4, Seed: 1, History: 20_000}, listAnd(func(c plan) {
			phonesOf("models")(c)
			c["autoprovisioning"] = every(4*time.Hour, 12*time.Hour).with(c["autoprovisioning"].yaml)
		}))
		ycm.UpdateAll(running)
		versions(ycm, "84.10.0.30", "84.12.0.32")
		known := func() []string {
			all := b.values("autoprovisioning", "ycm_autoprovisioning_phone_vendors", "version")
			var versions []string
			for v := range all {
				versions = append(versions, v)
			}
			slices.Sort(versions)
			return versions
		}
		defer start(b.Account)()
		after(time.Hour)
		if diff := cmp.Diff([]string{"84.10.0.30", "84.12.0.32"}, known()); diff != "" {
			t.Fatalf("versions (-want +got):\n%s", diff)
		}
		before := len(ycm.Requests())
		ycm.Update(ycm.IDs()[0], func(p *ycmtest.PBX) { p.Version = "84.21.0.117" })
		after(7 * time.Minute)
		if diff := cmp.Diff([]string{"84.10.0.30", "84.12.0.32", "84.21.0.117"}, known()); diff != "" {
			t.Errorf("7 minutes after the first PBX has a version, versions are known (-want +got):\n%s", diff)
		}
		if got := menus(ycm, before); got["84.21.0.117 phone_model"] != 10 {
			t.Errorf("the new version is not complete after 7 minutes: %v", got)
		}
		ycm.Update(ycm.IDs()[2], func(p *ycmtest.PBX) { p.Version = "84.21.0.117" })
		after(7 * time.Minute)
		if diff := cmp.Diff([]string{"84.12.0.32", "84.21.0.117"}, known()); diff != "" {
			t.Errorf("after the last PBX left a version, versions are known (-want +got):\n%s", diff)
		}

		after(4*time.Hour - time.Hour - 14*time.Minute) // until the second sweep begins
		began := ycm.Count(ycmtest.Proxy)
		after(4 * time.Hour)
		if got := ycm.Count(ycmtest.Proxy) - began; got != 22 {
			t.Errorf("in the second interval there were %d requests for 2 versions, want 11 for each", got)
		}
	})
}

// Another PBX is queried when one does not answer, even in the middle of the catalogue.
func TestCatalogueIsReadFromAnotherPBX(t *testing.T) {
	t.Parallel()
	hangs := func(p *ycmtest.PBX) { p.Delay = time.Hour }
	for name, breaks := range map[string]func(*ycmtest.PBX){
		"silent":   func(p *ycmtest.PBX) { p.Silent = true },
		"hanging":  hangs,
		"refusing": func(p *ycmtest.PBX) { p.APIError = 10005 },
		"stopped":  func(p *ycmtest.PBX) { p.Status = ycmtest.Stopped },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 3, listAnd(phonesOf("models")))
				ycm.Update(ycm.IDs()[0], breaks)
				ycm.OnRequest(func(*http.Request) {
					if ycm.Count(ycmtest.Proxy) == 7 {
						ycm.Update(ycm.IDs()[1], breaks)
					}
				})
				defer start(b.Account)()
				after(10 * time.Minute)
				if got := len(b.values("autoprovisioning", "ycm_autoprovisioning_phone_models", "vendor")); got != 10 {
					t.Errorf("the models of %d vendors are known, want those of all 10", got)
				}
				if got := ycm.Count(ycmtest.Proxy); got > 30 {
					t.Errorf("%d requests were made for a catalogue of 11", got)
				}
			})
		})
	}
}

// A version whose PBXs all refuse is tried again once an hour, and not reported as one without phones.
func TestVersionWithoutCatalogue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 20, hourlyListAnd(phonesOf("models", "{vendor: Yealink, model: VP59}")))
		versions(ycm, "84.6.0.47", "84.9.0.61")
		defer start(b.Account)()
		after(24 * time.Hour)
		supported := b.values("autoprovisioning", "ycm_autoprovisioning_phone_supported", "version")
		if diff := cmp.Diff(map[string]float64{"84.9.0.61": 1}, supported); diff != "" {
			t.Errorf("supported (-want +got):\n%s", diff)
		}
		if got := menus(ycm, 0)["84.6.0.47 phone_vendor"]; got < 20 || got > 72 {
			t.Errorf("firmware without the interface was queried %d times in a day, want three PBXs an hour", got)
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="autoprovisioning"}`); got != "1" {
			t.Errorf("old firmware makes the collector's success %q, want 1", got)
		}
	})
}

// Required phones are compared without regard to case, by a vendor's value or its display name, at each depth.
func TestRequiredPhones(t *testing.T) {
	t.Parallel()
	required := []string{
		"{vendor: YEALINK, model: vp59}",
		"{vendor: alcatel-lucent enterprise, model: M8}",
		"{vendor: ALE, model: h3}",
		"{vendor: Yealink, model: VP60}",
		"{vendor: NoVendor, model: VP59}",
		"{vendor: Yealink, model: T88W}",
	}
	want := map[string]float64{
		"84.12.0.32 YEALINK vp59": 1, "84.21.0.117 YEALINK vp59": 1,
		"84.12.0.32 alcatel-lucent enterprise M8": 0, "84.21.0.117 alcatel-lucent enterprise M8": 1,
		"84.12.0.32 ALE h3": 1, "84.21.0.117 ALE h3": 1,
		"84.12.0.32 Yealink VP60": 0, "84.21.0.117 Yealink VP60": 0,
		"84.12.0.32 NoVendor VP59": 0, "84.21.0.117 NoVendor VP59": 0,
		"84.12.0.32 Yealink T88W": 0, "84.21.0.117 Yealink T88W": 1,
	}
	for _, depth := range []string{"vendors", "models", "full"} {
		t.Run(depth, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 2, listAnd(phonesOf(depth, required...)))
				versions(ycm, "84.12.0.32", "84.21.0.117")
				b.once(t)
				got := map[string]float64{}
				source := b.shelf.serves("autoprovisioning")
				for _, s := range samples(source, exposition.Shard{})["ycm_autoprovisioning_phone_supported"] {
					got[fmt.Sprintf("%s %s %s", s.labels[3], s.labels[2], s.labels[1])] = s.value
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("supported (-want +got):\n%s", diff)
				}
				if got := menus(ycm, 0)["84.12.0.32 phone_model"]; depth == "vendors" && got != 2 {
					t.Errorf("at depth vendors %d vendors were queried for their models, want the 2 of the required phones", got)
				}
			})
		})
	}
}

// The provisioning link is as good as a password, and is in nothing that the exporter shows.
func TestProvisioningLinksAreNotShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 1, listAnd(phonesOf("full")))
		b.once(t)
		shown := exposed(t, b.shelf.serves("autoprovisioning")) + strings.Join(b.journal.with(""), "\n")
		link := ycm.ProvisioningLink(ycm.IDs()[0])
		_, secret, _ := strings.Cut(link, "/")
		if strings.Contains(shown, secret) {
			t.Error("the provisioning link is shown")
		}
		if !strings.Contains(shown, `methods="dhcp,pnp,rps",model="VP59",templates="YSDP_YealinkVP"`) {
			t.Errorf("the methods of a phone are not shown:\n%.2000s", shown)
		}
	})
}

// Hostile menus cost the answers that they spoil and no more.
func TestHostileMenus(t *testing.T) {
	t.Parallel()
	menu := func(name, more string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return r.URL.Query().Get("menu") == name && strings.Contains(r.URL.RawQuery, more)
		}
	}
	options := func(n int, format string) ycmtest.Effect {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return ycmtest.Answer(http.StatusOK, "application/json", `{"errcode":0,"data":[`+strings.Join(all, ",")+`]}`)
	}
	for name, c := range map[string]struct {
		fault     ycmtest.Fault
		supported string // of VP59: "1", "0" or "" for unknown
	}{
		"too many vendors": {ycmtest.Fault{Match: menu("phone_vendor", ""), Effect: options(201, `{"value":"v%d"}`)}, ""},
		"an endless list":  {ycmtest.Fault{Match: menu("phone_vendor", ""), Effect: options(6000, `{"value":"v%d"}`)}, ""},
		"a web page":       {ycmtest.Fault{Match: menu("phone_vendor", ""), Effect: ycmtest.HTML(http.StatusOK)}, ""},
		"no vendors":       {ycmtest.Fault{Match: menu("phone_vendor", ""), Effect: options(0, "")}, "0"},
		"too many models":  {ycmtest.Fault{Match: menu("phone_model", "vendor=Yealink"), Effect: options(3001, `{"value":"m%d"}`)}, ""},
		"giant models":     {ycmtest.Fault{Match: menu("phone_model", "vendor=Yealink"), Effect: options(9, `{"value":"`+strings.Repeat("m", 900)+`%d"}`)}, "0"},
		"another's models": {ycmtest.Fault{Match: menu("phone_model", "vendor=Ale"), Effect: ycmtest.Malformed()}, "1"},
		"giant templates":  {ycmtest.Fault{Match: menu("phone_template", ""), Effect: options(50, `{"value":"%d","text":"`+strings.Repeat("電", 40)+`"}`)}, "1"},
		"no templates":     {ycmtest.Fault{Match: menu("phone_template", ""), Effect: ycmtest.Answer(http.StatusOK, "application/json", `{"errcode":40002}`)}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 2, listAnd(phonesOf("full", "{vendor: Yealink, model: VP59}")))
				c.fault.Endpoint = ycmtest.Proxy
				ycm.Inject(c.fault)
				_ = b.Once(t.Context(), nil) // Whether it failed is a matter of who spoiled the answer.
				source := b.shelf.serves("autoprovisioning")
				for line := range strings.Lines(exposed(t, source)) {
					if len(line) > 2000 {
						t.Errorf("a line has %d bytes: %.300s", len(line), line)
					}
				}
				got := ""
				if v, served := b.values("autoprovisioning", "ycm_autoprovisioning_phone_supported", "version")["84.19.0.22"]; served {
					got = fmt.Sprint(v)
				}
				if got != c.supported {
					t.Errorf("VP59 is supported: %q, want %q", got, c.supported)
				}
				if got := ycm.Count(ycmtest.Proxy); got > 700 {
					t.Errorf("%d requests were made", got)
				}
			})
		})
	}
}

// A catalogue that cannot be read again is served until it is too old, and then read as a new one when it can.
func TestOldCatalogueIsWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 1, listAnd(func(c plan) {
			c["autoprovisioning"] = every(time.Hour, 3*time.Hour)
		}))
		defer start(b.Account)()
		known := func() bool { return b.sampled("autoprovisioning", "ycm_autoprovisioning_phone_models") > 0 }
		after(10 * time.Minute)
		ycm.UpdateAll(func(p *ycmtest.PBX) { p.APIError = 10005 })
		after(2 * time.Hour)
		if !known() {
			t.Error("the catalogue is gone after 2 hours, want it served for 3")
		}
		after(90 * time.Minute)
		if known() {
			t.Error("a catalogue of 3.5 hours ago is served, want 3 at most")
		}
		ycm.UpdateAll(running)
		after(65 * time.Minute)
		if !known() {
			t.Error("the catalogue is not read again within an hour of the PBX answering again")
		}
	})
}
