// Package pbxclient asks one P-Series PBX what only the PBX itself knows: whether it serves, how long it has been up,
// how its trunks, extensions and phones are, what it may use, and which phones its firmware can provision.
//
// There are two ways to a PBX. Through YCM's proxy ([Proxied]) it needs no credentials but the account's, and each
// request is paid from what the account's budget leaves over. Directly ([Direct]) it needs a Client ID and secret
// of the PBX, and the client keeps one token for it, which Close gives back.
//
// On this API a GET can delete objects and return passwords, so the paths that can be sent are a closed set of
// read-only ones. Each request is tried once: a PBX that does not answer costs one time-out a call.
package pbxclient

import (
	"context"
	"net/url"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Client asks one PBX. It is safe for concurrent use. Every error of its methods is a [*yeastar.Error].
type Client struct {
	pbx
	route route
}

// route is how requests reach a PBX. It has the answer decoded, which the PBX calls a success if there is no error.
type route interface {
	get(ctx context.Context, p path, query url.Values, decode yeastar.Decoder) error
	close(ctx context.Context) error
}

// Name is the PBX's name in errors: its serial number (through YCM's proxy) or its host (directly).
func (c *Client) Name() string { return c.name }

// Close ends the client; later calls fail. Directly, it waits for a login under way and then revokes the token, so
// that none of the PBX's few is left behind. The error tells that the token could not be revoked and will live
// until it expires. ctx bounds all of it. A panic is an error, because whoever closes has nobody to tell of it.
func (c *Client) Close(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = crash.Of(cause)
		}
	}()
	return c.route.close(ctx)
}

// path is where a request goes below the API's root. The constants of this type are all that an exporter may send to a PBX,
// each beside the method that asks it.
type path string

const apiRoot = "openapi/v1.0/"

// answer is an answer of a PBX with its envelope ("Response Results").
type answer[T any] struct {
	yeastar.Envelope
	Total yeastar.Number  `json:"total_number"`
	Data  yeastar.List[T] `json:"data"`
}

// fetch asks the PBX for p.
func fetch[T any](ctx context.Context, c *Client, p path, query url.Values) (answer[T], error) {
	var a answer[T]
	err := c.route.get(ctx, p, query, func(body []byte) (*yeastar.Envelope, *yeastar.Error) {
		a = answer[T]{}
		return &a.Envelope, yeastar.Decode(body, &a)
	})
	if err == nil && a.Data.Unreadable {
		err = c.invalid(p, "the answer is not of the documented form: data has the wrong type")
	}
	return a, err
}

// fetchOne asks the PBX for p, which describes the PBX itself.
func fetchOne[T any](ctx context.Context, c *Client, p path) (one T, err error) {
	answer, err := fetch[T](ctx, c, p, nil)
	if err != nil {
		return one, err
	}
	if len(answer.Data.Items) != 1 {
		return one, c.invalid(p, "the answer does not describe one PBX")
	}
	return answer.Data.Items[0], nil
}

// invalid is the error for an answer of the PBX that cannot be used.
func (c *Client) invalid(p path, message string) error {
	return c.fail(yeastar.Answered, yeastar.Error{Endpoint: string(p), Class: yeastar.Invalid, Message: message})
}
