//go:build unix

package files

import "golang.org/x/sys/unix"

// freeSpace answers how many bytes an ordinary user may still write where path
// lies.
func freeSpace(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:gosec,unconvert // sizes differ between systems
}
