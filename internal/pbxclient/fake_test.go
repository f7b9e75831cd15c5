package pbxclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	clientID = "pbx-client-id"
	password = "pbx-s3cr3t+&%"
)

// fakePBX keeps the rules of a PBX's Open API on tokens, with a knob for each thing that the vendor leaves open.
type fakePBX struct {
	life any // access_token_expire_time, in seconds; nil leaves it out

	mu        sync.Mutex
	handlers  map[string]http.HandlerFunc // by endpoint, in place of the fake's own
	issued    int
	tokens    map[string]time.Time // access tokens alive: their end
	mostAlive int
	refused   int // logins in a row
	log       []request
}

type request struct {
	what string // "GET trunk/list"
	at   time.Time
	form url.Values
	ua   string
}

func newFake() *fakePBX {
	return &fakePBX{
		life: 1800, handlers: map[string]http.HandlerFunc{}, tokens: map[string]time.Time{},
	}
}

// on has an endpoint handled by h, or by the fake again if that is nil.
func (f *fakePBX) on(endpoint string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers[endpoint] = h
}

// answer has an endpoint always give that body.
func (f *fakePBX) answer(endpoint, body string) {
	f.on(endpoint, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
}

func (f *fakePBX) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, _ := strings.CutPrefix(r.URL.Path, "/openapi/v1.0/")
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	f.log = append(f.log, request{r.Method + " " + endpoint, time.Now(), r.URL.Query(), r.Header.Get("User-Agent")})
	h := f.handlers[endpoint]
	f.mu.Unlock()
	if h != nil {
		h(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for t, end := range f.tokens {
		if !time.Now().Before(end) {
			delete(f.tokens, t)
		}
	}
	access := r.URL.Query().Get("access_token")
	_, known := f.tokens[access]
	switch {
	case endpoint == "get_token":
		f.login(w, body)
	case !known:
		fmt.Fprint(w, `{"errcode":10004,"errmsg":"TOKEN EXPIRED"}`)
	case endpoint == "del_token":
		delete(f.tokens, access)
		fmt.Fprint(w, `{"errcode":0,"errmsg":"SUCCESS"}`)
	case endpoint == "system/information":
		fmt.Fprint(w, systemBody)
	default:
		fmt.Fprint(w, `{"errcode":10001,"errmsg":"INTERFACE NOT EXISTED"}`)
	}
}

func (f *fakePBX) login(w http.ResponseWriter, body []byte) {
	var in struct{ Username, Password string }
	json.Unmarshal(body, &in)
	if in.Username != clientID || in.Password != password {
		f.refused++
		fmt.Fprint(w, `{"errcode":-1,"errmsg":"FAILURE","invalid_param_list":[{"field":"username or password","value":"error"}]}`)
		return
	}
	if len(f.tokens) >= 8 {
		fmt.Fprint(w, `{"errcode":60002,"errmsg":"MAX LIMITATION EXCEEDED"}`)
		return
	}
	f.refused = 0
	f.issued++
	access := fmt.Sprintf("acc3ss+%d", f.issued)
	answer := map[string]any{"errcode": 0, "errmsg": "SUCCESS", "access_token": access, "refresh_token": fmt.Sprintf("r3fresh+%d", f.issued)}
	life := 1800
	if f.life != nil {
		answer["access_token_expire_time"], answer["refresh_token_expire_time"] = f.life, 86400
		fmt.Sscan(fmt.Sprint(f.life), &life)
	}
	f.tokens[access] = time.Now().Add(time.Duration(life) * time.Second)
	f.mostAlive = max(f.mostAlive, len(f.tokens))
	json.NewEncoder(w).Encode(answer)
}

// tokenOf returns the access token that is alive.
func (f *fakePBX) tokenOf(t *testing.T) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for token := range f.tokens {
		return token
	}
	t.Fatal("there is no token")
	return ""
}

// requested returns what was requested since the last time, in order.
func (f *fakePBX) requested() []string {
	var what []string
	for _, r := range f.requests() {
		what = append(what, r.what)
	}
	return what
}

func (f *fakePBX) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log
	f.log = nil
	return log
}

func (f *fakePBX) alive() (now, most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, end := range f.tokens {
		if time.Now().Before(end) {
			now++
		}
	}
	return now, f.mostAlive
}

// serve offers h over real HTTP until the test ends.
func serve(t *testing.T, h http.Handler) pbxclient.Options {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return pbxclient.Options{
		Account: "main", URL: u, ClientID: clientID, Secret: secret.Static(secret.New(password)),
		Transport: s.Client().Transport, Guard: newGuard(), Timeout: 30 * time.Second,
	}
}

func newGuard() *yeastar.Guard {
	return yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{}, nil)
}

// serveInMemory offers h without a socket, for a bubble of fake time.
func serveInMemory(t *testing.T, h http.Handler) pbxclient.Options {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	transport := &http.Transport{DialContext: l.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
		<-done
	})
	return pbxclient.Options{
		Account: "main", URL: &url.URL{Scheme: "https", Host: "pbx.example.com"}, ClientID: clientID,
		Secret: secret.Static(secret.New(password)), Transport: plainText{transport},
		Guard: newGuard(), Timeout: 30 * time.Second,
	}
}

// plainText takes the TLS away that a pipe does not need.
type plainText struct{ *http.Transport }

func (p plainText) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	return p.Transport.RoundTrip(r)
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// direct makes a client and closes it when the test ends.
func direct(t *testing.T, o pbxclient.Options) *pbxclient.Client {
	t.Helper()
	c := pbxclient.Direct(o)
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// bodies is a PBX behind YCM's proxy that gives these bodies one after the other, the last one for ever.
type bodies []string

func (b *bodies) Proxy(_ context.Context, _, _ string, _ url.Values, answer yeastar.Enveloped) error {
	body := (*b)[0]
	if len(*b) > 1 {
		*b = (*b)[1:]
	}
	if failure := yeastar.Decode([]byte(body), answer); failure != nil {
		failure.Account, failure.Endpoint = "main", "proxy"
		return failure
	}
	return nil
}

func (b *bodies) Redact(failure *yeastar.Error) { new(yeastar.HTTP).Redact(failure) }

func proxied(answers ...string) *pbxclient.Client {
	return pbxclient.Proxied((*bodies)(&answers), "main", "3658B4311190001")
}

func want(t *testing.T, what string, got, expected []string) {
	t.Helper()
	if !slices.Equal(got, expected) {
		t.Errorf("%s: got\n  %q\nwant\n  %q", what, got, expected)
	}
}

const systemBody = `{"errcode":0,"errmsg":"SUCCESS","data":{"device_name":"Harbour Dental","sn":"3658B4311190001",
	"firmware_version":"84.8.0.25","up_time":24852,"timestamp":1755852280}}`
