package exposition

import "io"

// write writes the published families, then tail. It tells the length before the first byte, if it knows it.
func (s *scrape) write(w io.Writer, tail []byte, length func(int64)) error {
	sw := s.codec.take()
	defer s.codec.give(sw)
	s.prepare()
	if s.encoding == identity {
		return s.render(w, sw.renderer, tail, length)
	}
	return s.join(w, sw, tail)
}

// prepare gets the segments of each snapshot that keeps them, and waits if they are being made.
func (s *scrape) prepare() {
	s.kept = make([][]segment, len(s.published))
	for n, p := range s.published {
		if s.serves(p) {
			s.kept[n] = p.variant(s.key, s.now)
		}
	}
}

// segment returns one family of one snapshot: kept, or else made for this scrape alone.
func (s *scrape) segment(m member) segment {
	p := s.published[m.published]
	switch {
	case !s.serves(p):
		return segment{}
	case s.kept[m.published] != nil:
		return s.kept[m.published][m.family]
	}
	maker := s.codec.take()
	defer s.codec.give(maker)
	return maker.segment(p.snapshot, m.family, s.key)
}

// render renders the scrape straight from the sources, so that the text of the fleet is never held. What is kept is
// its length: a message of protobuf begins with it, and net/http allocates for each piece of a response without one.
func (s *scrape) render(w io.Writer, r *renderer, tail []byte, length func(int64)) error {
	var head []byte
	bodies, total := make([]int64, len(s.groups)), int64(len(tail))
	for i, g := range s.groups {
		for _, m := range g.members {
			bodies[i] += s.segment(m).size
		}
		if bodies[i] > 0 {
			head = appendHead(head[:0], s.format, g.Family, bodies[i])
			total += int64(len(head)) + bodies[i]
		}
	}
	length(total)
	r.start(w, s.format, bufferSize)
	for i, g := range s.groups {
		if bodies[i] == 0 {
			continue
		}
		r.buf = appendHead(r.buf, s.format, g.Family, bodies[i])
		r.family(g.Family)
		for _, m := range g.members {
			if p := s.published[m.published]; s.serves(p) {
				r.each(p.snapshot, m.family, s.shard)
			}
		}
	}
	r.buf = append(r.buf, tail...)
	r.flush()
	return r.err
}

// join joins the scrape from the segments of the snapshots, and what sw compresses of it now.
func (s *scrape) join(w io.Writer, sw *segmentWriter, tail []byte) error {
	sw.out.Reset(w)
	_, _ = sw.out.Write(s.codec.begin) // An error stays with out, until Flush tells.
	var (
		total        checksum
		segments     []segment
		head, stored []byte
	)
	for _, g := range s.groups {
		var body int64
		segments = segments[:0]
		for _, m := range g.members {
			if part := s.segment(m); part.size > 0 {
				segments = append(segments, part)
				body += part.size
			}
		}
		if body == 0 {
			continue
		}
		head = appendHead(head[:0], s.format, g.Family, body)
		total.add(head)
		stored = s.codec.stored(stored[:0], head)
		if _, err := sw.out.Write(stored); err != nil {
			return err
		}
		for _, part := range segments {
			total.join(part.checksum, part.shift)
			_, _ = sw.out.Write(part.bytes)
		}
	}
	if len(tail) > 0 {
		total.add(tail)
		sw.compressor.Reset(sw.out)
		_, _ = sw.compressor.Write(tail)
		_ = sw.compressor.finish()
	}
	_, _ = sw.out.Write(s.codec.end(stored[:0], total))
	return sw.out.Flush()
}
