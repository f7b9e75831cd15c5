package collector_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A stored list with a PBX twice, or out of order, is not served: walks compare lists by the order of their ids, so that they could lose a
// PBX, or export one twice.
func TestStoredListOutOfOrderIsNotServed(t *testing.T) {
	stored, err := os.ReadFile(filepath.Join("testdata", "cloud_pbx", readingFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(stored, []byte("\n")) // The PBXs begin at the second.
	for name, c := range map[string]struct {
		second, third []byte
		served        bool
	}{
		"in order":     {lines[3], lines[4], true},
		"out of order": {lines[4], lines[3], false},
		"twice":        {lines[3], lines[3], false},
	} {
		content := bytes.Join([][]byte{lines[0], lines[1], lines[2], c.second, c.third, bytes.Join(lines[5:], nil)}, nil)
		if got := (files{t, map[string][]byte{"cloud_pbx": content}}).restored()["cloud_pbx"] != nil; got != c.served {
			t.Errorf("a list %s is served: %t, want %t", name, got, c.served)
		}
	}
}
