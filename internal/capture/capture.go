// Package capture keeps the answers of an API in a file that can be shown to anybody, and reads it again.
//
// What stays is on a list: the structure of an answer, the names of fields, numbers that count something, the words of
// closed sets, firmware versions, and times, all moved by one random offset of up to a day. Everything else is replaced:
// a text by a stand-in that is always the same for the same text (name-0007), ids by their places in order, an unknown
// number by one of as many digits. A stand-in tells of its text how long it was, roughly, and whether it had a space, a
// quote, a control character, or one that is not ASCII, because that is where faults come from.
//
// A file is lines of JSON, compressed by gzip if its name ends in .gz: first a [Header], then an [Exchange] each.
package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	format = "ycm_exporter capture"
	// Version is that of the format of files. It is raised when what stands in them gets another meaning.
	Version = 1
)

// Header is the first line of a file.
type Header struct {
	Format   string `json:"format"`
	Version  int    `json:"version"`
	Exporter string `json:"exporter"` // that wrote it
	Captured int64  `json:"captured"` // unix seconds, moved like all times
}

// Exchange is one request and what came of it.
type Exchange struct {
	Account int               `json:"account"`       // in the order of the configuration, from 1
	PBX     int               `json:"pbx,omitempty"` // of those that are spoken to directly, in the order they were asked, from 1; 0 is YCM
	Method  string            `json:"method"`
	Path    string            `json:"path"` // below the API's root
	Query   map[string]string `json:"query,omitempty"`
	Failed  string            `json:"failed,omitempty"` // the class of the failure, if no whole answer came
	Status  int               `json:"status,omitempty"`
	Header  map[string]string `json:"header,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	Text    int               `json:"text,omitempty"` // the length of a body that is no JSON
}

// TimedOut tells whether no whole answer came within the time-out.
func (e *Exchange) TimedOut() bool { return e.Failed == string(yeastar.Timeout) }

// Capture is what a file holds.
type Capture struct {
	Header
	Exchanges []Exchange
}

// Bounds of what is read, and therefore of what is written.
const (
	maxRead      = 512 << 20 // bytes of JSON
	maxLine      = 128 << 20 // bytes of one exchange, more than the longest answer can become
	maxExchanges = 200_000
	maxAccounts  = 1000
)

// Open reads a file.
func Open(name string) (*Capture, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	c, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// Read reads what a file holds. What it says may have been written by anybody.
func Read(r io.Reader) (*Capture, error) {
	start := bufio.NewReader(r)
	r = start
	if magic, _ := start.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) { // Too few bytes are no JSON either.
		unzipped, err := gzip.NewReader(start)
		if err != nil {
			return nil, fmt.Errorf("no capture: %w", err)
		}
		r = unzipped
	}
	limited := &io.LimitedReader{R: r, N: maxRead}
	lines := json.NewDecoder(limited)
	c := new(Capture)
	if err := lines.Decode(&c.Header); err != nil || c.Format != format {
		return nil, errors.New("no capture: it does not begin as one")
	}
	if c.Version != Version {
		return nil, fmt.Errorf("a capture of version %d, and this exporter reads version %d; take the exporter that wrote it (%.32q)", c.Version, Version, c.Exporter)
	}
	for n := 1; ; n++ {
		var e Exchange
		err := lines.Decode(&e)
		switch {
		case limited.N == 0, n > maxExchanges && err == nil:
			return nil, fmt.Errorf("a capture has at most %d exchanges and %d MiB", maxExchanges, maxRead>>20)
		case errors.Is(err, io.EOF):
			return c, nil
		case err != nil:
			return nil, fmt.Errorf("exchange %d is damaged: %w", n, err)
		case e.Account < 1 || e.Account > maxAccounts || e.PBX < 0 || e.Failed == "" && (e.Status < 200 || e.Status > 599):
			return nil, fmt.Errorf("exchange %d has an account or a status that cannot be", n)
		}
		c.Exchanges = append(c.Exchanges, e)
	}
}
