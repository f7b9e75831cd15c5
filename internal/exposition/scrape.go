package exposition

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
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
	// retryAfter is in seconds. A place of a client that does not read is free again by then.
	retryAfter = "30"
	// stall is how long a client may take to read a piece of a scrape before it is dropped.
	stall     = 30 * time.Second
	pieceSize = 64 << 10
)

// A scrape is what a client requests of what is published.
type scrape struct {
	key
	account string // all accounts if empty
	content expfmt.Format
	own     []*dto.MetricFamily // the exporter's own metrics
	parts   []part              // sorted by the names of their families and by account, and so are the samples
}

// A part is a family of a snapshot. It has samples.
type part struct {
	snapshot *snapshot
	index    int // of the family in the snapshot
	family   Family
	segment  segment
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
	sc, err := parse(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sc.content, sc.format = negotiateFormat(r.Header)
	if err := s.begin(sc); err != nil {
		header.Set("Retry-After", retryAfter)
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if sc.account != "" && !accountsOf(sc.own)[sc.account] {
		http.Error(w, fmt.Sprintf("There is no account %q.", sc.account), http.StatusNotFound)
		return
	}
	header.Set("Content-Type", string(sc.content))
	header.Add("Vary", "Accept, Accept-Encoding")
	write := sc.render
	if acceptsGzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		write = sc.join
	}
	if err := write(&progressWriter{w, http.NewResponseController(w)}, sc.tail()); err != nil {
		level.Debug(s.logger).Log("msg", "Client left during its scrape", "remote", r.RemoteAddr, "err", err)
	}
}

// WriteText writes the whole exposition in text format 0.0.4.
func (s *Set) WriteText(w io.Writer) error {
	sc := &scrape{content: expfmt.FmtText}
	if err := s.begin(sc); err != nil {
		return err
	}
	return sc.render(w, sc.tail())
}

// begin takes what is served. The exporter's own metrics are gathered before the snapshots are taken, so that what they report
// of a poll is never newer than the series beside them.
func (s *Set) begin(sc *scrape) (err error) {
	if sc.own, err = s.self.Gather(); err != nil { // The others are served.
		level.Warn(s.logger).Log("msg", "Failed to gather some of the exporter's own metrics", "err", err)
	}
	now := time.Now()
	s.mu.Lock()
	maps.DeleteFunc(s.snapshots, func(_ owner, p *snapshot) bool { return !now.Before(p.expires) })
	snapshots := slices.Collect(maps.Values(s.snapshots))
	s.mu.Unlock()
	for _, p := range snapshots {
		if sc.account != "" && sc.account != p.account {
			continue
		}
		segments := p.segments(sc.key, now)
		if segments == nil {
			return fmt.Errorf("too many formats and shards were requested within %v; scrape as other clients do, or later", forgetAfter)
		}
		for i, segment := range segments {
			if segment.size > 0 {
				sc.parts = append(sc.parts, part{p, i, p.families[i], segment})
			}
		}
	}
	slices.SortFunc(sc.parts, func(a, b part) int {
		return cmp.Or(strings.Compare(a.family.Name, b.family.Name), strings.Compare(a.snapshot.account, b.snapshot.account))
	})
	return nil
}

// families yields each family's parts, with what precedes their samples. The bytes are reused.
func (s *scrape) families() iter.Seq2[[]byte, []part] {
	return func(yield func([]byte, []part) bool) {
		var head []byte
		for rest := s.parts; len(rest) > 0; {
			n, size := 0, int64(0)
			for ; n < len(rest) && rest[n].family.Name == rest[0].family.Name; n++ {
				size += rest[n].segment.size
			}
			head = appendHead(head[:0], s.format, rest[0].family, size)
			if !yield(head, rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

var renderers = sync.Pool{New: func() any { return newRenderer() }}

// render renders the scrape from the sources, so that the text of the fleet is never held.
func (s *scrape) render(w io.Writer, tail []byte) error {
	r := renderers.Get().(*renderer)
	defer func() {
		r.release()
		renderers.Put(r)
	}()
	r.start(w, s.format)
	for head, parts := range s.families() {
		r.buf = append(r.buf, head...)
		r.family(parts[0].family)
		for _, p := range parts {
			r.each(p.snapshot, p.index, s.shard)
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
	end := compressor.segment(segment{}, func(out io.Writer) { _, _ = out.Write(tail) })
	segmentWriters.Put(compressor)
	out := bufio.NewWriterSize(w, 16<<10)
	_, _ = out.WriteString(gzipHeader) // An error stays with out until Flush returns it.
	var total checksum
	var stored []byte
	for head, parts := range s.families() {
		total.add(head)
		stored = appendStored(stored[:0], head)
		if _, err := out.Write(stored); err != nil {
			return err
		}
		for _, p := range parts {
			total.join(p.segment)
			_, _ = out.Write(p.segment.bytes)
		}
	}
	total.join(end)
	_, _ = out.Write(end.bytes)
	_, _ = out.Write(appendTrailer(nil, total))
	return out.Flush()
}

// A progressWriter is a response to a client that has to keep reading. The deadline of the last piece stays for what
// net/http sends at the end.
type progressWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *progressWriter) Write(b []byte) (written int, err error) {
	for err == nil && written < len(b) {
		_ = w.control.SetWriteDeadline(time.Now().Add(stall)) // Not all writers have deadlines, such as those of tests.
		n := 0
		n, err = w.ResponseWriter.Write(b[written:min(len(b), written+pieceSize)])
		written += n
	}
	return written, err
}
