package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// MostRequests is how many requests an account is looked at with.
const MostRequests = 25

const (
	apiRoot   = "/dm/open_api/"
	tokenPath = "oauth/token"
	listPath  = "v2/cloud_pbx/instances"
)

var (
	errSpent     = errors.New("the doctor has sent as many requests as it may")
	errLimited   = errors.New("YCM says that its rate limit is overrun")
	errForbidden = errors.New("the doctor does not send such a request")
)

// tap stands between the client and the network. Whatever the client does, no more than MostRequests are sent, each in
// its turn and at the doctor's pace: reads, at most one login, at most one refresh. The same request is sent once; who
// asks again gets the answer again. What came is kept.
type tap struct {
	transport http.RoundTripper
	timeout   time.Duration
	pace      *rate.Limiter
	end       context.CancelCauseFunc // Ends everything.
	progress  func(done, total int)

	turn   chan struct{} // Holds one value while a request is under way: one at a time.
	sent   []*exchange
	byURL  map[string]*exchange
	sample *sample // What collectors see in the place of the fleet; nil while they do not ask.
	kept   int     // How many requests collectors must leave for what else is to be asked.
}

// sample is a small part of the fleet that stands for the whole: collectors ask for it as they do every day, and what
// they would ask of each PBX or user is asked of one. Of the others the same answer is assumed.
type sample struct {
	pbxs    []json.RawMessage
	speaker string          // The serial number of the PBX that speaks for all, whichever a collector asks first; empty before one is known.
	used    map[string]bool // The kinds of requests that the collector at work has made,
	asked   int             // how many requests that were,
	copied  int             // and how many of them were not sent.
}

// maxCopied is how many requests that are not sent a collector may make.
const maxCopied = 200

// newTap makes a tap with an empty bucket that fills at a fifth of the rate.
func newTap(transport http.RoundTripper, timeout, period time.Duration, end context.CancelCauseFunc, progress func(done, total int)) *tap {
	const share = 5
	pace := rate.NewLimiter(rate.Every(share*period), 1)
	pace.Allow() // The bucket is empty at first.
	return &tap{transport: yeastar.Exchange(transport), timeout: timeout, pace: pace, end: end, progress: progress, turn: make(chan struct{}, 1), byURL: map[string]*exchange{}}
}

// show has the collectors see a sample from now on in the place of the fleet, or none.
func (t *tap) show(s *sample) {
	t.turn <- struct{}{}
	t.sample = s
	<-t.turn
}

// forget lets the same request be sent again.
func (t *tap) forget(e *exchange) {
	t.turn <- struct{}{}
	maps.DeleteFunc(t.byURL, func(_ string, known *exchange) bool { return known == e })
	<-t.turn
}

// RoundTrip sends the request, or answers it from what is known.
func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	e, err := t.describe(r)
	if err != nil {
		return nil, err
	}
	if t.sample != nil && e.kind == listPath {
		t.sample.used[listPath] = true
		body := t.sample.list(e.query)
		return (&exchange{status: http.StatusOK, proto: r.Proto}).answer(r, body)
	}
	if t.sample != nil && t.sample.speaker != "" && strings.Contains(e.kind, pbxOf) && most(e.kind) == 1 {
		r = readdressed(r, e.kind, t.sample.speaker)
		if e, err = t.describe(r); err != nil {
			return nil, err
		}
	}
	known := t.byURL[e.key(r)]
	if t.sample != nil && e.grant == "" {
		t.sample.used[e.kind] = true
		t.sample.asked++
		if known == nil && t.count(e.kind) >= most(e.kind) {
			known = t.last(e.kind)
		}
		if known != nil {
			t.sample.copied++
		}
		if t.sample.copied > maxCopied {
			return nil, errForbidden
		}
	}
	if known == nil && t.sample != nil && e.grant == "" && len(t.sent) >= MostRequests-t.kept {
		return notAsked.answer(r, notAsked.body)
	}
	if known == nil {
		if err := t.exchange(r, e); err != nil {
			return nil, err
		}
		known = e
	}
	if t.sample != nil {
		return known.answer(r, known.whole())
	}
	return known.answer(r, known.body)
}

// notAsked is the answer to a collector when the requests that there are for collectors are used up: one that makes it
// give up at once.
var notAsked = &exchange{status: http.StatusForbidden, proto: "HTTP/1.1", body: []byte(`{"status":"Failed","code":1000042}`)}

// exchange sends what has not been sent before.
func (t *tap) exchange(r *http.Request, e *exchange) error {
	if len(t.sent) >= MostRequests {
		t.end(errSpent)
		return errSpent
	}
	if err := yeastar.Sleep(r.Context(), t.pace.Reserve().Delay()); err != nil {
		return err
	}
	e.send(r, t.transport, t.timeout)
	if e.err != nil && r.Context().Err() != nil {
		return e.err // Whoever asked has gone.
	}
	t.sent = append(t.sent, e)
	t.byURL[e.key(r)] = e
	t.progress(len(t.sent), MostRequests)
	if failure := e.failure(); failure != nil && failure.Class == yeastar.RateLimited && failure.Code/yeastar.FirstYCMCode > 0 || e.status == http.StatusTooManyRequests {
		t.end(errLimited)
	}
	return nil
}

// describe tells what a request is, and refuses what the doctor must not send.
func (t *tap) describe(r *http.Request) (*exchange, error) {
	_, path, ok := strings.Cut(r.URL.Path, apiRoot)
	e := &exchange{path: path, kind: kindOf(path), query: r.URL.Query()}
	switch {
	case ok && r.Method == http.MethodGet && path != tokenPath:
		return e, nil
	case !ok || r.Method != http.MethodPost || path != tokenPath:
		return nil, errForbidden
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	e.grant = form.Get("grant_type")
	return e, err
}

// key is the same for the same request. There is but one request of each grant, so that there is but one login.
func (e *exchange) key(r *http.Request) string {
	if e.grant != "" {
		return e.grant
	}
	return r.URL.RequestURI()
}

// kindOf writes a path without ids and serial numbers.
func kindOf(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		switch {
		case part != "" && strings.Trim(part, "0123456789") == "":
			parts[i] = "{id}"
		case i > 0 && parts[i-1] == "cloud_pbx" && part != "instances":
			parts[i] = pbxOf
		}
	}
	return strings.Join(parts, "/")
}

// pbxOf stands for a serial number in a kind.
const pbxOf = "{sn}"

// readdressed is the same request to another PBX.
func readdressed(r *http.Request, kind, sn string) *http.Request {
	r = r.Clone(r.Context())
	before, _, _ := strings.Cut(r.URL.Path, apiRoot)
	r.URL.Path, r.URL.RawPath = before+apiRoot+strings.Replace(kind, pbxOf, sn, 1), ""
	return r
}

// systemInformation is what each PBX of the sample is asked for; the others stand for all.
const systemInformation = "v1/cloud_pbx/{sn}/openapi/v1.0/system/information"

// most is how many requests of a kind are sent for collectors.
func most(kind string) int {
	if kind == systemInformation {
		return sampleSize
	}
	return 1
}

// of returns the requests of a kind that were sent.
func (t *tap) of(kind string) (all []*exchange) {
	for _, e := range t.sent {
		if e.kind == kind {
			all = append(all, e)
		}
	}
	return all
}

func (t *tap) count(kind string) int { return len(t.of(kind)) }

// last is the newest of a kind, nil if there is none.
func (t *tap) last(kind string) *exchange {
	if all := t.of(kind); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// list answers for the list of Cloud PBXs as if the sample were all of it.
func (s *sample) list(query url.Values) []byte {
	pbxs := s.pbxs
	if number := query.Get("pageNumber"); number != "" && number != "1" || pbxs == nil {
		pbxs = []json.RawMessage{}
	}
	body, _ := json.Marshal(map[string]any{ // What was unmarshalled can be marshalled.
		"status": "Success", "data": map[string]any{"pageSize": ycmclient.PageSize, "pageNumber": 1, "total": len(s.pbxs), "list": pbxs},
	})
	return body
}

// whole is the body with the page's own number of records for the total, so that nobody asks for more of them.
func (e *exchange) whole() []byte {
	var answer map[string]any
	numbers := json.NewDecoder(bytes.NewReader(e.body))
	numbers.UseNumber()
	if e.err != nil || numbers.Decode(&answer) != nil {
		return e.body
	}
	data, _ := answer["data"].(map[string]any)
	switch list := data["list"].(type) {
	case []any:
		data["total"] = len(list)
	default:
		rows, ok := answer["data"].([]any)
		if _, paged := answer["total_number"]; !ok || !paged {
			return e.body
		}
		answer["total_number"] = len(rows)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return e.body
	}
	return body
}
