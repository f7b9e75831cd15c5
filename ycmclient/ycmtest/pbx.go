package ycmtest

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

// pbxAnswer is the answer of a PBX, with errcode and errmsg at the top level.
type pbxAnswer map[string]any

// pbxErrors are the PBX's error codes with the vendor's texts ("Error Code and Error Message").
var pbxErrors = map[int]string{
	0:     "SUCCESS",
	-1:    "FAILURE",
	10001: "INTERFACE NOT EXISTED",
	10004: "TOKEN EXPIRED",
	10005: "ACCESS DENIED",
	40001: "PARAMETER SYNTAX ERROR",
	40002: "PARAMETER ERROR",
	60001: "DATA NOT FOUND",
	60002: "MAX LIMITATION EXCEEDED",
	70004: "ACCOUNT IP BLOCKED",
	70087: "IP FORBIDDEN",
}

func pbxError(code int) pbxAnswer {
	text, ok := pbxErrors[code]
	if !ok {
		text = "FAILURE"
	}
	return pbxAnswer{"errcode": code, "errmsg": text}
}

// invalid is the answer to a request with a wrong parameter.
func invalid(field, why string) pbxAnswer {
	answer := pbxError(40002)
	answer["invalid_param_list"] = []any{map[string]string{"field": field, "validation_type": why}}
	return answer
}

// proxy passes a call on to a PBX ("Call Cloud PBX's GET API"). The answer is the PBX's own with YCM's requestId. What YCM
// answers for a PBX that does not answer is not in the vendor's pages.
func (s *Server) proxy(w http.ResponseWriter, r *http.Request) {
	sn := r.PathValue("sn")
	p, ok := s.fleet.find(idOfSN(sn), func(p PBX) bool { return p.SN == sn })
	switch {
	case !ok:
		s.fail(w, notFound())
	case p.Activation != activated:
		s.fail(w, &failure{http.StatusBadRequest, 2000016, "DEVICE_NO_ACTIVE_ERROR", "invalid_request"})
	case !reachable(p):
		s.fail(w, &failure{http.StatusInternalServerError, 3000009, "API_REQUEST_FAILED", "server_error"})
	default:
		sleep(r, p.Delay)
		answer := s.query(p, r)
		answer["requestId"] = requestID()
		writeJSON(w, http.StatusOK, answer)
	}
}

// reachable reports whether a PBX answers at all.
func reachable(p PBX) bool { return p.Status == Running && !p.Silent }

// direct answers a call with direct access: the Host of the request or the path names the PBX.
func (s *Server) direct(w http.ResponseWriter, r *http.Request) {
	host := r.PathValue("pbx")
	if host == "" {
		host = hostOf(r)
	}
	p, ok := s.pbxAt(host)
	if !ok {
		HTML(http.StatusNotFound)(nil).ServeHTTP(w, r)
		return
	}
	sleep(r, p.Delay)
	if !reachable(p) {
		Reset()(nil).ServeHTTP(w, r)
		return
	}
	writeJSON(w, http.StatusOK, s.pbxCall(p, r))
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return r.Host // without a port
	}
	return host
}

// pbxCall is a direct call: a login, or a read with a token in the query.
func (s *Server) pbxCall(p PBX, r *http.Request) pbxAnswer {
	if p.APIError != 0 {
		return pbxError(p.APIError)
	}
	if r.Method+" "+r.PathValue("path") == "POST get_token" {
		return s.pbxToken(p, r)
	}
	token := r.URL.Query().Get("access_token")
	if granted, ok := s.pbxSessions.byAccess(token); !ok || granted.owner != ownerOf(p) || !granted.valid() {
		return pbxError(10004)
	}
	if r.PathValue("path") == "del_token" && r.Method == http.MethodGet {
		s.pbxSessions.end(&s.pbxSessions.access, func(other session) bool { return other.access == token })
		return pbxError(0)
	}
	return s.query(p, r)
}

// query is the PBX's API, through YCM and with direct access. Only the reads of an exporter exist; anything else is a violation.
func (s *Server) query(p PBX, r *http.Request) pbxAnswer {
	if p.APIError != 0 {
		return pbxError(p.APIError)
	}
	if read, ok := s.readsOfPBX()[r.PathValue("path")]; ok && r.Method == http.MethodGet {
		return read(p, r.URL.Query())
	}
	s.violation(r, "not a read-only call to a PBX")
	return pbxError(10001)
}

// information is "Query PBX Information".
func (s *Server) information(p PBX, _ url.Values) pbxAnswer {
	now := time.Now()
	w := s.fleet.world
	answer := pbxError(0)
	answer["data"] = map[string]any{
		"device_name":        p.Name,
		"model_name":         "P-Series Cloud Edition",
		"sn":                 p.SN,
		"firmware_version":   p.Version,
		"system_time":        now.UTC().Format("2006-01-02 15:04:05"),
		"up_time":            max(0, w.moment(now)-w.startedAt(w.ordinal(p.ID), w.moment(now))),
		"system_date_format": "YYYY-MM-DD",
		"system_time_format": "24-hour",
		"timestamp":          now.Unix(),
	}
	return answer
}
