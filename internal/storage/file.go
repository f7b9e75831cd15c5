package storage

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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

// read reads the files, and checks that the directory can be written if it is locked.
func (s *Store) read() error {
	entries, err := os.ReadDir(s.Path)
	if err != nil {
		return err
	}
	stored := map[string][]byte{}
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), extension)
		if !ours {
			continue
		}
		switch content, err := s.readFile(name); {
		case err == nil:
			stored[name] = content
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid): // Another process has removed it, or it is no file.
		default:
			s.setAside(name, err)
		}
	}
	s.mu.Lock()
	s.stored = stored
	s.mu.Unlock()
	if !s.lock.Locked() {
		return nil
	}
	probe := filepath.Join(s.Path, unfinished)
	return cmp.Or(os.WriteFile(probe, nil, 0o600), os.Remove(probe))
}

// readFile reads a file as it is now. A pipe could hang.
func (s *Store) readFile(name string) ([]byte, error) {
	switch info, err := os.Lstat(s.file(name)); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fs.ErrInvalid
	case info.Size() > maxFile:
		return nil, fmt.Errorf("file is over %d MiB", maxFile>>20)
	}
	return os.ReadFile(s.file(name))
}

// replaceFile replaces a file with what content writes. If that fails, the file stays as it is.
func (s *Store) replaceFile(path string, content func(io.Writer) error) error {
	open := func() (*os.File, error) { return os.CreateTemp(s.Path, "*"+unfinished) }
	if !s.shared { // What was left unfinished is overwritten.
		open = func() (*os.File, error) {
			return os.OpenFile(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		}
	}
	file, err := open()
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // Once it is renamed there is none.
	defer file.Close()           //nolint:errcheck // Only after a failure it is still open.
	if err := content(file); err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// encode writes the content of a file.
func encode(file io.Writer, name string, records Records) error {
	compressed, _ := gzip.NewWriterLevel(file, gzip.BestSpeed) // It fails for levels that do not exist.
	write := json.NewEncoder(compressed).Encode
	return cmp.Or(write(header{"ycm_exporter", Format, name}), records(write), compressed.Close())
}

// decode has load read the records of a file, once the checksum is verified. What load does not read is not decoded.
func decode(name string, file []byte, load func(next func(record any) error) error) error {
	content, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("file is damaged: %w", err)
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(content, maxDecompressed)); err != nil || n == maxDecompressed {
		return fmt.Errorf("file is damaged, or over %d MiB: %w", maxDecompressed>>20, err)
	}
	_ = content.Reset(bytes.NewReader(file)) // Its header was read before.
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
		return errors.New("file was not written by this exporter, or was renamed")
	case h.Format < 1 || h.Format > Format:
		return fmt.Errorf("file has format %d; this exporter reads up to format %d", h.Format, Format)
	}
	if err := load(next); err != nil {
		return fmt.Errorf("reading the records: %w", err)
	}
	return nil
}
