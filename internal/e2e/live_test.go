package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hearsLive waits until the page hears of changes.
func (b *tab) hearsLive() {
	b.t.Helper()
	b.until("the stream of changes", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, a := range b.answers {
			if strings.HasPrefix(a, "200 GET /integrator/events") {
				return nil
			}
		}
		return fmt.Errorf("it has not begun")
	})
}

// TestLiveOthersSeeItWithoutReloading: what one does, the others see; who is
// typing, has scrolled or has a menu open is left in peace.
func TestLiveOthersSeeItWithoutReloading(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager, boss, other := s.at(vera), s.at(admin), s.at(boris)
		for i := range 19 {
			manager.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d@example.com", i+1))
		}
		for _, b := range []*tab{boss, other} {
			b.reload()
			b.hearsLive()
		}
		boss.rows(19)
		boss.settles()
		_, pages := boss.counts()

		// The administrator types in the search box and has scrolled down.
		_, err := evaluate[bool](boss, `(() => {
			const q = document.querySelector("#q");
			q.focus({preventScroll: true});
			q.value = "типа ищу"; // without the event that would send it
			q.setSelectionRange(2, 5);
			document.querySelector("#activity").dataset.mine = "1";
			window.kept = document.querySelector('[id^="menu-"]').closest("tr");
			scrollTo(0, 300);
			return true;
		})()`)
		boss.do("type and scroll", err)
		manager.admit(testStudent.name, testStudent.email)
		boss.rows(20)
		boss.row(testStudent.email)
		boss.holds(`document.querySelector("#activity").innerText.includes("` + testStudent.name + `")`)
		boss.holds(`(() => {
			const q = document.activeElement;
			return q.id === "q" && q.value === "типа ищу" && q.selectionStart === 2 && q.selectionEnd === 5 && scrollY >= 300 && window.kept.isConnected;
		})()`)
		if _, now := boss.counts(); now != pages {
			t.Errorf("%d pages were loaded anew", now-pages)
		}
		other.seesNot(testStudent.name)
		other.rows(0)

		// An open menu stays, and the change comes when it is closed.
		_, err = evaluate[bool](boss, `(document.querySelector('#students [popovertarget^="menu-"]').click(), true)`)
		boss.do("open a menu", err)
		boss.holds(`document.querySelector("#students :popover-open") !== null`)
		manager.remove(testStudent)
		boss.holds(`document.querySelector("#activity").innerText.includes("удал")`)
		boss.holds(`document.querySelector("#students :popover-open") !== null`)
		boss.rows(20)
		boss.key("Escape", "Escape")
		boss.rows(19)
	})
}

// TestLiveOnesOwnChangeIsFetchedOnce: the event of one's own creation does what
// the page would have done by itself.
func TestLiveOnesOwnChangeIsFetchedOnce(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager := s.at(vera)
	manager.hearsLive()
	manager.settles()
	before := manager.asked("200 GET " + panel)
	manager.create(testStudent)
	manager.row(testStudent.email)
	// What comes after the event of the second creation comes after that of the
	// first too.
	manager.finish()
	manager.create(person{"Второй Ученик", "second@example.com", "second-1234"})
	manager.row("second@example.com")
	manager.settles()
	if n := manager.asked("200 GET "+panel) - before; n != 2 {
		t.Errorf("two creations needed the list %d times", n)
	}
}

// asked counts the answers of this kind.
func (b *tab) asked(answer string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.answers {
		if a == answer {
			n++
		}
	}
	return n
}

// TestLiveASelectionStays until the reader lets it go, and each row stays itself.
func TestLiveASelectionStays(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager, boss := s.at(vera), s.at(admin)
	manager.admit("Первый Ученик", "first@example.com")
	boss.hearsLive()
	boss.row("first@example.com")
	_, err := evaluate[bool](boss, `(() => {
		getSelection().selectAllChildren(document.querySelector("#students tbody b"));
		return true;
	})()`)
	boss.do("select a name", err)
	manager.admit("Второй Ученик", "second@example.com")
	boss.holds(`document.querySelector("#activity").innerText.includes("Второй Ученик")`)
	boss.holds(`getSelection().toString() === "Первый Ученик"`)
	boss.rows(1)
	_, err = evaluate[bool](boss, `(getSelection().removeAllRanges(), true)`)
	boss.do("let the name go", err)
	boss.rows(2)
	// The row is the same element, with the boxes that were checked in it.
	_, err = evaluate[bool](boss, `(() => {
		for (const row of document.querySelectorAll("#students tbody tr")) if (row.innerText.includes("first@")) window.row = row;
		return true;
	})()`)
	boss.do("remember a row", err)
	manager.admit("Третий Ученик", "third@example.com")
	boss.rows(3)
	boss.holds(`window.row.isConnected && window.row.innerText.includes("first@example.com")`)
}

// TestLiveALostConnectionIsShownAndHeals: the server is killed and comes back at
// the same address.
func TestLiveALostConnectionIsShownAndHeals(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		boss := s.at(admin)
		boss.hearsLive()
		boss.allow(lost)
		boss.rows(0)
		address := strings.TrimPrefix(s.base, "http://")
		s.kill(t)
		boss.sees("Нет связи, показываем прежние данные")
		back := s.serveAt(t, address)
		boss.holds(`!document.querySelector("#live").classList.contains("lost")`)
		again := &school{server: back, t: t, browsing: s.browsing}
		again.at(vera).admit(testStudent.name, testStudent.email)
		boss.row(testStudent.email)
	})
}

// TestLiveBetweenTwoServers: two processes on one PostgreSQL database.
func TestLiveBetweenTwoServers(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptyPostgres(t))
	second := &school{server: s.database.serve(t), t: t}
	boss := second.at(admin)
	boss.hearsLive()
	boss.rows(0)
	s.at(vera).admit(testStudent.name, testStudent.email)
	boss.row(testStudent.email)
}

// TestLiveEndsWithTheSession: a window whose session has ended elsewhere goes to
// the log-in page.
func TestLiveEndsWithTheSession(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		boss := s.at(admin)
		boss.hearsLive()
		manager := s.at(vera)
		s.exec("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = '" + admin.email + "')")
		manager.admit(testStudent.name, testStudent.email) // the stream looks who reads before it tells
		boss.at("/login")
		boss.seesNot(testStudent.name)
	})
}

// inked is true of a chart that has drawn something.
const inked = `[...document.querySelectorAll("#chart [data-chart] canvas")].some(c => c.width && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v))`

// TestLiveTheChartIsDrawnAnew: what one sells stands in the chart of the other, in
// the picture and in its table, and the day that is being read stays.
func TestLiveTheChartIsDrawnAnew(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager, boss := s.at(vera), s.at(admin)
		manager.admit("Ученик Первый", "first@example.com")
		boss.reload()
		boss.hearsLive()
		const sum = `Number(document.querySelector("#chart tbody tr:last-child").dataset.total)`
		boss.holds(inked + " && " + sum + " === 500000")
		read[bool](boss, `document.querySelector("[data-chart]").focus() ?? true`)
		boss.key("ArrowLeft", "ArrowLeft")
		boss.key("ArrowRight", "ArrowRight")
		boss.holds(readOut + `.includes("1 продажа")`)
		for n, email := range []string{"second@example.com", "third@example.com"} {
			manager.admit("Ученик Новый", email)
			boss.holds(fmt.Sprintf(sum+" === %d", (n+2)*500000))
			boss.holds(inked)
			boss.holds(readOut + fmt.Sprintf(`.includes("%d продажи")`, n+2))
			boss.holds(`document.activeElement.matches("[data-chart]") && document.querySelectorAll("#chart canvas").length === 1 && document.querySelectorAll("#chart .tip").length === 1`)
		}
		boss.key("ArrowLeft", "ArrowLeft")
		boss.holds(`document.querySelector("[data-chart-said]").textContent.includes("3 продажи")`) // the only day so far
	})
}

// TestLiveLedger: the list of sales follows too, until its reader reads on.
func TestLiveLedger(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager, boss := s.at(vera), s.at(admin)
		for i := range 51 {
			manager.admit("Ученик", fmt.Sprintf("pupil%d@example.com", i))
		}
		boss.open(sales)
		boss.hearsLive()
		manager.admit("Ученик Новый", "new@example.com")
		boss.sees("52 продажи", "new@example.com")
		_, pages := boss.counts()
		boss.press("Показать ещё")
		boss.holds(`document.querySelectorAll("#sales tbody tr").length === 52`)
		boss.holds(`!document.querySelector("#sales").dataset.live`)
		if _, now := boss.counts(); now != pages {
			t.Errorf("%d pages were loaded anew", now-pages)
		}
	})
}

// kill ends the server as a fault of the machine does.
func (s *server) kill(t *testing.T) {
	t.Helper()
	s.stopped = true
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Fatal("the server does not die")
	}
}
