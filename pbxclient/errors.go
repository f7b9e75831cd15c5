package pbxclient

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Error is a call that failed at one PBX. It wraps an [*ycmclient.Error], whose Code is the PBX's errcode, or YCM's
// own code where YCM refused to pass the call on. It never holds a secret.
type Error struct {
	PBX   string // its serial number or host
	Reach Reach
	Err   error

	text string
}

// Error tells what failed, where, and what can be done.
func (e *Error) Error() string { return e.text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reach tells how far a call came.
type Reach uint8

// The ways that a call can go.
const (
	NotAsked Reach = iota // Nothing was sent to the PBX, or nobody waited for its answer: nothing is known of it.
	NoAnswer              // The PBX did not answer, or something else did that is not its Open API.
	Answered              // The PBX itself answered, be it to refuse.
)

// ReachOf tells how far the call came that ended with err: Answered for nil, NotAsked for an error of another kind.
func ReachOf(err error) Reach {
	if err == nil {
		return Answered
	}
	var failed *Error
	if errors.As(err, &failed) {
		return failed.Reach
	}
	return NotAsked
}

// Reason is a refusal that an operator has to act on. errors.Is finds it in an error.
type Reason string

// The reasons.
const (
	// TokenCap is 60002 to a login: the 8 tokens that a PBX gives an application are all in use.
	TokenCap Reason = "the PBX's cap of valid tokens is reached: wait until some expire, and give the exporter a Client ID of its own"
	// AddressBlocked is 70004: the PBX blocks this address after refused logins.
	AddressBlocked Reason = "the PBX has blocked this address: correct the credentials, then remove the address from its Blocked IPs"
	// IPForbidden is 70087: the PBX's API is not open to this address.
	IPForbidden Reason = "the PBX's API is not open to this address: allow the address in the PBX's API settings"
)

// Error says what is wrong and what to do about it.
func (r Reason) Error() string { return string(r) }

var (
	errClosed  = errors.New("the client is closed")
	errNoToken = errors.New("the answer to the login has no usable token")
)

// Codes of "Error Code and Error Message" of the P-Series Open API. 10003 (API version unsupported) is not among
// those that call for a new token.
const (
	codeInternalError   = -2
	codeFailure         = -1
	codeSuccess         = 0
	codePartial         = 1
	codeProcessing      = 2
	codeNoInterface     = 10001
	codeOldVersion      = 10002
	codeNoVersion       = 10003
	codeTokenExpired    = 10004
	codeAccessDenied    = 10005
	codeOperationFailed = 10009
	codeSyntax          = 40001
	codeParameter       = 40002
	codeDuplicate       = 40003
	codeFileSize        = 40004
	codeNoData          = 60001
	codeMaxLimit        = 60002
	codeBlocked         = 70004
	codeOverload        = 70082
	codeForbidden       = 70084
	codeIPForbidden     = 70087
)

// classOfCode sorts the PBX's errcode into the classes that the whole exporter knows. Wrong credentials have no code
// of their own. A code that is in no list of the vendor is a failure of the PBX.
func classOfCode(endpoint string, code int) ycmclient.Class {
	switch code {
	case codeFailure:
		if isLogin(endpoint) {
			return ycmclient.Auth
		}
		return ycmclient.Server
	case codeTokenExpired, codeBlocked:
		return ycmclient.Auth
	case codeAccessDenied, codeForbidden, codeIPForbidden:
		return ycmclient.Denied
	case codeNoInterface, codeOldVersion, codeNoVersion, codeNoData:
		return ycmclient.NotFound
	case codeSyntax, codeParameter, codeDuplicate, codeFileSize:
		return ycmclient.Invalid
	case codeMaxLimit:
		return ycmclient.RateLimited
	default: // internal error, operation failed, overload, and whatever is new
		return ycmclient.Server
	}
}

// classOfStatus sorts an HTTP status that came without an errcode.
func classOfStatus(status int) ycmclient.Class {
	switch {
	case status == 401:
		return ycmclient.Auth
	case status == 403:
		return ycmclient.Denied
	case status == 404:
		return ycmclient.NotFound
	case status == 429:
		return ycmclient.RateLimited
	case status >= 500:
		return ycmclient.Server
	default: // a redirect, which is not followed, or a request that was not understood
		return ycmclient.Invalid
	}
}

// pbx says which PBX is spoken to, and for which account.
type pbx struct{ account, name string }

// fail makes an error of what went wrong between the exporter and the PBX.
func (p pbx) fail(reach Reach, cause ycmclient.Error) *Error {
	cause.Account = p.account
	var b strings.Builder
	fmt.Fprintf(&b, "account %s: PBX %s: %s: %s", p.account, p.name, cause.Endpoint, cause.Class)
	switch {
	case cause.Code != 0:
		fmt.Fprintf(&b, " (code %d)", cause.Code)
	case cause.HTTPStatus != 0:
		fmt.Fprintf(&b, " (HTTP %d)", cause.HTTPStatus)
	}
	if cause.Message != "" {
		b.WriteString(": " + cause.Message)
	}
	if more := advice(&cause); more != "" {
		b.WriteString("; " + more)
	}
	return &Error{PBX: p.name, Reach: reach, Err: &cause, text: b.String()}
}

// refused is the error of YCM's own about a call to the PBX.
func (p pbx) refused(reach Reach, err error) *Error {
	return &Error{PBX: p.name, Reach: reach, Err: err, text: fmt.Sprintf("PBX %s: %v", p.name, err)}
}

// advice tells what an operator can do about a failure.
func advice(e *ycmclient.Error) string {
	if e.Err != nil {
		return e.Err.Error()
	}
	if e.Code == codeTokenExpired {
		return "the PBX does not take the token that it gave: check its clock"
	}
	switch e.Class {
	case ycmclient.Network, ycmclient.Timeout:
		return "check that the PBX runs and that its URL is right"
	case ycmclient.Auth:
		return "check client_id and the client secret of this PBX"
	case ycmclient.Denied:
		return "switch the API on in the PBX, for this Client ID"
	case ycmclient.NotFound:
		return "the PBX's firmware may be too old for this call"
	default:
		return ""
	}
}
