package poll

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A corrected secret is tried by the collector that polls next, and its login has all others poll that failed for want of one, also
// if its own poll takes long or fails.
func TestLoginHasEveryCollectorPollThatFailedForAuth(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]ycmtest.Effect{
		"the list is served": nil, "the list is denied": ycmtest.Status(http.StatusForbidden), "the list takes long": ycmtest.Slow(25 * time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, everything().with("cloud_pbx", every(time.Minute, time.Hour)))
				var current atomic.Value
				current.Store(secret.New("demo-client-secret"))
				b.options.Client = ycmclient.New(ycmclient.Options{
					Servers: ycmclient.NewServers(nil),
					Account: "main", BaseURL: b.options.BaseURL, ClientID: "demo-client-id", Transport: ycm.Transport(),
					RateLimit: ycmclient.RateLimit{Burst: 1000, Rate: 1000, Interval: time.Minute},
					Secret:    func() (secret.Text, error) { return current.Load().(secret.Text), nil },
					Observer:  b.options.Metrics.Observer("main"),
				})
				b.Account = NewAccount(b.options)
				if effect != nil {
					ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: effect})
				}
				ycm.SetSecret("demo-client-id", "right")
				defer start(b.Account)()
				after(150 * time.Second)
				for _, c := range b.Status().Collectors {
					if c.Err == "" || c.Name != "cloud_pbx" && c.Cause != "Login refused" {
						t.Errorf("with a wrong secret %s has the error %q and the cause %q, want a refused login", c.Name, c.Err, c.Cause)
					}
				}
				current.Store(secret.New("right"))
				after(50 * time.Second) // The list is polled every minute.
				for _, c := range b.Status().Collectors {
					if c.Err != "" && c.Name != "cloud_pbx" {
						t.Errorf("20 s after the list was polled with the corrected secret, %s still fails: %s", c.Name, c.Err)
					}
				}
			})
		})
	}
}
