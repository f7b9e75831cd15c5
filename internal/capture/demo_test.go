package capture_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// Everything is queried of the demo's fleet, and the capture is searched for every name, serial number and address.
func TestCaptureOfDemoHoldsNoNamesAndReplaysTheFleet(t *testing.T) {
	synctest.Test(t, captureDemo) // There, no time passes between the capture and its replay.
}

func captureDemo(t *testing.T) {
	s := ycmtest.New(ycmtest.Options{Seed: 1})
	defer s.Close()
	server := &spy{RoundTripper: s.Transport(), texts: map[string]bool{}}
	file := filepath.Join(t.TempDir(), "demo.jsonl")
	r, err := capture.NewRecorder(file, "1.2.3", ycmclient.RecordFields(), pbxclient.RecordFields())
	if err != nil {
		t.Fatal(err)
	}
	c := ycmclient.New(ycmclient.Options{
		Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
		Account: "demo", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, ClientID: "demo-client-id",
		Secret:    secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: 60e9}, Transport: r.Transport(server),
	})
	list, err := c.Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	users, err := c.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if _, err := c.UserSubscription(t.Context(), u.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range []func() error{
		func() error { _, err := c.Subscription(t.Context()); return err },
		func() error { _, err := c.PlanStatistics(t.Context()); return err },
		func() error { _, err := c.RemoteConnections(t.Context()); return err },
		func() error { _, err := c.Regions(t.Context()); return err },
		func() error { _, err := c.Firmware(t.Context(), "pbx"); return err },
	} {
		if err := query(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range list.PBXs {
		if _, err := c.CloudPBX(t.Context(), list.PBXs[i].ID); err != nil {
			t.Fatal(err)
		}
		pbx := pbxclient.Proxied(c, "demo", list.PBXs[i].SN)
		_, _ = pbx.SystemInformation(t.Context()) // The errors of some PBXs are captured as well.
		_, _ = pbx.Trunks(t.Context())
		if i < 30 {
			_, _ = pbx.Capacity(t.Context())
			_, _ = pbx.Extensions(t.Context())
			_, _ = pbx.Phones(t.Context())
			_, _ = pbx.PhoneTemplates(t.Context(), "T54W")
			_, _ = pbx.ProvisioningMethods(t.Context(), "yealink", "T54W")
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.ToLower(string(content))
	searched := 0
	absent := func(what, text string) {
		t.Helper()
		searched++
		if len(text) > 3 && strings.Contains(all, strings.ToLower(text)) {
			t.Errorf("the capture has the %s %q", what, text)
		}
	}
	for _, p := range s.PBXs() {
		absent("name", p.Name)
		absent("name, as JSON has it", strings.Trim(strconv.QuoteToASCII(p.Name), `"`))
		absent("serial number", p.SN)
		absent("address", p.URL)
		absent("region", p.Region)
		absent("creator", p.Creator.Email)
		absent("creator", p.Creator.LastName)
		absent("creator", p.Creator.FirstName)
		absent("template", p.LastUsedTemplate)
		for _, trunk := range p.Trunks {
			absent("trunk", trunk.Name)
		}
	}
	for _, u := range users {
		absent("company", u.Company)
	}
	for _, token := range append(s.Tokens(), "demo-client-secret", "demo-client-id", "ycm.example.com") {
		absent("secret", token)
	}
	shown := textsOf(string(content)) // All other texts, as e-mail addresses, telephone numbers and links.
	for text := range server.texts {
		searched++
		_, err := strconv.ParseUint(text, 10, 32)
		if shown[text] && err != nil && !capture.Allowed(text) {
			t.Errorf("the capture has the text %q", text)
		}
	}
	if len(shown) < 1000 {
		t.Errorf("only %d texts were found in the capture", len(shown))
	}
	if searched < 5000 {
		t.Errorf("only %d texts were searched for", searched)
	}

	captured, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	replay, err := ycmtest.NewReplay(captured)
	if err != nil {
		t.Fatal(err)
	}
	again := ycmclient.New(ycmclient.Options{
		Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
		Account: "replay", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com", Path: "/1"}, ClientID: "anybody",
		Secret:    secret.Static(secret.New("anything")),
		RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: 60e9}, Transport: served{replay},
	})
	replayed, err := again.Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(replayed.PBXs) != len(list.PBXs) || replayed.Total != list.Total {
		t.Fatalf("%d of %d PBXs are replayed, with a total of %d", len(replayed.PBXs), len(list.PBXs), replayed.Total)
	}
	for i := range replayed.PBXs {
		was, is := list.PBXs[i], replayed.PBXs[i]
		if was.Status != is.Status || was.Version != is.Version || was.ExtensionCapacity != is.ExtensionCapacity || was.ActiveCalls != is.ActiveCalls {
			t.Errorf("PBX %d was %+v and is %+v", i+1, was, is)
		}
		if was.PlanExpiration != is.PlanExpiration {
			t.Errorf("the plan of PBX %d expires at %d, want %d", i+1, is.PlanExpiration, was.PlanExpiration)
		}
	}
}

// spy collects all texts that answers have.
type spy struct {
	http.RoundTripper
	texts map[string]bool
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	maps.Copy(s.texts, textsOf(string(body)))
	return response, err
}

// textsOf is the texts of JSON, without the names of fields.
func textsOf(content string) map[string]bool {
	texts := map[string]bool{}
	for _, quoted := range regexp.MustCompile(`"(?:[^"\\]|\\.)*":?`).FindAllString(content, -1) {
		if text, err := strconv.Unquote(quoted); err == nil && len(text) > 2 {
			texts[text] = true
		}
	}
	return texts
}

// served is a transport to a handler.
type served struct{ handler http.Handler }

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result(), nil
}
