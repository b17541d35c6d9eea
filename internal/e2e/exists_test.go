package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

// everything counts the rows of every table that a creation writes.
func (s *school) everything() map[string]int {
	s.t.Helper()
	rows := map[string]int{}
	for _, table := range []string{
		"users", "tripwire_users", "module_unlocks", "module_grants", "module_completions", "lesson_completions",
		"access_links", "form_keys", "letters", "activity",
	} {
		rows[table] = s.count("SELECT count(*) FROM " + table)
	}
	rows["activity"] -= s.count("SELECT count(*) FROM activity WHERE action LIKE 'refused.%'")
	return rows
}

// unchanged checks that nothing was written since.
func (s *school) unchanged(before map[string]int) {
	s.t.Helper()
	for table, n := range s.everything() {
		if n != before[table] {
			s.t.Errorf("%s had %d rows and has %d", table, before[table], n)
		}
	}
}

func TestSameEmailAgainIsToldAndLedToTheCard(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.create(testStudent)
		manager.finish()
		before := s.everything()
		manager.allow(409)

		for _, typed := range []string{testStudent.email, "TEST123@Example.com "} {
			manager.press("Добавить ученика")
			manager.fill("ФИО", "Другой Человек")
			manager.fill("Email", typed)
			manager.fill("Пароль", "another-1234")
			manager.press("Создать")
			manager.sees("Такой ученик уже есть: Test Student.")
			manager.holds(`document.activeElement?.name === "email" && document.activeElement.getAttribute("aria-invalid") === "true"`)
			manager.holds(`document.getElementById(document.activeElement.getAttribute("aria-describedby").split(" ")[0]).innerText.includes("Такой ученик уже есть")`)
			kept := read[[]string](manager, `["full_name", "email", "password"].map(n => document.querySelector("dialog [name=" + n + "]").value)`)
			if want := []string{"Другой Человек", strings.TrimSpace(typed), "another-1234"}; strings.Join(kept, "|") != strings.Join(want, "|") {
				t.Errorf("the form keeps %q, want %q", kept, want)
			}
			s.unchanged(before)
			manager.follow("Открыть карточку")
			manager.at(students + "/" + s.idOf(testStudent.email))
			manager.sees("Test Student")
			manager.open(panel)
		}

		// The browser cuts the space off; a program does not.
		for _, typed := range []string{testStudent.email, "TEST123@Example.com ", "\u200btest123@EXAMPLE.com"} {
			form := url.Values{"full_name": {"Другой Человек"}, "email": {typed}, "password": {"another-1234"}}
			got := manager.post(students, form, "application/json")
			if got.Status != 409 || !strings.Contains(got.Text, `"code":"student_exists"`) {
				t.Errorf("%q: %d %s", typed, got.Status, got.Text)
			}
		}
		s.unchanged(before)
	})
}
