package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

var update = flag.Bool("update", false, "write the golden files anew")

type record struct {
	ID   int
	Name string
}

func open(t *testing.T, path string) *Folder {
	t.Helper()
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("opening the folder: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f *Folder, name string, records ...record) {
	t.Helper()
	err := f.Write(name, func(out *json.Encoder) error {
		for _, r := range records {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("writing: %v", err)
	}
}

func readAll(records *json.Decoder) ([]record, error) {
	var all []record
	for records.More() {
		var r record
		if err := records.Decode(&r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func read(f *Folder, name string) (all []record, err error) {
	err = f.Read(name, func(_ int, records *json.Decoder) (err error) {
		all, err = readAll(records)
		return err
	})
	return all, err
}

func TestWhatIsWrittenIsReadByTheNextProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder")
	f := open(t, path)
	want := []record{{1, "a"}, {2, "ü\x00\n"}}
	write(t, f, "cloud_pbx", record{9, "older"})
	write(t, f, "cloud_pbx", want...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	next := open(t, path)
	got, err := read(next, "cloud_pbx")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %v, %v; want %v", got, err, want)
	}
	names, err := next.Names()
	if err != nil || !slices.Equal(names, []string{"cloud_pbx"}) {
		t.Errorf("names %v, %v; want the one file", names, err)
	}
	for name, mode := range map[string]fs.FileMode{".": 0o700 | fs.ModeDir, "cloud_pbx.ycm": 0o600} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s has mode %v, %v; want %v: nobody else may read it", name, info.Mode(), err, mode)
		}
	}
}

func TestAFileThatIsMissingIsNoDamage(t *testing.T) {
	_, err := read(open(t, t.TempDir()), "cloud_pbx")
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
		t.Errorf("a missing file: %v; want fs.ErrNotExist alone", err)
	}
}

func TestAFailedWriteKeepsTheOldFile(t *testing.T) {
	f := open(t, t.TempDir())
	write(t, f, "cloud_pbx", record{1, "good"})
	fault := errors.New("half-way")
	err := f.Write("cloud_pbx", func(out *json.Encoder) error {
		return errors.Join(out.Encode(record{2, "half"}), fault)
	})
	if !errors.Is(err, fault) {
		t.Errorf("the error is %v; want it to wrap the encoder's", err)
	}
	if got, err := read(f, "cloud_pbx"); err != nil || !slices.Equal(got, []record{{1, "good"}}) {
		t.Errorf("read %v, %v; want the old record", got, err)
	}
}

func TestWhatAKilledProcessLeftUnfinishedIsClearedAway(t *testing.T) {
	path := t.TempDir()
	unfinished := filepath.Join(path, ".tmp-cloud_pbx.ycm123")
	if err := os.WriteFile(unfinished, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if _, err := os.Stat(unfinished); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unfinished file is still there: %v", err)
	}
}

// Every truncation and every single flipped bit is found, but for those that change no record, such as the size of the
// decompressor's window.
func TestDamageIsFound(t *testing.T) {
	path := t.TempDir()
	f := open(t, path)
	want := []record{{1, strings.Repeat("name ", 30)}, {2, "b"}}
	write(t, f, "cloud_pbx", want...)
	whole, err := os.ReadFile(f.file("cloud_pbx"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(content []byte) bool {
		if err := os.WriteFile(f.file("cloud_pbx"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(f, "cloud_pbx")
		if err == nil && !slices.Equal(got, want) {
			t.Errorf("a damaged file was read as %v", got)
		}
		return errors.Is(err, ErrDamaged)
	}
	unnoticed := 0
	for n := range whole {
		if !damaged(whole[:n]) {
			t.Errorf("cut after %d bytes: not found", n)
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x10
		if !damaged(flipped) {
			unnoticed++
		}
	}
	if unnoticed > len(whole)/20 {
		t.Errorf("%d of %d flipped bits were not found", unnoticed, len(whole))
	}
	if !damaged(append(bytes.Clone(whole), "more"...)) {
		t.Error("something behind the file: not found")
	}
}

// A file of a few kilobytes that is decompressed to a giant must not fill the memory.
func TestARecordThatIsDecompressedToAGiantIsDamage(t *testing.T) {
	f := open(t, t.TempDir())
	write(t, f, "cloud_pbx", record{1, strings.Repeat(" ", maxRecord+1<<20)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := read(f, "cloud_pbx")
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("a record of over %d MiB: %v, want ErrDamaged", maxRecord>>20, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 6*maxRecord {
		t.Errorf("reading it took %d MiB, want at most %d", used>>20, 6*maxRecord>>20)
	}
}

func TestForeignFilesAreNotRead(t *testing.T) {
	f := open(t, t.TempDir())
	write(t, f, "firmware", record{1, "a"})
	if err := os.Rename(f.file("firmware"), f.file("cloud_pbx")); err != nil {
		t.Fatal(err)
	}
	if _, err := read(f, "cloud_pbx"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a file of another name: %v; want ErrDamaged", err)
	}
	if err := os.Mkdir(f.file("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := read(f, "folder"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a folder in place of a file: %v; want ErrDamaged", err)
	}
}

func TestWhatIsSetAsideIsNotReadAgain(t *testing.T) {
	f := open(t, t.TempDir())
	write(t, f, "cloud_pbx", record{1, "a"})
	aside, err := f.SetAside("cloud_pbx")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(aside); err != nil {
		t.Errorf("the file that was set aside: %v", err)
	}
	if names, _ := f.Names(); len(names) > 0 {
		t.Errorf("names are %v; want none", names)
	}
	if _, err := f.SetAside("cloud_pbx"); err != nil {
		t.Errorf("setting aside what is not there: %v", err)
	}
}

func TestASecondProcessWaitsAndThenSaysWhy(t *testing.T) {
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		first := open(t, path)
		if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "in use by another exporter") {
			t.Errorf("the second process: %v; want that the folder is in use", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		open(t, path)
	})
}

func TestAFolderThatCannotBeUsedIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(file, "below"))
	if err == nil || !strings.Contains(err.Error(), "--storage.path") {
		t.Errorf("a folder below a file: %v; want an error that names the flag", err)
	}
}

// What stands in the place of one of the folder's own files can neither hang a start nor have something written elsewhere.
func TestAPipeOrALinkInTheFolderIsNotFollowed(t *testing.T) {
	for name, put := range map[string]func(at, elsewhere string) error{
		"pipe": func(at, _ string) error { return syscall.Mkfifo(at, 0o600) },
		"link": func(at, elsewhere string) error { return os.Symlink(elsewhere, at) },
	} {
		t.Run(name, func(t *testing.T) {
			path, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
			lock := filepath.Join(path, lockName)
			if err := errors.Join(put(lock, elsewhere), put(filepath.Join(path, "probe"), elsewhere)); err != nil {
				t.Fatal(err)
			}
			want := lock + " is no regular file; remove it"
			if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("opening the folder: %v; want %q", err, want)
			}
			if _, _, err := Look(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("looking at the folder: %v; want %q", err, want)
			}
			if err := os.Remove(lock); err != nil {
				t.Fatal(err)
			}
			open(t, path)
			if _, err := os.Lstat(elsewhere); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something was written outside of the folder: %v", err)
			}
		})
	}
}

func TestACellOutlivesTheProcess(t *testing.T) {
	f := open(t, t.TempDir())
	c, value, err := f.Cell("budget")
	if err != nil || value != nil {
		t.Fatalf("a new cell: %q, %v; want no value", value, err)
	}
	for _, want := range []string{"a longer value", "short", ""} {
		if err := c.Write([]byte(want)); err != nil {
			t.Fatal(err)
		}
		// The process is killed here: the cell is not closed.
		again, value, err := f.Cell("budget")
		if err != nil || string(value) != want {
			t.Errorf("read %q, %v; want %q", value, err, want)
		}
		again.Close()
	}
	if err := c.Write(make([]byte, MaxCell+1)); err == nil {
		t.Error("a value that is too long was taken")
	}

	for _, content := range []string{"torn", ""} { // The second is what a full disk leaves of a new cell.
		if err := os.WriteFile(f.file("budget"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		damaged, value, err := f.Cell("budget")
		if !errors.Is(err, ErrDamaged) || value != nil || damaged == nil {
			t.Errorf("a cell that holds %q: %v, %q, %v; want one that can be written, and ErrDamaged", content, damaged, value, err)
		}
	}
}

// A file of each format that was ever released is read by every later one.
func TestEveryFormatIsRead(t *testing.T) {
	f := open(t, t.TempDir())
	want := []record{{1, "first"}, {2, "second"}}
	golden := filepath.Join("testdata", "format1.ycm")
	if *update {
		write(t, f, "golden", want...)
		content, err := os.ReadFile(f.file("golden"))
		if err == nil {
			err = os.WriteFile(golden, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.file("golden"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := read(f, "golden"); err != nil || !slices.Equal(got, want) {
		t.Errorf("read %v, %v; want %v", got, err, want)
	}
	for _, unknown := range []string{"0", "2", "-1"} {
		var file bytes.Buffer
		file.WriteString(`{"program":"ycm_exporter","format":` + unknown + `,"name":"golden"}`)
		if err := decode(compressed(t, file.Bytes()), "golden", nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("format %s: %v; want ErrDamaged", unknown, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	golden, err := os.ReadFile(filepath.Join("testdata", "format1.ycm"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, content []byte) {
		_ = decode(bytes.NewReader(content), "golden", func(_ int, records *json.Decoder) error {
			_, err := readAll(records)
			return err
		})
	})
}
