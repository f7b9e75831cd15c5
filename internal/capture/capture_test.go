package capture_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// recordedFrom captures a server that sends the bodies in turn, and returns the capture and the content of its file.
func recordedFrom(t *testing.T, query string, bodies ...string) (*capture.Capture, string) {
	t.Helper()
	served := 0
	server := answering(func() *http.Response {
		served++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(bodies[served-1])), Header: http.Header{
			"Content-Type": {"application/json; charset=john.doe"},
			"Retry-After":  {"74"},
			"X-Customer":   {"john.doe"},
			"X-Phone":      {"915112345"},
			"Set-Cookie":   {"session=c00kie-of-john"},
		}}
	})
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r, err := capture.NewRecorder(file, "1.2.3", ycmclient.RecordFields(), pbxclient.RecordFields())
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: r.Transport(server)}
	for range bodies {
		response, err := client.Get("https://ycm.example.com/secret-prefix/dm/open_api/v2/cloud_pbx/instances" + query)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(body) != bodies[served-1] {
			t.Fatalf("the client read %q with error %v; the server wrote %q", body, err, bodies[served-1])
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := capture.Open(file)
	if err != nil {
		t.Fatalf("reading the file: %v\n%s", err, content)
	}
	return c, string(content)
}

// answering is a transport whose server is a function.
type answering func() *http.Response

func (a answering) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

// Whatever a server sends in whatever field, the file holds no name, serial number, address or secret.
func TestCaptureHoldsNothingSecretOrPersonal(t *testing.T) {
	hostile := []string{
		"john.doe", "John Doe", "john.doe@example.com", "3658B43XXXXXM4ZK", "acme.yeastarcloud.com", "https://acme.example.com/x", "10.11.12.13",
		"eyJhbGciOiJIUzI1NiJ9", "hunter2hunter2", "4915112345678", "+49 151 12345678", "診療所", "johndoe", "2001:db8::1", "00:15:65:aa:bb:cc",
	}
	fields := []string{
		"name", "sn", "url", "region", "group", "pbxStatus", "plan", "type", "status", "version", "firmware", "cloudPbxId", "id", "regionIds",
		"createTime", "system_time", "activeCalls", "total", "access_token", "msg", "errmsg", "error", "requestId", "somethingNew", "number",
		"text", "value", "email", "phone", "extensionCapacity", "vendor", "errno", "code", "total_number", "enable", "up_time",
	}
	var bodies []string
	for _, secret := range hostile {
		record, nested := map[string]any{}, map[string]any{}
		for _, field := range fields {
			record[field] = secret
			nested[field] = []any{secret, map[string]any{secret: secret, "x": []any{secret}}}
		}
		record[secret] = map[string]any{secret: 1}
		record["Doe"] = 1 // The key of a map by name.
		body, err := json.Marshal(map[string]any{"data": map[string]any{"list": []any{record, nested}}})
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	for _, field := range fields { // As numbers, also in fields that count or date.
		bodies = append(bodies, `{"data":{"`+field+`":4915112345678,"list":[{"`+field+`":[4915112345,-4915112345678,4915112345678.25,4.915112345678e30]}]}}`)
	}
	bodies = append(bodies, "<html>john.doe hunter2hunter2</html>", "john.doe", `"john.doe"`, `{"data":`+strings.Repeat(`{"john.doe":`, 40)+`"hunter2hunter2"`+strings.Repeat("}", 41))
	_, content := recordedFrom(t, "?search=john.doe&pageNumber=1&sort=john.doe&regionIds=john.doe,3&vendor=John%20Doe&john.doe=x", bodies...)
	small := strings.ToLower(content)
	for _, secret := range append(hostile, "the customer's account", "secret-prefix", "ycm.example.com", "c00kie", "doe", "hunter2", "4915112345", "915112", "151 123", "customer") {
		if at := strings.Index(small, strings.ToLower(secret)); at >= 0 {
			t.Errorf("the file has %q: ...%s...", secret, content[max(0, at-80):min(len(content), at+80)])
		}
	}
}

func TestCaptureKeepsWhatIsUseful(t *testing.T) { synctest.Test(t, captureKeepsWhatIsUseful) }

func captureKeepsWhatIsUseful(t *testing.T) {
	now := time.Now().Unix()
	body, err := json.Marshal(map[string]any{"status": "Success", "time": now, "data": map[string]any{
		"total": 2, "pageSize": 50, "pageNumber": 1, "list": []any{
			map[string]any{
				"cloudPbxId": 90, "pbxStatus": "Running", "version": "84.8.0.25", "name": `A "B"` + "\u0007é", "region": "China(GuangDong)",
				"activeCalls": "2", "createTime": now - 3600, "brandNew": 123456, "im": nil, "upgradeInPbx": true, "url": "acme.example.com:8443", "sn": "12345678",
			},
			map[string]any{
				"cloudPbxId": "7", "pbxStatus": "Migrating", "name": "A", "region": "China(Guangdong)", "sn": "", "createTime": 0,
				"expirationDate": (now + 60) * 1000,
			},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, content := recordedFrom(t, "?pageNumber=1&pageSize=50&sort=-cloudPbxId", string(body))
	e := c.Exchanges[0]
	if e.Path != "v2/cloud_pbx/instances" || e.Query["sort"] != "-cloudPbxId" || e.Query["pageSize"] != "50" || e.Header["Retry-After"] != "74" || e.Header["Content-Type"] != "application/json" {
		t.Errorf("the request and headers are not as they were: %+v", e)
	}
	var a struct {
		Time int64 `json:"time"`
		Data struct {
			Total int              `json:"total"`
			List  []map[string]any `json:"list"`
		} `json:"data"`
	}
	if err := json.Unmarshal(e.Body, &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Data.List) != 2 || a.Data.Total != 2 {
		t.Fatalf("the list is not what it was: %s", content)
	}
	first, second := a.Data.List[0], a.Data.List[1]
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"an id", first["cloudPbxId"], 90.0},
		{"an id as a string", second["cloudPbxId"], "7"},
		{"a status", first["pbxStatus"], "Running"},
		{"a status that is not documented", second["pbxStatus"], "name-0008"},
		{"a version", first["version"], "84.8.0.25"},
		{"a quoted number", first["activeCalls"], "2"},
		{"null", first["im"], nil},
		{"a boolean", first["upgradeInPbx"], true},
		{"an empty text", second["sn"], ""},
		{"a serial number of digits", first["sn"], "10000005"},
		{"a host", first["url"], "host-0006.invalid"},
		{"no time", second["createTime"], 0.0},
		{"a time", first["createTime"], float64(now - 3600)},
		{"a time in milliseconds", second["expirationDate"], float64(now+60) * 1000},
		{"a region in another spelling", second["region"], first["region"]},
		{"the time of the capture", c.Captured, now},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
	if first["name"] == second["name"] {
		t.Errorf("two names have the same stand-in %q", first["name"])
	}
}

// Errors are kept in every spelling of the vendor's APIs, as far as they are the vendor's own names.
func TestCaptureKeepsErrors(t *testing.T) {
	_, content := recordedFrom(t, "",
		`{"status":"Failed","code":1000035,"msg":"TOKEN_EXPIRED"}`,
		`{"Status":"Failed","errno":"10004","errmsg":"TOKEN EXPIRED","detailMsg":"Hunter"}`,
		`{"errors":[{"errorCode":"1000042","message":"ACCESS_DENIED"}],"errMsg":"access_denied","errCode":10005}`,
		`{"error":"invalid_client","error_description":"Unauthorized"}`,
		`{"errcode":40002,"errmsg":"PARAMETER ERROR","invalid_param_list":[{"field":"pageSize","validation_type":"enum"}]}`,
		`{"errorMsg":"Token of Hunter is invalid","errorMessage":"-","detail":"hunter2hunter2","detailMessage":"NOT FOUND"}`,
	)
	for _, kept := range []string{
		`"code":1000035,"msg":"TOKEN_EXPIRED","status":"Failed"`, `"errmsg":"TOKEN EXPIRED","errno":"10004"`, `"Status":"Failed"`, `"detailMsg":"name-`,
		`"errCode":10005,"errMsg":"access_denied","errors":[{"errorCode":"1000042","message":"ACCESS_DENIED"}]`,
		`"error":"invalid_client","error_description":"name-`,
		`"errcode":40002,"errmsg":"PARAMETER ERROR","invalid_param_list":[{"field":"pageSize","validation_type":"enum"}]`,
		`"detail":"name-`, `"detailMessage":"NOT FOUND","errorMessage":"name-`, `"errorMsg":"name-`,
	} {
		if !strings.Contains(content, kept) {
			t.Errorf("the file lacks %s:\n%s", kept, content)
		}
	}
	if strings.Contains(strings.ToLower(content), "hunter") {
		t.Errorf("the file holds free text of the server:\n%s", content)
	}
}

func TestReadRejectsInvalidFiles(t *testing.T) {
	const header = `{"format":"ycm_exporter capture","version":1,"exporter":"1","captured":1}` + "\n"
	for _, c := range []struct{ content, want string }{
		{"", "its header is missing"},
		{"accounts:\n", "its header is missing"},
		{`{"format":"other","version":1}`, "its header is missing"},
		{strings.Replace(header, `n":1`, `n":2`, 1), "version 2, but this exporter reads version 1"},
		{"\x1f\x8bno gzip", "not a capture"},
		{header + "{", "exchange 1 is damaged"},
		{header + `{"account":1,"status":99}`, "invalid account or status"},
		{header + `{"account":1,"status":200}` + "\n" + `{"account":1,"sta`, "exchange 2 is damaged"},
		{header + `{"account":0,"status":200}`, "invalid account or status"},
		{header + `{"account":1000000,"status":200}`, "invalid account or status"},
	} {
		if _, err := capture.Read(strings.NewReader(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got error %v, want one with %q", c.content, err, c.want)
		}
	}
}

// Any file is read or rejected.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format":"ycm_exporter capture","version":1,"exporter":"1","captured":1700000000}
{"account":1,"method":"GET","path":"v2/cloud_pbx/instances","query":{"pageNumber":"1"},"status":200,"body":{"data":{"total":1,"list":[{"cloudPbxId":1,"createTime":1700000000}]}}}`))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := capture.Read(bytes.NewReader(content))
		if err != nil {
			return
		}
		for _, e := range c.Exchanges {
			if e.Body != nil && !json.Valid(e.Body) {
				t.Errorf("the body %s was read, which is not JSON", e.Body)
			}
		}
	})
}

// No text is kept that is not on the allow-list, wherever it is.
func FuzzScrub(f *testing.F) {
	f.Add(`{"data":{"list":[{"name":"Clinic 7","msg":"x","id":"abc","createTime":"then"}]}}`)
	f.Add(`{"Clinic":{"Clinic":["Clinic"]},"error":"Clinic"}`)
	f.Fuzz(func(t *testing.T, body string) {
		const marker = "Zyxwvutsrq"
		body = strings.ReplaceAll(body, "Clinic", marker)
		if !json.Valid([]byte(body)) {
			return
		}
		if _, content := recordedFrom(t, "", body); strings.Contains(strings.ToLower(content), strings.ToLower(marker)) {
			t.Errorf("%s is kept of %s:\n%s", marker, body, content)
		}
	})
}
