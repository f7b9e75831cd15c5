package exposition

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
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
	groups  []group
	length  int64 // of the groups before compression
}

// A group is a family with the snapshots that have samples of it, sorted by account, and so are the samples.
type group struct {
	head  []byte // what precedes the samples
	parts []part
}

// A part is a family of a snapshot.
type part struct {
	snapshot *snapshot
	index    int // of the family in the snapshot
	family   *Family
	segment  *segment
}

// ServeHTTP serves the exposition, or the part of it that ?account=NAME or ?shard=K&shards=N choose.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		header.Set("Retry-After", retryAfter)
		http.Error(w, fmt.Sprintf("%d scrapes are in progress; retry later.", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	sc, err := parse(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sc.content = negotiateFormat(r.Header)
	sc.format = sc.content.FormatType()
	if err := s.begin(sc); err != nil {
		header.Set("Retry-After", retryAfter)
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if sc.account != "" && !accountsOf(sc.own)[sc.account] {
		http.Error(w, fmt.Sprintf("Unknown account %q.", sc.account), http.StatusNotFound)
		return
	}
	header.Set("Content-Type", string(sc.content))
	header.Add("Vary", "Accept, Accept-Encoding")
	tail, write := sc.tail(), sc.join
	if acceptsGzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
	} else {
		write = sc.render
		header.Set("Content-Length", strconv.FormatInt(sc.length+int64(len(tail)), 10)) // Chunks would take a fourth more CPU.
	}
	if err := write(&progressWriter{w, http.NewResponseController(w)}, tail); err != nil {
		level.Debug(s.logger).Log("msg", "Client closed connection during scrape", "remote", r.RemoteAddr, "err", err)
	}
}

// WriteText writes the whole exposition in text format 0.0.4.
func (s *Set) WriteText(w io.Writer) error {
	sc := &scrape{content: expfmt.FmtText, key: key{format: text}}
	if err := s.begin(sc); err != nil {
		return err
	}
	return sc.render(w, sc.tail())
}

// begin takes what is served. The exporter's own metrics are gathered before the snapshots are taken, so that what they report
// of a poll is never newer than the series beside them.
func (s *Set) begin(sc *scrape) (err error) {
	if sc.own, err = s.self.Gather(); err != nil { // The others are served.
		level.Warn(s.logger).Log("msg", "Failed to gather exporter metrics", "err", err)
	}
	now := time.Now()
	s.mu.Lock()
	maps.DeleteFunc(s.snapshots, func(_ owner, p *snapshot) bool { return !now.Before(p.expires) })
	snapshots := slices.Collect(maps.Values(s.snapshots))
	s.mu.Unlock()
	var parts []part
	for _, p := range snapshots {
		if sc.account != "" && sc.account != p.account {
			continue
		}
		segments := p.segments(sc.key, now)
		if segments == nil {
			return fmt.Errorf("too many formats and shards were requested within %v; use the format and the shards of the other clients, or retry later", forgetAfter)
		}
		for i := range segments {
			if segments[i].size > 0 {
				parts = append(parts, part{p, i, &p.families[i], &segments[i]})
			}
		}
	}
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(strings.Compare(a.family.Name, b.family.Name), strings.Compare(a.snapshot.account, b.snapshot.account))
	})
	for len(parts) > 0 {
		n, size := 0, int64(0)
		for ; n < len(parts) && parts[n].family.Name == parts[0].family.Name; n++ {
			size += parts[n].segment.size
		}
		head := appendHead(make([]byte, 0, 512), sc.format, *parts[0].family, size)
		sc.groups = append(sc.groups, group{head, parts[:n]})
		sc.length += int64(len(head)) + size
		parts = parts[n:]
	}
	return nil
}

var renderers = sync.Pool{New: func() any { return new(renderer) }}

// render renders the scrape from the sources, so that the text of the fleet is never held.
func (s *scrape) render(w io.Writer, tail []byte) error {
	r := renderers.Get().(*renderer)
	r.start(w, s.format)
	for _, g := range s.groups {
		r.buf = append(r.buf, g.head...)
		r.family(*g.parts[0].family)
		for _, p := range g.parts {
			r.each(p.snapshot, p.index, s.shard)
		}
	}
	r.flush()
	err := r.err
	renderers.Put(r)
	if err == nil {
		_, err = w.Write(tail)
	}
	return err
}

// join writes the scrape as one gzip member: the segments of the snapshots, and what is compressed for it alone.
func (s *scrape) join(w io.Writer, tail []byte) error {
	// A client that does not read must hold neither the compressor nor the text of the tail.
	compressor := segmentWriters.Get().(*segmentWriter)
	end := compressor.segment(segment{}, func(out io.Writer) { _, _ = out.Write(tail) })
	segmentWriters.Put(compressor)
	out := bufio.NewWriterSize(w, 4<<10) // Segments that are larger are not copied.
	_, _ = out.WriteString(gzipHeader)   // An error stays with out until Flush returns it.
	var total checksum
	for _, g := range s.groups {
		total.add(g.head)
		_, _ = out.Write(appendStored(nil, g.head))
		for _, p := range g.parts {
			total.join(*p.segment)
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

// negotiateFormat chooses by the Accept header. A client that accepts none of the formats gets text.
func negotiateFormat(h http.Header) expfmt.Format {
	return expfmt.NegotiateAccept(h, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtProtoDelim, expfmt.FmtText)
}

// acceptsGzip reports whether the Accept-Encoding header names gzip and does not refuse it with a weight of 0.
func acceptsGzip(h http.Header) bool {
	for element := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		coding, parameters, err := mime.ParseMediaType(element)
		if err != nil || coding != "gzip" {
			continue
		}
		weight, given := parameters["q"]
		q, err := strconv.ParseFloat(weight, 64)
		return !given || err == nil && q > 0
	}
	return false
}
