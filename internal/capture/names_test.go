package capture_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The names of fields that are read or documented are kept. Other keys may be the names of people, whatever they look like.
func TestCaptureKeepsNamesOfKnownFieldsOnly(t *testing.T) {
	_, content := recordedFrom(t, "", `{"status":"Success","data":{"total":3,"owners":{"johndoe":1,"jane_roe":2},"list":[
		{"cloudPbxId":1,"NAME":"n1","creator":{"firstName":"max"},"users":{"maxMuster":1}},
		{"cloudPbxId":2,"ai_transcription_pack_used":5,"Doe":{"whiteLabel":"x"}}]}}`)
	for _, key := range []string{"status", "data", "total", "list", "cloudPbxId", "NAME", "creator", "firstName", "ai_transcription_pack_used", "whiteLabel"} {
		if !strings.Contains(content, `"`+key+`":`) {
			t.Errorf("the field %q is missing:\n%s", key, content)
		}
	}
	for _, key := range []string{"owners", "johndoe", "jane_roe", "users", "maxMuster", "Doe"} {
		if strings.Contains(content, key) {
			t.Errorf("the key %q is in the file:\n%s", key, content)
		}
	}
}

// The answers of PBXs with direct access are captured without the PBXs' names and addresses.
func TestCaptureIncludesPBXsWithDirectAccess(t *testing.T) {
	s := ycmtest.New(ycmtest.Options{PBXs: 3, Seed: 1, Healthy: true})
	defer s.Close()
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r := recorder(t, file)
	pbxs := s.PBXs()
	for _, p := range pbxs[:2] {
		c := pbxclient.Direct(pbxclient.Options{
			Account: "main", URL: &url.URL{Scheme: "https", Host: "hunter2.example.com", Path: "/pbx/" + p.URL}, ClientID: "demo-pbx-client-id",
			Secret: secret.Static(secret.New("demo-pbx-client-secret")), Transport: r.Transport("main", s.Transport()),
		})
		if _, err := c.SystemInformation(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	record(t, r, "v1/subscription", "{}")
	if err := r.Write(); err != nil {
		t.Fatal(err)
	}
	c, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range c.Exchanges {
		got = append(got, fmt.Sprint(e.PBX, " ", e.Method, " ", e.Path, " ", e.Status))
		for _, hidden := range append(s.Tokens(), "hunter2", "demo-pbx-client-id", "demo-pbx-client-secret", pbxs[0].SN, pbxs[0].Name, pbxs[0].URL) {
			if shown := fmt.Sprint(e.Path, e.Query, string(e.Body)); strings.Contains(shown, hidden) {
				t.Errorf("%q is in %s", hidden, shown)
			}
		}
	}
	want := []string{
		"1 POST openapi/v1.0/get_token 200", "1 GET openapi/v1.0/system/information 200", "1 GET openapi/v1.0/del_token 200",
		"2 POST openapi/v1.0/get_token 200", "2 GET openapi/v1.0/system/information 200", "2 GET openapi/v1.0/del_token 200",
		"0 GET v1/subscription 200",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the capture has %q, want %q", got, want)
	}
	if replay, err := ycmtest.NewReplay(c); err != nil || replay.Accounts() != 1 {
		t.Errorf("NewReplay: %v, want a replay of YCM", err)
	}
	var none *capture.Recorder
	if transport := none.Transport("main", http.DefaultTransport); transport != http.DefaultTransport {
		t.Error("a nil Recorder wraps the transport")
	}
}
