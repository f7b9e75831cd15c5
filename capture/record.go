package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/sys/atomicwriter"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// Recorder keeps what comes of requests, until it writes all of it. Nothing is on a disk before it is scrubbed.
type Recorder struct {
	file     string
	exporter string

	mu       sync.Mutex
	accounts []string
	all      []recorded
	size     int
}

// recorded is an exchange as it was.
type recorded struct {
	account int
	method  string
	path    string
	query   url.Values
	failed  yeastar.Class
	status  int
	header  http.Header
	body    []byte // compressed by gzip
}

const (
	fileMode = 0o600
	maxKept  = 512 << 20 // bytes of all bodies
	maxBody  = 16 << 20  // bytes of one, as the exporter reads
)

// errTooLarge says that there was too much to be kept.
var errTooLarge = fmt.Errorf("there is more than %d MiB of answers; use --doctor, which asks for less", maxKept>>20)

// NewRecorder makes a recorder for a file, which it makes sure can be written.
func NewRecorder(file, exporter string) (*Recorder, error) {
	probe, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	return &Recorder{file: file, exporter: exporter}, probe.Close()
}

// Transport is t for an account, with what comes of its requests recorded. The account's name is not.
func (r *Recorder) Transport(account string, t http.RoundTripper) http.RoundTripper {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.accounts, account) {
		r.accounts = append(r.accounts, account)
	}
	return &transport{RoundTripper: t, recorder: r, account: slices.Index(r.accounts, account) + 1}
}

type transport struct {
	http.RoundTripper
	recorder *Recorder
	account  int
}

// RoundTrip sends the request and reads the answer whole.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	_, path, ours := strings.Cut(r.URL.Path, "/dm/open_api/")
	e := recorded{account: t.account, method: r.Method, path: path, query: r.URL.Query()}
	if r.Method == http.MethodPost && r.GetBody != nil {
		if body, err := r.GetBody(); err == nil {
			form, _ := io.ReadAll(io.LimitReader(body, maxBody)) // What is missing is not recorded.
			values, _ := url.ParseQuery(string(form))
			e.query = url.Values{"grant_type": values["grant_type"]}
		}
	}
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil || !ours {
		if ours {
			e.failed = yeastar.ClassOf(err)
			t.recorder.keep(e, nil)
		}
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	response.Body.Close()
	if err != nil {
		e.failed = yeastar.ClassOf(err)
	}
	e.status, e.header = response.StatusCode, response.Header
	t.recorder.keep(e, body)
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	return response, nil
}

// CloseIdleConnections closes the connections that nothing uses.
func (t *transport) CloseIdleConnections() {
	(&http.Client{Transport: t.RoundTripper}).CloseIdleConnections()
}

// failing is the end of a body that could not be read further.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// keep takes an exchange over.
func (r *Recorder) keep(e recorded, body []byte) {
	if !strings.EqualFold(e.header.Get("Content-Encoding"), "gzip") {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		_, _ = w.Write(body) // A buffer takes everything.
		_ = w.Close()
		body = zipped.Bytes()
	}
	e.body = body
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size += len(body); r.size <= maxKept {
		r.all = append(r.all, e)
	}
}

// Write scrubs what was recorded and writes it to the file.
func (r *Recorder) Write() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size > maxKept {
		return errTooLarge
	}
	const day = 24 * 60 * 60
	now := time.Now().Unix()
	s := newScrubber(rand.Int64N(2*day) - day)
	for i := range r.all {
		r.all[i].learn(s)
	}
	s.number()
	c := Capture{Header: Header{Format: format, Version: Version, Exporter: r.exporter, Captured: now + s.offset}}
	for i := range r.all {
		e, err := r.all[i].scrub(s)
		if err != nil {
			return err
		}
		c.Exchanges = append(c.Exchanges, e)
	}
	var content bytes.Buffer
	if err := c.write(&content, strings.HasSuffix(r.file, ".gz")); err != nil {
		return err
	}
	return atomicwriter.WriteFile(r.file, content.Bytes(), fileMode)
}

// content is the body as it was, as far as it can be read.
func (e *recorded) content() []byte {
	unzipped, err := gzip.NewReader(bytes.NewReader(e.body))
	if err != nil {
		return nil
	}
	content, _ := io.ReadAll(io.LimitReader(unzipped, maxBody)) // What is cut is no JSON.
	return content
}

// learn has the scrubber learn from the exchange.
func (e *recorded) learn(s *scrubber) {
	if value, ok := decode(e.content()); ok {
		s.learn("", value, 0)
	}
	for _, part := range e.parts() {
		s.learnID(part.field, part.text)
	}
	for name, values := range e.query {
		for _, value := range values {
			for id := range strings.SplitSeq(value, ",") {
				s.learnID(name, id)
			}
		}
	}
}

// part is a part of a path that is an id or a serial number, or plain if field is empty.
type part struct{ field, text string }

func (e *recorded) parts() (parts []part) {
	before := ""
	for text := range strings.SplitSeq(e.path, "/") {
		field := ""
		switch {
		case before == "instances" && whole.MatchString(text):
			field = "cloudPbxId"
		case before == "users":
			field = "userId"
		case before == "cloud_pbx" && text != "instances":
			field = "sn"
		}
		parts = append(parts, part{field, text})
		before = text
	}
	return parts
}

// scrub is what may be shown of the exchange.
func (e *recorded) scrub(s *scrubber) (Exchange, error) {
	shown := Exchange{Account: e.account, Method: e.method, Failed: string(e.failed), Status: e.status}
	var path []string
	for _, p := range e.parts() {
		if p.field != "" {
			p.text = s.text(p.field, p.text)
		}
		path = append(path, p.text)
	}
	shown.Path = strings.Join(path, "/")
	for name := range e.query {
		if shown.Query == nil {
			shown.Query = map[string]string{}
		}
		shown.Query[s.name(name)] = s.parameter(name, e.query.Get(name))
	}
	if e.failed != "" {
		return shown, nil
	}
	shown.Header = headers(e.header)
	content := e.content()
	value, ok := decode(content)
	if !ok {
		shown.Text = len(content)
		return shown, nil
	}
	body, err := json.Marshal(s.scrub("", value, 0))
	if err != nil {
		return shown, errors.New("an answer cannot be written as JSON")
	}
	shown.Body = body
	return shown, nil
}

// parameter is what may be shown of a parameter of the request. The exporter itself chose most of them.
func (s *scrubber) parameter(name, value string) string {
	switch {
	case name == "grant_type" && (value == "client_credentials" || value == "refresh_token"),
		(name == "sort" || name == "sort_by") && KnownName(strings.TrimPrefix(value, "-")):
		return value
	case kindOf(name) == identity:
		ids := strings.Split(value, ",")
		for i, id := range ids {
			ids[i] = s.text(name, id)
		}
		return strings.Join(ids, ",")
	default:
		return s.text(name, value)
	}
}

// headers are those that may be shown.
func headers(h http.Header) map[string]string {
	shown := map[string]string{}
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil &&
		(media == "application/json" || media == "text/html" || media == "text/plain") {
		shown["Content-Type"] = media
	}
	for name := range h {
		if value := h.Get(name); limitHeader.MatchString(name) && len(value) <= 9 && whole.MatchString(value) {
			shown[name] = value
		}
	}
	return shown
}

var limitHeader = regexp.MustCompile(`(?i)^(retry-after|(x-)?rate-?limit(-(limit|remaining|reset|policy|burst-capacity|replenish-rate))?)$`)
