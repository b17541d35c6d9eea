// Package files keeps what people send: videos, materials, homework. It knows
// ids and contents; whose a file is and who may see it, the rows say.
package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gabriel-vasile/mimetype"

	"tripwire/internal/school"
)

// Folder keeps each file under its id in a folder of the file system.
type Folder struct {
	root string
	// floor is how many bytes stay free on the disk.
	floor int64
	free  func(path string) (int64, error)
}

// DefaultFloor is how much of the disk is left alone, so that the database and
// everything else on the machine go on.
const DefaultFloor = 512 << 20

// NewFolder answers the folder, which is made with its first file. floor bytes of
// its disk stay free.
func NewFolder(root string, floor int64) *Folder {
	return &Folder{root: root, floor: floor, free: freeSpace}
}

// sniffed is how much of the beginning tells what a file is.
const sniffed = 4 << 10

// Put keeps what r gives under a new id, durably. Errors: Invalid file_empty,
// file_type, file_too_large; Unavailable disk_full; those of r.
func (f *Folder) Put(ctx context.Context, r io.Reader, name string, want school.Upload) (school.File, error) {
	file := school.File{ID: school.NewFileID(), Name: school.NewFileName(name)}
	if err := os.MkdirAll(f.root, 0o700); err != nil {
		return file, fmt.Errorf("make the folder of files: %w", err)
	}
	if err := f.checkRoom(); err != nil {
		return file, err
	}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	switch {
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
		return file, err
	case n == 0:
		return file, school.ErrFileEmpty
	}
	if file.MediaType = mimetype.Detect(head).String(); !want.Accepts(file.MediaType) {
		return file, school.ErrFileType.With("type", file.MediaType)
	}
	path := f.path(file.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return file, err
	}
	if err := f.write(ctx, &file, path, head, r, want.MaxMB<<20); err != nil {
		return file, errors.Join(err, ignoreGone(os.Remove(path+partial)))
	}
	return file, nil
}

// partial ends the name of a file that is not whole yet.
const partial = ".part"

func (f *Folder) write(ctx context.Context, file *school.File, path string, head []byte, r io.Reader, limit int64) error {
	out, err := os.OpenFile(path+partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	room := &roomyWriter{ctx: ctx, folder: f, to: io.MultiWriter(out, sum)}
	if _, err = room.Write(head); err == nil {
		file.Size, err = io.Copy(room, io.LimitReader(r, limit+1-int64(len(head))))
		file.Size += int64(len(head))
	}
	if err == nil && file.Size > limit {
		err = school.ErrFileTooLarge.With("megabytes", fmt.Sprint(limit>>20))
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	file.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := os.Rename(path+partial, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// roomyWriter looks after the room on the disk while it writes, and stops when
// nobody waits any more.
type roomyWriter struct {
	ctx     context.Context
	folder  *Folder
	to      io.Writer
	unasked int64
}

// askEvery is how much is written between two looks at the disk.
const askEvery = 16 << 20

func (w *roomyWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	if w.unasked += int64(len(p)); w.unasked > askEvery {
		w.unasked = 0
		if err := w.folder.checkRoom(); err != nil {
			return 0, err
		}
	}
	return w.to.Write(p)
}

func (f *Folder) checkRoom() error {
	free, err := f.free(f.root)
	if err != nil {
		return fmt.Errorf("ask for the room on the disk: %w", err)
	}
	if free < f.floor {
		return school.ErrDiskFull
	}
	return nil
}

// Open answers the contents, from the first byte. Errors: NotFound.
func (f *Folder) Open(id school.FileID) (io.ReadSeekCloser, error) {
	file, err := os.Open(f.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, school.ErrNotFound
	}
	return file, err
}

// VideoSeconds answers how long a video is, rounded up; 0 when the file does not
// say it in a way that we read, which is MP4's. Errors: NotFound.
func (f *Folder) VideoSeconds(id school.FileID) (int, error) {
	file, err := f.Open(id)
	if err != nil {
		return 0, err
	}
	seconds := mp4Seconds(file)
	if seconds > school.MaxVideoSeconds {
		seconds = 0
	}
	return seconds, file.Close()
}

// Delete takes a file away; one that is gone is no error.
func (f *Folder) Delete(id school.FileID) error { return ignoreGone(os.Remove(f.path(id))) }

// Each calls fn with every file that is older than before, whole or not.
func (f *Folder) Each(before time.Time, fn func(id school.FileID) error) error {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return ignoreGone(err) // nobody has sent anything yet
	}
	walk := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreGone(err)
		}
		info, err := d.Info()
		if err != nil || info.ModTime().After(before) {
			return ignoreGone(err)
		}
		if filepath.Ext(path) == partial { // its sender is long gone
			return ignoreGone(root.Remove(path))
		}
		id, err := school.ParseFileID(d.Name())
		if err != nil { // not one of ours
			return nil //nolint:nilerr // and so left alone
		}
		return fn(id)
	}
	return errors.Join(fs.WalkDir(root.FS(), ".", walk), root.Close())
}

// path spreads the files over folders by the first letters of their ids.
func (f *Folder) path(id school.FileID) string {
	return filepath.Join(f.root, string(id[:2]), string(id))
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// syncFolder makes a new name in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a folder of ours
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
