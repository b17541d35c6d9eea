package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// secret is something that was typed, shown once or carried in a cookie.
type secret struct {
	name, value string
	// shownBy is the one request whose answer may show it; empty: none.
	shownBy string
}

// TestSecretsAreKeptNowhere works through a day at the desk and then looks for
// every password, link, session and form key: in each row, in each line of the
// log and in each page but the one that had to show it.
func TestSecretsAreKeptNowhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		day := &dayAtTheDesk{t: t, p: p}
		day.live()
		day.secrets = append(day.secrets, secret{name: "staff password", value: staffPassword})

		rows := p.target.Dump(t)
		for _, s := range day.secrets {
			if len(s.value) < 8 {
				t.Fatalf("%s is %q", s.name, s.value)
			}
			for _, table := range slices.Sorted(maps.Keys(rows)) {
				for _, row := range rows[table] {
					if strings.Contains(row, s.value) {
						t.Errorf("%s stands in table %s: %s", s.name, table, row)
					}
				}
			}
			for line := range strings.Lines(p.log.String()) {
				if strings.Contains(line, s.value) {
					t.Errorf("%s stands in the log: %s", s.name, line)
				}
			}
			for _, a := range p.seen.all {
				if strings.Contains(html.UnescapeString(a.body), s.value) && !s.mayBeIn(a) {
					t.Errorf("%s stands in the answer to %s %s", s.name, a.method, a.path)
				}
				if location := a.header.Get("Location"); strings.Contains(location, s.value) {
					t.Errorf("%s stands in an address: %s", s.name, location)
				}
			}
		}
		for line := range strings.Lines(p.log.String()) {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprint(fields["route"])
			if known := slices.ContainsFunc((&Handler{}).routes(), func(rt route) bool { return rt.pattern == name }); !known && fields["msg"] == "request" && name != "" {
				t.Errorf("the log names %q, which is no route: %s", name, line)
			}
			for _, person := range []string{"link@example.com", "first@example.com", "Test Student"} {
				if strings.Contains(line, person) {
					t.Errorf("%s stands in the log: %s", person, line)
				}
			}
		}
		if !strings.Contains(p.log.String(), `"route":"/access/{token}"`) {
			t.Error("the log does not name the route of the link at all")
		}
	})
}

// mayBeIn says where a secret cannot but stand: in the answer that shows it, and
// in the pages of the link itself, whose own address it is.
func (s secret) mayBeIn(a answer) bool {
	ofTheLink := strings.HasPrefix(a.path, "/access/") || strings.HasPrefix(a.path, "/setup/")
	return s.shownBy != "" && a.header.Get("X-Request-Id") == s.shownBy || ofTheLink && strings.Contains(a.path, s.value)
}

type dayAtTheDesk struct {
	t       *testing.T
	p       place
	secrets []secret
}

func (d *dayAtTheDesk) keep(name, value string, shownBy answer) {
	d.secrets = append(d.secrets, secret{name, value, shownBy.header.Get("X-Request-Id")})
}

func (d *dayAtTheDesk) want(a answer, status int) answer {
	d.t.Helper()
	if a.status != status {
		d.t.Fatalf("%s %s: %d %s", a.method, a.path, a.status, a.text())
	}
	return a
}

func (d *dayAtTheDesk) live() {
	b := d.p.as(d.t, "a@example.com", staffPassword)
	d.keep("session of the manager", b.token(), answer{})

	form := url.Values{"full_name": {"Test Student"}, "email": {"link@example.com"}, "access": {"link"}, "form_key": {school.NewToken()}}
	a := d.want(b.post("/integrator/students", form), http.StatusOK)
	link := accessPath.FindString(a.body)
	d.keep("one-time link", strings.TrimPrefix(link, "/access/"), a)
	d.keep("form key of the link", form.Get("form_key"), answer{})

	form = url.Values{"full_name": {"Test Student"}, "email": {"first@example.com"}, "access": {"password"}, "password": {"первый-пароль 1"}, "form_key": {school.NewToken()}}
	a = d.want(b.post("/integrator/students", form, "HX-Request", "true"), http.StatusOK)
	d.keep("first password", form.Get("password"), a)
	d.keep("form key of the password", form.Get("form_key"), answer{})

	visitor := d.p.browser(d.t)
	for i := range 3 {
		wrong := fmt.Sprintf("wrong password %d", i)
		d.want(visitor.post("/login", login("first@example.com", wrong)), http.StatusUnauthorized)
		d.want(visitor.post("/login", login("unknown@example.com", wrong)), http.StatusUnauthorized)
		d.keep("wrong password", wrong, answer{})
	}
	d.keepSession("session of the first password", visitor, func() {
		d.want(visitor.post("/login", login("first@example.com", "первый-пароль 1")), http.StatusSeeOther)
	})
	d.want(visitor.get("/password"), http.StatusOK)
	d.want(visitor.post("/password", url.Values{"password": {"own password"[:7]}}), http.StatusUnprocessableEntity)
	d.keepSession("session of the own password", visitor, func() {
		d.want(visitor.post("/password", url.Values{"password": {"own password of mine"}}), http.StatusSeeOther)
	})
	d.keep("own password", "own password of mine", answer{})
	d.want(visitor.get("/"), http.StatusOK)
	d.want(visitor.get("/account"), http.StatusOK)
	d.want(visitor.post("/account/password", url.Values{"current_password": {"not the current one"}, "password": {"yet another of mine"}}), http.StatusUnprocessableEntity)
	d.keep("password that is not the current one", "not the current one", answer{})
	d.want(visitor.post("/account/password", url.Values{"current_password": {"own password of mine"}, "password": {"yet another of mine"}}), http.StatusSeeOther)
	d.keep("next password", "yet another of mine", answer{})

	student := d.p.browser(d.t)
	d.want(student.get(link), http.StatusOK)
	d.want(student.post(link, url.Values{"password": {"short"}}), http.StatusUnprocessableEntity)
	d.keepSession("session of the link", student, func() {
		d.want(student.post(link, url.Values{"password": {"password by the link"}}), http.StatusSeeOther)
	})
	d.keep("password by the link", "password by the link", answer{})
	d.want(student.get(link), http.StatusNotFound)
	d.want(student.get("/"), http.StatusOK)

	d.afterwards(b)
}

func (d *dayAtTheDesk) keepSession(name string, b *browser, fn func()) {
	fn()
	d.keep(name, b.token(), answer{})
}

// afterwards looks at everything and changes a little of everything.
func (d *dayAtTheDesk) afterwards(b *browser) {
	var id string
	if err := d.p.raw.QueryRowContext(d.t.Context(), "SELECT user_id FROM tripwire_users WHERE email = 'first@example.com'").Scan(&id); err != nil {
		d.t.Fatal(err)
	}
	card := "/integrator/students/" + id
	a := d.want(b.post(card+"/link", nil), http.StatusOK)
	d.keep("second link", strings.TrimPrefix(accessPath.FindString(a.body), "/access/"), a)
	for _, path := range []string{card, "/integrator/sales-manager", "/integrator/sales-manager?q=first", "/integrator/students/new", "/integrator/trash", "/account"} {
		d.want(b.get(path), http.StatusOK)
	}
	a = d.want(b.get("/integrator/students/password"), http.StatusOK)
	d.keep("password made for the form", a.body, a)
	d.want(b.post(card, url.Values{"full_name": {"Test Student"}, "email": {"first@example.com"}}), http.StatusSeeOther)
	d.want(b.post(card+"/grants", url.Values{"module_id": {"18"}, "reason": {"by agreement"}}), http.StatusSeeOther)
	d.want(b.post(card+"/delete", nil), http.StatusSeeOther)
	d.want(b.get("/integrator/sales-manager?deleted="+id), http.StatusOK)
	d.want(b.post(card+"/restore", nil), http.StatusSeeOther)
	admin := d.p.as(d.t, "admin@example.com", staffPassword)
	d.keep("session of the administrator", admin.token(), answer{})
	d.want(admin.post("/integrator/settings", settingsForm()), http.StatusSeeOther)
	d.want(admin.get("/integrator/settings"), http.StatusOK)
	d.want(admin.get("/integrator/sales-manager"), http.StatusOK)
	d.want(admin.post("/logout/everywhere", nil), http.StatusSeeOther)

	setup := d.p.browser(d.t)
	token := school.NewToken()
	d.want(setup.get("/setup/"+token), http.StatusNotFound)
	d.keep("token of the setup", token, answer{})
}
