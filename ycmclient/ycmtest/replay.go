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

	"github.com/ycm-exporter/ycm_exporter/capture"
)

// Replay is a YCM that answers as another one did while it was captured. It is an http.Handler, safe for concurrent use.
// The account n of the capture is at the path /n, and takes any credentials that YCM took then. Times lie as far from now as
// they lay from the capture. Of a PBX or a user that was not asked, the answer of another one is assumed. What the capture
// does not have at all is not found.
type Replay struct {
	accounts []*replayed
	shift    int64 // seconds
}

// replayed is an account of a capture.
type replayed struct {
	mu      sync.Mutex
	answers map[string][]capture.Exchange // by request; the last one stays
	refused *capture.Exchange             // the login, if none succeeded
	records []listedPBX                   // by id
	whole   bool                          // the capture has every page of the list
}

// listedPBX is a PBX of the list.
type listedPBX struct {
	id   int64
	json json.RawMessage
}

// NewReplay serves a capture.
func NewReplay(c *capture.Capture) (*Replay, error) {
	r := &Replay{shift: time.Now().Unix() - c.Captured}
	for _, e := range c.Exchanges {
		for len(r.accounts) < e.Account {
			r.accounts = append(r.accounts, &replayed{answers: map[string][]capture.Exchange{}})
		}
		if e.Failed == "" {
			r.accounts[e.Account-1].add(e)
		}
	}
	if len(r.accounts) == 0 {
		return nil, errors.New("the capture has no exchange")
	}
	for _, a := range r.accounts {
		a.join()
	}
	return r, nil
}

// Accounts is how many accounts there are.
func (r *Replay) Accounts() int { return len(r.accounts) }

const (
	listOfPBXs = "v2/cloud_pbx/instances"
	tokens     = "oauth/token"
)

// keyOf is the same for the same request.
func keyOf(path string, query url.Values) string { return path + "?" + query.Encode() }

// add takes over what came.
func (a *replayed) add(e capture.Exchange) {
	query := url.Values{}
	for name, value := range e.Query {
		query.Set(name, value)
	}
	key := keyOf(e.Path, query)
	a.answers[key] = append(a.answers[key], e)
}

// pageData is the data of a page of the list, as far as it is of use.
type pageData struct {
	Data struct {
		Total int               `json:"total"`
		List  []json.RawMessage `json:"list"`
	} `json:"data"`
}

// join makes one list of all pages.
func (a *replayed) join() {
	known := map[int64]bool{}
	pages := map[string]bool{}
	last := 0
	for _, all := range a.answers {
		for _, e := range all {
			switch e.Path {
			case tokens:
				a.login(e)
			case listOfPBXs:
				var p pageData
				_ = json.Unmarshal(e.Body, &p) // Records of another form are not joined.
				for _, record := range p.Data.List {
					if id, ok := idOfRecord(record); ok && !known[id] {
						known[id] = true
						a.records = append(a.records, listedPBX{id, record})
					}
				}
				if number := e.Query["pageNumber"]; !strings.HasPrefix(e.Query["sort"], "-") {
					pages[number] = true
					if n := len(p.Data.List); number == "1" && n > 0 {
						last = (p.Data.Total + n - 1) / n
					}
				}
			}
		}
	}
	slices.SortFunc(a.records, func(x, y listedPBX) int { return cmp.Compare(x.id, y.id) })
	a.whole = last > 0 && last <= len(pages)
	for n := 1; a.whole && n <= last; n++ {
		a.whole = pages[strconv.Itoa(n)]
	}
	if slices.ContainsFunc(a.answers[keyOf(tokens, url.Values{"grant_type": {"client_credentials"}})], granted) {
		a.refused = nil
	}
}

// login notes a refusal.
func (a *replayed) login(e capture.Exchange) {
	if e.Query["grant_type"] == "client_credentials" && !granted(e) {
		a.refused = &e
	}
}

func granted(e capture.Exchange) bool {
	var token struct {
		Access string `json:"access_token"`
	}
	return json.Unmarshal(e.Body, &token) == nil && token.Access != "" && e.Status < 300
}

// idOfRecord is the id of a record, be it a number or a text.
func idOfRecord(record json.RawMessage) (int64, bool) {
	var r struct {
		ID json.RawMessage `json:"cloudPbxId"`
	}
	if json.Unmarshal(record, &r) != nil {
		return 0, false
	}
	id, err := strconv.ParseInt(strings.Trim(string(r.ID), `"`), 10, 64)
	return id, err == nil
}

// ServeHTTP answers as the captured YCM did.
func (r *Replay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	account, path, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/dm/open_api/")
	n, err := strconv.Atoi(account)
	if err != nil || n < 1 || n > len(r.accounts) {
		notFound().write(w, Shape{})
		return
	}
	a := r.accounts[n-1]
	switch {
	case request.Method == http.MethodPost && path == tokens && a.refused == nil:
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": "replayed", "token_type": "bearer", "refresh_token": "replayed-refresh", "expires_in": 1800,
		})
	case request.Method == http.MethodPost && path == tokens:
		r.write(w, *a.refused)
	case request.Method == http.MethodGet:
		r.write(w, a.answer(path, request.URL.Query()))
	default:
		notFound().write(w, Shape{})
	}
}

// answer is what came, or what follows from it.
func (a *replayed) answer(path string, query url.Values) capture.Exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyOf(path, query)
	if all := a.answers[key]; len(all) > 0 && (path != listOfPBXs || a.whole || a.records == nil) {
		if len(all) > 1 {
			a.answers[key] = all[1:]
		}
		return all[0]
	}
	if path == listOfPBXs && a.records != nil {
		return a.page(query)
	}
	if id, ok := strings.CutPrefix(path, "v1/cloud_pbx/instances/"); ok {
		for _, p := range a.records {
			if strconv.FormatInt(p.id, 10) == id {
				return success(p.json)
			}
		}
	}
	if key := a.alike(path, query); key != "" {
		return a.answers[key][0]
	}
	body, _ := json.Marshal(notFound().body(CodeMsg)) // Words and numbers always marshal.
	return capture.Exchange{Status: http.StatusNotFound, Body: body}
}

// alike is the first request that asked another PBX or user for the same, empty if there is none.
func (a *replayed) alike(path string, query url.Values) string {
	before, after, ok := around(path)
	if !ok {
		return ""
	}
	first := ""
	for key, all := range a.answers {
		b, rest, ok := around(all[0].Path)
		same := ok && b == before && rest == after && strings.HasSuffix(key, "?"+query.Encode())
		if same && (first == "" || key < first) {
			first = key
		}
	}
	return first
}

// around is what is before and behind the one in a path who is asked.
func around(path string) (before, after string, ok bool) {
	for _, before := range []string{"v1/cloud_pbx/", "v1/users/"} {
		if rest, is := strings.CutPrefix(path, before); is {
			who, after, more := strings.Cut(rest, "/")
			return before, after, more && who != "instances"
		}
	}
	return "", "", false
}

// page makes a page of all records that are known.
func (a *replayed) page(query url.Values) capture.Exchange {
	size, number := pageParameter(query, "pageSize", defaultPageSize), pageParameter(query, "pageNumber", 1)
	size = min(size, largestPageSize)
	records := slices.Clone(a.records)
	if strings.HasPrefix(query.Get("sort"), "-") {
		slices.Reverse(records)
	}
	p := page{size, number, len(records), []any{}}
	for i := (number - 1) * size; i < min(number*size, len(records)); i++ {
		p.List = append(p.List, records[i].json)
	}
	data, _ := json.Marshal(p) // What was unmarshalled can be marshalled.
	return success(data)
}

func pageParameter(query url.Values, name string, otherwise int) int {
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < 1 || n > 1_000_000 {
		return otherwise
	}
	return n
}

func success(data json.RawMessage) capture.Exchange {
	body, _ := json.Marshal(map[string]any{"data": data, "requestId": requestID(), "status": "Success"}) // It is JSON already.
	return capture.Exchange{Status: http.StatusOK, Body: body}
}

// write answers with what came, with its times moved. A body that was no JSON is a page of as many letters.
func (r *Replay) write(w http.ResponseWriter, e capture.Exchange) {
	for name, value := range e.Header { // Others could make what is no HTTP of it.
		if name == "Content-Type" || name == "Retry-After" || strings.Contains(name, "Limit") {
			w.Header().Set(name, value)
		}
	}
	body := answeredNow(capture.Shift(e.Body, r.shift))
	if e.Body == nil {
		const most = 1 << 20
		body = []byte("<html>" + strings.Repeat("x", min(max(0, e.Text-6), most)))
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // The client may have gone.
}

// answeredNow makes the time of an answer the present one: how long each lies behind the capture's beginning is not known.
func answeredNow(body []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields["time"] == nil {
		return body
	}
	fields["time"] = strconv.AppendInt(nil, time.Now().Unix(), 10)
	body, _ = json.Marshal(fields) // What was unmarshalled can be marshalled.
	return body
}
