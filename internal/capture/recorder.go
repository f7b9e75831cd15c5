package capture

import (
	"bufio"
	"bytes"
	"cmp"
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

// Recorder scrubs requests and their answers as they come, and appends them to a file. It is safe for concurrent use.
type Recorder struct {
	file     *os.File
	buffered *bufio.Writer
	lines    io.Writer // buffered, or a gzip.Writer to it

	mu       sync.Mutex
	scrubber scrubber
	accounts []string
	recorded int
	dropped  int   // Exchanges that exceeded a bound.
	size     int   // Bytes of JSON.
	err      error // Why nothing more is written.
}

// ErrNothing is the error of a capture without an exchange, which is not kept.
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
	buffered := bufio.NewWriter(file)
	r := &Recorder{file: file, buffered: buffered, lines: buffered, scrubber: newScrubber(fields)}
	if strings.HasSuffix(name, ".gz") {
		r.lines = gzip.NewWriter(buffered)
	}
	r.write(Header{Format: format, Version: Version, Exporter: exporter, Captured: time.Now().Unix()})
	return r, nil
}

// write writes a line, and reports whether it did.
func (r *Recorder) write(value any) bool {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		r.err = cmp.Or(r.err, err)
	}
	if r.size += line.Len(); r.err != nil || r.size >= maxRead {
		return false
	}
	_, r.err = r.lines.Write(line.Bytes())
	return r.err == nil
}

// Transport wraps the transport of an account, whose name is not recorded. A nil Recorder records nothing.
func (r *Recorder) Transport(account string, t http.RoundTripper) http.RoundTripper {
	if r == nil {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.accounts, account) {
		r.accounts = append(r.accounts, account)
	}
	return &transport{t, r, slices.Index(r.accounts, account) + 1}
}

type transport struct {
	http.RoundTripper
	recorder *Recorder
	account  int
}

// RoundTrip sends the request and reads the complete answer.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	_, path, isYCM := strings.Cut(r.URL.Path, "/dm/open_api/")
	if !isYCM { // The token request of http_client's oauth2.
		return t.RoundTripper.RoundTrip(r)
	}
	query := r.URL.Query()
	if r.Method == http.MethodPost && r.GetBody != nil {
		query = grantOf(r)
	}
	e := Exchange{Account: t.account, Method: r.Method}
	response, err := t.RoundTripper.RoundTrip(r)
	var body []byte
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols { // The body is the bare connection.
		e.Failed = string(yeastar.Network)
	} else if err == nil {
		body, err = io.ReadAll(io.LimitReader(response.Body, yeastar.MaxBody+1))
		response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(body))
		e.Status, e.Header = response.StatusCode, headers(response.Header)
	}
	if err != nil {
		response, e.Failed, e.Status, e.Header = nil, string(yeastar.ClassOf(err)), 0, nil
	}
	t.recorder.record(e, path, query, body)
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

// CloseIdleConnections closes the idle connections of the wrapped transport.
func (t *transport) CloseIdleConnections() {
	(&http.Client{Transport: t.RoundTripper}).CloseIdleConnections()
}

// record adds what may be shown of an exchange to the file.
func (r *Recorder) record(e Exchange, path string, query url.Values, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped == 0 && r.recorded < maxExchanges && r.write(r.scrubber.scrub(e, path, query, body)) {
		r.recorded++
	} else {
		r.dropped++
	}
}

// Close completes the file. If that fails, the file is removed. Dropped exchanges are an error as well, but the file then holds
// all before them.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, err := r.file.Name(), r.err
	if r.recorded == 0 {
		err = cmp.Or(err, ErrNothing)
	}
	if zipped, ok := r.lines.(*gzip.Writer); ok {
		err = cmp.Or(err, zipped.Close())
	}
	if err = errors.Join(cmp.Or(err, r.buffered.Flush()), r.file.Close()); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(name))
	}
	if r.dropped > 0 {
		return fmt.Errorf("%s has the first %d answers, and the other %d are left out because the file would be too large; --doctor sends fewer requests", name, r.recorded, r.dropped)
	}
	return nil
}
