package ycmclient_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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

// plenty is a rate limit that no test waits for.
var plenty = ycmclient.RateLimit{Burst: 2_000_000_000, Rate: 1_000_000_000, Interval: time.Second}

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
		Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
		Account: "main", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"},
		ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: plenty, Transport: transport,
	}
	if edit != nil {
		edit(&o)
	}
	client := ycmclient.New(o)
	if o.RateLimit == plenty {
		time.Sleep(time.Millisecond) // The limiter starts empty.
	}
	return client
}

// scripted is a YCM of which a test decides every answer: a list that the test changes between two requests.
type scripted struct {
	mu       sync.Mutex
	ids      []int64 // Ascending: the PBXs that exist.
	last     int64   // The highest id that was ever created.
	requests []int   // Page numbers in the order of the answers; 0 for a query of a single PBX.
	deviations

	before func(s *scripted, page int)                    // Runs ahead of each answer, with the lock held.
	mid    func(s *scripted)                              // Runs between counting and listing.
	edit   func(page int, d *listData)                    // Changes the answer.
	refuse func(page, pages int) (status, code int)       // Refuses a page, if status is not 0.
	single func(id int64, exists bool) (status, code int) // Answers for a single PBX: 200 as if it existed, 0 as it is.
	delay  func(path string, page, n int) time.Duration   // How long the n-th request for a page takes to arrive.
	counts map[int]int                                    // Requests for each page that have been sent.
	seed   uint64                                         // Of a shuffled order.
}

// deviations is how a list differs from the documented one.
type deviations struct {
	size      int              // Records on a page; 50 if 0.
	order     string           // Rising by id if empty, else "falling", "by name", "alternating" or "shuffled".
	twice     int              // The position, from 1, of a record that is listed and counted twice; none if 0.
	extra     int              // Is added to the total.
	pastEnd   string           // What a page past the end is: an empty one if "", else one of pastEnds.
	textIDs   bool             // Ids are strings.
	unlisted  map[int64]bool   // PBXs that exist and are neither counted nor listed.
	forbidden func(int64) bool // PBXs that are counted and leave a gap on their page.
}

// pastEnds are the answers that a YCM may give past the end of its list.
var pastEnds = []string{"", "not found", "invalid", "last page", "first page", "no list", "null list", "no total", "total of 0", "total of 7", "huge total"}

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

// remove deletes the PBX at a position of the list.
func (s *scripted) remove(at int) {
	if at < len(s.ids) {
		s.ids = slices.Delete(s.ids, at, at+1)
	}
}

// handOver gives the account a PBX that is older than the one at a position of the list.
func (s *scripted) handOver(at int) {
	if at < len(s.ids) && (at == 0 && s.ids[0] > 1 || at > 0 && s.ids[at-1] < s.ids[at]-1) {
		s.ids = slices.Insert(s.ids, at, s.ids[at]-1)
	}
}

// listed returns the ids of the list.
func (s *scripted) listed() []int64 {
	if len(s.unlisted) == 0 {
		return s.ids
	}
	return slices.DeleteFunc(slices.Clone(s.ids), func(id int64) bool { return s.unlisted[id] })
}

func (s *scripted) pageSize() int { return cmp.Or(s.size, 50) }

func (s *scripted) requested() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/dm/open_api/")
	page, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
	if s.delay != nil {
		s.mu.Lock()
		if s.counts == nil {
			s.counts = map[int]int{}
		}
		s.counts[page]++
		n := s.counts[page]
		s.mu.Unlock()
		time.Sleep(s.delay(path, page, n))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case path == "oauth/token":
		reply(w, 200, map[string]any{"access_token": "token-of-the-script", "expires_in": 1_000_000})
	case path == "v2/cloud_pbx/instances":
		s.list(w, page)
	default:
		id, _ := strconv.ParseInt(strings.TrimPrefix(path, "v1/cloud_pbx/instances/"), 10, 64)
		s.requests = append(s.requests, 0)
		if s.before != nil {
			s.before(s, 0)
		}
		_, exists := slices.BinarySearch(s.ids, id)
		if s.single != nil {
			switch status, code := s.single(id, exists); status {
			case 0:
			case 200:
				exists = true
			case 410: // Of a gateway.
				http.Error(w, "<html>", status)
				return
			default:
				reply(w, status, map[string]any{"status": "Failed", "code": code})
				return
			}
		}
		if !exists {
			reply(w, 404, map[string]any{"status": "Failed", "code": 1000005})
			return
		}
		reply(w, 200, map[string]any{"status": "Success", "data": pbxOf(id)})
	}
}

func (s *scripted) list(w http.ResponseWriter, page int) {
	s.requests = append(s.requests, page)
	if s.before != nil {
		s.before(s, page)
	}
	size := s.pageSize()
	ids := s.ordered(page)
	d := listData{PageSize: size, PageNumber: page, Total: max(0, len(ids)+s.extra), List: []any{}}
	if s.mid != nil {
		s.mid(s)
		ids = s.ordered(page)
	}
	pages := (len(ids) + size - 1) / size
	if s.refuse != nil {
		if status, code := s.refuse(page, pages); status != 0 {
			reply(w, status, map[string]any{"status": "Failed", "code": code})
			return
		}
	}
	if page > 1 && page > pages {
		switch s.pastEnd {
		case "not found":
			reply(w, 404, map[string]any{"status": "Failed", "code": 1000005})
			return
		case "invalid":
			reply(w, 200, map[string]any{"status": "Failed", "code": 1000004})
			return
		case "last page":
			page = max(1, pages)
		case "first page":
			page = 1
		case "no list":
			reply(w, 200, map[string]any{"status": "Success", "data": map[string]any{"total": d.Total}})
			return
		case "null list":
			d.List = nil
		case "no total":
			d.Total = nil
		case "total of 0":
			d.Total = 0
		case "total of 7":
			d.Total = 7
		case "huge total":
			d.Total = 90_000
		}
	}
	for _, id := range ids[min((page-1)*size, len(ids)):min(page*size, len(ids))] {
		switch {
		case s.forbidden != nil && s.forbidden(id):
		case s.edit != nil:
			d.List = append(d.List, pbxOf(id))
		case s.textIDs:
			d.List = append(d.List, json.RawMessage(fmt.Sprintf(`{"cloudPbxId":"%d"}`, id)))
		default:
			d.List = append(d.List, json.RawMessage(fmt.Sprintf(`{"cloudPbxId":%d}`, id)))
		}
	}
	if s.edit != nil {
		s.edit(page, &d)
	}
	reply(w, 200, map[string]any{"status": "Success", "requestId": "5ed01d8b", "data": d})
}

// ordered returns the ids in the order in which a page has them.
func (s *scripted) ordered(page int) []int64 {
	ids := slices.Clone(s.listed())
	if s.twice > 0 && s.twice <= len(ids) {
		ids = slices.Insert(ids, s.twice, ids[s.twice-1])
	}
	switch s.order {
	case "falling":
		slices.Reverse(ids)
	case "alternating":
		if page%2 == 0 {
			slices.Reverse(ids)
		}
	case "by name":
		slices.SortStableFunc(ids, func(a, b int64) int { return cmp.Compare(a*2654435761%1009, b*2654435761%1009) })
	case "shuffled":
		rand.New(rand.NewPCG(s.seed, uint64(len(s.requests)))).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	}
	return ids
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
	mu          sync.Mutex
	requests    map[string]int // By "endpoint class".
	retries     map[yeastar.Class]int
	waited      time.Duration
	unexpected  map[string]int
	logins      []string // "grant class".
	expires     time.Time
	repairs     int
	mismatches  int
	unconfirmed bool // The latest walk was unconfirmed.
}

func newWatch() *watch {
	return &watch{requests: make(map[string]int), retries: make(map[yeastar.Class]int), unexpected: make(map[string]int)}
}

func (w *watch) Request(endpoint string, result yeastar.Class, _ time.Duration) {
	w.locked(func() { w.requests[endpoint+" "+string(result)]++ })
}
func (w *watch) Retry(reason yeastar.Class)    { w.locked(func() { w.retries[reason]++ }) }
func (w *watch) RateLimitWait(d time.Duration) { w.locked(func() { w.waited += d }) }
func (w *watch) Unexpected(field string)       { w.locked(func() { w.unexpected[field]++ }) }
func (w *watch) TokenExpires(at time.Time)     { w.locked(func() { w.expires = at }) }
func (w *watch) Repair()                       { w.locked(func() { w.repairs++ }) }
func (w *watch) Mismatch()                     { w.locked(func() { w.mismatches++ }) }
func (w *watch) Unconfirmed(now bool)          { w.locked(func() { w.unconfirmed = now }) }
func (w *watch) Login(g string, r yeastar.Class) {
	w.locked(func() { w.logins = append(w.logins, g+" "+string(r)) })
}

func (w *watch) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}
