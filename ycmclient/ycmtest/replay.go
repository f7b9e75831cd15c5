package ycmtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
)

// Replay is a YCM that answers as in a capture. It is an http.Handler, safe for concurrent use.
//
// Account n of the capture is at the path /n, and accepts any credentials if YCM accepted some. The answers to a request come
// in their order, the last one again and again, with their times as they were. A request that failed
// fails again: after a time-out no answer comes until the client gives up, otherwise the connection breaks. A PBX or user
// that was not queried has the answer of another one; anything else that the capture lacks is not found.
type Replay struct{ accounts []*replayed }

// replayed is an account of a capture.
type replayed struct {
	mu      sync.Mutex
	answers map[string][]capture.Exchange // By request.
	similar map[string]capture.Exchange   // By request, whatever PBX or user is queried; the first.
	list    replayedList
}

const (
	listOfPBXs = "v2/cloud_pbx/instances"
	tokens     = "oauth/token"
	loginKey   = tokens + "?grant_type=client_credentials"
)

// NewReplay serves a capture.
func NewReplay(c *capture.Capture) (*Replay, error) {
	r := &Replay{}
	for _, e := range c.Exchanges {
		for len(r.accounts) < e.Account {
			r.accounts = append(r.accounts, &replayed{
				answers: map[string][]capture.Exchange{}, similar: map[string]capture.Exchange{}, list: replayedList{size: largestPageSize},
			})
		}
		r.accounts[e.Account-1].add(e)
	}
	if len(r.accounts) == 0 {
		return nil, errors.New("the capture has no answer of YCM")
	}
	for _, a := range r.accounts {
		if all := a.answers[loginKey]; slices.ContainsFunc(all, granted) { // A login that was refused at first is not refused again.
			a.answers[loginKey] = slices.DeleteFunc(all, func(e capture.Exchange) bool { return !granted(e) })
		}
		slices.SortStableFunc(a.list.records, func(x, y listedPBX) int { return cmp.Compare(x.id, y.id) })
		a.list.records = slices.CompactFunc(a.list.records, func(x, y listedPBX) bool { return x.id == y.id })
	}
	return r, nil
}

// Accounts returns the number of accounts.
func (r *Replay) Accounts() int { return len(r.accounts) }

// add adds an exchange of the capture.
func (a *replayed) add(e capture.Exchange) {
	query := url.Values{}
	for name, value := range e.Query {
		query.Set(name, value)
	}
	key := e.Path + "?" + query.Encode()
	a.answers[key] = append(a.answers[key], e)
	if general := generalized(key); general != key && a.similar[general].Path == "" {
		a.similar[general] = e
	}
	if e.Path == listOfPBXs && e.Failed == "" {
		a.list.add(e)
	}
}

// generalized returns a request without the PBX or user that it queries.
func generalized(key string) string {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) == 4 && (parts[1] == "cloud_pbx" && parts[2] != "instances" || parts[1] == "users") {
		parts[2] = "*"
	}
	return strings.Join(parts, "/")
}

func granted(e capture.Exchange) bool {
	var token struct {
		Access string `json:"access_token"`
	}
	return json.Unmarshal(e.Body, &token) == nil && token.Access != "" && e.Status < 300
}

// ServeHTTP answers as in the capture.
func (r *Replay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	account, path, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/dm/open_api/")
	n, err := strconv.Atoi(account)
	isLogin := request.Method == http.MethodPost && path == tokens
	if err != nil || n < 1 || n > len(r.accounts) || request.Method != http.MethodGet && !isLogin {
		notFound().write(w, Shape{})
		return
	}
	query := request.URL.Query()
	if isLogin {
		request.Body = http.MaxBytesReader(w, request.Body, 1<<16)
		query = url.Values{"grant_type": {request.PostFormValue("grant_type")}}
	}
	r.write(w, request, r.accounts[n-1].answer(path, query))
}

// answer returns the next answer to a request, or what follows from the others.
func (a *replayed) answer(path string, query url.Values) capture.Exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := path + "?" + query.Encode()
	if all := a.answers[key]; len(all) > 0 && (path != listOfPBXs || !a.list.joined) {
		a.answers[key] = all[min(1, len(all)-1):]
		return all[0]
	}
	if path == listOfPBXs && len(a.list.records) > 0 {
		return a.list.page(query)
	}
	if id, ok := strings.CutPrefix(path, "v1/cloud_pbx/instances/"); ok {
		for _, p := range a.list.records {
			if strconv.FormatInt(p.id, 10) == id {
				return success(p.json)
			}
		}
	}
	if e := a.similar[generalized(key)]; e.Path != "" {
		return e
	}
	if path == tokens {
		return capture.Exchange{Status: http.StatusOK, Body: json.RawMessage(
			`{"access_token":"replayed","token_type":"bearer","refresh_token":"replayed-refresh","expires_in":1800}`)}
	}
	body, _ := json.Marshal(notFound().body(CodeMsg)) // Texts and numbers always marshal.
	return capture.Exchange{Status: http.StatusNotFound, Body: body}
}

func success(data any) capture.Exchange {
	body, _ := json.Marshal(envelope(data)) // It is JSON already.
	return capture.Exchange{Status: http.StatusOK, Body: body}
}

// write writes an answer with its times moved. A body that was not JSON is a page of the same length.
func (r *Replay) write(w http.ResponseWriter, request *http.Request, e capture.Exchange) {
	if e.Failed == "timeout" {
		<-request.Context().Done() // The client gives up, or the server ends.
	}
	if e.Failed != "" {
		panic(http.ErrAbortHandler)
	}
	for name, value := range e.Header { // The file may come from anybody.
		if name == "Content-Type" || name == "Retry-After" {
			w.Header().Set(name, value)
		}
	}
	body := []byte(e.Body)
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil && fields["time"] != nil { // The capture does not have the time of each answer.
		fields["time"] = strconv.AppendInt(nil, time.Now().Unix(), 10)
		body, _ = json.Marshal(fields) // What was unmarshalled can be marshalled.
	}
	if e.Body == nil && e.Text > 0 {
		body = []byte("<html>" + strings.Repeat("x", min(e.Text, 1<<20)))[:min(e.Text, 1<<20)]
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // The client may have gone.
}

// replayedList is the list of Cloud PBXs in a capture. Its pages are served as they were until one is requested that the
// capture lacks. From then on pages are made of all records, so that a walk can end where only a part of the list was read.
type replayedList struct {
	records []listedPBX // By rising id.
	size    int         // of a full page
	joined  bool
}

type listedPBX struct {
	id   int64
	json json.RawMessage
}

// add adds the records of a page.
func (l *replayedList) add(e capture.Exchange) {
	var p struct {
		Data struct {
			Total int               `json:"total"`
			List  []json.RawMessage `json:"list"`
		} `json:"data"`
	}
	_ = json.Unmarshal(e.Body, &p) // Records of another form are not joined.
	for _, record := range p.Data.List {
		var r struct {
			ID json.RawMessage `json:"cloudPbxId"`
		}
		_ = json.Unmarshal(record, &r) // A record of another form has no id.
		id, err := strconv.ParseInt(strings.Trim(string(r.ID), `"`), 10, 64)
		if err == nil {
			l.records = append(l.records, listedPBX{id, record})
		}
	}
	if n := len(p.Data.List); e.Query["pageNumber"] == "1" && n > 0 && p.Data.Total > n {
		l.size = min(n, largestPageSize)
	}
}

// page makes a page of the records.
func (l *replayedList) page(query url.Values) capture.Exchange {
	l.joined = true
	q, failed := pageOf(query)
	if failed != nil {
		body, _ := json.Marshal(failed.body(CodeMsg)) // Texts and numbers always marshal.
		return capture.Exchange{Status: failed.http, Body: body}
	}
	q.size = min(q.size, l.size)
	records := slices.Clone(l.records)
	if strings.HasPrefix(query.Get("sort"), "-") {
		slices.Reverse(records)
	}
	p := page{q.size, q.number, len(records), []any{}}
	for _, record := range pageItems(records, q) {
		p.List = append(p.List, record.json)
	}
	return success(p)
}
