package pbxclient_test

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// recorder is YCM's proxy; it remembers the requests.
type recorder struct {
	requested []string
	err       error
}

func (r *recorder) Redact(*yeastar.Error) {}

func (r *recorder) Proxy(_ context.Context, sn, path string, query url.Values, answer yeastar.Enveloped) error {
	r.requested = append(r.requested, sn+" "+path+"?"+query.Encode())
	if r.err == nil {
		yeastar.Decode([]byte(systemBody), answer)
	}
	return r.err
}

func TestOnlyReadOnlyPathsAreEverSent(t *testing.T) {
	ycm := &recorder{}
	behind := pbxclient.Proxied(ycm, "main", "3658B4311190001")
	everyCall(t, behind)
	const root = "3658B4311190001 openapi/v1.0/"
	want(t, "through the proxy", ycm.requested, []string{
		root + "system/information?",
		root + "trunk/list?order_by=asc&page=1&page_size=100&sort_by=id",
		root + "auto_provisioning/compatibility?menu=phone_vendor",
		root + "auto_provisioning/compatibility?menu=phone_model&vendor=A+%26+B",
		root + "auto_provisioning/compatibility?menu=phone_template&model=..%2Fextension%2Fdelete",
		root + "auto_provisioning/compatibility?menu=autop_method&model=C%3Faccess_token%3Dx&vendor=A+%26+B",
	})

	pbx := newFake()
	for _, endpoint := range []string{"trunk/list", "auto_provisioning/compatibility"} {
		pbx.answer(endpoint, systemBody)
	}
	c := pbxclient.Direct(serve(t, pbx))
	everyCall(t, c)
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	want(t, "directly", pbx.requested(), []string{
		"POST get_token", "GET system/information", "GET trunk/list",
		"GET auto_provisioning/compatibility", "GET auto_provisioning/compatibility",
		"GET auto_provisioning/compatibility", "GET auto_provisioning/compatibility", "GET del_token",
	})
}

func everyCall(t *testing.T, c *pbxclient.Client) {
	t.Helper()
	ctx := t.Context()
	c.SystemInformation(ctx)
	c.Trunks(ctx)
	c.PhoneVendors(ctx)
	c.PhoneModels(ctx, "A & B")
	c.PhoneTemplates(ctx, "../extension/delete")
	c.ProvisioningMethods(ctx, "A & B", "C?access_token=x")
}

func TestSerialNumberThatNamesAnotherPath(t *testing.T) {
	for _, sn := range []string{"", "..", "../../users", "a/b", "a?b", "a%2fb", "a b", "é", "a\n", strings.Repeat("1", 65)} {
		ycm := &recorder{}
		_, err := pbxclient.Proxied(ycm, "main", sn).SystemInformation(t.Context())
		expect(t, err, yeastar.NotSent, yeastar.Invalid, 0)
		if len(ycm.requested) > 0 {
			t.Errorf("serial number %q was requested", sn)
		}
	}
}

func TestWhetherAFailureOfYCMIsThatOfThePBX(t *testing.T) {
	for class, want := range map[yeastar.Class]yeastar.Reach{
		yeastar.Timeout: yeastar.NoAnswer, yeastar.Server: yeastar.NoAnswer, yeastar.NotFound: yeastar.NoAnswer,
		yeastar.Invalid: yeastar.NoAnswer, yeastar.Auth: yeastar.NotSent, yeastar.Denied: yeastar.NotSent,
		yeastar.RateLimited: yeastar.NotSent, yeastar.Network: yeastar.NotSent,
	} {
		cause := &yeastar.Error{Account: "main", Endpoint: "proxy", Class: class, Code: 3000009}
		_, err := pbxclient.Proxied(&recorder{err: cause}, "main", "3658B4311190001").SystemInformation(t.Context())
		expect(t, err, want, class, 3000009)
	}
	code := &yeastar.Error{Account: "main", Endpoint: "proxy", Class: yeastar.Denied, HTTPStatus: 403, Code: 70087}
	_, err := pbxclient.Proxied(&recorder{err: code}, "main", "3658B4311190001").SystemInformation(t.Context())
	expect(t, err, yeastar.Answered, yeastar.Denied, 70087)
	if !strings.Contains(err.Error(), "does not allow the IP address of the exporter") {
		t.Errorf("got %v, want advice about the address", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cause := &yeastar.Error{Account: "main", Class: yeastar.Timeout, Err: ctx.Err()}
	_, err = pbxclient.Proxied(&recorder{err: cause}, "main", "3658B4311190001").SystemInformation(ctx)
	expect(t, err, yeastar.NotSent, yeastar.Timeout, 0)
	if got := yeastar.ReachOf(nil); got != yeastar.Answered {
		t.Errorf("a success reaches %d, want %d", got, yeastar.Answered)
	}
	if got := yeastar.ReachOf(io.EOF); got != yeastar.NotSent {
		t.Errorf("an error of another kind reaches %d, want %d", got, yeastar.NotSent)
	}
}
