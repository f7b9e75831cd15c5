package pbxclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// Proxy is YCM's proxy to its PBXs; an *ycmclient.Client is one. It returns the PBX's answer as it is, and an error
// where YCM did not pass one on.
type Proxy interface {
	Proxy(ctx context.Context, sn, path string, query url.Values) ([]byte, error)
}

// Proxied returns a client for the PBX with that serial number, reached through the account's YCM. It needs no
// credentials of the PBX, and there is nothing to close.
func Proxied(ycm Proxy, account, sn string) *Client {
	id := pbx{account: account, name: shorten(clean(sn), 64)}
	return &Client{pbx: id, way: proxied{pbx: id, ycm: ycm, sn: sn}}
}

type proxied struct {
	pbx
	ycm Proxy
	sn  string
}

// serialNumber keeps a hostile serial number from naming another path of YCM's API.
var serialNumber = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func (w proxied) get(ctx context.Context, p path, query url.Values) ([]byte, error) {
	if !serialNumber.MatchString(w.sn) {
		return nil, w.fail(yeastar.NotAsked, yeastar.Error{
			Endpoint: p.String(), Class: yeastar.Invalid,
			Message: "the serial number in YCM's list is not of letters and digits",
		})
	}
	body, err := w.ycm.Proxy(ctx, w.sn, apiRoot+p.String(), query)
	if err != nil {
		return nil, w.failed(ctx, p, err)
	}
	if err := w.check(p.String(), http.StatusOK, body, nil); err != nil {
		return nil, err
	}
	return body, nil
}

func (proxied) close(context.Context) error { return nil }

// failed sorts YCM's errors. An errcode of the PBX that came with another HTTP status than 200 is the PBX's answer all
// the same; YCM's own codes are above firstOfYCM.
func (w proxied) failed(ctx context.Context, p path, err error) error {
	const firstOfYCM = 1_000_000
	if e := (*yeastar.Error)(nil); errors.As(err, &e) && e.Code != 0 && e.Code < firstOfYCM {
		return w.fail(yeastar.Answered, yeastar.Error{
			Endpoint: p.String(), Class: classOfCode(p.String(), e.Code), HTTPStatus: e.HTTPStatus, Code: e.Code,
			Message: mask(nil).quote(raw(e.Message), 200), RequestID: e.RequestID, Err: reasonOf(p.String(), e.Code),
		})
	}
	failed := yeastar.Error{Account: w.account, Endpoint: p.String(), Class: yeastar.ClassOf(err), Err: err}
	if e := (*yeastar.Error)(nil); errors.As(err, &e) {
		failed = *e
	}
	failed.PBX, failed.Reach, failed.Advice = w.name, reachOfProxy(ctx, err), failed.Class.Advice()
	return &failed
}

// reachOfProxy tells whether YCM failed before it asked the PBX, or because the PBX did not answer. How YCM says
// the latter is not documented: what is not clearly of its own making (no connection, its token, its limits, its
// permissions) is put down to the PBX.
func reachOfProxy(ctx context.Context, err error) yeastar.Reach {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return yeastar.NotAsked
	}
	switch yeastar.ClassOf(err) {
	case yeastar.Network, yeastar.Auth, yeastar.RateLimited, yeastar.Denied:
		return yeastar.NotAsked
	default:
		return yeastar.NoAnswer
	}
}
