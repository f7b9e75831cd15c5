package exposition

import (
	"bufio"
	"bytes"
	"io"
)

// A segment is the compressed samples of one family of one snapshot: a part, and what it takes to join it to others.
// One without samples is the zero value.
type segment struct {
	checksum        // of the samples before compression
	shift    uint32 // what the CRC of all before the segment is multiplied with
	bytes    []byte
}

// A segmentWriter makes segments, and it joins them with what a scrape has of its own.
type segmentWriter struct {
	compressor compressor
	written    checksum // of what was written since the compressor was reset
	renderer   *renderer
	compressed bytes.Buffer  // the segment that is being made
	out        *bufio.Writer // the response to the scrape
}

func newSegmentWriter(c compressor) *segmentWriter {
	return &segmentWriter{compressor: c, renderer: newRenderer(), out: bufio.NewWriterSize(io.Discard, bufferSize)}
}

// Write compresses b.
func (sw *segmentWriter) Write(b []byte) (int, error) {
	sw.written.add(b)
	return sw.compressor.Write(b)
}

// segment makes the segment of family i of a snapshot. Writing to memory does not fail, so neither does this.
func (sw *segmentWriter) segment(s *snapshot, i int, k key) segment {
	sw.compressed.Reset()
	sw.compressor.Reset(&sw.compressed)
	sw.written = checksum{}

	sw.renderer.start(sw, k.format)
	sw.renderer.family(s.families[i])
	sw.renderer.each(s, i, k.shard)
	sw.renderer.flush()
	if sw.written.size == 0 {
		return segment{}
	}
	_ = sw.compressor.finish()
	return segment{checksum: sw.written, shift: shift(sw.written.size), bytes: bytes.Clone(sw.compressed.Bytes())}
}

// release lets go of what it wrote to, for the time it lies idle.
func (sw *segmentWriter) release() {
	sw.out.Reset(io.Discard)
	sw.compressor.Reset(sw.out)
	sw.renderer.release()
}
