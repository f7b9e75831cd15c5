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

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// goingAway is an HTTP/2 server that takes each request for one that it never saw: it answers GOAWAY with last stream 0.
func goingAway(t *testing.T) (address *url.URL, asked *atomic.Int32) {
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
				_ = frames.WriteGoAway(0, http2.ErrCodeNo, nil)
				return
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
func TestServerThatGoesAwayIsAskedWithinTheBudget(t *testing.T) {
	for burst, most := range map[int]int32{100: 6, 1: 1} {
		address, asked := goingAway(t)
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
