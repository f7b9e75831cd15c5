package yeastar

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
)

// Decompress has the body of a response decompressed while it is read. Some gateways compress although that was not requested.
func Decompress(r *http.Response) {
	open := func(body io.Reader) (io.Reader, error) { return gzip.NewReader(body) }
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "gzip", "x-gzip":
	case "deflate":
		open = func(body io.Reader) (io.Reader, error) { return zlib.NewReader(body) }
	default:
		return
	}
	r.Header.Del("Content-Encoding")
	r.Body = &compressed{ReadCloser: r.Body, open: open}
}

// compressed is a body of which the plain text is read.
type compressed struct {
	io.ReadCloser
	open  func(body io.Reader) (io.Reader, error)
	plain io.Reader
}

// Read implements io.Reader.
func (c *compressed) Read(p []byte) (n int, err error) {
	if c.plain == nil {
		if c.plain, err = c.open(c.ReadCloser); err != nil {
			c.plain = nil
			return 0, err
		}
	}
	return c.plain.Read(p)
}
