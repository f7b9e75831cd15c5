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
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Recorder keeps what comes of requests, until it writes all of it. Nothing is on a disk before it is scrubbed.
type Recorder struct {
	file     *os.File
	exporter string

	mu       sync.Mutex
	zip      *gzip.Writer
	accounts []string
	pbxs     []string // that are spoken to directly, by account and address
	all      []recorded
	size     int // bytes of all bodies, as they came
	dropped  int // exchanges that there was no room for
}

const (
	fileMode = 0o600
	maxKept  = 256 << 20 // bytes of all bodies
)

// ErrNothing is the error of a capture of no exchange, which is not written.
var ErrNothing = errors.New("nothing was asked, so there is no capture")

// NewRecorder makes a recorder for a file, which there must not be: what it holds could be of use.
func NewRecorder(name, exporter string) (*Recorder, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: remove it, or give the name of a file that does not", name)
	}
	if err != nil {
		return nil, err
	}
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // There is this level.
	return &Recorder{file: file, exporter: exporter, zip: zip}, nil
}

// Transport is t for an account, with what comes of its requests recorded. The account's name is not. A nil recorder
// records nothing.
func (r *Recorder) Transport(account string, t http.RoundTripper) http.RoundTripper {
	return r.transport(account, t, ycmRoot)
}

// PBXTransport is t for the PBXs of an account that are spoken to directly, with what comes of requests recorded.
func (r *Recorder) PBXTransport(account string, t http.RoundTripper) http.RoundTripper {
	return r.transport(account, t, pbxRoot)
}

// The roots of the APIs.
const (
	ycmRoot = "/dm/open_api/"
	pbxRoot = "/openapi/"
)

func (r *Recorder) transport(account string, t http.RoundTripper, root string) http.RoundTripper {
	if r == nil {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return &transport{RoundTripper: t, recorder: r, account: number(&r.accounts, account), root: root}
}

// pbx numbers the PBXs that are spoken to directly.
func (r *Recorder) pbx(account int, address string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return number(&r.pbxs, fmt.Sprint(account, " ", address))
}

// number counts names from 1 on, in the order in which they come first.
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
	root     string
}

// RoundTrip sends the request and reads the answer whole.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	before, path, ours := strings.Cut(r.URL.Path, t.root)
	e := recorded{account: t.account, method: r.Method, path: path, query: r.URL.Query()}
	if ours && t.root == pbxRoot {
		e.pbx, e.path = t.recorder.pbx(t.account, r.URL.Host+before), strings.TrimPrefix(pbxRoot, "/")+path
	} else if r.Method == http.MethodPost && r.GetBody != nil {
		if body, err := r.GetBody(); err == nil {
			form, _ := io.ReadAll(io.LimitReader(body, yeastar.MaxBody)) // What is missing is not recorded.
			values, _ := url.ParseQuery(string(form))
			e.query = url.Values{"grant_type": values["grant_type"]}
		}
	}
	response, err := t.RoundTripper.RoundTrip(r)
	if !ours {
		return response, err
	}
	failure := err
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
		failure = yeastar.ErrSwitched // The body is the bare connection, which no time-out ends.
	}
	if failure != nil {
		e.failed = yeastar.ClassOf(failure)
		t.recorder.keep(e, nil)
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, yeastar.MaxBody+1))
	response.Body.Close()
	if err != nil {
		e.failed = yeastar.ClassOf(err)
	}
	e.status, e.header = response.StatusCode, headers(response.Header)
	t.recorder.keep(e, plain(response.Header, body))
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

// plain is a body without the compression that it came with.
func plain(h http.Header, body []byte) []byte {
	if !strings.EqualFold(h.Get("Content-Encoding"), "gzip") {
		return body
	}
	return unzip(body)
}

// unzip is what was compressed, as far as it can be read and an answer may be long.
func unzip(zipped []byte) []byte {
	unzipped, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil
	}
	content, _ := io.ReadAll(io.LimitReader(unzipped, yeastar.MaxBody)) // What is cut is no JSON.
	return content
}

// keep takes an exchange over.
func (r *Recorder) keep(e recorded, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped > 0 || len(r.all) == maxExchanges || r.size+len(body) > maxKept {
		r.dropped++
		return
	}
	r.size += len(body)
	var zipped bytes.Buffer
	r.zip.Reset(&zipped)
	_, _ = r.zip.Write(body) // A buffer takes everything.
	_ = r.zip.Close()
	e.zipped = zipped.Bytes()
	r.all = append(r.all, e)
}

// Write scrubs what was recorded, writes it and closes the file. If it fails, there is no file. What there was no room
// for is an error as well, but then the file has all that came before.
func (r *Recorder) Write() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := r.file.Name()
	written, err := 0, fmt.Errorf("%s: %w", name, ErrNothing)
	if len(r.all) > 0 {
		written, err = r.write()
	}
	if err = errors.Join(err, r.file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	if left := len(r.all) - written + r.dropped; left > 0 {
		return fmt.Errorf("%s has the first %d answers, and the other %d are left out, because no more can be read again; --doctor asks for less", name, written, left)
	}
	return nil
}

// write writes as many exchanges as can be read again.
func (r *Recorder) write() (written int, err error) {
	const day = 24 * 60 * 60
	s := newScrubber(rand.Int64N(2*day) - day)
	for i := range r.all {
		r.all[i].learn(s)
	}
	s.number()
	buffered := bufio.NewWriter(r.file)
	var w io.Writer = buffered
	end := buffered.Flush
	if strings.HasSuffix(r.file.Name(), ".gz") {
		zipped := gzip.NewWriter(buffered)
		w, end = zipped, func() error {
			if err := zipped.Close(); err != nil {
				return err
			}
			return buffered.Flush()
		}
	}
	size, err := writeLine(w, Header{Format: format, Version: Version, Exporter: r.exporter, Captured: time.Now().Unix() + s.offset})
	for i := range r.all {
		if err != nil || size > maxRead-maxLine {
			break
		}
		var n int
		n, err = writeLine(w, r.all[i].scrub(s))
		size, written = size+n, written+1
	}
	if err != nil {
		return written, err
	}
	return written, end()
}

// writeLine writes a line of JSON.
func writeLine(w io.Writer, value any) (size int, err error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return 0, fmt.Errorf("an answer cannot be written as JSON: %w", err)
	}
	return w.Write(line.Bytes())
}
