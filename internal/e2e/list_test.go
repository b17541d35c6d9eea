package e2e_test

import (
	"fmt"
	"testing"
)

func TestListIsSearchedAndPaged(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.admit("Айбек Мұратов", "aibek@example.com")
		manager.admit("Зере Қасымова", "zere.q@example.com")
		for i := range 21 {
			manager.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d@example.com", i+1))
		}
		manager.reload()
		_, pages := manager.counts()

		for query, email := range map[string]string{
			"айбек": "aibek@example.com", "муратов": "aibek@example.com", "МҰРАТОВ": "aibek@example.com", "қасым": "zere.q@example.com", "ZERE.Q@": "zere.q@example.com",
		} {
			manager.fill("Найти ученика", query)
			manager.rows(1)
			manager.row(email)
			manager.holds(fmt.Sprintf(`new URLSearchParams(location.search).get("q") === %q`, query))
		}
		manager.fill("Найти ученика", "никто <b>")
		manager.sees("По запросу «никто <b>» никого нет.")
		if _, now := manager.counts(); now != pages {
			t.Errorf("the search needed %d pages to be loaded anew", now-pages)
		}
		manager.follow("Сбросить")
		manager.rows(20)
		manager.sees("Показано 20 из 23")

		_, pages = manager.counts()
		manager.press("Вперёд")
		manager.rows(3)
		manager.sees("Показано 3 из 23")
		manager.holds(`new URLSearchParams(location.search).has("after")`)
		manager.row("aibek@example.com") // the first to come is on the last page
		if _, now := manager.counts(); now != pages {
			t.Errorf("paging needed %d pages to be loaded anew", now-pages)
		}
		address := manager.place()
		_, err := evaluate[any](manager, "void history.back()")
		manager.do("go back", err)
		manager.rows(20)
		manager.open(address)
		manager.rows(3)
		manager.admit("Новая Ученица", "newest@example.com") // the place is a student, not a number
		manager.reload()
		manager.rows(3)
		manager.row("aibek@example.com")
		manager.press("Назад")
		manager.rows(20)
		manager.press("Ученик") // the head of the column
		manager.holds(`document.querySelector("#students thead [aria-sort=ascending]")?.innerText.trim() === "Ученик"`)
		manager.holds(`document.querySelector("#students tbody tr b").innerText === "Айбек Мұратов"`)
		manager.press("100")
		manager.rows(24)
	})
}

// rows waits until the list shows this many students.
func (b *tab) rows(n int) {
	b.t.Helper()
	b.holds(fmt.Sprintf(`document.querySelectorAll("#students tbody tr").length === %d`, n))
}
