package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// build makes the stripped binary that people get, once.
func (b *bench) build(ctx context.Context) (string, error) {
	binary := filepath.Join(b.dir, "tripwire")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "tripwire/cmd/tripwire") //nolint:gosec // our own program
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, nil
}

// process is the built binary serving a database.
type process struct {
	*place
	command *exec.Cmd
	started time.Time
}

func (b *bench) start(ctx context.Context, d database) (*process, error) {
	binary, err := b.build(ctx)
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, binary, "serve") //nolint:gosec // our own program
	c.Env = append(os.Environ(), "TRIPWIRE_ADDR="+addr, "TRIPWIRE_DATA="+filepath.Dir(d.File))
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	p := &process{place: &place{addr: addr}, command: c, started: time.Now()}
	return p, c.Start()
}

func (p *process) stop() error {
	return errors.Join(p.command.Process.Signal(syscall.SIGTERM), p.command.Wait())
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// firstAnswers waits for the first answer of all and for the first page, and
// says how long after the start each came.
func (p *process) firstAnswers(ctx context.Context) (alive, login time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := dial(ctx, p.addr)
	for err != nil {
		select {
		case <-ctx.Done():
			return 0, 0, errors.Join(err, ctx.Err())
		case <-time.After(500 * time.Microsecond):
			c, err = dial(ctx, p.addr)
		}
	}
	defer c.close()
	if err := c.get("/livez"); err != nil {
		return 0, 0, err
	}
	alive = time.Since(p.started)
	err = c.get("/login")
	return alive, time.Since(p.started), err
}

// memory reads a line such as VmRSS or VmHWM of the process, in bytes.
func (p *process) memory(line string) (float64, error) {
	return statusLine(strconv.Itoa(p.command.Process.Pid), line)
}

func statusLine(process, line string) (float64, error) {
	f, err := os.Open("/proc/" + process + "/status") //nolint:gosec // a number of ours, or self
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		rest, ok := strings.CutPrefix(s.Text(), line+":")
		if !ok {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 64)
		return kib * 1024, err
	}
	return 0, errors.New("the process has no " + line)
}
