package pbxclient

import (
	"errors"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

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

// ClassOfCode sorts the PBX's errcode into the classes that the whole exporter knows. Wrong credentials have no code
// of their own. A code that is in no list of the vendor is a failure of the PBX.
func ClassOfCode(endpoint string, code int) yeastar.Class {
	switch code {
	case codeFailure:
		if isLogin(endpoint) {
			return yeastar.Auth
		}
		return yeastar.Server
	case codeTokenExpired, codeBlocked:
		return yeastar.Auth
	case codeAccessDenied, codeForbidden, codeIPForbidden:
		return yeastar.Denied
	case codeNoInterface, codeOldVersion, codeNoVersion, codeNoData:
		return yeastar.NotFound
	case codeSyntax, codeParameter, codeDuplicate, codeFileSize:
		return yeastar.Invalid
	case codeMaxLimit:
		return yeastar.RateLimited
	default: // internal error, operation failed, overload, and whatever is new
		return yeastar.Server
	}
}

// Lacks reports whether an error says that the PBX's firmware does not have what was asked for.
func Lacks(err error) bool {
	var e *yeastar.Error
	return errors.As(err, &e) && e.Reach == yeastar.Answered && e.Code == codeNoInterface
}

// pbx says which PBX is spoken to, and for which account.
type pbx struct{ account, name string }

// fail completes an error with what is known of the PBX, and with advice.
func (p pbx) fail(reach yeastar.Reach, e yeastar.Error) *yeastar.Error {
	e.Account, e.PBX, e.Reach, e.Advice = p.account, p.name, reach, e.Class.PBXAdvice()
	if e.Code == codeTokenExpired {
		e.Advice = "the PBX does not take the token that it gave: check its clock"
	}
	if e.Err != nil {
		e.Advice = e.Err.Error()
	}
	return &e
}
