package pbxclient

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// envelope is what is around every answer of a PBX. YCM's proxy adds its requestId.
type envelope struct {
	Code      number          `json:"errcode"`
	Message   raw             `json:"errmsg"`
	Params    json.RawMessage `json:"invalid_param_list"`
	RequestID raw             `json:"requestId"`
}

// check returns nil if the PBX answered with success, else what is wrong.
// Whatever of the answer is repeated in the error goes through m.
func (p pbx) check(endpoint string, status int, body []byte, m mask) error {
	cause := yeastar.Error{Endpoint: endpoint}
	if status < 200 || status > 299 {
		cause.HTTPStatus = status
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil || !e.Code.ok {
		return p.notOurs(cause, body)
	}
	switch code := e.Code.v; {
	case code == codeSuccess || code == codePartial || code == codeProcessing:
		if cause.HTTPStatus == 0 {
			return nil
		}
		cause.Class = yeastar.ClassOfStatus(status)
	case code != int64(int32(code)):
		cause.Class, cause.Message = yeastar.Invalid, "the answer's errcode is out of range"
	default:
		cause.Class, cause.Code = classOfCode(endpoint, int(code)), int(code)
		cause.Message = e.message(m)
		cause.Err = reasonOf(endpoint, int(code))
	}
	cause.RequestID = m.quote(e.RequestID, 100)
	return p.fail(yeastar.Answered, cause)
}

// notOurs is the error for an answer that does not come from a PBX's Open API: a gateway's page, an empty body.
func (p pbx) notOurs(cause yeastar.Error, body []byte) error {
	switch body = bytes.TrimSpace(body); {
	case cause.HTTPStatus >= 300 && cause.HTTPStatus < 400:
		cause.Class, cause.Message = yeastar.Invalid, "the answer is a redirect, which is not followed"
	case cause.HTTPStatus != 0:
		cause.Class, cause.Message = yeastar.ClassOfStatus(cause.HTTPStatus), http.StatusText(cause.HTTPStatus)
	case len(body) == 0:
		cause.Class, cause.Message = yeastar.Invalid, "the answer is empty"
	case body[0] == '<':
		cause.Class, cause.Message = yeastar.Invalid, "the answer is a web page, not JSON"
	case !json.Valid(body):
		cause.Class, cause.Message = yeastar.Invalid, "the answer is not JSON"
	default:
		cause.Class, cause.Message = yeastar.Invalid, "the answer has no errcode"
	}
	return p.fail(yeastar.NoAnswer, cause)
}

// message is the PBX's own words, and the names of the parameters that it refused: their values may be secret.
func (e envelope) message(m mask) string {
	words := []string{m.quote(e.Message, 200)}
	var params list[struct {
		Field raw `json:"field"`
		Rule  raw `json:"validation_type"`
	}]
	if len(e.Params) > 0 && json.Unmarshal(e.Params, &params) == nil {
		for _, param := range params.items[:min(5, len(params.items))] {
			words = append(words, m.quote(param.Field+" "+param.Rule, 100))
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

// mask knows the secrets that must not be in an error, because an answer may quote the request.
type mask []secret.Text

// hide replaces the secrets in s, in each form in which they were sent.
func (m mask) hide(s string) string {
	for _, t := range m {
		if t.Empty() {
			continue
		}
		plain := t.Reveal()
		quoted, _ := json.Marshal(plain) // A string can always be marshalled.
		for _, form := range []string{plain, url.QueryEscape(plain), url.PathEscape(plain), strings.Trim(string(quoted), `"`)} {
			s = strings.ReplaceAll(s, form, t.String())
		}
	}
	return s
}

// quote makes what a PBX says fit for an error, in at most limit bytes: without secrets and without links.
func (m mask) quote(s raw, limit int) string {
	words := strings.Fields(clean(m.hide(string(s))))
	for i, word := range words {
		if strings.Contains(word, "/") {
			words[i] = "<link>"
		}
	}
	return shorten(strings.Join(words, " "), limit)
}
