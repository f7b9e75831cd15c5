package yeastar

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// Decompress has the body of a response in gzip decompressed while it is read. Some gateways compress although that was not requested.
func Decompress(r *http.Response) {
	if coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding == "gzip" || coding == "x-gzip" {
		r.Header.Del("Content-Encoding")
		r.Body = &gzipped{ReadCloser: r.Body}
	}
}

// gzipped is a body of which the plain text is read.
type gzipped struct {
	io.ReadCloser
	plain *gzip.Reader
}

// Read implements io.Reader.
func (g *gzipped) Read(p []byte) (n int, err error) {
	if g.plain == nil {
		if g.plain, err = gzip.NewReader(g.ReadCloser); err != nil {
			return 0, err
		}
	}
	return g.plain.Read(p)
}
