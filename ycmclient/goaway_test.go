package ycmclient_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// refuseStreams serves HTTP/2 on a connection and answers each request with answer, for as long as that returns true. It
// returns how many requests there were.
func refuseStreams(c net.Conn, answer func(frames *http2.Framer, stream uint32) bool) (requests int) {
	defer c.Close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return 0
	}
	frames, streams := http2.NewFramer(c, c), make(chan uint32, 100)
	var answering sync.WaitGroup
	defer answering.Wait()
	defer close(streams)
	answering.Go(func() { // While requests are read, as a pipe has no buffer.
		defer c.Close()
		_ = frames.WriteSettings()
		for stream := range streams {
			if !answer(frames, stream) {
				return
			}
		}
	})
	for {
		frame, err := frames.ReadFrame()
		if err != nil {
			return requests
		}
		if _, ok := frame.(*http2.HeadersFrame); ok {
			requests++
			streams <- frame.Header().StreamID
		}
	}
}

// net/http would send the request again thousands of times where an HTTP/2 server refuses every stream.
func TestServerThatRefusesEveryStream(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	certificates := certified.TLS.Certificates
	certified.Close()
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
			synctest.Test(t, func(t *testing.T) {
				var serving sync.WaitGroup
				var mu sync.Mutex
				requests := 0
				var connections []net.Conn
				transport := &http.Transport{
					ForceAttemptHTTP2: true,
					TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // A test's own server.
					DialContext: func(context.Context, string, string) (net.Conn, error) {
						near, far := net.Pipe()
						mu.Lock()
						defer mu.Unlock()
						connections = append(connections, near)
						serving.Go(func() {
							n := refuseStreams(tls.Server(far, &tls.Config{Certificates: certificates, NextProtos: []string{"h2"}}), answer)
							mu.Lock()
							defer mu.Unlock()
							requests += n
						})
						return near, nil
					},
				}
				client := newClient(t, transport, func(o *ycmclient.Options) { o.Timeout = 20 * time.Second })
				start := time.Now()
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Network && yeastar.ClassOf(err) != yeastar.Timeout {
					t.Errorf("got %v, want a network error", err)
				}
				if took := time.Since(start); took > 65*time.Second {
					t.Errorf("the client gave up after %v, want at most three time-outs of 20 s", took)
				}
				for _, c := range connections {
					c.Close()
				}
				serving.Wait()
				if requests < 3 || requests > 3*3 {
					t.Errorf("%d requests were sent, want three tries of at most three each", requests)
				}
			})
		})
	}
}
