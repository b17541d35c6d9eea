package mail_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tripwire/internal/mail"
)

func TestASubscriptionIsToldFromAReport(t *testing.T) {
	t.Parallel()
	const address = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
	if at, asks, err := mail.ParseSubscription(sample(t, "sns-subscription.json")); at != address || !asks || err != nil {
		t.Errorf("%q, %v, %v", at, asks, err)
	}
	for _, file := range []string{"ses-in-sns.json", "ses-bounce.json", "sendgrid.json", "mailgun-failed.json", "postfix-failed.eml"} {
		if at, asks, err := mail.ParseSubscription(sample(t, file)); at != "" || asks || err != nil {
			t.Errorf("%s: %q, %v, %v", file, at, asks, err)
		}
	}
	for _, body := range []string{"", " ", "{", "[]", `{"Type": 1}`, `{"Type": "UnsubscribeConfirmation", "SubscribeURL": "` + address + `"}`} {
		if at, asks, err := mail.ParseSubscription([]byte(body)); at != "" || asks || err != nil {
			t.Errorf("%q: %q, %v, %v", body, at, asks, err)
		}
	}
}

// TestOnlyAmazonIsAnswered: nobody makes this server ask an address of their choice.
func TestOnlyAmazonIsAnswered(t *testing.T) {
	t.Parallel()
	for address, ours := range map[string]bool{
		"https://sns.us-east-1.amazonaws.com/?a=b":              true,
		"https://sns.cn-north-1.amazonaws.com.cn/?a=b":          true,
		"http://sns.us-east-1.amazonaws.com/":                   false,
		"https://sns.us-east-1.amazonaws.com:8443/":             false,
		"https://user:word@sns.us-east-1.amazonaws.com/":        false,
		"https://s3.us-east-1.amazonaws.com/":                   false,
		"https://sns.us-east-1.amazonaws.com.evil.example/":     false,
		"https://evil.example/sns.us-east-1.amazonaws.com":      false,
		"https://evil.example#sns.us-east-1.amazonaws.com":      false,
		"https://sns.evil.example.us-east-1.amazonaws.com/":     false,
		"https://127.0.0.1/":                                    false,
		"file:///etc/passwd":                                    false,
		"https://sns.us-east-1.amazonaws.com@evil.example/":     false,
		"https://evil.example\\\\@sns.us-east-1.amazonaws.com/": false,
		"": false,
	} {
		at, asks, err := mail.ParseSubscription([]byte(`{"Type": "SubscriptionConfirmation", "SubscribeURL": "` + address + `"}`))
		if !asks || (at == address) != ours && ours || errors.Is(err, mail.ErrNotAmazon) == ours || !ours && at != "" {
			t.Errorf("%q: %q, %v, %v", address, at, asks, err)
		}
	}
}

func TestAConfirmation(t *testing.T) {
	t.Parallel()
	var asked []string
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String())
		switch r.URL.Path {
		case "/fails":
			w.WriteHeader(http.StatusInternalServerError)
		case "/leads-away":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	}))
	defer far.Close()
	way := &http.Transport{}
	defer way.CloseIdleConnections()
	if err := mail.ConfirmSubscription(t.Context(), way, far.URL+"/?Token=1"); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/fails", "/leads-away"} {
		if err := mail.ConfirmSubscription(t.Context(), way, far.URL+path); err == nil {
			t.Errorf("%s is taken for a yes", path)
		}
	}
	if got := strings.Join(asked, ", "); got != "GET /?Token=1, GET /fails, GET /leads-away" {
		t.Errorf("asked %s", got)
	}
	if err := mail.ConfirmSubscription(t.Context(), way, "http://127.0.0.1:1/?Token=secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there is taken for a yes, or the token is told: %v", err)
	}
}
