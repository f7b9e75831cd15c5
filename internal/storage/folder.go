// Package storage keeps on disk what must outlive a restart: the readings of collectors, the level of each request
// budget, and the refused logins. A file is whole or it is not used: whatever is damaged, truncated, of another format or
// of nobody who is configured is set aside, and the exporter goes on without it.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockName  = "lock"
	lockWait  = 15 * time.Second
	lockRetry = 100 * time.Millisecond

	extension = ".ycm"
	setAside  = ".set-aside"

	folderMode = 0o700
	fileMode   = 0o600
)

// Folder is a folder that this process alone writes to.
type Folder struct {
	path string
	lock *flock.Flock
}

// Open makes the folder if there is none, waits up to 15 s for a process that holds it, and makes sure that it can be
// written. The lock is one of the kernel's, which frees it when the process ends, however it ends.
func Open(ctx context.Context, path string) (*Folder, error) {
	if err := os.MkdirAll(path, folderMode); err != nil {
		return nil, fmt.Errorf("storage folder %s cannot be made: %w; make it, owned by the exporter's user, or choose another with --storage.path", path, err)
	}
	lock, err := lockOf(path)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	locked, err := lock.TryLockContext(waiting, lockRetry)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("storage folder %s is in use by another exporter, which still held it after %v; end that one, or give each a folder of its own with --storage.path", path, lockWait)
	case err != nil || !locked:
		return nil, fmt.Errorf("storage folder %s cannot be locked: %w; let the exporter's user write to it, or choose another with --storage.path", path, err)
	}
	f := &Folder{path: path, lock: lock}
	if err := f.prepare(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Look opens a folder that there is beside whatever process works in it, without waiting for that. alone tells that there
// is none, so that this process holds the folder now; else nothing may be written to it.
func Look(path string) (f *Folder, alone bool, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, false, fmt.Errorf("storage folder %s: %w", path, err)
	}
	lock, err := lockOf(path)
	if err != nil {
		return nil, false, err
	}
	f = &Folder{path: path, lock: lock}
	if alone, err = f.lock.TryLock(); err != nil {
		return nil, false, fmt.Errorf("storage folder %s cannot be locked: %w", path, err)
	}
	return f, alone, nil
}

// lockOf is a folder's lock, which nobody holds yet.
func lockOf(path string) (*flock.Flock, error) {
	name := filepath.Join(path, lockName)
	if _, err := regular(name); err != nil {
		return nil, fmt.Errorf("storage folder %s cannot be locked: %w", path, err)
	}
	return flock.New(name, flock.SetPermissions(fileMode)), nil
}

// prepare closes the folder to others, proves that it can be written, and clears away what a killed process left unfinished.
func (f *Folder) prepare() error {
	err := os.Chmod(f.path, folderMode)
	if err == nil {
		err = f.probe()
	}
	if err != nil {
		return fmt.Errorf("storage folder %s cannot be written: %w; let the exporter's user write to it, or choose another with --storage.path", f.path, err)
	}
	unfinished, err := filepath.Glob(filepath.Join(f.path, ".tmp-*"))
	if err != nil {
		return fmt.Errorf("storage folder %s: %w", f.path, err)
	}
	for _, name := range unfinished {
		// What stays is tried again at the next start.
		_ = os.Remove(name)
	}
	return nil
}

// probe writes a file that was not there before, whatever is.
func (f *Folder) probe() error {
	file, err := os.CreateTemp(f.path, ".tmp-")
	if err != nil {
		return err
	}
	_, err = file.WriteString("can be written\n")
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// regular tells whether there is no such file yet. It is an error if there is something else in its place: opening a pipe
// could take for ever, and a link could lead anywhere.
func regular(path string) (missing bool, err error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is no regular file; remove it", path)
	}
	return errors.Is(err, fs.ErrNotExist), nil
}

// Close frees the folder for another process.
func (f *Folder) Close() error {
	if err := f.lock.Unlock(); err != nil {
		return fmt.Errorf("freeing storage folder %s: %w", f.path, err)
	}
	return nil
}

// Names lists the files of this package in the folder, without those that were set aside.
func (f *Folder) Names() ([]string, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, fmt.Errorf("listing storage folder %s: %w", f.path, err)
	}
	var names []string
	for _, e := range entries {
		if name, ours := strings.CutSuffix(e.Name(), extension); ours && e.Type().IsRegular() {
			names = append(names, name)
		}
	}
	return names, nil
}

// SetAside gives a file another name, under which it is not read again but can be looked at. Of each name one such file
// is kept, the newest.
func (f *Folder) SetAside(name string) (string, error) {
	path := f.file(name)
	aside := path + setAside
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("setting %s aside: %w", path, err)
	}
	return aside, nil
}

func (f *Folder) file(name string) string { return filepath.Join(f.path, name+extension) }
