package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

const hush = "s3cr3t-value"

func TestTextIsNeverShown(t *testing.T) {
	text := secret.New(hush)
	nested := struct {
		Public  secret.Text
		private secret.Text
	}{text, text}

	asJSON, err := json.Marshal(nested)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(map[string]secret.Text{"client_secret": text})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(asJSON), string(asYAML), text.String(), fmt.Sprint(fmt.Errorf("login with %v", text))}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, text), fmt.Sprintf(verb, nested), fmt.Sprintf(verb, &nested))
	}
	for _, s := range shown {
		if strings.Contains(s, hush) || strings.Contains(s, fmt.Sprintf("%x", hush)) {
			t.Errorf("the secret is shown: %s", s)
		}
	}
	if got := nested.private.Reveal(); got != hush {
		t.Errorf("Reveal() = %q, want %q", got, hush)
	}
}

func TestZeroTextIsEmpty(t *testing.T) {
	var zero secret.Text
	if !zero.Empty() || zero.Reveal() != "" {
		t.Errorf("the zero value holds %q, want nothing", zero.Reveal())
	}
}

func TestSecretKnowsWhenItsFileWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ycm")
	if err := os.WriteFile(path, []byte(hush), 0o600); err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 2, 3, 3, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, want, want); err != nil {
		t.Fatal(err)
	}
	text, err := secret.File(path)()
	if err != nil || !text.Written().Equal(want) {
		t.Errorf("got %v and error %v, want %v", text.Written(), err, want)
	}
	if at := secret.New(hush).Written(); !at.IsZero() {
		t.Errorf("a secret of no file was written at %v, want never", at)
	}
}

func TestFileIsReadAgainAtEachUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ycm")
	source := secret.File(path)

	if _, err := source(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a missing file: got error %v, want one that names %s", err, path)
	}
	for _, step := range []struct{ content, want, wantErr string }{
		{"first\n", "first", ""},
		{"  second \r\n", "second", ""},
		{" \n", "", "it is empty"},
		{"\xef\xbb\xbfthird\n", "", "byte order mark"},
		{"third\nfourth\n", "", "line break"},
	} {
		if err := os.WriteFile(path, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := source()
		if step.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), step.wantErr) {
				t.Errorf("content %q: got error %v, want %q", step.content, err, step.wantErr)
			}
			continue
		}
		if err != nil || got.Reveal() != step.want {
			t.Errorf("content %q: got %q and error %v, want %q", step.content, got.Reveal(), err, step.want)
		}
	}
}

// A pipe is not even opened: that could wait for a writer for ever, and would take from it what is for another reader.
func TestPipeIsNotASecretFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "ycm")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.File(pipe)(); err == nil || !strings.Contains(err.Error(), pipe+": it is not a regular file") {
		t.Errorf("got error %v, want that the pipe is not a regular file", err)
	}
}

// A wrong path, such as that of a log, ends in an error and not in memory.
func TestFileThatIsTooLargeIsNoSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for size, fits := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := secret.Read(path)
		switch {
		case fits && (err != nil || len(text.Reveal()) != size):
			t.Errorf("%d bytes: got %d bytes and error %v, want all of them", size, len(text.Reveal()), err)
		case !fits && (err == nil || !strings.Contains(err.Error(), "it is larger than 1 MiB")):
			t.Errorf("%d bytes: got error %v, want that it is larger than 1 MiB", size, err)
		}
	}
}
