package web

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

const (
	panelAt    = "/integrator/sales-manager"
	studentsAt = "/integrator/students"
)

// named admits a student under a name.
func (p place) named(t *testing.T, by school.Actor, name, email string) school.UserID {
	t.Helper()
	c, err := p.CreateStudent(t.Context(), by, school.NewStudentForm{FullName: name, Email: email, Access: "link"})
	if err != nil {
		t.Fatal(err)
	}
	return c.Student.ID
}

// TestNoAddressOfThePanelFails: what means nothing in it is left out.
func TestNoAddressOfThePanelFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.named(t, p.a, "Student", "s@example.com")
		manager, boss := p.as(t, "a@example.com", staffPassword), p.as(t, "admin@example.com", staffPassword)
		cursor := func(id int64, keys ...string) string { return school.Cursor{Keys: keys, ID: id}.String() }
		for _, b := range []*browser{manager, boss} {
			for _, query := range []string{
				"sort=nothing", "sort=-", "sort=--added", "size=7", "size=-1", "size=99999999999999999999", "size=x", "status=deleted", "status=%00", "q=%00", "q=a%00b&sort=name",
				"q=%ff%fe", "q=" + strings.Repeat("%D1%8F", 3000), "course=-1", "course=9223372036854775807", "course=x", "group=century", "manager=x", "manager=%00",
				"after=x", "after=%00", "before=x&after=y", "after=e30", "after=" + strings.Repeat("A", 5000),
				"after=" + cursor(1), "after=" + cursor(1, "x"), "after=" + cursor(1, "a", "b"), "before=" + cursor(1, "x"),
				"sort=name&after=" + cursor(1, "a", "b"), "sort=name&after=" + cursor(9223372036854775807, "a"), "sort=name&after=" + cursor(1, "a\x00b"),
				"sort=modules&after=" + cursor(1, "x", "y"), "sort=modules&after=" + cursor(1, "99999999999999999999", "y"), "sort=manager&after=" + cursor(1, "x", "y"),
				"sort=manager&after=" + cursor(1, string(p.a.ID), "y"), "sort=status&before=" + cursor(1, "x", "y"), "sort=letter&before=" + cursor(1, "x"),
			} {
				for _, headers := range [][]string{nil, {"HX-Request", "true"}} {
					if a := b.get(panelAt+"?"+query, headers...); a.status != http.StatusOK {
						t.Errorf("%.120s: %d", query, a.status)
					}
				}
				if a := b.get(studentsAt + ".csv?" + query); a.status != http.StatusOK {
					t.Errorf("the file of %.120s: %d", query, a.status)
				}
			}
			for query, field := range map[string]string{
				"period=range&from=2026-02-30": "from", "from=x": "from", "from=2026-03-01&to=2026-02-01": "to", "period=never": "period",
			} {
				a := b.get(panelAt + "?status=active&sort=name&size=50&q=Student&" + query)
				wantPage(t, a, http.StatusUnprocessableEntity)
				faulty := element(a.doc(t), func(n *html.Node) bool { return attr(n, "aria-invalid") == "true" && attr(n, "name") == field })
				if field != "period" && faulty == nil {
					t.Errorf("%s: nothing is said at %s", query, field)
				}
				if list := element(a.doc(t), func(n *html.Node) bool { return attr(n, "id") == "students" }); list == nil || !strings.Contains(a.body, "s@example.com") {
					t.Errorf("%s: the list is gone", query)
				}
				for name, value := range map[string]string{"status": "active", "sort": "name", "size": "50", "q": "Student"} {
					if element(a.doc(t), func(n *html.Node) bool {
						return attr(n, "name") == name && attr(n, "value") == value || strings.Contains(attr(n, "href"), name+"="+value)
					}) == nil {
						t.Errorf("%s: %s is lost", query, name)
					}
				}
			}
		}
	})
}
