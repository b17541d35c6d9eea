package mail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"tripwire/internal/mail"
)

func faultOf(t testing.TB, err error) *mail.Fault {
	t.Helper()
	f, ok := errors.AsType[*mail.Fault](err)
	if !ok {
		t.Fatalf("no fault but %v", err)
	}
	if !slices.Contains(mail.Causes(), f.Cause()) || f.Words == "" || f.Error() == "" {
		t.Errorf("%+v: cause %q", f, f.Cause())
	}
	return f
}

// outcome is what is asked of a Fault.
type outcome struct {
	stage     mail.Stage
	code      int
	cause     string
	permanent bool
	lost      bool
}

func (o outcome) check(t *testing.T, name string, f *mail.Fault) {
	t.Helper()
	if got := (outcome{f.Stage, f.Code, f.Cause(), f.Permanent, f.Lost}); got != o {
		t.Errorf("%s: %+v, want %+v (%s)", name, got, o, f.Words)
	}
}

// drip sends a character now and then, so that no single read is idle for long.
func drip(d *dialogue) {
	for {
		if _, err := io.WriteString(d, "2"); err != nil {
			return
		}
		pause := time.NewTimer(5 * time.Millisecond)
		<-pause.C
	}
}

// TestWhatGoesWrong on the far end is told apart.
func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	starttls := func(s *mail.Server) { s.Security = mail.STARTTLS }
	implicit := func(s *mail.Server) { s.Security = mail.ImplicitTLS }
	login := func(s *mail.Server) { s.User, s.Password = "user", "secret" }
	upgrade := func(d *dialogue, c *tls.Config) {
		d.greet("STARTTLS")
		d.answer("220 go ahead")
		encrypted := tls.Server(d.Conn, c)
		_ = encrypted.Handshake()
		_, _ = io.Copy(io.Discard, encrypted)
	}
	for _, c := range []struct {
		name   string
		far    func(*dialogue)
		change func(*mail.Server)
		want   outcome
	}{
		{"greeting 4xx", func(d *dialogue) { d.say("421 too busy") }, nil, outcome{mail.StageGreeting, 421, "greeting_refused", false, false}},
		{"greeting 5xx", func(d *dialogue) { d.say("554 go away") }, nil, outcome{mail.StageGreeting, 554, "greeting_refused", false, false}},
		{"no greeting", func(*dialogue) {}, nil, outcome{mail.StageGreeting, 0, "connection_lost", false, false}},
		{"no SMTP", func(d *dialogue) { d.say("SSH-2.0-OpenSSH_9.9"); d.silence() }, nil, outcome{mail.StageGreeting, 0, "not_smtp", false, false}},
		{"HTTP", func(d *dialogue) { d.say("HTTP/1.1 400 Bad Request", "") }, nil, outcome{mail.StageGreeting, 0, "not_smtp", false, false}},
		{"a torrent", func(d *dialogue) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(d, strings.Repeat("x", 4096))
			}
		}, nil, outcome{mail.StageGreeting, 0, "not_smtp", false, false}},
		{"EHLO and HELO refused", func(d *dialogue) { d.say("220 x"); d.answer("554 who?", "550 who?") }, nil, outcome{mail.StageGreeting, 554, "greeting_refused", false, false}},
		{"no STARTTLS", func(d *dialogue) { d.greet(); d.silence() }, starttls, outcome{mail.StageTLS, 0, "no_tls", false, false}},
		{"STARTTLS not now", func(d *dialogue) { d.greet("STARTTLS"); d.answer("454 not now") }, starttls, outcome{mail.StageTLS, 454, "server_busy", false, false}},
		{"STARTTLS refused", func(d *dialogue) { d.greet("STARTTLS"); d.answer("501 no") }, starttls, outcome{mail.StageTLS, 501, "tls_failed", false, false}},
		{"plain after STARTTLS", func(d *dialogue) { d.greet("STARTTLS"); d.answer("220 go ahead", "250 hello"); d.silence() }, starttls, outcome{mail.StageTLS, 0, "no_tls", false, false}},
		{"closed after STARTTLS", func(d *dialogue) { d.greet("STARTTLS"); d.answer("220 go ahead"); d.hear() }, starttls, outcome{mail.StageTLS, 0, "connection_lost", false, false}},
		{"old TLS", func(d *dialogue) {
			c := ours().server()
			c.MaxVersion = tls.VersionTLS11
			upgrade(d, c)
		}, starttls, outcome{mail.StageTLS, 0, "tls_failed", false, false}},
		{"another's certificate", func(d *dialogue) { upgrade(d, others().server()) }, starttls, outcome{mail.StageTLS, 0, "certificate", false, false}},
		{"no TLS at all", func(d *dialogue) { d.say("220 hello"); d.silence() }, implicit, outcome{mail.StageTLS, 0, "no_tls", false, false}},
		{"no AUTH", func(d *dialogue) { d.greet(); d.silence() }, login, outcome{mail.StageLogin, 0, "no_login", false, false}},
		{"unknown AUTH", func(d *dialogue) { d.greet("AUTH XOAUTH2 GSSAPI"); d.silence() }, login, outcome{mail.StageLogin, 0, "no_login", false, false}},
		{"login refused", func(d *dialogue) { d.greet("AUTH PLAIN"); d.answer("535 5.7.8 wrong", "501 ?", "221 bye") }, login, outcome{mail.StageLogin, 535, "login_refused", false, false}},
		{"login not now", func(d *dialogue) { d.greet("AUTH PLAIN"); d.answer("454 later", "501 ?", "221 bye") }, login, outcome{mail.StageLogin, 454, "server_busy", false, false}},
		{"login without end", func(d *dialogue) { d.greet("AUTH PLAIN"); d.answer("334 ", "501 ?", "221 bye") }, login, outcome{mail.StageLogin, 0, "login_refused", false, false}},
		{"login demanded", func(d *dialogue) { d.greet(); d.answer("530 5.7.0 Authentication required") }, nil, outcome{mail.StageSender, 530, "login_needed", false, false}},
		{"TLS demanded", func(d *dialogue) { d.greet(); d.answer("530 5.7.0 Must issue a STARTTLS command first") }, nil, outcome{mail.StageSender, 530, "tls_needed", false, false}},
		{"sender refused", func(d *dialogue) { d.greet(); d.answer("550 5.7.1 not you") }, nil, outcome{mail.StageSender, 550, "sender_refused", false, false}},
		{"sender not now", func(d *dialogue) { d.greet(); d.answer("451 later") }, nil, outcome{mail.StageSender, 451, "server_busy", false, false}},
		{"421 amid", func(d *dialogue) { d.greet(); d.answer("421 closing") }, nil, outcome{mail.StageSender, 421, "server_busy", false, false}},
		{"sender in riddles", func(d *dialogue) { d.greet(); d.answer("354 what?") }, nil, outcome{mail.StageSender, 354, "not_smtp", false, false}},
		{"half an answer", func(d *dialogue) { d.greet(); d.answer("250 ok", "550-5.1.1 no such") }, nil, outcome{mail.StageRecipient, 0, "connection_lost", false, false}},
		{"recipient refused", func(d *dialogue) { d.greet(); d.answer("250 ok", "550-5.1.1 no\r\n550 5.1.1 such user") }, nil, outcome{mail.StageRecipient, 550, "recipient_refused", true, false}},
		{"greylisted", func(d *dialogue) { d.greet(); d.answer("250 ok", "451 4.7.1 Greylisted") }, nil, outcome{mail.StageRecipient, 451, "recipient_deferred", false, false}},
		{"relay refused to a stranger", func(d *dialogue) { d.greet(); d.answer("250 ok", "554 5.7.1 Relay access denied") }, nil, outcome{mail.StageRecipient, 554, "login_needed", false, false}},
		{"recipient refused to a friend", func(d *dialogue) { d.greet("AUTH PLAIN"); d.answer("235 in", "250 ok", "550 5.7.1 closed list") }, login, outcome{mail.StageRecipient, 550, "recipient_rejected", true, false}},
		{"recipient refused by a policy", func(d *dialogue) { d.greet(); d.answer("250 ok", "550 5.7.1 this list is closed") }, nil, outcome{mail.StageRecipient, 550, "recipient_rejected", true, false}},
		{"a full mailbox", func(d *dialogue) { d.greet(); d.answer("250 ok", "552 5.2.2 over quota") }, nil, outcome{mail.StageRecipient, 552, "recipient_rejected", true, false}},
		{"a refusal without a reason", func(d *dialogue) { d.greet(); d.answer("250 ok", "550 no") }, nil, outcome{mail.StageRecipient, 550, "recipient_refused", true, false}},
		{"sender refused late", func(d *dialogue) {
			d.greet("AUTH PLAIN")
			d.answer("235 in", "250 ok", "553 5.7.1 <school@school.example>: Sender address rejected: not owned by user x")
		}, login, outcome{mail.StageSender, 553, "sender_refused", false, false}},
		{"enough for a day", func(d *dialogue) {
			d.greet("AUTH PLAIN")
			d.answer("235 in", "250 ok", "550 5.4.5 Daily user sending limit exceeded")
		}, login, outcome{mail.StageRecipient, 550, "sending_limit", false, false}},
		{"sender refused at last", func(d *dialogue) {
			d.greet("AUTH PLAIN")
			d.answer("235 in", "250 ok", "250 ok", "354 go")
			d.hearLetter()
			d.say("550 5.7.60 SMTP; Client does not have permissions to send as this sender")
		}, login, outcome{mail.StageSender, 550, "sender_refused", false, false}},
		{"login demanded late", func(d *dialogue) { d.greet(); d.answer("250 ok", "530 Authentication required") }, nil, outcome{mail.StageRecipient, 530, "login_needed", false, false}},
		{"DATA refused", func(d *dialogue) { d.greet(); d.answer("250 ok", "250 ok", "554 no") }, nil, outcome{mail.StageContent, 554, "content_refused", true, false}},
		{"content refused", func(d *dialogue) {
			d.greet()
			d.answer("250 ok", "250 ok", "354 go")
			d.hearLetter()
			d.say("554 5.7.1 spam")
		}, nil, outcome{mail.StageContent, 554, "content_refused", true, false}},
		{"recipient refused at last", func(d *dialogue) {
			d.greet()
			d.answer("250 ok", "250 ok", "354 go")
			d.hearLetter()
			d.say("550 5.1.10 RESOLVER.ADR.RecipientNotFound")
		}, nil, outcome{mail.StageRecipient, 550, "recipient_refused", true, false}},
		{"content not now", func(d *dialogue) {
			d.greet()
			d.answer("250 ok", "250 ok", "354 go")
			d.hearLetter()
			d.say("452 full")
		}, nil, outcome{mail.StageContent, 452, "server_busy", false, false}},
		{"dropped before DATA", func(d *dialogue) { d.greet(); d.answer("250 ok", "250 ok"); d.hear() }, nil, outcome{mail.StageContent, 0, "connection_lost", false, false}},
		{"the answer is lost", func(d *dialogue) { d.greet(); d.answer("250 ok", "250 ok", "354 go"); d.hearLetter() }, nil, outcome{mail.StageContent, 0, "connection_lost", false, true}},
		{"the answer is garbage", func(d *dialogue) { d.greet(); d.answer("250 ok", "250 ok", "354 go"); d.hearLetter(); d.say("oops") }, nil, outcome{mail.StageContent, 0, "not_smtp", false, true}},
	} {
		server := script(t, c.far)
		if c.change != nil {
			c.change(&server)
		}
		s := sender(t, server, mail.Options{})
		c.want.check(t, c.name, faultOf(t, s.Send(t.Context(), message())))
	}
}

// TestAYesInOtherWordsIsAYes: RFC 5321 §4.2.
func TestAYesInOtherWordsIsAYes(t *testing.T) {
	t.Parallel()
	server := script(t, func(d *dialogue) {
		d.greet()
		d.answer("252 perhaps", "251 forwarded", "354 go on")
		d.hearLetter()
		d.say("200 why not")
		d.answer("221 bye")
	})
	if err := sender(t, server, mail.Options{}).Send(t.Context(), message()); err != nil {
		t.Error(err)
	}
}

// TestATarpitIsLeft at the end of Timeout, wherever it begins to drip.
func TestATarpitIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		far  func(*dialogue)
		want outcome
	}{
		"no word":  {func(d *dialogue) { d.silence() }, outcome{mail.StageGreeting, 0, "silent", false, false}},
		"greeting": {drip, outcome{mail.StageGreeting, 0, "timeout", false, false}},
		"sender":   {func(d *dialogue) { d.greet(); d.hear(); drip(d) }, outcome{mail.StageSender, 0, "timeout", false, false}},
		"silent":   {func(d *dialogue) { d.greet(); d.silence() }, outcome{mail.StageSender, 0, "timeout", false, false}},
		"content": {func(d *dialogue) { d.greet(); d.answer("250 ok", "250 ok", "354 go"); d.hearLetter(); drip(d) },
			outcome{mail.StageContent, 0, "timeout", false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sender(t, script(t, c.far), mail.Options{Timeout: 2 * time.Second})
			f := faultOf(t, s.Send(t.Context(), message()))
			c.want.check(t, name, f)
			if !errors.Is(f, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, f.Err)
			}
		})
	}
}

// TestNobodyIsThere: no name, a closed port, a certificate of unknown origin.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	l, closed := listen(t)
	_ = l.Close()
	untrusted := (&office{}).open(t, mail.ImplicitTLS)
	for _, c := range []struct {
		name   string
		server mail.Server
		o      mail.Options
		want   outcome
	}{
		{"a name of a network that DNS does not serve", mail.Server{Host: "mail.onion", Port: 25, Security: mail.Plain}, mail.Options{}, outcome{mail.StageResolve, 0, "name_not_found", false, false}},
		{"a closed port", closed, mail.Options{}, outcome{mail.StageConnect, 0, "port_closed", false, false}},
		{"an unknown authority", untrusted, mail.Options{TLS: &tls.Config{}}, outcome{mail.StageTLS, 0, "certificate_unknown", false, false}},
		{"no host", mail.Server{Port: 25, Security: mail.Plain}, mail.Options{}, outcome{mail.StageConnect, 0, "setup_invalid", false, false}},
		{"an open password", mail.Server{Host: "mail.example.com", Port: 25, Security: mail.Plain, User: "u"}, mail.Options{}, outcome{mail.StageConnect, 0, "setup_invalid", false, false}},
	} {
		s := sender(t, c.server, c.o)
		c.want.check(t, c.name, faultOf(t, s.Send(t.Context(), message())))
		c.want.check(t, c.name+", tried", faultOf(t, s.Try(t.Context(), "school@school.example")))
	}
}

func TestTheRealServerRefusesTheLogin(t *testing.T) {
	t.Parallel()
	o := &office{user: "user", password: "right"}
	server := o.open(t, mail.STARTTLS)
	server.Password = "wrong-and-secret"
	f := faultOf(t, sender(t, server, mail.Options{}).Send(t.Context(), message()))
	outcome{mail.StageLogin, 535, "login_refused", false, false}.check(t, "wrong password", f)
	if strings.Contains(f.Error(), "secret") {
		t.Error(f)
	}
	server.User, server.Password = "", ""
	outcome{mail.StageSender, 530, "login_needed", false, false}.check(t, "no login", faultOf(t, sender(t, server, mail.Options{}).Try(t.Context(), "a@school.example")))
}

// TestALetterThatCannotBeSent is refused before a server hears of it.
func TestALetterThatCannotBeSent(t *testing.T) {
	t.Parallel()
	s := sender(t, mail.Server{Host: "mail.onion", Port: 25, Security: mail.Plain}, mail.Options{})
	for name, c := range map[string]struct {
		change func(*mail.Message)
		want   outcome
	}{
		"no recipient":      {func(m *mail.Message) { m.To.Email = "" }, outcome{mail.StageRecipient, 0, "recipient_refused", true, false}},
		"two recipients":    {func(m *mail.Message) { m.To.Email = "a@example.com, b@example.com" }, outcome{mail.StageRecipient, 0, "recipient_refused", true, false}},
		"an SMTP command":   {func(m *mail.Message) { m.To.Email = "a@example.com>\r\nDATA" }, outcome{mail.StageRecipient, 0, "recipient_refused", true, false}},
		"no sender":         {func(m *mail.Message) { m.From.Email = "" }, outcome{mail.StageSender, 0, "sender_refused", false, false}},
		"no bounce address": {func(m *mail.Message) { m.Bounce = "x" }, outcome{mail.StageSender, 0, "sender_refused", false, false}},
		"no reply address":  {func(m *mail.Message) { m.ReplyTo = "x" }, outcome{mail.StageSender, 0, "sender_refused", false, false}},
		"a bare id":         {func(m *mail.Message) { m.ID = "1@example.com" }, outcome{mail.StageContent, 0, "content_refused", true, false}},
		"an id of lines":    {func(m *mail.Message) { m.ID = "<1@example.com\r\nBcc: x>" }, outcome{mail.StageContent, 0, "content_refused", true, false}},
		"no text":           {func(m *mail.Message) { m.Text = " \n" }, outcome{mail.StageContent, 0, "content_refused", true, false}},
		"no time":           {func(m *mail.Message) { m.At = time.Time{} }, outcome{mail.StageContent, 0, "content_refused", true, false}},
	} {
		m := message()
		c.change(&m)
		c.want.check(t, name, faultOf(t, s.Send(t.Context(), m)))
	}
}

func TestCauses(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, c := range []struct {
		fault mail.Fault
		want  string
	}{
		{mail.Fault{Stage: mail.StageResolve, Err: &net.DNSError{IsNotFound: true}}, "name_not_found"},
		{mail.Fault{Stage: mail.StageResolve, Err: &net.DNSError{IsTimeout: true}}, "timeout"},
		{mail.Fault{Stage: mail.StageConnect, Err: syscall.ECONNREFUSED}, "port_closed"},
		{mail.Fault{Stage: mail.StageConnect, Err: context.DeadlineExceeded}, "port_blocked"},
		{mail.Fault{Stage: mail.StageConnect, Err: syscall.ETIMEDOUT}, "port_blocked"},
		{mail.Fault{Stage: mail.StageConnect, Err: syscall.ENETUNREACH}, "unreachable"},
		{mail.Fault{Stage: mail.StageGreeting, Err: textproto.ProtocolError("short")}, "not_smtp"},
		{mail.Fault{Stage: mail.StageGreeting, Err: io.EOF}, "connection_lost"},
		{mail.Fault{Stage: mail.StageGreeting, Err: os.ErrDeadlineExceeded}, "timeout"},
		{mail.Fault{Stage: mail.StageTLS, Err: &tls.CertificateVerificationError{}}, "certificate"},
		{mail.Fault{Stage: mail.StageTLS, Err: &net.OpError{Op: "remote error", Err: errors.New("tls: alert")}}, "tls_failed"},
		{mail.Fault{Stage: mail.StageTLS, Err: reset}, "connection_lost"},
		{mail.Fault{Stage: mail.StageLogin, Code: 535}, "login_refused"},
		{mail.Fault{Stage: mail.StageSender, Code: 553}, "sender_refused"},
		{mail.Fault{Stage: mail.StageRecipient, Code: 421}, "recipient_deferred"},
		{mail.Fault{Stage: mail.StageContent, Code: 552}, "content_refused"},
		{mail.Fault{Stage: mail.StageContent, Err: reset}, "connection_lost"},
		{mail.Fault{}, "connection_lost"},
	} {
		if got := c.fault.Cause(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.fault, got, c.want)
		}
	}
}

// TestTheServersWordsAreTamed: one clean line of bounded length.
func TestTheServersWordsAreTamed(t *testing.T) {
	t.Parallel()
	server := script(t, func(d *dialogue) {
		d.greet()
		d.answer("550-5.1.1 one\x1b[31m\xff\r\n550 " + strings.Repeat("ұ", 900))
	})
	f := faultOf(t, sender(t, server, mail.Options{}).Send(t.Context(), message()))
	if !strings.HasPrefix(f.Words, "550 5.1.1 one [31m\ufffd ұұ") || utf8.RuneCountInString(f.Words) != 500 || !utf8.ValidString(f.Words) {
		t.Errorf("%q", f.Words)
	}
}
