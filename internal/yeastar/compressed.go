package yeastar

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
)

// Decompress has the body of a response decompressed while it is read. Some gateways compress although that was not requested.
func Decompress(r *http.Response) {
	switch coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding {
	case "gzip", "x-gzip", "deflate":
		r.Header.Del("Content-Encoding")
		r.Body = &compressed{ReadCloser: r.Body, deflate: coding == "deflate"}
	}
}

// compressed is a body of which the plain text is read.
type compressed struct {
	io.ReadCloser
	deflate bool
	plain   io.Reader
}

// Read implements io.Reader.
func (c *compressed) Read(p []byte) (n int, err error) {
	if c.plain == nil {
		if c.plain, err = c.open(); err != nil {
			return 0, err
		}
	}
	return c.plain.Read(p)
}

func (c *compressed) open() (io.Reader, error) {
	if !c.deflate {
		return gzip.NewReader(c.ReadCloser)
	}
	body := bufio.NewReader(c.ReadCloser)
	head, err := body.Peek(2)
	if err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(body)
	}
	return flate.NewReader(body), nil // Some servers leave out the header that deflate has in HTTP.
}
