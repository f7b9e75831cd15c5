package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// format is a way to be scraped.
type format struct{ accept, encoding string }

// formats are all that the exporter negotiates, in all its encodings.
func formats() (all []format) {
	for _, accept := range []string{
		"text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			all = append(all, format{accept, encoding})
		}
	}
	return all
}

// answer is what the exporter answered.
type answer struct {
	status      int
	contentType string
	body        []byte
}

// request sends a request on a connection of its own, so that none stays open.
func (e *exporter) request(method, path string, header http.Header) (answer, error) {
	ctx, cancel := context.WithTimeout(e.life, mayAnswer)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, e.url+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	request.Close = true
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := (&http.Transport{DisableCompression: true}).RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	var body io.Reader = response.Body
	if response.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return answer{}, err
		}
	}
	content, err := io.ReadAll(body)
	return answer{response.StatusCode, response.Header.Get("Content-Type"), content}, err
}

// sample is a value that is served.
type sample struct {
	family string
	labels map[string]string
	value  float64
}

// parse reads an exposition strictly: each family once, each sample once.
func parse(a answer) ([]sample, error) {
	families, err := decode(a)
	if err != nil {
		return nil, err
	}
	var samples []sample
	for _, f := range families {
		known := map[string]bool{}
		for _, m := range f.Metric {
			s := sample{family: f.GetName(), labels: map[string]string{}}
			var key strings.Builder
			for _, l := range m.Label {
				s.labels[l.GetName()] = l.GetValue()
				fmt.Fprintf(&key, "%q=%q,", l.GetName(), l.GetValue())
			}
			if known[key.String()] {
				return nil, fmt.Errorf("%s{%s} comes twice", s.family, key.String())
			}
			known[key.String()] = true
			switch {
			case m.Gauge != nil:
				s.value = m.Gauge.GetValue()
			case m.Counter != nil:
				s.value = m.Counter.GetValue()
			case m.Untyped != nil:
				s.value = m.Untyped.GetValue()
			}
			samples = append(samples, s)
		}
	}
	return samples, nil
}

func decode(a answer) (all []*dto.MetricFamily, err error) {
	if strings.HasPrefix(a.contentType, "application/vnd.google.protobuf") {
		known := map[string]bool{}
		decoder := expfmt.NewDecoder(bytes.NewReader(a.body), expfmt.NewFormat(expfmt.TypeProtoDelim))
		for {
			f := &dto.MetricFamily{}
			err := decoder.Decode(f)
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
			if known[f.GetName()] {
				return nil, fmt.Errorf("family %s comes twice", f.GetName())
			}
			known[f.GetName()] = true
			all = append(all, f)
		}
	}
	if strings.HasPrefix(a.contentType, "application/openmetrics-text") {
		if !bytes.HasSuffix(a.body, []byte("\n# EOF\n")) || bytes.Count(a.body, []byte("# EOF")) != 1 {
			return nil, errors.New("it does not end with the one # EOF")
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		all = append(all, f)
	}
	return all, nil
}

// hang connects, requests the largest page there is and reads nothing of it, or does not even complete the request.
func (e *exporter) hang(ctx context.Context, complete bool) {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		return // It is about to be started.
	}
	defer func() { _ = conn.Close() }() // Nothing is expected of it.
	request := "GET /metrics HTTP/1.1\r\nHost: exporter\r\n"
	if complete {
		request += "\r\n"
	}
	_, _ = io.WriteString(conn, request) // It may have ended.
	<-ctx.Done()
}
