package storage

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type record struct {
	ID   int
	Name string
}

// journal is what a store logs.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(p)
}

func (j *journal) count(part string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.lines.String(), part)
}

func tryOpen(ctx context.Context, path string, share bool) (*Store, *journal, error) {
	j := &journal{}
	s, err := Open(ctx, path, share, prometheus.NewRegistry(), log.NewLogfmtLogger(j))
	return s, j, err
}

func open(t *testing.T, path string) (*Store, *journal) {
	t.Helper()
	s, j, err := tryOpen(t.Context(), path, false)
	if err != nil {
		t.Fatalf("opening the directory: %v", err)
	}
	return s, j
}

func save(s *Store, name string, records ...record) {
	s.Save(name, func(write func(any) error) error {
		for _, r := range records {
			if err := write(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// load reads so many records.
func load(s *Store, name string, n int) (all []record, ok bool) {
	ok = s.Load(name, func(next func(any) error) error {
		all = make([]record, n)
		for i := range all {
			if err := next(&all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return all, ok
}

// reload reads one record of the file as it is now.
func reload(s *Store, name string) (r record, ok bool) {
	ok = s.Reload(name, func(next func(any) error) error { return next(&r) })
	return r, ok
}

// restart closes a store and opens its directory again.
func restart(t *testing.T, s *Store) (*Store, *journal) {
	t.Helper()
	s.Close()
	return open(t, s.Path)
}

// encoded returns the content of a file.
func encoded(name string, records Records) ([]byte, error) {
	var file bytes.Buffer
	err := encode(&file, name, records)
	return file.Bytes(), err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestRecordsPersistAcrossARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new")
	want := []record{{1, "a"}, {2, "ü\x00\n"}}
	s, _ := open(t, path)
	save(s, "list", record{9, "older"})
	save(s, "list", want...)
	s, j := restart(t, s)
	defer s.Close()
	if got, ok := load(s, "list", 2); !ok || !slices.Equal(got, want) {
		t.Errorf("loaded %v, %t; want %v", got, ok, want)
	}
	if got, ok := load(s, "list", 2); ok {
		t.Errorf("loaded %v a second time", got)
	}
	if _, ok := load(s, "users", 0); ok || j.count("level=warn") > 0 {
		t.Errorf("a missing file was loaded, or logged:\n%s", &j.lines)
	}
	for name, mode := range map[string]fs.FileMode{".": 0o700 | fs.ModeDir, "list.ycm": 0o600} {
		if info, err := os.Stat(filepath.Join(path, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s has mode %v, %v; want %v: no other user may read it", name, info.Mode(), err, mode)
		}
	}
}

func TestFailedWriteKeepsTheOldFileAndIsRepeated(t *testing.T) {
	t.Parallel()
	s, j := open(t, t.TempDir())
	writes := make(chan error)
	write := s.ReplaceFile
	s.ReplaceFile = func(path string, content func(io.Writer) error) error {
		if err := <-writes; err != nil {
			return err
		}
		return write(path, content)
	}
	save(s, "list", record{1, "old"})
	writes <- nil
	for range 3 {
		save(s, "list", record{2, "new"})
		writes <- syscall.ENOSPC
	}
	save(s, "users", record{3, "other"})
	writes <- nil // The two that are pending, in any order.
	writes <- nil
	save(s, "last", record{4, "last"})
	writes <- nil
	if err := s.Status().Err; err != nil {
		t.Errorf("after the writes that succeeded the status is %v", err)
	}
	if failures, lines := testutil.ToFloat64(s.failures), [2]int{j.count("Failed to write to storage"), j.count("is writable again")}; failures != 3 || lines != [2]int{1, 1} {
		t.Errorf("%v failures are counted and %v log lines written, want 3 and 1 each:\n%s", failures, lines, &j.lines)
	}
	s.ReplaceFile = nil
	s, _ = restart(t, s)
	defer s.Close()
	for name, want := range map[string]record{"list": {2, "new"}, "users": {3, "other"}, "last": {4, "last"}} {
		if got, ok := load(s, name, 1); !ok || got[0] != want {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}
}

func TestRecordsThatCannotBeEncodedKeepTheOldFile(t *testing.T) {
	t.Parallel()
	for name, records := range map[string]Records{
		"error": func(write func(any) error) error {
			return errors.Join(write(record{2, "half"}), errors.New("half-way"))
		},
		"panic": func(write func(any) error) error { _ = write(record{2, "half"}); panic("half-way") },
	} {
		s, j := open(t, t.TempDir())
		save(s, "list", record{1, "old"})
		s.Save("other", records)
		for range 1000 {
			if j.count("half-way") > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if n := j.count("half-way"); n != 1 {
			t.Errorf("%s: %d log lines say why the write failed, want 1:\n%s", name, n, &j.lines)
		}
		s.Save("list", records)
		s, _ = restart(t, s)
		if got, ok := load(s, "list", 1); !ok || got[0].Name != "old" {
			t.Errorf("%s: loaded %v, %t; want the old record", name, got, ok)
		}
		s.Close()
		if files, err := filepath.Glob(filepath.Join(s.Path, "*")); err != nil || len(files) != 2 {
			t.Errorf("%s: the directory has %v, want the lock and the list", name, files)
		}
	}
}

// A disk that hangs delays neither saving nor the status, and a shutdown by five seconds only. It is reported once,
// nothing piles up behind it, and the newest is written when the disk continues.
func TestHungDiskDelaysNobody(t *testing.T) {
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, j := open(t, path)
		disk, written := make(chan struct{}), 0
		write := s.ReplaceFile
		s.ReplaceFile = func(path string, content func(io.Writer) error) error {
			<-disk
			written++
			return write(path, content)
		}
		began := time.Now()
		for n := range 1000 {
			save(s, "list", record{n, "list"})
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("saving took %v", took)
		}
		if err := s.Status().Err; err != nil {
			t.Errorf("after no time the status is %v", err)
		}
		for n := range 5 {
			time.Sleep(time.Minute)
			save(s, "list", record{1000 + n, "list"})
		}
		if err := s.Status().Err; !errors.Is(err, errNoAnswer) || testutil.ToFloat64(s.failures) != 5 || j.count("level=warn") != 1 {
			t.Errorf("while the disk hangs the status is %v, with %v failures and this log; want 5 and one warning:\n%s", err, testutil.ToFloat64(s.failures), &j.lines)
		}
		began = time.Now()
		s.Close()
		if took := time.Since(began); took != closeLimit {
			t.Errorf("closing took %v, want %v", took, closeLimit)
		}
		close(disk)
		synctest.Wait()
		if err := s.Status().Err; err != nil || written != 2 || j.count("is writable again") != 1 {
			t.Errorf("when the disk continues the status is %v after %d writes, want nil after 2:\n%s", err, written, &j.lines)
		}
		s, _ = open(t, path)
		defer s.Close()
		if got, ok := load(s, "list", 1); !ok || got[0].ID != 1004 {
			t.Errorf("loaded %v, %t; want the newest", got, ok)
		}
	})
}

// A start on a disk that hangs is a warning after 15 seconds. A kernel lease on the lock makes opening it block.
func TestHungDiskAtTheStartIsAWarning(t *testing.T) {
	path := t.TempDir()
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, _, failed := syscall.Syscall(syscall.SYS_FCNTL, lock.Fd(), syscall.F_SETLEASE, syscall.F_WRLCK); failed != 0 {
		t.Skipf("this file system has no leases: %v", failed)
	}
	defer func(limit time.Duration) { startLimit = limit }(startLimit)
	startLimit = 100 * time.Millisecond
	began := time.Now()
	s, j := open(t, path)
	if took := time.Since(began); took < startLimit {
		t.Errorf("opening the store took %v, want %v", took, startLimit)
	}
	save(s, "list", record{1, "new"})
	if testutil.ToFloat64(s.failures) != 1 || j.count("level=warn") != 1 {
		t.Errorf("%v failures, want 1, and one warning:\n%s", testutil.ToFloat64(s.failures), &j.lines)
	}
	lock.Close() // The disk continues.
	s, _ = restart(t, s)
	defer s.Close()
	if got, ok := load(s, "list", 1); !ok || got[0].Name != "new" {
		t.Errorf("loaded %v, %t; want what was saved meanwhile", got, ok)
	}
}

// A disk that may work again must not end the start; a path or an owner that is wrong does.
func TestFaultOfTheDiskAtTheStartIsAWarning(t *testing.T) {
	t.Parallel()
	s, j := open(t, t.TempDir())
	defer s.Close()
	passing := []error{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.ESTALE, syscall.ENOLCK, syscall.ETIMEDOUT, syscall.ENOTCONN, errNoAnswer,
	}
	fatal := []error{
		syscall.ENOENT, syscall.EACCES, syscall.EPERM, syscall.ENOTDIR, fs.ErrPermission, fs.ErrNotExist, errInUse, context.Canceled, context.DeadlineExceeded,
	}
	for i, err := range append(passing, fatal...) {
		fatal := i >= len(passing)
		if got := s.started(&fs.PathError{Err: err}); (got != nil) != fatal {
			t.Errorf("a start with %q returns %v, want an error: %t", err, got, fatal)
		}
	}
	if testutil.ToFloat64(s.failures) != float64(len(passing)) || j.count("level=warn") != 1 {
		t.Errorf("%v failures, want %d, and one warning:\n%s", testutil.ToFloat64(s.failures), len(passing), &j.lines)
	}
}

func TestDirectoryThatIsMissingOrNotPermittedEndsTheStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no parent": filepath.Join(t.TempDir(), "missing", "directory"), "a file": file, "below a file": filepath.Join(file, "below")} {
		if _, _, err := tryOpen(t.Context(), path, false); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "--storage.path") {
			t.Errorf("%s: %v; want an error that names the directory and the flag", name, err)
		}
	}
}

// A group may write to the directory although another user owns it, whose mode cannot be changed then.
func TestDirectoryOfAnotherUserKeepsItsMode(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	if err := os.Chmod(path, 0o770); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, path)
	s.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o770 {
		t.Errorf("the directory has mode %v, %v; want it unchanged", info.Mode(), err)
	}
}

// A process was killed while it wrote a file, of which the next write leaves nothing.
func TestUnfinishedFileIsReplaced(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(s.Path, "list.ycm.tmp"), []byte(strings.Repeat("half", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	save(s, "list", record{1, "one"})
	s, _ = restart(t, s)
	defer s.Close()
	if got, ok := load(s, "list", 1); !ok || got[0].Name != "one" || exists(filepath.Join(s.Path, "list.ycm.tmp")) {
		t.Errorf("got %v, %t; want what was saved, and no other file", got, ok)
	}
}

// Every truncation and every flipped bit is found, but those that change no record, such as in the header of gzip.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	want := []record{{1, strings.Repeat("name ", 30)}, {2, "b"}}
	file, err := encoded("list", func(write func(any) error) error { return errors.Join(write(want[0]), write(want[1])) })
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(content []byte) bool {
		got := make([]record, 2)
		err := decode("list", content, func(next func(any) error) error { return errors.Join(next(&got[0]), next(&got[1])) })
		if err == nil && !slices.Equal(got, want) {
			t.Errorf("a damaged file was read as %v", got)
		}
		return err != nil
	}
	if damaged(file) {
		t.Error("the file cannot be read")
	}
	unnoticed := 0
	for n := range file {
		if !damaged(file[:n]) {
			t.Errorf("cut after %d bytes: not found", n)
		}
		flipped := bytes.Clone(file)
		flipped[n] ^= 0x10
		if !damaged(flipped) {
			unnoticed++
		}
	}
	if unnoticed > 10 {
		t.Errorf("%d of %d flipped bits were not found", unnoticed, len(file))
	}
}

// A list that continues after the records that it announces is read up to these, and is used.
func TestRecordsThatNobodyReadsAreLeft(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	s, _ := open(t, path)
	s.Save("list", func(write func(any) error) error {
		for range 100_000 {
			if err := write(record{1, "one"}); err != nil {
				return err
			}
		}
		return nil
	})
	s.Close()
	s, j := open(t, path)
	defer s.Close()
	var first record
	if ok := s.Load("list", func(next func(any) error) error { return next(&first) }); !ok || first.Name != "one" || j.count("set aside") > 0 {
		t.Errorf("the first of many records is %v, read: %t; want it, and no file set aside:\n%s", first, ok, &j.lines)
	}
}

// A file of a few kilobytes that decompresses to a very large record must not fill the memory.
func TestVeryLargeRecordIsDamage(t *testing.T) {
	t.Parallel()
	file, err := encoded("list", func(write func(any) error) error { return write(record{1, strings.Repeat(" ", maxRecord)}) })
	if err != nil {
		t.Fatal(err)
	}
	err = decode("list", file, func(next func(any) error) error { return next(&record{}) })
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a record of %d MiB: %v, want an error", maxRecord>>20, err)
	}
}

func TestUnusableFilesAreSetAsideWithOneLine(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	all := []string{"good", "cut", "foreign", "short", "crash", "orphan"}
	for _, name := range all {
		save(s, name, record{1, name})
	}
	s.Close()
	file := func(name string) string { return filepath.Join(s.Path, name+".ycm") }
	err := errors.Join(os.Truncate(file("cut"), 30), os.Rename(file("foreign"), file("renamed")), syscall.Mkfifo(file("pipe"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	s, j := open(t, s.Path)
	for name, n := range map[string]int{"good": 1, "cut": 1, "renamed": 1, "short": 2} {
		if _, ok := load(s, name, n); ok != (name == "good") {
			t.Errorf("%s was loaded: %t", name, ok)
		}
	}
	s.Load("crash", func(func(any) error) error { panic("no sense") })
	s.SetAsideOthers()
	s.Close()
	for _, name := range []string{"cut", "renamed", "short", "crash", "orphan"} {
		if exists(file(name)) || !exists(file(name)+".set-aside") {
			t.Errorf("%s was not set aside", name)
		}
		if lines := j.count(name + ".ycm.set-aside"); lines != 1 {
			t.Errorf("%d log lines say that %s was set aside, want 1:\n%s", lines, name, &j.lines)
		}
	}
	if !exists(file("good")) || j.count("level=error") > 0 {
		t.Errorf("a good file was set aside, or there was an error:\n%s", &j.lines)
	}
}

func TestSecondProcessWaitsAndThenFails(t *testing.T) {
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		first, _ := open(t, path)
		began := time.Now()
		_, j, err := tryOpen(t.Context(), path, false)
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "in use by another exporter") || took != startLimit {
			t.Errorf("the second process after %v: %v; want that the directory is in use, after %v", took, err, startLimit)
		}
		if j.count("Waiting for another exporter") != 1 || j.count("\n") != 1 {
			t.Errorf("want one line that it waits:\n%s", &j.lines)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := tryOpen(ctx, path, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a start that is cancelled: %v", err)
		}
		time.AfterFunc(10*time.Second, first.Close)
		second, _ := open(t, path)
		second.Close()
	})
}

// A command reads what an exporter has stored, and replaces files beside it, but sets none aside.
func TestDirectoryIsShared(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	first, _ := open(t, path)
	save(first, "logins", record{1, "first"})
	save(first, "list", record{1, "first"})
	first, _ = restart(t, first)
	beingWritten := filepath.Join(path, unfinished+"list")
	if err := os.WriteFile(beingWritten, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, _, err := tryOpen(t.Context(), path, true)
	if err != nil {
		t.Fatalf("opening beside an exporter: %v", err)
	}
	if got, ok := load(second, "logins", 1); !ok || got[0].Name != "first" {
		t.Errorf("loaded %v, %t; want what the exporter has stored", got, ok)
	}
	save(second, "logins", record{2, "second"})
	second.SetAsideOthers()
	second.Close()
	if !exists(beingWritten) {
		t.Error("a file that the exporter was writing is gone")
	}
	if got, ok := reload(first, "logins"); !ok || got.Name != "second" {
		t.Errorf("the exporter reads %v, %t again; want what was written beside it", got, ok)
	}
	if got, ok := reload(first, "list"); !ok || got.Name != "first" {
		t.Errorf("the exporter reads %v, %t again; want that its other file is still there", got, ok)
	}
	first.Close()
	alone, _, err := tryOpen(t.Context(), path, true)
	if err != nil {
		t.Fatalf("opening without an exporter: %v", err)
	}
	save(alone, "logins", record{3, "third"})
	first, _ = restart(t, alone)
	defer first.Close()
	if got, ok := load(first, "logins", 1); !ok || got[0].Name != "third" {
		t.Errorf("loaded %v, %t; want what was written without an exporter", got, ok)
	}
}

// A file of each format that was ever released is read by every later one.
func TestEveryFormatIsRead(t *testing.T) {
	t.Parallel()
	want := []record{{1, "first"}, {2, "second"}}
	golden := filepath.Join("testdata", "format1.ycm")
	if *update {
		content, err := encoded("golden", func(write func(any) error) error { return errors.Join(write(want[0]), write(want[1])) })
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
	got := make([]record, 2)
	err = decode("golden", content, func(next func(any) error) error { return errors.Join(next(&got[0]), next(&got[1])) })
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %v, %v; want %v", got, err, want)
	}
	for _, unknown := range []string{"0", "2", "-1"} {
		var file bytes.Buffer
		compressed := gzip.NewWriter(&file)
		_, err := compressed.Write([]byte(`{"program":"ycm_exporter","format":` + unknown + `,"name":"golden"}`))
		if err = errors.Join(err, compressed.Close()); err != nil {
			t.Fatal(err)
		}
		if err := decode("golden", file.Bytes(), nil); err == nil || !strings.Contains(err.Error(), "format "+unknown) {
			t.Errorf("format %s: %v; want an error", unknown, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	golden, err := os.ReadFile(filepath.Join("testdata", "format1.ycm"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, content []byte) {
		_ = decode("golden", content, func(next func(any) error) error {
			for {
				if err := next(&record{}); err != nil {
					return err
				}
			}
		})
	})
}

// A file that is too large, or hangs, in the place of one that another process has replaced must cost neither memory nor the disk.
func TestReloadReadsNoMoreThanAStart(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	defer s.Close()
	file, err := os.Create(filepath.Join(s.Path, "large.ycm"))
	if err != nil {
		t.Fatal(err)
	}
	content, _ := gzip.NewWriterLevel(file, gzip.NoCompression)
	_, written := io.WriteString(content, `{"program":"ycm_exporter","format":1,"name":"large"}`+"\n"+`{"ID":1}`+"\n")
	if err := errors.Join(written, content.Flush()); err != nil {
		t.Fatal(err)
	}
	for range maxFile >> 20 {
		if _, err := content.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(content.Close(), file.Close(), syscall.Mkfifo(filepath.Join(s.Path, "pipe.ycm"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"large", "pipe"} {
		if r, ok := reload(s, name); ok {
			t.Errorf("file %s was reloaded as %v", name, r)
		}
	}
	save(s, "next", record{ID: 2})
	for deadline := time.Now().Add(5 * time.Second); !exists(filepath.Join(s.Path, "next.ycm")); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is written after a pipe was reloaded")
		}
	}
}
