package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// phones reads the phones that each firmware version can provision, as --phones does.
func (b *bench) phones(t *testing.T) ([]collector.PhoneCatalogue, error) {
	t.Helper()
	err := b.Once(t.Context(), nil)
	return b.PhoneCatalogues(), err
}

// The phone catalogue of the firmware in use: of each version, from old to new, as deep as configured.
func TestPhonesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for depth, want := range map[string]collector.PhoneModel{
		"vendors": {},
		"models":  {Value: "VP59", Name: "VP59", Type: "Deskphone"},
		"full":    {Value: "VP59", Name: "VP59", Type: "Deskphone", Templates: []string{"YSDP_YealinkVP"}, Methods: []string{"dhcp", "pnp", "rps"}},
	} {
		t.Run(depth, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 4, listAnd(phonesOf(depth)))
				versions(ycm, "84.10.0.30", "84.9.0.61", "84.6.0.47", "84.12.0.32")
				ycm.SetStatus(ycm.IDs()[3], ycmtest.Stopped)
				catalogues, err := b.phones(t)
				if err != nil {
					t.Fatal(err)
				}
				type row struct {
					Version string
					Vendors int
					Known   bool
					VP59    collector.PhoneModel
				}
				var got []row
				for _, c := range catalogues {
					r := row{c.Version, len(c.Vendors), c.Problem == "", collector.PhoneModel{}}
					for _, v := range c.Vendors {
						for _, m := range v.Models {
							if m.Value == "VP59" {
								r.VP59 = m
							}
						}
					}
					got = append(got, r)
				}
				if diff := cmp.Diff([]row{
					{"84.6.0.47", 0, false, collector.PhoneModel{}}, {"84.9.0.61", 8, true, want}, {"84.10.0.30", 9, true, want}, {"84.12.0.32", 0, false, collector.PhoneModel{}},
				}, got); diff != "" {
					t.Errorf("phones (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestPhonesWhenYCMFails(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []ycmtest.Endpoint{ycmtest.CloudPBXList, ycmtest.Proxy} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			ycm := b.fleetOf(t, 4, listAnd(phonesOf("models")))
			ycm.Inject(ycmtest.Fault{Endpoint: endpoint, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
			if _, err := b.phones(t); yeastar.ClassOf(err) != yeastar.Denied {
				t.Errorf("with %s denied the error is %v, want one that says so", endpoint, err)
			}
		})
	}
}

// While YCM does not forward requests, known catalogues stay, and the others are read afterwards.
func TestCatalogueDuringTroubleOfYCM(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 2, listAnd(func(c plan) {
			c["autoprovisioning"] = every(24*time.Hour, 72*time.Hour)
		}))
		versions(ycm, "84.12.0.32", "84.16.0.25")
		trouble := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Skip: 15, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
		defer start(b.Account)()
		after(30 * time.Minute)
		known := func() int {
			return len(b.values("autoprovisioning", "ycm_autoprovisioning_phone_models", "version", "vendor"))
		}
		if got := known(); got != 10 {
			t.Errorf("the models of %d vendors are known, want the 10 of the version that was read before", got)
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="autoprovisioning"}`); got != "0" {
			t.Errorf("the collector's success is %q while YCM denies everything, want 0", got)
		}
		if hits := trouble.Hits(); hits > 31 {
			t.Errorf("%d requests were sent in 30 minutes although YCM refused, want few", hits)
		}
		trouble.Remove()
		after(10 * time.Minute)
		if got := known(); got != 20 {
			t.Errorf("after the trouble the models of %d vendors are known, want all 20", got)
		}
	})
}
