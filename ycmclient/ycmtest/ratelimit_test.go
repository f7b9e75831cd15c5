package ycmtest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// The bucket holds Burst tokens, gets Rate of them every Interval, and every request of the client takes one.
func TestRateLimit(t *testing.T) {
	tests := []struct {
		name    string
		limit   RateLimit
		wait    time.Duration // after the bucket was emptied
		admits  int
		refusal string // Retry-After of the refused request after that
	}{
		{"evenly", RateLimit{Burst: 10, Rate: 6}, 25 * time.Second, 2, ""},
		{"evenly, all at last", RateLimit{Burst: 10, Rate: 6}, time.Hour, 10, ""},
		{"with a hint", RateLimit{Burst: 10, Rate: 6, Hint: true}, 25 * time.Second, 2, "5"},
		{"in lumps, not yet", RateLimit{Burst: 10, Rate: 6, Interval: 2 * time.Minute, Lump: true, Hint: true}, 119 * time.Second, 0, "1"},
		{"in lumps", RateLimit{Burst: 10, Rate: 6, Interval: 2 * time.Minute, Lump: true}, 2 * time.Minute, 6, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := dialMemory(t, Options{RateLimit: &test.limit, TokenLife: 24 * time.Hour})
				admitted := 1 // the login
				for r.code(regionsPath) == 0 {
					admitted++
				}
				if admitted != test.limit.Burst {
					t.Fatalf("the full bucket admitted %d, want %d", admitted, test.limit.Burst)
				}
				if stats := r.Stats(); stats.Admitted != test.limit.Burst || stats.Refused != 1 {
					t.Fatalf("the log has %d admitted and %d refused, want %d and 1", stats.Admitted, stats.Refused, test.limit.Burst)
				}
				time.Sleep(test.wait)
				admitted = 0
				for r.code(regionsPath) == 0 {
					admitted++
				}
				if admitted != test.admits {
					t.Errorf("after %v it admitted %d, want %d", test.wait, admitted, test.admits)
				}
				response, err := r.try(http.MethodGet, "/dm/open_api/"+regionsPath, "", "")
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != test.refusal {
					t.Errorf("a refusal is %d with Retry-After %q, want 429 and %q", response.StatusCode, response.Header.Get("Retry-After"), test.refusal)
				}
			})
		})
	}
}

// Each Client ID has a bucket of its own.
func TestRateLimitIsPerClient(t *testing.T) {
	r := dial(t, Options{RateLimit: &RateLimit{Burst: 1, Rate: 1, Interval: time.Hour}})
	if code := r.code(regionsPath); code != 1000040 {
		t.Errorf("after the login took the only token the next request answers %d, want 1000040", code)
	}
	r.SetSecret("another", "secret")
	r.options.ClientID = "another"
	if status, answer := r.login("secret"); status != http.StatusOK {
		t.Errorf("another client's login answers %d: %v, want success", status, answer)
	}
}

// The log has the times of requests, so that a test can check a client's rate.
func TestBusiestMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{History: 6})
		for range 4 {
			time.Sleep(20 * time.Second)
			r.get(regionsPath)
			r.get(regionsPath)
		}
		if most := r.MostWithin(time.Minute); most != 6 {
			t.Errorf("the busiest minute had %d requests, want 6", most)
		}
		requests := r.Requests()
		if len(requests) != 6 || r.Count(Regions) != 8 {
			t.Fatalf("%d requests are remembered and %d counted, want 6 and 8", len(requests), r.Count(Regions))
		}
		if took := requests[5].Time.Sub(requests[0].Time); took != 40*time.Second {
			t.Errorf("the remembered requests span %v, want 40s", took)
		}
		if requests[0].Client != "demo-client-id" || requests[0].Endpoint != Regions {
			t.Errorf("a request is remembered as %+v", requests[0])
		}
	})
}
