package ycmclient

import (
	"context"
	"net/url"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The methods here are for those who want to know what a YCM is like, rather than what its fleet is.

// ProbeList asks for the list of Cloud PBXs with that query, once, and tells whether YCM answered with a success.
func (c *Client) ProbeList(ctx context.Context, query url.Values) error {
	if c.search != "" {
		query.Set("search", c.search)
	}
	return c.ask(ctx, request{
		endpoint: EndpointList, path: listPath, query: query, once: true,
		read: func(status int, body []byte) *yeastar.Error {
			var e yeastar.Envelope
			if failure := yeastar.Decode(body, &e); failure != nil {
				return failure
			}
			return verdict(&e, "", status)
		},
	})
}

// Renew asks for a new access token although the present one is good: by the refresh token, if YCM gave one.
func (c *Client) Renew(ctx context.Context) error {
	c.tokens.mu.Lock()
	present := c.tokens.access.Reveal()
	c.tokens.mu.Unlock()
	_, err := c.tokens.get(ctx, present)
	return err
}
