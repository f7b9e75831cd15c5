package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Recorder keeps requests and their answers in memory until it writes them all: nothing is on a disk before it is scrubbed.
type Recorder struct {
	file     *os.File
	exporter string
	scrubber scrubber

	mu       sync.Mutex
	accounts []string
	pbxs     []string // Those with direct access, by account and address.
	recorded []recorded
	size     int // Bytes of all bodies.
	dropped  int // Exchanges that exceeded a bound.
}

// recorded is an exchange whose path, query and body are not scrubbed yet.
type recorded struct {
	Exchange
	query url.Values
	body  []byte
}

// maxKept bounds the bytes of all bodies. Scrubbing makes them at most five times as large, less than maxRead.
const maxKept = 100 << 20

// ErrNothing is the error of a capture without an exchange, which is not written.
var ErrNothing = errors.New("no request was sent, so there is nothing to capture")

// NewRecorder makes a recorder for a new file; it does not overwrite one. The fields are those that the clients read, as
// yeastar.WireFields returns them.
func NewRecorder(name, exporter string, fields ...map[string]bool) (*Recorder, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: remove it, or choose another name", name)
	}
	if err != nil {
		return nil, err
	}
	return &Recorder{file: file, exporter: exporter, scrubber: newScrubber(fields)}, nil
}

// Transport wraps the transport of an account, to YCM or to its PBXs with direct access. The account's name is not recorded.
// A nil Recorder records nothing.
func (r *Recorder) Transport(account string, t http.RoundTripper) http.RoundTripper {
	if r == nil {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return &transport{t, r, number(&r.accounts, account)}
}

// number numbers names from 1, in the order in which they first occur.
func number(known *[]string, name string) int {
	if !slices.Contains(*known, name) {
		*known = append(*known, name)
	}
	return slices.Index(*known, name) + 1
}

type transport struct {
	http.RoundTripper
	recorder *Recorder
	account  int
}

// RoundTrip sends the request and reads the complete answer.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	e := recorded{Exchange: Exchange{Account: t.account, Method: r.Method}, query: r.URL.Query()}
	before, path, isYCM := strings.Cut(r.URL.Path, "/dm/open_api/")
	before, pbxPath, isPBX := strings.Cut(before, "/openapi/")
	switch {
	case isYCM:
		e.Path = path
		if r.Method == http.MethodPost && r.GetBody != nil {
			e.query = grantOf(r)
		}
	case isPBX:
		e.Path, e.PBX = "openapi/"+pbxPath, t.recorder.pbx(fmt.Sprint(t.account, " ", r.URL.Host, before))
	default: // The token request of http_client's oauth2.
		return t.RoundTripper.RoundTrip(r)
	}
	response, err := t.RoundTripper.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols { // The body is the bare connection.
		e.Failed = string(yeastar.Network)
	} else if err == nil {
		e.Status, e.Header = response.StatusCode, headers(response.Header)
		e.body, err = io.ReadAll(io.LimitReader(response.Body, yeastar.MaxBody+1))
		response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(e.body))
		if strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
			e.body = unzip(e.body)
		}
	}
	if err != nil {
		response, e.Failed = nil, string(yeastar.ClassOf(err))
	}
	t.recorder.keep(e)
	return response, err
}

// grantOf returns the kind of a token request, without credentials.
func grantOf(r *http.Request) url.Values {
	body, err := r.GetBody()
	if err != nil {
		return nil
	}
	form, _ := io.ReadAll(io.LimitReader(body, yeastar.MaxBody)) // What cannot be read is not recorded.
	values, _ := url.ParseQuery(string(form))
	return url.Values{"grant_type": values["grant_type"]}
}

// unzip decompresses a body, as far as it can be read and an answer may be long.
func unzip(zipped []byte) []byte {
	unzipped, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil
	}
	content, _ := io.ReadAll(io.LimitReader(unzipped, yeastar.MaxBody)) // A part of a body is not JSON.
	return content
}

// CloseIdleConnections closes the idle connections of the wrapped transport.
func (t *transport) CloseIdleConnections() {
	(&http.Client{Transport: t.RoundTripper}).CloseIdleConnections()
}

// pbx numbers the PBXs with direct access.
func (r *Recorder) pbx(address string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return number(&r.pbxs, address)
}

func (r *Recorder) keep(e recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped > 0 || len(r.recorded) == maxExchanges || r.size+len(e.body) > maxKept {
		r.dropped++
		return
	}
	r.size += len(e.body)
	r.recorded = append(r.recorded, e)
}

// Write scrubs what was recorded, writes it and closes the file. If that fails, the file is removed. Dropped exchanges are
// an error as well, but the file then holds all before them.
func (r *Recorder) Write() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := r.file.Name()
	if err := errors.Join(r.write(), r.file.Close()); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(name))
	}
	if r.dropped > 0 {
		return fmt.Errorf("%s has the first %d answers, and the other %d are left out because the file would be too large; --doctor sends fewer requests", name, len(r.recorded), r.dropped)
	}
	return nil
}

func (r *Recorder) write() error {
	if len(r.recorded) == 0 {
		return ErrNothing
	}
	buffered := bufio.NewWriter(r.file)
	zipped := gzip.NewWriter(buffered)
	lines, end := json.NewEncoder(zipped), zipped.Close
	if !strings.HasSuffix(r.file.Name(), ".gz") {
		lines, end = json.NewEncoder(buffered), func() error { return nil }
	}
	lines.SetEscapeHTML(false)
	err := lines.Encode(Header{Format: format, Version: Version, Exporter: r.exporter, Captured: time.Now().Unix()})
	for i := range r.recorded {
		err = errors.Join(err, lines.Encode(r.scrubber.scrub(&r.recorded[i])))
	}
	return errors.Join(err, end(), buffered.Flush())
}
