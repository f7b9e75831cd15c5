package yeastar_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// hung is a transport that reads a certificate from a file system that hangs: it knows no context.
type hung struct{ back chan struct{} }

func (h hung) RoundTrip(*http.Request) (*http.Response, error) {
	<-h.back
	return &http.Response{StatusCode: http.StatusOK, Body: closing{h.back}}, nil
}

// closing is a body that tells when it is closed.
type closing struct{ closed chan struct{} }

func (c closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c closing) Close() error             { c.closed <- struct{}{}; return nil }

func TestExchangeEndsWithItsContextWhateverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://ycm.example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		back, start := make(chan struct{}), time.Now()
		_, err = yeastar.Exchange(hung{back}).RoundTrip(r)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 6*time.Second {
			t.Errorf("got error %v after %v, want the context's after 6 s at most", err, took)
		}
		back <- struct{}{}
		<-back // What comes too late is closed.
	})
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
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := yeastar.Exchange(&http.Transport{}).RoundTrip(r)
	if !errors.Is(err, yeastar.ErrSwitched) || response != nil {
		t.Fatalf("got %v and error %v, want that the server switches protocols", response, err)
	}
	select {
	case <-closed:
	case <-t.Context().Done():
		t.Error("the connection is still open")
	}
}
