package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestManagerCreatesStudentWhoStudies(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager, before := s.at(vera), time.Now()
		_, pages := manager.counts()

		manager.create(testStudent)
		manager.sees(testStudent.email, testStudent.password)
		manager.pressOn(`dialog button[aria-label="Скопировать: Пароль"]`)
		manager.sees("Скопировано")
		manager.copied(testStudent.password)
		manager.press("Скопировать всё")
		manager.copied(s.base, testStudent.email, testStudent.password)
		manager.finish()
		manager.row(testStudent.email)
		if _, now := manager.counts(); now != pages {
			t.Error("the row stands in the list only because the page was loaded again")
		}
		manager.forgets(testStudent.password)
		manager.reload()
		manager.row(testStudent.email)
		manager.forgets(testStudent.password)
		if strings.Contains(s.err.String(), testStudent.password) {
			t.Error("the password stands in the log")
		}

		s.opensModule16(before)
		s.studentStudies()
	})
}

// copied waits until the clipboard holds the parts, a single one alone.
func (b *tab) copied(parts ...string) {
	b.t.Helper()
	b.until("the clipboard", func() error {
		text, err := evaluate[string](b, "navigator.clipboard.readText()", chromedp.EvalAwaitPromise)
		if len(parts) == 1 && err == nil && text != parts[0] {
			return fmt.Errorf("it holds %q", text)
		}
		for _, part := range parts {
			if err == nil && !strings.Contains(text, part) {
				err = fmt.Errorf("it holds %q, without %q", text, part)
			}
		}
		return err
	})
}

// row waits for a student's row in «Мои ученики» (of the administrator:
// «Ученики»).
func (b *tab) row(email string) {
	b.t.Helper()
	b.holds(fmt.Sprintf(`[...document.querySelectorAll("#students tbody tr")].filter(r => r.innerText.includes(%q)).length === 1`, email))
}

// noRow waits until a student is not in the list.
func (b *tab) noRow(email string) {
	b.t.Helper()
	b.holds(fmt.Sprintf(`document.readyState === "complete" && !!document.querySelector("#students") && !document.querySelector("#students").innerText.includes(%q)`, email))
}

// forgets waits until a secret is nowhere in the page, its address or what it
// keeps.
func (b *tab) forgets(secret string) {
	b.t.Helper()
	b.until("the secret to be gone", func() error {
		places, err := evaluate[string](b, fmt.Sprintf(`Object.entries({
			"the page": document.documentElement.outerHTML, "a field": [...document.querySelectorAll("input, textarea")].map(f => f.value).join(" "),
			"the address": location.href, "the state": JSON.stringify(history.state) ?? "",
			"localStorage": JSON.stringify(localStorage), "sessionStorage": JSON.stringify(sessionStorage),
		}).filter(([, text]) => text.includes(%q)).map(([place]) => place).join(", ")`, secret))
		if err == nil && places != "" {
			err = fmt.Errorf("it is still in %s", places)
		}
		return err
	})
}

// opensModule16 asks the question that the people who use the platform gave.
func (s *school) opensModule16(before time.Time) {
	s.t.Helper()
	rows, err := s.raw(s.t).QueryContext(s.t.Context(), `SELECT * FROM module_unlocks
		WHERE user_id = (SELECT user_id FROM tripwire_users WHERE email = 'test123@example.com')
		  AND module_id = 16;`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for ; rows.Next(); n++ {
		values, row := make([]any, len(columns)), map[string]any{}
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			s.t.Fatal(err)
		}
		for i, name := range columns {
			row[name] = *values[i].(*any)
		}
		if fmt.Sprint(row["module_id"]) != "16" {
			s.t.Errorf("module_id is %v", row["module_id"])
		}
		at, ok := row["unlocked_at"].(time.Time)
		if !ok || at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			s.t.Errorf("unlocked_at is %v", row["unlocked_at"])
		}
	}
	if err := rows.Err(); err != nil || n != 1 {
		s.t.Errorf("the query answers %d rows, %v; want exactly one", n, err)
	}
}

// studentStudies is the student's side, in a fresh profile.
func (s *school) studentStudies() {
	s.t.Helper()
	const own = "мой собственный пароль"
	student := s.visitor("student")
	student.open("/")
	student.at("/login")
	student.logIn(testStudent.email, testStudent.password)
	student.at("/password")
	student.sees("Придумайте свой пароль")
	student.allow(403)
	student.open("/account")
	student.at("/password") // nothing else is open before
	student.fill("Новый пароль", own)
	student.follow("Сохранить пароль")
	student.at("/")
	student.seesModules("Открыт", "Откроется после модуля 16", "Откроется после модуля 17")
	student.logOut(testStudent.name)

	student.allow(401)
	student.logIn(testStudent.email, testStudent.password)
	student.sees("Неверный email или пароль")
	student.logIn(testStudent.email, own)
	student.at("/")
}

// seesModules checks the course page: modules 16, 17 and 18 in order, each with
// its line.
func (b *tab) seesModules(lines ...string) {
	b.t.Helper()
	cards := read[[][]string](b, `[...document.querySelectorAll("main ol > li")].filter(li => li.querySelector("h2"))
		.map(li => li.innerText.split("\n").map(line => line.trim()).filter(line => line))`)
	if len(cards) != len(lines) {
		b.t.Fatalf("%s sees %d modules: %q", b.name, len(cards), cards)
	}
	for i, line := range lines {
		number := fmt.Sprintf("модуль %d", 16+i)
		if !strings.EqualFold(cards[i][0], number) || !slices.Contains(cards[i], line) {
			b.t.Errorf("card %d says %q, want %q and %q", i+1, cards[i], number, line)
		}
		if open := slices.Contains(cards[i], "Открыт"); open != (line == "Открыт") {
			b.t.Errorf("card %d: open is %v: %q", i+1, open, cards[i])
		}
	}
}
