package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

var update = flag.Bool("update", false, "rewrite the reports in testdata")

// latency is how long every server here takes to respond.
const latency = 120 * time.Millisecond

// configured is an account with those collectors enabled. Reports do not depend on which collectors there are.
func configured(transport http.RoundTripper, enabled ...string) doctor.Options {
	o := doctor.Options{Progress: func(int, int) {}, Client: ycmclient.Options{
		Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
		Account: "test", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"},
		ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}, Timeout: 30 * time.Second, PageConcurrency: 1,
		Transport: transport, UserAgent: "test",
	}}
	if enabled == nil {
		enabled = []string{"firmware", "cloud_pbx", "subscription"}
	}
	for _, c := range collector.All() {
		if !slices.Contains(enabled, c.Name) {
			continue
		}
		added := collector.Configured{Collector: c, Schedule: collector.Schedule{Enabled: true, Interval: 15 * time.Minute, StaleAfter: time.Hour}}
		if c.Settings != nil {
			added.Settings = c.Settings()
		}
		o.Collectors = append(o.Collectors, added)
	}
	return o
}

// examine checks an account of a simulated YCM, in a bubble with its own clock.
func examine(t *testing.T, with ycmtest.Options, prepare func(*ycmtest.Server, *doctor.Options), verify func(*ycmtest.Server, doctor.Account)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		with.Seed, with.Latency = 1, latency
		s := ycmtest.New(with)
		defer s.Close()
		o := configured(s.Transport())
		if prepare != nil {
			prepare(s, &o)
		}
		a, err := doctor.Examine(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.Requests()); n > doctor.MaxRequests {
			t.Errorf("%d requests were sent, want at most %d", n, doctor.MaxRequests)
		}
		if n := s.MostWithin(o.Client.RateLimit.Interval); n > o.Client.RateLimit.Rate {
			t.Errorf("%d requests were sent within %v, more than the rate limit", n, o.Client.RateLimit.Interval)
		}
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("requests that an exporter must never send: %v", v)
		}
		verify(s, a)
	})
}

func text(t *testing.T, a doctor.Account) string {
	t.Helper()
	var b bytes.Buffer
	if err := (&doctor.Report{Version: "1.2.3", Works: a.Works, Accounts: []doctor.Account{a}}).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "%!") {
		t.Errorf("the report has a value without a format, or the reverse:\n%s", b.String())
	}
	return b.String()
}

// contains fails unless the report has the sentence, wherever its lines break.
func contains(t *testing.T, a doctor.Account, sentence string) {
	t.Helper()
	if report := text(t, a); !strings.Contains(strings.Join(strings.Fields(report), " "), sentence) {
		t.Errorf("the report lacks %q:\n%s", sentence, report)
	}
}

// golden compares a report with the one in testdata.
func golden(t *testing.T, name string, a doctor.Account) {
	t.Helper()
	file, got := filepath.Join("testdata", name+".txt"), text(t, a)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the report differs from %s (-want +got):\n%s", file, diff)
	}
}

func TestReportOfYCMAsDocumented(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{Healthy: true}, func(s *ycmtest.Server, o *doctor.Options) {
		*o = configured(s.Transport(), "firmware", "cloud_pbx", "subscription", "users", "trunks")
	}, func(_ *ycmtest.Server, a doctor.Account) {
		golden(t, "documented", a)
	})
}

func TestReportOfYCMWithDeviations(t *testing.T) {
	t.Parallel()
	listing := ycmtest.Listing{PageSize: 20, Order: ycmtest.Falling, TotalOff: 1, PastEnd: ycmtest.LastPage, TextIDs: true}
	examine(t, ycmtest.Options{PBXs: 1000, Listing: listing}, func(s *ycmtest.Server, o *doctor.Options) {
		*o = configured(s.Transport(), "firmware", "cloud_pbx", "subscription", "users", "trunks")
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.Users, Effect: ycmtest.Failure(1000042, ycmtest.Shape{Body: ycmtest.ErrNo})})
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.PlanStatistics, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Set("pbxStatus", `"Migrating"`)})
	}, func(_ *ycmtest.Server, a doctor.Account) {
		golden(t, "deviating", a)
	})
}

func TestReportOfServerThatIsNotYCM(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{}, func(s *ycmtest.Server, _ *doctor.Options) {
		s.Inject(ycmtest.Fault{Effect: ycmtest.HTML(http.StatusOK)})
	}, func(_ *ycmtest.Server, a doctor.Account) {
		golden(t, "no-ycm", a)
	})
}

// Sweeps query the Running PBXs alone, and a catalogue of phones is read from one of them for each firmware version.
func TestDemandIsThatOfRunningPBXs(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{PBXs: 1000, Healthy: true}, func(s *ycmtest.Server, o *doctor.Options) {
		*o = configured(s.Transport(), "cloud_pbx", "trunks", "autoprovisioning")
		for i, id := range s.IDs() {
			s.Update(id, func(p *ycmtest.PBX) {
				if p.Status, p.Version = "Stopped", "84.23.0.7"; i%4 == 0 {
					p.Status = "Running"
				}
			})
		}
	}, func(_ *ycmtest.Server, a doctor.Account) {
		// Every 15 minutes: 20 pages of the list, the trunks of 250 PBXs, and three requests for one catalogue.
		contains(t, a, "The enabled collectors need about 18.2 requests per minute")
	})
}

// The report has the time when a login may be tried, so that the doctor and the exporter together do not have YCM block the address.
func TestReportOfLoginThatIsHeldBack(t *testing.T) {
	t.Parallel()
	for refusals, want := range map[int]string{
		0: "The login succeeds",
		4: "The login was not tried: the last 4 logins failed, and YCM blocks an IP address after 5. The exporter does not try again before 2000-01-01T01:00:00Z.",
		5: "The login was not tried: the last 5 logins failed, and YCM blocks an IP address after 5. The exporter does not try again before 2000-01-01T01:00:00Z.",
	} {
		examine(t, ycmtest.Options{PBXs: 30}, func(_ *ycmtest.Server, o *doctor.Options) {
			o.Client.Servers = ycmclient.NewServers(refusedLogins(refusals))
		}, func(_ *ycmtest.Server, a doctor.Account) {
			contains(t, a, want)
		})
	}
}

// refusedLogins is a store with so many refused logins of another account, the last one just now.
type refusedLogins int

func (refusedLogins) Save(string, func(write func(record any) error) error) {}

func (n refusedLogins) Reload(name string, load func(next func(record any) error) error) bool {
	return n.Load(name, load)
}

func (n refusedLogins) Load(_ string, load func(next func(record any) error) error) bool {
	return n > 0 && load(func(record any) error {
		refusals := slices.Repeat([]yeastar.Refusal{{Account: "other", ClientID: "other", At: time.Now()}}, int(n))
		*record.(*yeastar.LoginState) = yeastar.LoginState{Refusals: refusals}
		return nil
	}) == nil
}

func TestReportOfRefusedLogin(t *testing.T) {
	t.Parallel()
	const credentials = "in YCM, compare client_id and the client secret with System > API, and check Client IP Restriction and Security > Blocked IP"
	answer := func(status int, body string) ycmtest.Effect { return ycmtest.Answer(status, "application/json", body) }
	for _, c := range []struct {
		name   string
		effect ycmtest.Effect
		want   []string
	}{
		{"wrong secret", answer(401, `{"status":"Failed","code":1000033,"msg":"INVALID_CLIENT"}`), []string{"HTTP 401 Unauthorized, code 1000033 INVALID_CLIENT.", credentials}},
		{"wrong secret under HTTP 200", answer(200, `{"Status":"Failed","errcode":"1000033","errmsg":"hunter2"}`), []string{"HTTP 200, code 1000033 INVALID_CLIENT.", credentials}},
		{"blocked address", answer(403, `{"status":"Failed","errors":[{"code":1000002,"message":"API Authentication Lockout, 20 min"}]}`), []string{"code 1000002 AUTHENTICATION_FAILED", "Security > Blocked IP"}},
		{"address not allowed", ycmtest.HTML(403), []string{"HTTP 403 Forbidden with an HTML page instead of JSON", "check Client IP Restriction"}},
		{"undocumented code", answer(400, `{"status":"Failed","code":1999999}`), []string{"HTTP 400 Bad Request, code 1999999 (not documented)"}},
		{"no token", answer(200, `{"status":"Success","data":{}}`), []string{"The login fails: HTTP 200 with a response that is not as documented.", "check base_url"}},
		{"redirect", ycmtest.Redirect("https://hunter2.example.com/"), []string{"HTTP 302 Found, a redirect, which the exporter does not follow"}},
		{"unreadable secret", nil, []string{"The login was not tried: the client secret cannot be read."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			examine(t, ycmtest.Options{PBXs: 30}, func(s *ycmtest.Server, o *doctor.Options) {
				if s.Inject(ycmtest.Fault{Effect: c.effect}); c.effect == nil {
					o.Client.Secret = func() (secret.Text, error) { return secret.Text{}, os.ErrPermission }
				}
			}, func(s *ycmtest.Server, a doctor.Account) {
				for _, want := range c.want {
					contains(t, a, want)
				}
				most := 1
				if c.name == "no token" || c.name == "redirect" { // No refusal, so a walk tries again.
					most = 2
				}
				if n := len(s.Requests()); n > most || a.Works {
					t.Errorf("%d requests were sent, want the login alone; the exporter works: %v", n, a.Works)
				}
			})
		})
	}
}

// Whatever a server does instead of responding, the doctor ends within a few time-outs and names the problem.
func TestDoctorEndsWhateverTheServerDoes(t *testing.T) {
	t.Parallel()
	list := ycmtest.CloudPBXList
	for _, c := range []struct {
		name   string
		at     ycmtest.Endpoint
		effect ycmtest.Effect
		want   string
	}{
		{"everything hangs", "", ycmtest.Hang(), "A request got no complete response: there was none within the timeout."},
		{"nothing responds", "", ycmtest.Reset(), "A request got no complete response: the connection was closed."},
		{"the list hangs", list, ycmtest.Hang(), "The PBX list cannot be read: no complete response, there was none within the timeout."},
		{"the list trickles", list, ycmtest.Trickle(time.Minute), "The PBX list cannot be read: no complete response, there was none within the timeout."},
		{"the list is huge", list, ycmtest.Oversize(17 << 20), "The PBX list cannot be read: HTTP 200 with a response that is not as documented."},
		{"the list is an HTML page", list, ycmtest.HTML(200), "The PBX list cannot be read: HTTP 200 with an HTML page instead of JSON"},
		{"the list is cut", list, ycmtest.Truncate(100), "The PBX list cannot be read: "},
		{"YCM is overloaded", list, ycmtest.Status(503), "The PBX list cannot be read: HTTP 503 Service Unavailable."},
		{"the rate limit is exceeded", list, ycmtest.Failure(1000040, ycmtest.Shape{}), "YCM refused a request because of its rate limit, although the doctor uses only 20 % of rate_limit."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var began time.Time
			examine(t, ycmtest.Options{PBXs: 30}, func(s *ycmtest.Server, _ *doctor.Options) {
				began = time.Now()
				s.Inject(ycmtest.Fault{Endpoint: c.at, Effect: c.effect})
			}, func(s *ycmtest.Server, a doctor.Account) {
				contains(t, a, c.want)
				if took := time.Since(began); a.Works || took > 5*time.Minute {
					t.Errorf("it took %v, and the exporter works: %v", took, a.Works)
				}
				if n := len(s.Requests()); strings.Contains(c.want, "no complete response") && n > 4 {
					t.Errorf("%d requests were sent, want none after three without a response", n)
				}
				if n := s.Count(list); strings.Contains(c.name, "exceeded") && n > 1 {
					t.Errorf("%d more requests were sent after YCM refused one because of its rate limit", n-1)
				}
			})
		})
	}
}

// The doctor leaves most of the rate limit to an exporter that uses the same Client ID.
func TestDoctorUsesAFifthOfTheRateLimit(t *testing.T) {
	t.Parallel()
	var began time.Time
	examine(t, ycmtest.Options{PBXs: 30}, func(_ *ycmtest.Server, o *doctor.Options) {
		began = time.Now()
		o.Client.RateLimit = ycmclient.RateLimit{Burst: 5, Rate: 5, Interval: time.Minute}
	}, func(s *ycmtest.Server, _ doctor.Account) {
		n := len(s.Requests())
		if took, want := time.Since(began), time.Duration(n-5)*time.Minute; took < want || n < 9 {
			t.Errorf("%d requests took %v, want at least %v at a fifth of 5 requests per minute", n, took, want)
		}
	})
}

// Without queries of single PBXs the exporter works, with more walks.
func TestReportOfYCMThatRefusesQueriesOfSinglePBXs(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{PBXs: 30, Healthy: true}, func(s *ycmtest.Server, _ *doctor.Options) {
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBX, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
	}, func(_ *ycmtest.Server, a doctor.Account) {
		contains(t, a, "warning A single PBX cannot be queried by its id: HTTP 403 Forbidden, code 1000042 ACCESS_DENIED.")
		if !a.Works {
			t.Error("by the report the exporter does not work")
		}
	})
}

// A PBX whose API is disabled is not a problem of the account: other PBXs may serve the collector.
func TestReportOfPBXThatDoesNotServe(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{PBXs: 30}, func(s *ycmtest.Server, o *doctor.Options) {
		s.UpdateAll(func(p *ycmtest.PBX) { p.Status, p.APIError = ycmtest.Running, 10005 })
		*o = configured(s.Transport(), "cloud_pbx", "trunks")
	}, func(_ *ycmtest.Server, a doctor.Account) {
		contains(t, a, "trunks: the PBX that was queried does not support it: HTTP 200, code 10005 ACCESS DENIED.")
		contains(t, a, "A Running PBX cannot be queried through YCM: HTTP 200, code 10005 ACCESS DENIED.")
		if !a.Works {
			t.Error("by the report the exporter does not work")
		}
	})
}

// A PBX that is never requested because of its secret is a problem of its configuration, and is not skipped.
func TestReportOfUnreadableSecretOfPBX(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{PBXs: 30, Healthy: true}, func(s *ycmtest.Server, o *doctor.Options) {
		unreadable := func() (secret.Text, error) { return secret.Text{}, os.ErrPermission }
		o.PBXs = []pbxclient.Options{{Account: "test", URL: &url.URL{Scheme: "https", Host: "pbx.example.com"}, ClientID: "id", Secret: unreadable, Transport: s.Transport(), Timeout: time.Minute, Guard: yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{}, nil)}}
	}, func(_ *ycmtest.Server, a doctor.Account) {
		contains(t, a, "problem pbxs[0]: the PBX cannot be queried: no login was sent, because the client secret cannot be read or the last logins failed.")
	})
}

// The report shows what the exporter would do: where its walk fails, the doctor reports a problem, else none.
func TestReportAgreesWithTheWalk(t *testing.T) {
	t.Parallel()
	set := func(field, value string) ycmtest.Fault {
		return ycmtest.Fault{Effect: ycmtest.Set(field, value)}
	}
	for name, fault := range map[string]ycmtest.Fault{
		"nothing unusual":           {Effect: ycmtest.Slow(0)},
		"page number ignored":       {Effect: ignorePage()},
		"no total":                  set("total", ""),
		"a total with a comma":      set("total", `"1,400"`),
		"a negative total":          set("total", "-1"),
		"a total of two millions":   set("total", "2000000"),
		"ids of letters":            set("cloudPbxId", `"a1b2"`),
		"records that are arrays":   set("list", `[["7"]]`),
		"malformed JSON":            {Effect: ycmtest.Answer(200, "application/json", "{,}")},
		"a list by another name":    {Effect: ycmtest.Answer(200, "application/json", `{"status":"Success","data":{"total":140,"pageNumber":1,"rows":[{"cloudPbxId":7}]}}`)},
		"data that is an array":     set("data", `[{"cloudPbxId":7}]`),
		"an undocumented status":    set("status", `"OK"`),
		"large pages refused":       {Match: func(r *http.Request) bool { return r.URL.Query().Get("pageSize") == "50" }, Effect: ycmtest.Failure(1000004, ycmtest.Shape{})},
		"any page size refused":     {Match: func(r *http.Request) bool { return r.URL.Query().Has("pageSize") }, Effect: ycmtest.Failure(1000004, ycmtest.Shape{Always200: true})},
		"the list refused each way": {Effect: ycmtest.Failure(1000004, ycmtest.Shape{})},
		"the list denied":           {Effect: ycmtest.Failure(1000042, ycmtest.Shape{})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault.Endpoint = ycmtest.CloudPBXList
			var walked error
			examine(t, ycmtest.Options{PBXs: 120, Healthy: true}, func(s *ycmtest.Server, _ *doctor.Options) {
				s.Inject(fault)
				walked = walk(fault)
			}, func(_ *ycmtest.Server, a doctor.Account) {
				if a.Works != (walked == nil) {
					t.Errorf("by the report the exporter works: %v; its walk ends with the error %v:\n%s", a.Works, walked, text(t, a))
				}
			})
		})
	}
}

// walk walks the list of a YCM with a fault, as the exporter does.
func walk(fault ycmtest.Fault) error {
	s := ycmtest.New(ycmtest.Options{PBXs: 120, Seed: 1, Healthy: true})
	defer s.Close()
	s.Inject(fault)
	client := ycmclient.New(configured(s.Transport()).Client)
	defer client.Close()
	_, err := client.Walk(context.Background(), new(ycmclient.WalkState), nil, nil)
	return err
}

// However many collectors are enabled, the doctor keeps to its requests and names the collectors that it did not check.
func TestReportOfMoreCollectorsThanRequests(t *testing.T) {
	t.Parallel()
	examine(t, ycmtest.Options{PBXs: 240, Healthy: true}, func(_ *ycmtest.Server, o *doctor.Options) {
		for n := range doctor.MaxRequests {
			o.Collectors = append(o.Collectors, polling(fmt.Sprintf("added_%d", n+1)))
		}
	}, func(s *ycmtest.Server, a doctor.Account) {
		found := map[string]doctor.Finding{}
		for _, f := range a.Findings {
			found[f.Check] = f
		}
		for _, check := range []string{"login", "list", "single", "firmware", "subscription", "added_1"} {
			if f := found[check]; f.Verdict != doctor.OK {
				t.Errorf("%s: %+v, want it to be ok, whatever else is enabled", check, f)
			}
		}
		if f := found["added_25"]; f.Text != "added_25: not checked, because the doctor had no request left." {
			t.Errorf("the last collector: %+v", f)
		}
		if len(s.Requests()) != a.Requests || a.Requests != doctor.MaxRequests {
			t.Errorf("the report has %d requests, and %d were sent", a.Requests, len(s.Requests()))
		}
	})
}

// polling is a collector that makes a request of its own.
func polling(name string) collector.Configured {
	return collector.Configured{
		Collector: collector.Collector{Name: name, Endpoints: []string{ycmclient.EndpointRegions}, New: func(a collector.Account) collector.Poller { return regions{ycm: a.YCM} }},
		Schedule:  collector.Schedule{Enabled: true, Interval: time.Hour, StaleAfter: 3 * time.Hour},
	}
}

type regions struct {
	collector.Poller // of which the doctor uses no more than Poll
	ycm              *ycmclient.Client
}

func (c regions) Poll(ctx context.Context, _ func(done, total int)) (exposition.Source, error) {
	_, err := c.ycm.Regions(ctx)
	return nil, err
}

// hostile is what no report may hold, wherever the server writes it.
const hostile = "hunter2\x1b[31m"

// Whatever text a server puts wherever, the report, which people publish, does not have it.
func TestReportHasNoTextThatTheServerChose(t *testing.T) {
	t.Parallel()
	word, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	row := `{"cloudPbxId":7,"pbxStatus":"Running","sn":"hunter2","hunter2 <x>":W,"Hunter":1`
	for _, field := range []string{"name", "url", "activationStatus", "region", "version", "createTime", "plan", "hunter2"} {
		row += `,"` + field + `":W`
	}
	for name, body := range map[string]string{
		"list":    `{"status":"Success","msg":W,"requestId":W,"time":W,"access_token":"hunter2","refresh_token":"hunter2","expires_in":1800,"data":{"total":1,"pageSize":W,"list":[` + row + `}]}}`,
		"failure": `{"status":"Failed","access_token":"hunter2","code":W,"msg":W,"message":W,"errmsg":W,"error":W,"errors":[{"hunter2":W}],"detail":W}`,
		"text":    "hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			examine(t, ycmtest.Options{}, func(_ *ycmtest.Server, o *doctor.Options) {
				var all []string
				for _, c := range collector.All() {
					all = append(all, c.Name)
				}
				*o = configured(answers(strings.ReplaceAll(body, "W", string(word))), all...)
				o.Client.Account, o.Client.ClientID, o.Client.Secret = "hunter2", "hunter2-id", secret.Static(secret.New("hunter2-secret"))
				o.Client.BaseURL = &url.URL{Scheme: "https", Host: "hunter2.example.com"}
			}, func(_ *ycmtest.Server, a doctor.Account) {
				var wire bytes.Buffer
				if err := json.NewEncoder(&wire).Encode(doctor.Report{Accounts: []doctor.Account{a}}); err != nil {
					t.Fatal(err)
				}
				if report := text(t, a) + wire.String(); strings.Contains(strings.ToLower(report), "hunter") || strings.Contains(report, "\x1b") {
					t.Errorf("the report holds what the server wrote:\n%s", report)
				}
			})
		})
	}
}

// answers is a server that always sends the same body.
type answers string

func (body answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: hostile, Request: r, Body: io.NopCloser(strings.NewReader(string(body))),
		Header: http.Header{"Content-Type": {hostile}, "Retry-After": {hostile}, "X-Ratelimit-Limit": {hostile}, "Date": {hostile}},
	}, nil
}

// ignorePage serves the first page of a list for every page, as the one that was requested.
func ignorePage() ycmtest.Effect {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query, first := r.URL.Query(), r.Clone(r.Context())
			number := query.Get("pageNumber")
			query.Del("pageNumber")
			first.URL.RawQuery = query.Encode()
			ycmtest.Set("pageNumber", number)(next).ServeHTTP(w, first)
		})
	}
}
