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

// TestOneVisitorIsOneNetwork: failed logins are counted by what one visitor has
// to itself.
func TestOneVisitorIsOneNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7",
		"::ffff:192.0.2.7":     "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::ffff":   "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
		"pipe":                 "pipe",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
