package ycmclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Plenty is a budget that no test waits for.
var plenty = ycmclient.RateLimit{Burst: 1_000_000, Rate: 1_000_000, Interval: time.Second}

// inProcess is a transport that calls the handler itself, for tests that are not about HTTP.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// newClient makes a client of the demo account; edit may change its options.
func newClient(t testing.TB, transport http.RoundTripper, edit func(*ycmclient.Options)) *ycmclient.Client {
	t.Helper()
	o := ycmclient.Options{
		Account: "main", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"},
		ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: plenty, Transport: transport,
	}
	if edit != nil {
		edit(&o)
	}
	return ycmclient.New(o)
}

// scripted is a YCM of which a test decides every word: a list of ids that the test changes between two requests.
type scripted struct {
	mu    sync.Mutex
	ids   []int64 // In the order of the list.
	last  int64   // The highest id there ever was.
	pages []int   // Page numbers in the order they were asked for; 0 for a single PBX.

	before func(s *scripted, page int)                   // Runs ahead of each answer, with the lock held.
	mid    func(s *scripted)                             // Runs between counting and listing.
	lie    func(page int, d *listData)                   // Changes what is answered.
	refuse func(page, pages int) (status, code int)      // Refuses a page, if status is not 0.
	single func(id int64, alive bool) (status, code int) // Answers for a single PBX: 200 is as if it lived, 0 as it is.
}

// listData is the data of a page.
type listData struct {
	PageSize   any   `json:"pageSize,omitempty"`
	PageNumber any   `json:"pageNumber,omitempty"`
	Total      any   `json:"total,omitempty"`
	List       []any `json:"list"`
}

func newScripted(pbxs int) *scripted {
	s := &scripted{}
	s.create(pbxs)
	return s
}

// create appends PBXs, as YCM does: ids only grow.
func (s *scripted) create(n int) {
	for range n {
		s.last += 3
		s.ids = append(s.ids, s.last)
	}
}

// remove deletes the PBX at a place of the list.
func (s *scripted) remove(at int) {
	if at < len(s.ids) {
		s.ids = slices.Delete(s.ids, at, at+1)
	}
}

func (s *scripted) asked() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pages)
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/dm/open_api/")
	switch {
	case path == "oauth/token":
		reply(w, 200, map[string]any{"access_token": "token-of-the-script", "expires_in": 1800})
	case path == "v2/cloud_pbx/instances":
		s.list(w, r)
	default:
		id, _ := strconv.ParseInt(strings.TrimPrefix(path, "v1/cloud_pbx/instances/"), 10, 64)
		s.pages = append(s.pages, 0)
		_, alive := slices.BinarySearch(s.ids, id)
		if s.single != nil {
			switch status, code := s.single(id, alive); status {
			case 0:
			case 200:
				alive = true
			default:
				reply(w, status, map[string]any{"status": "Failed", "code": code})
				return
			}
		}
		if !alive {
			reply(w, 404, map[string]any{"status": "Failed", "code": 1000005})
			return
		}
		reply(w, 200, map[string]any{"status": "Success", "data": pbxOf(id)})
	}
}

func (s *scripted) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
	s.pages = append(s.pages, page)
	if s.before != nil {
		s.before(s, page)
	}
	total := len(s.ids)
	if s.mid != nil {
		s.mid(s)
	}
	if s.refuse != nil {
		if status, code := s.refuse(page, (total+49)/50); status != 0 {
			reply(w, status, map[string]any{"status": "Failed", "code": code})
			return
		}
	}
	from, to := min((page-1)*50, len(s.ids)), min(page*50, len(s.ids))
	d := listData{PageSize: 50, PageNumber: page, Total: total, List: []any{}}
	for _, id := range s.ids[from:to] {
		d.List = append(d.List, pbxOf(id))
	}
	if s.lie != nil {
		s.lie(page, &d)
	}
	reply(w, 200, map[string]any{"status": "Success", "requestId": "5ed01d8b", "data": d})
}

func pbxOf(id int64) map[string]any {
	return map[string]any{"cloudPbxId": id, "name": "PBX " + strconv.FormatInt(id, 10), "pbxStatus": "Running", "region": "Asia Pacific(Singapore)"}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// rawAnswer is a PBX's answer as it came.
type rawAnswer struct {
	yeastar.Envelope
	body []byte
}

// UnmarshalJSON takes any JSON value.
func (a *rawAnswer) UnmarshalJSON(wire []byte) error {
	a.body = bytes.Clone(wire)
	return json.Unmarshal(wire, &a.Envelope)
}

// proxied returns the body of a PBX's answer.
func proxied(ctx context.Context, c *ycmclient.Client, sn, path string, query url.Values) (body []byte, err error) {
	var answer rawAnswer
	if err := c.Proxy(ctx, sn, path, query, &answer); err != nil {
		return nil, err
	}
	return answer.body, nil
}

// idsOf returns the ids of PBXs in their order.
func idsOf(pbxs []ycmclient.CloudPBX) []int64 {
	ids := make([]int64, len(pbxs))
	for i := range pbxs {
		ids[i] = pbxs[i].ID
	}
	return ids
}

// watch is an Observer that remembers everything.
type watch struct {
	mu         sync.Mutex
	requests   map[string]int // By "endpoint class".
	retries    map[yeastar.Class]int
	waited     time.Duration
	unexpected map[string]int
	logins     []string // "grant class".
	expires    time.Time
	repairs    int
	mismatches int
	doubted    bool // The latest walk was unconfirmed.
}

func newWatch() *watch {
	return &watch{requests: make(map[string]int), retries: make(map[yeastar.Class]int), unexpected: make(map[string]int)}
}

func (w *watch) Request(endpoint string, result yeastar.Class, _ time.Duration) {
	w.locked(func() { w.requests[endpoint+" "+string(result)]++ })
}
func (w *watch) Retry(reason yeastar.Class) { w.locked(func() { w.retries[reason]++ }) }
func (w *watch) BudgetWait(d time.Duration) { w.locked(func() { w.waited += d }) }
func (w *watch) Unexpected(field string)    { w.locked(func() { w.unexpected[field]++ }) }
func (w *watch) TokenExpires(at time.Time)  { w.locked(func() { w.expires = at }) }
func (w *watch) Repair()                    { w.locked(func() { w.repairs++ }) }
func (w *watch) Mismatch()                  { w.locked(func() { w.mismatches++ }) }
func (w *watch) Unconfirmed(now bool)       { w.locked(func() { w.doubted = now }) }
func (w *watch) Login(g string, r yeastar.Class) {
	w.locked(func() { w.logins = append(w.logins, g+" "+string(r)) })
}

func (w *watch) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}
