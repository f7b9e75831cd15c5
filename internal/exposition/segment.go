package exposition

import (
	"bytes"
	"hash/maphash"
	"sync"

	"github.com/klauspost/compress/flate"
)

// A segment is the samples of one family of one snapshot, compressed as a part of a gzip member. An uncompressed scrape needs
// only their size. A segment without samples is the zero value.
type segment struct {
	checksum        // of the samples before compression
	digest   uint64 // of the same, to recognise them in the next snapshot
	shift    uint32 // the factor for the CRC of what precedes the segment
	bytes    []byte
}

// A segmentWriter makes segments of what is written to it.
type segmentWriter struct {
	renderer   *renderer
	deflater   *flate.Writer // writes to compressed
	compressed bytes.Buffer
	digest     maphash.Hash
	mode       mode
	made       segment
}

// A mode is what a segmentWriter does with what is written to it.
type mode uint8

const (
	measuring mode = iota // nothing but its size is needed
	comparing             // with the segment before
	compressing
)

var (
	segmentWriters = sync.Pool{New: func() any { return newSegmentWriter() }}
	digestSeed     = maphash.MakeSeed()
)

func newSegmentWriter() *segmentWriter {
	w := &segmentWriter{renderer: newRenderer()}
	w.digest.SetSeed(digestSeed)
	w.deflater, _ = flate.NewWriter(&w.compressed, flateLevel) // It fails for levels that do not exist.
	return w
}

func (w *segmentWriter) release() {
	w.renderer.release()
	w.made = segment{}
	segmentWriters.Put(w)
}

// segment makes the segment of family i of a snapshot. Compression is most of the work, so the segment of the snapshot
// before is kept if it has the same samples.
func (w *segmentWriter) segment(s *snapshot, i int, k key, before segment) segment {
	if !k.gzip {
		return w.render(s, i, k, measuring)
	}
	if before.size > 0 {
		if made := w.render(s, i, k, comparing); made.checksum == before.checksum && made.digest == before.digest {
			return before
		}
	}
	return w.render(s, i, k, compressing)
}

func (w *segmentWriter) render(s *snapshot, i int, k key, m mode) segment {
	w.begin(m)
	w.renderer.start(w, k.format)
	w.renderer.family(s.families[i])
	w.renderer.each(s, i, k.shard)
	w.renderer.flush()
	return w.end()
}

// deflate makes a segment of what belongs to one scrape alone.
func (w *segmentWriter) deflate(p []byte) segment {
	w.begin(compressing)
	_, _ = w.Write(p) // Writing to memory does not fail.
	return w.end()
}

func (w *segmentWriter) begin(m mode) {
	w.mode, w.made = m, segment{}
	w.digest.Reset()
	w.compressed.Reset()
	w.deflater.Reset(&w.compressed)
}

// Write takes the next bytes of a segment.
func (w *segmentWriter) Write(b []byte) (int, error) {
	if w.mode == measuring {
		w.made.size += int64(len(b))
		return len(b), nil
	}
	w.made.add(b)
	_, _ = w.digest.Write(b)
	if w.mode == compressing {
		return w.deflater.Write(b)
	}
	return len(b), nil
}

func (w *segmentWriter) end() segment {
	w.made.digest = w.digest.Sum64()
	if w.mode == compressing && w.made.size > 0 {
		_ = w.deflater.Flush()
		w.made.shift, w.made.bytes = shift(w.made.size), bytes.Clone(w.compressed.Bytes())
	}
	return w.made
}
