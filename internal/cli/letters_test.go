package cli_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store/storetest"
)

// postOffice is a real SMTP server that keeps what it takes.
type postOffice struct {
	address        string
	user, password string // empty: it asks for none
	mu             sync.Mutex
	got            []string // recipient and letter
}

func openPostOffice(t *testing.T, user, word string) *postOffice {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{address: l.Addr().String(), user: user, password: word}
	s := smtp.NewServer(o)
	s.Domain, s.ErrorLog, s.AllowInsecureAuth = "far.example", log.New(io.Discard, "", 0), true
	var running sync.WaitGroup
	running.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		running.Wait()
	})
	return o
}

// NewSession is called for each connection.
func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &postman{office: o}, nil
}

func (o *postOffice) letters() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.got...)
}

type postman struct {
	office *postOffice
	known  bool
	to     string
}

func (p *postman) AuthMechanisms() []string {
	if p.office.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (p *postman) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, word string) error {
		if user != p.office.user || word != p.office.password {
			return smtp.ErrAuthFailed
		}
		p.known = true
		return nil
	}), nil
}

func (p *postman) Mail(string, *smtp.MailOptions) error {
	if p.office.user != "" && !p.known {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	return nil
}

func (p *postman) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody here"}
	}
	p.to = to
	return nil
}

func (p *postman) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	p.office.mu.Lock()
	defer p.office.mu.Unlock()
	p.office.got = append(p.office.got, p.to+"\n"+string(content))
	return nil
}

func (p *postman) Reset()        {}
func (p *postman) Logout() error { return nil }

const mailFrom = "--mail-from=School <school@school.example>"

// TestALetterFromTheTerminal is sent at once, and the answer of the server is told in
// words; the password is told to nobody but the server.
func TestALetterFromTheTerminal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		p.must(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=admin", "--password-stdin")
		const word = "geheimnis-77"
		open, locked := openPostOffice(t, "", ""), openPostOffice(t, "post", word)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		deaf := l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Raw(t).ExecContext(t.Context(), "UPDATE mail_settings SET fault = 'port_closed'"); err != nil { // of the server that runs
			t.Fatal(err)
		}
		before := target.Dump(t)
		for name, c := range map[string]struct {
			args []string
			code int
			out  string
			err  string
		}{
			"taken":              {[]string{"--to=one@example.com", "--smtp-url=smtp://" + open.address, mailFrom}, 0, "the mail server has taken the letter to one@example.com\n", ""},
			"taken with a login": {[]string{"--to=two@example.com", "--smtp-url=smtp://post:" + word + "@" + locked.address, mailFrom}, 0, "the mail server has taken the letter to two@example.com\n", ""},
			"a closed port":      {[]string{"--to=one@example.com", "--smtp-url=smtp://post:" + word + "@" + deaf, mailFrom}, 1, "", "Nothing listens on this port. It is usually 587 or 465. (port_closed): "},
			"a refused login":    {[]string{"--to=one@example.com", "--smtp-url=smtp://other:" + word + "@" + locked.address, mailFrom}, 1, "", "The mail server refused the user or the password. (login_refused): 535 "},
			"a login forgotten":  {[]string{"--to=one@example.com", "--smtp-url=smtp://" + locked.address, mailFrom}, 1, "", "The mail server wants a user and a password. (login_needed): "},
			"a refused address":  {[]string{"--to=nobody@example.com", "--smtp-url=smtp://" + open.address, mailFrom}, 1, "", "The address was refused: there is probably a mistake in it. (recipient_refused): 550 5.1.1 nobody here"},
			"no server":          {[]string{"--to=one@example.com"}, 1, "", "no mail server is set up (mail_off)"},
			"no address":         {[]string{"--to=one", "--smtp-url=smtp://" + open.address, mailFrom}, 1, "", "to=email_invalid"},
			"no recipient":       {[]string{"--smtp-url=smtp://" + open.address, mailFrom}, 2, "", "--to"},
			"no sender":          {[]string{"--to=one@example.com", "--smtp-url=smtp://post:" + word + "@" + open.address}, 1, "", "--mail-from (TRIPWIRE_MAIL_FROM): \"\" is not an address like"},
			"no url":             {[]string{"--to=one@example.com", mailFrom}, 1, "", "--smtp-url (TRIPWIRE_SMTP_URL): "},
			"a wrong url":        {[]string{"--to=one@example.com", "--smtp-url=http://post:" + word + "@far.example", mailFrom}, 1, "", "--smtp-url (TRIPWIRE_SMTP_URL): mail: the server must be given as "},
			"an open password":   {[]string{"--to=one@example.com", "--smtp-url=smtp://post:" + word + "@far.example?tls=off", mailFrom}, 1, "", "a password is not sent unencrypted"},
			"another script":     {[]string{"--to=one@example.com", "--smtp-url=smtp://" + open.address, "--mail-from=школа@почта.рф"}, 1, "", "--mail-from (TRIPWIRE_MAIL_FROM): email_plain: the part before @ has letters that are not Latin"},
			"a wrong sender":     {[]string{"--to=one@example.com", "--smtp-url=smtp://" + open.address, "--mail-from=school"}, 1, "", "--mail-from (TRIPWIRE_MAIL_FROM): \"school\" is not an address like"},
		} {
			r := p.run(t, "", append([]string{"letters", "test"}, c.args...)...)
			if r.code != c.code || r.out != c.out || !strings.Contains(r.err, c.err) || c.err == "" && r.err != "" {
				t.Errorf("%s: exit %d, %q, %q", name, r.code, r.out, r.err)
			}
			if strings.Contains(r.out+r.err, word) {
				t.Errorf("%s prints the password: %s%s", name, r.out, r.err)
			}
		}
		for office, to := range map[*postOffice]string{open: "one@example.com", locked: "two@example.com"} {
			got := office.letters()
			if len(got) != 1 || !strings.HasPrefix(got[0], to+"\n") || !strings.Contains(got[0], "school@school.example") || !strings.Contains(got[0], "Message-ID:") {
				t.Errorf("the letters of the office are %q", got)
			}
		}
		after := target.Dump(t)
		for table := range after {
			if strings.Join(before[table], "\n") != strings.Join(after[table], "\n") {
				t.Errorf("a trial has changed %s", table)
			}
		}
	})
}

// atDesk makes letters as the panel and the worker do, beside the terminal.
func atDesk(t *testing.T, target storetest.Target, server *desk.FixedMail, fn func(*desk.Desk)) {
	t.Helper()
	key, err := secret.Read(target.Folder)
	if err != nil {
		t.Fatal(err)
	}
	s := target.Open(t)
	fn(desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0), Key: key, Mail: server}))
}

// TestLettersAtTheTerminal are listed with what became of them, tried again, and noted
// as come back.
func TestLettersAtTheTerminal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := at(target)
		p.must(t, "correct horse\n", "staff", "add", "--email=a@example.com", "--name=A", "--role=admin", "--password-stdin")
		server := &desk.FixedMail{Server: mail.Server{Host: "127.0.0.1", Port: 1, Security: mail.Plain}, From: mail.Address{Email: "school@school.example"}}
		outcomes := []error{
			nil, &mail.Fault{Stage: mail.StageRecipient, Code: 550, Words: "550 5.1.1 nobody here", Permanent: true},
			&mail.Fault{Stage: mail.StageRecipient, Code: 450, Words: "450 later"},
		}
		var ids []string
		var secrets []string
		atDesk(t, target, server, func(d *desk.Desk) {
			if err := d.PrepareSchool(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range 4 {
				c, err := d.CreateStudent(t.Context(), school.Terminal(), school.NewStudentForm{FullName: "S", Email: fmt.Sprintf("s%d@example.com", i), Access: "link"})
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, strings.TrimPrefix(c.Link, "/access/"))
				if i >= len(outcomes) {
					continue
				}
				o, err := d.ClaimLetter(t.Context(), "https://school.example", nil)
				if err == nil {
					err = d.SettleLetter(t.Context(), o, outcomes[i])
				}
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, o.Message.ID)
			}
		})
		var said strings.Builder
		must := func(stdin string, args ...string) string {
			t.Helper()
			out := p.must(t, stdin, append([]string{"letters"}, args...)...)
			said.WriteString(out)
			return out
		}
		fails := func(words string, args ...string) {
			t.Helper()
			r := p.run(t, "", append([]string{"letters"}, args...)...)
			if r.code == 0 || !strings.Contains(r.err, words) {
				t.Errorf("%q: exit %d, %s", args, r.code, r.err)
			}
			said.WriteString(r.out + r.err)
		}
		all := must("", "list")
		for i, want := range []string{`s0@example\.com +accepted`, `s1@example\.com +refused +550 5\.1\.1 nobody here`, `s2@example\.com +deferred +450 later`, `s3@example\.com +queued`} {
			if !regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\S+ +welcome +%s`, i+1, want)).MatchString(all) {
				t.Errorf("%s is not in\n%s", want, all)
			}
		}
		if lines := strings.Count(all, "\n"); lines != 4 {
			t.Errorf("%d lines", lines)
		}
		if out := must("", "list", "--limit=2"); strings.Count(out, "\n") != 2 || !strings.HasPrefix(out, "4 ") {
			t.Errorf("two of them:\n%s", out)
		}
		if out := must("", "list", "--state=deferred"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "3 ") {
			t.Errorf("the deferred one:\n%s", out)
		}
		fails("is not a state of letters", "list", "--state=lost")
		fails("say which letters", "retry")
		fails("letter 77: ", "retry", "77")
		fails("letter 1: ", "retry", "1") // it is sent
		if out := must("", "retry", "3"); out != "letter 3 will be tried now\n" {
			t.Errorf("retried: %s", out)
		}
		if out := must("", "retry", "--failed"); out != "letter 2 will be tried now\n" {
			t.Errorf("retried the failed: %s", out)
		}
		if out := must("", "list", "--state=queued"); strings.Count(out, "\n") != 3 {
			t.Errorf("queued:\n%s", out)
		}
		if out := must("", "retry", "--failed"); out != "" {
			t.Errorf("retried again: %s", out)
		}
		bounce := strings.ReplaceAll("From: MAILER-DAEMON@far.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=xx\n\n--xx\nContent-Type: message/delivery-status\n\n"+
			"Reporting-MTA: dns; far.example\n\nFinal-Recipient: rfc822; s0@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 gone since\n\n"+
			"--xx\nContent-Type: text/rfc822-headers\n\nMessage-ID: "+ids[0]+"\n\n--xx--\n", "\n", "\r\n")
		for _, want := range []string{"noted 1\n", "noted 0\n"} {
			if out := must(bounce, "bounce"); out != want {
				t.Errorf("bounce: %q, want %q", out, want)
			}
		}
		if out := must("", "list", "--state=bounced"); !strings.Contains(out, "550 5.1.1 gone since") {
			t.Errorf("came back:\n%s", out)
		}
		if r := p.run(t, "this is no mail", "letters", "bounce"); r.code != 1 || !strings.Contains(r.err, "bounce_invalid") {
			t.Errorf("nonsense: exit %d, %s", r.code, r.err)
		}
		for _, s := range secrets {
			if strings.Contains(said.String(), s) {
				t.Errorf("a link was printed:\n%s", said.String())
			}
		}
	})
}

// TestTheHelpOfLetters names what can be done.
func TestTheHelpOfLetters(t *testing.T) {
	t.Parallel()
	r := place{}.run(t, "", "letters", "--help")
	for _, word := range []string{"letters list", "letters retry", "letters test", "letters bounce", "--smtp-url", "--mail-from", "TRIPWIRE_SMTP_URL", "TRIPWIRE_MAIL_FROM"} {
		if r.code != 0 || !strings.Contains(r.out, word) {
			t.Errorf("exit %d, %s is not named:\n%s", r.code, word, r.out)
		}
	}
}
