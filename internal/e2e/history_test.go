package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// lines waits until the history shows this many lines.
func (b *tab) lines(n int) {
	b.t.Helper()
	b.holds(fmt.Sprintf(`document.querySelectorAll("#activity .timeline > li").length === %d`, n))
}

func (b *tab) goBack() {
	b.t.Helper()
	_, err := evaluate[any](b, "void history.back()")
	b.do("go back", err)
}

// TestTheHistoryIsFilteredAndReadOn: the filter is an address, the way back leads
// to the one before, the foot of the page brings what is older, and another
// manager's story is not there.
func TestTheHistoryIsFilteredAndReadOn(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		for i := range 60 {
			manager.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d@example.com", i+1))
		}
		id := s.idOf("pupil7@example.com")
		manager.post(students+"/"+id+"/block", nil, "text/html")

		manager.open(panel)
		manager.follow("Вся история")
		manager.at(history)
		manager.sees("Сегодня", "ученик добавлен — Ученик Номер 60", "доступ закрыт — Ученик Номер 7")
		manager.lines(50)
		_, pages := manager.counts()
		manager.scrollDown()
		manager.lines(61)
		manager.sees("Ученик Номер 1 ", "Более ранних действий нет.")
		manager.holds(`[...document.querySelectorAll("#activity h3")].length === 1`)
		if _, now := manager.counts(); now != pages {
			t.Errorf("reading on needed %d pages to be loaded anew", now-pages)
		}

		manager.choose("action", "access")
		manager.follow("Показать")
		manager.holds(`new URLSearchParams(location.search).get("action") === "access"`)
		manager.lines(1)
		manager.fill("Ученик", "pupil8@")
		manager.follow("Показать")
		manager.lines(0)
		manager.sees("По этим условиям ничего нет.")
		manager.goBack()
		manager.lines(1)
		manager.goBack()
		manager.holds(`location.search === ""`)
		manager.sees("ученик добавлен — Ученик Номер 60")

		manager.open(students + "/" + id)
		manager.follow("Вся история")
		manager.lines(2)
		manager.follow("Вчера")
		manager.lines(0)
		manager.follow("Весь период")
		manager.lines(2)
		manager.follow("Убрать ученика: Ученик Номер 7")
		manager.holds(`location.search === ""`)

		other := s.at(boris)
		other.allow(404)
		other.open(history + "?student=" + id)
		other.lines(0)
		other.seesNot("Ученик Номер")
		boss := s.at(admin)
		boss.open(history + "?action=refusals")
		boss.sees(boris.name + ": попытка обратиться к чужому ученику — Ученик Номер 7")
		boss.choose("actor", "system")
		boss.follow("Показать")
		boss.seesNot("чужому")
		manager.open(history)
		manager.seesNot("чужому")

		got, err := evaluate[string](boss, fmt.Sprintf(`fetch(%q).then(r => r.text())`, history+".csv?action=students"), chromedp.EvalAwaitPromise)
		boss.do("fetch the file", err)
		if n := strings.Count(got, "\n"); n != 61 {
			t.Errorf("the file has %d lines", n)
		}
	})
}

// scrollDown goes to the foot of the page.
func (b *tab) scrollDown() {
	b.t.Helper()
	_, err := evaluate[any](b, "void document.querySelector('#more-lines').scrollIntoView()")
	b.do("scroll", err)
}

// choose takes an option of a list.
func (b *tab) choose(id, value string) {
	b.t.Helper()
	b.holds(fmt.Sprintf(`(() => { const list = document.getElementById(%q); if (list) list.value = %q; return list?.value === %q })()`, id, value, value))
}

// TestTheHistoryIsReadWithoutScript, link by link.
func TestTheHistoryIsReadWithoutScript(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		for i := range 55 {
			manager.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d@example.com", i+1))
		}
		manager.withoutScript()
		manager.open(history)
		manager.lines(50)
		manager.follow("Показать ещё")
		manager.lines(5)
		manager.follow("К новым действиям")
		manager.lines(50)
	})
}
