package doctor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// latency is how long every server here takes to answer.
const latency = 120 * time.Millisecond

// served is a transport to a handler.
type served struct{ http.Handler }

func (s served) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if cut := recover(); cut != nil {
			answer, err = nil, io.ErrUnexpectedEOF
		}
	}()
	time.Sleep(latency)
	w := httptest.NewRecorder()
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// replayed looks at the only account of a capture.
func replayed(t *testing.T, file string) doctor.Account {
	t.Helper()
	c, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	replay, err := ycmtest.NewReplay(c)
	if err != nil {
		t.Fatal(err)
	}
	o := configured(served{replay})
	o.BaseURL = o.BaseURL.JoinPath("1")
	a, err := doctor.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Each capture in testdata/captures is a YCM that somebody has met. The doctor's report of it stays as it is beside it: a
// capture from a bug report is dropped there, and -update writes the report.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/*.jsonl*")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no captures: %v", err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { golden(t, filepath.Join("captures", name), replayed(t, file)) })
		})
	}
}

// Whoever replays a stranger's capture sees what the stranger saw: the report is the same, word for word.
func TestTheReportOfAReplayIsTheReportOfTheOriginal(t *testing.T) {
	denied := func(s *ycmtest.Server) {
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.Users, Effect: ycmtest.Failure(1000042, ycmtest.Shape{Body: ycmtest.ErrNo})})
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Set("pbxStatus", `"Migrating"`)})
	}
	inject := func(at ycmtest.Endpoint, effect ycmtest.Effect) func(*ycmtest.Server) {
		return func(s *ycmtest.Server) { s.Inject(ycmtest.Fault{Endpoint: at, Effect: effect}) }
	}
	deviating := ycmtest.Listing{PageSize: 20, Order: ycmtest.Falling, TotalOff: 1, PastEnd: ycmtest.LastPage, TextIDs: true}
	for name, c := range map[string]struct {
		options ycmtest.Options
		prepare func(*ycmtest.Server)
		secret  string
		want    string // What the report tells, so that it is the one that is meant.
	}{
		"as documented":               {options: ycmtest.Options{Healthy: true}, want: "200 of them were looked at"},
		"in trouble":                  {want: "200 of them were looked at"},
		"of one page":                 {options: ycmtest.Options{PBXs: 30}, want: "30 of them were looked at"},
		"of both ends of a long list": {options: ycmtest.Options{PBXs: 1000}, want: "YCM counts 1000 PBXs; 200 of them"},
		"with deviations":             {options: ycmtest.Options{PBXs: 1000, Listing: deviating}, prepare: denied, want: "Ids are strings"},
		"with the wrong secret":       {secret: "wrong", want: "The login (client_credentials) is refused"},
		"that is no YCM":              {prepare: inject("", ycmtest.HTML(http.StatusOK)), want: "text/html in the place of JSON"},
		"that cuts a connection":      {prepare: inject(ycmtest.Subscription, ycmtest.Reset()), want: "the connection broke"},
		"whose rate limit is overrun": {prepare: inject(ycmtest.Regions, ycmtest.Failure(1000040, ycmtest.Shape{})), want: "rate limit was overrun"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.options.Seed = 1
				s := ycmtest.New(c.options)
				defer s.Close()
				if c.prepare != nil {
					c.prepare(s)
				}
				file := filepath.Join(t.TempDir(), "capture.jsonl.gz")
				recorder, err := capture.NewRecorder(file, "1.2.3")
				if err != nil {
					t.Fatal(err)
				}
				o := configured(recorder.Transport("main", served{s}))
				if c.secret != "" {
					o.Secret = secret.Static(secret.New(c.secret))
				}
				original, err := doctor.Examine(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				if err := recorder.Write(); err != nil {
					t.Fatal(err)
				}
				want := text(t, original)
				if !strings.Contains(strings.Join(strings.Fields(want), " "), c.want) {
					t.Errorf("the original's report does not tell %q:\n%s", c.want, want)
				}
				if diff := cmp.Diff(want, text(t, replayed(t, file))); diff != "" {
					t.Errorf("the report of the replay differs (-original +replay):\n%s", diff)
				}
			})
		})
	}
}
