package collector

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/config"
)

// fixtures is a YCM whose answers are the files of testdata/api: the vendor's two example records, and a PBX, a user
// or a firmware for each oddity that answers are known or feared to have.
func fixtures(t *testing.T) *url.URL {
	mux := http.NewServeMux()
	for pattern, file := range map[string]string{
		"POST /dm/open_api/oauth/token":                      "token",
		"GET /dm/open_api/v2/cloud_pbx/instances":            "cloud_pbx",
		"GET /dm/open_api/v1/cluster/regions":                "regions",
		"GET /dm/open_api/v1/firmware":                       "firmware",
		"GET /dm/open_api/v1/subscription":                   "subscription",
		"GET /dm/open_api/v1/subscription/plan_statistics":   "plan_statistics",
		"GET /dm/open_api/v1/subscription/rm_connections":    "rm_connections",
		"GET /dm/open_api/v2/users":                          "users",
		"GET /dm/open_api/v1/users/205/subscription_info":    "user_205",
		"GET /dm/open_api/v1/users/31/subscription_info":     "denied",
		"GET /dm/open_api/v1/users/{user}/subscription_info": "not_found",
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			http.ServeFile(w, r, filepath.Join("testdata", "api", file+".json"))
		})
	}
	mux.HandleFunc("GET /dm/open_api/v1/cloud_pbx/{sn}/openapi/v1.0/{path...}", fixturePBX)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// everything enables all collectors that ask YCM alone.
func everything() config.Collectors {
	hourly := every(time.Hour, 3*time.Hour)
	return config.Collectors{
		CloudPBX: hourly, Firmware: config.Firmware{Schedule: hourly, Types: []string{"pbx"}}, Subscription: hourly, Users: hourly,
	}
}

// everythingOfPBXs enables those that ask the PBXs too.
func everythingOfPBXs() config.Collectors {
	c := everything()
	c.PBXAPI, c.Trunks, c.Autoprovisioning.Schedule = c.CloudPBX, c.CloudPBX, c.CloudPBX
	c.Autoprovisioning.Depth = "full"
	c.Autoprovisioning.RequiredPhones = []config.Phone{
		{Vendor: "yealink", Model: "cp920"},
		{Vendor: "Alcatel-Lucent Enterprise", Model: "h3"},
		{Vendor: "Yealink", Model: "VP59"},
		{Vendor: "Cisco", Model: "CP-8811"},
	}
	return c
}

// golden compares with a file of testdata, or with -update rewrites it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if that is meant, go test ./collector -update:\n%s", path, diff)
	}
}

// What the fixtures' JSON becomes, to the letter.
func TestGoldenExpositions(t *testing.T) {
	b := newBench(t)
	b.connect(t, fixtures(t), &http.Transport{}, everythingOfPBXs())
	if err := b.Once(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	// The age of a backup grows while the test is not run; one that is yet to come has the age 0.
	age := regexp.MustCompile(`(?m)^(ycm_cloud_pbx_backup_age_seconds\{.*\}) [1-9]\S+$`)
	for _, name := range collectorNames() {
		source := b.shelf.serves(name)
		if source == nil {
			t.Fatalf("no snapshot of %s", name)
		}
		checkOrder(t, source)
		shown := exposed(t, source)
		for _, private := range []string{"Given", "creator@example.com", "user@example.com", "fixture-access-token", "fixture-provisioning-link", "sip.example.com"} {
			if strings.Contains(shown, private) {
				t.Errorf("the metrics of %s show %q", name, private)
			}
		}
		golden(t, name+".metrics", age.ReplaceAllString(shown, "$1 AGE"))
	}
	var unexpected strings.Builder
	for line := range strings.Lines(text(t, b.registry)) {
		if strings.HasPrefix(line, "ycm_api_unexpected_values_total{") {
			unexpected.WriteString(line)
		}
	}
	golden(t, "unexpected.metrics", unexpected.String())
}
