package exposition

import (
	"bytes"
	"hash/maphash"
	"io"
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

// A segmentWriter makes segments.
type segmentWriter struct {
	renderer   *renderer
	sum        summer
	deflater   *flate.Writer // writes to compressed
	compressed bytes.Buffer
}

// A summer sums up what is written to it.
type summer struct {
	checksum
	digest maphash.Hash
}

func (s *summer) Write(b []byte) (int, error) {
	s.add(b)
	return s.digest.Write(b)
}

var (
	segmentWriters = sync.Pool{New: func() any { return newSegmentWriter() }}
	digestSeed     = maphash.MakeSeed()
)

func newSegmentWriter() *segmentWriter {
	w := &segmentWriter{renderer: newRenderer()}
	w.sum.digest.SetSeed(digestSeed)
	w.deflater, _ = flate.NewWriter(&w.compressed, flateLevel) // It fails for levels that do not exist.
	return w
}

func (w *segmentWriter) release() {
	w.renderer.release()
	segmentWriters.Put(w)
}

// segment makes the segment of family i of a snapshot. Compression is most of the work, so the segment of the snapshot
// before is kept if it has the same samples.
func (w *segmentWriter) segment(s *snapshot, i int, k key, before segment) segment {
	render := func(out io.Writer) {
		w.renderer.start(out, k.format)
		w.renderer.family(s.families[i])
		w.renderer.each(s, i, k.shard)
		w.renderer.flush()
	}
	made := w.summed(render)
	switch {
	case made.size == 0 || !k.gzip:
		return made
	case made.checksum == before.checksum && made.digest == before.digest:
		return before
	default:
		return w.deflated(made, render)
	}
}

// deflate makes a segment of what belongs to one scrape alone.
func (w *segmentWriter) deflate(p []byte) segment {
	write := func(out io.Writer) { _, _ = out.Write(p) } // Writing to memory does not fail.
	return w.deflated(w.summed(write), write)
}

func (w *segmentWriter) summed(write func(io.Writer)) segment {
	w.sum.checksum = checksum{}
	w.sum.digest.Reset()
	write(&w.sum)
	return segment{checksum: w.sum.checksum, digest: w.sum.digest.Sum64()}
}

func (w *segmentWriter) deflated(made segment, write func(io.Writer)) segment {
	w.compressed.Reset()
	w.deflater.Reset(&w.compressed)
	write(w.deflater)
	_ = w.deflater.Flush()
	made.shift, made.bytes = shift(made.size), bytes.Clone(w.compressed.Bytes())
	return made
}
