// Package pbxclient queries one P-Series PBX for what only the PBX itself knows: whether it serves, its up-time, the states of its
// trunks, extensions and phones, its capacity, and the phones that its firmware can provision.
//
// There are two ways to a PBX. Through YCM's proxy ([Proxied]) it needs no credentials but the account's, and each request counts
// for the account's rate limit. With direct access ([Direct]) it needs a Client ID and secret of the PBX, and the client holds one
// token, which Close gives back.
//
// On this API a GET can delete objects and return passwords, so the paths that can be sent are a closed set of read-only ones. Each
// request is tried once: a PBX that does not respond costs one time-out per call.
package pbxclient

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Client queries one PBX. It is safe for concurrent use. Every error of its methods is a [*yeastar.Error].
type Client struct {
	Name    string // in errors: the PBX's serial number (through YCM's proxy) or its host (with direct access)
	account string

	// get decodes an answer that is a JSON object into answer. Its error has no answer of the PBX's API in it, unless it has a code of
	// the PBX.
	get   func(ctx context.Context, path string, query url.Values, answer yeastar.Enveloped) *yeastar.Error
	close func(ctx context.Context) *yeastar.Error
}

// Close ends the client; later calls fail. With direct access it waits for a login under way and then revokes the token, so that
// none of the PBX's few is left behind. The error means that the token stays until it expires. ctx bounds all of it.
func (c *Client) Close(ctx context.Context) error {
	if failure := c.close(ctx); failure != nil {
		return c.fail(delToken, failure)
	}
	return nil
}

// path is where a request goes below the API's root. The constants of this type are all that an exporter may send to a PBX, each
// beside the method that sends it.
type path string

const apiRoot = "openapi/v1.0/"

// answer is an answer of a PBX with its envelope ("Response Results").
type answer[T any] struct {
	yeastar.Envelope
	Total yeastar.Number                  `json:"total_number"`
	Data  yeastar.List[yeastar.Record[T]] `json:"data"`
}

// fetch queries the PBX for p.
func fetch[T any](ctx context.Context, c *Client, p path, query url.Values) (a answer[T], err error) {
	failure := c.get(ctx, string(p), query, &a)
	if failure != nil && failure.Code == yeastar.CodePBXNoData && (a.Data.Empty() || a.Total.Given && a.Total.Value == 0) {
		failure = nil // The list is empty.
	}
	if failure != nil {
		return a, c.fail(string(p), failure)
	}
	if a.Data.Unreadable() {
		return a, c.invalid(p, "unexpected response: data has the wrong type")
	}
	return a, nil
}

// fetchOne queries the PBX for p, which describes the PBX itself.
func fetchOne[T any](ctx context.Context, c *Client, p path) (one T, err error) {
	answer, err := fetch[T](ctx, c, p, nil)
	if err != nil {
		return one, err
	}
	if len(answer.Data.Items) != 1 {
		return one, c.invalid(p, "unexpected response: it does not describe exactly one PBX")
	}
	return answer.Data.Items[0].Value, nil
}

// invalid is the error for an answer of the PBX that cannot be used.
func (c *Client) invalid(p path, message string) error {
	return c.fail(string(p), &yeastar.Error{Reach: yeastar.Answered, Class: yeastar.Invalid, Message: message})
}

// check returns the PBX's own failure, nil if it answered with success. An answer with neither an errcode nor the vendor's name for a
// failure is not from its API.
func check(endpoint string, status int, e *yeastar.Envelope) *yeastar.Error {
	success := status >= 200 && status < 300
	failure := e.Failure(status)
	switch code := e.ErrCode; {
	case !code.Given && !failure.FromAPI() || failure.Code == 0 && code.Value != 0:
		failure.Reach, failure.Code, failure.Message = yeastar.NoAnswer, 0, ""
		if success {
			failure.Class, failure.Message = yeastar.Invalid, "the response has no errcode"
		}
		return failure
	case success && code.Given && (code.Value == yeastar.CodeSuccess || code.Value == yeastar.CodePartialSuccess || code.Value == yeastar.CodeProcessing):
		return nil
	}
	failure.Reach = yeastar.Answered
	if failure.Code == yeastar.CodeFailure && endpoint == getToken { // Wrong credentials have no code of their own.
		failure.Class = yeastar.Auth
	}
	failure.RetryLogin = map[int]time.Duration{
		yeastar.CodeMaxLimit:       5 * time.Minute, // The tokens of others expire within 30 minutes.
		yeastar.CodeAddressBlocked: 15 * time.Minute,
		yeastar.CodeIPForbidden:    15 * time.Minute,
	}[failure.Code]
	return failure
}

// fail completes an error with the name of the PBX, and with advice.
func (c *Client) fail(endpoint string, failure *yeastar.Error) *yeastar.Error {
	failed := *failure
	failed.Account, failed.PBX = c.account, c.Name
	failed.Endpoint = cmp.Or(failed.Endpoint, endpoint)
	if failed.Code == yeastar.CodeMaxLimit && failed.Endpoint == getToken {
		failed.Advice = "the PBX has too many valid tokens: wait until some expire, and use a separate Client ID for the exporter"
	}
	failed.Advice = cmp.Or(failed.Advice, adviceOnCode[failed.Code], failed.Class.PBXAdvice())
	return &failed
}

var adviceOnCode = map[int]string{
	yeastar.CodePBXTokenExpired: "the PBX does not accept the token that it issued: check its clock",
	yeastar.CodePBXAccessDenied: "grant the API application this permission in the PBX (Integrations > API)",
	yeastar.CodeAddressBlocked:  "the PBX has blocked the IP address of the exporter: correct the credentials, then remove the address from Blocked IPs in the PBX",
	yeastar.CodeIPForbidden:     "the API of the PBX does not allow the IP address of the exporter: add the address in the API settings of the PBX",
}

// RecordFields returns the JSON names of all fields that the client reads, as yeastar.RecordFields does.
func RecordFields() map[string]bool {
	return yeastar.RecordFields(SystemInformation{}, Capacity{}, trunkRecord{}, extensionRecord{}, phoneRecord{}, PhoneOption{})
}
