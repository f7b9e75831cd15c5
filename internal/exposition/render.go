package exposition

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"slices"
)

// A format is how samples are written. Both versions of OpenMetrics are written alike.
type format uint8

const (
	text format = iota
	openMetrics
	protobuf
)

// bufferSize is about what a renderer buffers before it writes.
const bufferSize = 32 << 10

// A renderer turns the samples of families into bytes. It allocates next to nothing once its buffers have grown.
type renderer struct {
	format format
	out    io.Writer
	buf    []byte // what is not written yet
	err    error

	opens     [][]byte                             // what precedes the value of each label
	escaped   sampleSet                            // the samples that need escaping
	index     int                                  // of the sample, in a pass over all of them
	escapeAll bool                                 // some samples need escaping, but which is unknown, because a shard leaves samples out
	values    []string                             // the label values of the sample before
	starts    []int                                // where in line or pairs each of them begins
	line      []byte                               // the text of the sample before, up to its last label; a part of buf, even if that was flushed
	pairs     []byte                               // in protobuf, the labels of the sample before
	emit      func(labels []string, value float64) // sample
}

// start directs the renderer to another exposition.
func (r *renderer) start(out io.Writer, f format) {
	r.out, r.format, r.err, r.buf = out, f, nil, r.buf[:0]
	r.emit = r.sample // A method value is allocated, so not for each family.
}

// family begins a family.
func (r *renderer) family(f Family) {
	r.values = slices.Grow(r.values[:0], len(f.Labels))
	for len(r.opens) < len(f.Labels) {
		r.opens, r.starts = append(r.opens, nil), append(r.starts, 0)
	}
	for k, label := range f.Labels {
		open := r.opens[k][:0]
		switch {
		case r.format == protobuf:
			open = append(appendString(open, 1, label), 2<<3|2)
		case k == 0:
			open = append(append(append(append(open, f.Name...), '{'), label...), `="`...)
		default:
			open = append(append(append(open, `",`...), label...), `="`...)
		}
		r.opens[k] = open
	}
}

// each renders the samples that a snapshot has of its family i, which is the one that began last.
func (r *renderer) each(s *snapshot, i int, shard Shard) {
	if r.err == nil {
		r.escaped, r.index = s.escaped[i], 0
		r.escapeAll = len(r.escaped) > 0 && shard.Count > 1
		s.source.Each(i, shard, r.emit)
	}
}

// sample renders one sample. Neighbours share their first labels as a rule, so these are copied from the one before.
func (r *renderer) sample(labels []string, value float64) {
	if r.err != nil {
		return
	}
	same := 0
	for same < len(r.values) && labels[same] == r.values[same] {
		same++
	}
	if len(r.buf) >= bufferSize {
		r.flush()
	}
	if r.format == protobuf {
		r.buf = r.appendMessage(r.buf, labels, same, value)
	} else {
		r.buf = r.appendLine(r.buf, labels, same, r.escapeAll || r.escaped.has(r.index), value)
	}
	r.index++
	r.values = r.values[:len(labels)]
	copy(r.values[same:], labels[same:])
}

// flush writes what is buffered.
func (r *renderer) flush() {
	if r.err == nil && len(r.buf) > 0 {
		_, r.err = r.out.Write(r.buf)
	}
	r.buf = r.buf[:0]
}

// appendLine writes a sample as text.
func (r *renderer) appendLine(dst []byte, labels []string, same int, escape bool, value float64) []byte {
	begin := len(dst)
	if same > 0 {
		dst = append(dst, r.line[:r.starts[same]]...)
	}
	for k := same; k < len(labels); k++ {
		r.starts[k] = len(dst) - begin
		dst = append(dst, r.opens[k]...)
		if escape {
			dst = appendEscaped(dst, labels[k], true)
		} else {
			dst = append(dst, labels[k]...)
		}
	}
	r.line = dst[begin:]
	return append(appendNumber(append(dst, `"} `...), value, r.format), '\n')
}

// appendMessage writes a sample as a field of a MetricFamily: labels, then a gauge.
func (r *renderer) appendMessage(dst []byte, labels []string, same int, value float64) []byte {
	pairs := r.pairs[:0]
	if same > 0 {
		pairs = r.pairs[:r.starts[same]]
	}
	for k := same; k < len(labels); k++ {
		r.starts[k] = len(pairs)
		label := labels[k]
		size := len(r.opens[k]) + uvarintSize(len(label)) + len(label)
		pairs = binary.AppendUvarint(append(pairs, 1<<3|2), uint64(size))
		pairs = binary.AppendUvarint(append(pairs, r.opens[k]...), uint64(len(label)))
		pairs = append(pairs, label...)
	}
	r.pairs = pairs
	dst = binary.AppendUvarint(append(dst, 4<<3|2), uint64(len(pairs))+11)
	dst = append(append(dst, pairs...), 2<<3|2, 9, 1<<3|1)
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(value))
}

// appendHead writes what precedes the samples of a family. In protobuf that includes the length of the whole
// message, for which body is the size of the samples.
func appendHead(dst []byte, f format, family Family, body int64) []byte {
	if f == protobuf {
		head := appendString(nil, 1, family.Name)
		head = appendString(head, 2, family.Help)
		head = append(head, 3<<3, 1) // MetricType_GAUGE
		return append(binary.AppendUvarint(dst, uint64(len(head))+uint64(body)), head...)
	}
	dst = append(append(append(dst, "# HELP "...), family.Name...), ' ')
	dst = appendEscaped(dst, family.Help, f == openMetrics)
	return append(append(append(dst, "\n# TYPE "...), family.Name...), " gauge\n"...)
}

// appendString writes a string as a field of a protobuf message.
func appendString(dst []byte, number byte, s string) []byte {
	return append(binary.AppendUvarint(append(dst, number<<3|2), uint64(len(s))), s...)
}

func uvarintSize(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }
