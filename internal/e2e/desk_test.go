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
		read[bool](manager, watchTheOrder)
		manager.press("Заблокировать")
		manager.sees("Доступ закрыт: 2 ученика")
		// The progress moved, and each has a word that no refresh takes away.
		manager.holds(`window.progress.join() === "0,1,2"`)
		manager.holds(resultsSaid + ` === "Ученик Номер 3: Готово|Ученик Номер 1: Готово"`)
		manager.holds(`[...document.querySelectorAll("#students tbody tr")].filter(r => r.innerText.includes("Заблокирован")).length === 2`)
		manager.settles()
		manager.holds(resultsSaid + ` === "Ученик Номер 3: Готово|Ученик Номер 1: Готово"`)
		manager.holds(`!document.querySelector("#bulk progress")`)
		manager.press("Закрыть")
		manager.holds(resultsSaid + ` === ""`)
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

// watchTheOrder notes each value that a progress in the page is given.
const watchTheOrder = `(() => {
	window.progress = [];
	new MutationObserver(() => document.querySelectorAll("progress").forEach(p => {
		for (let n = window.progress.length; n <= p.value; n++) window.progress.push(n);
	})).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["value"]});
	return true;
})()`

// resultsSaid is what the page keeps saying of each student of the last order.
const resultsSaid = `[...document.querySelectorAll("#bulk-results:not([hidden]) li")].map(li => [...li.children].map(e => e.textContent.trim()).join(": ")).join("|")`

// TestARefusedOrderSaysWhy: the sentence of the server, at the bar, and the form
// can be sent again.
func TestARefusedOrderSaysWhy(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager, boss := s.at(vera), s.at(admin)
		manager.admit("Ученик Первый", "first@example.com")
		manager.admit("Ученик Второй", "second@example.com")
		boss.open(panel)
		boss.rows(2)
		boss.allow(422)
		boss.marked("first@example.com")
		boss.press("Передать")
		boss.sees("Выберите менеджера.")
		boss.seesNot("Сервер занят")
		boss.holds(`document.activeElement.matches("#bulk [name=manager]") && document.activeElement.getAttribute("aria-invalid") === "true" && !document.querySelector("#bulk").dataset.sent`)
		boss.holds(`[...document.querySelectorAll("#bulk button")].every(b => !b.disabled)`)
		// Nobody is marked: nothing is done, and the form is let go.
		boss.holds(`(document.querySelectorAll("#students input[name=student]").forEach(b => { b.checked = false; }), document.querySelector("#bulk").requestSubmit(document.querySelector("#bulk [value=block]")), true)`)
		boss.holds(`!document.querySelector("#bulk").dataset.sent && [...document.querySelectorAll("#bulk button")].every(b => !b.disabled)`)
		// One of two cannot be helped: it is named, with the reason.
		boss.marked("first@example.com")
		boss.holds(fmt.Sprintf(`(document.querySelector("#bulk [name=manager]").value = %q) !== ""`, s.staffID(boris)))
		boss.press("Передать")
		boss.sees("Ученики переданы: 1 ученик")
		boss.marked("first@example.com", "second@example.com")
		boss.holds(fmt.Sprintf(`(document.querySelector("#bulk [name=manager]").value = %q) !== ""`, s.staffID(boris)))
		boss.press("Передать")
		boss.sees("1 не получилось")
		boss.holds(resultsSaid + `.startsWith("Ученик Первый: ") && !` + resultsSaid + `.startsWith("Ученик Первый: Готово")`)
		boss.holds(resultsSaid + `.includes("Ученик Второй: Готово")`)
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
