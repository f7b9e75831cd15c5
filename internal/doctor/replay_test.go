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
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// served is a transport to a handler.
type served struct{ http.Handler }

func (s served) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if cut := recover(); cut != nil {
			if answer, err = nil, r.Context().Err(); err == nil {
				err = io.ErrUnexpectedEOF
			}
		}
	}()
	time.Sleep(latency)
	w := httptest.NewRecorder()
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// replayed checks the only account of a capture.
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
	o.Client.BaseURL = o.Client.BaseURL.JoinPath("1")
	a, err := doctor.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Each capture in testdata/captures is a YCM that is in use. The report of it stays as it is beside it: a capture from a
// bug report is put there, and -update writes the report.
func TestReportsOfCaptures(t *testing.T) {
	t.Parallel()
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

// A maintainer who replays a user's capture sees the user's report, word for word.
func TestReportOfReplayIsThatOfTheOriginal(t *testing.T) {
	t.Parallel()
	inject := func(at ycmtest.Endpoint, effect ycmtest.Effect) func(*ycmtest.Server) {
		return func(s *ycmtest.Server) { s.Inject(ycmtest.Fault{Endpoint: at, Effect: effect}) }
	}
	deviating := ycmtest.Listing{PageSize: 20, Order: ycmtest.Falling, TotalOff: 1, PastEnd: ycmtest.LastPage, TextIDs: true}
	for name, c := range map[string]struct {
		options ycmtest.Options
		prepare func(*ycmtest.Server)
		secret  string
		want    string // so that the report is the one that is meant
	}{
		"as documented":           {options: ycmtest.Options{Healthy: true}, want: "The complete list was read: 200 PBXs."},
		"with incidents":          {want: "The complete list was read: 200 PBXs."},
		"of one page":             {options: ycmtest.Options{PBXs: 30}, want: "The complete list was read: 30 PBXs."},
		"of a long list":          {options: ycmtest.Options{PBXs: 1000}, want: "Only a part of its 1000 PBXs was read"},
		"with deviations":         {options: ycmtest.Options{PBXs: 1000, Listing: deviating}, prepare: inject(ycmtest.Subscription, ycmtest.Failure(1000042, ycmtest.Shape{})), want: "subscription: fails: HTTP 403"},
		"with the wrong secret":   {secret: "wrong", want: "The login fails"},
		"that is not YCM":         {prepare: inject("", ycmtest.HTML(http.StatusOK)), want: "HTML page instead of JSON"},
		"that cuts a connection":  {prepare: inject(ycmtest.Subscription, ycmtest.Reset()), want: "the connection was closed"},
		"that hangs":              {prepare: inject(ycmtest.Subscription, ycmtest.Hang()), want: "there was none within the timeout"},
		"that limits the account": {prepare: inject(ycmtest.Regions, ycmtest.Failure(1000040, ycmtest.Shape{})), want: "because of its rate limit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c.options.Seed = 1
				s := ycmtest.New(c.options)
				defer s.Close()
				if c.prepare != nil {
					c.prepare(s)
				}
				file := filepath.Join(t.TempDir(), "capture.jsonl.gz")
				recorder, err := capture.NewRecorder(file, "1.2.3", ycmclient.RecordFields(), pbxclient.RecordFields())
				if err != nil {
					t.Fatal(err)
				}
				o := configured(recorder.Transport(served{s}))
				if c.secret != "" {
					o.Client.Secret = secret.Static(secret.New(c.secret))
				}
				original, err := doctor.Examine(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				if err := recorder.Close(); err != nil {
					t.Fatal(err)
				}
				contains(t, original, c.want)
				if diff := cmp.Diff(text(t, original), text(t, replayed(t, file))); diff != "" {
					t.Errorf("the report of the replay differs (-original +replay):\n%s", diff)
				}
			})
		})
	}
}
