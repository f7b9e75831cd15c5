package exposition

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const (
	// maxScrapes is how many scrapes are served at once. One whose client does not read costs less than 100 KiB, because what
	// is large is shared.
	maxScrapes = 200
	// retryAfter is what a client is answered beyond that, in seconds. A place of a client that does not read is free
	// again by then.
	retryAfter = "30"
)

// A scrape is what a client requests of what is published.
type scrape struct {
	*view
	key
	content  expfmt.Format
	account  string              // all accounts if empty
	own      []*dto.MetricFamily // the exporter's own metrics
	now      time.Time
	segments [][]segment // by published snapshot and family; nil where the snapshot is not served
}

// ServeHTTP serves the exposition, or the part of it that ?account=NAME or ?shard=K&shards=N choose.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		header.Set("Retry-After", retryAfter)
		http.Error(w, fmt.Sprintf("%d scrapes are being served already; try again later.", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	sc := s.begin()
	if err := sc.parse(r.URL.RawQuery); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if sc.account != "" && !accountsOf(sc.own)[sc.account] {
		http.Error(w, fmt.Sprintf("There is no account %q.", sc.account), http.StatusNotFound)
		return
	}
	sc.content, sc.format = negotiateFormat(r.Header)
	sc.gzip = acceptsGzip(r.Header)
	tail := sc.tail()
	sc.prepare()

	header.Set("Content-Type", string(sc.content))
	header.Add("Vary", "Accept, Accept-Encoding")
	out := &progressWriter{ResponseWriter: w, control: http.NewResponseController(w), latest: sc.now.Add(longestScrape)}
	var err error
	if sc.gzip {
		header.Set("Content-Encoding", "gzip")
		err = sc.join(out, tail)
	} else {
		length := int64(len(tail))
		for g, head := range sc.families() {
			length += int64(len(head)) + sc.size(g)
		}
		header.Set("Content-Length", strconv.FormatInt(length, 10))
		err = sc.render(out, tail)
	}
	if err != nil {
		level.Debug(s.logger).Log("msg", "Client left during its scrape", "remote", r.RemoteAddr, "err", err)
	}
}

// WriteText writes the whole exposition in text format 0.0.4.
func (s *Set) WriteText(w io.Writer) error {
	sc := s.begin()
	sc.content = expfmt.FmtText
	tail := sc.tail()
	sc.prepare()
	return sc.render(w, tail)
}

// begin begins a scrape. The exporter's own metrics are gathered before the view is taken, so that what they report of a
// poll is never newer than the series beside them.
func (s *Set) begin() *scrape {
	own, err := s.self.Gather()
	if err != nil { // The others are served.
		level.Warn(s.logger).Log("msg", "Failed to gather some of the exporter's own metrics", "err", err)
	}
	return &scrape{view: s.present.Load(), own: own, now: time.Now()}
}

// parse reads the parameters of a scrape. Unknown ones are ignored, because they may be meant for a proxy.
func (s *scrape) parse(rawQuery string) error {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return fmt.Errorf("the query cannot be parsed: %w", err)
	}
	if query.Has("account") {
		s.account = query.Get("account")
		if len(query["account"]) != 1 || s.account == "" {
			return errors.New("account must name one account, or be absent for all of them: ?account=NAME")
		}
	}
	s.shard, err = shardOf(query)
	return err
}

// prepare gets the segments of each snapshot that is served, and waits if they are being made. If a snapshot keeps too many
// variants to add this one, the scrape is not compressed, because then it takes no memory of its own.
func (s *scrape) prepare() {
	s.segments = make([][]segment, len(s.published))
	for n, p := range s.published {
		if p.expired(s.now) || s.account != "" && s.account != p.account {
			continue
		}
		switch s.segments[n] = p.variant(s.key, s.now); {
		case s.segments[n] != nil:
		case s.gzip:
			s.gzip = false
			s.prepare()
			return
		default:
			s.segments[n] = p.render(s.key, nil)
		}
	}
}

// families yields each family that has samples in the scrape, with what precedes these. The bytes are reused.
func (s *scrape) families() iter.Seq2[group, []byte] {
	return func(yield func(group, []byte) bool) {
		var head []byte
		for _, g := range s.groups {
			if size := s.size(g); size > 0 {
				head = appendHead(head[:0], s.format, g.Family, size)
				if !yield(g, head) {
					return
				}
			}
		}
	}
}

// size is that of the samples of a family before compression.
func (s *scrape) size(g group) (size int64) {
	for _, m := range g.members {
		if kept := s.segments[m.published]; kept != nil {
			size += kept[m.family].size
		}
	}
	return size
}

var (
	renderers = sync.Pool{New: func() any { return newRenderer() }}
	writers   = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, pieceSize) }}
)

// render renders the scrape from the sources, so that the text of the fleet is never held.
func (s *scrape) render(w io.Writer, tail []byte) error {
	r := renderers.Get().(*renderer)
	defer func() {
		r.release()
		renderers.Put(r)
	}()
	r.start(w, s.format)
	for g, head := range s.families() {
		r.buf = append(r.buf, head...)
		r.family(g.Family)
		for _, m := range g.members {
			if s.segments[m.published] != nil {
				r.each(s.published[m.published].snapshot, m.family, s.shard)
			}
		}
	}
	if r.flush(); r.err != nil {
		return r.err
	}
	_, err := w.Write(tail)
	return err
}

// join writes the scrape as one gzip member: the segments of the snapshots, and what is compressed for it alone.
func (s *scrape) join(w io.Writer, tail []byte) error {
	// A client that does not read must hold neither the compressor nor the text of the tail.
	compressor := segmentWriters.Get().(*segmentWriter)
	end := compressor.deflate(tail)
	compressor.release()
	out := writers.Get().(*bufio.Writer)
	out.Reset(w)
	defer func() {
		out.Reset(nil)
		writers.Put(out)
	}()
	_, _ = out.Write(gzipHeader()) // An error stays with out until Flush returns it.
	var total checksum
	var stored []byte
	for g, head := range s.families() {
		total.add(head)
		stored = appendStored(stored[:0], head)
		if _, err := out.Write(stored); err != nil {
			return err
		}
		for _, m := range g.members {
			if kept := s.segments[m.published]; kept != nil {
				total.join(kept[m.family])
				_, _ = out.Write(kept[m.family].bytes)
			}
		}
	}
	total.join(end)
	_, _ = out.Write(end.bytes)
	_, _ = out.Write(appendTrailer(nil, total))
	return out.Flush()
}
