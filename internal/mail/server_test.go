package mail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tripwire/internal/mail"
)

func TestServersAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url, shown string
		want       mail.Server
	}{
		{"smtp://mail.example.com", "smtp://mail.example.com:587", mail.Server{"mail.example.com", 587, mail.STARTTLS, "", ""}},
		{" smtp://u%40x.kz:p%40%2F%3A%23%25@mail.example.com:2525/ ", "smtp://u%40x.kz@mail.example.com:2525", mail.Server{"mail.example.com", 2525, mail.STARTTLS, "u@x.kz", "p@/:#%"}},
		{"smtps://user:pass@mail.example.com", "smtps://user@mail.example.com:465", mail.Server{"mail.example.com", 465, mail.ImplicitTLS, "user", "pass"}},
		{"smtps://localhost", "smtps://localhost:465", mail.Server{"localhost", 465, mail.ImplicitTLS, "", ""}},
		{"SMTP://localhost:1025", "smtp://localhost:1025", mail.Server{"localhost", 1025, mail.Plain, "", ""}},
		{"smtp://u:p@127.0.0.2:25", "smtp://u@127.0.0.2:25", mail.Server{"127.0.0.2", 25, mail.Plain, "u", "p"}},
		{"smtp://[::1]:25", "smtp://[::1]:25", mail.Server{"::1", 25, mail.Plain, "", ""}},
		{"smtp://localhost?tls=starttls", "smtp://localhost:587?tls=starttls", mail.Server{"localhost", 587, mail.STARTTLS, "", ""}},
		{"smtp://relay.internal:25?tls=off", "smtp://relay.internal:25?tls=off", mail.Server{"relay.internal", 25, mail.Plain, "", ""}},
		{"smtp://почта.рф", "smtp://%D0%BF%D0%BE%D1%87%D1%82%D0%B0.%D1%80%D1%84:587", mail.Server{"почта.рф", 587, mail.STARTTLS, "", ""}},
	} {
		got, err := mail.ParseURL(c.url)
		if err != nil || got != c.want || got.String() != c.shown {
			t.Errorf("%s: %+v %v", c.url, got, err)
		}
		again, err := mail.ParseURL(got.String())
		if got.User, got.Password, again.User = "", "", ""; err != nil || again != got {
			t.Errorf("%s, shown and read again: %v, %v", c.url, again, err)
		}
	}
}

// TestServersAreRefused, and no refusal tells the password.
func TestServersAreRefused(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]error{
		"":                                     mail.ErrServerURL,
		"mail.example.com:587":                 mail.ErrServerURL,
		"http://user:geheim@mail.example.com":  mail.ErrServerURL,
		"smtp:user:geheim@mail.example.com":    mail.ErrServerURL,
		"smtp://user:geheim":                   mail.ErrServerURL,
		"smtp://user:gehe#im@mail.example.com": mail.ErrServerURL,
		"smtp://user:12#geheim@x.example":      mail.ErrServerURL,
		"smtp://user:12?geheim@x.example":      mail.ErrServerURL,
		"smtp://user:12/geheim@x.example":      mail.ErrServerURL,
		"smtp://user:geheim%@mail.example.com": mail.ErrServerURL,
		"smtp://user:geheim%0a@x.example":      mail.ErrServerLogin,
		"smtp://:geheim@x.example":             mail.ErrServerLogin,
		"smtp://u:geheim@x.example?tls=off":    mail.ErrOpenPassword,
		"smtp://u:geheim@10.0.0.1?tls=off":     mail.ErrOpenPassword,
		"smtp://x.example?tls=on":              mail.ErrServerURL,
		"smtps://x.example?tls=off":            mail.ErrServerURL,
		"smtp://x.example?tls=off&geheim=1":    mail.ErrServerURL,
		"smtp://":                              mail.ErrServerHost,
		"smtp://u:geheim@:25":                  mail.ErrServerHost,
		"smtp://a%20b.example":                 mail.ErrServerURL,
		"smtp://u:geheim@x.example:0":          mail.ErrServerPort,
		"smtp://u:geheim@x.example:70000":      mail.ErrServerPort,
	} {
		got, err := mail.ParseURL(url)
		if !errors.Is(err, want) || got != (mail.Server{}) {
			t.Errorf("%q: %v, %v", url, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: the error tells the password: %v", url, err)
		}
	}
}

func TestServersHideTheirPassword(t *testing.T) {
	t.Parallel()
	s := mail.Server{"x.example", 25, mail.STARTTLS, "user", "geheim"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if shown := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s); strings.Contains(shown, "geheim") {
			t.Errorf("%s: %s", verb, shown)
		}
	}
	if err := (mail.Server{Host: "x.example", Port: 25, Security: "perhaps"}).Check(); !errors.Is(err, mail.ErrServerSecurity) {
		t.Error(err)
	}
}
