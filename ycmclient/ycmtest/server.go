package ycmtest

import (
	"cmp"
	"net/http"
	"path"
	"sync"
	"time"
)

// Options describes the YCM to simulate. The zero value is a static fleet of 200 PBXs with the demo credentials and without a
// rate limit.
type Options struct {
	// PBXs is the size of the fleet at the start: 200 if 0, none if negative.
	PBXs int
	// Seed chooses the fleet. The same seed, size and epoch always give the same fleet, to the byte.
	Seed uint64
	// Epoch is the time that expiries, backups and creation times are relative to: the time of New if zero.
	Epoch time.Time
	// Live lets the fleet change with time, starting at Epoch. Without it the time is always Epoch.
	Live bool
	// Healthy makes a fleet with few problems instead of one with every kind of incident. See doc.go.
	Healthy bool
	// Users is how many colleagues and resellers the account has: 12 if 0, none if negative.
	Users int

	// ClientID and ClientSecret are YCM's credentials: "demo-client-id" and "demo-client-secret" if empty.
	ClientID, ClientSecret string
	// PBXClientID and PBXClientSecret are the credentials of every PBX with direct access: "demo-pbx-client-id" and
	// "demo-pbx-client-secret" if empty.
	PBXClientID, PBXClientSecret string
	// TokenLife is the life of an access token, 30 minutes if 0.
	TokenLife time.Duration
	// SameToken answers a login while a token is valid with that token and its remaining life.
	SameToken bool

	// RateLimit is the limit per Client ID; nil is no limit.
	RateLimit *RateLimit
	// Shape is the form of failures, LoginShape that of refused logins and refreshes.
	Shape, LoginShape Shape
	// Listing is how the list of PBXs deviates from its documentation.
	Listing Listing
	// Latency is how long every answer takes.
	Latency time.Duration
	// History is how many of the latest requests are kept: 10,000 if 0.
	History int
}

// Server is a simulated YCM with its PBXs. It is an http.Handler, safe for concurrent use.
type Server struct {
	options Options
	fleet   *fleet
	limiter *limiter
	faults  faults
	log     requestLog
	memory  memory
	mux     *http.ServeMux

	sessions, pbxSessions sessions
	lockout, pbxLockout   lockout

	mu      sync.Mutex
	secrets map[string]string // By Client ID.
	shape   Shape
	listing Listing
	hooks   []func(*http.Request)
}

// New makes a YCM. It starts no goroutine.
func New(o Options) *Server {
	setDefaults(&o)
	s := &Server{
		options: o, shape: o.Shape, listing: o.Listing, secrets: map[string]string{o.ClientID: o.ClientSecret},
		fleet: newFleet(world{
			seed: o.Seed, epoch: o.Epoch.Unix(), live: o.Live, healthy: o.Healthy, size: int64(max(o.PBXs, 0)), users: o.Users,
			versions: offered(),
		}),
		limiter: newLimiter(o.RateLimit), log: requestLog{size: o.History},
		lockout: lockout{allowed: 5}, pbxLockout: lockout{allowed: 4},
		memory: memory{pipes: newPipes()}, mux: http.NewServeMux(),
	}
	s.mux.Handle("POST /dm/open_api/oauth/token", s.open(Token, s.token))
	for pattern, r := range s.routes() {
		s.mux.Handle("GET /dm/open_api/"+pattern, s.open(r.name, s.bearer(s.enveloped(r.answer))))
	}
	s.mux.Handle("GET /dm/open_api/v1/cloud_pbx/{sn}/openapi/v1.0/{path...}", s.open(Proxy, s.bearer(s.proxy)))
	s.mux.Handle("/openapi/v1.0/{path...}", s.open(PBXAPI, s.direct))
	s.mux.Handle("/pbx/{pbx}/openapi/v1.0/{path...}", s.open(PBXAPI, s.direct))
	s.control()
	s.mux.HandleFunc("/", s.unknown)
	return s
}

func setDefaults(o *Options) {
	o.PBXs = cmp.Or(o.PBXs, 200)
	o.Users = cmp.Or(o.Users, 12)
	o.Epoch = cmp.Or(o.Epoch, time.Now())
	o.ClientID = cmp.Or(o.ClientID, "demo-client-id")
	o.ClientSecret = cmp.Or(o.ClientSecret, "demo-client-secret")
	o.PBXClientID = cmp.Or(o.PBXClientID, "demo-pbx-client-id")
	o.PBXClientSecret = cmp.Or(o.PBXClientSecret, "demo-pbx-client-secret")
	o.TokenLife = cmp.Or(o.TokenLife, 30*time.Minute)
	o.History = cmp.Or(o.History, 10_000)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path.Clean(r.URL.Path) != r.URL.Path {
		s.unknown(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// OnRequest calls hook at the start of every request that has an endpoint: its changes happen just before that request. Hooks
// run in the order they were added, without a lock held.
func (s *Server) OnRequest(hook func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks[:len(s.hooks):len(s.hooks)], hook)
}

// open handles every request: hooks, log, rate limit, faults, then the endpoint itself.
func (s *Server) open(name Endpoint, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		hooks := s.hooks
		s.mu.Unlock()
		for _, hook := range hooks {
			hook(r)
		}
		client := s.clientOf(r)
		admitted, wait := true, time.Duration(0)
		if name != PBXAPI {
			admitted, wait = s.limiter.take(client)
		}
		s.log.add(Request{
			Endpoint: name, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Client: client, Refused: !admitted,
		})
		sleep(r, s.options.Latency)
		switch {
		case !admitted:
			s.refuse(w, wait)
		case r.UserAgent() == "":
			s.violation(r, "no User-Agent")
			s.fail(w, invalidParameter("User-Agent"))
		default:
			s.faults.wrap(name, r, next).ServeHTTP(w, r)
		}
	})
}

// answer returns the data of an endpoint's envelope, or its failure.
type answer func(r *http.Request) (any, *failure)

// enveloped serves an answer in YCM's envelope.
func (s *Server) enveloped(a answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet { // "GET" patterns take HEAD as well.
			s.unknown(w, r)
			return
		}
		data, failed := a(r)
		if failed != nil {
			s.fail(w, failed)
			return
		}
		writeJSON(w, http.StatusOK, envelope(data))
	}
}

// unknown answers requests that YCM does not document or that an exporter must never send.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	s.violation(r, "not a request that an exporter sends")
	s.fail(w, notFound())
}

// sleep waits for d, or less if the client goes.
func sleep(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}
