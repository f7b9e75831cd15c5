package exposition

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const (
	// maxScrapes is how many scrapes are served at once.
	maxScrapes = 40
	// retryAfter is what a client is told who finds no place, in seconds. One that is held by a client who does not read
	// is free again by then.
	retryAfter = "30"
)

// A scrape is what a client wants of what there is.
type scrape struct {
	*view
	key
	content expfmt.Format
	codec   *codec
	account string              // all accounts if empty
	own     []*dto.MetricFamily // the exporter's own metrics
	now     time.Time
	kept    [][]segment // by what is published and by family; nil where none are kept
}

// serves reports whether a snapshot is part of the scrape.
func (s *scrape) serves(p *published) bool {
	return !p.expired(s.now) && (s.account == "" || s.account == p.account)
}

// ServeHTTP serves the exposition, whole or the part that ?account=NAME or ?shard=K&shards=N choose.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Metrics are read with GET or HEAD.", http.StatusMethodNotAllowed)
		return
	}
	out := newProgressWriter(w, time.Now())
	out.extend()
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		w.Header().Set("Retry-After", retryAfter)
		http.Error(w, fmt.Sprintf("%d scrapes are being served already; try again later.", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	sc := s.begin()
	if slices.ContainsFunc(sc.published, func(p *published) bool { return p.expired(sc.now) }) {
		s.Retain(func(string, string) bool { return true })
	}
	if err := sc.parse(r.URL.RawQuery); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sc.content, sc.format = negotiateFormat(r.Header)
	sc.encoding = negotiateEncoding(r.Header)
	sc.codec = s.codecs[sc.encoding]

	if sc.account != "" && !sc.knows() {
		http.Error(w, fmt.Sprintf("There is no account %q.", sc.account), http.StatusNotFound)
		return
	}
	header := w.Header()
	header.Set("Content-Type", string(sc.content))
	header.Add("Vary", "Accept, Accept-Encoding")
	if sc.codec.name != "" {
		header.Set("Content-Encoding", sc.codec.name)
	}
	if r.Method == http.MethodHead {
		return
	}

	length := func(n int64) { header.Set("Content-Length", strconv.FormatInt(n, 10)) }
	if err := sc.write(out, s.tail(sc), length); err != nil {
		level.Debug(s.logger).Log("msg", "Client went away during its scrape", "remote", r.RemoteAddr, "err", err)
	}
}

// WriteText writes the whole exposition in text format 0.0.4.
func (s *Set) WriteText(w io.Writer) error {
	sc := s.begin()
	sc.content, sc.codec = expfmt.FmtText, s.codecs[identity]
	return sc.write(w, s.tail(sc), func(int64) {})
}

// begin begins a scrape. The exporter's own metrics are gathered before the view is taken, so that what they tell of a
// poll is never newer than the series beside them.
func (s *Set) begin() *scrape {
	own := s.gather()
	return &scrape{view: s.present.Load(), own: own, now: time.Now()}
}

// parse reads the parameters of a scrape. Those it does not know may be meant for others.
func (s *scrape) parse(rawQuery string) error {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return fmt.Errorf("the query cannot be read: %w", err)
	}
	if query.Has("account") {
		s.account = query.Get("account")
		if len(query["account"]) != 1 || s.account == "" {
			return fmt.Errorf("account names one account, or is left out for all of them: ?account=NAME")
		}
	}
	s.shard, err = shardOf(query)
	return err
}
