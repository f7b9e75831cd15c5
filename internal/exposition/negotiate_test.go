package exposition

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestFormatIsNegotiated(t *testing.T) {
	const (
		plain  = "text/plain; version=0.0.4; charset=utf-8; escaping="
		open   = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
		open0  = "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping="
		binary = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping="
	)
	for accept, want := range map[string]string{
		"":    plain + "underscores",
		"*/*": plain + "underscores",
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": plain + "underscores",
		"text/plain;version=0.0.4": plain + "underscores",
		"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1":                                                                               open + "underscores",
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1": open + "allow-utf-8",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1":     binary + "underscores",
		"application/openmetrics-text":             open0 + "underscores",
		"text/plain;escaping=dots":                 plain + "dots",
		"text/plain;version=0.0.4;escaping=values": plain + "values",
		"text/plain;escaping=nonsense":             plain + "underscores",
		"image/png":                                plain + "underscores",
		// What is refused is not served, whatever stands beside it.
		"application/openmetrics-text;q=0":                                                                 plain + "underscores",
		"application/openmetrics-text;version=1.0.0;q=0, text/plain;version=0.0.4;q=0.1":                   plain + "underscores",
		"application/openmetrics-text;version=1.0.0; q=0.000 , application/openmetrics-text;version=0.0.1": open0 + "underscores",
		"text/plain;q=0, */*":    open + "underscores",
		"text/*;q=0, */*;q=0.1":  open + "underscores",
		"application/*;q=0, */*": plain + "underscores",
		"text/plain;q=0":         plain + "underscores", // There is no better answer.
		"*/*;q=0":                plain + "underscores",
		"application/*":          open + "underscores",
		// What is preferred is, in whatever order it stands.
		"*/*;q=0.9, application/openmetrics-text;version=1.0.0;q=0.1":                               plain + "underscores",
		"application/openmetrics-text;version=1.0.0;q=0.1, */*;q=0.9":                               plain + "underscores",
		"text/plain;q=0.2, application/openmetrics-text;version=1.0.0;q=0.3":                        open + "underscores",
		"text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0":                      plain + "underscores",
		"application/openmetrics-text;version=1.0.0, text/plain;version=0.0.4":                      open + "underscores",
		"*/*, application/openmetrics-text;version=1.0.0":                                           open + "underscores",
		"Application/OpenMetrics-Text;Version=1.0.0":                                                open + "underscores",
		"application/openmetrics-text;version=1.0.0;q=2, text/plain;q=0.1":                          plain + "underscores",
		"application/openmetrics-text;version=1.0.0;q=nan, text/plain;q=0.1":                        plain + "underscores",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text":     plain + "underscores",
		"application/vnd.google.protobuf, application/openmetrics-text;version=9, text/plain;q=0.1": plain + "underscores",
		";;;,,,q=;\x00": plain + "underscores",
	} {
		response, body := get(t, twoAccounts(t), "/metrics", accept, "")
		if got := response.Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q: Content-Type %q, want %q", accept, got, want)
		}
		if len(body) == 0 {
			t.Errorf("Accept %q: nothing is served", accept)
		}
		if got := response.Header.Get("Vary"); got != "Accept, Accept-Encoding" {
			t.Errorf("Accept %q: Vary %q", accept, got)
		}
	}
	several := http.Header{"Accept": {"text/plain;q=0.3", "application/openmetrics-text;version=1.0.0"}}
	if got, _ := negotiateFormat(several); got != open+"underscores" {
		t.Errorf("two lines of Accept: %q, want OpenMetrics", got)
	}
}

func TestEncodingIsNegotiated(t *testing.T) {
	for accept, want := range map[string]encoding{
		"":                              identity,
		"identity":                      identity,
		"gzip":                          gzipped,
		"GZIP":                          gzipped,
		"x-gzip":                        gzipped,
		"zstd":                          zstandard,
		"deflate, gzip, br, zstd":       gzipped,
		"zstd,gzip":                     gzipped,
		"gzip;q=0.5, zstd":              zstandard,
		"gzip;q=0.1,zstd;q=0.2":         zstandard,
		"gzip; q=0.5 , identity":        identity,
		"gzip;q=0.5, identity;q=0.5":    gzipped,
		"gzip;q=0":                      identity,
		"gzip;q=0, zstd;q=0.001":        zstandard,
		"*":                             gzipped,
		"*;q=0":                         identity,
		"gzip;q=0, *":                   zstandard,
		"gzip;q=0.2, *;q=0.1":           gzipped,
		"identity;q=0, *;q=0":           identity,
		"br":                            identity,
		"gzip;q=nan":                    identity,
		"gzip;q=inf":                    identity,
		"gzip;q=-1":                     identity,
		"gzip;q=2":                      identity,
		"gzip;q=":                       identity,
		"gzip;level=9":                  identity,
		"gzip;;q=1,,,;=,\x00\xff, zstd": zstandard,
	} {
		if got := negotiateEncoding(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("Accept-Encoding %q: got %d, want %d", accept, got, want)
		}
	}
	if got := negotiateEncoding(http.Header{"Accept-Encoding": {"identity;q=0.1", "zstd;q=0.3"}}); got != zstandard {
		t.Errorf("two lines: got %d, want %d", got, zstandard)
	}
}

// FuzzRequest sends whatever a client may send.
func FuzzRequest(f *testing.F) {
	f.Add("text/plain", "gzip", "account=main")
	f.Add("*/*;q=0.1", "zstd;q=0.1,*;q=0", "shard=1&shards=2")
	f.Add("application/openmetrics-text", "identity", "%zz")
	set := newSet()
	mustPublish(f, set, "main", "cloud_pbx", newFleet("main", 3))
	empty := prometheus.NewRegistry()
	f.Fuzz(func(t *testing.T, accept, encoding, query string) {
		r := request("text", "")
		r.URL.RawQuery = query
		r.Header = http.Header{"Accept": {accept}, "Accept-Encoding": {encoding}}
		response, body := record(set, r)
		switch response.StatusCode {
		case http.StatusOK:
			plain := decompress(t, response.Header.Get("Content-Encoding"), body)
			if strings.Contains(response.Header.Get("Content-Type"), "openmetrics") && !strings.HasSuffix(plain, encoded(t, empty, "openmetrics")) {
				t.Errorf("OpenMetrics without its end: %q", plain)
			}
		case http.StatusBadRequest, http.StatusNotFound:
			if len(body) == 0 {
				t.Errorf("status %d without a word", response.StatusCode)
			}
		default:
			t.Errorf("status %d", response.StatusCode)
		}
	})
}
