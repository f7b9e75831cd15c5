package exposition

import (
	"bufio"
	"bytes"
	"hash/maphash"
	"io"
)

// pieceSize is about what one piece of a segment has of text. Smaller ones would be found again more often in the next
// snapshot, but compress worse: these cost a twentieth of the bytes.
const pieceSize = 128 << 10

// A segment is the compressed samples of one family of one snapshot: a part, and what it takes to join it to others.
// One without samples is the zero value.
type segment struct {
	checksum        // of the samples before compression
	shift    uint32 // what the CRC of all before the segment is multiplied with
	bytes    []byte
	pieces   []piece
}

// A piece of a segment is a part too, of the samples of some PBXs. It is recognised in the next snapshot, if these are
// as they were.
type piece struct {
	checksum        // of the samples before compression
	digest   uint64 // of the same
	bytes    []byte // of those of the segment
}

// A segmentWriter makes segments, and it joins them with what a scrape has of its own.
type segmentWriter struct {
	compressor compressor // nil if segments are only measured
	seed       maphash.Seed
	renderer   *renderer
	known      map[uint64]piece // by digest, those of the snapshot before
	made       segment          // that is being made
	compressed bytes.Buffer     // its bytes
	out        *bufio.Writer    // the response to the scrape
}

func newSegmentWriter(c compressor, seed maphash.Seed) *segmentWriter {
	return &segmentWriter{compressor: c, seed: seed, renderer: newRenderer(), out: bufio.NewWriterSize(io.Discard, bufferSize)}
}

// Write makes a piece of b, unless it is known. Most of a fleet is the same from one snapshot to the next, and
// compression is most of the work. Writing to memory does not fail.
func (sw *segmentWriter) Write(b []byte) (int, error) {
	if sw.compressor == nil {
		sw.made.size += int64(len(b))
		return len(b), nil
	}
	p := piece{digest: maphash.Bytes(sw.seed, b)}
	p.add(b)
	from := sw.compressed.Len()
	if known, ok := sw.known[p.digest]; ok && known.checksum == p.checksum {
		_, _ = sw.compressed.Write(known.bytes)
	} else {
		sw.compressor.Reset(&sw.compressed)
		_, _ = sw.compressor.Write(b)
		_ = sw.compressor.finish()
	}
	p.bytes = sw.compressed.Bytes()[from:] // The length counts, until the segment is whole.
	sw.made.pieces = append(sw.made.pieces, p)
	sw.made.join(p.checksum, shift(p.size))
	return len(b), nil
}

// segment makes the segment of family i of a snapshot.
func (sw *segmentWriter) segment(s *snapshot, i int, k key) segment {
	sw.made = segment{}
	sw.compressed.Reset()
	sw.renderer.start(sw, k.format, pieceSize)
	sw.renderer.family(s.families[i])
	sw.renderer.each(s, i, k.shard)
	sw.renderer.flush()
	whole := bytes.Clone(sw.compressed.Bytes())
	sw.made.shift, sw.made.bytes = shift(sw.made.size), whole
	for n := range sw.made.pieces {
		p := &sw.made.pieces[n]
		p.bytes, whole = whole[:len(p.bytes):len(p.bytes)], whole[len(p.bytes):]
	}
	return sw.made
}

// release lets go of what it wrote to, for the time it lies idle.
func (sw *segmentWriter) release() {
	sw.out.Reset(io.Discard)
	if sw.compressor != nil {
		sw.compressor.Reset(sw.out)
	}
	sw.renderer.release()
	sw.made, sw.known = segment{}, nil
}
