package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// event is one of a stream; a field that did not come is empty.
type event struct{ name, id, data, retry string }

func (e event) blocks(t *testing.T) []string {
	t.Helper()
	var body struct{ Blocks []string }
	if err := json.Unmarshal([]byte(e.data), &body); err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
	return body.Blocks
}

// listener reads a stream until it ends.
type listener struct {
	answer *http.Response
	events chan event // closed at the end of the stream
}

// listen opens a stream with the cookies of the browser.
func (b *browser) listen(path string, headers ...string) *listener {
	b.t.Helper()
	r := b.request(http.MethodGet, path, nil, headers...)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	ctx, cancel := context.WithCancel(context.Background())
	res, err := b.client.Do(r.WithContext(ctx))
	if err != nil {
		cancel()
		b.t.Fatal(err)
	}
	l := &listener{answer: res, events: make(chan event, 1000)}
	done := make(chan struct{})
	go func() { l.read(); close(done) }()
	b.t.Cleanup(func() { cancel(); <-done; _ = res.Body.Close() })
	return l
}

func (l *listener) read() {
	defer close(l.events)
	var e event
	for lines := bufio.NewScanner(l.answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "retry":
			e.retry = value
		case "":
			l.events <- e
			e = event{}
		}
	}
}

const patience = 20 * time.Second

// next answers the next event that is no heartbeat; ok is false at the end.
func (l *listener) next(t *testing.T) (e event, ok bool) {
	t.Helper()
	enough := time.After(patience)
	for {
		select {
		case e, ok = <-l.events:
			if e.name != "beat" {
				return e, ok
			}
		case <-enough:
			t.Fatal("nothing comes")
		}
	}
}

// begins wants the beginning of a stream.
func (l *listener) begins(t *testing.T) *listener {
	t.Helper()
	if e, ok := l.next(t); !ok || e.retry != "2000" {
		t.Fatalf("the stream begins with %+v (%d)", e, l.answer.StatusCode)
	}
	return l
}

func (l *listener) ends(t *testing.T, why string) {
	t.Helper()
	e, ok := l.next(t)
	if e.name == "gone" {
		e, ok = l.next(t)
	}
	if ok {
		t.Errorf("%s: the stream goes on with %+v", why, e)
	}
}

// quick has hearts beat quickly.
var quick = setup{web: func(o *Options) { o.Heartbeat = 5 * time.Millisecond }}

func TestTheStreamTellsWhichBlocksHaveChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		owner, other := p.as(t, "a@example.com", staffPassword), p.as(t, "b@example.com", staffPassword)
		l, o := owner.listen(eventsPath, "Accept-Encoding", "gzip").begins(t), other.listen(eventsPath).begins(t)
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store", "Content-Encoding": "",
		} {
			if got := l.answer.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		p.student(t, p.a, "s1@example.com")
		e, _ := l.next(t)
		id := p.count(t, "SELECT max(id) FROM activity WHERE owner_id = $1", string(p.a.ID))
		if want := []string{"students", "figures", "chart", "activity", "sales", "letters", "access", "ranking"}; e.name != "change" || e.id != fmt.Sprint(id) || !slices.Equal(e.blocks(t), want) {
			t.Errorf("the owner is told %+v", e)
		}
		if e, _ := o.next(t); e != (event{name: "change", data: `{"blocks":["ranking"]}`}) {
			t.Errorf("another manager is told %+v", e)
		}
	})
}

// TestTheStreamBeginsWithWhatWasMissed since the page was made, and when it comes
// back, since what it told last.
func TestTheStreamBeginsWithWhatWasMissed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target, quick)
		owner := p.as(t, "a@example.com", staffPassword)
		p.student(t, p.a, "s1@example.com")
		p.clock.pass(time.Minute)
		page := owner.get("/integrator/sales-manager")
		address := attr(element(page.doc(t), func(n *html.Node) bool { return hasAttr(n, "data-events") }), "data-events")
		if !strings.HasPrefix(address, eventsPath+"?after=") {
			t.Fatalf("the page names the stream %q", address)
		}
		p.student(t, p.a, "s2@example.com")
		p.clock.pass(time.Minute)
		e, _ := owner.listen(address).begins(t).next(t)
		if !slices.Contains(e.blocks(t), "students") || e.id == "" {
			t.Errorf("told %+v of what was missed", e)
		}
		if err := p.BlockStudent(t.Context(), p.a, p.idOf(t, "s1@example.com")); err != nil {
			t.Fatal(err)
		}
		p.clock.pass(time.Minute)
		again, _ := owner.listen(address, "Last-Event-ID", e.id).begins(t).next(t)
		if !slices.Contains(again.blocks(t), "activity") || again.id == e.id {
			t.Errorf("told %+v of what was missed after %s", again, e.id)
		}
		l := owner.listen(address, "Last-Event-ID", again.id).begins(t)
		first := <-l.events
		if first.name != "beat" {
			t.Errorf("nothing was missed, and told is %+v", first)
		}
	})
}

func (p place) idOf(t *testing.T, email string) (id school.UserID) {
	t.Helper()
	if err := p.raw.QueryRow("SELECT user_id FROM tripwire_users WHERE email = $1", email).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestTheStreamEndsWithTheSession, however that ends; and an open window does not
// keep it in use.
func TestTheStreamEndsWithTheSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target, quick)
		for why, end := range map[string]func(b *browser){
			"logged out": func(b *browser) { b.post("/logout", nil) },
			"disabled": func(*browser) {
				p.exec(t, "UPDATE users SET disabled_at = $1 WHERE email = 'a@example.com'", "2026-01-01 00:00:00.000")
			},
			"a new role":  func(*browser) { p.exec(t, "UPDATE users SET role = 'admin' WHERE email = 'a@example.com'") },
			"a held door": func(*browser) { p.exec(t, "UPDATE users SET must_change = TRUE WHERE email = 'a@example.com'") },
			"idle":        func(*browser) { p.clock.pass(80 * time.Hour) },
		} {
			b := p.as(t, "a@example.com", staffPassword)
			l := b.listen(eventsPath).begins(t)
			p.clock.pass(2 * time.Minute)
			<-l.events
			<-l.events
			if n := p.count(t, "SELECT count(*) FROM sessions WHERE last_seen_at > created_at"); n != 0 {
				t.Errorf("%s: the heartbeat has written the session", why)
			}
			end(b)
			l.ends(t, why)
			p.exec(t, "UPDATE users SET disabled_at = NULL, role = 'sales', must_change = FALSE WHERE email = 'a@example.com'")
			p.exec(t, "DELETE FROM sessions")
		}
	})
}

// TestTheStreamEndsWithTheServer: a stop waits for answers, and this one would
// never end.
func TestTheStreamEndsWithTheServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		stopping := make(chan struct{})
		var server *http.Server
		p := open(t, target, setup{web: func(o *Options) { o.Stopping = stopping }, server: func(s *http.Server) { server = s }})
		l := p.as(t, "a@example.com", staffPassword).listen(eventsPath).begins(t)
		close(stopping)
		l.ends(t, "stopping")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
	})
}

// TestTheStreamOutlivesTheLimitsOfAConnection, which bound ordinary answers.
func TestTheStreamOutlivesTheLimitsOfAConnection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		limit := 300 * time.Millisecond
		p := open(t, target, quick, setup{server: func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = limit, limit }})
		l := p.as(t, "a@example.com", staffPassword).listen(eventsPath).begins(t)
		for over := time.After(2 * limit); over != nil; {
			select {
			case _, ok := <-l.events:
				if !ok {
					t.Fatal("the stream was cut off")
				}
			case <-over:
				over = nil
			}
		}
		p.student(t, p.a, "s1@example.com")
		if e, _ := l.next(t); e.name != "change" {
			t.Errorf("told %+v", e)
		}
	})
}

func TestOnePersonHasSoManyStreams(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		for range 20 {
			b.listen(eventsPath).begins(t)
		}
		if a := b.get(eventsPath, asProgram...); a.status != http.StatusTooManyRequests || a.code() != "too_many_streams" {
			t.Errorf("one too many: %d %s", a.status, a.code())
		}
		p.as(t, "b@example.com", staffPassword).listen(eventsPath).begins(t)
	})
}

// TestARefreshIsNoUse: a page that fetches itself anew does not keep the session.
func TestARefreshIsNoUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		p.clock.pass(2 * time.Minute)
		used := func() int { return p.count(t, "SELECT count(*) FROM sessions WHERE last_seen_at > created_at") }
		if b.get("/integrator/sales-manager", "X-Refresh", "live"); used() != 0 {
			t.Error("a refresh was a use of the session")
		}
		if b.get("/integrator/sales-manager"); used() != 1 {
			t.Error("a visit was no use of the session")
		}
	})
}
