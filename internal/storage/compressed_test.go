package storage

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// compressed is a file with that content.
func compressed(t *testing.T, content []byte) io.Reader {
	t.Helper()
	var file bytes.Buffer
	out, err := zstd.NewWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return &file
}
