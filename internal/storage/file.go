package storage

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// Format is the version of the files. It changes only when their content gets another meaning; the version before is still
// read then.
const Format = 1

// Limits of a file: that of 100,000 Cloud PBXs has some 10 MiB, and some 100 MiB when decompressed.
const (
	maxFile         = 128 << 20
	maxDecompressed = 2 << 30
	maxRecord       = 16 << 20 // The phones of a firmware version are the largest.
)

// header is the first record of each file. Records are JSON, one on each line.
type header struct {
	Program string `json:"program"`
	Format  int    `json:"format"`
	Name    string `json:"name"`
}

// readFile reads up to maxFile bytes; the checksum of a file that was cut off is wrong.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // It was only read.
	return io.ReadAll(io.LimitReader(file, maxFile))
}

// encode returns the content of a file.
func encode(name string, records func(write func(record any) error) error) ([]byte, error) {
	var file bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&file, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	write := json.NewEncoder(compressed).Encode
	if err := cmp.Or(write(header{"ycm_exporter", Format, name}), records(write), compressed.Close()); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

// decode has load read the records of a file, once the checksum is verified. load must read all of them.
func decode(name string, file []byte, load func(next func(record any) error) error) error {
	content, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("file is damaged: %w", err)
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(content, maxDecompressed)); err != nil || n == maxDecompressed {
		return fmt.Errorf("file is damaged, or over %d MiB: %w", maxDecompressed>>20, err)
	}
	if err := content.Reset(bytes.NewReader(file)); err != nil {
		return err
	}
	lines := bufio.NewScanner(content)
	lines.Buffer(nil, maxRecord)
	next := func(record any) error {
		if !lines.Scan() {
			return cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
		}
		return json.Unmarshal(lines.Bytes(), record)
	}
	var h header
	switch err := next(&h); {
	case err != nil:
		return fmt.Errorf("reading the header: %w", err)
	case h.Program != "ycm_exporter" || h.Name != name:
		return errors.New("file was not written by this exporter under this name")
	case h.Format < 1 || h.Format > Format:
		return fmt.Errorf("file has format %d; this exporter reads up to format %d", h.Format, Format)
	}
	if err := load(next); err != nil {
		return fmt.Errorf("reading the records: %w", err)
	}
	if lines.Scan() {
		return errors.New("file has more records than expected")
	}
	return nil
}
