package capture_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

func TestReadsCompressedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture.jsonl.gz")
	r := recorder(t, file)
	record(t, r, "v1/subscription", `{"data":[]}`)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		t.Errorf("the file is not compressed (%v): %q", err, content)
	}
	if c, err := capture.Open(file); err != nil || c.Exporter != "1.2.3" || len(c.Exchanges) != 1 {
		t.Errorf("read %+v with error %v", c, err)
	}
	if err := os.WriteFile(file, content[:len(content)-12], 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := capture.Open(file); err == nil {
		t.Errorf("a file whose end is missing was read as %+v", c)
	}
}

func recorder(t *testing.T, file string) *capture.Recorder {
	t.Helper()
	r, err := capture.NewRecorder(file, "1.2.3", ycmclient.RecordFields(), pbxclient.RecordFields())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// record sends one request whose answer is recorded.
func record(t *testing.T, r *capture.Recorder, path, body string) {
	t.Helper()
	client := &http.Client{Transport: r.Transport(answering(func() *http.Response {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	}))}
	response, err := client.Get("https://ycm.example.com/dm/open_api/" + path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

// Other users of the machine cannot read the file, and no file is overwritten.
func TestFileIsPrivateAndNew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r := recorder(t, file)
	mode := func(when string) {
		t.Helper()
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s, the file's mode is %v (%v), want 0600", when, info.Mode(), err)
		}
	}
	mode("before the first request")
	if _, err := capture.NewRecorder(file, "1.2.3", ycmclient.RecordFields(), pbxclient.RecordFields()); err == nil || !strings.Contains(err.Error(), "capture.jsonl exists: remove it") {
		t.Errorf("a file that exists: got error %v", err)
	}
	record(t, r, "v1/subscription", "{}")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mode("when it is written")
	link := filepath.Join(t.TempDir(), "link.jsonl")
	if err := os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{link, t.TempDir(), filepath.Join(t.TempDir(), "no", "folder")} {
		if _, err := capture.NewRecorder(name, "1.2.3"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("NewRecorder(%s): got error %v, want one with the name", name, err)
		}
	}
}

// A path holds values that the API returned before.
func TestPathsAreScrubbed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r := recorder(t, file)
	for _, path := range []string{
		"v1/cloud_pbx/3658B43XXXX/openapi/v1.0/system/information", "v1/users/4915112345/subscription_info", "v1/cloud_pbx/instances/4915112345",
		"v1/John/Doe", "v1/a.b/10.1.2.3", "v1/..%2fhunter2", "v1/cloud_pbx/johndoe/openapi/v1.0/trunk/list",
	} {
		record(t, r, path, "{}")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range c.Exchanges {
		paths = append(paths, e.Path)
	}
	want := []string{
		"v1/cloud_pbx/name-0001/openapi/v1.0/system/information", "v1/users/1000000002/subscription_info", "v1/cloud_pbx/instances/1000000002",
		"v1/name-0003/name-0004", "v1/host-0005.invalid/host-0006.invalid", "v1/name-0007/name-0008", "v1/cloud_pbx/name-0009/openapi/v1.0/trunk/list",
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// A file is no larger than what is read again.
func TestCaptureThatIsTooLargeIsReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	r := recorder(t, file)
	record(t, r, "v1/subscription", "{}")
	r.Fill()
	record(t, r, "v1/subscription", "{}")
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), "--doctor sends fewer requests") {
		t.Errorf("got error %v, want one that says what to do", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the incomplete file exists (%v)", err)
	}
}
