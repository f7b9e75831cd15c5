package exposition

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	textType        = "text/plain; version=0.0.4; charset=utf-8; escaping="
	openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
	protobufType    = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping="
)

// Each client gets the format that it prefers, and gzip if it can read it.
func TestClientsGetWhatTheyPrefer(t *testing.T) {
	set := twoAccounts(t)
	for client, c := range map[string]struct{ accept, encoding, wantType, wantEncoding string }{
		"Prometheus 2.40": {
			"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			"gzip", openMetricsType + "underscores", "gzip",
		},
		"Prometheus 2.55": {
			"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			"gzip", openMetricsType + "underscores", "gzip",
		},
		"Prometheus 2.55 with native histograms": {
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			"gzip", protobufType + "underscores", "gzip",
		},
		"Prometheus 3": {
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			"gzip", openMetricsType + "allow-utf-8", "gzip",
		},
		"Prometheus 3 with native histograms": {
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			"gzip", protobufType + "underscores", "gzip",
		},
		"Prometheus 3 with enable_compression: false": {
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			"identity", openMetricsType + "allow-utf-8", "",
		},
		"Prometheus 3 with scrape_protocols: [PrometheusText0.0.4]": {
			"text/plain;version=0.0.4;q=0.6,*/*;q=0.5", "gzip", textType + "underscores", "gzip",
		},
		"Grafana Alloy, which scrapes as Prometheus does, with underscores escaping": {
			"application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			"gzip", openMetricsType + "underscores", "gzip",
		},
		"VictoriaMetrics and vmagent": {"text/plain;version=0.0.4;q=1,*/*;q=0.1", "gzip", textType + "underscores", "gzip"},
		"Telegraf": {
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
			"gzip", protobufType + "underscores", "gzip",
		},
		"Firefox": {
			"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "gzip, deflate, br, zstd", textType + "underscores", "gzip",
		},
		"Chrome": {
			"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
			"gzip, deflate, br, zstd", textType + "underscores", "gzip",
		},
		"curl":              {"*/*", "", textType + "underscores", ""},
		"curl --compressed": {"*/*", "deflate, gzip, br, zstd", textType + "underscores", "gzip"},
		"no header":         {"", "", textType + "underscores", ""},
	} {
		t.Run(client, func(t *testing.T) {
			response, body := get(t, set, "/metrics", c.accept, c.encoding)
			header := response.Header
			if header.Get("Content-Type") != c.wantType || header.Get("Content-Encoding") != c.wantEncoding {
				t.Errorf("got %q encoded as %q, want %q as %q", header.Get("Content-Type"), header.Get("Content-Encoding"), c.wantType, c.wantEncoding)
			}
			if plain := decompress(t, header.Get("Content-Encoding"), body); !strings.Contains(plain, "ycm_cloud_pbx_status") {
				t.Errorf("the fleet is missing: %.200q", plain)
			}
			if got := header.Get("Vary"); got != "Accept, Accept-Encoding" {
				t.Errorf("Vary is %q, so a cache may serve it to others", got)
			}
		})
	}
}

func TestUnknownHeadersGetUncompressedText(t *testing.T) {
	for _, accept := range []string{
		"image/png", "text/plain;version=9", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
		"application/openmetrics-text;version=9", ";;;,,,q=;\x00",
	} {
		if got := negotiateFormat(http.Header{"Accept": {accept}}); string(got) != textType+"underscores" {
			t.Errorf("Accept %q gets %q, want text", accept, got)
		}
	}
	for encoding, want := range map[string]bool{
		"": false, "identity": false, "br": false, "zstd": false, "deflate": false, "gzip;q=0": false, "gzip;q=0.0": false, "gzip;q=x": false, "gzip;q=": false,
		";;q=1,,,;=,\x00\xff": false, "gzip": true, "GZIP": true, "br;q=1.0, gzip;q=0.8": true, "zstd,gzip;q=0.5, *;q=0": true,
	} {
		if got := acceptsGzip(http.Header{"Accept-Encoding": {encoding}}); got != want {
			t.Errorf("Accept-Encoding %q: compressed is %t, want %t", encoding, got, want)
		}
	}
	if !acceptsGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}) {
		t.Error("gzip on a second line of Accept-Encoding is ignored")
	}
}

// FuzzRequest sends arbitrary headers and queries.
func FuzzRequest(f *testing.F) {
	f.Add("text/plain", "gzip", "account=main")
	f.Add("*/*;q=0.1", "gzip;q=0.1,*;q=0", "shard=1&shards=2")
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
				t.Errorf("status %d without an explanation", response.StatusCode)
			}
		default:
			t.Errorf("status %d", response.StatusCode)
		}
	})
}
