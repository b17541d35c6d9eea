package web

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// emails answers the addresses in a CSV of students, in its order.
func emails(t *testing.T, a answer) (all []string) {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", a.path, a.status, a.text())
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v", a.path, err)
	}
	for _, row := range rows[1:] {
		all = append(all, row[1])
	}
	return all
}

// shown answers the addresses on a page, of those asked for.
func shown(a answer, emails ...string) []string {
	return slices.DeleteFunc(slices.Clone(emails), func(e string) bool { return !strings.Contains(a.body, e) })
}

// TestExportIsTheListOfThePage: file, sheet of paper and page have the same
// students, and a manager's never another's, whatever the address says.
func TestExportIsTheListOfThePage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		for i, by := range []school.Actor{p.a, p.b, p.a, p.admin} {
			id := p.named(t, by, fmt.Sprintf("Student %d", i), fmt.Sprintf("s%d@example.com", i))
			p.clock.pass(time.Minute)
			if i == 2 {
				if err := p.BlockStudent(t.Context(), p.a, id); err != nil {
					t.Fatal(err)
				}
			}
		}
		everybody := []string{"s3@example.com", "s2@example.com", "s1@example.com", "s0@example.com"}
		manager, boss := p.as(t, "a@example.com", staffPassword), p.as(t, "admin@example.com", staffPassword)
		const exports = "SELECT count(*) FROM activity WHERE action = 'students.exported'"
		for _, c := range []struct {
			by    *browser
			query string
			want  []string
		}{
			{boss, "", everybody},
			{boss, "?sort=added", []string{"s0@example.com", "s1@example.com", "s2@example.com", "s3@example.com"}},
			{boss, "?status=blocked", everybody[1:2]},
			{boss, "?q=s1@", everybody[2:3]},
			{boss, "?manager=" + string(p.b.ID), everybody[2:3]},
			{boss, "?manager=nobody-at-all", nil},
			{boss, "?period=yesterday", nil},
			{boss, "?course=99", nil},
			{manager, "", []string{"s2@example.com", "s0@example.com"}},
			{manager, "?q=example.com&size=100&sort=name", []string{"s0@example.com", "s2@example.com"}},
			{manager, "?manager=" + string(p.b.ID), nil},
			{manager, "?manager=&owner=" + string(p.b.ID) + "&scope=all&all=1", []string{"s2@example.com", "s0@example.com"}},
			{manager, "?q=s1@", nil},
		} {
			before := p.count(t, exports)
			if got := emails(t, c.by.get(studentsAt+".csv"+c.query)); !slices.Equal(got, c.want) {
				t.Errorf("%s: the file has %q, want %q", c.query, got, c.want)
			}
			c.want = slices.Sorted(slices.Values(c.want))
			for _, path := range []string{panelAt, studentsAt + "/print"} {
				a := c.by.get(path + c.query)
				if got := shown(a, "s0@example.com", "s1@example.com", "s2@example.com", "s3@example.com"); path != panelAt && !slices.Equal(got, c.want) {
					t.Errorf("%s%s has %q, want %q", path, c.query, got, c.want)
				}
				wantPage(t, a, http.StatusOK)
				if c.by == manager && (strings.Contains(a.body, "s1@example.com") || strings.Contains(a.body, "s3@example.com")) {
					t.Errorf("%s%s tells of another's student", path, c.query)
				}
			}
			list := element(c.by.get(panelAt+c.query).doc(t), func(n *html.Node) bool { return attr(n, "id") == "students" })
			var text strings.Builder
			if err := html.Render(&text, list); err != nil {
				t.Fatal(err)
			}
			if got := shown(answer{body: text.String()}, "s0@example.com", "s1@example.com", "s2@example.com", "s3@example.com"); !slices.Equal(got, c.want) {
				t.Errorf("the page of %s lists %q, want %q", c.query, got, c.want)
			}
			if a := c.by.get(studentsAt + ".xlsx" + c.query); a.status != http.StatusOK || !strings.HasPrefix(a.body, "PK") {
				t.Errorf("the workbook of %s: %d", c.query, a.status)
			}
			if n := p.count(t, exports) - before; n != 2 { // CSV and workbook
				t.Errorf("%s: %d exports are noted", c.query, n)
			}
		}
		for _, ext := range []string{".csv", ".xlsx"} {
			head := boss.do(boss.request(http.MethodHead, studentsAt+ext, nil))
			if head.status != http.StatusOK || head.body != "" || !strings.Contains(head.header.Get("Content-Disposition"), ext) {
				t.Errorf("HEAD of %s: %d %q", ext, head.status, head.header)
			}
			if a := boss.get(studentsAt+ext+"?period=never", asProgram...); a.status != http.StatusUnprocessableEntity || a.code() != "invalid_input" {
				t.Errorf("%s of no period: %d %s", ext, a.status, a.code())
			}
		}
		pupil, _ := p.studentAs(t, p.a, "pupil@example.com")
		for _, path := range []string{".csv", ".xlsx", "/print"} {
			if a := pupil.get(studentsAt + path); a.status != http.StatusForbidden {
				t.Errorf("a student gets %s: %d", path, a.status)
			}
		}
	})
}

// many admits n students past the desk, a second apart, the first of them long ago.
func (p place) many(t *testing.T, n int) {
	t.Helper()
	id, email, at := "'01900000-0000-7000-8000-' || substr('000000000000' || i, -12)", "'m' || i || '@example.com'", "strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', i || ' seconds')"
	if p.target.Engine == "postgres" {
		id, at = "('01900000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid", "TIMESTAMPTZ '2026-01-01 00:00:00Z' + i * INTERVAL '1 second'"
	}
	numbers := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", n)
	p.exec(t, "INSERT INTO users (id, email, full_name, search_text, role, language, created_at) "+numbers+
		"SELECT "+id+", "+email+", 'Many', 'many ' || "+email+", 'student', 'ru', "+at+" FROM n")
	p.exec(t, "INSERT INTO tripwire_users (user_id, course_id, email, granted_at, granted_by) "+numbers+
		"SELECT "+id+", (SELECT min(id) FROM courses), "+email+", "+at+", '"+string(p.a.ID)+"' FROM n")
}

// TestAPageThatHasEmptiedLeadsBack: whoever opens it sees that nobody is there any
// more, and the way to those who are.
func TestAPageThatHasEmptiedLeadsBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.many(t, school.PageSize+1)
		b := p.as(t, "a@example.com", staffPassword)
		link := func(a answer, is func(*html.Node) bool) string {
			n := element(a.doc(t), func(n *html.Node) bool { return n.Data == "a" && is(n) })
			if n == nil {
				t.Fatalf("there is no such link: %s", a.text())
			}
			return attr(n, "href")
		}
		next := link(b.get(panelAt+"?period=all"), func(n *html.Node) bool { return attr(n, "rel") == "next" })
		if a := b.get(next); !strings.Contains(a.body, "m1@example.com") {
			t.Fatalf("the last page: %s", a.text())
		}
		p.exec(t, "UPDATE tripwire_users SET deleted_at = granted_at, email = NULL WHERE email = 'm1@example.com'")
		a := b.get(next)
		wantPage(t, a, http.StatusOK)
		if !strings.Contains(a.body, "На этой странице уже никого нет") {
			t.Errorf("the emptied page: %s", a.text())
		}
		if back := b.get(link(a, func(n *html.Node) bool { return textOf(n) == "К началу списка" })); !strings.Contains(back.body, "m21@example.com") {
			t.Errorf("the way back leads to %s", back.text())
		}
	})
}

// TestHalfAListIsNoFile: a student who cannot be read, midway, cuts the file off; at
// the beginning the answer is a page.
func TestHalfAListIsNoFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.many(t, 620)
		unreadable := "never"
		if target.Engine == "postgres" {
			unreadable = "infinity"
		}
		b := p.as(t, "a@example.com", staffPassword)
		if got := emails(t, b.get(studentsAt+".csv")); len(got) != 620 {
			t.Fatalf("the whole has %d", len(got))
		}
		p.exec(t, "UPDATE tripwire_users SET granted_at = '"+unreadable+"' WHERE email = 'm7@example.com'")
		for _, path := range []string{studentsAt + ".csv", studentsAt + ".xlsx"} {
			r := b.request(http.MethodGet, path, nil)
			r.AddCookie(&http.Cookie{Name: "tripwire", Value: b.token()})
			res, err := b.client.Do(r)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if err == nil && res.StatusCode == http.StatusOK {
				t.Errorf("%s: %d bytes were taken for the whole", path, len(got))
			}
			a := b.get(path + "?sort=added")
			if a.status != http.StatusInternalServerError || a.header.Get("Content-Disposition") != "" || !strings.Contains(a.body, a.header.Get("X-Request-Id")) {
				t.Errorf("%s: a read that fails at once: %d %q", path, a.status, a.header)
			}
		}
		if a := b.get(studentsAt + "/print"); a.status != http.StatusInternalServerError || strings.Contains(a.body, "m600@example.com") {
			t.Errorf("half a printed list: %d", a.status)
		}
	})
}

// TestPrintedListHasItsLimit, and says so.
func TestPrintedListHasItsLimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.many(t, maxPrinted)
		b := p.as(t, "a@example.com", staffPassword)
		rows := func() (int, bool) {
			a := b.get(studentsAt + "/print")
			wantPage(t, a, http.StatusOK)
			return strings.Count(a.body, "@example.com</td>"), element(a.doc(t), func(n *html.Node) bool { return attr(n, "class") == "note" }) != nil
		}
		if n, cut := rows(); n != maxPrinted || cut {
			t.Errorf("%d rows, cut: %v", n, cut)
		}
		p.named(t, p.a, "One more", "more@example.com")
		if n, cut := rows(); n != maxPrinted || !cut {
			t.Errorf("with one more %d rows, cut: %v", n, cut)
		}
	})
}

// TestABlockThatCannotBeReadSaysSo: no zeros, the request to ask for, and the rest
// of the page.
func TestABlockThatCannotBeReadSaysSo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.named(t, p.a, "Student", "s@example.com")
		b := p.as(t, "a@example.com", staffPassword)
		blocks := []string{"figures", "chart", "ranking", "students", "activity"}
		for table, lost := range map[string][]string{
			"completion_counts": {"figures", "chart"},
			"saved_views":       {"students"},
			"student_counts":    {"figures", "chart", "ranking", "students"},
			"sale_counts":       {"figures", "chart", "ranking"},
		} {
			p.exec(t, "ALTER TABLE "+table+" RENAME TO taken_away")
			a := b.get(panelAt)
			p.exec(t, "ALTER TABLE taken_away RENAME TO "+table)
			wantPage(t, a, http.StatusInternalServerError)
			id := a.header.Get("X-Request-Id")
			told := 0
			for n := range a.doc(t).Descendants() {
				if n.Type == html.ElementNode && attr(n, "role") == "alert" && strings.Contains(textOf(n), id) {
					told++
				}
			}
			want := len(lost)
			if slices.Contains(lost, "figures") {
				want += 3 // each of the four cards says it
			}
			if told != want {
				t.Errorf("without %s %d blocks say so, want %d: %s", table, told, want, a.text())
			}
			for _, block := range blocks {
				n := element(a.doc(t), func(n *html.Node) bool { return attr(n, "id") == block })
				if n == nil || attr(n, "data-live") != block { // else no refresh could bring it back
					t.Fatalf("without %s, there is no %s", table, block)
				}
				unread := strings.Contains(textOf(n), id)
				if unread != slices.Contains(lost, block) {
					t.Errorf("without %s, %s: unread %v", table, block, unread)
				}
			}
			if slices.Contains(lost, "figures") && element(a.doc(t), func(n *html.Node) bool { return attr(n, "class") == "stat-value" }) != nil {
				t.Errorf("without %s a card has a value", table)
			}
			if p.log.line(t, id)["err"] == nil && !strings.Contains(fmt.Sprint(p.log.line(t, id)), table) {
				t.Errorf("the log does not say why: %v", p.log.line(t, id))
			}
			wantPage(t, b.get(panelAt), http.StatusOK)
		}
	})
}

func textOf(n *html.Node) string {
	var words []string
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			words = append(words, c.Data)
		}
	}
	return strings.Join(words, " ")
}

// TestViewsAndBulkOverHTTP, with and without a script.
func TestViewsAndBulkOverHTTP(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		mine, foreign := p.named(t, p.a, "Mine", "mine@example.com"), p.named(t, p.b, "Foreign Secret", "foreign@example.com")
		gone := p.named(t, p.a, "Gone", "gone@example.com")
		if _, err := p.DeleteStudent(t.Context(), p.a, gone); err != nil {
			t.Fatal(err)
		}
		manager, other := p.as(t, "a@example.com", staffPassword), p.as(t, "b@example.com", staffPassword)

		a := manager.post("/integrator/views", url.Values{"name": {"Мой порядок"}, "query": {"status=stuck&sort=name&after=eyJpIjoxfQ&nonsense=1&size=50"}})
		wantSeeOther(t, a)
		if at := a.header.Get("Location"); at != panelAt+"?size=50&sort=name&status=stuck" {
			t.Errorf("the view leads to %s", at)
		}
		page := manager.get(a.header.Get("Location"))
		wantPage(t, page, http.StatusOK)
		action := attr(element(page.doc(t), func(n *html.Node) bool { return strings.HasPrefix(attr(n, "action"), "/integrator/views/") }), "action")
		kept := element(page.doc(t), func(n *html.Node) bool {
			return attr(n, "href") == panelAt+"?size=50&sort=name&status=stuck" && textOf(n) == "Мой порядок"
		})
		if kept == nil || strings.Contains(page.body, "nonsense") {
			t.Error("what is kept is not what the address meant")
		}
		if action == "" || !strings.Contains(page.body, "Мой порядок") || strings.Contains(other.get(panelAt).body, "Мой порядок") {
			t.Fatalf("the view is not its owner's: %q", action)
		}
		if a := other.post(action, nil); a.status != http.StatusNotFound {
			t.Errorf("another's view is deleted: %d", a.status)
		}
		if a := manager.post("/integrator/views", url.Values{"name": {""}, "query": {"status=stuck"}}, asProgram...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a view without a name: %d", a.status)
		}
		wantSeeOther(t, manager.post(action, url.Values{"back": {panelAt}}))
		if a := manager.post(action, nil); a.status != http.StatusNotFound {
			t.Errorf("deleted twice: %d", a.status)
		}

		order := url.Values{"verb": {"block"}, "student": {string(foreign), string(mine), string(gone)}, "back": {panelAt + "?status=active"}}
		a = manager.post(studentsAt+"/bulk", order)
		wantPage(t, a, http.StatusOK)
		if strings.Contains(a.body, "Foreign") || !strings.Contains(a.body, "Mine") || !strings.Contains(a.body, `href="`+panelAt+`?status=active"`) {
			t.Errorf("the page says %s", a.text())
		}
		order.Set("verb", "delete")
		a = manager.post(studentsAt+"/bulk", order, "Accept", "application/x-ndjson")
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/x-ndjson" || strings.Contains(a.body, "Foreign") {
			t.Errorf("%d %q %s", a.status, a.header, a.body)
		}
		type line struct {
			ID      school.UserID
			OK      bool
			Text    string
			Summary string
			Undo    []school.UserID
		}
		var lines []line
		for text := range strings.Lines(a.body) {
			var l line
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			lines = append(lines, l)
		}
		if len(lines) != 4 || lines[0].ID != foreign || lines[0].OK || lines[1].ID != mine || !lines[1].OK || lines[2].OK || lines[0].Text == "" ||
			lines[3].Summary == "" || !slices.Equal(lines[3].Undo, []school.UserID{mine}) {
			t.Errorf("the lines are %+v", lines)
		}
		a = manager.post(studentsAt+"/bulk", url.Values{"verb": {"restore"}, "student": {string(mine)}})
		wantPage(t, a, http.StatusOK)
		if n := p.count(t, "SELECT count(*) FROM tripwire_users WHERE deleted_at IS NOT NULL"); n != 1 {
			t.Errorf("%d are in the trash", n)
		}
		for code, form := range map[string]url.Values{
			"bulk_nobody":     {"verb": {"block"}},
			"bulk_unknown":    {"verb": {"promote"}, "student": {string(mine)}},
			"bulk_too_many":   {"verb": {"block"}, "student": slices.Repeat([]string{string(mine)}, 101)},
			"manager_unknown": {"verb": {"transfer"}, "student": {string(mine)}, "manager": {"x"}},
		} {
			if a := manager.post(studentsAt+"/bulk", form, asProgram...); a.status != http.StatusUnprocessableEntity || a.code() != code {
				t.Errorf("%s: %d %s", code, a.status, a.body)
			}
		}
		a = manager.post(studentsAt+"/bulk", url.Values{"verb": {"transfer"}, "student": {string(mine)}, "manager": {string(p.b.ID)}}, "Accept", "application/x-ndjson")
		if a.status == http.StatusOK && strings.Contains(a.body, `"ok":true`) || p.count(t, "SELECT count(*) FROM tripwire_users WHERE granted_by = $1", string(p.a.ID)) != 2 {
			t.Errorf("a manager gives students away: %d %s", a.status, a.body)
		}
	})
}

// TestExportRunsNothingInATableProgram: names and addresses that look like formulas
// are text, when LibreOffice opens either file.
func TestExportRunsNothingInATableProgram(t *testing.T) {
	t.Parallel()
	p := open(t, storetest.SQLite(t))
	names := []string{"=SUM(A1:A9)", "+Seven", "-Two", "@SUM(A1)", `=HYPERLINK("https://example.com";"click")`, "{=Anna}", "＝One", "=cmd|' /C calc'!A0", "Anna; =Two", "Anna, =Two"}
	for i, name := range names {
		p.named(t, p.a, name, fmt.Sprintf("=s%d@example.com", i))
	}
	b := p.as(t, "a@example.com", staffPassword)
	b.post("/language", url.Values{"language": {"en"}}) // which separates by commas
	dir := t.TempDir()
	for name, content := range map[string]string{
		"list.csv": b.get(studentsAt + ".csv").body, "book.xlsx": b.get(studentsAt + ".xlsx").body, "planted.csv": "\ufefftext\r\n=1+1\r\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--norestore",
		"--convert-to", "fods", "--outdir", dir, filepath.Join(dir, "list.csv"), filepath.Join(dir, "book.xlsx"), filepath.Join(dir, "planted.csv"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("LibreOffice (scripts/install-tools installs it): %v\n%s", err, out)
	}
	if texts, formulas := readSheet(t, filepath.Join(dir, "planted.fods")); len(formulas) == 0 {
		t.Fatalf("LibreOffice does not compute what is planted: this test would see nothing in %q", texts)
	}
	for _, file := range []string{"list.fods", "book.fods"} {
		texts, formulas := readSheet(t, filepath.Join(dir, file))
		if len(formulas) > 0 {
			t.Errorf("%s computes %q", file, formulas)
		}
		for i, name := range names {
			for _, want := range []string{name, fmt.Sprintf("=s%d@example.com", i)} {
				if file == "list.fods" && strings.HasPrefix(want, "＝") {
					continue // without being asked LibreOffice reads a CSV in the encoding of Windows
				}
				bare := func(s string) string { return strings.ReplaceAll(s, "'", "") } // what disarms a CSV
				if !slices.ContainsFunc(texts, func(s string) bool { return s == want || file == "list.fods" && bare(s) == bare(want) }) {
					t.Errorf("%s has no %q: %q", file, want, texts)
				}
			}
		}
	}
}

// readSheet answers the texts and the formulas of the cells of a converted file.
func readSheet(t *testing.T, name string) (texts, formulas []string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var text *strings.Builder
	for d := xml.NewDecoder(file); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts, formulas
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			for _, a := range e.Attr {
				if e.Name.Local == "table-cell" && a.Name.Local == "formula" {
					formulas = append(formulas, a.Value)
				}
			}
			if e.Name.Local == "p" {
				text = &strings.Builder{}
			}
		case xml.CharData:
			if text != nil {
				text.Write(e)
			}
		case xml.EndElement:
			if e.Name.Local == "p" && text != nil {
				texts = append(texts, text.String())
				text = nil
			}
		}
	}
}
