package e2e_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
)

// The addresses that people know.
const (
	panel    = "/integrator/sales-manager"
	students = "/integrator/students"
	trash    = "/integrator/trash"
	history  = "/integrator/history"
)

// person is somebody with an account.
type person struct{ name, email, password string }

var (
	admin = person{"Айгүл Сәрсенова", "admin@example.com", "admin-pass-2026"}
	vera  = person{"Вера Ким", "vera@example.com", "vera-pass-2026"}
	boris = person{"Борис Нуртаев", "boris@example.com", "boris-pass-2026"}

	// The student of the acceptance text, word for word.
	testStudent = person{"Test Student", "test123@example.com", "test1234"}
)

// school is a running server with its staff, and a browser.
type school struct {
	*server
	t        *testing.T
	browsing context.Context
}

// onEach runs the test on both engines, each with a school of its own.
func onEach(t *testing.T, fn func(t *testing.T, s *school)) {
	t.Helper()
	t.Parallel()
	for name, empty := range map[string]func(*testing.T) database{"sqlite": emptySQLite, "postgres": emptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, staffed(t, empty(t)))
		})
	}
}

// staffed starts a server and hires beside it.
func staffed(t *testing.T, d database) *school {
	t.Helper()
	s := &school{server: d.serve(t), t: t}
	d.hire(t, admin, "admin")
	d.hire(t, vera, "sales")
	d.hire(t, boris, "sales")
	return s
}

// visitor is somebody in a fresh profile who has not logged in.
func (s *school) visitor(name string) *tab {
	s.t.Helper()
	if s.browsing == nil {
		s.browsing = startChromium(s.t)
	}
	return sit(s.t, s.browsing, name, s.base)
}

// at is a member of staff at the panel.
func (s *school) at(p person) *tab {
	s.t.Helper()
	b := s.visitor(p.email)
	b.open("/login")
	b.logIn(p.email, p.password)
	b.at(panel)
	return b
}

// logIn fills in the log-in page that is open.
func (b *tab) logIn(email, password string) {
	b.t.Helper()
	b.fill("Email", email)
	b.fill("Пароль", password)
	b.follow("Войти")
}

// firstLogIn logs a new student in and gives them a password of their own.
func (b *tab) firstLogIn(p person) {
	b.t.Helper()
	b.logIn(p.email, p.password)
	b.fill("Новый пароль", ownPassword)
	b.follow("Сохранить пароль")
}

// logOut leaves by the menu.
func (b *tab) logOut(name string) {
	b.t.Helper()
	b.press("Меню: " + name)
	b.follow("Выйти")
	b.at("/login")
}

// create makes a student through the dialog, with a password.
func (b *tab) create(p person) {
	b.t.Helper()
	b.press("Добавить ученика")
	b.fill("ФИО", p.name)
	b.fill("Email", p.email)
	b.fill("Пароль", p.password)
	b.press("Создать")
	b.sees("Ученик создан")
}

// finish closes the dialog.
func (b *tab) finish() {
	b.t.Helper()
	b.press("Закрыть")
	b.holds(`!document.querySelector("dialog:modal")`)
}

// answer is what the server says to a request of a script.
type answer struct {
	Status int    `json:"status"`
	URL    string `json:"url"`
	Text   string `json:"text"`
}

// post sends a form from the page, as this person and past the screen. A
// program asks for JSON.
func (b *tab) post(path string, form url.Values, accept string) answer {
	b.t.Helper()
	got, err := evaluate[answer](b, fmt.Sprintf(
		`fetch(%q, {method: "POST", body: new URLSearchParams(%q), headers: {Accept: %q}})
			.then(async r => ({status: r.status, url: new URL(r.url).pathname, text: await r.text()}))`,
		path, form.Encode(), accept), chromedp.EvalAwaitPromise)
	b.do("POST "+path, err)
	return got
}

// admit makes a student past the screen, with a one-time link.
func (b *tab) admit(name, email string) {
	b.t.Helper()
	got := b.post(students, url.Values{"full_name": {name}, "email": {email}, "access": {"link"}}, "text/html")
	if got.Status != 200 {
		b.t.Fatalf("admit %s: %d %.300s", email, got.Status, got.Text)
	}
}

// idOf is the student's id, found by the e-mail.
func (s *school) idOf(email string) (id string) {
	s.t.Helper()
	err := s.raw(s.t).QueryRowContext(s.t.Context(), "SELECT user_id FROM tripwire_users WHERE email = $1", email).Scan(&id)
	if err != nil {
		s.t.Fatalf("find %s: %v", email, err)
	}
	return id
}

// count answers one number.
func (s *school) count(query string, args ...any) (n int) {
	s.t.Helper()
	if err := s.raw(s.t).QueryRowContext(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}
