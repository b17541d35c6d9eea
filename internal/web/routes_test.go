package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// anybody lists what needs no session. A route that becomes public has to be
// written here too.
var anybody = []string{
	"GET /login", "POST /login", "GET /access/{token}", "POST /access/{token}",
	"GET /setup/{token}", "POST /setup/{token}", "POST /language",
	"GET /recover", "POST /recover", "POST /hooks/bounces",
}

// held lists what is open to who still has to choose a password of their own.
var held = []string{
	"/password", "/logout", "/login", "/language", "/access/{token}", "/setup/{token}",
	"/recover", "/hooks/bounces",
}

// goodForms are what each form sends when a person has filled it in well; the
// walk has to come as far as the rows, or it would prove nothing about them.
var goodForms = map[string]url.Values{
	"/login":                            {"email": {"nobody@example.com"}, "password": {"whatever it is"}},
	"/logout":                           {},
	"/logout/everywhere":                {},
	"/password":                         {"password": {"a fresh password"}},
	"/access/{token}":                   {"password": {"a fresh password"}},
	"/setup/{token}":                    {"full_name": {"Eve"}, "email": {"eve@example.com"}, "password": {"a fresh password"}},
	"/language":                         {"language": {"en"}, "back": {"/"}},
	"/account/password":                 {"current_password": {"not this one"}, "password": {"a fresh password"}},
	"/integrator/students":              {"full_name": {"New Student"}, "email": {"new@example.com"}, "access": {"link"}},
	"/integrator/students/{id}":         {"full_name": {"Renamed"}, "email": {"renamed@example.com"}},
	"/integrator/students/{id}/block":   {},
	"/integrator/students/{id}/unblock": {},
	"/integrator/students/{id}/delete":  {},
	"/integrator/students/{id}/restore": {"email": {"restored@example.com"}},
	"/integrator/students/{id}/link":    {},
	"/integrator/students/{id}/grants":  {"module_id": {"18"}, "reason": {"by agreement"}},
	"/integrator/settings":              settingsForm(),

	"/recover":                                           {"email": {"nobody@example.com"}},
	"/hooks/bounces":                                     {},
	"/account/email":                                     {"email": {"other@example.com"}, "current_password": {"not this one"}},
	"/integrator/letters/{letter}/retry":                 {},
	"/integrator/letters/{letter}/cancel":                {},
	"/integrator/letter-texts/{kind}/{language}":         {"subject": {"A subject"}, "body": {"Come in: {link}"}},
	"/integrator/letter-texts/{kind}/{language}/reset":   {},
	"/integrator/letter-texts/{kind}/{language}/test":    {"subject": {"A subject"}, "body": {"Come in: {link}"}},
	"/integrator/letter-texts/{kind}/{language}/preview": {"subject": {"A subject"}, "body": {"Come in: {link}"}},
	"/integrator/mail":                                   mailForm(),
	"/integrator/mail/test":                              {},
	"/integrator/mail/hook":                              {},

	"/integrator/students/{id}/refund":   {"amount": {"1000"}, "reason": {"asked for it"}},
	"/integrator/students/{id}/price":    {"amount": {"4500"}, "reason": {"mistyped"}},
	"/integrator/students/{id}/transfer": {"manager": {"{admin}"}},
	"/integrator/students/{id}/test":     {},
	"/integrator/students/{id}/untest":   {},
	"/integrator/students/{id}/letter":   {},
	"/integrator/students/bulk":          {"verb": {"block"}, "student": {nobodysID}},
	"/integrator/views":                  {"name": {"A view"}, "query": {"status=stuck"}},
	"/integrator/views/{view}/delete":    {},

	"/lesson/{lesson}/progress":                        {},
	"/lesson/{lesson}/complete":                        {},
	"/lesson/{lesson}/homework":                        {"text": {"done"}},
	"/lesson/{lesson}/homework/draft":                  {"text": {"nearly"}},
	"/lesson/{lesson}/homework/files":                  {},
	"/lesson/{lesson}/homework/files/{file}/delete":    {},
	"/integrator/homework/{submission}":                {"verdict": {"accepted"}},
	"/integrator/lessons/{lesson}":                     {"title": {"Renamed"}, "minutes": {"5"}},
	"/integrator/lessons/{lesson}/video":               {},
	"/integrator/lessons/{lesson}/material":            {},
	"/integrator/lessons/{lesson}/captions":            {},
	"/integrator/lessons/{lesson}/files/{file}/delete": {},
}

// mailForm leaves letters off.
func mailForm() url.Values {
	return url.Values{"host": {""}, "port": {"587"}, "security": {"starttls"}, "domain_per_minute": {"300"}, "content_days": {"90"}, "reminder_days": {"0"}}
}

func settingsForm() url.Values {
	return url.Values{
		"name": {"Another School"}, "time_zone": {"Asia/Almaty"}, "language": {"ru"}, "own_password": {"1"},
		"first_password_hours": {"168"}, "link_hours": {"72"}, "trash_days": {"30"}, "session_idle_hours": {"72"},
		"session_max_hours": {"720"}, "price_min_percent": {"60"}, "price_max_percent": {"100"},
	}
}

const nobodysID = "01935c3e-0000-7000-8000-000000000000"

// somebody is a kind of caller.
type somebody struct {
	name    string
	role    school.Role // as the server has to see them
	held    bool        // at the page for an own password
	foreign bool        // {id} is another manager's student
	adminID string
	log     func() *browser
	browser *browser
}

// call sends what the route expects, with the id given.
func (s *somebody) call(t *testing.T, rt route, id string, headers ...string) answer {
	t.Helper()
	path := strings.NewReplacer("{$}", "", "{id}", id, "{token}", "NOSUCHTOKEN",
		"{slug}", "integrator", "{lesson}", "67", "{file}", string(school.NewFileID()), "{submission}", "1", "{view}", "1", "{letter}", "1", "{kind}", "welcome", "{language}", "ru").Replace(rt.pattern)
	if rt.method == http.MethodGet {
		return s.browser.get(path, headers...)
	}
	form, known := goodForms[rt.pattern]
	if !known {
		t.Fatalf("%s %s: this test does not know a good form for it", rt.method, rt.pattern)
	}
	if form.Get("manager") == "{admin}" {
		form = url.Values{"manager": {s.adminID}}
	}
	return s.browser.post(path, form, headers...)
}

var asProgram = []string{"Accept", "application/json"}

func people(t *testing.T, p place) (all []*somebody, id string) {
	t.Helper()
	student, studentID := p.studentAs(t, p.a, "student@example.com")
	blocked, blockedID := p.studentAs(t, p.a, "blocked@example.com")
	if err := p.BlockStudent(t.Context(), p.a, blockedID); err != nil {
		t.Fatal(err)
	}
	held := p.staff(t, "held@example.com", "sales")
	p.exec(t, "UPDATE users SET must_change = TRUE WHERE id = $1", string(held.ID))
	staff := func(email string) func() *browser {
		return func() *browser { return p.as(t, email, staffPassword) }
	}
	all = []*somebody{
		{name: "anonymous", log: func() *browser { return p.browser(t) }},
		{name: "a student", role: school.RoleStudent, foreign: true, log: func() *browser { return p.as(t, "student@example.com", "my own words") }, browser: student},
		{name: "a blocked student with an old cookie", log: func() *browser { return blocked }, browser: blocked},
		{name: "the other manager", role: school.RoleSales, foreign: true, log: staff("b@example.com")},
		{name: "a manager without an own password", role: school.RoleSales, held: true, foreign: true, log: staff("held@example.com")},
		{name: "the administrator", role: school.RoleAdmin, log: staff("admin@example.com")},
	}
	for _, s := range all {
		s.adminID = string(p.admin.ID)
		if s.browser == nil {
			s.browser = s.log()
		}
	}
	return all, string(studentID)
}

// refusal answers the code with which the door has to turn the caller away;
// empty when it has to let them in.
func (s *somebody) refusal(rt route) string {
	admitted := rt.policy.admits(school.Actor{Role: s.role})
	switch {
	case !admitted && s.role == "":
		return "not_logged_in"
	case !admitted:
		return "forbidden"
	case s.held && !slices.Contains(held, rt.pattern):
		return "own_password_needed"
	}
	return ""
}

func TestEveryRouteDeclaresWhoMayCallIt(t *testing.T) {
	t.Parallel()
	roles := map[policy][]school.Role{
		public:   {"", school.RoleStudent, school.RoleSales, school.RoleAdmin},
		signedIn: {school.RoleStudent, school.RoleSales, school.RoleAdmin},
		staff:    {school.RoleSales, school.RoleAdmin},
		admin:    {school.RoleAdmin},
		student:  {school.RoleStudent},
	}
	for p, may := range roles {
		for _, role := range []school.Role{"", school.RoleStudent, school.RoleSales, school.RoleAdmin, "superuser"} {
			if want := slices.Contains(may, role) || role == "superuser" && (p == public || p == signedIn); p.admits(school.Actor{Role: role}) != want {
				t.Errorf("policy %d, role %q: want %v", p, role, want)
			}
		}
	}
	if (policy(0)).admits(school.Actor{Role: school.RoleAdmin}) {
		t.Error("no policy admits somebody")
	}
	var open []string
	for _, rt := range (&Handler{}).routes() {
		name := rt.method + " " + rt.pattern
		if _, known := roles[rt.policy]; !known {
			t.Errorf("%s has no policy", name)
		}
		if rt.policy == public {
			open = append(open, name)
		}
		if strings.HasPrefix(rt.pattern, "/integrator") && rt.policy != staff && rt.policy != admin {
			t.Errorf("%s is open to others than staff", name)
		}
		if strings.Contains(rt.pattern, "{id}") && rt.policy != staff && rt.policy != admin {
			t.Errorf("%s takes an id from somebody who is not staff", name)
		}
		if beforeOwnPassword[rt.pattern] != slices.Contains(held, rt.pattern) {
			t.Errorf("%s before an own password: %v", name, beforeOwnPassword[rt.pattern])
		}
	}
	slices.Sort(open)
	if want := slices.Sorted(slices.Values(anybody)); !slices.Equal(open, want) {
		t.Errorf("open to anybody are\n%s\nand should be\n%s", strings.Join(open, "\n"), strings.Join(want, "\n"))
	}
}

// TestRoutesAdmitWhomTheirPolicyAdmits tries every route as everybody. Those
// turned away leave no trace in the rows; those let in meet at most what the
// desk has to say.
func TestRoutesAdmitWhomTheirPolicyAdmits(t *testing.T) {
	stopped := make(chan struct{}) // ends streams after their beginning
	close(stopped)
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target, setup{web: func(o *Options) { o.Stopping = stopped }})
		all, id := people(t, p)
		routes := (&Handler{}).routes()
		for _, s := range all {
			p.unchanged(t, s.name, func() {
				for _, rt := range routes {
					if s.refusal(rt) != "" {
						s.wantRefused(t, rt, id)
					} else if s.foreign && strings.Contains(rt.pattern, "{id}") {
						s.wantNotFound(t, rt, id)
					}
				}
			})
		}
		for _, s := range all {
			for _, rt := range routes {
				if s.refusal(rt) == "" && !(s.foreign && strings.Contains(rt.pattern, "{id}")) {
					s.wantAdmitted(t, rt, id)
				}
			}
		}
	})
}

func (s *somebody) wantRefused(t *testing.T, rt route, id string) {
	t.Helper()
	want := s.refusal(rt)
	status := map[string]int{"not_logged_in": http.StatusUnauthorized, "forbidden": http.StatusForbidden, "own_password_needed": http.StatusForbidden}[want]
	if a := s.call(t, rt, id, asProgram...); a.code() != want || a.status != status {
		t.Errorf("%s %s as %s: %d %s, want %d %s", rt.method, rt.pattern, s.name, a.status, a.code(), status, want)
	}
	location := ""
	if rt.method == http.MethodGet {
		location = map[string]string{"not_logged_in": "/login", "own_password_needed": "/password"}[want]
	}
	if location != "" {
		status = http.StatusSeeOther
	}
	a := s.call(t, rt, id)
	if to, _, _ := strings.Cut(a.header.Get("Location"), "?next="); a.status != status || to != location {
		t.Errorf("%s %s as %s in a browser: %d to %q, want %d to %q", rt.method, rt.pattern, s.name, a.status, a.header.Get("Location"), status, location)
	}
	if location == "" && !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("%s %s as %s in a browser: %q instead of a page", rt.method, rt.pattern, s.name, a.header.Get("Content-Type"))
	}
}

func (s *somebody) wantNotFound(t *testing.T, rt route, id string) {
	t.Helper()
	if a := s.call(t, rt, id, asProgram...); a.status != http.StatusNotFound || a.code() != "not_found" {
		t.Errorf("%s %s as %s: %d %q, want 404 not_found", rt.method, rt.pattern, s.name, a.status, a.code())
	}
	if a := s.call(t, rt, id); a.status != http.StatusNotFound || strings.Contains(a.body, "student@example.com") {
		t.Errorf("%s %s as %s in a browser: %d %s", rt.method, rt.pattern, s.name, a.status, a.text())
	}
}

func (s *somebody) wantAdmitted(t *testing.T, rt route, id string) {
	t.Helper()
	before := s.browser.token()
	a := s.call(t, rt, id, asProgram...)
	turnedAway := slices.Contains([]string{"not_logged_in", "own_password_needed", "forbidden", "cross_origin"}, a.code())
	if rt.pattern == "/password" && rt.method == http.MethodPost && !s.held {
		turnedAway = a.code() != "forbidden" // the desk's word: there is nothing to replace
	}
	if turnedAway || a.status >= http.StatusInternalServerError {
		t.Errorf("%s %s as %s: %d %s", rt.method, rt.pattern, s.name, a.status, a.code())
	}
	if strings.Contains(rt.pattern, "{id}") && a.status >= http.StatusBadRequest {
		t.Errorf("%s %s as %s: %d %s", rt.method, rt.pattern, s.name, a.status, a.code())
	}
	if s.browser.token() != before { // logged out, or held no longer
		if rt.pattern == "/password" {
			s.held = false
			return
		}
		s.browser = s.log()
	}
}

func TestUnknownIDsAreNotFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		s := somebody{name: "the administrator", adminID: string(p.admin.ID), browser: p.as(t, "admin@example.com", staffPassword)}
		staffID := string(p.b.ID)
		p.unchanged(t, "unknown ids", func() {
			for _, rt := range (&Handler{}).routes() {
				if !strings.Contains(rt.pattern, "{id}") {
					continue
				}
				for _, id := range []string{nobodysID, "16", "not-an-id", strings.ToUpper(staffID) + "x", "%00", "%27%20OR%201=1", staffID} {
					if a := s.call(t, rt, id, asProgram...); a.status != http.StatusNotFound || a.code() != "not_found" {
						t.Errorf("%s %s with id %s: %d %s", rt.method, rt.pattern, id, a.status, a.code())
					}
				}
			}
		})
	})
}

// TestFormsOfOtherSitesAreRefused protects those who are logged in from forms
// that another site sends in their name, in new browsers and in old ones.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		all, id := people(t, p)
		for _, s := range all {
			if s.held {
				continue // told about the password first; refused either way
			}
			p.unchanged(t, s.name, func() {
				for _, rt := range (&Handler{}).routes() {
					if rt.method == http.MethodGet {
						continue
					}
					for _, headers := range [][]string{
						{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
						{"Sec-Fetch-Site", "same-site"},
						{"Origin", "https://evil.example"},
						{"Origin", "null"},
					} {
						a := s.call(t, rt, id, append(headers, asProgram...)...)
						if a.status != http.StatusForbidden || a.code() != "cross_origin" {
							t.Errorf("%s %s as %s with %q: %d %s", rt.method, rt.pattern, s.name, headers, a.status, a.code())
						}
					}
				}
			})
		}
		owner := p.as(t, "a@example.com", staffPassword)
		a := owner.post("/integrator/students", goodForms["/integrator/students"], "Origin", p.url, "Sec-Fetch-Site", "same-origin")
		if a.status != http.StatusOK {
			t.Errorf("our own form: %d %s", a.status, a.text())
		}
	})
}

func TestAnUnknownAddressIsAPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		for _, b := range []*browser{p.browser(t), p.as(t, "a@example.com", staffPassword)} {
			for _, path := range []string{"/nothing", "/integrator/nothing", "/favicon.ico", "/.env", "/integrator/students/1/nothing"} {
				a := b.get(path)
				if a.status != http.StatusNotFound || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
					t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
				}
				if !strings.Contains(a.body, a.header.Get("X-Request-Id")) {
					t.Errorf("%s: the page does not name the request", path)
				}
			}
			if a := b.get("/nothing", asProgram...); a.status != http.StatusNotFound || a.code() != "not_found" {
				t.Errorf("for a program: %d %s", a.status, a.code())
			}
			if a := b.post("/integrator/trash", nil); a.status != http.StatusNotFound {
				t.Errorf("a method that the route has not: %d", a.status)
			}
		}
	})
}
