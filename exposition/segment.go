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

// A press makes segments, and it joins them with what a scrape has of its own.
type press struct {
	compressor compressor
	pressed    checksum // of what was written since the compressor was reset
	renderer   *renderer
	made       bytes.Buffer  // the segment that is being made
	out        *bufio.Writer // the response to the scrape
}

func newPress(c compressor) *press {
	return &press{compressor: c, renderer: newRenderer(), out: bufio.NewWriterSize(io.Discard, bufferSize)}
}

// Write compresses b.
func (p *press) Write(b []byte) (int, error) {
	p.pressed.add(b)
	return p.compressor.Write(b)
}

// segment makes the segment of family i of a snapshot. Writing to memory does not fail, so neither does this.
func (p *press) segment(s *snapshot, i int, k key) segment {
	p.made.Reset()
	p.compressor.Reset(&p.made)
	p.pressed = checksum{}

	p.renderer.start(p, k.format)
	p.renderer.family(s.families[i])
	p.renderer.each(s, i, k.shard)
	p.renderer.flush()
	if p.pressed.size == 0 {
		return segment{}
	}
	_ = p.compressor.finish()
	return segment{checksum: p.pressed, shift: shift(p.pressed.size), bytes: bytes.Clone(p.made.Bytes())}
}

// release lets go of what the press wrote to, for the time it lies idle.
func (p *press) release() {
	p.out.Reset(io.Discard)
	p.compressor.Reset(p.out)
	p.renderer.release()
}
