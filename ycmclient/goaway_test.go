package ycmclient_test

import (
	"context"
	"crypto/tls"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// unserved is an HTTP/2 server that gives each request the same answer, of a stream that is not served. It goes on reading
// as long as answer says so.
func unserved(t *testing.T, answer func(frames *http2.Framer, stream uint32) (goOn bool)) (address *url.URL, asked *atomic.Int32) {
	t.Helper()
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	certificates := certified.TLS.Certificates
	certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int32)
	var serving sync.WaitGroup
	serve := func(c net.Conn) {
		defer c.Close()
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(c, preface); err != nil {
			return
		}
		frames := http2.NewFramer(c, c)
		_ = frames.WriteSettings()
		for {
			frame, err := frames.ReadFrame()
			if err != nil {
				return
			}
			if _, ok := frame.(*http2.HeadersFrame); ok {
				asked.Add(1)
				if !answer(frames, frame.Header().StreamID) {
					return
				}
			}
		}
	}
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return &url.URL{Scheme: "https", Host: l.Addr().String()}, asked
}

// net/http would send the request again thousands of times, for free.
func TestServerThatServesNoStreamIsAskedWithinTheBudget(t *testing.T) {
	for name, answer := range map[string]func(*http2.Framer, uint32) bool{
		"GOAWAY with last stream 0": func(f *http2.Framer, _ uint32) bool {
			_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
			return false
		},
		"RST_STREAM that refuses": func(f *http2.Framer, stream uint32) bool {
			return f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) == nil
		},
		"RST_STREAM in the middle": func(f *http2.Framer, stream uint32) bool {
			return f.WriteRSTStream(stream, http2.ErrCodeInternal) == nil
		},
		"GOAWAY and RST_STREAM": func(f *http2.Framer, stream uint32) bool {
			_ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil)
			return f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) == nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			askUnserved(t, answer)
		})
	}
}

func askUnserved(t *testing.T, answer func(*http2.Framer, uint32) bool) {
	for burst, most := range map[int]int32{100: 6, 1: 1} {
		address, asked := unserved(t, answer)
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // A test's own server.
		t.Cleanup(transport.CloseIdleConnections)
		w := newWatch()
		client := newClient(t, transport, func(o *ycmclient.Options) {
			o.BaseURL, o.Observer, o.Timeout = address, w, 5*time.Second
			o.RateLimit = ycmclient.RateLimit{Burst: burst, Rate: 1, Interval: 24 * time.Hour}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		_, err := client.Regions(ctx)
		cancel()
		if err == nil {
			t.Error("a server that only goes away gave an answer")
		}
		sent, paid := asked.Load(), int32(math.Round(float64(burst)-client.Budget().Tokens))
		if sent > most || sent != paid || int(sent) != w.requests["token "+string(yeastar.Network)] {
			t.Errorf("with a bucket of %d: %d requests were written, %d paid and counted %v; want the same of each, %d at most", burst, sent, paid, w.requests, most)
		}
	}
}
