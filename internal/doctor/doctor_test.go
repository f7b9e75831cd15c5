package doctor_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

var update = flag.Bool("update", false, "rewrite the reports in testdata")

// configured is an account as a new user has it: the defaults.
func configured(transport http.RoundTripper) doctor.Options {
	o := doctor.Options{
		BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}, Timeout: 30 * time.Second, PageConcurrency: 1,
		Transport: transport, UserAgent: "test", Progress: func(int, int) {},
	}
	for _, c := range collector.All() {
		schedule := c.Schedule
		schedule.StaleAfter = max(10*time.Minute, 3*schedule.Interval)
		configured := collector.Configured{Collector: c, Schedule: schedule}
		if c.Settings != nil {
			configured.Settings = c.Settings()
		}
		o.Collectors = append(o.Collectors, configured)
	}
	return o
}

// examine looks at a YCM in a world of its own, whose clock costs nothing.
func examine(t *testing.T, with ycmtest.Options, prepare func(*ycmtest.Server, *doctor.Options), check func(*ycmtest.Server, doctor.Account)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		with.Seed, with.Latency = 1, latency
		s := ycmtest.New(with)
		defer s.Close()
		o := configured(s.Transport())
		if prepare != nil {
			prepare(s, &o)
		}
		began := time.Now()
		a, err := doctor.Examine(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		keptToRules(t, s, o, began)
		check(s, a)
	})
}

// keptToRules fails if the doctor asked more, faster or otherwise than it may.
func keptToRules(t *testing.T, s *ycmtest.Server, o doctor.Options, began time.Time) {
	t.Helper()
	logins, last := 0, began
	gap := 5 * o.RateLimit.Interval / time.Duration(o.RateLimit.Rate)
	requests := s.Requests()
	for _, r := range requests {
		if r.Method != http.MethodGet && (r.Method != http.MethodPost || r.Endpoint != ycmtest.Token) {
			t.Errorf("%s %s was sent", r.Method, r.Path)
		}
		if r.Endpoint == ycmtest.Token {
			logins++
		}
		if came := r.Time.Sub(last); came < gap-time.Millisecond {
			t.Errorf("%s %s came %v after the request before it; a fifth of the rate allows one each %v", r.Method, r.Path, came, gap)
		}
		last = r.Time
	}
	if len(requests) > doctor.MostRequests {
		t.Errorf("%d requests were sent, and %d may be", len(requests), doctor.MostRequests)
	}
	if logins > 2 {
		t.Errorf("%d tokens were asked for: a login and a refresh are allowed", logins)
	}
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("what an exporter must never ask was asked: %v", v)
	}
}

func text(t *testing.T, a doctor.Account) string {
	t.Helper()
	var b bytes.Buffer
	if err := (&doctor.Report{Version: "1.2.3", Works: a.Works, Accounts: []doctor.Account{a}}).WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares a report with the one in testdata.
func golden(t *testing.T, name string, a doctor.Account) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	got := text(t, a)
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
		t.Errorf("the report is not that of %s (-want +got):\n%s", file, diff)
	}
}

func TestReportOfAYCMAsDocumented(t *testing.T) {
	examine(t, ycmtest.Options{Healthy: true}, nil, func(_ *ycmtest.Server, a doctor.Account) {
		golden(t, "documented", a)
		if !a.Works {
			t.Error("the exporter works with such a YCM, and the report says no")
		}
	})
}

func TestReportOfAYCMWithFiveDeviations(t *testing.T) {
	listing := ycmtest.Listing{PageSize: 20, Order: ycmtest.Falling, TotalOff: 1, PastEnd: ycmtest.LastPage, TextIDs: true}
	examine(t, ycmtest.Options{PBXs: 1000, Listing: listing}, func(s *ycmtest.Server, _ *doctor.Options) {
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.Users, Effect: ycmtest.Failure(1000042, ycmtest.Shape{Body: ycmtest.ErrNo})})
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Set("pbxStatus", `"Migrating"`)})
	}, func(_ *ycmtest.Server, a doctor.Account) {
		golden(t, "deviating", a)
		if !a.Works {
			t.Error("the exporter works with such a YCM, and the report says no")
		}
	})
}

// A login that follows one of another account, which was refused, waits the minute that keeps YCM from blocking the address;
// beyond that the report says when the next may be tried, and if none will be.
func TestReportOfALoginThatMustWait(t *testing.T) {
	for _, c := range []struct {
		name     string
		refusals int
		want     string
	}{
		{"one refusal", 1, "The login (client_credentials) succeeds"},
		{"four", 4, "The login was not tried, and will not be before 2000-01-01T01:00:00Z, so that YCM does not block this address (refused logins in a row: 4)."},
		{"five", 5, "The login was not tried, and will not be before the credentials change, so that YCM does not block this address (refused logins in a row: 5)."},
	} {
		t.Run(c.name, func(t *testing.T) {
			examine(t, ycmtest.Options{PBXs: 30}, func(_ *ycmtest.Server, o *doctor.Options) {
				o.Servers = ycmclient.NewServers(refusals(c.refusals))
			}, func(_ *ycmtest.Server, a doctor.Account) {
				if report := strings.Join(strings.Fields(text(t, a)), " "); !strings.Contains(report, c.want) {
					t.Errorf("the report does not tell %q:\n%s", c.want, text(t, a))
				}
			})
		})
	}
}

// refusals is a store that knows of so many refused logins of another account, the last one just now.
type refusals int

func (refusals) Budget(string, string) (l ycmclient.Level, ok bool) { return l, false }
func (refusals) SaveBudget(string, string, ycmclient.Level)         {}
func (refusals) SaveLogins(string, yeastar.LoginState)              {}

func (n refusals) Logins(string) (yeastar.LoginState, bool) {
	return yeastar.LoginState{Clients: map[string]yeastar.ClientState{"other": {Refusals: int(n), Refused: time.Now()}}}, true
}

// A server that is no YCM answers with a page for people, whatever it is asked.
func TestReportOfAServerThatIsNoYCM(t *testing.T) {
	examine(t, ycmtest.Options{}, func(_ *ycmtest.Server, o *doctor.Options) {
		o.Transport = answers(func(*http.Request) string { return "<html><body>Welcome to the router</body></html>" })
	}, func(_ *ycmtest.Server, a doctor.Account) {
		golden(t, "no-ycm", a)
		if a.Works {
			t.Error("the exporter cannot work there, and the report says yes")
		}
		if a.Requests != 1 {
			t.Errorf("%d requests were sent to a server that is no YCM, and 1 tells that", a.Requests)
		}
	})
}

// answers is a server that says the same thing in each field that the doctor reads.
type answers func(*http.Request) string

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", Request: r, Header: http.Header{"Content-Type": {"text/html"}, "Retry-After": {hostile}, "X-Ratelimit-Limit": {hostile}},
		Body: io.NopCloser(strings.NewReader(f(r))),
	}, nil
}

// hostile is what no report may hold, wherever the server writes it.
const hostile = "hunter2\x1b[31m"

// Whatever text a server puts wherever, the report, which people paste into public places, does not have it.
func TestReportHasNoTextThatTheServerChose(t *testing.T) {
	word, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	fields := []string{"cloudPbxName", "sn", "pbxStatus", "activationStatus", "region", "version", "createTime", "companyName", "hunter2 <x>", "plan", "status2"}
	row := `{"cloudPbxId":7,"pbxStatus":"Running"`
	for _, f := range fields {
		name, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		row += "," + string(name) + ":" + string(word)
	}
	row += "}"
	for name, body := range map[string]string{
		"of a list":    `{"status":"Success","msg":W,"requestId":W,"time":W,"access_token":"hunter2","refresh_token":"hunter2","expires_in":1800,"data":{"total":1,"pageSize":W,"list":[` + row + `]}}`,
		"of a failure": `{"status":"Failed","access_token":"hunter2","code":W,"msg":W,"message":W,"errmsg":W,"error":W,"errors":[{"hunter2":W}],"detail":W}`,
		"of no JSON":   "hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			examine(t, ycmtest.Options{}, func(_ *ycmtest.Server, o *doctor.Options) {
				o.ClientID, o.Secret = "hunter2-id", secret.Static(secret.New("hunter2-secret"))
				o.BaseURL = &url.URL{Scheme: "https", Host: "hunter2.example.com"}
				o.Transport = answers(func(*http.Request) string { return strings.ReplaceAll(body, "W", string(word)) })
			}, func(_ *ycmtest.Server, a doctor.Account) {
				var wire bytes.Buffer
				if err := (&doctor.Report{Accounts: []doctor.Account{a}}).WriteJSON(&wire); err != nil {
					t.Fatal(err)
				}
				if report := text(t, a) + wire.String(); strings.Contains(report, "hunter2") || strings.Contains(report, "\x1b") {
					t.Errorf("the report holds what the server wrote:\n%s", report)
				}
			})
		})
	}
}
