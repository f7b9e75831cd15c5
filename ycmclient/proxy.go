package ycmclient

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// Proxy asks a PBX's own API through YCM ("Call Cloud PBX GET API"): path is the PBX API's, openapi/v1.0/... It
// returns the answer's body, a JSON object of the PBX's making with at most 16 MiB. Failures that the PBX tells of in
// it, under HTTP 200, are the caller's to read; failures of YCM are errors.
//
// A GET of that API may delete things or return passwords: the caller must know what it asks for. The request takes
// what walks leave of the budget, however long that takes, and is tried once.
func (c *Client) Proxy(ctx context.Context, sn, path string, query url.Values) ([]byte, error) {
	invalid := func(message string) error {
		return &yeastar.Error{Account: c.account, Endpoint: endpointProxy, Class: yeastar.Invalid, Message: message}
	}
	if !isSerial(sn) {
		return nil, invalid("the PBX has no usable serial number") // It came from YCM, and might lead anywhere.
	}
	path = strings.TrimPrefix(path, "/")
	if strings.Contains(path, "..") {
		return nil, invalid("the PBX's path leads elsewhere")
	}
	var answer []byte
	err := c.ask(ctx, question{
		endpoint: endpointProxy, path: "v1/cloud_pbx/" + sn + "/" + path, query: query, leftover: true, once: true,
		read: func(status int, body []byte) *yeastar.Error {
			var ycm envelope
			if e := decode(body, &ycm); e != nil {
				return e
			}
			if bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
				return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer is not a JSON object"}
			}
			const smallest = 1_000_000 // Of YCM's codes; those of a PBX are far below.
			if failure := judge(status, body); failure.Code >= smallest || isAny(ycm.Status.bytes, "failed") {
				return failure
			}
			answer = bytes.Clone(body)
			return nil
		},
	})
	return answer, err
}

// isSerial tells whether a serial number is one of letters and digits, as all honest ones are.
func isSerial(sn string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return sn != "" && len(sn) <= 64 && strings.Trim(sn, alphabet) == ""
}
