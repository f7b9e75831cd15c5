package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/moby/sys/atomicwriter"
)

// Format is the version of what is written. It is raised only when what stands in the files gets another meaning; the
// version before is still read then.
const Format = 1

// Bounds of what is read: a file of 100,000 Cloud PBXs is some 10 MiB, and some 100 MiB when decompressed.
const (
	maxFile         = 256 << 20
	maxDecompressed = 2 << 30
	maxRecord       = 64 << 20 // A catalogue of phones is the largest.
	window          = 1 << 20
)

// ErrDamaged says that a file is not one that this program wrote whole. The file is of no use and can be set aside.
var ErrDamaged = errors.New("damaged, or not written by this exporter")

// header stands at the beginning of each file, before the records.
type header struct {
	Program string `json:"program"`
	Format  int    `json:"format"`
	Name    string `json:"name"`
}

const program = "ycm_exporter"

// Write replaces the file of that name by one with the records that write encodes. The old file stays if anything
// fails, and at every moment one of the two is there whole.
func (f *Folder) Write(name string, write func(*json.Encoder) error) error {
	var file bytes.Buffer
	compressed, err := zstd.NewWriter(&file, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	records := json.NewEncoder(compressed)
	err = records.Encode(header{program, Format, name})
	if err == nil {
		err = write(records)
	}
	if err = errors.Join(err, compressed.Close()); err != nil {
		return fmt.Errorf("encoding %s: %w", f.file(name), err)
	}
	if err := atomicwriter.WriteFile(f.file(name), file.Bytes(), fileMode); err != nil {
		return fmt.Errorf("writing %s: %w", f.file(name), err)
	}
	return nil
}

// Read hands the records of the file of that name to read, which must take all of them, and must use nothing of them
// unless Read returns no error. The error is fs.ErrNotExist if there is no such file, and ErrDamaged if it cannot be
// understood.
func (f *Folder) Read(name string, read func(format int, records *json.Decoder) error) error {
	path := f.file(name)
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return fmt.Errorf("reading %s: no regular file of up to %d MiB: %w", path, maxFile>>20, ErrDamaged)
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	defer file.Close() //nolint:errcheck // It was only read.
	if err := decode(file, name, read); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// decode reads a file's content. Only at its end has the checksum been compared.
func decode(file io.Reader, name string, read func(format int, records *json.Decoder) error) error {
	plain, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8*window))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer plain.Close()
	bounded := &boundedRecords{Reader: io.LimitReader(plain, maxDecompressed)}
	records := json.NewDecoder(bounded)
	bounded.records = records
	var h header
	if err := records.Decode(&h); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	switch {
	case h.Program != program || h.Name != name:
		return fmt.Errorf("%w: it is %q of %q", ErrDamaged, clip(h.Name), clip(h.Program))
	case h.Format < 1 || h.Format > Format:
		return fmt.Errorf("%w: its format is %d, and this exporter reads up to %d", ErrDamaged, h.Format, Format)
	}
	if err := read(h.Format, records); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if _, err := records.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("more follows than was to be read")
		}
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// boundedRecords reads no further than maxRecord beyond the last record: a decoder holds the whole of one, and a few bytes can be
// decompressed to a giant.
type boundedRecords struct {
	io.Reader
	records *json.Decoder
	read    int64
}

// Read implements io.Reader.
func (b *boundedRecords) Read(p []byte) (int, error) {
	if b.read-b.records.InputOffset() > maxRecord {
		return 0, fmt.Errorf("a record is over %d MiB", maxRecord>>20)
	}
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	return n, err
}

// clip shortens what a foreign file says, for an error.
func clip(s string) string { return s[:min(len(s), 64)] }
