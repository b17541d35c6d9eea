package files_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tripwire/internal/files"
	"tripwire/internal/school"
)

var anyText = school.Upload{MaxMB: 1, Types: []string{"text/plain"}}

// onDisk lists the files under a folder.
func onDisk(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

func TestWhatComesOutIsWhatWentIn(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "files")
	f := files.NewFolder(root, 0)
	text := strings.Repeat("Ғылым ", 20_000)
	kept, err := f.Put(t.Context(), strings.NewReader(text), "../a.txt", anyText)
	if err != nil || kept.Size != int64(len(text)) || kept.Name != "a.txt" || len(kept.SHA256) != 64 {
		t.Fatalf("%+v, %v", kept, err)
	}
	r, err := f.Open(kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || string(got) != text {
		t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
	}
	for _, path := range onDisk(t, root) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || strings.Contains(path, "a.txt") {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	for range 2 {
		if err := f.Delete(kept.ID); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := f.Open(kept.ID); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("a deleted file: %v", err)
	}
}

// broken gives some bytes and then an error, as a sender does who leaves.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrClosedPipe
	}
	return n, err
}

// TestWhatIsRefusedLeavesNothing on the disk.
func TestWhatIsRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "files")
	f := files.NewFolder(root, 0)
	for name, c := range map[string]struct {
		content io.Reader
		want    error
	}{
		"empty":            {strings.NewReader(""), school.ErrFileEmpty},
		"another kind":     {bytes.NewReader([]byte("\x89PNG\r\n\x1a\n0000000000000000")), school.ErrFileType},
		"a page":           {strings.NewReader("<!doctype html><p>x"), school.ErrFileType},
		"too large":        {strings.NewReader(strings.Repeat("x", 1<<20+1)), school.ErrFileTooLarge},
		"cut off early":    {broken{strings.NewReader("some words")}, io.ErrClosedPipe},
		"cut off midway":   {broken{strings.NewReader(strings.Repeat("x", 100_000))}, io.ErrClosedPipe},
		"larger than told": {io.MultiReader(strings.NewReader("text "), strings.NewReader(strings.Repeat("y", 2<<20))), school.ErrFileTooLarge},
	} {
		if _, err := f.Put(t.Context(), c.content, "a.txt", anyText); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := f.Put(t.Context(), strings.NewReader(strings.Repeat("x", 1<<20)), "a.txt", anyText); err != nil {
		t.Errorf("exactly as large as it may be: %v", err)
	}
	if left := onDisk(t, root); len(left) != 1 {
		t.Errorf("left on the disk: %v", left)
	}
}

// TestTheDiskIsNotFilled: the rest of the machine keeps its room.
func TestTheDiskIsNotFilled(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	f := files.NewFolder(root, math.MaxInt64)
	if _, err := f.Put(t.Context(), strings.NewReader("words"), "a.txt", anyText); !errors.Is(err, school.ErrDiskFull) {
		t.Errorf("kept on a full disk: %v", err)
	}
	if left := onDisk(t, root); len(left) != 0 {
		t.Errorf("left on the disk: %v", left)
	}
}

// TestLeftoversAreFound: what a killed server was receiving goes, what is not ours
// stays, and fresh files are left alone.
func TestLeftoversAreFound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	f := files.NewFolder(root, 0)
	kept, err := f.Put(t.Context(), strings.NewReader("words"), "a.txt", anyText)
	if err != nil {
		t.Fatal(err)
	}
	half, other := filepath.Join(root, "ab", "abcdefghijklmnopqrstuvwxyz.part"), filepath.Join(root, "README")
	for _, path := range []string{half, other} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	each := func(before time.Time) (found []school.FileID) {
		if err := f.Each(before, func(id school.FileID) error { found = append(found, id); return nil }); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := each(time.Now().Add(-time.Hour)); len(found) != 0 || len(onDisk(t, root)) != 3 {
		t.Errorf("too early: %v, %v", found, onDisk(t, root))
	}
	if found := each(time.Now().Add(time.Hour)); len(found) != 1 || found[0] != kept.ID {
		t.Errorf("found %v", found)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("somebody else's file: %v", err)
	}
	if err := files.NewFolder(filepath.Join(root, "none"), 0).Each(time.Now(), nil); err != nil {
		t.Errorf("no folder yet: %v", err)
	}
}
