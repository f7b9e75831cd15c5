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
	accounts int
	recorded int
	size     int   // Bytes of JSON.
	err      error // Why nothing more is written.
}

// NewRecorder makes a recorder for a new file; it does not overwrite one. The fields are those that the clients read, as
// yeastar.RecordFields returns them.
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

var errTooLarge = fmt.Errorf("more than %d answers or %d MiB; --doctor sends fewer requests", maxExchanges, maxRead>>20)

// write writes a line, unless an error came before.
func (r *Recorder) write(value any) {
	line, err := json.Marshal(value)
	if r.size += len(line) + 1; r.size >= maxRead || r.recorded > maxExchanges {
		err = errTooLarge
	}
	if r.err = cmp.Or(r.err, err); r.err == nil {
		_, r.err = r.lines.Write(append(line, '\n'))
	}
}

// Transport wraps the transport of the next account. A nil Recorder records nothing.
func (r *Recorder) Transport(t http.RoundTripper) http.RoundTripper {
	if r == nil {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accounts++
	return &transport{t, r, r.accounts}
}

type transport struct {
	http.RoundTripper
	recorder *Recorder
	account  int
}

// RoundTrip sends the request and reads the complete answer.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	_, path, _ := strings.Cut(r.URL.Path, "/dm/open_api/")
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
	if err == nil {
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

// record adds what may be shown of an exchange to the file.
func (r *Recorder) record(e Exchange, path string, query url.Values, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorded++
	r.write(r.scrubber.scrub(e, path, query, body))
}

// Close completes the file, or removes it if it cannot be complete.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, err := r.file.Name(), r.err
	if zipped, ok := r.lines.(*gzip.Writer); ok {
		err = cmp.Or(err, zipped.Close())
	}
	if err = errors.Join(err, r.file.Close()); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(name))
	}
	return nil
}
