package yeastar

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

func TestSecretsLinksAndAddressesAreRemovedFromServerTexts(t *testing.T) {
	const plain = `S3cret "a" of/the=acc & more`
	secrets := []secret.Text{secret.New("S3cret"), secret.New(plain), secret.New("abc"), {}, secret.New("joe:pa55word")}
	for _, c := range []struct{ text, want string }{
		{"wrong secret " + plain + "!", "wrong secret <secret>!"},
		{"?client_secret=" + url.QueryEscape(plain), "?client_secret=<secret>"},
		{"at " + url.PathEscape(plain), "at <secret>"},
		{strings.Join(strings.Split(plain, ""), "\x01"), "<secret>"},
		{"a S3cret alone", "a <secret> alone"},
		{"Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("joe:pa55word")), "Proxy-Authorization: Basic <secret>"},
		{"S3cretS3cret x S3cret", "<secret><secret> x <secret>"},
		{"an abc is too short to hide", "an abc is too short to hide"},
		{"see pbx.example.com:443/api/autoprovision/6gEzig or https://x.example.com now", "see <link> or <link> now"},
		{"no such user: Joe <joe@example.com>", "no such user: Joe <e-mail>"},
		{"no such user: joe%40example.com", "no such user: <e-mail>"},
		{"two\r\nlines\tand\u200b\u2028more \x1b[31m", "two lines and more [31m"},
		{"診療所 \xff", "診療所 \ufffd"},
		{"", ""},
	} {
		if got := redact(c.text, 100, secrets); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if got := redact(strings.Repeat("é", 60), 99, nil); got != strings.Repeat("é", 49) {
		t.Errorf("cut to 99 bytes: got %d bytes, want 49 whole characters", len(got))
	}
}
