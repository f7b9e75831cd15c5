package pbxclient

import (
	"encoding/json"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// check returns nil if the PBX answered with success, else what is wrong. unread tells why the answer could not be
// decoded. Whatever of the answer is repeated in the error goes through r.
func (p pbx) check(endpoint string, status int, e *yeastar.Envelope, unread *yeastar.Error, r yeastar.Redactor) error {
	success := status >= 200 && status < 300
	if unread != nil || !e.ErrCode.Given {
		return p.notOurs(endpoint, status, unread)
	}
	failure, code := e.Failure(status), int(e.ErrCode.Value)
	switch {
	case code == codeSuccess || code == codePartial || code == codeProcessing:
		if success {
			return nil
		}
	case failure.Code != code:
		failure.Class, failure.Code, failure.Message = yeastar.Invalid, 0, "the answer's errcode is out of range"
	default:
		failure.Class, failure.Message, failure.Err = ClassOfCode(endpoint, code), message(e), reasonOf(endpoint, code)
	}
	failure.Endpoint = endpoint
	r.Redact(failure)
	return p.fail(yeastar.Answered, *failure)
}

// notOurs is the error for an answer that does not come from a PBX's Open API: a gateway's page, an empty body.
func (p pbx) notOurs(endpoint string, status int, unread *yeastar.Error) error {
	e := yeastar.Error{Class: yeastar.Invalid, Message: "the answer has no errcode"}
	switch {
	case status >= 300 && status < 400:
		e.Message = "the answer is a redirect, which is not followed"
	case status < 200 || status >= 300:
		e.Class, e.Message = yeastar.ClassOfStatus(status), ""
	case unread != nil:
		e = *unread
	}
	e.Endpoint, e.HTTPStatus = endpoint, status
	return p.fail(yeastar.NoAnswer, e)
}

// message is the PBX's own words, and the names of the parameters that it refused: their values may be secret.
func message(e *yeastar.Envelope) string {
	words := []string{string(e.ErrMsg)}
	var params yeastar.List[struct {
		Field yeastar.Words `json:"field"`
		Rule  yeastar.Words `json:"validation_type"`
	}]
	if json.Unmarshal(e.InvalidParams, &params) == nil {
		for _, param := range params.Items {
			words = append(words, string(param.Field+" "+param.Rule))
		}
	}
	return strings.Trim(strings.Join(words, "; "), "; ")
}

// reasonOf is the typed reason of the codes that have one, else nil. On any other call 60002 is not about tokens.
func reasonOf(endpoint string, code int) error {
	switch {
	case code == codeMaxLimit && isLogin(endpoint):
		return TokenCap
	case code == codeBlocked:
		return AddressBlocked
	case code == codeIPForbidden:
		return IPForbidden
	}
	return nil
}
