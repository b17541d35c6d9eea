package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

func TestLedgerIsSentAsATableAndStaysMasked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		id := p.student(t, p.a, "test123@example.com").Student.ID
		p.student(t, p.a, "stays@example.com")
		if err := p.TransferStudent(t.Context(), p.admin, id, p.b.ID, false); err != nil {
			t.Fatal(err)
		}
		manager, boss := p.as(t, "a@example.com", staffPassword), p.as(t, "admin@example.com", staffPassword)
		const exports = "SELECT count(*) FROM activity WHERE action = 'students.exported'"
		for _, b := range []*browser{manager, boss} {
			before := p.count(t, exports)
			a := b.get("/integrator/sales.csv?period=today")
			if a.status != http.StatusOK || strings.Count(a.body, "\r\n") != 3 || !strings.Contains(a.header.Get("Content-Disposition"), ".csv") {
				t.Errorf("%d %q: %s", a.status, a.header, a.body)
			}
			if told := strings.Contains(a.body, "test123@example.com"); told != (b == boss) || !strings.Contains(a.body, "stays@example.com") {
				t.Errorf("the file says %s", a.body)
			}
			if masked := strings.Contains(a.body, "передан другому менеджеру"); masked != (b == manager) {
				t.Errorf("the file says %s", a.body)
			}
			if a := b.get("/integrator/sales.xlsx?period=yesterday"); a.status != http.StatusOK || !strings.HasPrefix(a.body, "PK") {
				t.Errorf("the workbook: %d", a.status)
			}
			if now := p.count(t, exports); now != before+2 {
				t.Errorf("%d exports are noted", now-before)
			}
			page := b.get("/integrator/sales")
			wantPage(t, page, http.StatusOK)
			if told := strings.Contains(page.body, "test123@example.com"); told != (b == boss) || strings.Contains(page.body, string(id)) != told {
				t.Errorf("the page says %s", page.text())
			}
			for _, path := range []string{"/integrator/sales", "/integrator/sales.csv", "/integrator/sales.xlsx"} {
				if a := b.get(path+"?period=never", asProgram...); a.status != http.StatusUnprocessableEntity || a.code() != "invalid_input" {
					t.Errorf("%s of no period: %d %s", path, a.status, a.code())
				}
			}
			wantPage(t, b.get("/integrator/sales?period=never"), http.StatusUnprocessableEntity)
			wantPage(t, b.get("/integrator/sales?after=nowhere"), http.StatusUnprocessableEntity)
		}
		// As on the panel: another's are not theirs to see, and their own were not asked for.
		if a := manager.get("/integrator/sales?manager=" + string(p.b.ID)); a.status != http.StatusOK || strings.Contains(a.body, "stays@example.com") {
			t.Errorf("a manager asks for another's: %d %s", a.status, a.text())
		}
	})
}

func TestFormsOfTheSaleKeepWhatWasTyped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		card := "/integrator/students/" + string(p.student(t, p.a, "test123@example.com").Student.ID)
		boss := p.as(t, "admin@example.com", staffPassword)
		key := school.NewToken()
		form := url.Values{"amount": {"77777"}, "reason": {"по просьбе"}, "form_key": {key}}
		a := boss.post(card+"/refund", form)
		wantPage(t, a, http.StatusConflict)
		for _, typed := range []string{`value="77777"`, `value="по просьбе"`, `value="` + key + `"`} {
			if !strings.Contains(a.body, typed) {
				t.Errorf("%s is gone", typed)
			}
		}
		form.Set("amount", "1000")
		for range 2 { // pressing twice is pressing once
			wantSeeOther(t, boss.post(card+"/refund", form))
		}
		if n := p.count(t, "SELECT count(*) FROM money_events WHERE kind = 'refund'"); n != 1 {
			t.Errorf("%d refunds", n)
		}
		form.Set("amount", "2000")
		if a := boss.post(card+"/refund", form); a.status != http.StatusConflict || strings.Contains(a.body, key) {
			t.Errorf("the same form with other contents: %d, and has to get another key", a.status)
		}
		wantPage(t, boss.get(card+"?done=refund"), http.StatusOK)
		if a := p.as(t, "a@example.com", staffPassword).get(card); strings.Contains(a.body, card+"/refund") || strings.Contains(a.body, card+"/transfer") {
			t.Error("a manager sees what only an administrator may do")
		}
	})
}
