package ycmtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader is a client of a simulated YCM that has logged in.
type reader struct {
	*Server
	t      *testing.T
	client *http.Client
	base   string
	token  string
}

// dial serves a YCM over TCP and logs in.
func dial(t *testing.T, o Options) *reader {
	t.Helper()
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return login(t, s, server.Client(), server.URL)
}

// dialMemory serves a YCM in memory, as a synctest bubble needs it, and logs in.
func dialMemory(t *testing.T, o Options) *reader {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	return login(t, s, s.Client(), "https://ycm.example.com")
}

func login(t *testing.T, s *Server, client *http.Client, base string) *reader {
	t.Helper()
	r := &reader{Server: s, t: t, client: client, base: base}
	status, body := r.login(s.options.ClientSecret)
	if status != http.StatusOK {
		t.Fatalf("login answers %d: %v", status, body)
	}
	r.token = body["access_token"].(string)
	return r
}

type fields = map[string]any

// send makes a request and returns the status and the JSON of its answer.
func (r *reader) send(method, path, contentType, body string) (int, fields) {
	r.t.Helper()
	response, err := r.try(method, path, contentType, body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	var answer fields
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		r.t.Fatalf("%s %s answers no JSON: %v", method, path, err)
	}
	return response.StatusCode, answer
}

func (r *reader) try(method, path, contentType, body string) (*http.Response, error) {
	r.t.Helper()
	target := path
	if strings.HasPrefix(path, "/") {
		target = r.base + path
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	return r.client.Do(request)
}

// get reads a path below /dm/open_api/.
func (r *reader) get(path string) (int, fields) {
	r.t.Helper()
	return r.send(http.MethodGet, "/dm/open_api/"+path, "", "")
}

// code is the vendor's code of an answer in the default shape, or 0.
func (r *reader) code(path string) int {
	r.t.Helper()
	_, answer := r.get(path)
	code, _ := answer["code"].(float64)
	return int(code)
}

// data reads a path that must succeed.
func (r *reader) data(path string) any {
	r.t.Helper()
	status, answer := r.get(path)
	if status != http.StatusOK || answer["status"] != "Success" {
		r.t.Fatalf("GET %s answers %d: %v", path, status, answer)
	}
	return answer["data"]
}

// page reads the list of PBXs and returns the ids and the total.
func (r *reader) page(query string) (ids []int64, total int) {
	r.t.Helper()
	data := r.data("v2/cloud_pbx/instances?" + query).(fields)
	for _, record := range data["list"].([]any) {
		ids = append(ids, int64(record.(fields)["cloudPbxId"].(float64)))
	}
	return ids, int(data["total"].(float64))
}

func (r *reader) form(values url.Values) (int, fields) {
	r.t.Helper()
	return r.send(http.MethodPost, "/dm/open_api/oauth/token", "application/x-www-form-urlencoded", values.Encode())
}

func (r *reader) login(secret string) (int, fields) {
	r.t.Helper()
	return r.form(url.Values{"grant_type": {"client_credentials"}, "client_id": {r.options.ClientID}, "client_secret": {secret}})
}

func (r *reader) refresh(token any) (int, fields) {
	r.t.Helper()
	return r.form(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.(string)}})
}

// text reads the complete body of an answer.
func text(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return string(body)
}
