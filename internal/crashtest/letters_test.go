package crashtest

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// farEnd is a mail server that stops at a step of its next conversation, once, and
// says so; otherwise it takes every letter.
type farEnd struct {
	url     string
	reached chan struct{}
	mu      sync.Mutex
	step    string
	before  func()         // what is done before the answer to a letter, at the step "settle"
	copies  map[string]int // by Message-ID and recipient
}

// The steps at which a letter can be interrupted.
const (
	atGreeting = "claimed, before a word is said"
	atData     = "amid the letter"
	atAnswer   = "the letter is whole, before the answer"
	atSettle   = "answered, before it is kept"
)

func openFarEnd(t *testing.T) *farEnd {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &farEnd{url: "smtp://" + l.Addr().String(), reached: make(chan struct{}, 1), copies: map[string]int{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				f.talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return f
}

func (f *farEnd) stopAt(step string, before func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.step, f.before = step, before
}

// stopsAt reports whether this is the step, which then is over.
func (f *farEnd) stopsAt(step string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.step != step {
		return false
	}
	f.step = ""
	return true
}

// talk is one conversation; the near end keeps it for the letters that follow.
func (f *farEnd) talk(conn net.Conn) {
	lines := bufio.NewReader(conn)
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
	stop := func() {
		f.reached <- struct{}{}
		_, _ = io.Copy(io.Discard, lines) // until the process is dead
	}
	if f.stopsAt(atGreeting) {
		stop()
		return
	}
	say("220 far.example ESMTP")
	var to string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, rest, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
		case "EHLO":
			say("250-far.example\r\n250 8BITMIME")
		case "RCPT":
			to = rest
			say("250 yes")
		case "DATA":
			say("354 go on")
			if f.stopsAt(atData) {
				_, _ = lines.ReadString('\n')
				stop()
				return
			}
			if !f.hear(lines, to) {
				return
			}
			if f.stopsAt(atAnswer) {
				stop()
				return
			}
			if f.stopsAt(atSettle) {
				f.before()
				say("250 taken")
				stop()
				return
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

// hear takes a letter; false when its end did not come.
func (f *farEnd) hear(lines *bufio.Reader, to string) bool {
	var id string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.copies[id+" "+to]++
			return true
		}
		if rest, ok := strings.CutPrefix(line, "Message-ID: "); ok {
			id = strings.TrimSpace(rest)
		}
	}
}

func (f *farEnd) taken(id, to string) (copies, others int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, n := range f.copies {
		switch {
		case key == id+" TO:<"+to+">":
			copies += n
		case strings.Contains(key, "<"+to+">"):
			others += n
		}
	}
	return copies, others
}

// heldLetters keeps everybody else from changing letters until release.
func heldLetters(t *testing.T, target storetest.Target, db *sql.DB) (release func()) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"BEGIN IMMEDIATE"}
	if target.Engine == "postgres" {
		statements = []string{"BEGIN", "LOCK TABLE letters IN EXCLUSIVE MODE"}
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	return func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		if errClose := conn.Close(); err != nil || errClose != nil {
			t.Errorf("release: %v, %v", err, errClose)
		}
	}
}

type rowOfLetter struct {
	state, id string
	attempts  int
}

func letterTo(t *testing.T, db *sql.DB, email string) (l rowOfLetter) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT state, coalesce(message_id, ''), attempts FROM letters WHERE email = $1", email).Scan(&l.state, &l.id, &l.attempts); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestKilledWhileALetterLeaves: at whatever step, the letter is sent after the
// restart, counts once, and whoever gets it twice gets the same one.
func TestKilledWhileALetterLeaves(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		far := openFarEnd(t)
		p := on(target)
		p.env = append(p.env, "TRIPWIRE_SMTP_URL="+far.url, "TRIPWIRE_MAIL_FROM=School <school@school.example>")
		p.run(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=admin", "--password-stdin")
		transport := &http.Transport{}
		d := &desk{client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
		t.Cleanup(transport.CloseIdleConnections)
		s := p.serve(t)
		res, said, err := d.post(t.Context(), s.url+"/login", url.Values{"email": {"a@example.com"}, "password": {"correct horse"}})
		if err != nil || res.StatusCode != http.StatusSeeOther {
			t.Fatalf("log in: %v %s", err, said)
		}
		d.cookie, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
		db := target.Raw(t)
		for n, step := range []string{atGreeting, atData, atAnswer, atSettle} {
			release := func() {}
			far.stopAt(step, func() { release = heldLetters(t, target, db) })
			email := fmt.Sprintf("s%d@example.com", n)
			form := url.Values{"full_name": {"Student"}, "email": {email}, "access": {"link"}, "form_key": {school.NewToken()}}
			if res, said, err := d.post(t.Context(), s.url+"/integrator/students", form); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v %s", step, err, said)
			}
			soon(t, step, far.reached)
			s.kill()
			release()
			transport.CloseIdleConnections()
			dead := letterTo(t, db, email)
			before, _ := far.taken(dead.id, email)
			if step != atSettle && dead.state != "sending" || dead.id == "" || dead.attempts != 1 {
				t.Errorf("%s: after the kill %+v", step, dead)
			}
			if want := map[string]int{atAnswer: 1, atSettle: 1}[step]; before != want {
				t.Errorf("%s: %d copies before the restart, want %d", step, before, want)
			}
			// The lease is two minutes that a test does not wait.
			if _, err := db.ExecContext(t.Context(), "UPDATE letters SET due_at = queued_at WHERE state = 'sending'"); err != nil {
				t.Fatal(err)
			}
			s = p.serve(t)
			within(t, step, func() bool { return letterTo(t, db, email).state == "accepted" })
			now := letterTo(t, db, email)
			copies, others := far.taken(now.id, email)
			if now.id != dead.id || copies < 1 || copies > 2 || copies > before+1 || others != 0 {
				t.Errorf("%s: %d copies and %d other letters, %+v was %+v", step, copies, others, now, dead)
			}
			var sent int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM activity WHERE action = 'letter.sent'").Scan(&sent); err != nil || sent != n+1 {
				t.Errorf("%s: the history tells of %d letters, %v", step, sent, err)
			}
		}
		p.run(t, "", "doctor")
	})
}

// longEnough is how long anything that has to happen is waited for.
const longEnough = time.Minute

func soon(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(longEnough):
		t.Fatalf("%s: it never came to this", what)
	}
}

func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(longEnough)
	for !so() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%s: it never came about", what)
		}
	}
}

// TestTwoProcessesShareAThousandLetters, on the engine that several servers can share:
// each letter leaves once, by one of them, and both have their part.
func TestTwoProcessesShareAThousandLetters(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	p := on(target)
	p.run(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=admin", "--password-stdin")
	db := target.Raw(t)
	const letters = 1000
	var ends []*farEnd
	for range 2 {
		far := openFarEnd(t)
		ends = append(ends, far)
		one := program{append(slices.Clone(p.env), "TRIPWIRE_SMTP_URL="+far.url, "TRIPWIRE_MAIL_FROM=School <school@school.example>")}
		one.serve(t)
	}
	// They are due when both have looked for when that will be.
	for _, statement := range []string{
		"UPDATE mail_settings SET domain_per_minute = 0",
		fmt.Sprintf(`INSERT INTO letters (user_id, kind, email, domain, queued_at, due_at)
			SELECT u.id, 'email_changed', 's' || n || '@d' || n %% 50 || '.example', 'd' || n %% 50 || '.example', now(), now() + interval '7 seconds' FROM users u, generate_series(1, %d) n`, letters),
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	within(t, "all letters have left", func() bool {
		var left int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM letters WHERE state <> 'accepted'").Scan(&left); err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
	copies := map[string]int{}
	for _, far := range ends {
		far.mu.Lock()
		if len(far.copies) == 0 {
			t.Error("one of the processes has sent nothing")
		}
		for letter, n := range far.copies {
			copies[letter] += n
		}
		far.mu.Unlock()
	}
	if len(copies) != letters {
		t.Errorf("%d letters have left", len(copies))
	}
	for letter, n := range copies {
		if n != 1 {
			t.Errorf("%d copies of %s", n, letter)
		}
	}
}
