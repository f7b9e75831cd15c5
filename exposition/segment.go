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
	pieces   pieces
}

// pieces keeps what is written to it, without room to grow.
type pieces [][]byte

func (p *pieces) Write(b []byte) (int, error) {
	*p = append(*p, bytes.Clone(b))
	return len(b), nil
}

// A press makes segments, or compresses what a scrape has of its own.
type press struct {
	compressor compressor
	out        *bufio.Writer
	renderer   *renderer
	pressed    checksum // of what was written since the compressor was reset
}

func newPress(c compressor) *press {
	return &press{compressor: c, out: bufio.NewWriterSize(io.Discard, bufferSize), renderer: newRenderer()}
}

// Write compresses b.
func (p *press) Write(b []byte) (int, error) {
	p.pressed.add(b)
	return p.compressor.Write(b)
}

// segment makes the segment of family i of a snapshot. Writing to memory does not fail, so neither does this.
func (p *press) segment(s *snapshot, i int, k key) segment {
	var kept pieces
	p.out.Reset(&kept)
	p.compressor.Reset(p.out)
	p.pressed = checksum{}

	p.renderer.start(p, k.format)
	p.renderer.family(s.families[i], nil)
	p.renderer.each(s, i, k.shard)
	p.renderer.flush()
	if p.pressed.size == 0 {
		return segment{}
	}
	_ = p.compressor.finish()
	_ = p.out.Flush()
	return segment{checksum: p.pressed, shift: shift(p.pressed.size), pieces: kept}
}

// release lets go of what the press wrote to, for the time it lies idle.
func (p *press) release() {
	p.out.Reset(io.Discard)
	p.compressor.Reset(p.out)
	p.renderer.release()
}
