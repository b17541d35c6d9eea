package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// database is an empty one of either engine, and the terminal beside it.
type database struct {
	engine string
	dir    string // of SQLite
	url    string // of PostgreSQL
}

func emptySQLite(t *testing.T) database {
	t.Helper()
	return database{engine: "sqlite", dir: t.TempDir()}
}

func emptyPostgres(t *testing.T) database {
	t.Helper()
	return database{engine: "postgres", dir: t.TempDir(), url: storetest.EmptyPostgres(t)}
}

// command is the binary with this database; no other setting gets in.
func (d database) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "TRIPWIRE_") })
	cmd.Env = append(cmd.Env, "TRIPWIRE_DATA="+d.dir, "TRIPWIRE_DATABASE_URL="+d.url)
	return cmd
}

// said is what a command printed and how it ended.
type said struct {
	out, err string
	code     int
}

// run runs a command to its end.
func (d database) run(t *testing.T, stdin string, args ...string) said {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := d.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		t.Fatalf("tripwire %v: %v\n%s%s", args, err, out.String(), errs.String())
	}
	return said{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// raw is the database as somebody with a tool of their own sees it.
func (d database) raw(t *testing.T) *sql.DB {
	t.Helper()
	o := store.Options{URL: d.url}
	if d.url == "" {
		o.File = d.dir + "/tripwire.db"
	}
	return storetest.Target{Engine: d.engine, Options: o}.Raw(t)
}

// hire adds a member of staff from the terminal.
func (d database) hire(t *testing.T, p person, role string) {
	t.Helper()
	got := d.run(t, p.password+"\n", "staff", "add", "--email", p.email, "--name", p.name, "--role", role, "--password-stdin")
	if got.code != 0 {
		t.Fatalf("staff add %s: exit %d: %s", p.email, got.code, got.err)
	}
}

// server is the running binary.
type server struct {
	database
	base     string // "http://127.0.0.1:12345"
	cmd      *exec.Cmd
	out, err *tape
	ended    chan error
	stopped  bool
	// Trouble is a regular expression for lines of the log that are errors and
	// meant to be there.
	trouble string
}

// tape keeps what a process prints and tells when it printed.
type tape struct {
	mu      sync.Mutex
	text    bytes.Buffer
	printed chan struct{}
}

func newTape() *tape { return &tape{printed: make(chan struct{}, 1)} }

func (l *tape) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.printed <- struct{}{}:
	default:
	}
	return l.text.Write(b)
}

func (l *tape) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var announced = regexp.MustCompile(`(?m)^Tripwire is at (http://\S+)\n`)

// serve starts the binary and waits until it says where it is.
func (d database) serve(t *testing.T) *server {
	t.Helper()
	return d.serveAt(t, "127.0.0.1:0")
}

// serveAt is serve at a given address.
func (d database) serveAt(t *testing.T, address string) *server {
	t.Helper()
	s := &server{database: d, out: newTape(), err: newTape(), ended: make(chan error, 1)}
	s.cmd = d.command(context.WithoutCancel(t.Context()), "serve", "--addr", address)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.err
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() { s.stop(t) })
	deadline := time.After(patience)
	for s.base == "" {
		select {
		case <-s.out.printed:
			if found := announced.FindStringSubmatch(s.out.String()); found != nil {
				s.base = found[1]
			}
		case err := <-s.ended:
			s.stopped = true
			t.Fatalf("the server ended before it served: %v\n%s%s", err, s.out, s.err)
		case <-deadline:
			t.Fatalf("the server does not say where it is:\n%s%s", s.out, s.err)
		}
	}
	return s
}

var errorLine = regexp.MustCompile(`(?m)^.*(level=ERROR|panic:|DATA RACE).*$`)

// stop ends the server as an init system does, and checks that it went in peace
// and had nothing to complain about.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.stopped {
		return
	}
	s.stopped = true
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop the server: %v", err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the server does not stop at SIGTERM")
		_ = s.cmd.Process.Kill()
	}
	for _, line := range errorLine.FindAllString(s.err.String(), -1) {
		if s.trouble == "" || !regexp.MustCompile(s.trouble).MatchString(line) {
			t.Errorf("the server's log: %s", line)
		}
	}
	if t.Failed() {
		keep(t, "server.log", []byte(s.out.String()+"\n"+s.err.String()))
	}
}
