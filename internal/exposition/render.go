package exposition

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
)

// A format is how samples are written. Both versions of OpenMetrics are written alike.
type format = expfmt.FormatType

const (
	text        = expfmt.TypeTextPlain
	openMetrics = expfmt.TypeOpenMetrics
	protobuf    = expfmt.TypeProtoDelim
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

// appendNumber writes a sample's value as expfmt does: like strconv's 'g', with ".0" in OpenMetrics where the number
// would look like an integer.
func appendNumber(dst []byte, v float64, f format) []byte {
	// Nearly every value is a whole number. Below 2^53 its shortest digits are those of the integer.
	if n := int64(v); float64(n) == v && n > -1e15 && n < 1e15 {
		if n <= -1e6 || n >= 1e6 {
			return appendExponent(dst, n)
		}
		if n >= 0 && n < 10 {
			dst = append(dst, byte('0'+n))
		} else {
			dst = strconv.AppendInt(dst, n, 10)
		}
		if f == openMetrics {
			dst = append(dst, '.', '0')
		}
		return dst
	}
	switch {
	case math.IsInf(v, +1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// appendExponent writes an integer of at least seven digits as 'g' does: 1.7637984e+09.
func appendExponent(dst []byte, n int64) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	first := len(dst)
	dst = strconv.AppendInt(dst, n, 10)
	exponent := len(dst) - first - 1
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) > first+1 {
		dst = append(dst, 0)
		copy(dst[first+2:], dst[first+1:])
		dst[first+1] = '.'
	}
	return append(dst, 'e', '+', byte('0'+exponent/10), byte('0'+exponent%10))
}

// needsEscaping reports whether a label value cannot be written as it is in the text formats. Few cannot, so this is found
// out once per snapshot.
func needsEscaping(v string) bool { return strings.ContainsAny(v, "\\\n\"") }

// appendEscaped writes a label value or a help as the text formats require it.
func appendEscaped(dst []byte, s string, quotes bool) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\\', c == '"' && quotes:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
