package ycmtest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const listPath = "/dm/open_api/v2/cloud_pbx/instances?pageSize=5&pageNumber=2"

// What a client sees of each effect over TCP.
func TestEffects(t *testing.T) {
	tests := []struct {
		name   string
		effect Effect
		status int
		body   string // what the body contains
		header string // name=value
	}{
		{"rate limited", Chain(Header("Retry-After", "7"), Failure(1000040, Shape{})), 429, `"code":1000040`, "Retry-After=7"},
		{"rate limited under 200", Failure(1000040, Shape{Body: ErrNo, Always200: true}), 200, `"errno":"1000040"`, ""},
		{"plain 429", Status(429), 429, "", ""},
		{"denied", Failure(1000042, Shape{Body: ErrorsList}), 403, `"errors":[{"code":1000042`, ""},
		{"unknown code", Failure(1234567, Shape{}), 500, `"code":1234567`, ""},
		{"server error", Status(500), 500, "", ""},
		{"HTML 502", HTML(502), 502, "<h1>Bad Gateway</h1>", "Content-Type=text/html"},
		{"HTML 200", HTML(200), 200, "<h1>OK</h1>", "Content-Type=text/html"},
		{"redirect", Redirect("https://elsewhere.example.com/"), 302, "", "Location=https://elsewhere.example.com/"},
		{"malformed", Malformed(), 200, `{"cloudPb`, ""},
		{"empty", Empty(), 200, "", ""},
		{"answer of its own", Answer(200, "application/json", "null"), 200, "null", ""},
		{"null data", Set("data", "null"), 200, `"data":null`, ""},
		{"unknown status", Set("pbxStatus", `"Exploding"`), 200, `"pbxStatus":"Exploding"`, ""},
		{"an inconsistent total", Set("total", "-3"), 200, `"total":-3`, ""},
		{"slow", Slow(time.Millisecond), 200, `"total":30`, ""},
		{"trickle", Trickle(10 * time.Millisecond), 200, `"total":30`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := dial(t, Options{PBXs: 30})
			r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			fault := r.Inject(Fault{Endpoint: CloudPBXList, Effect: test.effect})
			response, err := r.try(http.MethodGet, listPath, "", "")
			if err != nil {
				t.Fatal(err)
			}
			body := text(t, response)
			if response.StatusCode != test.status || !strings.Contains(body, test.body) || test.body == "" && strings.Contains(body, "data") {
				t.Errorf("it answers %d with %q, want %d with %q", response.StatusCode, body, test.status, test.body)
			}
			name, value, _ := strings.Cut(test.header, "=")
			if got := response.Header.Get(name); !strings.HasPrefix(got, value) {
				t.Errorf("it answers with %s: %s, want %s", name, got, value)
			}
			if fault.Hits() != 1 || r.code(regionsPath) != 0 {
				t.Errorf("the fault hit %d requests, want the list alone", fault.Hits())
			}
			fault.Remove()
			if ids, _ := r.page("pageSize=5&pageNumber=2"); ids[0] != r.IDs()[5] || fault.Hits() != 1 {
				t.Error("a removed fault is still at work")
			}
		})
	}
}

func TestBrokenConnections(t *testing.T) {
	r := dial(t, Options{PBXs: 30})
	reset := r.Inject(Fault{Effect: Reset()})
	response, err := r.try(http.MethodGet, listPath, "", "")
	if err == nil {
		response.Body.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("a reset is %v, want a reset connection", err)
	}
	reset.Remove()

	truncated := r.Inject(Fault{Effect: Truncate(100)})
	response, err = r.try(http.MethodGet, listPath, "", "")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 100 || response.ContentLength <= 100 {
		t.Errorf("a truncated body has %d bytes of %d and ends with %v, want 100 and an unexpected EOF", len(body), response.ContentLength, err)
	}
	truncated.Remove()

	r.Inject(Fault{Effect: Oversize(1 << 20), Times: 1})
	response, err = r.try(http.MethodGet, listPath, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if body := text(t, response); len(body) < 1<<20 || !json.Valid([]byte(body)) {
		t.Errorf("an oversized body has %d bytes, want more than a MiB of valid JSON", len(body))
	}
	if code := r.code(regionsPath); code != 0 {
		t.Errorf("after the faults it answers %d, want success", code)
	}
}

// A server that hangs is left when the client has had enough, one that is slow takes its time.
func TestHangAndSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{PBXs: 30})
		r.client.Timeout = time.Minute
		r.Inject(Fault{Effect: Hang(), Times: 1})
		start := time.Now()
		response, err := r.try(http.MethodGet, listPath, "", "")
		if err == nil {
			response.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("a hanging server gives %v after %v, want the client's time-out", err, time.Since(start))
		}
		for _, effect := range []Effect{Slow(30 * time.Second), Trickle(30 * time.Second)} {
			r.Inject(Fault{Effect: effect, Times: 1})
			start = time.Now()
			if response, err = r.try(http.MethodGet, listPath, "", ""); err != nil {
				t.Fatal(err)
			}
			if body := text(t, response); !json.Valid([]byte(body)) || time.Since(start) != 30*time.Second {
				t.Errorf("a slow answer of %d bytes took %v, want 30s", len(body), time.Since(start))
			}
		}
	})
}

// Faults apply to requests by endpoint, by content, after some and to some.
func TestFaultsChoose(t *testing.T) {
	r := dial(t, Options{PBXs: 30})
	r.Inject(Fault{Skip: 1, Times: 2, Effect: Failure(1000001, Shape{}), Match: func(request *http.Request) bool {
		return request.URL.Query().Get("pageNumber") == "2"
	}})
	var codes []int
	for _, page := range []string{"2", "2", "1", "2", "2"} {
		codes = append(codes, r.code("v2/cloud_pbx/instances?pageNumber="+page))
	}
	for i, want := range []int{0, 1000001, 0, 1000001, 0} {
		if codes[i] != want {
			t.Fatalf("the requests answer %v, want the second and third for page 2 to fail", codes)
		}
	}
	r.Inject(Fault{Effect: Failure(1000042, Shape{})})
	r.Inject(Fault{Effect: Failure(1000043, Shape{})})
	if code := r.code(regionsPath); code != 1000042 {
		t.Errorf("of two faults %d wins, want the earlier, 1000042", code)
	}
	r.ClearFaults()
	if code := r.code(regionsPath); code != 0 {
		t.Errorf("without faults it answers %d, want success", code)
	}
}

// The life of a token in the answer can be changed.
func TestSetChangesLifeOfTokens(t *testing.T) {
	r := dial(t, Options{})
	for value, want := range map[string]any{"0": 0.0, "-5": -5.0, `"1800"`: "1800", "": nil} {
		fault := r.Inject(Fault{Endpoint: Token, Effect: Set("expires_in", value)})
		if _, answer := r.login("demo-client-secret"); answer["expires_in"] != want || answer["access_token"] == nil {
			t.Errorf("expires_in is %v, want %v", answer["expires_in"], want)
		}
		fault.Remove()
	}
}
