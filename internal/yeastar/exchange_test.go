package yeastar_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// hung is a transport that reads a certificate from a file system that hangs: it knows no context.
type hung struct{ back chan struct{} }

func (h hung) RoundTrip(*http.Request) (*http.Response, error) {
	<-h.back
	return &http.Response{StatusCode: http.StatusOK, Body: closing{h.back}}, nil
}

// closing is a body that reports when it is closed.
type closing struct{ closed chan struct{} }

func (c closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c closing) Close() error             { c.closed <- struct{}{}; return nil }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func unread(*yeastar.Answer) *yeastar.Error { return nil }

func TestRequestEndsInTimeWhateverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back, start := make(chan struct{}), time.Now()
		h := &yeastar.HTTP{Transport: hung{back}, Timeout: 5 * time.Second}
		failure := h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, unread)
		if took := time.Since(start); failure == nil || failure.Class != yeastar.Timeout || took != 6*time.Second {
			t.Errorf("got error %v after %v, want a time-out after 6 s", failure, took)
		}
		back <- struct{}{}
		<-back // What comes too late is closed.

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		failure = h.Do(ctx, yeastar.Request{URL: "http://ycm.example.com"}, unread)
		if took := time.Since(start); !errors.Is(failure, context.Canceled) || took != 2*time.Second {
			t.Errorf("got error %v after %v, want the caller's cancellation after 2 s", failure, took)
		}
		back <- struct{}{}
		<-back
	})
}

func TestPanicOfATransportReachesTheCaller(t *testing.T) {
	h := &yeastar.HTTP{Transport: roundTripper(func(*http.Request) (*http.Response, error) { panic("out of order") })}
	defer func() {
		if c, ok := recover().(*crash.Crash); !ok || c.Error() != "out of order" {
			t.Errorf("recovered %v, want the transport's panic", c)
		}
	}()
	h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, unread)
	t.Error("got no panic")
}

// The connection is the body after "101 Switching Protocols": no time-out would end a read of it.
func TestSwitchedProtocolIsAnErrorAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		head := make([]byte, 4096)
		c.Read(head)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_, err = io.Copy(io.Discard, c)
		closed <- err
	}()
	h := &yeastar.HTTP{Transport: &http.Transport{}}
	failure := h.Do(t.Context(), yeastar.Request{URL: "http://" + l.Addr().String()}, unread)
	if failure == nil || failure.Class != yeastar.Invalid || failure.HTTPStatus != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, want an invalid error", failure)
	}
	<-closed
}

func TestErrorsOfTheNetworkShowNeitherURLNorWhatWasSent(t *testing.T) {
	for _, c := range []struct {
		err   error
		class yeastar.Class
		want  string
	}{
		{&url.Error{Op: "Get", URL: "https://x/?access_token=t0ken", Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}, yeastar.Network, "dial tcp: connection refused"},
		{errors.New(`malformed HTTP response "t0ken"`), yeastar.Network, "the connection was closed, a proxy refused it, or the response is not HTTP"},
		{errors.New("Forbidden to user of the proxy"), yeastar.Network, "the connection was closed, a proxy refused it, or the response is not HTTP"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: "ycm", IsTimeout: true}}, yeastar.Network, "dial tcp: lookup ycm: timeout"},
		{&url.Error{Op: "Get", URL: "https://x/?access_token=t0ken", Err: context.DeadlineExceeded}, yeastar.Timeout, "no complete response within 30s"},
	} {
		h := &yeastar.HTTP{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, c.err })}
		e := h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, unread)
		if e == nil || e.Class != c.class || e.Message != c.want || e.Err != nil || e.Reach != yeastar.NoAnswer {
			t.Errorf("%v: got %v, want class %s and %q around nothing", c.err, e, c.class, c.want)
		}
	}
}

// Gateways compress answers although the client did not request that.
func TestCompressedAnswersAreRead(t *testing.T) {
	gzipped := func(size int) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(bytes.Repeat([]byte("a"), size))
		_ = w.Close()
		return b.String()
	}
	for _, c := range []struct{ coding, body, want string }{
		{"", "aaa", ""},
		{"identity", "aaa", ""},
		{"Identity", "aaa", ""},
		{"gzip", gzipped(3), ""},
		{"x-gzip", gzipped(3), ""},
		{"deflate", "aaa", "the response is encoded as deflate,"},
		{"br", "aaa", "the response is encoded as br,"},
		{"gzip", "aaa", "EOF"},
		{"gzip", "not gzip at all", "gzip: invalid header"},
		{"gzip", gzipped(yeastar.MaxBody + 1), "the response is larger than 16 MiB"},
	} {
		h := &yeastar.HTTP{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if got := r.Header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("Accept-Encoding is %q, want identity", got)
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Encoding": {c.coding}}, Body: io.NopCloser(strings.NewReader(c.body))}, nil
		})}
		read := ""
		failure := h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, func(a *yeastar.Answer) *yeastar.Error {
			read = string(a.Body)
			return nil
		})
		switch {
		case c.want == "" && (failure != nil || read != "aaa"):
			t.Errorf("%s: got %q and error %v, want aaa", c.coding, read, failure)
		case c.want != "" && (failure == nil || !strings.Contains(failure.Message, c.want)):
			t.Errorf("%s: got error %v, want %q", c.coding, failure, c.want)
		}
	}
}

// With secret headers a server's text is not shown at all, because it may repeat them in any form.
func TestNoTextOfAServerIsShownBesideSecretHeaders(t *testing.T) {
	body := `{"code":1000042,"msg":"no to k-e-y","requestId":"k-e-y"}`
	h := &yeastar.HTTP{HideTexts: true, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(body))}, nil
	})}
	failure := h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, func(a *yeastar.Answer) *yeastar.Error {
		var e yeastar.Envelope
		_ = a.Decode(&e)
		return e.Failure(a.Status)
	})
	if failure == nil || failure.Class != yeastar.Denied || failure.Code != 1000042 || strings.Contains(fmt.Sprintf("%v %#v", failure, failure), "k-e-y") {
		t.Errorf("got %#v, want code 1000042 and no text of the server", failure)
	}
}

// An HTTP proxy answers in place of a server without TLS.
func TestNoTextOfAProxyIsShown(t *testing.T) {
	h := &yeastar.HTTP{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusProxyAuthRequired, Body: io.NopCloser(strings.NewReader(`{"message":"not for joe","requestId":"joe"}`))}, nil
	})}
	e := h.Do(t.Context(), yeastar.Request{URL: "http://localhost"}, func(a *yeastar.Answer) *yeastar.Error {
		var envelope yeastar.Envelope
		_ = a.Decode(&envelope)
		return envelope.Failure(a.Status)
	})
	if e == nil || e.Class != yeastar.Network || strings.Contains(e.Error(), "joe") {
		t.Errorf("got %v, want a network error without the proxy's text", e)
	}
}

func TestRedirectsAreNamedAndNotFollowed(t *testing.T) {
	h := &yeastar.HTTP{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		head := http.Header{"Location": {"https://elsewhere.example.com/login?token=abc"}}
		return &http.Response{StatusCode: http.StatusFound, Header: head, Body: http.NoBody}, nil
	})}
	e := h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, unread)
	if e == nil || e.Class != yeastar.Invalid || !strings.Contains(e.Message, "redirect to elsewhere.example.com,") || strings.Contains(e.Message, "abc") {
		t.Errorf("got %v, want an invalid error that names the host alone", e)
	}
}

// The request id of an answer is logged too if it succeeded, and is the server's text: a secret in it is not shown.
func TestRequestIsLoggedWithoutSecrets(t *testing.T) {
	for id, want := range map[string]string{"9a981b12": "9a981b12", "of t0ken\nlevel=error": "\"of <secret> level=error\""} {
		body, err := json.Marshal(map[string]string{"status": "Success", "requestId": id})
		if err != nil {
			t.Fatal(err)
		}
		var logged bytes.Buffer
		h := &yeastar.HTTP{
			Logger: log.NewLogfmtLogger(&logged), Secrets: func() []secret.Text { return []secret.Text{secret.New("t0ken")} },
			Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}, nil
			}),
		}
		e := h.Do(t.Context(), yeastar.Request{Endpoint: "regions", URL: "http://ycm.example.com/?access_token=t0ken"},
			func(a *yeastar.Answer) *yeastar.Error { return a.Decode(new(yeastar.Envelope)) })
		line := strings.Replace(logged.String(), secret.Text{}.String(), "<secret>", 1)
		if e != nil || !strings.HasPrefix(line, "level=debug msg=\"API request\" endpoint=regions result=ok duration=") || !strings.HasSuffix(line, " status=200 request_id="+want+"\n") {
			t.Errorf("the request with id %q is logged as %q with error %v, want id %s", id, line, e, want)
		}
	}
}
