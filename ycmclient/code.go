package ycmclient

import (
	"net/http"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// codeInvalidParameter is the code of a parameter that YCM does not take.
const codeInvalidParameter = 1000004

// Codes of an access token that is not good any more.
const (
	codeSessionExpired = 1000011
	codeTokenExpired   = 1000035
	codeInvalidToken   = 1000036
)

// classOfCode returns the class of a code of the vendor's table ("Error Codes"), "" for one that tells no class.
func classOfCode(code int) yeastar.Class {
	switch code {
	case 1000001, 1000012, 1000024, 1000027, 1000030, 1000031, 3000009:
		return yeastar.Server
	case 1000002, 1000033, codeSessionExpired, codeTokenExpired, codeInvalidToken:
		return yeastar.Auth
	case codeInvalidParameter:
		return yeastar.Invalid
	case 1000005, 1000015:
		return yeastar.NotFound
	case 1000040:
		return yeastar.RateLimited
	case 1000042, 1000043, 2000016, 2000024: // The last two are of PBXs that are not activated or too old.
		return yeastar.Denied
	default:
		return ""
	}
}

// Classified gives a failure the class of its code, if that tells one.
func Classified(e *yeastar.Error) *yeastar.Error {
	if class := classOfCode(e.Code); class != "" {
		e.Class = class
	}
	return e
}

// tokenRejected tells whether the token is no longer good, so that a new one may help.
func tokenRejected(e *yeastar.Error) bool {
	switch e.Code {
	case codeSessionExpired, codeTokenExpired, codeInvalidToken:
		return true
	default:
		return e.Code == 0 && e.HTTPStatus == http.StatusUnauthorized
	}
}
