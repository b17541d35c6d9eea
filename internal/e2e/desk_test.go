package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// marked marks the rows of these students.
func (b *tab) marked(emails ...string) {
	b.t.Helper()
	for _, email := range emails {
		b.holds(fmt.Sprintf(`[...document.querySelectorAll("#students tbody tr")].some(r => {
			if (!r.innerText.includes(%q)) return false;
			const box = r.querySelector("input[name=student]");
			if (!box.checked) box.click();
			return box.checked;
		})`, email))
	}
}

// stat is the figure of a card.
func (b *tab) stat(label string) string {
	b.t.Helper()
	return read[string](b, fmt.Sprintf(`[...document.querySelectorAll("#figures .stat")].find(s => s.innerText.includes(%q)).querySelector(".stat-value").innerText`, label))
}

// TestManyStudentsAtOnce: marked, done with progress and a word at each row, and
// taken back with one press.
func TestManyStudentsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		for i := range 5 {
			manager.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d@example.com", i+1))
		}
		manager.open(panel)
		manager.rows(5)
		if got := manager.stat("Всего продаж"); got != "5" {
			t.Errorf("the card says %s", got)
		}
		manager.marked("pupil1@example.com", "pupil3@example.com")
		manager.sees("Отмечено: 2")
		manager.press("Заблокировать")
		manager.sees("Доступ закрыт: 2 ученика")
		manager.holds(`[...document.querySelectorAll("#students tbody tr")].filter(r => r.innerText.includes("Заблокирован")).length === 2`)
		manager.marked("pupil1@example.com", "pupil2@example.com", "pupil4@example.com")
		manager.press("Удалить отмеченных")
		manager.sees("Ученики удалены: 3 ученика")
		manager.rows(2)
		manager.holds(`[...document.querySelectorAll("#figures .stat")].find(s => s.innerText.includes("Всего продаж")).querySelector(".stat-value").innerText === "2"`)
		manager.follow("Вернуть")
		manager.sees("Ученики возвращены")
		manager.follow("К списку")
		manager.rows(5)
		manager.press("Все на странице")
		manager.sees("Отмечено: 5")
	})
}

// TestManyStudentsAtOnceWithoutScript: the same order, answered by a page.
func TestManyStudentsAtOnceWithoutScript(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.visitor("vera")
		manager.withoutScript()
		manager.open("/login")
		manager.logIn(vera.email, vera.password)
		manager.at(panel)
		manager.admit("Ученик Первый", "first@example.com")
		manager.admit("Ученик Второй", "second@example.com")
		manager.open(panel)
		manager.rows(2)
		manager.press("Отметить: Ученик Первый")
		manager.follow("Удалить отмеченных")
		manager.sees("Ученики удалены", "1 ученик", "Ученик Первый", "Готово")
		manager.follow("Вернуть всех")
		manager.sees("Ученики возвращены")
		manager.follow("К списку")
		manager.rows(2)
	})
}

// TestEveryCardOpensWhatItCounts, in the period that it counts.
func TestEveryCardOpensWhatItCounts(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		for i := range 4 {
			manager.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d@example.com", i+1))
		}
		manager.post(students+"/"+s.idOf("pupil1@example.com")+"/block", nil, "text/html")
		for _, period := range []string{"", "?period=today", "?period=yesterday", "?period=month"} {
			manager.open(panel + period)
			all, active := manager.stat("Всего продаж"), manager.stat("Активных")
			want := "4"
			if strings.Contains(period, "yesterday") {
				want = "0"
			}
			if all != want {
				t.Errorf("%s: %s sales", period, all)
			}
			manager.loading(func() { manager.pressOn("#figures .stat:nth-child(2)") })
			manager.holds(fmt.Sprintf(`document.querySelectorAll("#students tbody tr").length === %s && new URLSearchParams(location.search).get("status") === "active"`, active))
			manager.open(panel + period)
			manager.loading(func() { manager.pressOn("#figures .stat:nth-child(1)") })
			manager.at("/integrator/sales")
			manager.holds(fmt.Sprintf(`document.querySelectorAll("main tbody tr").length === %s`, all))
		}
	})
}

// TestViewsAreKept under a name of the reader's own, and nobody else sees them.
func TestViewsAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.admit("Ученик Первый", "first@example.com")
		manager.open(panel + "?status=blocked&sort=name")
		manager.pressOn("#views > summary")
		manager.fill("Сохранить этот вид как", "Мои должники")
		manager.follow("Сохранить")
		manager.open(panel)
		manager.pressOn("#views > summary")
		manager.follow("Мои должники")
		manager.holds(`new URLSearchParams(location.search).get("status") === "blocked" && new URLSearchParams(location.search).get("sort") === "name"`)
		other := s.at(boris)
		other.holds(`!document.body.innerHTML.includes("Мои должники")`)
		manager.pressOn("#views > summary")
		manager.follow("Удалить вид: Мои должники")
		manager.holds(`!document.body.innerHTML.includes("Мои должники")`)
	})
}

// TestAdministratorLooksThroughOneManager: a press in the ranking filters the whole
// screen, and there is a way back.
func TestAdministratorLooksThroughOneManager(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager, other := s.at(vera), s.at(boris)
		manager.admit("Ученик Веры", "veras@example.com")
		other.admit("Ученик Бориса", "boris1@example.com")
		other.admit("Ученица Бориса", "boris2@example.com")
		boss := s.at(admin)
		boss.rows(3)
		boss.loading(func() { boss.pressOn("#ranking a.board-row") })
		boss.rows(2)
		if got := boss.stat("Всего продаж"); got != "2" {
			t.Errorf("the card says %s", got)
		}
		boss.follow("Показать всех")
		boss.rows(3)
		other.open(read[string](boss, `[...document.querySelectorAll("#ranking a.board-row")].find(a => a.innerText.includes("Вера Ким")).getAttribute("href")`))
		other.sees("Среди выбранных никого нет")
		other.seesNot("Ученик Веры", "veras@")
	})
}

// TestOwnDatesAreChecked at their fields, with what was typed kept.
func TestOwnDatesAreChecked(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager := s.at(vera)
	manager.allow(422)
	manager.open(panel + "?period=range&from=2026-12-05&to=2026-12-01")
	manager.sees("Конец раньше начала.")
	manager.holds(`document.querySelector("#period-from").value === "2026-12-05" && document.querySelector("#period-to").value === "2026-12-01"`)
	manager.open(panel + "?from=2026-11-01&to=2026-11-30")
	manager.holds(`document.querySelectorAll("#chart tbody tr").length === 30`)
}
