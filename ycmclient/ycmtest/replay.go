package ycmtest

import (
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

// Replay is a YCM that answers as another one did while it was captured. It is an http.Handler, safe for concurrent use.
// The account n of the capture is at the path /n, and takes any credentials that YCM took then. Times lie as far from now as
// they lay from the capture. What had no answer has none again: after a time-out nothing comes until the client gives up,
// and otherwise the connection is cut. What PBXs answered that were spoken to directly is not served. Of a PBX or a user that was not
// asked, the answer of another one is assumed. What the capture does not have at all is not found.
type Replay struct {
	accounts []*replayed
	shift    int64 // seconds
}

// replayed is an account of a capture.
type replayed struct {
	mu      sync.Mutex
	answers map[string][]capture.Exchange // by request; the last one stays
	list    replayedList
}

// NewReplay serves a capture.
func NewReplay(c *capture.Capture) (*Replay, error) {
	r := &Replay{shift: time.Now().Unix() - c.Captured}
	for _, e := range c.Exchanges {
		if e.PBX > 0 { // Each would need a host of its own.
			continue
		}
		for len(r.accounts) < e.Account {
			r.accounts = append(r.accounts, &replayed{answers: map[string][]capture.Exchange{}, list: newReplayedList()})
		}
		r.accounts[e.Account-1].add(e)
	}
	if len(r.accounts) == 0 {
		return nil, errors.New("the capture has no answer of YCM")
	}
	for _, a := range r.accounts {
		a.list.close()
		login := loginKey(clientCredentials)
		if all := a.answers[login]; slices.ContainsFunc(all, granted) { // Who logged in at last can log in.
			a.answers[login] = slices.DeleteFunc(all, func(e capture.Exchange) bool { return !granted(e) })
		}
	}
	return r, nil
}

// Accounts is how many accounts there are.
func (r *Replay) Accounts() int { return len(r.accounts) }

const (
	listOfPBXs        = "v2/cloud_pbx/instances"
	tokens            = "oauth/token"
	clientCredentials = "client_credentials"
)

// keyOf is the same for the same request.
func keyOf(path string, query url.Values) string { return path + "?" + query.Encode() }

func loginKey(grant string) string { return keyOf(tokens, url.Values{"grant_type": {grant}}) }

// add takes over what came.
func (a *replayed) add(e capture.Exchange) {
	query := url.Values{}
	for name, value := range e.Query {
		query.Set(name, value)
	}
	key := keyOf(e.Path, query)
	a.answers[key] = append(a.answers[key], e)
	if e.Path == listOfPBXs && e.Failed == "" {
		a.list.add(e)
	}
}

func granted(e capture.Exchange) bool {
	var token struct {
		Access string `json:"access_token"`
	}
	return json.Unmarshal(e.Body, &token) == nil && token.Access != "" && e.Status < 300
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
	case request.Method == http.MethodPost && path == tokens:
		const longest = 1 << 16
		request.Body = http.MaxBytesReader(w, request.Body, longest)
		r.write(w, request, a.login(request.PostFormValue("grant_type")))
	case request.Method == http.MethodGet:
		r.write(w, request, a.answer(path, request.URL.Query()))
	default:
		notFound().write(w, Shape{})
	}
}

// login is what came of a request for a token, or a token if none was asked for.
func (a *replayed) login(grant string) capture.Exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.next(loginKey(grant)); ok {
		return e
	}
	return capture.Exchange{Status: http.StatusOK, Body: json.RawMessage(
		`{"access_token":"replayed","token_type":"bearer","refresh_token":"replayed-refresh","expires_in":1800}`)}
}

// next is the next answer to a request, if there is one.
func (a *replayed) next(key string) (e capture.Exchange, ok bool) {
	all := a.answers[key]
	if len(all) > 1 {
		a.answers[key] = all[1:]
	}
	if len(all) == 0 {
		return e, false
	}
	return all[0], true
}

// answer is what came, or what follows from it.
func (a *replayed) answer(path string, query url.Values) capture.Exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	if path != listOfPBXs || !a.list.joined {
		if e, ok := a.next(keyOf(path, query)); ok {
			return e
		}
	}
	if path == listOfPBXs && a.list.records != nil {
		return a.list.page(query)
	}
	if id, ok := strings.CutPrefix(path, "v1/cloud_pbx/instances/"); ok {
		if record, ok := a.list.record(id); ok {
			return success(record)
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

func success(data json.RawMessage) capture.Exchange {
	body, _ := json.Marshal(map[string]any{"data": data, "requestId": requestID(), "status": "Success"}) // It is JSON already.
	return capture.Exchange{Status: http.StatusOK, Body: body}
}

// write answers with what came, with its times moved. A body that was no JSON is a page of as many letters.
func (r *Replay) write(w http.ResponseWriter, request *http.Request, e capture.Exchange) {
	if e.TimedOut() {
		<-request.Context().Done() // The client gives up, or the server ends.
	}
	if e.Failed != "" {
		panic(http.ErrAbortHandler)
	}
	for name, value := range e.Header { // Others could make what is no HTTP of it.
		if name == "Content-Type" || name == "Retry-After" || strings.Contains(name, "Limit") {
			w.Header().Set(name, value)
		}
	}
	body := answeredNow(capture.Shift(e.Body, r.shift))
	if e.Body == nil {
		const most = 1 << 20
		page := "<html>" + strings.Repeat("x", min(max(0, e.Text), most))
		body = []byte(page[:min(max(0, e.Text), len(page))])
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
