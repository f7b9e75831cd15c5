package config_test

import (
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// account is the start of a file that lacks only its secret.
const account = `accounts:
  - name: main
    base_url: https://ycm.example.com
    client_id: demo-client-id
`

// write writes a configuration file into a folder and returns its path.
func write(t *testing.T, folder, content string) string {
	t.Helper()
	path := filepath.Join(folder, "config.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string, expandEnv bool) *config.Config {
	t.Helper()
	cfg, err := config.Load(t.Context(), path, expandEnv)
	if err != nil {
		t.Fatalf("Load(%s): got error:\n%v", path, err)
	}
	return cfg
}

func parseURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// compare compares secrets by what they hold and the rest as it is.
func compare(want, got any) string {
	return cmp.Diff(want, got,
		cmp.Transformer("Reveal", secret.Text.Reveal),
		cmp.Comparer(func(a, b promconfig.ProxyConfig) bool { return reflect.DeepEqual(a, b) }))
}

func schedule(enabled bool, interval, staleAfter time.Duration) collector.Schedule {
	return collector.Schedule{Enabled: enabled, Interval: interval, StaleAfter: staleAfter}
}

// collectors is all of them with the schedules by their names, and with the settings that they begin with.
func collectors(schedules map[string]collector.Schedule) (all config.Collectors) {
	for _, c := range collector.All() {
		configured := collector.Configured{Collector: c, Schedule: schedule(c.Schedule.Enabled, c.Schedule.Interval, 3*c.Schedule.Interval)}
		if s, ok := schedules[c.Name]; ok {
			configured.Schedule = s
		}
		if c.Settings != nil {
			configured.Settings = c.Settings()
		}
		all = append(all, configured)
	}
	return all
}

// named finds a collector by its name.
func named(t *testing.T, all config.Collectors, name string) *collector.Configured {
	t.Helper()
	i := slices.IndexFunc(all, func(c collector.Configured) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no collector %s", name)
	}
	return &all[i]
}

// setting sets a setting by the name of its field, as this test knows no type of a collector's settings.
func setting(t *testing.T, all config.Collectors, name, field string, value any) {
	t.Helper()
	content, err := yaml.Marshal(map[string]any{field: value})
	if err == nil {
		err = yaml.Unmarshal(content, named(t, all, name).Settings)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// defaults is what good/minimal.yml means.
func defaults(t *testing.T) *config.Config {
	return &config.Config{
		Accounts: []config.Account{{
			Name:            "main",
			BaseURL:         parseURL(t, "https://ycm.example.com"),
			Credentials:     config.Credentials{ClientID: "demo-client-id", ClientSecret: secret.New("demo-client-secret")},
			RateLimit:       config.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute},
			Timeout:         30 * time.Second,
			PageConcurrency: 1,
			HTTPClient:      promconfig.HTTPClientConfig{EnableHTTP2: true},
		}},
		Collectors: collectors(map[string]collector.Schedule{
			"cloud_pbx":        schedule(true, time.Minute, 10*time.Minute),
			"firmware":         schedule(true, time.Hour, 3*time.Hour),
			"subscription":     schedule(true, 15*time.Minute, 45*time.Minute),
			"users":            schedule(false, time.Hour, 3*time.Hour),
			"pbx_api":          schedule(false, 15*time.Minute, 45*time.Minute),
			"trunks":           schedule(false, 15*time.Minute, 45*time.Minute),
			"extensions":       schedule(false, 15*time.Minute, 45*time.Minute),
			"phones":           schedule(false, 6*time.Hour, 18*time.Hour),
			"capacity":         schedule(false, time.Hour, 3*time.Hour),
			"autoprovisioning": schedule(false, 24*time.Hour, 72*time.Hour),
		}),
	}
}

func TestFourLinesAreEnough(t *testing.T) {
	if diff := compare(defaults(t), load(t, "testdata/good/minimal.yml", false)); diff != "" {
		t.Errorf("the defaults are not those of the contract (-want +got):\n%s", diff)
	}
}

func TestEmptyValuesAreLeftToTheDefaults(t *testing.T) {
	if diff := compare(defaults(t), load(t, "testdata/good/defaults.yml", false)); diff != "" {
		t.Errorf("empty values are not the defaults (-want +got):\n%s", diff)
	}
}

func TestEverythingCanBeSet(t *testing.T) {
	const day = 24 * time.Hour
	secretFile, err := filepath.Abs("testdata/secret")
	if err != nil {
		t.Fatal(err)
	}
	httpClient := promconfig.HTTPClientConfig{
		TLSConfig: promconfig.TLSConfig{
			ServerName: "ycm.internal", InsecureSkipVerify: true, MinVersion: promconfig.TLSVersions["TLS12"],
		},
		ProxyConfig: promconfig.ProxyConfig{
			ProxyURL:           promconfig.URL{URL: parseURL(t, "http://user:password@proxy.example.com:3128")},
			NoProxy:            "localhost",
			ProxyConnectHeader: promconfig.ProxyHeader{"X-Gate": {"open"}},
		},
		HTTPHeaders: &promconfig.Headers{Headers: map[string]promconfig.Header{
			"X-Tenant": {Values: []string{"north"}, Secrets: []promconfig.Secret{"hidden"}, Files: []string{secretFile}},
		}},
	}
	want := &config.Config{
		Accounts: []config.Account{
			{
				Name:            "Main_1.a-b",
				BaseURL:         parseURL(t, "https://ycm.example.com:8443/central"),
				Credentials:     config.Credentials{ClientID: "0123456789", ClientSecretFile: secretFile},
				RateLimit:       config.RateLimit{Burst: 600, Rate: 300, Interval: 3 * time.Minute},
				Timeout:         10 * time.Second,
				PageConcurrency: 8,
				Search:          "north: #1",
				HTTPClient:      httpClient,
				PBXs: []config.PBX{
					{URL: parseURL(t, "https://pbx.example.yeastarcloud.com"), Credentials: config.Credentials{ClientID: "pbx-client-id", ClientSecret: secret.New("pbx-client-secret")}},
					{URL: parseURL(t, "https://pbx.example.yeastarcloud.com:8088"), Credentials: config.Credentials{ClientID: "pbx-client-id", ClientSecretFile: secretFile}},
				},
			},
			{
				Name:            "local",
				BaseURL:         parseURL(t, "http://127.0.0.1:10056"),
				Credentials:     config.Credentials{ClientID: "demo-client-id", ClientSecret: secret.New("*s\\e: #'")},
				RateLimit:       config.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute},
				Timeout:         30 * time.Second,
				PageConcurrency: 1,
				HTTPClient:      httpClient,
			},
		},
		Collectors: collectors(map[string]collector.Schedule{
			"cloud_pbx":        schedule(true, 90*time.Minute, day),
			"firmware":         schedule(false, day, 3*day),
			"subscription":     schedule(false, 15*time.Minute, 45*time.Minute),
			"users":            schedule(true, time.Hour, 7*day),
			"pbx_api":          schedule(true, 10*time.Minute, 30*time.Minute),
			"trunks":           schedule(true, 15*time.Minute, 45*time.Minute),
			"extensions":       schedule(true, 15*time.Minute, 45*time.Minute),
			"phones":           schedule(true, 6*time.Hour, 18*time.Hour),
			"capacity":         schedule(true, 30*time.Minute, 90*time.Minute),
			"autoprovisioning": schedule(true, day, 3*day),
		}),
		Metrics: config.Metrics{Exclude: []string{"ycm_cloud_pbx_feature_enabled", "ycm_(cloud_pbx_trunks_truncated|cloud_pbx_active_calls)"}},
	}
	named(t, want.Collectors, "cloud_pbx").Excluded = []string{"ycm_cloud_pbx_active_calls", "ycm_cloud_pbx_feature_enabled"}
	named(t, want.Collectors, "trunks").Excluded = []string{"ycm_cloud_pbx_trunks_truncated"}
	setting(t, want.Collectors, "firmware", "types", []string{"pbx", "cluster", "cm"})
	setting(t, want.Collectors, "autoprovisioning", "depth", "full")
	setting(t, want.Collectors, "autoprovisioning", "required_phones", []map[string]string{
		{"vendor": "Yealink", "model": "VP59"}, {"vendor": "Yealink", "model": "T54W"},
	})
	got := load(t, "testdata/good/full.yml", false)
	if diff := compare(want, got); diff != "" {
		t.Fatalf("the file is read wrongly (-want +got):\n%s", diff)
	}

	for i, want := range []string{"a-secret-of-a-file", "*s\\e: #'"} {
		if text, err := got.Accounts[i].Secret()(); err != nil || text.Reveal() != want {
			t.Errorf("secret of account %d: got %q and error %v, want %q", i, text.Reveal(), err, want)
		}
	}
	for i, want := range []string{"pbx-client-secret", "a-secret-of-a-file"} {
		if text, err := got.Accounts[0].PBXs[i].Secret()(); err != nil || text.Reveal() != want {
			t.Errorf("secret of PBX %d: got %q and error %v, want %q", i, text.Reveal(), err, want)
		}
	}
}

func TestListCanBeOffWhereEachAccountHasPBXsOfItsOwn(t *testing.T) {
	cfg := load(t, "testdata/good/without_list.yml", false)
	list, trunks := named(t, cfg.Collectors, "cloud_pbx").Schedule, named(t, cfg.Collectors, "trunks").Schedule
	if list.Enabled || !trunks.Enabled {
		t.Errorf("got cloud_pbx %v and trunks %v, want off and on", list.Enabled, trunks.Enabled)
	}
}

func TestShortIntervalsGoStaleAfterTenMinutes(t *testing.T) {
	for interval, want := range map[string]time.Duration{
		"10s": 10 * time.Minute, "3m": 10 * time.Minute, "5m": 15 * time.Minute, "30m": 90 * time.Minute,
	} {
		path := write(t, t.TempDir(), account+"    client_secret: x\ncollectors:\n  cloud_pbx: {interval: "+interval+"}\n")
		if got := named(t, load(t, path, false).Collectors, "cloud_pbx").Schedule.StaleAfter; got != want {
			t.Errorf("interval %s: got stale_after %v, want %v", interval, got, want)
		}
	}
}

func equal(a, b *config.Config) bool {
	return reflect.DeepEqual(a.Accounts, b.Accounts) &&
		slices.EqualFunc(a.Collectors, b.Collectors, collector.Configured.Equal)
}

// A reload compares accounts by reflect.DeepEqual to keep the tokens and rate limiters of those that did not change.
func TestTwoLoadsOfOneFileAreEqual(t *testing.T) {
	for _, file := range []string{"testdata/good/minimal.yml", "testdata/good/full.yml", "testdata/good/without_list.yml"} {
		first, second := load(t, file, false), load(t, file, false)
		if !equal(first, second) {
			t.Errorf("two loads of %s differ:\n%s", file, compare(first, second))
		}
	}
	minimal, full := load(t, "testdata/good/minimal.yml", false), load(t, "testdata/good/full.yml", false)
	full.Accounts[0] = minimal.Accounts[0]
	full.Accounts[0].ClientSecret = secret.New("another")
	if reflect.DeepEqual(minimal.Accounts[0], full.Accounts[0]) {
		t.Error("two accounts that differ by their secret alone are equal, want them different")
	}
}

// YCM knows one server however its address is written: what was learned of it, and its refused logins, must not be forgotten
// because a reload writes it in another way.
func TestAnAddressIsTheSameHoweverItIsWritten(t *testing.T) {
	for want, all := range map[string][]string{
		"https://ycm.example.com":      {"HTTPS://YCM.Example.com:443/", "https://ycm.example.com//", "https://ycm.example.com.:443"},
		"https://ycm.example.com:8443": {"https://YCM.example.com:8443"},
		"https://ycm.xn--mller-kva.de": {"https://ycm.müller.de", "https://YCM.MÜLLER.de.", "https://ycm.xn--mller-kva.de:443"},
		"http://127.0.0.1":             {"http://127.0.0.1:80", "HTTP://127.0.0.1:80/"},
		"http://[::1]:443/a":           {"http://[::1]:443/a/"},
	} {
		for _, written := range all {
			path := write(t, t.TempDir(), "accounts:\n  - name: main\n    base_url: "+written+"\n    client_id: id\n    client_secret: s\n")
			if got := load(t, path, false).Accounts[0].BaseURL.String(); got != want {
				t.Errorf("%s is read as %s, want %s", written, got, want)
			}
		}
	}
}

func TestVariablesOfTheEnvironment(t *testing.T) {
	vars := map[string]string{
		"NAME": "main", "HOST": "ycm.example.com", "PORT": "8443", "ID": "a:b", "NUMBER": "50", "DURATION": "45s",
		"EVIL": "\"'}\n- evil: # not YAML", "SECRET": "\"'} # not YAML", "SWITCH": "true",
	}
	for name, value := range vars {
		t.Setenv(name, value)
	}
	got := load(t, "testdata/good/env.yml", true)
	want := defaults(t)
	want.Accounts[0].BaseURL = parseURL(t, "https://ycm.example.com:8443")
	want.Accounts[0].ClientID = "$ID a:b"
	want.Accounts[0].ClientSecret = secret.New(vars["SECRET"])
	want.Accounts[0].RateLimit = config.RateLimit{Burst: 50, Rate: 50, Interval: time.Minute}
	want.Accounts[0].Search = "$5 ${NAME} $" + vars["EVIL"]
	want.Accounts[0].Timeout = 45 * time.Second
	named(t, want.Collectors, "users").Schedule.Enabled = true
	if diff := compare(want, got); diff != "" {
		t.Errorf("the variables are expanded wrongly (-want +got):\n%s", diff)
	}

	t.Setenv("YCM_EXPORTER_TEST_SECRET", "of the process")
	path := write(t, t.TempDir(), account+"    client_secret: ${YCM_EXPORTER_TEST_SECRET}\n")
	if got := load(t, path, true).Accounts[0].ClientSecret.Reveal(); got != "of the process" {
		t.Errorf("got secret %q, want that of the process's environment", got)
	}
}

// What follows # is a comment in YAML, so that "ab #c" is the secret ab.
func TestCommentDirectlyBehindASecretIsWarnedAbout(t *testing.T) {
	const headers = "client_secret: ab\n    http_client:\n      http_headers:\n        X-Gate:\n          secrets:\n"
	for secretLine, want := range map[string]string{
		"client_secret: ab #c":                        ":5: accounts[0].client_secret: has a comment directly after it",
		"client_secret: ab# c":                        "",
		headers + "            - ab #c":               ":10: accounts[0].http_client.http_headers.X-Gate.secrets[0]: has a comment directly after it",
		headers + "            - 'ab' # mine":         "",
		"client_secret: 'ab' # mine":                  "",
		"client_secret: ab\n    # of the test system": "",
	} {
		cfg := load(t, write(t, t.TempDir(), strings.TrimSuffix(account, "\n")+" # of main\n"+"    "+secretLine+"\n    timeout: 30s # short\n"), false)
		warning := ""
		for _, w := range cfg.Warnings {
			warning += w.Error()
		}
		if (warning == "") != (want == "") || !strings.Contains(warning, want) {
			t.Errorf("%s: got the warning %q, want %q", secretLine, warning, want)
		}
	}
}

// placeholders are what the example has where a value of one's own belongs, by what replaces them here.
var placeholders = map[string]string{
	"<your Client ID>":                       "demo-client-id",
	"<file with your Client Secret>":         "ycm",
	"<your proxy>":                           "proxy.example.com",
	"<file with the certificate of your CA>": "ca.pem",
	"<your PBX>":                             "pbx.example.yeastarcloud.com",
	"<Client ID of this PBX>":                "pbx-client-id",
	"<file with its Client Secret>":          "ycm",
}

// example is the example with all that is commented out in it switched on, in a folder with the files that it names.
func example(t *testing.T) (folder, content string) {
	t.Helper()
	text, err := os.ReadFile("../../config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ycm"), []byte("demo-client-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	writePEM(t, filepath.Join(folder, "ca.pem"), server.Certificate().Raw)
	return folder, regexp.MustCompile(`(?m)^( *)# ( *(- )?[a-z_]+:( |$))`).ReplaceAllString(string(text), "$1$2")
}

func replaceAll(text string, except string) string {
	for placeholder, value := range placeholders {
		if placeholder != except {
			text = strings.ReplaceAll(text, placeholder, value)
		}
	}
	return text
}

// The example is where every operator starts, so it must load, and its values must be the defaults as it says.
func TestExampleLoadsAndShowsTheDefaults(t *testing.T) {
	folder, content := example(t)
	got := load(t, write(t, folder, replaceAll(content, "")), false)

	want := defaults(t)
	want.Accounts[0].BaseURL = parseURL(t, "https://ycm.yeastar.com")
	want.Accounts[0].Credentials = config.Credentials{ClientID: "demo-client-id", ClientSecretFile: filepath.Join(folder, "ycm")}
	want.Accounts[0].HTTPClient.ProxyURL.URL = parseURL(t, "http://proxy.example.com:3128")
	want.Accounts[0].HTTPClient.TLSConfig.CAFile = filepath.Join(folder, "ca.pem")
	want.Accounts[0].PBXs = []config.PBX{{
		URL:         parseURL(t, "https://pbx.example.yeastarcloud.com"),
		Credentials: config.Credentials{ClientID: "pbx-client-id", ClientSecretFile: filepath.Join(folder, "ycm")},
	}}
	setting(t, want.Collectors, "autoprovisioning", "required_phones", []map[string]string{{"vendor": "Yealink", "model": "VP59"}})
	if diff := compare(want, got); diff != "" {
		t.Errorf("the example differs from the defaults (-want +got):\n%s", diff)
	}
}

// A placeholder that was forgotten must not reach YCM: as a Client ID, it would be refused there, and too often.
func TestEachPlaceholderOfTheExampleIsRefused(t *testing.T) {
	folder, content := example(t)
	found := slices.Compact(slices.Sorted(slices.Values(regexp.MustCompile(`<[^>\n]+>`).FindAllString(content, -1))))
	if want := slices.Sorted(maps.Keys(placeholders)); !slices.Equal(found, want) {
		t.Errorf("the example has the placeholders %q, want %q: write a value for each new one into this test", found, want)
	}
	for _, placeholder := range found {
		_, err := config.Load(t.Context(), write(t, folder, replaceAll(content, placeholder)), false)
		if err == nil || !strings.Contains(err.Error(), "has a <placeholder>; replace it") {
			t.Errorf("with %s: got error %v, want that a placeholder was left", placeholder, err)
		}
	}
}

// Without --config.expand-env, values are what is written: a secret may have any $ that does not look like a variable.
func TestDollarSignsAreKeptWithoutExpandEnv(t *testing.T) {
	for _, want := range []string{"a$$b", "$$", "$${ID}", "5$", "$ID", "a${b", "${", "$$$"} {
		if got := load(t, write(t, t.TempDir(), account+"    client_secret: '"+want+"'\n"), false).Accounts[0].ClientSecret.Reveal(); got != want {
			t.Errorf("the secret %q is read as %q", want, got)
		}
	}
}
