package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// machine is what the figures were measured on.
type machine struct {
	Date       string
	Go         string
	OS         string
	Cores      int
	MemoryGiB  float64
	Filesystem string
	PostgreSQL string
	SQLite     string
}

func describe(ctx context.Context, b *bench) (m machine, err error) {
	m = machine{Date: time.Now().UTC().Format(time.DateOnly), Go: runtime.Version(), Cores: cores(), OS: osName()}
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return m, err
	}
	m.MemoryGiB = float64(info.Totalram) * float64(info.Unit) / (1 << 30)
	if m.Filesystem, err = filesystem(b.dir); err != nil {
		return m, err
	}
	if m.PostgreSQL, err = ask(ctx, "pgx", b.superuser, "SELECT split_part(current_setting('server_version'), ' ', 1)"); err != nil {
		return m, err
	}
	fsync, err := ask(ctx, "pgx", b.superuser, "SELECT current_setting('fsync') || ' ' || current_setting('synchronous_commit')")
	if err == nil && fsync != "on on" {
		err = errors.New("PostgreSQL does not write durably here: start it with fsync and synchronous_commit")
	}
	if err != nil {
		return m, err
	}
	m.SQLite, err = ask(ctx, "sqlite", ":memory:", "SELECT sqlite_version()")
	return m, err
}

func ask(ctx context.Context, driver, source, question string) (answer string, err error) {
	db, err := sql.Open(driver, source)
	if err != nil {
		return "", err
	}
	err = db.QueryRowContext(ctx, question).Scan(&answer)
	return answer, errors.Join(err, db.Close())
}

// kinds are the magic numbers of statfs(2).
var kinds = map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x2fc12fc1: "zfs", 0x794c7630: "overlayfs"}

// filesystem names the kind that the databases stand on, and refuses one that
// forgets.
func filesystem(dir string) (string, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return "", err
	}
	if s.Type == 0x01021994 {
		return "", fmt.Errorf("%s is in memory: set TMPDIR to a folder on a disk", dir)
	}
	if name := kinds[s.Type]; name != "" {
		return name, nil
	}
	return fmt.Sprintf("kind %#x", s.Type), nil
}

func osName() string {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return runtime.GOOS
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, ok := strings.CutPrefix(s.Text(), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return runtime.GOOS
}
