package web

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// staffPassword is that of everybody at the desk.
const staffPassword = "correct horse"

// place is the panel as a browser meets it: a real server over a fresh database
// with the default course, an administrator and two sales managers.
type place struct {
	*desk.Desk
	target      storetest.Target
	store       *store.Store
	raw         *sql.DB
	clock       *clock
	log         *journal
	url         string
	seen        *pages
	admin, a, b school.Actor
}

// setup is what a test may change before the doors open.
type setup struct {
	store func(*store.Options)
	desk  func(*desk.Options)
	web   func(*Options)
	// server changes the limits of connections.
	server func(*http.Server)
}

func open(t *testing.T, target storetest.Target, change ...setup) place {
	t.Helper()
	c := &clock{}
	c.set(time.Now())
	p := place{target: target, clock: c, log: &journal{}, seen: &pages{}, raw: target.Raw(t)}
	p.store = target.Open(t, func(o *store.Options) {
		o.Now = c.now
		for _, s := range change {
			if s.store != nil {
				s.store(o)
			}
		}
	})
	with := desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)}
	for _, s := range change {
		if s.desk != nil {
			s.desk(&with)
		}
	}
	p.Desk = desk.New(p.store, with)
	if err := p.PrepareSchool(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	p.url = "http://" + server.Listener.Addr().String()
	o := Options{BaseURL: p.url, Log: slog.New(slog.NewJSONHandler(p.log, nil))}
	for _, s := range change {
		if s.web != nil {
			s.web(&o)
		}
	}
	var err error
	if server.Config.Handler, err = New(p.Desk, o); err != nil {
		t.Fatal(err)
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewJSONHandler(p.log, nil), slog.LevelWarn)
	for _, s := range change {
		if s.server != nil {
			s.server(server.Config)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	p.admin = p.staff(t, "admin@example.com", "admin")
	p.a = p.staff(t, "a@example.com", "sales")
	p.b = p.staff(t, "b@example.com", "sales")
	return p
}

func (p place) staff(t *testing.T, email, role string) school.Actor {
	t.Helper()
	a, err := p.AddStaff(t.Context(), school.Terminal(), school.NewStaff{
		FullName: "Staff " + email, Email: email, Role: role, Password: staffPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	return school.Actor{ID: a.ID, Role: a.Role, Name: a.FullName, Email: a.Email, Door: school.DoorPanel, RequestID: "test"}
}

// student is admitted by a one-time link, which nobody has used yet.
func (p place) student(t *testing.T, by school.Actor, email string) school.Created {
	t.Helper()
	c, err := p.CreateStudent(t.Context(), by, school.NewStudentForm{FullName: "Test Student", Email: email, Access: "link"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// count asks the database behind the store's back.
func (p place) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	if err := p.raw.QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// exec changes the database behind the store's back.
func (p place) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := p.raw.ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// unchanged runs fn and wants every row of every table to be as before, but for
// what the history tells of refused attempts.
func (p place) unchanged(t *testing.T, what string, fn func()) {
	t.Helper()
	before := p.target.DumpWithoutRefusals(t)
	fn()
	after := p.target.DumpWithoutRefusals(t)
	for _, table := range slices.Sorted(maps.Keys(after)) {
		if !slices.Equal(before[table], after[table]) {
			t.Errorf("%s: table %s has changed:\n%s\nwas\n%s", what, table, strings.Join(after[table], "\n"), strings.Join(before[table], "\n"))
		}
	}
}

// broken is all that stands before a page, before one that does not work.
func (p place) broken(t *testing.T, does action) (http.Handler, *journal) {
	t.Helper()
	log := &journal{}
	h := &Handler{desk: p.Desk, log: slog.New(slog.NewJSONHandler(log, nil)), baseURL: p.url}
	h.sessions = h.newSessions()
	var err error
	if h.assets, err = loadAssets(); err != nil {
		t.Fatal(err)
	}
	compress, err := compressor()
	if err != nil {
		t.Fatal(err)
	}
	page := h.serve(route{method: "GET", pattern: "/broken", policy: public, action: does})
	return h.logged(h.recovered(h.guarded(compress(h.visit(h.sessions.LoadAndSave(page)))))), log
}

// clock stands still until a test moves it.
type clock struct{ at atomic.Pointer[time.Time] }

func (c *clock) now() time.Time { return *c.at.Load() }

func (c *clock) set(t time.Time) { c.at.Store(&t) }

func (c *clock) pass(d time.Duration) { c.set(c.now().Add(d)) }

// journal keeps what was logged.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// line answers the log line of one request.
func (j *journal) line(t *testing.T, requestID string) map[string]any {
	t.Helper()
	for text := range strings.Lines(j.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		if line["request_id"] == requestID {
			return line
		}
	}
	t.Fatalf("the log has no line for request %s", requestID)
	return nil
}

// pages keeps every answer that any browser of a place was given.
type pages struct {
	mu  sync.Mutex
	all []answer
}

func (p *pages) keep(a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, a)
}

// browser keeps cookies and follows nothing.
type browser struct {
	t       *testing.T
	base    string
	client  *http.Client
	seen    *pages
	cookies map[string]string
}

func (p place) browser(t *testing.T) *browser {
	t.Helper()
	transport := &http.Transport{MaxConnsPerHost: 250, MaxIdleConnsPerHost: 250, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{
		t: t, base: p.url, seen: p.seen, cookies: map[string]string{},
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// as is a browser of somebody who has just logged in.
func (p place) as(t *testing.T, email, word string) *browser {
	t.Helper()
	b := p.browser(t)
	b.logIn(email, word)
	return b
}

func (b *browser) logIn(email, word string) {
	b.t.Helper()
	a := b.post("/login", url.Values{"email": {email}, "password": {word}})
	if a.status != http.StatusSeeOther {
		b.t.Fatalf("log in as %s: %d %s", email, a.status, a.text())
	}
}

// studentAs is a browser of a student of by with a password of their own.
func (p place) studentAs(t *testing.T, by school.Actor, email string) (*browser, school.UserID) {
	t.Helper()
	c := p.student(t, by, email)
	b := p.browser(t)
	if a := b.post(c.Link, url.Values{"password": {"my own words"}}); a.status != http.StatusSeeOther {
		t.Fatalf("use the link: %d %s", a.status, a.text())
	}
	return b, c.Student.ID
}

// answer is what came back.
type answer struct {
	method, path string
	status       int
	header       http.Header
	body         string
}

// code is the code of a problem; empty for anything else.
func (a answer) code() string {
	if a.header.Get("Content-Type") != "application/problem+json" {
		return ""
	}
	var body struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &body)
	return body.Code
}

func (a answer) doc(t *testing.T) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// text is the page without its tags, for messages.
func (a answer) text() string {
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return a.body
	}
	var words []string
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// request makes one; headers are names and values in turn.
func (b *browser) request(method, path string, form url.Values, headers ...string) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// do sends a request with the cookies and keeps those of the answer.
func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	a, cookies, err := b.send(r)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range cookies {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return a
}

// send is safe to call at once from several goroutines.
func (b *browser) send(r *http.Request) (answer, []*http.Cookie, error) {
	res, err := b.client.Do(r)
	if err != nil {
		return answer{}, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	a := answer{method: r.Method, path: r.URL.RequestURI(), status: res.StatusCode, header: res.Header, body: string(body)}
	b.seen.keep(a)
	return a, res.Cookies(), err
}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, path, nil, headers...))
}

func (b *browser) post(path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.do(b.request(http.MethodPost, path, form, headers...))
}

// token is the session's, as the browser holds it.
func (b *browser) token() string { return b.cookies["tripwire"] }

// loggedIn reports whether the server still knows the browser.
func (b *browser) loggedIn() bool {
	b.t.Helper()
	switch a := b.get("/account"); a.status {
	case http.StatusOK:
		return true
	case http.StatusSeeOther:
		return !strings.HasPrefix(a.header.Get("Location"), "/login")
	default:
		b.t.Fatalf("/account: %d %s", a.status, a.text())
		return false
	}
}

// element answers the first element that fits.
func element(root *html.Node, fits func(*html.Node) bool) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && fits(n) {
			return n
		}
	}
	return nil
}

func attr(n *html.Node, key string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	return n != nil && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// typed answers what stands in the new student's form of a page, by field.
func typed(t *testing.T, a answer) url.Values {
	t.Helper()
	form := element(a.doc(t), func(n *html.Node) bool { return attr(n, "id") == "student-form" })
	if form == nil {
		t.Fatalf("no form in the answer: %d %s", a.status, a.text())
	}
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.Data == "input" && attr(n, "type") == "radio":
			if hasAttr(n, "checked") {
				values.Set(attr(n, "name"), attr(n, "value"))
			}
		case n.Data == "input" && attr(n, "name") != "":
			values.Set(attr(n, "name"), attr(n, "value"))
		case n.Data == "option" && hasAttr(n, "selected"):
			values.Set(attr(n.Parent, "name"), attr(n, "value"))
		}
	}
	return values
}
