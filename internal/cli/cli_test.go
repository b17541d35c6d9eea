package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tripwire/internal/cli"
	"tripwire/internal/store/storetest"
)

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() { // whoever runs the tests may have a desk of their own
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "TRIPWIRE_") && name != storetest.PostgresVariable {
			_ = os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// place says where the rows of a test live, as a person would: in the
// environment.
type place []string

func at(target storetest.Target) place {
	return place{"TRIPWIRE_DATA=" + target.Folder, "TRIPWIRE_DATABASE_URL=" + target.Options.URL}
}

// result is what a command left behind.
type result struct {
	code     int
	out, err string
}

// run is one call of the program, to its end.
func (p place) run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, err := printed{began: cancel}, bytes.Buffer{}
	code := cli.Main(ctx, args, cli.IO{In: strings.NewReader(stdin), Out: &out, Err: &err, Env: p})
	return result{code, out.String(), err.String()}
}

// printed ends a server that was expected to refuse to start.
type printed struct {
	bytes.Buffer
	began func()
}

func (p *printed) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("Tripwire is at ")) {
		p.began()
	}
	return p.Buffer.Write(b)
}

// must is run for what has to work.
func (p place) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := p.run(t, stdin, args...)
	if r.code != 0 {
		t.Fatalf("%q: exit %d, %s", args, r.code, r.err)
	}
	return r.out
}

func TestHelpNamesEverything(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {}} {
		r := place{}.run(t, "", args...)
		for _, command := range []string{"serve", "demo", "staff add", "staff list", "staff disable", "staff reset", "doctor", "migrate", "bench seed", "version"} {
			if r.code != 0 || !strings.Contains(r.out, command) {
				t.Errorf("%q: exit %d, %s is not named:\n%s", args, r.code, command, r.out)
			}
		}
		if r.err != "" {
			t.Errorf("%q: told %s", args, r.err)
		}
	}
	r := place{}.run(t, "", "serve", "--help")
	for _, setting := range []string{"DATA", "DATABASE_URL", "ADDR", "BASE_URL", "TRUSTED_PROXIES", "HASH_MEMORY", "LOG_FORMAT"} {
		flag := "--" + strings.ReplaceAll(strings.ToLower(setting), "_", "-")
		if r.code != 0 || !strings.Contains(r.out, flag) || !strings.Contains(r.out, "TRIPWIRE_"+setting) {
			t.Errorf("%s and TRIPWIRE_%s are not both named:\n%s", flag, setting, r.out)
		}
	}
	for _, args := range [][]string{{"sing"}, {"serve", "--loud"}, {"staff"}, {"staff", "add"}, {"demo", "--students=many"}} {
		if r := (place{}).run(t, "", args...); r.code != 2 || !strings.Contains(r.err, "tripwire: ") {
			t.Errorf("%q: exit %d, %s", args, r.code, r.err)
		}
	}
}

func TestTheVersion(t *testing.T) {
	t.Parallel()
	if r := (place{}).run(t, "", "version"); r.code != 0 || !regexp.MustCompile(`^tripwire \S+ go1\.\d+\S*\n$`).MatchString(r.out) {
		t.Errorf("exit %d, %q", r.code, r.out)
	}
}

// TestEveryWrongSettingIsToldAtOnce: nobody mends seven settings in seven
// starts. By flag or by variable the sentences are the same.
func TestEveryWrongSettingIsToldAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{
		"data": file, "addr": "nonsense", "base-url": "ftp://school.example/desk", "trusted-proxies": "10.0.0.0/8,nope",
		"hash-memory": "1", "log-format": "xml",
	}
	var flags []string
	var variables place
	for name, value := range wrong {
		flags = append(flags, "--"+name+"="+value)
		variables = append(variables, variable(name)+"="+value)
	}
	for _, command := range []string{"serve", "demo"} {
		args, env := flags, variables
		if command == "demo" { // has its own database
			args, env = without(flags, "--data="), without(variables, "TRIPWIRE_DATA=")
		}
		mistyped := "TRIPWIRE_ADR=:8080"
		byFlag := place{mistyped, "HOME=/"}.run(t, "", append([]string{command}, args...)...)
		byVariable := append(env, mistyped).run(t, "", command)
		if byFlag != byVariable {
			t.Errorf("%s: by flag\n%sby variable\n%s", command, byFlag.err, byVariable.err)
		}
		if byFlag.code != 1 || byFlag.out != "" {
			t.Errorf("%s: exit %d, %s", command, byFlag.code, byFlag.out)
		}
		names := []string{"TRIPWIRE_ADR "}
		for _, arg := range args {
			name, _, _ := strings.Cut(arg, "=")
			names = append(names, name+" ", variable(strings.TrimPrefix(name, "--"))+")")
		}
		for _, name := range names {
			if strings.Count(byFlag.err, name) != 1 {
				t.Errorf("%s: %q is not named once in\n%s", command, name, byFlag.err)
			}
		}
	}
	for _, args := range [][]string{{"doctor"}, {"migrate"}, {"staff", "list"}} {
		r := place{"TRIPWIRE_DATA=" + file, "TRIPWIRE_DATABSE_URL=x"}.run(t, "", args...)
		if r.code != 1 || !strings.Contains(r.err, "TRIPWIRE_DATA)") || !strings.Contains(r.err, "TRIPWIRE_DATABSE_URL") {
			t.Errorf("%q: exit %d, %s", args, r.code, r.err)
		}
		r = place{}.run(t, "", append(args, "--database-url=mysql://tripwire:hunter2@db/desk")...)
		if r.code != 1 || !strings.Contains(r.err, "--database-url") || strings.Contains(r.err, "hunter2") {
			t.Errorf("%q: exit %d, %s", args, r.code, r.err)
		}
		r = place{}.run(t, "", append(args, "--data=")...)
		if r.code != 1 || !strings.Contains(r.err, "--data") {
			t.Errorf("%q with no folder: exit %d, %s", args, r.code, r.err)
		}
	}
	for _, students := range []string{"0", "-1", "200001"} {
		if r := (place{}).run(t, "", "demo", "--students="+students); r.code != 1 || !strings.Contains(r.err, "--students") {
			t.Errorf("demo for %s: exit %d, %s", students, r.code, r.err)
		}
	}
}

func variable(flag string) string {
	return "TRIPWIRE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func without(all []string, prefix string) (rest []string) {
	for _, s := range all {
		if !strings.HasPrefix(s, prefix) {
			rest = append(rest, s)
		}
	}
	return rest
}

// TestAFlagWinsOverItsVariable, and does what the variable does.
func TestAFlagWinsOverItsVariable(t *testing.T) {
	t.Parallel()
	a, b := storetest.SQLite(t), storetest.SQLite(t)
	at(a).must(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=sales", "--password-stdin")
	at(b).must(t, "correct horse\n", "staff", "add", "--email=b@example.com", "--name=B", "--role=sales", "--password-stdin")
	folder := "--data=" + filepath.Dir(b.Options.File)
	for name, list := range map[string]string{
		"flag":           place{}.must(t, "", "staff", "list", folder),
		"flag before":    place{}.must(t, "", "staff", folder, "list"),
		"variable":       at(b).must(t, "", "staff", "list"),
		"both":           at(a).must(t, "", "staff", "list", folder),
		"last of two":    append(at(a), at(b)...).must(t, "", "staff", "list"),
		"wrong variable": place{"TRIPWIRE_DATA=" + a.Options.File}.must(t, "", "staff", "list", folder),
	} {
		if !strings.Contains(list, "b@example.com") || strings.Contains(list, "a@example.com") {
			t.Errorf("%s: %s", name, list)
		}
	}
}

func TestStaffFromTheTerminal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		r := p.run(t, "correct horse\nand more\n", "staff", "add", "--email= Vera@Example.com", "--name=Вера Ким", "--role=admin", "--password-stdin")
		if r.code != 0 || r.out != "added Вера Ким <vera@example.com>, admin\n" || r.err != "" {
			t.Errorf("add: %+v", r)
		}
		r = p.run(t, "", "staff", "add", "--email=boris@example.com", "--name=Борис", "--role=sales")
		made := regexp.MustCompile(`password, shown once: (\S{14})\n`).FindStringSubmatch(r.out)
		if r.code != 0 || made == nil {
			t.Fatalf("add without a password: %+v", r)
		}
		list := p.must(t, "", "staff", "list")
		for _, line := range []string{`vera@example\.com +admin +\d{4}-\d\d-\d\d +active +Вера Ким`, `boris@example\.com +sales .* active +Борис`} {
			if !regexp.MustCompile(line).MatchString(list) {
				t.Errorf("list: %q is not in\n%s", line, list)
			}
		}
		for said, args := range map[string][]string{
			"staff_exists":  {"add", "--email=boris@example.com", "--name=B", "--role=sales"},
			"role_unknown":  {"add", "--email=c@example.com", "--name=C", "--role=boss"},
			"name_required": {"add", "--email=c@example.com", "--name=", "--role=sales"},
			"email_invalid": {"add", "--email=nobody", "--name=C", "--role=sales"},
			"last_admin":    {"disable", "--email=vera@example.com"},
			"not_found":     {"disable", "--email=nobody@example.com"},
		} {
			if r := p.run(t, "", append([]string{"staff"}, args...)...); r.code != 1 || !strings.Contains(r.err, said) || r.out != "" {
				t.Errorf("%q: %+v, want %s", args, r, said)
			}
		}
		if r := p.run(t, "short\n", "staff", "add", "--email=c@example.com", "--name=C", "--role=boss", "--password-stdin"); r.code != 1 ||
			!strings.Contains(r.err, "password=password_too_short") || !strings.Contains(r.err, "role=role_unknown") || strings.Contains(r.err, "short\n") {
			t.Errorf("two faults: %+v", r)
		}
		if out := p.must(t, "", "staff", "disable", "--email=boris@example.com"); out != "disabled boris@example.com\n" {
			t.Errorf("disable: %s", out)
		}
		if list := p.must(t, "", "staff", "list"); !regexp.MustCompile(`boris@example\.com .* disabled`).MatchString(list) {
			t.Errorf("list: %s", list)
		}
		out := p.must(t, "", "staff", "reset", "--email=boris@example.com", "--base-url=https://school.example/")
		link := regexp.MustCompile(`https://school\.example(/access/\S+)`).FindStringSubmatch(out)
		if link == nil || !strings.Contains(p.must(t, "", "staff", "list"), "boris@example.com  sales") {
			t.Fatalf("reset: %s", out)
		}
		s := p.serve(t)
		if code := s.post(t, link[1], url.Values{"password": {"words of my own"}}); code != http.StatusSeeOther {
			t.Errorf("the link: %d", code)
		}
		for word, want := range map[string]int{made[1]: http.StatusUnauthorized, "words of my own": http.StatusSeeOther} {
			if code := s.logIn(t, "boris@example.com", word); code != want {
				t.Errorf("log in: %d, want %d", code, want)
			}
		}
		if code := s.logIn(t, "vera@example.com", "correct horse"); code != http.StatusSeeOther {
			t.Errorf("log in with the password from standard input: %d", code)
		}
		s.stop(t)
	})
}

func TestMigrateSaysFromWhereToWhere(t *testing.T) {
	t.Parallel()
	for engine, p := range map[string]place{
		"sqlite":   {"TRIPWIRE_DATA=" + filepath.Join(t.TempDir(), "a", "b")},
		"postgres": {"TRIPWIRE_DATA=" + t.TempDir(), "TRIPWIRE_DATABASE_URL=" + storetest.EmptyPostgres(t)},
	} {
		nothing := map[string]string{"sqlite": "there is no database at", "postgres": "run: tripwire migrate"}[engine]
		if r := p.run(t, "", "doctor"); r.code != 1 || !strings.Contains(r.out+r.err, nothing) {
			t.Errorf("%s: doctor on nothing: %+v", engine, r)
		}
		to := regexp.MustCompile(`^schema 0 → (\d+)\n$`).FindStringSubmatch(p.must(t, "", "migrate"))
		if to == nil {
			t.Fatalf("%s: migrate does not say where to", engine)
		}
		if again := p.must(t, "", "migrate"); again != fmt.Sprintf("schema %s → %s\n", to[1], to[1]) {
			t.Errorf("%s: again: %s", engine, again)
		}
		if r := p.run(t, "", "doctor"); r.code != 0 {
			t.Errorf("%s: doctor afterwards: %+v", engine, r)
		}
	}
}

func TestDoctorForScripts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		type diagnosis struct {
			Done     []struct{ Check, Problem string }
			Findings []struct{ Check, Problem, Remedy string }
		}
		examine := func(args ...string) (d diagnosis, r result) {
			t.Helper()
			r = p.run(t, "", append([]string{"doctor", "--json"}, args...)...)
			if err := json.Unmarshal([]byte(r.out), &d); err != nil || strings.Contains(r.out, "null") {
				t.Fatalf("%s, %v", r.out, err)
			}
			return d, r
		}
		for _, args := range [][]string{nil, {"--fix"}} {
			if d, r := examine(args...); r.code != 0 || len(d.Findings)+len(d.Done) > 0 {
				t.Errorf("clean %q: %+v", args, r)
			}
		}
		drop := "DROP TRIGGER auto_unlock_first_module_on_user_creation"
		if target.Engine == "postgres" {
			drop += " ON tripwire_users"
		}
		if _, err := target.Raw(t).ExecContext(t.Context(), drop); err != nil {
			t.Fatal(err)
		}
		if d, r := examine(); r.code != 1 || len(d.Findings) != 1 || !strings.Contains(d.Findings[0].Problem, "auto_unlock_first_module_on_user_creation") {
			t.Errorf("without the trigger: %+v", r)
		}
		if r := p.run(t, "", "serve", "--addr=127.0.0.1:0"); r.code != 1 || !strings.Contains(r.err, "auto_unlock_first_module_on_user_creation") || r.out != "" {
			t.Errorf("serve without the trigger: %+v", r)
		}
		if d, r := examine("--fix"); r.code != 0 || len(d.Done) != 1 || len(d.Findings) != 0 {
			t.Errorf("mended: %+v", r)
		}
		if _, r := examine(); r.code != 0 {
			t.Errorf("afterwards: %+v", r)
		}
	})
}

// TestANewerSchemaIsLeftAlone: an old binary says so and touches nothing.
func TestANewerSchemaIsLeftAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		if _, err := target.Raw(t).ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)"); err != nil {
			t.Fatal(err)
		}
		before := target.Dump(t)
		for _, args := range [][]string{{"serve", "--addr=127.0.0.1:0"}, {"migrate"}, {"staff", "list"}} {
			r := at(target).run(t, "", args...)
			if r.code != 1 || r.out != "" || !strings.Contains(r.err, "the database was made by a newer Tripwire; start that version") || !strings.Contains(r.err, "9999") {
				t.Errorf("%q: %+v", args, r)
			}
		}
		for _, args := range [][]string{{"doctor"}, {"doctor", "--fix"}} {
			if r := at(target).run(t, "", args...); r.code != 1 || !strings.Contains(r.out+r.err, "9999") || !strings.Contains(r.out+r.err, "newer") {
				t.Errorf("%q: %+v", args, r)
			}
		}
		if after := target.Dump(t); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("something has changed:\n%v\nwas\n%v", after, before)
		}
	})
}

// serving is a command that runs until it is stopped.
type serving struct {
	url    string
	said   string // up to the address and what came with it
	client *http.Client
	log    *journal
	cancel context.CancelFunc
	ended  chan int
	out    *bufio.Reader
	rest   chan string
}

// journal keeps the log and tells who waits for a line.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
	wait  map[string]chan struct{}
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for word, c := range j.wait {
		if bytes.Contains(p, []byte(word)) {
			close(c)
			delete(j.wait, word)
		}
	}
	return j.lines.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

// line answers a channel that is closed once a line with the word is there.
func (j *journal) line(word string) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := make(chan struct{})
	if strings.Contains(j.lines.String(), word) {
		close(c)
	} else {
		j.wait[word] = c
	}
	return c
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start runs a command that serves and waits until it has said where.
func (p place) start(t *testing.T, args ...string) *serving {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	s := &serving{
		client: &http.Client{
			Transport: &http.Transport{}, Jar: jar,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		log: &journal{wait: map[string]chan struct{}{}}, cancel: cancel, ended: make(chan int, 1), out: bufio.NewReader(in), rest: make(chan string, 1),
	}
	go func() {
		code := cli.Main(ctx, append(args, "--addr=127.0.0.1:0"), cli.IO{In: strings.NewReader(""), Out: out, Err: s.log, Env: p})
		_ = out.Close()
		s.ended <- code
	}()
	for s.url == "" {
		line, err := s.out.ReadString('\n')
		s.said += line
		if strings.HasPrefix(line, "Tripwire is at ") {
			s.url = address.FindString(line)
		}
		if err != nil {
			t.Fatalf("%q ends with %q and %s", args, s.said, s.log)
		}
	}
	together, err := s.out.Peek(s.out.Buffered()) // what was printed in one piece with the address
	if err != nil {
		t.Fatal(err)
	}
	s.said += string(together)
	_, _ = s.out.Discard(len(together))
	go func() {
		rest, _ := io.ReadAll(s.out)
		s.rest <- string(rest)
	}()
	return s
}

func (p place) serve(t *testing.T) *serving {
	t.Helper()
	return p.start(t, "serve")
}

// stop ends the command and answers all that it printed.
func (s *serving) stop(t *testing.T) string {
	t.Helper()
	s.client.CloseIdleConnections()
	s.cancel()
	if code := <-s.ended; code != 0 {
		t.Errorf("exit %d: %s", code, s.log)
	}
	return s.said + <-s.rest
}

func (s *serving) request(t *testing.T, method, path string, form url.Values) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (s *serving) post(t *testing.T, path string, form url.Values) int {
	t.Helper()
	code, _ := s.request(t, http.MethodPost, path, form)
	return code
}

func (s *serving) logIn(t *testing.T, email, word string) int {
	t.Helper()
	return s.post(t, "/login", url.Values{"email": {email}, "password": {word}})
}

// TestTheFirstAdministrator comes in by a link that is printed, once, as long as
// there is none; it stands in no log.
func TestTheFirstAdministrator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		link := regexp.MustCompile(`http://127\.0\.0\.1:\d+(/setup/\S+)`)
		s := p.serve(t)
		said := s.stop(t)
		first := link.FindAllStringSubmatch(said, -1)
		if len(first) != 1 {
			t.Fatalf("printed\n%s", said)
		}
		s = p.serve(t)
		form := url.Values{"full_name": {"Айгүл"}, "email": {"admin@example.com"}, "password": {"correct horse"}}
		if code := s.post(t, first[0][1], form); code != http.StatusNotFound {
			t.Errorf("the link of the start before: %d", code)
		}
		second := link.FindStringSubmatch(s.said)
		if second == nil {
			t.Fatalf("printed\n%s", s.said)
		}
		if code := s.post(t, second[1], form); code != http.StatusSeeOther {
			t.Errorf("the link: %d", code)
		}
		if code, _ := s.request(t, http.MethodGet, "/integrator/settings", nil); code != http.StatusOK {
			t.Errorf("the administrator is not inside: %d", code)
		}
		form.Set("email", "second@example.com")
		if code := s.post(t, second[1], form); code != http.StatusNotFound {
			t.Errorf("the link again: %d", code)
		}
		s.stop(t)
		if log := s.log.String(); strings.Contains(log, strings.TrimPrefix(second[1], "/setup/")) || strings.Contains(log, "correct horse") {
			t.Errorf("the log tells secrets: %s", log)
		}
		if said := p.serve(t).stop(t); link.MatchString(said) || !strings.Contains(said, "Tripwire is at ") {
			t.Errorf("with an administrator, printed\n%s", said)
		}
	})
}

// TestAStopFinishesWhatHasBegun: a form that is on its way when the server is
// told to stop is read, written and answered.
func TestAStopFinishesWhatHasBegun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		p.must(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=sales", "--password-stdin")
		s := p.serve(t)
		if code := s.logIn(t, "a@example.com", "correct horse"); code != http.StatusSeeOther {
			t.Fatal(code)
		}
		base, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", base.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		form := url.Values{"full_name": {"Last One"}, "email": {"last@example.com"}, "access": {"link"}}.Encode()
		_, _ = fmt.Fprintf(conn, "POST /integrator/students HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nExpect: 100-continue\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", base.Host, s.client.Jar.Cookies(base)[0], len(form))
		answer := bufio.NewReader(conn)
		if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q, %v", line, err)
		}
		if _, err := answer.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		stopping := s.log.line("stopping")
		s.client.CloseIdleConnections()
		s.cancel()
		<-stopping
		if _, err := io.WriteString(conn, form); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(answer, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), "/access/") {
			t.Errorf("answered %d, %v", res.StatusCode, err)
		}
		s.stop(t)
		var n int
		if err := target.Raw(t).QueryRowContext(t.Context(), "SELECT count(*) FROM tripwire_users t JOIN module_unlocks m ON m.user_id = t.user_id WHERE t.email = 'last@example.com'").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func TestAnAddressInUseIsTold(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	r := at(storetest.SQLite(t)).run(t, "", "serve", "--addr="+l.Addr().String())
	if r.code != 1 || !strings.Contains(r.err, "address already in use") || r.out != "" {
		t.Errorf("%+v", r)
	}
}

// TestBenchSeed: on a new database and on what it has made, without a word of the
// password where somebody else has chosen it.
func TestBenchSeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		first := p.run(t, "", "bench", "seed", "--students=120")
		word := regexp.MustCompile(`shown once: (\S+)`).FindStringSubmatch(first.out)
		if first.code != 0 || word == nil || !strings.Contains(first.out, "120 students in ") || !strings.Contains(first.err, "120 of 120 students") {
			t.Fatalf("%+v", first)
		}
		if again := p.must(t, "correct horse\n", "bench", "seed", "--students=30", "--password-stdin"); strings.Contains(again, "shown once") || !strings.Contains(again, "12 managers, 0 of them new") {
			t.Errorf("again: %s", again)
		}
		var n int
		if err := target.Raw(t).QueryRowContext(t.Context(), "SELECT count(*) FROM tripwire_users").Scan(&n); err != nil || n != 150 {
			t.Errorf("%d students, %v", n, err)
		}
		if r := p.run(t, "", "doctor"); r.code != 1 || strings.Count(r.out, "WRONG") != 1 || !strings.Contains(r.out, "no administrator") {
			t.Errorf("doctor: %+v", r)
		}
	})
}

func TestBenchSeedRefusesSillySizes(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"0", "-5", "10000001"} {
		p := place{"TRIPWIRE_DATA=" + t.TempDir()}
		if r := p.run(t, "", "bench", "seed", "--students="+n); r.code != 1 || !strings.Contains(r.err, "--students: from 1 to 10000000") {
			t.Errorf("%s: %+v", n, r)
		}
	}
}
