package mail_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/emersion/go-smtp"
	"pgregory.net/rapid"

	"tripwire/internal/mail"
)

// parsed is what another program makes of what arrived.
type parsed struct {
	netmail.Header
	texts map[string]string // by media type
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func parse(t fataler, content string) parsed {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{m.Header, map[string]string{}}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "multipart/alternative" {
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		p.texts[kind] = string(body)
		return p
	}
	for parts := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := parts.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		kind, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || !strings.EqualFold(parameters["charset"], "utf-8") {
			t.Fatalf("a part of %q, %v", part.Header, err)
		}
		p.texts[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}

func (p parsed) address(t fataler, header string) netmail.Address {
	t.Helper()
	all, err := p.AddressList(header)
	if err != nil || len(all) != 1 {
		t.Fatalf("%s: %q: %v, %v", header, p.Get(header), all, err)
	}
	return *all[0]
}

func (p parsed) subject(t fataler) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(p.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestALetterArrives over every kind of connection, with a login and without.
func TestALetterArrives(t *testing.T) {
	t.Parallel()
	for _, security := range []mail.Security{mail.STARTTLS, mail.ImplicitTLS, mail.Plain} {
		for _, user := range []string{"", "post@school.example"} {
			o := &office{user: user}
			if user != "" {
				o.password = "п@роль: \"%\""
			}
			server := o.open(t, security)
			s := sender(t, server, mail.Options{HelloName: "school.example"})
			if err := s.Try(t.Context(), "school@school.example"); err != nil {
				t.Fatalf("%s, user %q: %v", security, user, err)
			}
			m := message()
			if err := s.Send(t.Context(), m); err != nil {
				t.Fatalf("%s, user %q: %v", security, user, err)
			}
			got := o.deliveries()
			if len(got) != 1 || got[0].from != "school@school.example" || got[0].to != "student@example.com" {
				t.Fatalf("%s, user %q: %d letters, %v", security, user, len(got), got)
			}
			if p := parse(t, got[0].content); p.texts["text/plain"] != m.Text || p.texts["text/html"] != m.HTML {
				t.Errorf("%s, user %q: %q", security, user, p.texts)
			}
		}
	}
}

// TestWhatStandsInALetter is read by another parser.
func TestWhatStandsInALetter(t *testing.T) {
	t.Parallel()
	o := &office{}
	s := sender(t, o.open(t, mail.Plain), mail.Options{})
	m := message()
	m.From = mail.Address{Name: `Школа "Қазақ тілі", ТОО <x>`, Email: "school@қазақ.kz"}
	m.To = mail.Address{Name: strings.Repeat("Әбдіғаппарұлы ", 10) + "Ө", Email: "student+one@пример.рф"}
	m.ReplyTo, m.Bounce = "help@school.example", "bounce+abc@school.example"
	m.Subject = "Сәлем 🎓 " + strings.Repeat("өте ұзын тақырып ", 11)
	m.Text = "Сәлем, Ә! 🎓\n.\n..\n" + strings.Repeat("ұ", 2000) + "\n= trailing \n"
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := o.deliveries()[0]
	if got.from != "bounce+abc@school.example" || got.to != "student+one@xn--e1afmkfd.xn--p1ai" {
		t.Errorf("envelope %q, %q", got.from, got.to)
	}
	for line := range strings.SplitSeq(got.content, "\r\n") {
		if len(line) > 78 || strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII || r == '\n' }) {
			t.Errorf("a line that not every server takes: %q", line)
		}
	}
	p := parse(t, got.content)
	for header, want := range map[string]string{
		"Message-Id": m.ID, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Content-Language": "ru",
		"Date": "Tue, 24 Nov 2026 12:30:00 +0500", "Mime-Version": "1.0", "X-Mailer": "", "User-Agent": "", "Cc": "", "Bcc": "",
		"Sender": "", "Received": "",
	} {
		if p.Get(header) != want || want != "" && len(p.Header[header]) != 1 {
			t.Errorf("%s: %q, want %q", header, p.Header[header], want)
		}
	}
	for header, want := range map[string]netmail.Address{
		"From":     {Name: m.From.Name, Address: "school@xn--80aau21bd.kz"},
		"To":       {Name: strings.TrimSpace(m.To.Name), Address: got.to},
		"Reply-To": {Address: m.ReplyTo},
	} {
		if got := p.address(t, header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if got := p.subject(t); got != strings.TrimSpace(m.Subject) {
		t.Errorf("subject %q", got)
	}
	if p.texts["text/plain"] != m.Text || p.texts["text/html"] != m.HTML || len(p.texts) != 2 {
		t.Errorf("parts %q", p.texts)
	}
}

// TestALetterIsTheSameAtEveryAttempt, to the octet: filters that count copies
// then count one.
func TestALetterIsTheSameAtEveryAttempt(t *testing.T) {
	t.Parallel()
	o := &office{}
	server := o.open(t, mail.Plain)
	for range 2 {
		if err := sender(t, server, mail.Options{}).Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
	}
	if got := o.deliveries(); got[0] != got[1] {
		t.Errorf("%s\n\nand then\n\n%s", got[0].content, got[1].content)
	}
}

func TestALetterWithoutHTMLIsPlainText(t *testing.T) {
	t.Parallel()
	o := &office{}
	m := message()
	m.HTML = ""
	if err := sender(t, o.open(t, mail.Plain), mail.Options{}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if p := parse(t, o.deliveries()[0].content); len(p.texts) != 1 || strings.TrimSpace(p.texts["text/plain"]) != strings.TrimSpace(m.Text) {
		t.Errorf("parts %q", p.texts)
	}
}

// TestNoTextBecomesAHeader: whatever stands in names and subject, the letter has
// the headers that it should have and says what was meant.
func TestNoTextBecomesAHeader(t *testing.T) {
	t.Parallel()
	o := &office{}
	s := sender(t, o.open(t, mail.Plain), mail.Options{})
	hostile := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"a\r\nBcc: victim@example.com", "\n\n<script>", "=?utf-8?q?=0D=0ABcc:_v?=", "\x00\x01", "a\u2028b\u0085c", "\xff\xfe", `"<>,;:\@()`,
		strings.Repeat("x", 300), strings.Repeat(" ", 90), "\r\n.\r\nMAIL FROM:<x@example.com>",
	}))
	rapid.Check(t, func(t *rapid.T) {
		m := message()
		m.From.Name, m.To.Name = hostile.Draw(t, "from"), hostile.Draw(t, "to")
		m.Subject, m.Language = "s"+hostile.Draw(t, "subject"), hostile.Draw(t, "language")
		if err := s.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		all := o.deliveries()
		p := parse(t, all[len(all)-1].content)
		for name := range p.Header {
			switch name {
			case "Message-Id", "Date", "From", "To", "Subject", "Mime-Version", "Content-Type", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language":
			default:
				t.Fatalf("header %s: %q", name, p.Header[name])
			}
		}
		if got, want := p.address(t, "To").Name, strings.ReplaceAll(line(m.To.Name), `\`, "/"); got != want {
			t.Fatalf("to %q, want %q", got, want)
		}
		p.address(t, "From")
		if got, want := p.subject(t), line(m.Subject); got != want {
			t.Fatalf("subject %q, want %q", got, want)
		}
		if len(p.texts) != 2 {
			t.Fatalf("parts %q", p.texts)
		}
	})
}

// line is what one line can say of a text.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "=?", "= ?")
}

// TestOneConnectionServesManyLetters, refused ones among them, and Close ends it.
func TestOneConnectionServesManyLetters(t *testing.T) {
	t.Parallel()
	o := &office{refuse: func(to string) error {
		if strings.HasPrefix(to, "nobody") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user"}
		}
		return nil
	}}
	s := sender(t, o.open(t, mail.STARTTLS), mail.Options{})
	for i := range 6 {
		m := message()
		if i%2 == 1 {
			m.To.Email = "nobody@example.com"
		}
		if err := s.Send(t.Context(), m); (err != nil) != (i%2 == 1) {
			t.Errorf("letter %d: %v", i, err)
		}
	}
	// NewSession is called again after STARTTLS, on the same connection.
	perConnection := o.visits()
	if len(o.deliveries()) != 3 || perConnection > 2 {
		t.Errorf("%d letters, %d greetings", len(o.deliveries()), perConnection)
	}
	s.Close()
	s.Close()
	if err := s.Send(t.Context(), message()); err != nil || o.visits() != 2*perConnection {
		t.Errorf("after Close: %v, %d greetings", err, o.visits())
	}
}

// TestAnAddressInAnotherScript needs a server that takes such; others on the same
// connection do not ask for it, and ours are never of that kind.
func TestAnAddressInAnotherScript(t *testing.T) {
	t.Parallel()
	const other = "иван@xn--e1afmkfd.xn--p1ai"
	to := func(address string) mail.Message {
		m := message()
		m.To = mail.Address{Name: "Иван", Email: address}
		return m
	}
	able, unable := &office{scripts: true}, &office{}
	s := sender(t, able.open(t, mail.STARTTLS), mail.Options{})
	for _, address := range []string{"a@example.com", other, "b@example.com"} {
		if err := s.Send(t.Context(), to(address)); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	got := able.deliveries()
	if len(got) != 3 || got[0].utf8 || !got[1].utf8 || got[2].utf8 || got[1].to != other || able.visits() > 2 { // NewSession is called again after STARTTLS
		t.Fatalf("%d greetings, %+v", able.visits(), got)
	}
	if a := parse(t, got[1].content).address(t, "To"); a != (netmail.Address{Name: "Иван", Address: other}) {
		t.Errorf("to %+v", a)
	}
	s = sender(t, unable.open(t, mail.Plain), mail.Options{})
	for _, address := range []string{"a@example.com", other, "b@example.com"} {
		var fault *mail.Fault
		switch err := s.Send(t.Context(), to(address)); {
		case address != other && err != nil:
			t.Errorf("%s: %v", address, err)
		case address == other && (!errors.As(err, &fault) || !fault.Permanent || fault.OfSetUp() || fault.Cause() != "recipient_script"):
			t.Errorf("%s: %v", address, err)
		}
	}
	if got := unable.deliveries(); len(got) != 2 || unable.visits() != 1 {
		t.Errorf("%d greetings, %+v", unable.visits(), got)
	}
	for _, change := range []func(*mail.Message){
		func(m *mail.Message) { m.From.Email = other }, func(m *mail.Message) { m.Bounce = other }, func(m *mail.Message) { m.ReplyTo = other },
	} {
		m := message()
		change(&m)
		if err := s.Send(t.Context(), m); err == nil {
			t.Errorf("sent %+v", m)
		}
	}
	if err := s.Try(t.Context(), other); err == nil {
		t.Error("tried for a sender in another script")
	}
}

// TestAConnectionThatWasClosedMeanwhile costs nothing and makes no second copy.
func TestAConnectionThatWasClosedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, afterwards := range map[string]func(*dialogue){
		"at once":             func(*dialogue) {},
		"with a farewell":     func(d *dialogue) { d.say("421 idle for too long") },
		"at the probe":        func(d *dialogue) { d.answer("421 closing") },
		"after the probe":     func(d *dialogue) { d.answer("250 flushed"); d.hear() },
		"421 after the probe": func(d *dialogue) { d.answer("250 flushed", "421 closing") },
		"probe unanswered":    func(d *dialogue) { d.silence() },
	} {
		taken := make(chan int, 10)
		server := script(t, func(d *dialogue) {
			d.greet()
			d.take()
			taken <- d.nth
			if d.nth == 1 {
				afterwards(d)
				return
			}
			d.answer("221 bye")
		})
		o := mail.Options{}
		if name == "probe unanswered" {
			o.Timeout = 4 * time.Second // of which the probe may take a quarter
		}
		s := sender(t, server, o)
		for i := range 2 {
			if err := s.Send(t.Context(), message()); err != nil {
				t.Errorf("%s: letter %d: %v", name, i+1, err)
			}
		}
		s.Close()
		if len(taken) != 2 || <-taken != 1 || <-taken != 2 {
			t.Errorf("%s: not one letter on each of two connections", name)
		}
	}
}

// TestALetterIsNotSentTwiceByItself: after DATA has begun, a dead connection ends
// the attempt even if it was a kept one.
func TestALetterIsNotSentTwiceByItself(t *testing.T) {
	t.Parallel()
	connections := make(chan int, 10)
	server := script(t, func(d *dialogue) {
		connections <- d.nth
		d.greet()
		d.take()
		d.answer("250 flushed", "250 sender", "250 recipient", "354 go on")
		d.hearLetter() // and no answer
	})
	s := sender(t, server, mail.Options{})
	if err := s.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	f := faultOf(t, s.Send(t.Context(), message()))
	if !f.Lost || f.Permanent || f.Stage != mail.StageContent || len(connections) != 1 {
		t.Errorf("%+v on %d connections", f, len(connections))
	}
}

// TestTheContextEndsALetter wherever it is, and both say so.
func TestTheContextEndsALetter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before int // answers of the server
		stage  mail.Stage
		lost   bool
	}{
		{1, mail.StageGreeting, false}, {2, mail.StageSender, false}, {3, mail.StageRecipient, false},
		{4, mail.StageContent, false}, {5, mail.StageContent, true},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		server := script(t, func(d *dialogue) {
			said := []string{"220 hello", "250 hello", "250 sender", "250 recipient", "354 go on"}
			for i, line := range said[:c.before] {
				if i > 0 {
					d.hear()
				}
				d.say(line)
			}
			if c.before == len(said) {
				d.hearLetter()
			} else {
				d.hear()
			}
			cancel()
			d.silence()
		})
		f := faultOf(t, sender(t, server, mail.Options{}).Send(ctx, message()))
		if f.Stage != c.stage || f.Lost != c.lost || f.Permanent || f.Cause() != "stopped" || !errors.Is(f, context.Canceled) {
			t.Errorf("after %d answers: %+v, %s", c.before, f, f.Cause())
		}
		cancel()
	}
}

// TestTryAsksAndSendsNothing.
func TestTryAsksAndSendsNothing(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	server := script(t, func(d *dialogue) {
		d.greet()
		for _, answer := range []string{"250 sender", "250 recipient", "250 flushed", "221 bye"} {
			heard <- d.hear()
			d.say(answer)
		}
	})
	if err := sender(t, server, mail.Options{}).Try(t.Context(), "School@School.example"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MAIL FROM:<school@school.example> BODY=8BITMIME", "RCPT TO:<school@school.example>", "RSET", "QUIT"} {
		if got := <-heard; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
}

// TestTryHearsWhatIsSaidLate: that the sender may not send, and not that it gets no
// mail.
func TestTryHearsWhatIsSaidLate(t *testing.T) {
	t.Parallel()
	for reply, cause := range map[string]string{
		"553 5.7.1 <school@school.example>: Sender address rejected: not owned by user x": "sender_refused",
		"550 5.4.5 Daily user sending limit exceeded":                                     "sending_limit",
		"550 5.1.1 no such user": "",
		"450 4.7.1 Greylisted":   "",
	} {
		server := script(t, func(d *dialogue) {
			d.greet("AUTH PLAIN")
			d.answer("235 in", "250 sender", reply, "250 flushed", "221 bye")
		})
		server.User, server.Password = "user", "secret"
		got := ""
		if fault, ok := errors.AsType[*mail.Fault](sender(t, server, mail.Options{}).Try(t.Context(), "school@school.example")); ok {
			got = fault.Cause()
		}
		if got != cause {
			t.Errorf("%s: %q, want %q", reply, got, cause)
		}
	}
}

// TestOtherLogins: LOGIN and CRAM-MD5 as a server sees them that offers no PLAIN.
func TestOtherLogins(t *testing.T) {
	t.Parallel()
	say := base64.StdEncoding.EncodeToString
	for offer, lines := range map[string][][2]string{
		"LOGIN": {{"AUTH LOGIN", "334 " + say([]byte("Username:"))}, {say([]byte("user")), "334 " + say([]byte("Password:"))}, {say([]byte("pass")), "235 in"}},
		// the digest is that of `printf '<1@far>' | openssl md5 -hmac pass`
		"CRAM-MD5": {{"AUTH CRAM-MD5", "334 " + say([]byte("<1@far>"))}, {say([]byte("user " + cramDigest)), "235 in"}},
	} {
		server := script(t, func(d *dialogue) {
			d.greet("AUTH XOAUTH2 " + offer)
			for _, l := range lines {
				if got := d.hear(); got != l[0] {
					d.say("535 not " + got)
					return
				}
				d.say(l[1])
			}
			d.take()
			d.answer("221 bye")
		})
		server.User, server.Password = "user", "pass"
		if err := sender(t, server, mail.Options{}).Send(t.Context(), message()); err != nil {
			t.Errorf("%s: %v", offer, err)
		}
	}
}

const cramDigest = "247b600193c0484e6a40733621b604ad"
