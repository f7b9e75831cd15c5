package ycmclient

import (
	"context"
	"net/url"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// EndpointProxy names what PBXs are asked through YCM, whatever it is, in errors and metrics.
const EndpointProxy = "proxy"

// Proxy asks a PBX's own API through YCM ("Call Cloud PBX GET API"): path is the PBX API's, openapi/v1.0/... The
// answer is a JSON object of the PBX's making with at most 16 MiB, which decode reads. Failures that the PBX tells of
// in it, under HTTP 200, are the caller's to read; failures of YCM are errors.
//
// A GET of that API may delete things or return passwords: the caller must know what it asks for. The request takes
// what walks leave of the budget, however long that takes, and is tried once.
func (c *Client) Proxy(ctx context.Context, sn, path string, query url.Values, decode yeastar.Decoder) error {
	invalid := func(message string) error {
		return &yeastar.Error{Account: c.account, Endpoint: EndpointProxy, Class: yeastar.Invalid, Message: message}
	}
	if !yeastar.IsSerialNumber(sn) {
		return invalid("the PBX has no usable serial number")
	}
	path = strings.TrimPrefix(path, "/")
	if strings.Contains(path, "..") {
		return invalid("the PBX's path leads elsewhere")
	}
	return c.ask(ctx, request{
		endpoint: EndpointProxy, path: "v1/cloud_pbx/" + sn + "/" + path, query: query, leftover: true, once: true,
		read: func(status int, body []byte) *yeastar.Error {
			envelope, e := decode(body)
			if e != nil {
				return e
			}
			failure := Classified(envelope.Failure(status))
			if failure.Code >= yeastar.FirstYCMCode || strings.EqualFold(envelope.Status.String(), "failed") {
				return failure
			}
			return nil
		},
	})
}
