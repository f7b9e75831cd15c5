package ycmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Body is where a failed answer holds its code and message. The vendor's pages do not document it, and the vendor's products differ,
// so a client has to understand all of these.
type Body uint8

// The known bodies of failed answers.
const (
	CodeMsg     Body = iota // {"status":"Failed","code":1000040,"msg":"..."}
	ErrCode                 // {"status":"Failed","errcode":1000040,"errmsg":"..."}
	ErrNo                   // {"Status":"Failed","errno":"1000040","errmsg":"..."}, the number as a string
	ErrorsList              // {"status":"Failed","errors":[{"code":1000040,"message":"..."}]}
	ErrorObject             // {"status":"Failed","error":{"errorCode":"1000040","detail":"..."}}
	ErrMsg                  // {"status":"Failed","errMsg":"RATE_LIMIT_EXCEEDED"}, without a code, as the vendor's Workplace
	CodeName                // {"code":"RATE_LIMIT_EXCEEDED","detailMessage":"..."}, as its Partner Portal
	OAuthError              // {"error":"invalid_client","error_description":"..."}, RFC 6749, without a code
)

// Shape is the form of a failed answer.
type Shape struct {
	Body      Body
	Always200 bool // under HTTP 200, not under the HTTP status that fits
}

// Shapes returns every shape that can be recognised as a failure, for tables of tests.
func Shapes() []Shape {
	var shapes []Shape
	for body := CodeMsg; body < OAuthError; body++ {
		shapes = append(shapes, Shape{Body: body}, Shape{Body: body, Always200: true})
	}
	return append(shapes, Shape{Body: OAuthError})
}

// String names a shape, for the names of subtests.
func (s Shape) String() string {
	name := [...]string{"code", "errcode", "errno", "errors", "error", "errMsg", "name", "oauth"}[s.Body]
	if s.Always200 {
		name += "_under_200"
	}
	return name
}

// SetShape changes the form of failures from the next request on. Refused logins keep Options.LoginShape.
func (s *Server) SetShape(shape Shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shape = shape
}

// failure is why a request failed, whatever its shape.
type failure struct {
	http  int
	code  int
	name  string // of the code in the vendor's table of error codes
	oauth string // RFC 6749's word for it
}

// failureOf returns the failure of a code of the vendor's table.
func failureOf(code int) *failure {
	for _, known := range []failure{
		{http.StatusUnauthorized, 1000002, "AUTHENTICATION_FAILED", "access_denied"},
		{http.StatusNotFound, 1000005, "DATA_NOT_FOUND", "not_found"},
		{http.StatusUnauthorized, 1000033, "INVALID_CLIENT", "invalid_client"},
		{http.StatusUnauthorized, 1000035, "TOKEN_EXPIRED", "invalid_token"},
		{http.StatusUnauthorized, 1000036, "INVALID_TOKEN", "invalid_token"},
		{http.StatusTooManyRequests, 1000040, "RATE_LIMIT_EXCEEDED", "rate_limit_exceeded"},
		{http.StatusForbidden, 1000042, "ACCESS_DENIED", "access_denied"},
		{http.StatusForbidden, 1000043, "PERMISSION_DENIED", "access_denied"},
	} {
		if known.code == code {
			return &known
		}
	}
	return &failure{http.StatusInternalServerError, code, "CODE_" + strconv.Itoa(code), "server_error"}
}

func invalidParameter(name string) *failure {
	return &failure{http.StatusBadRequest, 1000004, "INVALID_PARAMETER: " + name, "invalid_request"}
}

func notFound() *failure { return failureOf(1000005) }

func (f failure) body(b Body) map[string]any {
	digits := strconv.Itoa(f.code)
	answer := map[string]any{"requestId": requestID(), "time": time.Now().Unix(), "status": "Failed"}
	switch b {
	case CodeMsg:
		answer["code"], answer["msg"] = f.code, f.name
	case ErrCode:
		answer["errcode"], answer["errmsg"] = f.code, f.name
	case ErrNo:
		delete(answer, "status")
		answer["Status"], answer["errno"], answer["errmsg"] = "Failed", digits, f.name
	case ErrorsList:
		answer["errors"] = []any{map[string]any{"code": f.code, "message": f.name}}
	case ErrorObject:
		answer["error"] = map[string]any{"errorCode": digits, "detail": f.name}
	case ErrMsg:
		answer["errMsg"], _, _ = strings.Cut(f.name, ":")
	case CodeName:
		name, detail, _ := strings.Cut(f.name, ":")
		return map[string]any{"code": name, "detailMessage": detail}
	case OAuthError:
		return map[string]any{"error": f.oauth, "error_description": f.name}
	}
	return answer
}

func (f failure) write(w http.ResponseWriter, shape Shape) {
	status := f.http
	if shape.Always200 {
		status = http.StatusOK
	}
	writeJSON(w, status, f.body(shape.Body))
}

// fail answers with a failure in the server's current shape.
func (s *Server) fail(w http.ResponseWriter, f *failure) {
	s.mu.Lock()
	shape := s.shape
	s.mu.Unlock()
	f.write(w, shape)
}

// envelope wraps the data of a success.
func envelope(data any) any {
	return struct {
		Data      any    `json:"data"`
		RequestID string `json:"requestId"`
		Status    string `json:"status"`
		Time      int64  `json:"time"`
	}{data, requestID(), "Success", time.Now().Unix()}
}

// requestID makes an id in one of the two forms of the vendor's examples.
func requestID() string {
	id := fmt.Sprintf("%08x-2cf5-40c9-9b32-%012x", rand.Uint32(), rand.Uint64()>>16)
	if rand.Uint32()%2 == 0 {
		return strings.ReplaceAll(id, "-", "")
	}
	return id
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // A value of Raw is not JSON: a mistake in the test.
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // The client may have gone.
}
