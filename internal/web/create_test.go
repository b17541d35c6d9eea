package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// orphans are what a creation may never leave behind: a part without the rest.
var orphans = map[string]string{
	"students without an enrolment":            "SELECT count(*) FROM users u WHERE u.role = 'student' AND NOT EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = u.id)",
	"enrolments without an account":            "SELECT count(*) FROM tripwire_users t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id AND u.email = t.email)",
	"enrolments without their unlock":          "SELECT count(*) FROM tripwire_users t WHERE NOT EXISTS (SELECT 1 FROM module_unlocks m WHERE m.user_id = t.user_id AND m.module_id = 16)",
	"unlocks without an enrolment":             "SELECT count(*) FROM module_unlocks m WHERE NOT EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = m.user_id)",
	"enrolments without a line in the history": "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM activity a WHERE a.subject_id = t.user_id AND a.action = 'student.created')",
	"enrolments without a letter":              "SELECT count(*) FROM tripwire_users t WHERE 1 <> (SELECT count(*) FROM letters l WHERE l.user_id = t.user_id)",
	"students with no way in":                  "SELECT count(*) FROM users u WHERE u.role = 'student' AND u.password_hash IS NULL AND NOT EXISTS (SELECT 1 FROM access_links l WHERE l.user_id = u.id)",
	"links of nobody":                          "SELECT count(*) FROM access_links l WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = l.user_id)",
	"form keys that made nothing":              "SELECT count(*) FROM form_keys f WHERE NOT EXISTS (SELECT 1 FROM tripwire_users t WHERE CAST(t.user_id AS TEXT) = CAST(f.result_id AS TEXT))",
	"letters or history of unknown ones":       "SELECT count(*) FROM letters l WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = l.user_id)",
}

func (p place) wantWhole(t *testing.T, students int) {
	t.Helper()
	for what, query := range orphans {
		if n := p.count(t, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	for _, table := range []string{"tripwire_users", "module_unlocks", "letters"} {
		if n := p.count(t, "SELECT count(*) FROM "+table); n != students {
			t.Errorf("%d rows in %s, want %d", n, table, students)
		}
	}
	if n := p.count(t, "SELECT count(*) FROM users WHERE role = 'student'"); n != students {
		t.Errorf("%d accounts of students, want %d", n, students)
	}
}

// storm sends every form at the same moment.
func storm(t *testing.T, b *browser, forms []url.Values) []answer {
	t.Helper()
	answers := make([]answer, len(forms))
	start := make(chan struct{})
	var crowd sync.WaitGroup
	for i, form := range forms {
		headers := slices.Clone(asProgram)
		if i%4 != 0 { // the dialog; every fourth gets the whole page
			headers = append(headers, "HX-Request", "true")
		}
		r := b.request(http.MethodPost, "/integrator/students", form, headers...)
		r.AddCookie(&http.Cookie{Name: "tripwire", Value: b.token()})
		crowd.Go(func() {
			<-start
			var err error
			if answers[i], _, err = b.send(r); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	crowd.Wait()
	return answers
}

// TestALoserOfTheRaceIsToldNotFailed sends each address twice at once: whoever
// comes second is told that the student exists, and nobody meets a 500.
func TestALoserOfTheRaceIsToldNotFailed(t *testing.T) {
	for _, c := range []struct {
		access           string
		forms, addresses int
	}{
		{"link", 1000, 500},
		{"password", 60, 30},
	} {
		t.Run(c.access, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, target storetest.Target) {
				p := open(t, target)
				b := p.as(t, "a@example.com", staffPassword)
				forms := make([]url.Values, c.forms)
				for i := range forms {
					forms[i] = url.Values{
						"full_name": {fmt.Sprintf("Student %d", i)}, "email": {fmt.Sprintf("Student%d@Example.com", i%c.addresses)},
						"access": {c.access}, "password": {"first password"}, "form_key": {school.NewToken()},
					}
				}
				tally := map[string]int{}
				for _, a := range storm(t, b, forms) {
					tally[fmt.Sprintf("%d %s", a.status, a.code())]++
				}
				if tally["200 "] != c.addresses || tally["409 student_exists"] != c.forms-c.addresses {
					t.Errorf("answers %v, want %d × 200 and %d × 409 student_exists", tally, c.addresses, c.forms-c.addresses)
				}
				p.wantWhole(t, c.addresses)
				if n := p.count(t, "SELECT count(*) FROM form_keys"); n != c.addresses {
					t.Errorf("%d form keys, want %d", n, c.addresses)
				}
			})
		})
	}
}

var accessPath = regexp.MustCompile(`/access/[A-Za-z0-9_-]{43,}`)

// TestTheSameFormTwiceGetsTheSameAnswer is about the finger that presses twice
// and the browser that sends again: one student, and both see how to get in.
func TestTheSameFormTwiceGetsTheSameAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		students, sent := 0, 0
		for access, copies := range map[string]int{"link": 24, "password": 3} {
			for round := range 5 {
				form := url.Values{
					"full_name": {"Twice"}, "email": {fmt.Sprintf("twice-%s-%d@example.com", access, round)},
					"access": {access}, "form_key": {school.NewToken()},
				}
				if access == "password" {
					form.Set("password", fmt.Sprintf("sésame %d ouvre", round))
				}
				// Others come at the same time, so that copies wait for the writer
				// together and are written as one group.
				crowd := slices.Repeat([]url.Values{form}, copies)
				for i := range copies {
					crowd = append(crowd, url.Values{"full_name": {"Other"}, "email": {fmt.Sprintf("other%d-", i) + form.Get("email")}, "access": {"link"}})
				}
				answers := append(storm(t, b, crowd)[:copies], b.post("/integrator/students", form))
				students, sent = students+1+copies, sent+1
				shown := map[string]int{}
				for _, a := range answers {
					if a.status != http.StatusOK {
						t.Errorf("%s: %d %s", access, a.status, a.text())
					}
					what := accessPath.FindString(a.body)
					if access == "password" {
						what = fmt.Sprint(strings.Contains(html.UnescapeString(a.body), form.Get("password")))
					}
					shown[what]++
				}
				if len(shown) != 1 || shown[""] > 0 || shown["false"] > 0 {
					t.Errorf("%s: the answers show %v", access, shown)
				}
			}
		}
		p.wantWhole(t, students)
		if n := p.count(t, "SELECT count(*) FROM form_keys"); n != sent {
			t.Errorf("%d form keys, want %d", n, sent)
		}
	})
}

// TestAFormKeyOpensNothingToOthers: the key of a form is no key to its answer.
func TestAFormKeyOpensNothingToOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		owner := p.as(t, "a@example.com", staffPassword)
		form := url.Values{
			"full_name": {"Once"}, "email": {"once@example.com"}, "access": {"password"}, "password": {"first password"}, "form_key": {school.NewToken()},
		}
		if a := owner.post("/integrator/students", form); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.text())
		}
		other := p.as(t, "b@example.com", staffPassword)
		p.unchanged(t, "the key again", func() {
			for name, try := range map[string]struct {
				by     *browser
				change url.Values
			}{
				"another manager":  {other, nil},
				"another name":     {owner, url.Values{"full_name": {"Twice"}}},
				"another address":  {owner, url.Values{"email": {"twice@example.com"}}},
				"another password": {owner, url.Values{"password": {"second password"}}},
				"another access":   {owner, url.Values{"access": {"link"}}},
				"another price":    {owner, url.Values{"price": {"4000"}}},
			} {
				sent := url.Values{}
				for _, from := range []url.Values{form, try.change} {
					for field, value := range from {
						sent[field] = value
					}
				}
				a := try.by.post("/integrator/students", sent, asProgram...)
				if a.status != http.StatusConflict || a.code() != "form_key_reused" {
					t.Errorf("%s: %d %s", name, a.status, a.code())
				}
				page := try.by.post("/integrator/students", sent)
				if again := typed(t, page); again.Get("form_key") == form.Get("form_key") || len(again.Get("form_key")) != len(form.Get("form_key")) {
					t.Errorf("%s: the form comes back with key %q", name, again.Get("form_key"))
				}
			}
		})
	})
}

// TestAFormAfterAnErrorKeepsEverythingTyped: nobody types a form twice.
func TestAFormAfterAnErrorKeepsEverythingTyped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		p.student(t, p.a, "taken@example.com")
		taken := p.count(t, "SELECT count(*) FROM users")
		for name, form := range map[string]url.Values{
			"taken": {
				"full_name": {`Айгүл "Ая" <Сәрсенова>`}, "email": {" Taken@Example.com "}, "access": {"password"}, "password": {`pass "word" <1>`},
				"price": {"4 000,50"}, "language": {"kk"},
			},
			"faulty": {
				"full_name": {"  "}, "email": {"not an address"}, "access": {"link"}, "password": {"left from before"},
				"price": {"a lot"}, "language": {"en"},
			},
		} {
			for _, headers := range [][]string{nil, {"HX-Request", "true"}} {
				form.Set("form_key", school.NewToken())
				a := b.post("/integrator/students", form, headers...)
				if a.status != map[string]int{"taken": 409, "faulty": 422}[name] {
					t.Errorf("%s: %d %s", name, a.status, a.text())
				}
				again := typed(t, a)
				for field := range form {
					if again.Get(field) != form.Get(field) {
						t.Errorf("%s %v: %s comes back as %q, was %q", name, headers, field, again.Get(field), form.Get(field))
					}
				}
			}
		}
		if n := p.count(t, "SELECT count(*) FROM users"); n != taken {
			t.Errorf("%d accounts, want %d", n, taken)
		}
	})
}

func TestAnAddressInUseLeadsToTheCard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		first := p.student(t, p.a, "test123@example.com")
		card := "/integrator/students/" + string(first.Student.ID)
		form := url.Values{"full_name": {"Test Student"}, "email": {"TEST123@Example.com "}, "access": {"link"}}
		p.unchanged(t, "an address in use", func() {
			for email, told := range map[string]bool{"a@example.com": true, "admin@example.com": true, "b@example.com": false} {
				var a answer
				p.withoutSessionRows(t, func() { a = p.as(t, email, staffPassword).post("/integrator/students", form) })
				link := element(a.doc(t), func(n *html.Node) bool { return attr(n, "href") == card })
				fault := element(a.doc(t), func(n *html.Node) bool { return attr(n, "id") == "email-error" })
				if a.status != http.StatusConflict || fault == nil || (link != nil) != told {
					t.Errorf("%s: %d, at the field %v, led to the card %v, want %v", email, a.status, fault != nil, link != nil, told)
				}
			}
		})
	})
}

// withoutSessionRows runs fn and forgets the logins that it made.
func (p place) withoutSessionRows(t *testing.T, fn func()) {
	t.Helper()
	fn()
	p.exec(t, "DELETE FROM sessions")
	p.exec(t, "DELETE FROM login_failures")
	p.exec(t, "UPDATE users SET last_login_at = NULL")
}

// TestBadFormsAreRefusedFieldByField: every field that is wrong is named, and
// nothing is written.
func TestBadFormsAreRefusedFieldByField(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		manager, admin := p.as(t, "a@example.com", staffPassword), p.as(t, "admin@example.com", staffPassword)
		good := url.Values{"full_name": {"Test Student"}, "email": {"test123@example.com"}, "access": {"password"}, "password": {"test1234"}}
		p.unchanged(t, "bad forms", func() {
			for _, c := range []struct {
				field, value, code string
				by                 *browser
			}{
				{"full_name", "", "name_required", manager},
				{"full_name", " \u00a0 ", "name_required", manager},
				{"full_name", "12345", "name_required", manager},
				{"full_name", strings.Repeat("я", 151), "name_too_long", manager},
				{"full_name", "Test\u202eStudent", "name_characters", manager},
				{"full_name", "Test\x00Student", "name_characters", manager},
				{"full_name", "Test\xffStudent", "name_characters", manager},
				{"email", "", "email_required", manager},
				{"email", "test123", "email_invalid", manager},
				{"email", "test 123@example.com", "email_invalid", manager},
				{"email", "тест@example.com", "email_not_latin", manager},
				{"email", "test123@localhost", "email_bad_domain", manager},
				{"email", "test123@exa mple.com", "email_bad_domain", manager},
				{"email", strings.Repeat("a", 65) + "@example.com", "email_too_long", manager},
				{"password", "", "password_required", manager},
				{"password", "test123", "password_too_short", manager},
				{"password", strings.Repeat("п", 129), "password_too_long", manager},
				{"password", "Test123@Example.com", "password_is_email", manager},
				{"access", "pigeon", "access_unknown", manager},
				{"language", "de", "language_unknown", manager},
				{"price", "a lot", "price_invalid", manager},
				{"price", "-1", "price_invalid", manager},
				{"price", "1e3", "price_invalid", manager},
				{"price", "5000.005", "price_invalid", manager},
				{"price", "99999999999999999999", "price_invalid", manager},
				{"price", "2499.99", "price_out_of_range", manager},
				{"price", "5000.01", "price_out_of_range", manager},
				{"price", "50000.01", "price_out_of_range", admin},
			} {
				form := url.Values{}
				for field, value := range good {
					form[field] = value
				}
				form.Set(c.field, c.value)
				wantFault(t, c.by.post("/integrator/students", form, asProgram...), c.field, c.code, c.value)
				fault := c.field + "-error"
				if c.field == "access" {
					continue // has no place of its own on the page
				}
				a := c.by.post("/integrator/students", form)
				if a.status != http.StatusUnprocessableEntity || element(a.doc(t), func(n *html.Node) bool { return attr(n, "id") == fault }) == nil {
					t.Errorf("%s = %q: a page with %d and nothing at the field", c.field, c.value, a.status)
				}
			}
			a := manager.post("/integrator/students", nil, asProgram...)
			for _, field := range []string{"full_name", "email", "password"} {
				if !strings.Contains(a.body, `"`+field+`"`) {
					t.Errorf("an empty form: %s is not named in %s", field, a.body)
				}
			}
			for _, key := range []string{"x", school.NewToken() + "x", strings.Repeat("x", 5000)} {
				form := url.Values{"form_key": {key}}
				for field, value := range good {
					form[field] = value
				}
				if a := manager.post("/integrator/students", form, asProgram...); a.status != http.StatusUnprocessableEntity || a.code() != "form_key_invalid" {
					t.Errorf("a form key of %d letters: %d %s", len(key), a.status, a.code())
				}
				if again := typed(t, manager.post("/integrator/students", form)); again.Get("form_key") == key {
					t.Error("the bad key comes back")
				}
			}
		})
	})
}

func wantFault(t *testing.T, a answer, field, code, value string) {
	t.Helper()
	if a.status != http.StatusUnprocessableEntity || a.code() != "invalid_input" || !strings.Contains(a.body, fmt.Sprintf("%q:%q", field, code)) {
		t.Errorf("%s = %q: %d %s, want 422 with %s", field, value, a.status, a.body, code)
	}
}

func TestPricesWithinTheRolesLimitsAreTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		manager, admin := p.as(t, "a@example.com", staffPassword), p.as(t, "admin@example.com", staffPassword)
		for i, c := range []struct {
			by    *browser
			price string
			minor int
		}{
			{manager, "", 500000}, {manager, "2500", 250000}, {manager, "5 000,00 ₸", 500000}, {manager, "4 000.50", 400050},
			{admin, "0", 0}, {admin, "50000", 5000000},
		} {
			email := fmt.Sprintf("price%d@example.com", i)
			a := c.by.post("/integrator/students", url.Values{"full_name": {"X"}, "email": {email}, "access": {"link"}, "price": {c.price}})
			if a.status != http.StatusOK {
				t.Errorf("price %q: %d %s", c.price, a.status, a.text())
				continue
			}
			if n := p.count(t, "SELECT price_minor FROM tripwire_users WHERE email = $1", email); n != c.minor {
				t.Errorf("price %q: %d kept, want %d", c.price, n, c.minor)
			}
		}
	})
}

func TestWhatIsTooLargeIsRefusedUnread(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		visitor := p.browser(t)
		p.unchanged(t, "too much", func() {
			form := url.Values{"full_name": {strings.Repeat("я", maxBody)}, "email": {"test123@example.com"}, "access": {"link"}}
			if a := b.post("/integrator/students", form, asProgram...); a.status != http.StatusRequestEntityTooLarge || a.code() != "too_large" {
				t.Errorf("for a program: %d %s", a.status, a.code())
			}
			if a := b.post("/integrator/students", form); a.status != http.StatusRequestEntityTooLarge || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("a page: %d", a.status)
			}
			if a := visitor.post("/login", form); a.status != http.StatusRequestEntityTooLarge {
				t.Errorf("at the login: %d", a.status)
			}
			broken := b.request(http.MethodPost, "/integrator/students", url.Values{}, asProgram...)
			broken.Body, broken.ContentLength = http.NoBody, 0
			broken.URL.RawQuery = "full_name=%zz"
			if a := b.do(broken); a.status != http.StatusUnprocessableEntity {
				t.Errorf("a broken form: %d %s", a.status, a.code())
			}
		})
	})
}
