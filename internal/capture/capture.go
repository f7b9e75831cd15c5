// Package capture writes YCM's answers to a file that can be attached to a bug report, and reads it again.
//
// What is kept is on an allow-list: the names of documented fields and of those that the clients read, the numbers in them,
// the documented words (statuses, plans, names of errors), firmware versions, booleans and times. Any other text is replaced
// by a stand-in, the same for the same text, and any other number by one of as many digits. The package knows neither the
// endpoints nor who sends the requests.
//
// A file is lines of JSON, compressed by gzip if its name ends in .gz: first a [Header], then one [Exchange] per request.
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
)

const (
	format = "ycm_exporter capture"
	// Version is the version of the file format. It changes with the meaning of what is in the files.
	Version = 1
)

// Header is the first line of a file.
type Header struct {
	Format   string `json:"format"`
	Version  int    `json:"version"`
	Exporter string `json:"exporter"` // The version of the exporter that wrote the file.
	Captured int64  `json:"captured"` // Unix seconds.
}

// Exchange is one request and its answer.
type Exchange struct {
	Account int               `json:"account"` // In the order of the configuration, from 1.
	Method  string            `json:"method"`
	Path    string            `json:"path"` // Below the API's root.
	Query   map[string]string `json:"query,omitempty"`
	Failed  string            `json:"failed,omitempty"` // The class of the failure, timeout or network, if no complete answer came.
	Status  int               `json:"status,omitempty"`
	Header  map[string]string `json:"header,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	Text    int               `json:"text,omitempty"` // The length of a body that is not JSON.
}

// Capture is the content of a file.
type Capture struct {
	Header
	Exchanges []Exchange
}

// Bounds of what is read, and therefore of what is written.
const (
	maxRead      = 512 << 20 // bytes of JSON
	maxExchanges = 200_000
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

// Read reads the content of a file, which may come from anybody.
func Read(r io.Reader) (*Capture, error) {
	start := bufio.NewReader(r)
	r = start
	if magic, _ := start.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) { // Too few bytes are not JSON either.
		unzipped, err := gzip.NewReader(start)
		if err != nil {
			return nil, fmt.Errorf("not a capture: %w", err)
		}
		r = unzipped
	}
	limited := &io.LimitedReader{R: r, N: maxRead}
	lines := json.NewDecoder(limited)
	c := new(Capture)
	if err := lines.Decode(&c.Header); err != nil || c.Format != format {
		return nil, errors.New("not a capture: its header is missing")
	}
	if c.Version != Version {
		return nil, fmt.Errorf("the capture has version %d, but this exporter reads version %d; use the exporter that wrote it (%.32q)", c.Version, Version, c.Exporter)
	}
	for n := 1; ; n++ {
		var e Exchange
		err := lines.Decode(&e)
		switch {
		case limited.N == 0, n > maxExchanges && err == nil:
			return nil, fmt.Errorf("the capture exceeds %d exchanges or %d MiB", maxExchanges, maxRead>>20)
		case errors.Is(err, io.EOF):
			return c, nil
		case err != nil:
			return nil, fmt.Errorf("exchange %d is damaged: %w", n, err)
		case e.Account < 1 || e.Account > 1000 || e.Failed == "" && (e.Status < 200 || e.Status > 599):
			return nil, fmt.Errorf("exchange %d has an invalid account or status", n)
		}
		c.Exchanges = append(c.Exchanges, e)
	}
}
