package yeastar_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestSecretsAreHiddenInEachFormAndLinksAreTakenOut(t *testing.T) {
	const plain = `S3cret "a" of/the=acc & more`
	r := yeastar.NewRedactor(secret.New("S3cret"), secret.New(plain), secret.New("abc"), secret.Text{},
		secret.New("eyJhbGciOiJIUzI1NiJ9.of-the-token"), secret.New("joe:pa55word"))
	for _, c := range []struct{ said, want string }{
		{"wrong secret " + plain + "!", "wrong secret <secret>!"},
		{"?client_secret=" + url.QueryEscape(plain), "?client_secret=<secret>"},
		{"at " + url.PathEscape(plain), "at <secret>"},
		{`"client_secret":"S3cret \"a\" of/the=acc \u0026 more"`, `"client_secret":"<secret>"`},
		{strings.Join(strings.Split(plain, ""), "\x01"), "<secret>"},
		{"a S3cret alone", "a <secret> alone"},
		{"token eyJhbGciO was cut", "token <secret> was cut"},
		{"token EYJHBGCIOIJ.X was shouted", "token <secret>.X was shouted"},
		{"the tail .of-the-token and the middle OiJIUzI1", "the tail <secret> and the middle <secret>"},
		{"seven eyJhbGc of it tell nothing", "seven eyJhbGc of it tell nothing"},
		{"Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("joe:pa55word")), "Proxy-Authorization: Basic <secret>"},
		{"body " + base64.StdEncoding.EncodeToString([]byte("id=1&s=joe:pa55word")), "body aWQ9MSZzPW<secret>=="},
		{"body " + base64.StdEncoding.EncodeToString([]byte("id=1&sec=joe:pa55word")), "body aWQ9MSZzZWM9<secret>"},
		{"body " + base64.StdEncoding.EncodeToString([]byte("id=1&sc=joe:pa55word")), "body aWQ9MSZzYz1<secret>="},
		{"hex " + hex.EncodeToString([]byte("joe:pa55word")), "hex <secret>"},
		{"S3CRET", "<secret>"},
		{"S3cretS3cret x S3cret", "<secret> x <secret>"},
		{"an abc is too short to hide", "an abc is too short to hide"},
		{"see pbx.example.com:443/api/autoprovision/6gEzig or https://x.example.com now", "see <link> or <link> now"},
		{"two\r\nlines\tand\u200b\u2028more \x1b[31m", "two lines and more [31m"},
		{"診療所 \xff", "診療所 \ufffd"},
		{"", ""},
	} {
		if got := r.Quote(c.said, 100); got != c.want {
			t.Errorf("%q: got %q, want %q", c.said, got, c.want)
		}
	}
	if got := r.Quote(strings.Repeat("é", 60), 99); got != strings.Repeat("é", 49) {
		t.Errorf("cut to 99 bytes: got %d bytes, want 49 whole characters", len(got))
	}
}

func TestUnansweredKeepsNeitherURLNorWhatWasSent(t *testing.T) {
	for _, c := range []struct {
		err   error
		class yeastar.Class
		want  string
	}{
		{&url.Error{Op: "Get", URL: "https://x/?access_token=t0ken", Err: errors.New("dial tcp: connection refused")}, yeastar.Network, "dial tcp: connection refused"},
		{fmt.Errorf(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "t0ken \" and more"`), yeastar.Network, "transport connection broken: malformed HTTP response ..."},
		{&url.Error{Op: "Get", URL: "https://x/?access_token=t0ken", Err: context.DeadlineExceeded}, yeastar.Timeout, "no whole answer within 30s"},
	} {
		e := yeastar.Unanswered(c.err, 30*time.Second)
		if e.Class != c.class || e.Message != c.want || e.Err != nil {
			t.Errorf("%v: got class %s and %q around %v, want %s, %q and nothing", c.err, e.Class, e.Message, e.Err, c.class, c.want)
		}
	}
}
