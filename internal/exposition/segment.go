package exposition

import (
	"bytes"
	"hash/maphash"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// A segment is a text, such as the samples of one family of one snapshot, compressed as a part of a gzip member. A scrape
// that is not compressed needs only its size. A segment without text is the zero value.
type segment struct {
	checksum        // of the text before compression
	digest   uint64 // of the same, to recognise it in the next snapshot
	shift    uint32 // the factor for the CRC of what precedes the segment
	bytes    []byte
}

// A segmentWriter makes segments. It sums up the text that is written to it.
type segmentWriter struct {
	renderer   renderer
	sum        checksum
	digest     maphash.Hash
	deflater   *flate.Writer // writes to compressed
	compressed bytes.Buffer
}

var digestSeed = maphash.MakeSeed()

var segmentWriters = sync.Pool{New: func() any {
	w := new(segmentWriter)
	w.digest.SetSeed(digestSeed)
	w.deflater, _ = flate.NewWriter(&w.compressed, flateLevel) // It fails for levels that do not exist.
	return w
}}

func (w *segmentWriter) Write(b []byte) (int, error) {
	w.sum.add(b)
	return w.digest.Write(b)
}

// segment makes a segment of what write writes. Compression is most of the work, so before, the segment of the snapshot
// before, is returned if it is of the same text.
func (w *segmentWriter) segment(before segment, write func(io.Writer)) segment {
	w.sum = checksum{}
	w.digest.Reset()
	write(w)
	digest := w.digest.Sum64()
	switch {
	case w.sum.size == 0:
		return segment{}
	case w.sum == before.checksum && digest == before.digest:
		return before
	}
	w.compressed.Reset()
	w.deflater.Reset(&w.compressed)
	write(w.deflater)
	_ = w.deflater.Flush() // Writing to memory does not fail.
	return segment{checksum: w.sum, digest: digest, shift: shift(w.sum.size), bytes: bytes.Clone(w.compressed.Bytes())}
}
