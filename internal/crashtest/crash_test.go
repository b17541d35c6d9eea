// Package crashtest kills the real server in the middle of its work and looks at
// what is left.
package crashtest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tripwire-crashtest-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "tripwire")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "tripwire/cmd/tripwire")
	if said, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, said)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// program is the built binary with its settings.
type program struct{ env []string }

func on(target storetest.Target) program {
	mine := func(entry string) bool { return strings.HasPrefix(entry, "TRIPWIRE_") } // whoever runs the tests has a desk of their own
	return program{append(slices.DeleteFunc(os.Environ(), mine), "TRIPWIRE_DATA="+target.Folder, "TRIPWIRE_DATABASE_URL="+target.Options.URL)}
}

func (p program) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...)
	c.Env = p.env
	return c
}

// run is one call of the program, which has to work.
func (p program) run(t *testing.T, stdin string, args ...string) {
	t.Helper()
	c := p.command(t, args...)
	c.Stdin = strings.NewReader(stdin)
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("tripwire %q: %v\n%s", args, err, said)
	}
}

// server is a running one.
type server struct {
	process *exec.Cmd
	url     string
	said    *bytes.Buffer
	drained chan struct{}
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func (p program) serve(t *testing.T) *server {
	t.Helper()
	s := &server{process: p.command(t, "serve", "--addr=127.0.0.1:0"), said: &bytes.Buffer{}, drained: make(chan struct{})}
	s.process.Stderr = s.said
	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if s.url = address.FindString(line); err != nil || s.url == "" {
		s.kill()
		t.Fatalf("the server said %q, %v\n%s", line, err, s.said)
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(s.drained)
	}()
	return s
}

// kill is kill -9. Killing the dead is no harm.
func (s *server) kill() {
	_ = s.process.Process.Kill()
	if s.drained != nil && s.url != "" {
		<-s.drained
	}
	_ = s.process.Wait()
}

// desk is a sales manager with a cookie that outlives the servers.
type desk struct {
	client *http.Client
	cookie string
}

func (d *desk) post(ctx context.Context, to string, form url.Values) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("HX-Request", "true")
	if d.cookie != "" {
		r.Header.Set("Cookie", d.cookie)
	}
	res, err := d.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// clients is how many people press «Create» at once.
const clients = 8

// round is what happened until the server was killed.
type round struct {
	answered []url.Values // seen to have worked
	open     []url.Values // sent, and never answered
}

// stream creates students until the answer that kills the server.
func (d *desk) stream(t *testing.T, s *server, number, last int) (happened round) {
	t.Helper()
	var mu sync.Mutex
	var crowd sync.WaitGroup
	for client := range clients {
		crowd.Go(func() {
			for i := 0; ; i++ {
				form := url.Values{
					"full_name": {fmt.Sprintf("Student %d of client %d", i, client)}, "email": {fmt.Sprintf("r%d-c%d-%d@example.com", number, client, i)},
					"access": {"link"}, "form_key": {school.NewToken()},
				}
				res, _, err := d.post(t.Context(), s.url+"/integrator/students", form)
				mu.Lock()
				if err != nil { // the server is gone
					happened.open = append(happened.open, form)
					mu.Unlock()
					return
				}
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s: %d", form.Get("email"), res.StatusCode)
				}
				happened.answered = append(happened.answered, form)
				if len(happened.answered) == last {
					_ = s.process.Process.Kill()
				}
				mu.Unlock()
			}
		})
	}
	crowd.Wait()
	s.kill()
	return happened
}

// TestKilledInTheMiddle: whatever was answered is there after kill -9, whatever
// is there is whole, and a form without an answer can simply be sent again.
func TestKilledInTheMiddle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := on(target)
		p.run(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=admin", "--password-stdin")
		transport := &http.Transport{MaxIdleConnsPerHost: clients}
		d := &desk{client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
		s := p.serve(t)
		res, said, err := d.post(t.Context(), s.url+"/login", url.Values{"email": {"a@example.com"}, "password": {"correct horse"}})
		if err != nil || res.StatusCode != http.StatusSeeOther {
			t.Fatalf("log in: %v %s", err, said)
		}
		d.cookie, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")

		db := target.Raw(t)
		students := 0
		for number, last := range []int{1, 17, 40, 83, 150} {
			happened := d.stream(t, s, number, last)
			transport.CloseIdleConnections()
			s = p.serve(t)
			present := enrolled(t, db)
			for _, form := range happened.answered {
				if !present[form.Get("email")] {
					t.Errorf("round %d: %s was answered and is not there", number, form.Get("email"))
				}
			}
			if most := students + len(happened.answered) + len(happened.open); len(present) > most {
				t.Errorf("round %d: %d students, and only %d were ever sent", number, len(present), most)
			}
			wantWhole(t, db, number)
			p.run(t, "", "doctor")

			for _, form := range happened.open {
				res, said, err := d.post(t.Context(), s.url+"/integrator/students", form)
				if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(said, "/access/") {
					t.Errorf("round %d: %s sent again: %v %s", number, form.Get("email"), err, said)
				}
			}
			students += len(happened.answered) + len(happened.open)
			if n := len(enrolled(t, db)); n != students {
				t.Errorf("round %d: %d students, want %d", number, n, students)
			}
			wantWhole(t, db, number)
			t.Logf("round %d: %d answered, %d open, of which %d were there", number, len(happened.answered), len(happened.open),
				len(present)+len(happened.open)-students)
		}
		p.run(t, "", "doctor")
	})
}

func enrolled(t *testing.T, db *sql.DB) map[string]bool {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT email FROM tripwire_users")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]bool{}
	for rows.Next() {
		var email string
		if err := rows.Scan(&email); err != nil {
			t.Fatal(err)
		}
		all[email] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// wantWhole looks for a part of a student without the rest.
func wantWhole(t *testing.T, db *sql.DB, number int) {
	t.Helper()
	for what, query := range map[string]string{
		"account without an enrolment":   "SELECT count(*) FROM users u WHERE u.role = 'student' AND NOT EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = u.id AND t.email = u.email)",
		"enrolment without its unlock":   "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM module_unlocks m WHERE m.user_id = t.user_id AND m.module_id = 16)",
		"enrolment without its history":  "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM activity a WHERE a.subject_id = t.user_id AND a.action = 'student.created')",
		"enrolment without its letter":   "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM letters l WHERE l.user_id = t.user_id)",
		"enrolment without its link":     "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM access_links l WHERE l.user_id = t.user_id)",
		"enrolment without its form key": "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM form_keys f WHERE CAST(f.result_id AS TEXT) = CAST(t.user_id AS TEXT))",
		"unlock without its enrolment":   "SELECT count(*) FROM module_unlocks m WHERE NOT EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = m.user_id)",
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n > 0 {
			t.Errorf("round %d: %d × %s, %v", number, n, what, err)
		}
	}
}
