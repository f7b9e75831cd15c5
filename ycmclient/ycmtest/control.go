package ycmtest

import (
	"net"
	"net/http"
	"strconv"
)

// control adds the paths to control a demo in another process. They are not part of YCM, need no token and are restricted to
// the same machine.
func (s *Server) control() {
	for pattern, handle := range map[string]http.HandlerFunc{
		"POST /sim/pbx/{id}/status": func(w http.ResponseWriter, r *http.Request) {
			status := r.URL.Query().Get("value")
			if status == "" {
				http.Error(w, "missing parameter: ?value=Stopped", http.StatusBadRequest)
				return
			}
			s.steer(w, r, func(id int64) bool { return s.SetStatus(id, status) })
		},
		"DELETE /sim/pbx/{id}/status": func(w http.ResponseWriter, r *http.Request) {
			s.steer(w, r, s.Release)
		},
		"DELETE /sim/pbx/{id}": func(w http.ResponseWriter, r *http.Request) {
			s.steer(w, r, s.Delete)
		},
		"POST /sim/pbx": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusCreated, s.Add(nil))
		},
		"GET /sim/stats": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, map[string]any{"stats": s.Stats(), "violations": s.Violations(), "cloud_pbxs": s.Len()})
		},
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !local(r) {
				http.Error(w, "only from the same machine", http.StatusForbidden)
				return
			}
			handle(w, r)
		})
	}
}

// steer changes the PBX in the path.
func (s *Server) steer(w http.ResponseWriter, r *http.Request, do func(id int64) bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || !do(id) {
		http.Error(w, "no PBX has this id", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// local reports whether a request comes from this machine and is addressed to it: a web page that uses DNS rebinding is not
// admitted.
func local(r *http.Request) bool {
	if r.RemoteAddr == (pipeAddr{}).String() {
		return true
	}
	address, host := net.ParseIP(addressOf(r)), hostOf(r)
	return address.IsLoopback() && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
