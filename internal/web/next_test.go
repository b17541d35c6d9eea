package web

import (
	"net/http"
	"net/url"
	"testing"

	"tripwire/internal/store/storetest"
)

// TestASharedLinkSurvivesTheLogin: who opens a link before logging in lands on it
// afterwards, and never on another site.
func TestASharedLinkSurvivesTheLogin(t *testing.T) {
	t.Parallel()
	p := open(t, storetest.SQLite(t))
	for next, want := range map[string]string{
		"/integrator/trash?page=2": "/integrator/trash?page=2",
		"":                         "/integrator/sales-manager",
		"https://evil.example/x":   "/integrator/sales-manager",
		"//evil.example/x":         "/integrator/sales-manager",
	} {
		a := p.browser(t).post("/login", url.Values{"email": {"a@example.com"}, "password": {staffPassword}, "next": {next}})
		if a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Errorf("next %q: %d to %q, want %q", next, a.status, a.header.Get("Location"), want)
		}
	}
	a := p.browser(t).get("/integrator/trash?page=2")
	if to := a.header.Get("Location"); to != "/login?next=%2Fintegrator%2Ftrash%3Fpage%3D2" {
		t.Errorf("asked to log in at %q", to)
	}
}
