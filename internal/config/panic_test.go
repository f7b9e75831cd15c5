package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPanicWhileReadingIsAnError(t *testing.T) {
	d := &document{file: filepath.Join("testdata", "good", "minimal.yml"), failed: make(map[string]bool), left: maxValues} // without values
	d.load()
	if err := d.err(); err == nil || !strings.Contains(err.Error(), "the YAML parser failed") {
		t.Errorf("got error %v, want that the parser failed", err)
	}
}
