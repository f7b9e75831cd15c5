package ycmtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// memory is a network of pipes in the process, so that client and server can live in a testing/synctest bubble.
type memory struct {
	serve  sync.Once
	pipes  *pipes
	server http.Server
}

// Transport returns a transport whose every connection, whatever its address, leads to this server in memory. Under https
// there is neither a handshake nor a certificate. The first call starts the goroutine that serves it; Close ends it.
func (s *Server) Transport() *http.Transport {
	m := &s.memory
	m.serve.Do(func() {
		m.server.Handler = s
		go func() { _ = m.server.Serve(m.pipes) }() // It ends with ErrServerClosed, at Close.
	})
	return &http.Transport{DialContext: m.pipes.dial, DialTLSContext: m.pipes.dial}
}

// Client returns an HTTP client over Transport.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.Transport()} }

// Close ends what Transport has started, with every connection, for good. It is not needed without Transport.
func (s *Server) Close() {
	_ = s.memory.pipes.Close() // Neither Close can fail.
	_ = s.memory.server.Close()
}

// MoveTo has new connections of Transport lead to another server, as a change in DNS does. Those that exist stay.
func (s *Server) MoveTo(other *Server) {
	other.Transport()
	s.memory.pipes.moved.Store(other.memory.pipes)
}

// pipes is a net.Listener for connections made by dial.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
	moved  atomic.Pointer[pipes]
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if to := p.moved.Load(); to != nil {
		p = to
	}
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: p.Addr(), Err: errors.New("connection refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next connection.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close refuses further connections.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr is a name for all pipes.
func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
