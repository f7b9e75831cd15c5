package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// FuzzLoad plants a secret between two arbitrary texts. Whatever they make of it, a file is read or explained, never a
// panic, and the secret is never shown.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yml", "testdata/good/*.yml", "../../config.example.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no files match %s: %v", pattern, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			before, after, _ := strings.Cut(string(content), planted)
			f.Add(before, after, true)
			f.Add(before, after, false)
		}
	}
	path := filepath.Join(f.TempDir(), "config.yml")
	f.Setenv("SECRET", planted)
	f.Setenv("NUMBER", "7")

	f.Fuzz(func(t *testing.T, before, after string, expandEnv bool) {
		if strings.Contains(before+after, "4711") || strings.Contains(before+after, "s3cr3t") {
			t.Skip("parts of the secret stand elsewhere")
		}
		if part := before[strings.LastIndexAny(before, " \t\r\n\"'")+1:]; strings.Contains(part, "/") || strings.HasPrefix(after, "/") {
			t.Skip("the secret is part of a path, which is shown when there is no such file")
		}
		if err := os.WriteFile(path, []byte(before+planted+after), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(t.Context(), path, expandEnv)
		if err == nil {
			if len(cfg.Accounts) == 0 {
				t.Error("a configuration without an account was read, want an error")
			}
			return
		}
		if cfg != nil {
			t.Errorf("got a configuration beside the error %v", err)
		}
		problemsOf(t, err)
		for _, part := range []string{planted, "4711", "s3cr3t"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("the error shows %q of the secret:\n%v", part, err)
			}
		}
	})
}
