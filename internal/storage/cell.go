package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// A cell's file is this many bytes: checksum, length, and the value, filled up with zeros. It is less than a block of any
// disk, and one write.
const (
	cellSize   = 512
	cellHeader = 8
	// MaxCell is how many bytes the value of a cell may have.
	MaxCell = cellSize - cellHeader
)

// Cell is a small value that is written in place, often: before each request. The kernel has the value when Write returns,
// so it outlives the process, however that ends; a crash of the whole system may lose or damage it.
type Cell struct{ file *os.File }

// Cell opens the cell of that name, and returns the value that was written last. The value is nil if the cell is new. The
// error is ErrDamaged if there was one that cannot be understood, or was never written whole; the cell can be used all the same.
func (f *Folder) Cell(name string) (*Cell, []byte, error) {
	path := f.file(name)
	missing, err := regular(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, nil, fmt.Errorf("opening: %w", err)
	}
	c := &Cell{file}
	if missing {
		return c, nil, nil
	}
	value, err := c.read()
	if err != nil {
		return c, nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return c, value, nil
}

func (c *Cell) read() ([]byte, error) {
	content := make([]byte, cellSize)
	n, err := c.file.ReadAt(content, 0)
	if n < cellSize {
		return nil, errors.Join(ErrDamaged, err)
	}
	length := binary.LittleEndian.Uint32(content[4:])
	if length > MaxCell || binary.LittleEndian.Uint32(content) != crc32.ChecksumIEEE(content[4:]) {
		return nil, ErrDamaged
	}
	return content[cellHeader:][:length], nil
}

// Write puts a value of up to MaxCell bytes in place of the last one. Not for concurrent use.
func (c *Cell) Write(value []byte) error {
	if len(value) > MaxCell {
		return fmt.Errorf("writing %s: a value of %d bytes is over %d", c.file.Name(), len(value), MaxCell)
	}
	var content [cellSize]byte
	binary.LittleEndian.PutUint32(content[4:], uint32(len(value)))
	copy(content[cellHeader:], value)
	binary.LittleEndian.PutUint32(content[:], crc32.ChecksumIEEE(content[4:]))
	if _, err := c.file.WriteAt(content[:], 0); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// Close closes the cell's file.
func (c *Cell) Close() error { return c.file.Close() }
