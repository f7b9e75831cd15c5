package pbxclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Proxy is YCM's proxy to its PBXs; an *ycmclient.Client is one. It decodes the PBX's answer, and returns an error where YCM did not
// pass one on.
type Proxy interface {
	Proxy(ctx context.Context, sn, path string, query url.Values, answer yeastar.Enveloped) error
}

// Proxied returns a client for the PBX with that serial number, reached through the account's YCM. It needs no credentials of the
// PBX, and there is nothing to close.
func Proxied(ycm Proxy, account, sn string) *Client {
	return &Client{account: account, name: yeastar.Cut(yeastar.Clean(sn), 64), route: proxied{ycm, sn}}
}

type proxied struct {
	ycm Proxy
	sn  string
}

func (p proxied) get(ctx context.Context, path string, query url.Values, answer yeastar.Enveloped) error {
	if !yeastar.IsSerialNumber(p.sn) {
		return &yeastar.Error{Class: yeastar.Invalid, Message: "the serial number in YCM's list is not of letters and digits"}
	}
	err := p.ycm.Proxy(ctx, p.sn, apiRoot+path, query, answer)
	failed := (*yeastar.Error)(nil)
	switch {
	case err == nil:
		failure := check(path, http.StatusOK, answer.Head())
		failure.Redact(nil)
		return asError(failure)
	case !errors.As(err, &failed):
		return err
	}
	e := *failed
	if e.Code != 0 && e.Code < yeastar.FirstYCMCode { // An errcode of the PBX that came with another HTTP status than 200.
		e.Reach, e.Endpoint = yeastar.Answered, ""
		return &e
	}
	e.Reach, e.Advice = reachOfProxy(ctx, err), e.Class.Advice()
	return &e
}

func (proxied) close(context.Context) error { return nil }

// reachOfProxy is whether YCM failed before it sent anything to the PBX, or because the PBX did not answer. How YCM reports the latter
// is not documented: what is not clearly of its own making (no connection, its token, its limits, its permissions) is put down to
// the PBX.
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
