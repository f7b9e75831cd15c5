package poll

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// running makes a PBX of a simulated fleet one that answers everything.
func running(p *ycmtest.PBX) {
	p.Status, p.Activation, p.Version, p.APIError, p.Silent, p.Raw = ycmtest.Running, "Activated", "84.19.0.22", 0, false, nil
}

// fleetOf is a simulated YCM with so many PBXs that all run and answer. It must be called in a synctest bubble.
func (b *bench) fleetOf(t *testing.T, pbxs int, collectors plan) *ycmtest.Server {
	t.Helper()
	ycm := b.simulate(t, ycmtest.Options{PBXs: pbxs, Seed: 1}, collectors)
	ycm.UpdateAll(running)
	t.Cleanup(func() {
		for _, v := range ycm.Violations() {
			t.Errorf("the simulator saw what an exporter must not do: %s", v)
		}
	})
	return ycm
}

// withDirect gives the account PBXs with direct access. They answer at the given addresses in the same memory.
func (b *bench) withDirect(t *testing.T, ycm *ycmtest.Server, addresses ...string) {
	t.Helper()
	b.options.Direct = nil
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		b.options.Direct = append(b.options.Direct, &sweep.Direct{URL: u, Client: pbxclient.Direct(pbxclient.Options{
			Account: "main", URL: u, ClientID: "demo-pbx-client-id", Secret: secret.Static(secret.New("demo-pbx-client-secret")),
			Transport: ycm.Transport(), Timeout: 30 * time.Second, Guard: yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{}, nil),
		})})
	}
	b.Account = NewAccount(b.options)
}

// limit gives the account a rate limit.
func (b *bench) limit(ycm *ycmtest.Server, requests int, interval time.Duration) {
	b.options.Client = ycmclient.New(ycmclient.Options{
		Servers: ycmclient.NewServers(nil),
		Account: "main", BaseURL: b.options.BaseURL, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: requests, Rate: requests, Interval: interval}, Timeout: 30 * time.Second,
		PageConcurrency: 1, Transport: ycm.Transport(), Observer: b.options.Metrics.Observer("main"),
	})
	b.Account = NewAccount(b.options)
}

// polledAt is when a path of each PBX's API was requested, through YCM.
func polledAt(ycm *ycmtest.Server, path string) map[string][]time.Time {
	times := map[string][]time.Time{}
	for _, r := range ycm.Requests() {
		before, found := strings.CutSuffix(r.Path, "/openapi/v1.0/"+path)
		if r.Endpoint == ycmtest.Proxy && found {
			sn := before[strings.LastIndexByte(before, '/')+1:]
			times[sn] = append(times[sn], r.Time)
		}
	}
	return times
}

// values is what a scrape would show of a family, by the values of some of its labels, with a space between them.
func (b *bench) values(collector, family string, labels ...string) map[string]float64 {
	found := map[string]float64{}
	source := b.shelf.serves(collector)
	if source == nil {
		return found
	}
	for i, f := range source.Families() {
		if f.Name != family {
			continue
		}
		source.Each(i, exposition.Shard{}, func(values []string, v float64) {
			var key []string
			for _, label := range labels {
				for j, name := range f.Labels {
					if name == label {
						key = append(key, values[j])
					}
				}
			}
			found[strings.Join(key, " ")] = v
		})
	}
	return found
}

// sweepDuration is what the collector says of its last sweep.
func (b *bench) sweepDuration(t *testing.T, name string) time.Duration {
	t.Helper()
	sweeper := b.job(name).sweeper
	if sweeper == nil {
		t.Fatalf("collector %s does not sweep", name)
	}
	return sweeper.Duration()
}

// up is which PBXs answer, by id.
func (b *bench) up() map[string]float64 {
	return b.values("pbx_api", "ycm_cloud_pbx_api_up", "cloud_pbx_id")
}

// listAnd polls the list each minute, and with it whatever enable enables.
func listAnd(enable func(plan)) plan {
	c := listOnly()
	enable(c)
	return c
}

// pbxAPI polls every PBX every 5 minutes.
func pbxAPI(c plan) { c["pbx_api"] = every(5*time.Minute, 15*time.Minute) }

// once polls everything once, as --once does.
func (b *bench) once(t *testing.T) {
	t.Helper()
	if err := b.Once(context.WithoutCancel(t.Context()), nil); err != nil {
		t.Fatal(err)
	}
}
