package capture

import (
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
	file  *os.File
	lines io.Writer // file, or a gzip.Writer to it

	mu       sync.Mutex
	scrubber scrubber
	accounts []string
	recorded int
	dropped  int   // Exchanges that exceeded a bound.
	size     int   // Bytes of JSON.
	err      error // Why nothing more is written.
}

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
	r := &Recorder{file: file, lines: file, scrubber: newScrubber(fields)}
	if strings.HasSuffix(name, ".gz") {
		r.lines = gzip.NewWriter(file)
	}
	r.write(Header{Format: format, Version: Version, Exporter: exporter, Captured: time.Now().Unix()})
	return r, nil
}

// write writes a line, and reports whether it did.
func (r *Recorder) write(value any) bool {
	line, err := json.Marshal(value)
	r.err = cmp.Or(r.err, err)
	if r.size += len(line) + 1; r.err != nil || r.size >= maxRead {
		return false
	}
	_, r.err = r.lines.Write(append(line, '\n'))
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
	if r.GetBody != nil { // A token request, whose form has credentials.
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		form, _ := io.ReadAll(body) // It is in memory.
		values, _ := url.ParseQuery(string(form))
		query = url.Values{"grant_type": values["grant_type"]}
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

// Close completes the file, or removes it if that fails. If exchanges were dropped, it is an error too, but the file stays.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, err := r.file.Name(), r.err
	if r.recorded == 0 {
		err = cmp.Or(err, errors.New("no request was sent, so there is nothing to capture"))
	}
	if zipped, ok := r.lines.(*gzip.Writer); ok {
		err = cmp.Or(err, zipped.Close())
	}
	if err = errors.Join(err, r.file.Close()); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(name))
	}
	if r.dropped > 0 {
		return fmt.Errorf("%s has the first %d answers, and the other %d are left out because the file would be too large; --doctor sends fewer requests", name, r.recorded, r.dropped)
	}
	return nil
}
