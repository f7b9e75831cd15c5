package capture_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ycm-exporter/ycm_exporter/capture"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The demo's whole fleet is asked for everything, and its capture is searched for every name, serial number and address.
func TestACaptureOfTheDemoTellsNobodysName(t *testing.T) {
	synctest.Test(t, searchDemo) // There, no time passes between the capture and its replay.
}

func searchDemo(t *testing.T) {
	s := ycmtest.New(ycmtest.Options{Seed: 1})
	defer s.Close()
	file := filepath.Join(t.TempDir(), "demo.jsonl")
	r, err := capture.NewRecorder(file, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	c := ycmclient.New(ycmclient.Options{
		Account: "demo", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, ClientID: "demo-client-id",
		Secret:    secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: 60e9}, Transport: r.Transport("demo", s.Transport()),
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
	for i := range list.PBXs {
		if _, err := c.CloudPBX(t.Context(), list.PBXs[i].ID); err != nil {
			t.Fatal(err)
		}
		pbx := pbxclient.Proxied(c, "demo", list.PBXs[i].SN)
		_, _ = pbx.SystemInformation(t.Context()) // Some PBXs refuse, which is captured as well.
		_, _ = pbx.Trunks(t.Context())
	}
	if err := r.Write(); err != nil {
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
	if searched < 1600 {
		t.Errorf("only %d texts were searched for", searched)
	}

	// What it has is the whole fleet, all the same.
	captured, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	replay, err := ycmtest.NewReplay(captured)
	if err != nil {
		t.Fatal(err)
	}
	again := ycmclient.New(ycmclient.Options{
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
			t.Errorf("the plan of PBX %d ends at %d and did at %d", i+1, is.PlanExpiration, was.PlanExpiration)
		}
	}
}

// served is a transport to a handler.
type served struct{ handler http.Handler }

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result(), nil
}
