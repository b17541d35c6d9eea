package worker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/locale"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
	"tripwire/internal/worker"
)

var accessLink = regexp.MustCompile(`https://school\.example/access/([A-Za-z0-9_-]+)`)

// linkIn answers the token of the one link that both parts of a letter have.
func linkIn(t *testing.T, p parsed) string {
	t.Helper()
	tokens := map[string]bool{}
	for _, part := range []string{p.text, p.html} {
		all := accessLink.FindAllStringSubmatch(part, -1)
		if len(all) == 0 {
			t.Fatalf("no link in %s", part)
		}
		for _, m := range all {
			tokens[m[1]] = true
		}
	}
	if len(tokens) != 1 {
		t.Fatalf("links %v", tokens)
	}
	for token := range tokens {
		return token
	}
	return ""
}

// undelivered is what the list of the students and the figures count.
func (o *outbox) undelivered(t *testing.T) int {
	t.Helper()
	f, err := o.Figures(t.Context(), o.admin, school.Counted{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return f.Students.Undelivered
}

// TestTheWelcomeLetterArrives once, in the student's language, and counts as sent
// when the server has answered and not before.
func TestTheWelcomeLetterArrives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		heard, answer := make(chan string, 10), make(chan struct{})
		far := &office{hold: func(to string) {
			heard <- to
			<-answer
		}}
		o := begin(t, target, far.open(t))
		o.works(t, o.Desk)
		for n, l := range school.Languages() {
			email := string(l) + "@example.com"
			id := o.student(t, email, string(l))
			if to := <-heard; to != email {
				t.Fatalf("heard of %s", to)
			}
			under := o.only(t, id)
			if under.State != school.LetterSending || !under.SentAt.IsZero() || under.Attempts != 1 || o.undelivered(t) != 1 ||
				o.number(t, "SELECT count(*) FROM roster WHERE letter = 'waiting'") != 1 || o.number(t, "SELECT count(*) FROM activity WHERE action = 'letter.sent'") != n {
				t.Errorf("before the answer: %+v, %d undelivered", under, o.undelivered(t))
			}
			answer <- struct{}{}
			eventually(t, "the letter counts as sent", func() bool { return o.only(t, id).State == school.LetterAccepted })
			kept := o.only(t, id)
			if kept.SentAt.IsZero() || !kept.DueAt.IsZero() || kept.Cause != "" || o.undelivered(t) != 0 || o.number(t, "SELECT count(*) FROM roster WHERE letter <> 'sent'") != 0 {
				t.Errorf("after the answer: %+v, %d undelivered", kept, o.undelivered(t))
			}
			card, err := o.Student(t.Context(), o.admin, id)
			if err != nil || card.Activity[0].Action != school.LetterSent || card.Activity[0].Details["email"] != email || card.Student.Letter.State != school.LetterAccepted {
				t.Errorf("the card: %+v, %v", card.Activity, err)
			}
			o.wantWelcome(t, far.deliveries()[n], kept, l)
			if _, err := o.UseLink(t.Context(), school.Visitor{}, linkIn(t, parse(t, far.deliveries()[n].content)), "own password"); err != nil {
				t.Errorf("the link: %v", err)
			}
		}
		if n := len(far.deliveries()); n != len(school.Languages()) {
			t.Errorf("%d letters", n)
		}
		if strings.Contains(o.log.String(), "level=ERROR") {
			t.Errorf("logged:\n%s", o.log)
		}
	})
}

// TestALetterLeavesByTLS with the password, where the certificate is one that the
// system trusts.
func TestALetterLeavesByTLS(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		o := begin(t, target, closed(t))
		for _, security := range []mail.Security{mail.STARTTLS, mail.ImplicitTLS} {
			far := &office{security: security}
			server := far.open(t)
			id := o.student(t, string(security)+"@example.com", "kk")
			stop := o.works(t, o.by(o.store, server))
			eventually(t, "the letter is sent", func() bool {
				return o.only(t, id).State != school.LetterQueued && o.only(t, id).State != school.LetterSending
			})
			stop()
			if l, got := o.only(t, id), far.deliveries(); l.State != school.LetterAccepted || len(got) != 1 || !got[0].sealed || got[0].by != "post" {
				t.Errorf("%s: %+v, %+v", security, l, got)
			}
		}
	})
}

// wantWelcome reads a welcome letter as another program does.
func (o *outbox) wantWelcome(t *testing.T, d delivery, l school.Letter, language school.Language) {
	t.Helper()
	p := parse(t, d.content)
	if d.from != ourAddress || len(d.to) != 1 || d.to[0] != string(l.Email) {
		t.Errorf("envelope %q, %q", d.from, d.to)
	}
	for header, want := range map[string]string{
		"Message-Id": l.MessageID, "Auto-Submitted": "auto-generated", "Content-Language": string(language), "Cc": "", "Bcc": "",
	} {
		if p.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, p.Get(header), want)
		}
	}
	if got := p.address(t, "From"); got != (netmail.Address{Name: schoolName, Address: ourAddress}) {
		t.Errorf("from %v", got)
	}
	if got := p.address(t, "To"); got != (netmail.Address{Name: "Әйгерім Test", Address: string(l.Email)}) {
		t.Errorf("to %v", got)
	}
	words := locale.Printer{Lang: language}
	settings, err := o.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(words.T("mail.welcome.subject"), "{school}", settings.Name); p.subject(t) != want {
		t.Errorf("subject %q, want %q", p.subject(t), want)
	}
	foot := strings.Fields(words.T("mail.foot"))
	for part, said := range map[string]string{"text": p.text, "html": p.html} {
		for _, want := range append(foot[:2:2], "Әйгерім Test", string(l.Email)) {
			if !strings.Contains(said, want) {
				t.Errorf("%s says nothing of %q:\n%s", part, want, said)
			}
		}
		if strings.ContainsAny(said, "⟦⟧") || part == "text" && strings.ContainsAny(said, "{}") {
			t.Errorf("%s is not filled:\n%s", part, said)
		}
	}
}

// trouble is a far end at which a letter does not get through.
type trouble struct {
	open    func(t *testing.T) (server mail.Server, taken func() []string)
	state   school.LetterState
	cause   string
	reply   string // a piece of it
	ofSetUp bool
	heard   int // letters that the far end has heard to their end
}

func talking(talk func(*dialogue)) func(t *testing.T) (mail.Server, func() []string) {
	return func(t *testing.T) (mail.Server, func() []string) { t.Helper(); return script(t, talk) }
}

func withTLS(s mail.Security, open func(t *testing.T) (mail.Server, func() []string)) func(t *testing.T) (mail.Server, func() []string) {
	return func(t *testing.T) (mail.Server, func() []string) {
		t.Helper()
		server, taken := open(t)
		server.Security = s
		return server, taken
	}
}

func silence(d *dialogue) { _, _ = io.Copy(io.Discard, d.lines) }

var troubles = map[string]trouble{
	"refused connection": {
		open: func(t *testing.T) (mail.Server, func() []string) {
			t.Helper()
			return closed(t), func() []string { return nil }
		},
		state: school.LetterDeferred, cause: "port_closed", reply: "refused", ofSetUp: true,
	},
	"a greeting that puts off": {
		open:  talking(func(d *dialogue) { d.say("421 4.3.2 far.example too busy today") }),
		state: school.LetterDeferred, cause: "greeting_refused", reply: "421 4.3.2 far.example too busy today", ofSetUp: true,
	},
	"the end amid the session": {
		open:  talking(func(d *dialogue) { d.greet(); d.answer("250 sender", "421 4.3.2 shutting down") }),
		state: school.LetterDeferred, cause: "recipient_deferred", reply: "421 4.3.2 shutting down",
	},
	"the end before the recipient": {
		open:  talking(func(d *dialogue) { d.greet(); d.answer("451 4.3.0 not now") }),
		state: school.LetterDeferred, cause: "server_busy", reply: "451 4.3.0 not now", ofSetUp: true,
	},
	"an unknown recipient": {
		open: talking(func(d *dialogue) {
			d.greet()
			d.answer("250 sender", "550 5.1.1 нет такого ящика", "250 reset", "221 bye")
		}),
		state: school.LetterRefused, cause: "recipient_refused", reply: "550 5.1.1 нет такого ящика",
	},
	"a full mailbox": {
		open:  talking(func(d *dialogue) { d.greet(); d.answer("250 sender", "452 4.2.2 mailbox full", "250 reset", "221 bye") }),
		state: school.LetterDeferred, cause: "recipient_deferred", reply: "452 4.2.2 mailbox full",
	},
	"contents refused": {
		open: talking(func(d *dialogue) {
			d.greet()
			d.answer("250 sender", "250 recipient", "354 go on")
			d.letter()
			d.say("554 5.6.0 this is spam")
		}),
		state: school.LetterRefused, cause: "content_refused", reply: "554 5.6.0 this is spam", heard: 1,
	},
	"a tarpit": {
		open:  talking(func(d *dialogue) { d.greet(); d.answer("250 sender"); silence(d) }),
		state: school.LetterDeferred, cause: "timeout", reply: "",
	},
	"dropped before the answer": {
		open: talking(func(d *dialogue) {
			d.greet()
			d.answer("250 sender", "250 recipient", "354 go on")
			d.letter()
		}),
		state: school.LetterDeferred, cause: "connection_lost", reply: "", heard: 1,
	},
	"dropped amid the letter": {
		open: talking(func(d *dialogue) {
			d.greet()
			d.answer("250 sender", "250 recipient", "354 go on")
			d.hear()
		}),
		state: school.LetterDeferred, cause: "connection_lost", reply: "",
	},
	"a certificate of somebody": {
		open: withTLS(mail.STARTTLS, talking(func(d *dialogue) {
			d.greet("STARTTLS")
			d.answer("220 begin")
			c := tls.Server(d.Conn, &tls.Config{Certificates: []tls.Certificate{signed.certificate}})
			_ = c.Handshake()
		})),
		state: school.LetterDeferred, cause: "certificate_unknown", reply: "certificate", ofSetUp: true,
	},
	"no encryption": {
		open:  withTLS(mail.STARTTLS, talking(func(d *dialogue) { d.greet(); silence(d) })),
		state: school.LetterDeferred, cause: "no_tls", reply: "STARTTLS", ofSetUp: true,
	},
	"broken encryption": {
		open: withTLS(mail.STARTTLS, talking(func(d *dialogue) {
			d.greet("STARTTLS")
			d.answer("220 begin")
			d.hear()
			d.say("this is no handshake, and never was one")
		})),
		state: school.LetterDeferred, cause: "no_tls", reply: "", ofSetUp: true,
	},
	"a rejected login": {
		open: func(t *testing.T) (mail.Server, func() []string) {
			t.Helper()
			server, taken := script(t, func(d *dialogue) { d.greet("AUTH PLAIN"); d.answer("535 5.7.8 wrong user or password") })
			server.User, server.Password = "post@school.example", smtpPassword
			return server, taken
		},
		state: school.LetterDeferred, cause: "login_refused", reply: "535 5.7.8 wrong user or password", ofSetUp: true,
	},
}

const smtpPassword = "пароль-от-почты-77"

// attempt is one attempt at the letter that is due, with less patience than the
// worker has.
func (o *outbox) attempt(t *testing.T, d *desk.Desk) {
	t.Helper()
	out, err := d.ClaimLetter(t.Context(), baseURL, nil)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	s := mail.NewSender(out.Server, mail.Options{Timeout: 700 * time.Millisecond})
	defer s.Close()
	if err := d.SettleLetter(t.Context(), out, s.Send(t.Context(), out.Message)); err != nil {
		t.Errorf("settle: %v", err)
	}
}

// TestNothingIsLostToAFaultyServer: each fault has its state, cause and the server's
// own words; the letter waits as long as the rule says, and arrives when the fault
// has ended, as the same letter.
func TestNothingIsLostToAFaultyServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		for name, c := range troubles {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				faulty, taken := c.open(t)
				o := begin(t, target.Another(t), faulty)
				id := o.student(t, "one@example.com", "kk")
				for attempt := 1; attempt <= 2; attempt++ {
					before := o.only(t, id)
					o.attempt(t, o.Desk)
					l := o.only(t, id)
					if l.State != c.state || l.Cause != c.cause || !strings.Contains(l.Reply, c.reply) || l.Attempts != attempt || !l.SentAt.IsZero() {
						t.Fatalf("attempt %d: %+v", attempt, l)
					}
					if attempt > 1 && l.MessageID != before.MessageID {
						t.Errorf("Message-ID %s, and then %s", before.MessageID, l.MessageID)
					}
					o.wantFault(t, c, l)
					if l.State != school.LetterDeferred {
						if !l.DueAt.IsZero() {
							t.Errorf("due at %v", l.DueAt)
						}
						break
					}
					o.wantPause(t, l)
				}
				if n := len(taken()); n != c.heard*o.only(t, id).Attempts {
					t.Errorf("the far end has heard %d letters", n)
				}
				o.wantArrival(t, id, taken())
			})
		}
	})
}

func (o *outbox) wantFault(t *testing.T, c trouble, l school.Letter) {
	t.Helper()
	m, err := o.Mail(t.Context(), o.admin)
	switch {
	case err != nil:
		t.Fatal(err)
	case c.ofSetUp && (m.Settings.Fault != c.cause || m.Settings.FaultWords != l.Reply || m.Settings.FaultAt.IsZero()),
		!c.ofSetUp && m.Settings.Fault != "":
		t.Errorf("the settings say %q, %q since %v", m.Settings.Fault, m.Settings.FaultWords, m.Settings.FaultAt)
	}
}

// wantPause: the letter is due within the bounds, not before, and then it is.
func (o *outbox) wantPause(t *testing.T, l school.Letter) {
	t.Helper()
	least, most := school.LetterPause(l.Attempts, 0), school.LetterPause(l.Attempts, 1)
	if pause := l.DueAt.Sub(o.now()); pause < least-time.Millisecond || pause > most {
		t.Errorf("due after %v, want %v to %v", pause, least, most)
	}
	o.until(l.DueAt.Add(-time.Millisecond))
	if out, err := o.ClaimLetter(t.Context(), baseURL, nil); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("claimed before its time: %+v, %v", out.Letter, err)
	}
	o.until(l.DueAt)
}

// wantArrival: by a server that works, the letter gets through.
func (o *outbox) wantArrival(t *testing.T, id school.UserID, copies []string) {
	t.Helper()
	l := o.only(t, id)
	if l.State != school.LetterDeferred { // somebody has to say that it is worth it
		if err := o.RetryLetter(t.Context(), o.admin, l.ID); err != nil {
			t.Fatal(err)
		}
	}
	far := &office{}
	stop := o.works(t, o.by(o.store, far.open(t)))
	eventually(t, "the letter is sent", func() bool { return o.only(t, id).State == school.LetterAccepted })
	stop()
	now := o.only(t, id)
	got := far.deliveries()
	if len(got) != 1 || now.MessageID != l.MessageID || now.Attempts != l.Attempts+1 || now.Cause != "" || now.Reply != "" {
		t.Fatalf("%d letters; %+v", len(got), now)
	}
	last := parse(t, got[0].content)
	for _, c := range copies {
		if p := parse(t, c); p.Get("Message-Id") != last.Get("Message-Id") || linkIn(t, p) != linkIn(t, last) {
			t.Errorf("a copy is another letter: %s, %s", p.Get("Message-Id"), linkIn(t, p))
		}
		if strings.TrimSuffix(c, "\r\n") != strings.TrimSuffix(got[0].content, "\r\n") {
			t.Errorf("a copy differs:\n%s", firstDifference(c, got[0].content))
		}
	}
	if m, err := o.Mail(t.Context(), o.admin); err != nil || m.Settings.Fault != "" {
		t.Errorf("the fault stays: %+v, %v", m.Settings, err)
	}
	if strings.Contains(o.log.String(), "ERROR") {
		t.Errorf("logged:\n%s", o.log)
	}
}

func firstDifference(a, b string) string {
	one, other := strings.Split(a, "\r\n"), strings.Split(b, "\r\n")
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			return one[i] + "\n" + other[i]
		}
	}
	return fmt.Sprintf("%d and %d lines", len(one), len(other))
}

// TestTheBackRoomTellsNoSecrets: no link and no password of the server is in the log or
// in the rows, whether letters leave or not.
func TestTheBackRoomTellsNoSecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		faulty, _ := script(t, func(d *dialogue) {
			d.greet("AUTH PLAIN")
			d.answer("535 5.7.8 wrong: "+smtpPassword, "221 bye") // some servers say what they have heard
		})
		faulty.User, faulty.Password = "post@school.example", smtpPassword
		o := begin(t, target, faulty)
		o.student(t, "one@example.com", "ru")
		stop := o.works(t, o.Desk)
		eventually(t, "the fault is known", func() bool {
			return o.number(t, "SELECT count(*) FROM mail_settings WHERE fault = 'login_refused'") == 1
		})
		stop()
		o.forward(2 * time.Minute)
		far := &office{}
		server := far.open(t)
		stop = o.works(t, o.by(o.store, server))
		eventually(t, "the letter is sent", func() bool { return o.number(t, "SELECT count(*) FROM letters WHERE state = 'accepted'") == 1 })
		stop()
		link := linkIn(t, parse(t, far.deliveries()[0].content))
		for what, secret := range map[string]string{"link": link, "password": smtpPassword} {
			if strings.Contains(o.log.String(), secret) {
				t.Errorf("the log has the %s:\n%s", what, o.log)
			}
			for table, rows := range target.Dump(t) {
				if strings.Contains(strings.Join(rows, "\n"), secret) {
					t.Errorf("%s has the %s", table, what)
				}
			}
		}
	})
}

// TestATrialThatSucceedsEndsTheFault, and what was put off is due; a trial of settings
// that are not kept says nothing of those that are.
func TestATrialThatSucceedsEndsTheFault(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		o := begin(t, target, closed(t))
		ctx := t.Context()
		id := o.student(t, "one@example.com", "ru")
		faulty := func() bool { return o.number(t, "SELECT count(*) FROM mail_settings WHERE fault = 'port_closed'") == 1 }
		stop := o.works(t, o.Desk)
		eventually(t, "the fault is known and the letter put off", func() bool { return faulty() && o.only(t, id).State == school.LetterDeferred })
		stop()
		if trial, err := o.TryMail(ctx, o.admin, school.MailSettings{}); err != nil || trial.Cause != "port_closed" || !faulty() {
			t.Errorf("nobody is there: %+v, %v", trial, err)
		}
		far := &office{}
		server := far.open(t)
		panel := desk.New(o.store, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(o.target.Folder, 0), Key: o.key})
		kept := school.MailSettings{Host: "127.0.0.1", Port: 1, Security: "none", FromEmail: ourAddress, ContentDays: 90}
		if err := panel.EditMail(ctx, o.admin, kept); err != nil {
			t.Fatal(err)
		}
		relapse := func() {
			t.Helper()
			for _, statement := range []string{"UPDATE mail_settings SET fault = 'port_closed'", "UPDATE letters SET due_at = '2099-01-01 00:00:00.000' WHERE state = 'deferred'"} {
				if _, err := o.raw.ExecContext(ctx, statement); err != nil {
					t.Fatal(err)
				}
			}
		}
		due := func() bool { return !o.only(t, id).DueAt.After(o.now()) }
		relapse()
		other := kept
		other.Port = server.Port
		if trial, err := panel.TryMail(ctx, o.admin, other); err != nil || trial.Cause != "" || !faulty() || due() {
			t.Errorf("settings that are not kept: %+v, %v; faulty %v, due %v", trial, err, faulty(), due())
		}
		if err := panel.EditMail(ctx, o.admin, other); err != nil || faulty() || !due() {
			t.Errorf("another server is kept: %v; faulty %v, due %v", err, faulty(), due())
		}
		relapse()
		same := other
		same.ReminderDays = 3
		if err := panel.EditMail(ctx, o.admin, same); err != nil || !faulty() || due() {
			t.Errorf("another number of days is kept: %v; faulty %v, due %v", err, faulty(), due())
		}
		for name, succeed := range map[string]func() (desk.MailTrial, error){
			"the settings of the panel": func() (desk.MailTrial, error) { return panel.TryMail(ctx, o.admin, other) },
			"the settings of the process": func() (desk.MailTrial, error) {
				return o.by(o.store, server).TryMail(ctx, o.admin, school.MailSettings{})
			},
			"a letter at once": func() (desk.MailTrial, error) { return panel.HandOver(ctx, o.admin, "two@example.com", baseURL) },
		} {
			relapse()
			if trial, err := succeed(); err != nil || trial.Cause != "" || faulty() || !due() {
				t.Errorf("%s: %+v, %v; faulty %v, due %v", name, trial, err, faulty(), due())
			}
		}
	})
}

// TestAPauseEndsWithItsFault, which a change of the settings ends, and not a ring before.
func TestAPauseEndsWithItsFault(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		o := begin(t, target, closed(t))
		ctx := t.Context()
		panel := desk.New(o.store, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(o.target.Folder, 0), Key: o.key})
		settings := school.MailSettings{Host: "127.0.0.1", Port: 25, Security: "none", FromEmail: ourAddress, ContentDays: 90}
		if err := panel.EditMail(ctx, o.admin, settings); err != nil {
			t.Fatal(err)
		}
		if _, err := o.raw.ExecContext(ctx, "UPDATE mail_settings SET sealed_password = 'broken'"); err != nil {
			t.Fatal(err)
		}
		id := o.student(t, "one@example.com", "ru")
		stop := o.works(t, panel)
		eventually(t, "the fault is known", func() bool {
			return o.number(t, "SELECT count(*) FROM mail_settings WHERE fault = 'password_sealed'") == 1
		})
		stop()
		if got, err := worker.ClaimAmidAPause(ctx, panel, baseURL); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("claimed %+v, %v", got.Letter, err)
		}
		if err := panel.EditMail(ctx, o.admin, settings); err != nil {
			t.Fatal(err)
		}
		if got, err := worker.ClaimAmidAPause(ctx, panel, baseURL); err != nil || got.Letter.UserID != id {
			t.Errorf("claimed %+v, %v", got.Letter, err)
		}
	})
}

// TestTheBackRoomReminds who has not been here for as long as the school says.
func TestTheBackRoomReminds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		far := &office{}
		o := begin(t, target, far.open(t))
		id := o.student(t, "one@example.com", "en")
		if err := o.EditMail(t.Context(), o.admin, school.MailSettings{Port: 587, Security: "starttls", ContentDays: 90, ReminderDays: 7}); err != nil {
			t.Fatal(err)
		}
		o.forward(7*24*time.Hour + time.Minute)
		stop := o.works(t, o.Desk)
		eventually(t, "the reminder is sent", func() bool {
			return o.number(t, "SELECT count(*) FROM letters WHERE kind = 'reminder' AND state = 'accepted' AND user_id = $1", string(id)) == 1
		})
		stop()
		if got := far.to("one@example.com"); len(got) != 1 || !strings.Contains(parse(t, got[0].content).subject(t), "your course is waiting") {
			t.Errorf("sent %+v", got)
		}
	})
}

// TestATextIsTriedAtOnce: it comes to who edits it, with sample values.
func TestATextIsTriedAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		far := &office{}
		o := begin(t, target, far.open(t))
		text := school.LetterText{Kind: school.LetterWelcome, Language: school.Kazakh, Subject: "Сәлем, {name}", Body: "[Бастау]({link}) {course}"}
		trial, err := o.TryLetterText(t.Context(), o.admin, text, baseURL)
		if err != nil || trial != (desk.MailTrial{}) {
			t.Fatalf("%+v, %v", trial, err)
		}
		got := far.to(string(o.admin.Email))
		if len(got) != 1 {
			t.Fatalf("sent %+v", far.deliveries())
		}
		if p := parse(t, got[0].content); p.subject(t) != "Сәлем, "+o.admin.Name || strings.ContainsAny(p.text, "{}") || !strings.Contains(p.text, baseURL) {
			t.Errorf("%s\n%s", p.subject(t), p.text)
		}
		if n := o.number(t, "SELECT count(*) FROM letter_texts"); n != 0 {
			t.Errorf("%d texts are kept", n)
		}
	})
}

// TestALetterThatComesBack is told so, once, and can be tried again.
func TestALetterThatComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		far := &office{}
		server := far.open(t)
		o := begin(t, target, server)
		id, other := o.student(t, "one@example.com", "ru"), o.student(t, "two@example.com", "ru")
		o.attempt(t, o.Desk)
		o.attempt(t, o.Desk)
		report := func(l school.Letter, action string) []byte {
			return []byte(strings.ReplaceAll("From: MAILER-DAEMON@far.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=xx\n\n"+
				"--xx\nContent-Type: text/plain\n\nsorry\n--xx\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; far.example\n\n"+
				"Final-Recipient: rfc822; "+string(l.Email)+"\nAction: "+action+"\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown user\n\n"+
				"--xx\nContent-Type: text/rfc822-headers\n\nMessage-ID: "+l.MessageID+"\n\n--xx--\n", "\n", "\r\n"))
		}
		l := o.only(t, id)
		for i, c := range []struct {
			body  []byte
			noted int
		}{{report(l, "delayed"), 0}, {report(l, "failed"), 1}, {report(l, "failed"), 0}} {
			if n, err := o.TakeBounce(t.Context(), school.Terminal(), c.body); err != nil || n != c.noted {
				t.Errorf("report %d: %d, %v", i, n, err)
			}
		}
		back := o.only(t, id)
		if back.State != school.LetterBounced || back.Cause != "bounced" || !strings.Contains(back.Reply, "550 5.1.1 unknown user") || o.undelivered(t) != 1 {
			t.Errorf("came back: %+v, %d undelivered", back, o.undelivered(t))
		}
		token, err := o.ReplaceHook(t.Context(), o.admin)
		if err != nil {
			t.Fatal(err)
		}
		second := o.only(t, other)
		body := []byte(`{"message_id":"` + second.MessageID + `","recipient":"two@example.com","permanent":true,"words":"550 gone"}`)
		for _, wrong := range []string{"", "x", token[:len(token)-1]} {
			if n, err := o.ReportBounces(t.Context(), wrong, "application/json", body); !errors.Is(err, school.ErrHookRefused) || n != 0 {
				t.Errorf("token %q: %d, %v", wrong, n, err)
			}
		}
		if _, err := o.ReportBounces(t.Context(), token, "application/json", []byte("nonsense")); !errors.Is(err, school.ErrBounceInvalid) {
			t.Errorf("nonsense: %v", err)
		}
		for i, want := range []int{1, 0} {
			if n, err := o.ReportBounces(t.Context(), token, "application/json", body); err != nil || n != want {
				t.Errorf("report %d: %d, %v", i, n, err)
			}
		}
		if got := o.only(t, other); got.State != school.LetterBounced || got.Reply != "550 gone" {
			t.Errorf("the second: %+v", got)
		}
		if n := o.number(t, "SELECT count(*) FROM activity WHERE action = 'letter.bounced'"); n != 2 {
			t.Errorf("%d lines of the history", n)
		}
		replaced, err := o.ReplaceHook(t.Context(), o.admin)
		if _, old := o.ReportBounces(t.Context(), token, "application/json", body); !errors.Is(old, school.ErrHookRefused) || err != nil || replaced == token {
			t.Errorf("the token before: %v, %v", old, err)
		}
		if err := o.RetryLetter(t.Context(), o.admin, back.ID); err != nil {
			t.Fatal(err)
		}
		o.attempt(t, o.Desk)
		if again := o.only(t, id); again.State != school.LetterAccepted || again.MessageID != l.MessageID || len(far.to("one@example.com")) != 2 {
			t.Errorf("again: %+v", again)
		}
	})
}

// TestATarpitHoldsUpItsOwnDomainOnly.
func TestATarpitHoldsUpItsOwnDomainOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		release := make(chan struct{})
		far := &office{hold: func(to string) {
			if strings.HasSuffix(to, "@slow.example") {
				<-release
			}
		}}
		open := sync.OnceFunc(func() { close(release) })
		server := far.open(t)
		t.Cleanup(open)
		o := begin(t, target, server)
		var ids []school.UserID
		for i := range 5 { // the slow ones are due first
			ids = append(ids, o.student(t, fmt.Sprintf("s%d@slow.example", i), "ru"))
		}
		for i := range 9 {
			ids = append(ids, o.student(t, fmt.Sprintf("q%d@quick%d.example", i, i%3), "ru"))
		}
		stop := o.works(t, o.Desk)
		eventually(t, "the other domains are served", func() bool {
			return o.number(t, "SELECT count(*) FROM letters WHERE state = 'accepted' AND domain <> 'slow.example'") == 9
		})
		if n := o.number(t, "SELECT count(*) FROM letters WHERE state <> 'queued' AND domain = 'slow.example'"); n > 1 {
			t.Errorf("%d letters of the slow domain were begun", n)
		}
		open()
		eventually(t, "all are served", func() bool { return o.number(t, "SELECT count(*) FROM letters WHERE state = 'accepted'") == len(ids) })
		stop()
		if n := len(far.deliveries()); n != len(ids) {
			t.Errorf("%d letters", n)
		}
	})
}

// TestAFaultOfTheServerCostsFewLettersAnAttempt, is told, and ends with the first
// success.
func TestAFaultOfTheServerCostsFewLettersAnAttempt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		o := begin(t, target, closed(t))
		const all = 20
		for i := range all {
			o.student(t, fmt.Sprintf("s%d@d%d.example", i, i), "ru")
		}
		began := time.Now()
		stop := o.works(t, o.Desk)
		eventually(t, "the fault is known", func() bool { return o.number(t, "SELECT count(*) FROM mail_settings WHERE fault = 'port_closed'") == 1 })
		stop()
		// Four senders find out together, and then nobody tries for two seconds.
		tried := o.number(t, "SELECT count(*) FROM letters WHERE attempts > 0")
		if most := 4 * (1 + int(time.Since(began)/(2*time.Second))); tried > most || tried == 0 {
			t.Errorf("%d of %d letters were tried", tried, all)
		}
		if n := o.number(t, "SELECT count(*) FROM letters WHERE attempts > 1 OR state NOT IN ('queued', 'deferred')"); n != 0 {
			t.Errorf("%d letters were tried twice", n)
		}
		settings, err := o.Settings(t.Context())
		if c := o.MailCondition(settings); err != nil || !c.On || c.Fault != "port_closed" || c.Works() {
			t.Errorf("%+v, %v", c, err)
		}
		o.forward(2 * time.Minute)
		far := &office{}
		stop = o.works(t, o.by(o.store, far.open(t)))
		eventually(t, "all are served", func() bool { return o.number(t, "SELECT count(*) FROM letters WHERE state = 'accepted'") == all })
		stop()
		if n := o.number(t, "SELECT count(*) FROM letters WHERE attempts = 1"); n != all-tried || len(far.deliveries()) != all {
			t.Errorf("%d letters at the first attempt, want %d; %d arrived", n, all-tried, len(far.deliveries()))
		}
		settings, err = o.Settings(t.Context())
		if c := o.MailCondition(settings); err != nil || !c.Works() {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// many puts students with a waiting letter into the rows.
func (o *outbox) many(t *testing.T, n int, email func(int) school.Email) {
	t.Helper()
	var all []store.Past
	for i := range n {
		all = append(all, store.Past{
			ID: school.NewUserID(), FullName: fmt.Sprintf("Student %d", i), Email: email(i), Language: "ru", CourseID: 1, Manager: o.admin.ID,
			Price: school.Money{Minor: 100, Currency: "KZT"}, AddedAt: o.now(), Created: "{}",
		})
	}
	if err := o.raw.QueryRowContext(t.Context(), "SELECT id FROM courses").Scan(&all[0].CourseID); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].CourseID = all[0].CourseID
	}
	if err := o.store.Write(t.Context(), func(tx *store.Tx) error { return tx.InsertPasts(all) }); err != nil {
		t.Fatal(err)
	}
	if _, err := o.raw.ExecContext(t.Context(), "UPDATE letters SET state = 'queued', due_at = queued_at WHERE state = 'given_up'"); err != nil {
		t.Fatal(err)
	}
}

// TestTwoWorkersShareTheLetters: each arrives exactly once. On PostgreSQL they are two
// processes and a thousand letters; within one process fewer show as much.
func TestTwoWorkersShareTheLetters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		far := &office{}
		server := far.open(t)
		o := begin(t, target, server)
		if err := o.EditMail(t.Context(), o.admin, school.MailSettings{Port: 587, Security: "starttls", ContentDays: 90}); err != nil { // no limit
			t.Fatal(err)
		}
		n := 300
		if target.Engine == "postgres" {
			n = 1000
		}
		email := func(i int) school.Email { return school.Email(fmt.Sprintf("s%d@d%d.example", i, i%40)) }
		o.many(t, n, email)
		second := o.store
		if target.Engine == "postgres" {
			second = o.process(t)
		}
		stopOne, stopOther := o.works(t, o.Desk), o.works(t, o.by(second, server))
		eventually(t, "all are served", func() bool { return o.number(t, "SELECT count(*) FROM letters WHERE state = 'accepted'") == n })
		stopOne()
		stopOther()
		to, ids := map[string]int{}, map[string]int{}
		for _, d := range far.deliveries() {
			to[d.to[0]]++
			head, _, _ := strings.Cut(d.content, "\r\n\r\n")
			m, err := netmail.ReadMessage(strings.NewReader(head + "\r\n\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			ids[m.Header.Get("Message-Id")]++
		}
		for i := range n {
			if to[string(email(i))] != 1 {
				t.Errorf("%s got %d letters", email(i), to[string(email(i))])
			}
		}
		if len(far.deliveries()) != n || len(ids) != n {
			t.Errorf("%d letters arrived, with %d Message-IDs", len(far.deliveries()), len(ids))
		}
		if twice := o.number(t, "SELECT count(*) FROM letters WHERE attempts <> 1"); twice != 0 {
			t.Errorf("%d letters took more than one attempt", twice)
		}
		if strings.Contains(o.log.String(), "ERROR") {
			t.Errorf("logged:\n%s", o.log)
		}
	})
}

// TestACreationWaitsForNoServer: while the server holds every answer, and while
// there is none, students are admitted.
func TestACreationWaitsForNoServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		release := make(chan struct{})
		open := sync.OnceFunc(func() { close(release) })
		far := &office{hold: func(string) { <-release }}
		server := far.open(t)
		t.Cleanup(open)
		o := begin(t, target, server)
		stop := o.works(t, o.Desk)
		for i := range 10 {
			o.student(t, fmt.Sprintf("s%d@d%d.example", i, i), "ru")
		}
		if n := o.number(t, "SELECT count(*) FROM letters WHERE state IN ('queued', 'sending')"); n != 10 {
			t.Errorf("%d letters wait", n)
		}
		open()
		eventually(t, "all are served", func() bool { return o.number(t, "SELECT count(*) FROM letters WHERE state = 'accepted'") == 10 })
		stop()
	})
}

// TestALetterUnderWayIsFinishedWhenTheWorkerStops: what the server has taken is not
// forgotten.
func TestALetterUnderWayIsFinishedWhenTheWorkerStops(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		heard, answer := make(chan string, 1), make(chan struct{})
		far := &office{hold: func(to string) {
			heard <- to
			<-answer
		}}
		o := begin(t, target, far.open(t))
		id := o.student(t, "one@example.com", "ru")
		ctx, cancel := context.WithCancel(t.Context())
		stop := o.works(t, o.Desk)
		<-heard
		var stopping sync.WaitGroup
		stopping.Go(func() {
			cancel()
			stop()
		})
		<-ctx.Done()
		answer <- struct{}{}
		stopping.Wait()
		if l := o.only(t, id); l.State != school.LetterAccepted || len(far.deliveries()) != 1 {
			t.Errorf("%+v, %d letters", l, len(far.deliveries()))
		}
	})
}
