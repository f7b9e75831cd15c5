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

// The names of fields stay, also of those that nobody knows yet, and the keys of maps by people do not, however they are
// spelled, and although they are nowhere a value.
func TestNamesOfFieldsStayAndThoseOfPeopleDoNot(t *testing.T) {
	page := func(records ...string) string {
		return `{"status":"Success","data":{"total":3,"list":[` + strings.Join(records, ",") + `]}}`
	}
	record := func(id int, more string) string {
		return fmt.Sprintf(`{"cloudPbxId":%d,"name":"n%d","sn":"s%d","pbxStatus":"Running"%s}`, id, id, id, more)
	}
	for name, c := range map[string]struct {
		body       string
		keep, hide []string
	}{
		"fields that nobody knows": {
			page(record(1, `,"queueLimit":5,"zebra":1`), record(2, `,"queueLimit":6,"zebra":2`), record(3, `,"zebra":2`)),
			[]string{"queueLimit", "zebra", "cloudPbxId", "pbxStatus"},
			nil,
		},
		"a map by people in one answer":       {`{"status":"Success","data":{"owners":{"johndoe":1,"jane_roe":2,"maxMuster":3}}}`, []string{"data"}, []string{"johndoe", "jane_roe", "maxMuster"}},
		"a map by people in each record":      {page(record(1, `,"users":{"johndoe":1}`), record(2, `,"users":{"janeroe":1}`), record(3, `,"users":{"maxm":1}`)), nil, []string{"johndoe", "janeroe", "maxm"}},
		"people beside the fields of records": {page(record(1, `,"johndoe":1`), record(2, `,"janeroe":1`), record(3, "")), []string{"name"}, []string{"johndoe", "janeroe"}},
		"a person beside those of one record": {page(record(1, `,"johndoe":1`)), []string{"sn"}, []string{"johndoe"}},
		"the same people again and again":     {page(record(1, `,"by":{"johndoe":1,"janeroe":2}`), record(2, `,"by":{"johndoe":1,"janeroe":2}`)), nil, []string{"johndoe", "janeroe"}},
		"an object of words that programs use": {
			`{"status":"Success","data":{"aiMinutes":{"totalMinutes":1,"minutesLimit":2,"planKind":"x","maxUsers":1}}}`, []string{"totalMinutes", "minutesLimit", "planKind"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, content := recordedFrom(t, "", c.body)
			for _, key := range c.keep {
				if !strings.Contains(content, `"`+key+`":`) {
					t.Errorf("the name %q is gone:\n%s", key, content)
				}
			}
			for _, key := range c.hide {
				if strings.Contains(content, key) {
					t.Errorf("the key %q is there:\n%s", key, content)
				}
			}
		})
	}
}

// What PBXs answer that are spoken to directly is captured beside what YCM does, with nothing that tells which they are.
func TestPBXsThatAreSpokenToDirectlyAreCaptured(t *testing.T) {
	s := ycmtest.New(ycmtest.Options{PBXs: 3, Seed: 1, Healthy: true})
	defer s.Close()
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r := recorder(t, file)
	pbxs := s.PBXs()
	for _, p := range pbxs[:2] {
		c := pbxclient.Direct(pbxclient.Options{
			Account: "main", URL: &url.URL{Scheme: "https", Host: "hunter2.example.com", Path: "/pbx/" + p.URL}, ClientID: "demo-pbx-client-id",
			Secret: secret.Static(secret.New("demo-pbx-client-secret")), Transport: r.PBXTransport("main", s.Transport()),
		})
		if _, err := c.SystemInformation(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, r, "v1/subscription", "{}")
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
		t.Errorf("it is replayed with the error %v, want YCM's answers", err)
	}
	var none *capture.Recorder
	if transport := none.PBXTransport("main", http.DefaultTransport); transport != http.DefaultTransport {
		t.Error("without a capture there is something between the PBX and its client")
	}
}
