package secret_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/secret"
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
		{" \n", "", "the file is empty"},
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
