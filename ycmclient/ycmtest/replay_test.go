package ycmtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

const captured = `{"format":"ycm_exporter capture","version":1,"exporter":"1","captured":1700000000}
`

func replayOf(t *testing.T, exchanges ...string) *ycmtest.Replay {
	t.Helper()
	c, err := capture.Read(strings.NewReader(captured + strings.Join(exchanges, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ycmtest.NewReplay(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// allowCut allows a handler to break the connection. It is deferred.
func allowCut() {
	cut := recover()
	err, _ := cut.(error)
	if cut != nil && !errors.Is(err, http.ErrAbortHandler) {
		panic(cut)
	}
}

// query returns the answer to a request; a POST requests a token. The status is 0 if the connection breaks.
func query(t *testing.T, h http.Handler, method, target string) (status int, body string) {
	t.Helper()
	defer allowCut()
	w := httptest.NewRecorder()
	request := httptest.NewRequest(method, target, strings.NewReader("grant_type=client_credentials"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	h.ServeHTTP(w, request)
	return w.Code, w.Body.String()
}

const list = "/1/dm/open_api/v2/cloud_pbx/instances"

func TestReplayRepeatsAnswers(t *testing.T) {
	r := replayOf(t,
		`{"account":1,"method":"GET","path":"v1/subscription","status":502,"text":20,"header":{"Content-Type":"text/html","Content-Length":"7"}}`,
		`{"account":1,"method":"GET","path":"v1/subscription","status":200,"body":{"status":"Success","data":{"expirationTime":1700003600}}}`,
		`{"account":1,"method":"GET","path":"v1/users","failed":"network"}`,
		`{"account":1,"method":"GET","path":"v1/cloud_pbx/name-0001/openapi/v1.0/trunk/list","query":{"page":"1"},"status":200,"body":{"total_number":3}}`,
		`{"account":1,"method":"GET","path":"v1/users/501/subscription_info","status":200,"body":{"data":{"totalExtensions":7}}}`,
		`{"account":1,"method":"GET","path":"v1/domains","status":204}`,
		`{"account":2,"method":"POST","path":"oauth/token","query":{"grant_type":"client_credentials"},"status":401,"body":{"code":1000033}}`,
		`{"account":3,"method":"POST","path":"oauth/token","query":{"grant_type":"client_credentials"},"failed":"timeout"}`,
		`{"account":3,"method":"POST","path":"oauth/token","query":{"grant_type":"client_credentials"},"status":200,"body":{"access_token":"name-0001","expires_in":17}}`,
	)
	for _, c := range []struct {
		method, target, want string
		status               int
	}{
		{"POST", "/1/dm/open_api/oauth/token", `"access_token":"replayed"`, 200},
		{"POST", "/2/dm/open_api/oauth/token", `1000033`, 401},
		{"POST", "/3/dm/open_api/oauth/token", `"expires_in":17`, 200},
		{"GET", "/1/dm/open_api/v1/subscription", "<html>xxxxxxxxxxxxxx", 502},
		{"GET", "/1/dm/open_api/v1/subscription", `"status":"Success"`, 200},
		{"GET", "/1/dm/open_api/v1/subscription", `"status":"Success"`, 200},
		{"GET", "/1/dm/open_api/v1/users", ``, 0},
		{"GET", "/1/dm/open_api/v1/domains", ``, 204},
		{"GET", "/1/dm/open_api/v1/cloud_pbx/another/openapi/v1.0/trunk/list?page=1", `"total_number":3`, 200},
		{"GET", "/1/dm/open_api/v1/cloud_pbx/another/openapi/v1.0/trunk/list?page=2", `DATA_NOT_FOUND`, 404},
		{"GET", "/1/dm/open_api/v1/cloud_pbx/another/openapi/v1.0/phone/search?page=1", `DATA_NOT_FOUND`, 404},
		{"GET", "/1/dm/open_api/v1/users/502/subscription_info", `"totalExtensions":7`, 200},
		{"GET", "/1/dm/open_api/v1/cluster/regions", `DATA_NOT_FOUND`, 404},
		{"GET", list, `DATA_NOT_FOUND`, 404},
		{"GET", "/4/dm/open_api/v1/subscription", `DATA_NOT_FOUND`, 404},
		{"GET", "/", `DATA_NOT_FOUND`, 404},
		{"DELETE", "/1/dm/open_api/v1/subscription", `DATA_NOT_FOUND`, 404},
	} {
		if status, body := query(t, r, c.method, c.target); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: got %d %s, want %d with %s", c.method, c.target, status, body, c.status, c.want)
		}
	}
}

// A request that timed out gets no answer until the client gives up.
func TestReplayRepeatsTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replayOf(t, `{"account":1,"method":"GET","path":"v1/users","failed":"timeout"}`)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		func() {
			defer allowCut()
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/1/dm/open_api/v1/users", nil).WithContext(ctx))
			t.Error("there was an answer")
		}()
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("the client waited for %v, want until it gives up after 10 s", waited)
		}
	})
}

// A part of a long list is replayed as it is, until a page is requested that the capture lacks: then all its records are the
// list, so that a walk can end.
func TestReplayOfPartOfAListCanBeWalked(t *testing.T) {
	const path = `{"account":1,"method":"GET","path":"v2/cloud_pbx/instances","status":200,`
	part := replayOf(t,
		path+`"query":{"pageNumber":"1","pageSize":"50","sort":"cloudPbxId"},"body":{"data":{"total":9,"list":[{"cloudPbxId":1},{"cloudPbxId":2}]}}}`,
		path+`"query":{"pageNumber":"5","pageSize":"50","sort":"cloudPbxId"},"body":{"data":{"total":9,"list":[{"cloudPbxId":"9"}]}}}`,
	)
	complete := replayOf(t,
		path+`"query":{"pageNumber":"1","pageSize":"50","sort":"cloudPbxId"},"body":{"data":{"total":3,"list":[{"cloudPbxId":1},{"cloudPbxId":2}]}}}`,
		path+`"query":{"pageNumber":"2","pageSize":"50","sort":"cloudPbxId"},"body":{"data":{"total":3,"list":[{"cloudPbxId":"9"}]}}}`,
	)
	for _, c := range []struct {
		name   string
		replay *ycmtest.Replay
		query  string
		rows   int
		total  int
	}{
		{"a part, while it has the page", part, "?pageNumber=1&pageSize=50&sort=cloudPbxId", 2, 9},
		{"a part, another page", part, "?pageNumber=5&pageSize=50&sort=cloudPbxId", 1, 9},
		{"a part, between them", part, "?pageNumber=2&pageSize=50&sort=cloudPbxId", 1, 3},
		{"a part, after that", part, "?pageNumber=1&pageSize=50&sort=cloudPbxId", 2, 3},
		{"a part, past the end", part, "?pageNumber=3&pageSize=50&sort=cloudPbxId", 0, 3},
		{"a part, in smaller pages, falling", part, "?pageNumber=3&pageSize=1&sort=-cloudPbxId", 1, 3},
		{"a complete list, page 1", complete, "?pageNumber=1&pageSize=50&sort=cloudPbxId", 2, 3},
		{"a complete list, page 2", complete, "?pageNumber=2&pageSize=50&sort=cloudPbxId", 1, 3},
		{"a complete list, past the end", complete, "?pageNumber=3&pageSize=50&sort=cloudPbxId", 0, 3},
		{"a complete list, falling in pages of its size", complete, "?pageNumber=1&pageSize=50&sort=-cloudPbxId", 2, 3},
	} {
		_, body := query(t, c.replay, "GET", list+c.query)
		var a struct {
			Data struct {
				Total int               `json:"total"`
				List  []json.RawMessage `json:"list"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(body), &a); err != nil || a.Data.Total != c.total || len(a.Data.List) != c.rows {
			t.Errorf("%s: got %s (%v), want %d records and a total of %d", c.name, body, err, c.rows, c.total)
		}
	}
	if status, body := query(t, part, "GET", "/1/dm/open_api/v1/cloud_pbx/instances/9"); status != 200 || !strings.Contains(body, `"cloudPbxId":"9"`) {
		t.Errorf("a single PBX: got %d %s", status, body)
	}
}

// A replay of any file answers with HTTP.
func FuzzReplay(f *testing.F) {
	f.Add(`{"account":1,"method":"GET","path":"v2/cloud_pbx/instances","query":{"pageNumber":"1"},"status":200,"body":{"data":{"total":-1,"list":[{"cloudPbxId":1},7,null]}}}`, "?pageNumber=1")
	f.Add(`{"account":1,"path":"v2/cloud_pbx/instances","status":204,"text":-7,"header":{"X-Limit\n":"\r\n"}}`, "?pageNumber=-1&pageSize=9999999999")
	f.Add(`{"account":1,"path":"v2/cloud_pbx/instances","failed":"network"}`, "?")
	f.Fuzz(func(t *testing.T, exchange, query string) {
		c, err := capture.Read(strings.NewReader(captured + exchange))
		if err != nil {
			return
		}
		r, err := ycmtest.NewReplay(c)
		if err != nil {
			return
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://ycm.example.com"+list+query, nil)
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		defer allowCut()
		r.ServeHTTP(w, request)
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("the status is %d", w.Code)
		}
	})
}
