package web

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

const historyAt = "/integrator/history"

// sentences answers the lines of a page of the history.
func sentences(t *testing.T, a answer) (all []string) {
	t.Helper()
	for n := range a.doc(t).Descendants() {
		if n.Type == html.ElementNode && n.Data == "li" && element(n, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "class"), "dot") }) != nil {
			var words []string
			for text := range n.Descendants() {
				if text.Type == html.TextNode {
					words = append(words, strings.Fields(text.Data)...)
				}
			}
			all = append(all, strings.Join(words, " "))
		}
	}
	return all
}

func link(t *testing.T, a answer, id string) string {
	t.Helper()
	return attr(element(a.doc(t), func(n *html.Node) bool { return attr(n, "id") == id }), "href")
}

// fillHistory writes n lines, a minute apart, about one student.
func (p place) fillHistory(t *testing.T, n int, owner, student school.UserID) {
	t.Helper()
	rows := make([]string, n)
	for i := range rows {
		at := p.clock.now().Add(-time.Duration(n-i) * time.Minute).UTC().Format("2006-01-02 15:04:05.000")
		rows[i] = fmt.Sprintf("('%s', 'panel', 'line-%d', '%s', '%s', '%s', 'student.edited', '{\"reason\": \"line-%d.\"}')", at, i, owner, student, owner, i)
	}
	p.exec(t, "INSERT INTO activity (at, door, request_id, actor_id, subject_id, owner_id, action, details) VALUES "+strings.Join(rows, ", "))
}

// TestTheHistoryIsReadToItsEnd by links, with and without script, while lines
// arrive: each is there once.
func TestTheHistoryIsReadToItsEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.clock.set(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
		id := p.student(t, p.a, "s@example.com").Student.ID
		p.fillHistory(t, 130, p.a.ID, id)
		b := p.as(t, "a@example.com", staffPassword)
		for _, headers := range [][]string{nil, {"HX-Request", "true"}} {
			var all []string
			pages := 0
			for next := historyAt; next != ""; pages++ {
				a := b.get(next, headers...)
				if a.status != http.StatusOK {
					t.Fatalf("%s: %d %s", next, a.status, a.text())
				}
				if fragment := headers != nil && pages > 0; fragment == strings.Contains(a.body, "<html") {
					t.Errorf("%s %v: a fragment: %v", next, headers, fragment)
				} else if today := strings.Contains(a.body, ">Сегодня<"); fragment && today && pages == 1 {
					t.Errorf("%s: the day begins twice", next)
				}
				if live := strings.Contains(a.body, `data-live="activity"`); live != (pages == 0) {
					t.Errorf("page %d is refreshed: %v", pages, live)
				}
				all = append(all, sentences(t, a)...)
				next = link(t, a, "more")
				p.clock.pass(time.Second)
				if _, _, err := p.IssueLink(t.Context(), p.a, id); err != nil {
					t.Fatal(err)
				}
			}
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			for i := range 130 {
				if n := len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.Contains(s, fmt.Sprintf("line-%d.", i)) })); n != 1 {
					t.Errorf("line %d stands %d times", i, n)
				}
			}
		}
	})
}

// TestTheHistoryOfOthersIsNotThere: an id of somebody else's, in the page and in
// the export, is answered like one that nobody has.
func TestTheHistoryOfOthersIsNotThere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		theirs := p.student(t, p.a, "theirs@example.com").Student.ID
		p.student(t, p.b, "mine@example.com")
		b := p.as(t, "b@example.com", staffPassword)
		if mine := sentences(t, b.get(historyAt)); len(mine) != 1 || !strings.Contains(mine[0], "Staff b@example.com") {
			t.Errorf("one's own: %q", mine)
		}
		clean := func(a answer, id string) string {
			return strings.NewReplacer(id, "ID", a.header.Get("X-Request-Id"), "REQUEST").Replace(a.body)
		}
		for _, ask := range []string{"?student=", "?actor=", "?action=students&student=", "?actor=" + string(p.b.ID) + "&student=", "?period=today&actor=", "?before=1-1&student="} {
			for _, file := range []string{"", ".csv"} {
				nobody := b.get(historyAt + file + ask + nobodysID)
				for _, id := range []string{string(theirs), string(p.a.ID), string(p.admin.ID)} {
					a := b.get(historyAt + file + ask + id)
					if a.status != http.StatusOK || clean(a, id) != clean(nobody, nobodysID) || strings.Contains(a.body, "theirs@") {
						t.Errorf("%s%s%s: %d %s", file, ask, id, a.status, a.text())
					}
				}
			}
		}
		if a := b.get(historyAt + "?q=theirs"); strings.Contains(a.text(), "theirs@") || len(sentences(t, a)) > 0 {
			t.Errorf("found by searching: %s", a.text())
		}
		boss := p.as(t, "admin@example.com", staffPassword)
		if a := boss.get(historyAt + "?student=" + string(theirs)); len(sentences(t, a)) < 2 || !strings.Contains(a.text(), "попытка обратиться к чужому ученику") {
			t.Errorf("the administrator is told %q", sentences(t, a))
		}
		owner := p.as(t, "a@example.com", staffPassword)
		for _, path := range []string{historyAt, historyAt + "?student=" + string(theirs), historyAt + ".csv", cardPath(theirs), historyAt + "?action=refusals", "/integrator/sales-manager"} {
			a := owner.get(path)
			before, ranking, _ := strings.Cut(a.body, `id="ranking"`) // every manager stands in the ranking
			_, after, _ := strings.Cut(ranking, "</section>")
			a.body = before + after
			if a.status != http.StatusOK || strings.Contains(a.body, "чужому") || strings.Contains(a.body, "Staff b@") {
				t.Errorf("%s tells the manager of the attempt: %s", path, a.text())
			}
		}
		if a := owner.get(cardPath(theirs)); !strings.Contains(a.body, historyAt+"?student="+string(theirs)) {
			t.Error("the card does not lead to the whole history")
		}
	})
}

// TestFaultyDaysStandAtTheirField, with everything that was asked for.
func TestFaultyDaysStandAtTheirField(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		id := p.student(t, p.a, "s@example.com").Student.ID
		b := p.as(t, "a@example.com", staffPassword)
		for query, field := range map[string]string{
			"from=2026-02-30": "from", "to=yesterday": "to", "from=2026-02-02&to=2026-02-01": "to", "period=century": "",
		} {
			a := b.get(historyAt + "?action=students&student=" + string(id) + "&" + query)
			if a.status != http.StatusUnprocessableEntity || len(sentences(t, a)) > 0 {
				t.Errorf("%s: %d, %q", query, a.status, sentences(t, a))
			}
			if field != "" && !strings.Contains(a.body, `id="`+field+`-error"`) {
				t.Errorf("%s: no fault at %s", query, field)
			}
			if !strings.Contains(a.body, `<option value="students" selected`) || !strings.Contains(a.body, string(id)) {
				t.Errorf("%s: what was asked for is lost", query)
			}
			if a := b.get(historyAt+".csv?"+query, asProgram...); a.status != http.StatusUnprocessableEntity || a.code() != "invalid_input" {
				t.Errorf("%s as a file: %d %s", query, a.status, a.code())
			}
		}
		for query, lines := range map[string]int{
			"period=today": 1, "period=yesterday": 0, "from=2000-01-01": 1, "to=2000-01-01": 0, "period=today&from=2000-01-01&to=2000-01-02": 0, "before=nonsense": 1, "before=9-9": 0,
		} {
			if a := b.get(historyAt + "?action=students&" + query); a.status != http.StatusOK || len(sentences(t, a)) != lines {
				t.Errorf("%s: %d, %d lines", query, a.status, len(sentences(t, a)))
			}
		}
	})
}

// TestTheHistoryAsAFile opens in table programs, runs nothing there, and speaks the
// reader's language in the school's zone.
func TestTheHistoryAsAFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.clock.set(time.Date(2026, 11, 24, 20, 30, 5, 0, time.UTC)) // the day after in Almaty
		for i, name := range []string{"=SUM(A1)", "+Seven", "-Two", "@SUM(A1)", `Quoted "name", with comma`} {
			if _, err := p.CreateStudent(t.Context(), p.a, school.NewStudentForm{FullName: name, Email: fmt.Sprintf("s%d@example.com", i), Access: "link"}); err != nil {
				t.Fatal(err)
			}
		}
		p.fillHistory(t, 1100, p.a.ID, p.b.ID)
		b := p.as(t, "a@example.com", staffPassword)
		b.post("/language", url.Values{"language": {"en"}})
		a := b.get(historyAt + ".csv")
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(a.header.Get("Content-Disposition"), "2026-11-25.csv") {
			t.Errorf("%d %v", a.status, a.header)
		}
		if !strings.HasPrefix(a.body, "\ufeffTime,Who,Action,Student,Details,Channel\r\n") {
			t.Errorf("begins with %.80q", a.body)
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || len(rows) != 1+5+1100 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		var subjects []string
		for _, row := range rows[1:6] {
			subjects = append(subjects, row[3])
			if row[0] != "2026-11-25 01:30:05" || row[1] != "Staff a@example.com" || !strings.HasPrefix(row[2], "Staff a@example.com added ") {
				t.Errorf("%q", row)
			}
		}
		slices.Sort(subjects)
		if want := []string{"'+Seven", "'-Two", "'=SUM(A1)", "'@SUM(A1)", `Quoted "name", with comma`}; !slices.Equal(subjects, want) {
			t.Errorf("%q", subjects)
		}
		if a := b.get(historyAt + ".csv?action=students&q=s4@&period=today"); strings.Count(a.body, "\n") != 2 {
			t.Errorf("filtered: %s", a.body)
		}
		if a := b.get(historyAt + ".csv?action=nonsense"); a.status != http.StatusOK || strings.Count(a.body, "\n") != 1 {
			t.Errorf("nothing: %d %s", a.status, a.body)
		}
	})
}

// TestHalfAFileIsNoFile: a read that fails midway cuts the connection.
func TestHalfAFileIsNoFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.exec(t, "INSERT INTO activity (at, door, request_id, action, details) VALUES ('2026-01-01 10:00:00.000', 'panel', '', 'settings.edited', 'not what we write')")
		p.fillHistory(t, 1100, p.a.ID, p.b.ID)
		b := p.as(t, "admin@example.com", staffPassword)
		for _, accept := range []string{"", "gzip"} {
			r := b.request(http.MethodGet, historyAt+".csv", nil, "Accept-Encoding", accept)
			r.AddCookie(&http.Cookie{Name: "tripwire", Value: b.token()})
			res, err := b.client.Do(r)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if err == nil {
				t.Errorf("%d bytes were taken for the whole, %q", len(got), accept)
			}
		}
		if a := b.get(historyAt + ".csv?to=2026-01-02"); a.status != http.StatusInternalServerError || strings.Contains(a.header.Get("Content-Type"), "csv") {
			t.Errorf("a read that fails before the first line: %d %s", a.status, a.header.Get("Content-Type"))
		}
		if a := b.get(historyAt + "?to=2026-01-02"); a.status != http.StatusInternalServerError || !strings.Contains(a.body, a.header.Get("X-Request-Id")) || !strings.Contains(a.body, "2026-01-02") {
			t.Errorf("a page that cannot be read: %d %s", a.status, a.text())
		}
	})
}

// TestWhoIsTurnedAwayIsTold to the administrator, once for a route, by its pattern;
// and where it cannot be told, the answer is the same and the log knows.
func TestWhoIsTurnedAwayIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var full atomic.Bool
		p := open(t, target, setup{store: func(o *store.Options) {
			o.BeforeStatement = func(statement string) error {
				if full.Load() && strings.Contains(statement, "ON CONFLICT (once)") {
					return errors.New("the disk is full")
				}
				return nil
			}
		}})
		student, id := p.studentAs(t, p.a, "s@example.com")
		manager, other := p.as(t, "a@example.com", staffPassword), p.as(t, "b@example.com", staffPassword)
		for range 3 {
			student.get("/integrator/sales-manager?q=whatever")
			student.post("/integrator/students", goodForms["/integrator/students"])
			manager.get("/integrator/settings")
			manager.get("/integrator/lessons/67")
			manager.get("/integrator/lessons/68") // the same pattern
			other.get(cardPath(id))
			other.post(cardPath(id)+"/block", nil)
			other.get("/integrator/sales-manager?deleted=" + string(id))
			p.browser(t).get("/integrator/settings") // nobody: asked to log in
		}
		boss := p.as(t, "admin@example.com", staffPassword)
		told := strings.Join(sentences(t, boss.get(historyAt+"?action=refusals")), "\n")
		if n := strings.Count(told, "\n") + 1; n != 7 {
			t.Errorf("%d lines:\n%s", n, told)
		}
		for _, want := range []string{
			"Test Student : попытка открыть раздел без прав Запрос: GET /integrator/sales-manager", "Запрос: POST /integrator/students",
			"Staff a@example.com : попытка открыть раздел без прав Запрос: GET /integrator/settings", "GET /integrator/lessons/{lesson}",
			"Staff b@example.com : попытка обратиться к чужому ученику — Test Student Запрос: GET /integrator/students/{id}", "POST /integrator/students/{id}/block",
		} {
			if !strings.Contains(told, want) {
				t.Errorf("not told: %s\n%s", want, told)
			}
		}
		if strings.Contains(told, "whatever") {
			t.Error("the address itself is told")
		}
		full.Store(true)
		for path, status := range map[string]int{"/integrator/courses": http.StatusForbidden, cardPath(id) + "/preview": http.StatusNotFound} {
			a := other.get(path)
			if a.status != status {
				t.Errorf("%s without a history: %d", path, a.status)
			}
			lost := fmt.Sprintf(`"msg":"refusal not noted","request_id":"%s"`, a.header.Get("X-Request-Id"))
			if !strings.Contains(p.log.String(), lost) || !strings.Contains(p.log.String(), "the disk is full") {
				t.Errorf("%s: the log does not know", path)
			}
		}
	})
}
