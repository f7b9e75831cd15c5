package pbxclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Proxy is YCM's proxy to its PBXs; an *ycmclient.Client is one. It decodes the PBX's answer, and returns an error where YCM did not
// pass one on. Redact makes the texts of the PBX's own errors fit to be shown.
type Proxy interface {
	Proxy(ctx context.Context, sn, path string, query url.Values, answer yeastar.Enveloped) error
	Redact(failure *yeastar.Error)
}

// Proxied returns a client for the PBX with that serial number, reached through the account's YCM. It needs no credentials of the
// PBX, and there is nothing to close.
func Proxied(ycm Proxy, account, sn string) *Client {
	c := &Client{account: account, Name: yeastar.Cut(sn, 64), close: func(context.Context) *yeastar.Error { return nil }}
	c.get = func(ctx context.Context, path string, query url.Values, answer yeastar.Enveloped) *yeastar.Error {
		if !yeastar.IsSerialNumber(sn) {
			return &yeastar.Error{Class: yeastar.Invalid, Message: "the serial number in YCM's list has characters other than letters and digits"}
		}
		err := ycm.Proxy(ctx, sn, apiRoot+path, query, answer)
		failed := (*yeastar.Error)(nil)
		switch {
		case err == nil:
			failure := check(path, http.StatusOK, answer.Head())
			ycm.Redact(failure)
			return failure
		case !errors.As(err, &failed):
			return &yeastar.Error{Class: yeastar.ClassOf(err), Message: err.Error(), Err: err}
		}
		e := *failed
		if e.Code != 0 && e.Code < yeastar.FirstYCMCode { // An errcode of the PBX that came with another HTTP status than 200.
			e.Reach, e.Endpoint = yeastar.Answered, ""
			return &e
		}
		// How YCM reports that the PBX did not answer is not documented. Whatever is clearly of YCM's own making (no connection, its token,
		// its limits, its permissions) was not sent on to the PBX.
		notSent := []yeastar.Class{yeastar.Network, yeastar.Auth, yeastar.RateLimited, yeastar.Denied}
		e.Reach, e.Advice = yeastar.NoAnswer, e.Class.Advice()
		if slices.Contains(notSent, e.Class) || ctx.Err() != nil || errors.Is(err, context.Canceled) {
			e.Reach = yeastar.NotSent
		}
		return &e
	}
	return c
}
