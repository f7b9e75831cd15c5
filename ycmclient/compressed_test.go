package ycmclient_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A gateway may compress responses without being requested to. Real ones also do it where identity is requested.
func TestCompressedAnswersAreRead(t *testing.T) {
	for coding, want := range map[string]string{"gzip": "", "GZIP": "", "identity": "", "deflate": "is encoded as deflate,", "br": "is encoded as br,", "zstd": "is encoded as zstd,"} {
		bubble(t, ycmtest.Options{PBXs: 120}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			effect := ycmtest.Compress(strings.ToLower(coding))
			if coding == "identity" {
				effect = ycmtest.Header("Content-Encoding", coding)
			}
			ycm.Inject(ycmtest.Fault{Effect: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if got := r.Header.Get("Accept-Encoding"); got != "identity" {
						t.Errorf("the request accepts %q, want identity", got)
					}
					effect(next).ServeHTTP(w, r)
				})
			}})
			list, err := client.Walk(t.Context(), nil, nil, nil)
			switch {
			case want == "" && (err != nil || len(list.PBXs) != 120):
				t.Errorf("%s: the walk fails: %v", coding, err)
			case want != "" && (yeastar.ClassOf(err) != yeastar.Invalid || !strings.Contains(err.Error(), want)):
				t.Errorf("%s: got %v, want an invalid error that names it", coding, err)
			}
		})
	}
}

// What says that it is compressed and is not fails, and does no harm.
func TestAnswerThatIsNotCompressedAsItSays(t *testing.T) {
	for name, body := range map[string]string{"JSON": `{"data":[]}`, "nothing": "", "one byte": "x", "half": "\x1f\x8b\x08\x00"} {
		bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Effect: ycmtest.Chain(ycmtest.Header("Content-Encoding", "gzip"), ycmtest.Answer(200, "application/json", body))})
			if _, err := client.Regions(t.Context()); err == nil {
				t.Errorf("%s as gzip is read", name)
			}
		})
	}
}
