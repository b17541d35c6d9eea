package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// sessionCookie answers the session's cookie as the answer set it.
func sessionCookie(t *testing.T, a answer, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%s %s sets no cookie %s: %q", a.method, a.path, name, a.header["Set-Cookie"])
	return nil
}

func login(email, word string) url.Values { return url.Values{"email": {email}, "password": {word}} }

func TestTheCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		plain := open(t, target)
		c := sessionCookie(t, plain.browser(t).post("/login", login("a@example.com", staffPassword)), "tripwire")
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 40 {
			t.Errorf("over http: %+v", c)
		}
	})
}

func TestTheCookieIsForTLSOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target, setup{web: func(o *Options) { o.BaseURL = "https://school.example/" }})
		b := p.browser(t)
		a := b.post("/login", login("a@example.com", staffPassword))
		c := sessionCookie(t, a, "__Host-tripwire")
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("over https: %+v", c)
		}
		if a.header.Get("Strict-Transport-Security") == "" {
			t.Error("the browser is not told to stay with https")
		}
		if !b.loggedIn() {
			t.Error("the cookie opens nothing")
		}
		b.cookies = map[string]string{"tripwire": c.Value}
		if b.loggedIn() {
			t.Error("the token is taken from a cookie that another host of the domain can set")
		}
		lang := sessionCookie(t, b.post("/language", url.Values{"language": {"en"}}), "lang")
		if !lang.Secure || !lang.HttpOnly {
			t.Errorf("the language: %+v", lang)
		}
	})
}

// TestALoginTakesANewID: whoever planted or saw the id from before holds
// nothing.
func TestALoginTakesANewID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.browser(t)
		b.cookies["tripwire"] = "planted"
		b.logIn("a@example.com", staffPassword)
		first := b.token()
		if first == "planted" || first == "" {
			t.Fatalf("the id after a login is %q", first)
		}
		b.logIn("a@example.com", staffPassword)
		second := b.token()
		if second == first {
			t.Error("a second login keeps the id")
		}
		a := b.post("/account/password", url.Values{"current_password": {staffPassword}, "password": {"another one of mine"}})
		if a.status != http.StatusSeeOther || b.token() == second {
			t.Errorf("a new password: %d, new id %v", a.status, b.token() != second)
		}
		for name, old := range map[string]string{"planted": "planted", "first": first, "second": second} {
			thief := p.browser(t)
			thief.cookies["tripwire"] = old
			if thief.loggedIn() {
				t.Errorf("the %s id still opens the desk", name)
			}
		}
		if !b.loggedIn() {
			t.Error("the newest id opens nothing")
		}
	})
}

func TestSessionsEndWhenIdleAndInAnyCase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target) // idle after 72 hours, ended after 720
		b := p.as(t, "a@example.com", staffPassword)
		p.clock.pass(72*time.Hour - time.Second)
		if !b.loggedIn() {
			t.Fatal("ended before it was idle for long")
		}
		p.clock.pass(72*time.Hour - time.Second)
		if !b.loggedIn() {
			t.Fatal("a session in use was taken for idle")
		}
		p.clock.pass(72*time.Hour + time.Second)
		if b.loggedIn() {
			t.Error("an idle session lives on")
		}

		b = p.as(t, "a@example.com", staffPassword)
		for range 14 {
			p.clock.pass(51 * time.Hour)
			if !b.loggedIn() {
				t.Fatal("ended before its time")
			}
		}
		p.clock.pass(7 * time.Hour) // 721 hours
		if b.loggedIn() {
			t.Error("a session in use lives for ever")
		}

		form := settingsForm()
		form.Set("session_idle_hours", "1")
		form.Set("session_max_hours", "2")
		b = p.as(t, "admin@example.com", staffPassword)
		if a := b.post("/integrator/settings", form); a.status != http.StatusSeeOther {
			t.Fatalf("settings: %d %s", a.status, a.text())
		}
		b = p.as(t, "admin@example.com", staffPassword)
		for range 2 {
			p.clock.pass(59 * time.Minute)
			if !b.loggedIn() {
				t.Fatal("ended before the new limits")
			}
		}
		p.clock.pass(3 * time.Minute)
		if b.loggedIn() {
			t.Error("lives longer than the school allows")
		}
	})
}

func TestLoggingOutEndsTheSessionOnTheServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		old := b.token()
		if a := b.post("/logout", nil); a.status != http.StatusSeeOther || b.token() != "" {
			t.Fatalf("log out: %d, cookie %q", a.status, b.token())
		}
		b.cookies["tripwire"] = old
		if b.loggedIn() {
			t.Error("the cookie from before still opens the desk")
		}
		if n := p.count(t, "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

func TestSigningOutEverywhereEndsEveryDevice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		here, there, other := p.as(t, "a@example.com", staffPassword), p.as(t, "a@example.com", staffPassword), p.as(t, "b@example.com", staffPassword)
		if a := here.get("/account"); strings.Count(a.body, `class="devices"`) != 1 || strings.Count(a.body, `<span class="dot"`) != 2 {
			t.Errorf("the account does not list both devices: %s", a.text())
		}
		here.post("/logout/everywhere", nil)
		if here.loggedIn() || there.loggedIn() {
			t.Error("a device is still logged in")
		}
		if !other.loggedIn() {
			t.Error("somebody else was signed out as well")
		}
	})
}

// TestAccessEndsAtOnce: what ends a person's access ends the sessions they have,
// and would even if a session's row were left behind.
func TestAccessEndsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := t.Context()
		for name, end := range map[string]func(id school.UserID) error{
			"blocked": func(id school.UserID) error { return p.BlockStudent(ctx, p.a, id) },
			"deleted": func(id school.UserID) error {
				_, err := p.DeleteStudent(ctx, p.a, id)
				return err
			},
		} {
			email := name + "@example.com"
			b, id := p.studentAs(t, p.a, email)
			if a := b.get("/"); a.status != http.StatusOK {
				t.Fatalf("before: %d", a.status)
			}
			if err := end(id); err != nil {
				t.Fatal(err)
			}
			if b.loggedIn() {
				t.Errorf("a student %s is still inside", name)
			}
			if n := p.count(t, "SELECT count(*) FROM sessions WHERE user_id = $1", string(id)); n != 0 {
				t.Errorf("a student %s has %d sessions", name, n)
			}
			if a := p.browser(t).post("/login", login(email, "my own words"), asProgram...); a.status < 400 {
				t.Errorf("a student %s logs in anew: %d", name, a.status)
			}
		}

		manager := p.as(t, "b@example.com", staffPassword)
		if err := p.DisableStaff(ctx, p.admin, "b@example.com"); err != nil {
			t.Fatal(err)
		}
		if manager.loggedIn() {
			t.Error("disabled staff is still inside")
		}
		if a := p.browser(t).post("/login", login("b@example.com", staffPassword), asProgram...); a.code() != "account_blocked" {
			t.Errorf("disabled staff logs in anew: %d %s", a.status, a.code())
		}

		left, id := p.studentAs(t, p.a, "left@example.com")
		staffLeft := p.as(t, "a@example.com", staffPassword)
		p.exec(t, "UPDATE tripwire_users SET blocked_at = granted_at WHERE user_id = $1", string(id))
		p.exec(t, "UPDATE users SET disabled_at = created_at WHERE email = 'a@example.com'")
		if left.loggedIn() || staffLeft.loggedIn() {
			t.Error("a session's row stands above what the account says")
		}
	})
}

// TestARoleCountsFromTheNextRequest: rights are read with the session, never
// remembered in it.
func TestARoleCountsFromTheNextRequest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "b@example.com", staffPassword)
		for _, c := range []struct {
			role   string
			status int
		}{{"sales", 403}, {"admin", 200}, {"sales", 403}} {
			p.exec(t, "UPDATE users SET role = $1 WHERE email = 'b@example.com'", c.role)
			if a := b.get("/integrator/settings"); a.status != c.status {
				t.Errorf("as %s: %d, want %d", c.role, a.status, c.status)
			}
		}
	})
}

func TestTheTokenIsNotInTheDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		rows := fmt.Sprint(p.target.Dump(t))
		if len(b.token()) < 40 || strings.Contains(rows, b.token()) {
			t.Errorf("the token %q is in the rows", b.token())
		}
		thief := p.browser(t)
		var hash string
		if err := p.raw.QueryRowContext(t.Context(), "SELECT token_hash FROM sessions").Scan(&hash); err != nil {
			t.Fatal(err)
		}
		if thief.cookies["tripwire"] = hash; thief.loggedIn() {
			t.Error("what is in the rows opens the desk")
		}
	})
}

// TestVisitorsLeaveNoRows: robots come by the million.
func TestVisitorsLeaveNoRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.browser(t)
		p.unchanged(t, "an anonymous visit", func() {
			for _, path := range []string{"/", "/login", "/integrator", "/access/nothing", "/setup/nothing", "/nothing", "/livez", "/readyz"} {
				if a := b.get(path); len(a.header["Set-Cookie"]) > 0 {
					t.Errorf("%s sets %q", path, a.header["Set-Cookie"])
				}
			}
			b.post("/language", url.Values{"language": {"kk"}})
			if b.token() != "" {
				t.Error("a visitor has a session")
			}
		})
	})
}

// TestAFirstPasswordHasToBeReplaced: staff know it, so it opens one page only.
func TestAFirstPasswordHasToBeReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		if _, err := p.CreateStudent(t.Context(), p.a, school.NewStudentForm{FullName: "Test Student", Email: "test123@example.com", Password: "test1234"}); err != nil {
			t.Fatal(err)
		}
		b, elsewhere := p.browser(t), p.browser(t)
		for _, b := range []*browser{b, elsewhere} {
			if a := b.post("/login", login("test123@example.com", "test1234")); a.header.Get("Location") != "/password" {
				t.Fatalf("log in: %d to %s", a.status, a.header.Get("Location"))
			}
		}
		if a := b.get("/"); a.header.Get("Location") != "/password" {
			t.Errorf("the course before an own password: %d", a.status)
		}
		for word, code := range map[string]string{"test1234": "password_same", "short": "password_too_short", "": "password_required"} {
			a := b.post("/password", url.Values{"password": {word}}, asProgram...)
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, code) {
				t.Errorf("own password %q: %d %s", word, a.status, a.body)
			}
		}
		if a := b.post("/password", url.Values{"password": {"my own words"}}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
			t.Fatalf("own password: %d %s", a.status, a.text())
		}
		if a := b.get("/"); a.status != http.StatusOK {
			t.Errorf("the course: %d %s", a.status, a.text())
		}
		if elsewhere.loggedIn() {
			t.Error("a session of the first password lives on")
		}
		if a := p.browser(t).post("/login", login("test123@example.com", "test1234"), asProgram...); a.code() != "wrong_credentials" {
			t.Errorf("the first password: %d %s", a.status, a.code())
		}

		if _, err := p.CreateStudent(t.Context(), p.a, school.NewStudentForm{FullName: "Late Student", Email: "late@example.com", Password: "test1234"}); err != nil {
			t.Fatal(err)
		}
		p.clock.pass(169 * time.Hour)
		if a := p.browser(t).post("/login", login("late@example.com", "test1234"), asProgram...); a.code() != "password_expired" {
			t.Errorf("a first password after a week: %d %s", a.status, a.code())
		}
	})
}

// TestALinkOpensOnce and for its time.
func TestALinkOpensOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		used, late, renewed := p.student(t, p.a, "used@example.com"), p.student(t, p.a, "late@example.com"), p.student(t, p.a, "renewed@example.com")
		word := url.Values{"password": {"my own words"}}
		b := p.browser(t)
		if a := b.get(used.Link); a.status != http.StatusOK || !strings.Contains(a.body, "used@example.com") {
			t.Fatalf("the page of the link: %d %s", a.status, a.text())
		}
		if a := b.post(used.Link, url.Values{"password": {"short"}}); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a short password: %d", a.status)
		}
		p.clock.pass(72*time.Hour - time.Second)
		if a := b.post(used.Link, word); a.status != http.StatusSeeOther || !b.loggedIn() {
			t.Errorf("use the link: %d %s", a.status, a.text())
		}
		if a := p.browser(t).get(used.Link); a.status != http.StatusNotFound {
			t.Errorf("the page of the link at once afterwards: %d", a.status)
		}
		if a := p.browser(t).post(used.Link, word); a.status != http.StatusNotFound {
			t.Errorf("the link a second time: %d", a.status)
		}
		if _, _, err := p.IssueLink(t.Context(), p.a, renewed.Student.ID); err != nil {
			t.Fatal(err)
		}
		p.clock.pass(time.Second)
		for name, link := range map[string]string{"used": used.Link, "late": late.Link, "renewed": renewed.Link, "invented": "/access/" + school.NewToken()} {
			visitor := p.browser(t)
			if a := visitor.get(link); a.status != http.StatusNotFound {
				t.Errorf("the page of a %s link: %d", name, a.status)
			}
			if a := visitor.post(link, word); a.status != http.StatusNotFound || visitor.token() != "" {
				t.Errorf("a %s link: %d", name, a.status)
			}
			if a := visitor.post(link, word, asProgram...); a.code() != "link_invalid" {
				t.Errorf("a %s link for a program: %s", name, a.code())
			}
			if a := visitor.post(strings.Replace(link, "/access/", "/setup/", 1), goodForms["/setup/{token}"], asProgram...); a.code() != "link_invalid" {
				t.Errorf("a %s link at the setup: %s", name, a.code())
			}
		}
	})
}
