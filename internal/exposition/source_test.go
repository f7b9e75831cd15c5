package exposition

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A literal is a source whose samples are listed in a test.
type literal []literalFamily

type literalFamily struct {
	Family
	rows []row
}

type row struct {
	labels []string
	value  float64
}

func (s literal) Families() []Family {
	var families []Family
	for _, p := range s {
		families = append(families, p.Family)
	}
	return families
}

// Each distributes its rows over the shards in turn.
func (s literal) Each(i int, shard Shard, emit func([]string, float64)) {
	reused := make([]string, len(s[i].Labels), 20)
	for n, r := range s[i].rows {
		if n%max(1, shard.Count) == shard.Index {
			reused = append(reused[:0], r.labels...)
			emit(reused, r.value)
		}
	}
}

// one is a source with one sample.
func one(name, account string, value float64) literal {
	return literal{{Family{name, "Help.", []string{"account"}}, []row{{[]string{account}, value}}}}
}

func mustPublish(t testing.TB, set *Set, account, collector string, src Source) {
	t.Helper()
	if err := set.Publish(account, collector, src, far()); err != nil {
		t.Fatalf("publishing %s of %s: %v", collector, account, err)
	}
}

// newSet returns a set without metrics of its own.
func newSet() *Set { return NewSet(prometheus.NewRegistry(), log.NewNopLogger()) }

// get scrapes and returns the body as it came, with the response.
func get(t testing.TB, handler http.Handler, target, accept, encoding string) (*http.Response, []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	return record(handler, r)
}

func record(handler http.Handler, r *http.Request) (*http.Response, []byte) {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result(), w.Body.Bytes()
}

// scrapeOf scrapes, checks the response and returns what the client gets after decompression.
func scrapeOf(t testing.TB, handler http.Handler, target, format, encoding string) string {
	t.Helper()
	response, body := get(t, handler, target, accepts[format], encoding)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", target, response.StatusCode, body)
	}
	if encoding == "identity" {
		encoding = ""
	}
	if got := response.Header.Get("Content-Encoding"); got != encoding {
		t.Fatalf("GET %s: Content-Encoding is %q, want %q", target, got, encoding)
	}
	return decompress(t, encoding, body)
}

func decompress(t testing.TB, encoding string, body []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	if encoding == "gzip" {
		member, err := gzip.NewReader(r)
		if err != nil {
			t.Fatalf("reading gzip: %v", err)
		}
		member.Multistream(false) // What follows the first member is not read.
		r = member
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("decompressing %q: %v", encoding, err)
	}
	return string(plain)
}

// registryOf is what exporters usually have: a registry that makes metrics of the sources.
func registryOf(t testing.TB, sources ...Source) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	for _, src := range sources {
		if err := registry.Register(collectorOf(src)); err != nil {
			t.Fatalf("registering a source: %v", err)
		}
	}
	return registry
}

// encoded is what expfmt makes of what a registry gathers.
func encoded(t testing.TB, from prometheus.Gatherer, format string) string {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatalf("gathering: %v", err)
	}
	var out bytes.Buffer
	content := negotiateFormat(http.Header{"Accept": {accepts[format]}})
	encoder := expfmt.NewEncoder(&out, content)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			t.Fatalf("encoding: %v", err)
		}
	}
	if err := encoder.(expfmt.Closer).Close(); err != nil {
		t.Fatalf("encoding: %v", err)
	}
	return out.String()
}

// firstDifference shows where two texts part, as they may be large.
func firstDifference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	from := max(0, strings.LastIndexByte(got[:i], '\n'))
	around := func(s string) string { return s[from:min(len(s), i+120)] }
	return "\ngot  …" + quote(around(got)) + "\nwant …" + quote(around(want))
}

func quote(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\n", "\\n\n      ")
}

// names are those of the families of a text exposition, in their order.
func names(exposition string) []string {
	var names []string
	for line := range strings.Lines(exposition) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	return slices.Clip(names)
}

// far is a time at which a snapshot may well expire.
func far() time.Time { return time.Now().Add(time.Hour) }
