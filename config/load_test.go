package config_test

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/secret"
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

// content is a configuration with its collectors by name.
type content struct {
	Accounts   []config.Account
	Collectors config.Collectors
}

func load(t *testing.T, path string, opts config.Options) *content {
	t.Helper()
	cfg, err := config.Load(path, opts)
	if err != nil {
		t.Fatalf("Load(%s): got error:\n%v", path, err)
	}
	c := &content{Accounts: cfg.Accounts}
	schedules := map[string]*config.Schedule{
		"cloud_pbx": &c.Collectors.CloudPBX, "firmware": &c.Collectors.Firmware.Schedule, "subscription": &c.Collectors.Subscription,
		"users": &c.Collectors.Users, "pbx_api": &c.Collectors.PBXAPI, "trunks": &c.Collectors.Trunks,
		"autoprovisioning": &c.Collectors.Autoprovisioning.Schedule,
	}
	settings := map[string]any{"firmware": &c.Collectors.Firmware, "autoprovisioning": &c.Collectors.Autoprovisioning}
	for _, one := range cfg.Collectors {
		if one.Settings != nil {
			written, err := yaml.Marshal(one.Settings)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(written, settings[one.Name]); err != nil {
				t.Fatal(err)
			}
		}
		*schedules[one.Name] = one.Schedule
	}
	return c
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

// defaults is what good/minimal.yml means.
func defaults(t *testing.T) *content {
	return &content{
		Accounts: []config.Account{{
			Name:            "main",
			BaseURL:         parseURL(t, "https://ycm.example.com"),
			ClientID:        "demo-client-id",
			ClientSecret:    secret.New("demo-client-secret"),
			RateLimit:       config.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute},
			Timeout:         30 * time.Second,
			PageConcurrency: 1,
			HTTPClient:      promconfig.HTTPClientConfig{EnableHTTP2: true},
		}},
		Collectors: config.Collectors{
			CloudPBX:     config.Schedule{Enabled: true, Interval: time.Minute, StaleAfter: 10 * time.Minute},
			Firmware:     config.Firmware{Schedule: config.Schedule{Enabled: true, Interval: time.Hour, StaleAfter: 3 * time.Hour}, Types: []string{"pbx"}},
			Subscription: config.Schedule{Enabled: true, Interval: 15 * time.Minute, StaleAfter: 45 * time.Minute},
			Users:        config.Schedule{Interval: time.Hour, StaleAfter: 3 * time.Hour},
			PBXAPI:       config.Schedule{Interval: 5 * time.Minute, StaleAfter: 15 * time.Minute},
			Trunks:       config.Schedule{Interval: 15 * time.Minute, StaleAfter: 45 * time.Minute},
			Autoprovisioning: config.Autoprovisioning{
				Schedule: config.Schedule{Interval: 24 * time.Hour, StaleAfter: 72 * time.Hour}, Depth: "models", RequiredPhones: []config.Phone{},
			},
		},
	}
}

func TestFourLinesAreEnough(t *testing.T) {
	if diff := compare(defaults(t), load(t, "testdata/good/minimal.yml", config.Options{})); diff != "" {
		t.Errorf("the defaults are not those of the contract (-want +got):\n%s", diff)
	}
}

func TestEmptyValuesAreLeftToTheDefaults(t *testing.T) {
	if diff := compare(defaults(t), load(t, "testdata/good/defaults.yml", config.Options{})); diff != "" {
		t.Errorf("empty values are not the defaults (-want +got):\n%s", diff)
	}
}

func TestEverythingCanBeSet(t *testing.T) {
	const day = 24 * time.Hour
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
			"X-Tenant": {Values: []string{"north"}, Secrets: []promconfig.Secret{"hidden"}, Files: []string{"testdata/secret"}},
		}},
	}
	want := &content{
		Accounts: []config.Account{
			{
				Name:             "Main_1.a-b",
				BaseURL:          parseURL(t, "https://ycm.example.com:8443/central"),
				ClientID:         "0123456789",
				ClientSecretFile: "testdata/secret",
				RateLimit:        config.RateLimit{Burst: 600, Rate: 300, Interval: 3 * time.Minute},
				Timeout:          10 * time.Second,
				PageConcurrency:  8,
				Search:           "north: #1",
				HTTPClient:       httpClient,
				PBXs: []config.PBX{
					{URL: parseURL(t, "https://pbx.example.yeastarcloud.com"), ClientID: "pbx-client-id", ClientSecret: secret.New("pbx-client-secret")},
					{URL: parseURL(t, "https://pbx.example.yeastarcloud.com:8088"), ClientID: "pbx-client-id", ClientSecretFile: "testdata/secret"},
				},
			},
			{
				Name:            "local",
				BaseURL:         parseURL(t, "http://127.0.0.1:10056"),
				ClientID:        "demo-client-id",
				ClientSecret:    secret.New("*s\\e: #'"),
				RateLimit:       config.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute},
				Timeout:         30 * time.Second,
				PageConcurrency: 1,
				HTTPClient:      httpClient,
			},
		},
		Collectors: config.Collectors{
			CloudPBX:     config.Schedule{Enabled: true, Interval: 90 * time.Minute, StaleAfter: day},
			Firmware:     config.Firmware{Schedule: config.Schedule{Interval: day, StaleAfter: 3 * day}, Types: []string{"pbx", "cluster", "cm"}},
			Subscription: config.Schedule{Interval: 15 * time.Minute, StaleAfter: 45 * time.Minute},
			Users:        config.Schedule{Enabled: true, Interval: time.Hour, StaleAfter: 7 * day},
			PBXAPI:       config.Schedule{Enabled: true, Interval: 10 * time.Minute, StaleAfter: 30 * time.Minute},
			Trunks:       config.Schedule{Enabled: true, Interval: 15 * time.Minute, StaleAfter: 45 * time.Minute},
			Autoprovisioning: config.Autoprovisioning{
				Schedule: config.Schedule{Enabled: true, Interval: day, StaleAfter: 3 * day}, Depth: "full",
				RequiredPhones: []config.Phone{{Vendor: "Yealink", Model: "VP59"}, {Vendor: "Yealink", Model: "T54W"}},
			},
		},
	}
	got := load(t, "testdata/good/full.yml", config.Options{})
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
	cfg := load(t, "testdata/good/without_list.yml", config.Options{})
	if cfg.Collectors.CloudPBX.Enabled || !cfg.Collectors.Trunks.Enabled {
		t.Errorf("got cloud_pbx %v and trunks %v, want off and on", cfg.Collectors.CloudPBX.Enabled, cfg.Collectors.Trunks.Enabled)
	}
}

func TestShortIntervalsGoStaleAfterTenMinutes(t *testing.T) {
	for interval, want := range map[string]time.Duration{
		"10s": 10 * time.Minute, "3m": 10 * time.Minute, "5m": 15 * time.Minute, "30m": 90 * time.Minute,
	} {
		path := write(t, t.TempDir(), account+"    client_secret: x\ncollectors:\n  cloud_pbx: {interval: "+interval+"}\n")
		if got := load(t, path, config.Options{}).Collectors.CloudPBX.StaleAfter; got != want {
			t.Errorf("interval %s: got stale_after %v, want %v", interval, got, want)
		}
	}
}

// A reload compares accounts by reflect.DeepEqual to keep the tokens and budgets of those that did not change.
func TestTwoLoadsOfOneFileAreEqual(t *testing.T) {
	for _, file := range []string{"testdata/good/minimal.yml", "testdata/good/full.yml", "testdata/good/without_list.yml"} {
		first, second := load(t, file, config.Options{}), load(t, file, config.Options{})
		if !reflect.DeepEqual(first, second) {
			t.Errorf("two loads of %s differ:\n%s", file, compare(first, second))
		}
	}
	minimal, full := load(t, "testdata/good/minimal.yml", config.Options{}), load(t, "testdata/good/full.yml", config.Options{})
	full.Accounts[0] = minimal.Accounts[0]
	full.Accounts[0].ClientSecret = secret.New("another")
	if reflect.DeepEqual(minimal.Accounts[0], full.Accounts[0]) {
		t.Error("two accounts that differ by their secret alone are equal, want them told apart")
	}
}

func TestVariablesOfTheEnvironment(t *testing.T) {
	vars := map[string]string{
		"NAME": "main", "HOST": "ycm.example.com", "PORT": "8443", "ID": "a:b", "NUMBER": "50", "DURATION": "45s",
		"SECRET": "\"'}\n- evil: # not YAML", "SWITCH": "true",
	}
	got := load(t, "testdata/good/env.yml", config.Options{ExpandEnv: true, LookupEnv: environment(vars)})
	want := defaults(t)
	want.Accounts[0].BaseURL = parseURL(t, "https://ycm.example.com:8443")
	want.Accounts[0].ClientID = "$ID a:b"
	want.Accounts[0].ClientSecret = secret.New(vars["SECRET"])
	want.Accounts[0].RateLimit = config.RateLimit{Burst: 50, Rate: 50, Interval: time.Minute}
	want.Accounts[0].Search = "$5 ${NAME} $"
	want.Accounts[0].Timeout = 45 * time.Second
	want.Collectors.Users.Enabled = true
	if diff := compare(want, got); diff != "" {
		t.Errorf("the variables are expanded wrongly (-want +got):\n%s", diff)
	}

	t.Setenv("YCM_EXPORTER_TEST_SECRET", "of the process")
	path := write(t, t.TempDir(), account+"    client_secret: ${YCM_EXPORTER_TEST_SECRET}\n")
	if got := load(t, path, config.Options{ExpandEnv: true}).Accounts[0].ClientSecret.Reveal(); got != "of the process" {
		t.Errorf("got secret %q, want that of the process's environment", got)
	}
	if got := load(t, path, config.Options{}).Accounts[0].ClientSecret.Reveal(); got != "${YCM_EXPORTER_TEST_SECRET}" {
		t.Errorf("without the flag: got secret %q, want it as it is written", got)
	}
}

// The example is where every operator starts, so it must load, and its values must be the defaults as it says.
func TestExampleLoadsAndShowsTheDefaults(t *testing.T) {
	example, err := os.ReadFile("../config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ycm"), []byte("demo-client-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const secretFile = "/run/secrets/ycm"
	if !strings.Contains(string(example), secretFile) {
		t.Fatalf("the example does not name %s", secretFile)
	}
	got := load(t, write(t, folder, strings.ReplaceAll(string(example), secretFile, "ycm")), config.Options{})

	want := defaults(t)
	want.Accounts[0].BaseURL = parseURL(t, "https://ycm.yeastar.com")
	want.Accounts[0].ClientID = "your-client-id"
	want.Accounts[0].ClientSecret = secret.Text{}
	want.Accounts[0].ClientSecretFile = filepath.Join(folder, "ycm")
	want.Collectors.Autoprovisioning.RequiredPhones = []config.Phone{{Vendor: "Yealink", Model: "VP59"}}
	if diff := compare(want, got); diff != "" {
		t.Errorf("the example differs from the defaults (-want +got):\n%s", diff)
	}
}
