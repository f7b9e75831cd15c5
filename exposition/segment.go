package exposition

import (
	"bufio"
	"bytes"
	"hash/maphash"
	"io"
)

// segmentSize is about what one segment has of text. Smaller ones would be found again more often in the next snapshot,
// but compress worse: these cost a twentieth of the bytes.
const segmentSize = 128 << 10

// A segment is a compressed piece of the samples of one family of one snapshot: a part, and what it takes to join it to
// others, and to recognise it in the next snapshot.
type segment struct {
	checksum        // of the samples before compression
	shift    uint32 // what the CRC of all before the segment is multiplied with
	digest   uint64 // of the samples before compression
	bytes    []byte
}

// A segmentWriter makes segments, and it joins them with what a scrape has of its own.
type segmentWriter struct {
	compressor compressor // nil if segments are only measured
	seed       maphash.Seed
	renderer   *renderer
	made       []segment          // of the family that is being rendered
	known      map[uint64]segment // by digest, those of the snapshot before
	compressed bytes.Buffer       // the segment that is being made
	out        *bufio.Writer      // the response to the scrape
}

func newSegmentWriter(c compressor, seed maphash.Seed) *segmentWriter {
	return &segmentWriter{compressor: c, seed: seed, renderer: newRenderer(), out: bufio.NewWriterSize(io.Discard, bufferSize)}
}

// Write makes a segment of b, unless it is known. Most of a fleet is the same from one snapshot to the next, and
// compression is most of the work.
func (sw *segmentWriter) Write(b []byte) (int, error) {
	if sw.compressor == nil {
		sw.made = append(sw.made, segment{checksum: checksum{size: int64(len(b))}})
		return len(b), nil
	}
	s := segment{digest: maphash.Bytes(sw.seed, b)}
	s.add(b)
	if known, ok := sw.known[s.digest]; ok && known.checksum == s.checksum {
		sw.made = append(sw.made, known)
		return len(b), nil
	}
	sw.compressed.Reset()
	sw.compressor.Reset(&sw.compressed)
	_, _ = sw.compressor.Write(b) // Writing to memory does not fail.
	_ = sw.compressor.finish()
	s.shift, s.bytes = shift(s.size), bytes.Clone(sw.compressed.Bytes())
	sw.made = append(sw.made, s)
	return len(b), nil
}

// segments makes the segments of family i of a snapshot, none if it has no samples.
func (sw *segmentWriter) segments(s *snapshot, i int, k key) []segment {
	sw.made = nil
	sw.renderer.start(sw, k.format, segmentSize)
	sw.renderer.family(s.families[i])
	sw.renderer.each(s, i, k.shard)
	sw.renderer.flush()
	return sw.made
}

// release lets go of what it wrote to, for the time it lies idle.
func (sw *segmentWriter) release() {
	sw.out.Reset(io.Discard)
	if sw.compressor != nil {
		sw.compressor.Reset(sw.out)
	}
	sw.renderer.release()
	sw.made, sw.known = nil, nil
}
