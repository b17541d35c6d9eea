package mail_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tripwire/internal/mail"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReportsAreRead(t *testing.T) {
	t.Parallel()
	const id = "<0198f0c4-7d55-7f6a-9b1e-0a6d9c1c2b3a@school.example>"
	const other = "<0198f0c4-bbbb-7f6a-9b1e-0a6d9c1c2b3a@school.example>"
	for _, c := range []struct {
		file, contentType string
		want              []mail.Bounce
	}{
		{"postfix-failed.eml", "message/rfc822", []mail.Bounce{
			{id, "Nobody@example.com", true, "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table"}}},
		{"gmail-delayed.eml", "", []mail.Bounce{
			{"<0198f0c4-aaaa-7f6a-9b1e-0a6d9c1c2b3a@school.example>", "student@slow.example", false,
				"The recipient server did not accept our requests to connect. [slow.example. 198.51.100.7: timed out]"}}},
		{"exchange-failed.eml", "message/rfc822", []mail.Bounce{
			{other, "one@example.org", true, "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException"},
			{other, "three@example.org", true, "5.7.1"}}},
		{"holiday.eml", "message/rfc822", nil},
		{"mailgun-failed.json", "application/json", []mail.Bounce{{id, "alice@example.com", true, "605 Not delivering to previously bounced address"}}},
		{"mailgun-temporary.json", "application/json", []mail.Bounce{
			{id, "alice@example.com", false, "452 4.2.2 The email account that you tried to reach is over quota."}}},
		{"mailgun-delivered.json", "application/json", nil},
		{"ses-bounce.json", "application/json", []mail.Bounce{{id, "bounce@simulator.amazonses.com", true, "550 5.1.1 user unknown"}}},
		{"ses-in-sns.json", "text/plain; charset=UTF-8", []mail.Bounce{{id, "bounce@simulator.amazonses.com", true, "550 5.1.1 user unknown"}}},
		{"ses-delivery.json", "application/json", nil},
		{"sns-subscription.json", "text/plain; charset=UTF-8", nil},
		{"sendgrid.json", "application/json", []mail.Bounce{
			{"<2@school.example>", "b@example.com", true, "500 unknown recipient"},
			{"<3@school.example>", "c@example.com", true, "550 blocked by policy"},
			{"<4@school.example>", "d@example.com", true, "Bounced Address"}}},
	} {
		got, err := mail.ParseBounces(c.contentType, sample(t, c.file))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", c.file, err, diff)
		}
	}
}

// TestANotificationMayComeWithoutItsHead, when a door has read the head already.
func TestANotificationMayComeWithoutItsHead(t *testing.T) {
	t.Parallel()
	_, body, _ := strings.Cut(string(sample(t, "postfix-failed.eml")), "\n\n")
	got, err := mail.ParseBounces(`multipart/report; boundary="8C2D11A0F5.1795497302/mx.school.example"`, []byte(body))
	if err != nil || len(got) != 1 || !got[0].Permanent {
		t.Errorf("%v, %v", got, err)
	}
}

func TestReportsOfOurOwn(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"message_id":"1@x"},`, n), ",") + "]"
	}
	for _, c := range []struct {
		body string
		want []mail.Bounce
		err  error
	}{
		{`{"message_id":"<1@x>","recipient":"a@example.com","permanent":true,"words":"no such user"}`,
			[]mail.Bounce{{"<1@x>", "a@example.com", true, "no such user"}}, nil},
		{` [{"message_id":" 1@x ","recipient":"A <a@example.com>"},{"message_id":"2@x"}]`, []mail.Bounce{{"<1@x>", "a@example.com", false, ""}, {"<2@x>", "", false, ""}}, nil},
		{`{"message_id":"a b","recipient":"a b","words":"one\r\n\u0000two"}`, []mail.Bounce{{"", "", false, "one two"}}, nil},
		{`[]`, nil, nil},
		{`{}`, nil, mail.ErrNoReport},
		{`{"message_id":`, nil, mail.ErrNoReport},
		{`[1]`, nil, mail.ErrNoReport},
		{`[null]`, nil, mail.ErrNoReport},
		{``, nil, mail.ErrNoReport},
		{`hello`, nil, mail.ErrNoReport},
		{"Subject: x\n\nhello", nil, mail.ErrNoReport},
		{`{"Type":"Notification","Message":"Successfully validated SNS topic for Amazon SES event publishing."}`, nil, nil},
		{`{"Type":"Notification","Message":"{\"Type\":\"Notification\",\"Message\":\"{}\"}"}`, nil, mail.ErrNoReport},
		{many(1001), nil, mail.ErrTooManyBounces},
	} {
		got, err := mail.ParseBounces("application/json", []byte(c.body))
		if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.err) {
			t.Errorf("%.80q: %v\n%s", c.body, err, diff)
		}
	}
	if got, err := mail.ParseBounces("", []byte(many(1000))); len(got) != 1000 || err != nil {
		t.Errorf("%d, %v", len(got), err)
	}
}

// TestANotificationOfTooMany is refused like JSON of too many.
func TestANotificationOfTooMany(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("From: x\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n")
	for i := range 1001 {
		fmt.Fprintf(&b, "Final-Recipient: rfc822; a%d@example.com\nAction: failed\n\n", i)
	}
	b.WriteString("--b--\n")
	if got, err := mail.ParseBounces("", []byte(b.String())); !errors.Is(err, mail.ErrTooManyBounces) || got != nil {
		t.Errorf("%d bounces, %v", len(got), err)
	}
}

// TestSpoiltReportsAreSurvived: cut anywhere and with octets of chance in them,
// they give an error or bounces within the limits.
func TestSpoiltReportsAreSurvived(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	var whole [][]byte
	for _, f := range files {
		whole = append(whole, sample(t, filepath.Base(f)))
	}
	rapid.Check(t, func(t *rapid.T) {
		body := append([]byte(nil), rapid.SampledFrom(whole).Draw(t, "sample")...)
		body = body[:rapid.IntRange(0, len(body)).Draw(t, "length")]
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			if len(body) > 0 {
				body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "octet")
			}
		}
		all, err := mail.ParseBounces("", body)
		if err != nil && !errors.Is(err, mail.ErrNoReport) {
			t.Fatal(err)
		}
		for _, b := range all {
			if utf8.RuneCountInString(b.Words) > 500 || !utf8.ValidString(b.Words) || strings.ContainsAny(b.Words+b.MessageID+b.Recipient, "\r\n\x00") {
				t.Fatalf("%#v", b)
			}
		}
	})
}
