package capture_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
)

// recordedFrom asks a server that answers in turn with the bodies, and returns the capture and its file's content.
func recordedFrom(t *testing.T, query string, bodies ...string) (*capture.Capture, string) {
	t.Helper()
	served := 0
	server := answering(func() *http.Response {
		served++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(bodies[served-1])), Header: http.Header{
			"Content-Type":          {"application/json; charset=john.doe"},
			"X-Ratelimit-Remaining": {"74"},
			"X-Customer":            {"john.doe"},
			"Set-Cookie":            {"session=c00kie-of-john"},
		}}
	})
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r, err := capture.NewRecorder(file, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: r.Transport("the customer's account", server)}
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
	if err := r.Write(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := capture.Open(file)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, content)
	}
	return c, string(content)
}

// answering is a transport whose server is a function.
type answering func() *http.Response

func (a answering) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

// Whatever a server puts wherever, nothing of it is in the file that could tell of a person, a PBX or a secret.
func TestNothingSecretOrPersonalIsWritten(t *testing.T) {
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

// What may stay stays, so that a capture is of use.
func TestWhatIsOfUseStays(t *testing.T) { synctest.Test(t, whatIsOfUseStays) }

func whatIsOfUseStays(t *testing.T) {
	now := time.Now().Unix()
	body, err := json.Marshal(map[string]any{"status": "Success", "time": now, "data": map[string]any{
		"total": 2, "pageSize": 50, "pageNumber": 1, "list": []any{
			map[string]any{
				"cloudPbxId": 90, "pbxStatus": "Running", "version": "84.8.0.25", "name": `A "B"` + "\u0007é", "region": "China(GuangDong)",
				"activeCalls": "2", "createTime": now - 3600, "brandNew": 123456, "im": nil, "flag": true,
			},
			map[string]any{
				"cloudPbxId": "7", "pbxStatus": "Migrating", "name": strings.Repeat("n", 40), "region": "China(Guangdong)", "sn": "", "createTime": 0,
				"expirationDate": (now + 60) * 1000,
			},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, content := recordedFrom(t, "?pageNumber=1&pageSize=50&sort=-cloudPbxId", string(body))
	e := c.Exchanges[0]
	if e.Path != "v2/cloud_pbx/instances" || e.Query["sort"] != "-cloudPbxId" || e.Query["pageSize"] != "50" || e.Header["X-Ratelimit-Remaining"] != "74" || e.Header["Content-Type"] != "application/json" {
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
		{"the larger id", first["cloudPbxId"], 2.0},
		{"the smaller id, a string", second["cloudPbxId"], "1"},
		{"a status", first["pbxStatus"], "Running"},
		{"a status of known words", second["pbxStatus"], "Migrating"},
		{"a version", first["version"], "84.8.0.25"},
		{"a quoted number", first["activeCalls"], "2"},
		{"an unknown number", first["brandNew"], 100000.0},
		{"null", first["im"], nil},
		{"a boolean", first["flag"], true},
		{"an empty text", second["sn"], ""},
		{"no time", second["createTime"], 0.0},
		{"a time, from the answer's own", float64(a.Time) - first["createTime"].(float64), 3600.0},
		{"milliseconds, from the answer's own", second["expirationDate"].(float64)/1000 - float64(a.Time), 60.0},
		{"length of a name of 40", len(second["name"].(string)), 64},
		{"length of a name of 7", len([]rune(first["name"].(string))), 16},
		{"region in another case", strings.ToUpper(second["region"].(string)), strings.ToUpper(first["region"].(string))},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
	if first["region"] == second["region"] {
		t.Error("two spellings of a region became one")
	}
	for _, special := range []string{" ", `"`, "\u0001", "é"} {
		if !strings.Contains(first["name"].(string), special) {
			t.Errorf("the stand-in %q has no sample of %q, which the name had", first["name"], special)
		}
	}
	if off := c.Captured - time.Now().Unix(); off > 86400 || off < -86400 {
		t.Errorf("times are moved by %d s, more than a day", off)
	}
}

func TestWhatIsNoCaptureIsRefusedWithTheReason(t *testing.T) {
	const header = `{"format":"ycm_exporter capture","version":1,"exporter":"1","captured":1}` + "\n"
	for _, c := range []struct{ content, want string }{
		{"", "does not begin as one"},
		{"accounts:\n", "does not begin as one"},
		{`{"format":"other","version":1}`, "does not begin as one"},
		{strings.Replace(header, `n":1`, `n":2`, 1), "version 2, and this exporter reads version 1"},
		{"\x1f\x8bno gzip", "no capture"},
		{header + "{", "exchange 1 is damaged"},
		{header + `{"account":1,"status":99}`, "cannot be"},
		{header + `{"account":1,"status":200}` + "\n" + `{"account":1,"sta`, "exchange 2 is damaged"},
		{header + `{"account":0,"status":200}`, "cannot be"},
		{header + `{"account":1000000,"status":200}`, "cannot be"},
	} {
		if _, err := capture.Read(strings.NewReader(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got error %v, want one with %q", c.content, err, c.want)
		}
	}
}

// Whatever is in a file is read or refused, and its times can be moved.
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
			if shifted := capture.Shift(e.Body, 3600); e.Body != nil && !json.Valid(shifted) {
				t.Errorf("%s became %s, which is no JSON", e.Body, shifted)
			}
		}
	})
}

// Of no answer is a text kept that has letters and is made of anything but known words.
func FuzzScrub(f *testing.F) {
	f.Add(`{"data":{"list":[{"name":"Clinic 7","msg":"x","id":"abc","createTime":"then"}]}}`)
	f.Add(`{"Clinic":{"Clinic":["Clinic"]},"error":"Clinic"}`)
	f.Fuzz(func(t *testing.T, body string) {
		const marker = "Zyxwvutsrq" // It stands wherever the fuzzer puts a text that begins with a capital C.
		body = strings.ReplaceAll(body, "Clinic", marker)
		if !json.Valid([]byte(body)) {
			return
		}
		_, content := recordedFrom(t, "", body)
		var keys []string
		collectKeys(body, &keys)
		if strings.Contains(content, marker) && !slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, marker) && capture.KnownName(k) }) {
			t.Errorf("%s is kept of %s:\n%s", marker, body, content)
		}
	})
}

// collectKeys lists the names of all fields.
func collectKeys(body string, keys *[]string) {
	var value any
	_ = json.Unmarshal([]byte(body), &value)
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, inner := range value {
				*keys = append(*keys, key)
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	walk(value)
}
