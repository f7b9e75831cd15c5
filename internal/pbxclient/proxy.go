package pbxclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Proxy is YCM's proxy to its PBXs; an *ycmclient.Client is one. It has the PBX's answer decoded, and returns an error
// where YCM did not pass one on.
type Proxy interface {
	Proxy(ctx context.Context, sn, path string, query url.Values, decode yeastar.Decoder) error
}

// Proxied returns a client for the PBX with that serial number, reached through the account's YCM. It needs no
// credentials of the PBX, and there is nothing to close.
func Proxied(ycm Proxy, account, sn string) *Client {
	id := pbx{account: account, name: yeastar.Cut(yeastar.Clean(sn), 64)}
	return &Client{pbx: id, route: proxied{pbx: id, ycm: ycm, sn: sn}}
}

type proxied struct {
	pbx
	ycm Proxy
	sn  string
}

func (w proxied) get(ctx context.Context, p path, query url.Values, decode yeastar.Decoder) error {
	if !yeastar.IsSerialNumber(w.sn) {
		return w.fail(yeastar.NotAsked, yeastar.Error{
			Endpoint: string(p), Class: yeastar.Invalid,
			Message: "the serial number in YCM's list is not of letters and digits",
		})
	}
	var envelope *yeastar.Envelope
	err := w.ycm.Proxy(ctx, w.sn, apiRoot+string(p), query, func(body []byte) (_ *yeastar.Envelope, e *yeastar.Error) {
		envelope, e = decode(body)
		return envelope, e
	})
	if err != nil {
		return w.failed(ctx, p, err)
	}
	return w.check(string(p), http.StatusOK, envelope, nil, yeastar.Redactor{})
}

func (proxied) close(context.Context) error { return nil }

// failed sorts YCM's errors. An errcode of the PBX that came with another HTTP status than 200 is the PBX's answer all
// the same.
func (w proxied) failed(ctx context.Context, p path, err error) error {
	failed := yeastar.Error{Account: w.account, Endpoint: string(p), Class: yeastar.ClassOf(err), Err: err}
	if e := (*yeastar.Error)(nil); errors.As(err, &e) {
		failed = *e
	}
	if failed.Code != 0 && failed.Code < yeastar.FirstYCMCode {
		failed.Endpoint = string(p)
		failed.Class, failed.Err = ClassOfCode(failed.Endpoint, failed.Code), reasonOf(failed.Endpoint, failed.Code)
		return w.fail(yeastar.Answered, failed)
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
