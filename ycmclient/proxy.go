package ycmclient

import (
	"context"
	"net/url"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// EndpointProxy is the name of all requests to PBXs through YCM in errors and metrics.
const EndpointProxy = "proxy"

// Proxy sends a GET to a PBX's own API through YCM ("Call Cloud PBX GET API"): path is the PBX API's, openapi/v1.0/... The PBX's answer
// is decoded into answer. Failures that the PBX reports under HTTP 200 are the caller's to read; failures of YCM are errors.
//
// A GET of that API may delete things or return passwords: the caller must know what it requests. The request takes what walks leave
// of the rate limit, however long that takes, and is tried once.
func (c *Client) Proxy(ctx context.Context, sn, path string, query url.Values, answer yeastar.Enveloped) error {
	if !yeastar.IsSerialNumber(sn) || strings.Contains(path, "..") {
		return &yeastar.Error{
			Account: c.Account, Endpoint: EndpointProxy, Class: yeastar.Invalid, Message: "the serial number or the path could lead to another endpoint",
		}
	}
	return c.query(ctx, request{
		endpoint: EndpointProxy, path: "v1/cloud_pbx/" + sn + "/" + path, query: query, sweep: true,
		read: func(a *yeastar.Answer) *yeastar.Error {
			if e := a.Decode(answer); e != nil {
				return e
			}
			head := answer.Head()
			failure := head.Failure(a.Status)
			byName := failure.FromAPI() && !head.ErrCode.Given // The PBX's own failures have a number.
			if byName || failure.Code >= yeastar.FirstYCMCode || strings.EqualFold(string(head.Status.Name), "failed") {
				return failure
			}
			return nil
		},
	})
}
