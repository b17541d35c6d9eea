package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"tripwire/internal/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority signs the certificates of the far ends.
type authority struct {
	certificate tls.Certificate
	roots       *x509.CertPool
}

// certify makes a certificate for one host that its own roots trust.
func certify(host string) func() authority {
	return sync.OnceValue(func() authority {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = []net.IP{ip}
		} else {
			c.DNSNames = []string{host}
		}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			panic(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(parsed)
		return authority{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots}
	})
}

var ours, others = certify("127.0.0.1"), certify("mail.elsewhere.example")

func (a authority) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.certificate}}
}

func (a authority) client() *tls.Config { return &tls.Config{RootCAs: a.roots} }

func listen(t testing.TB) (net.Listener, mail.Server) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: mail.Plain}
}

// office is a real SMTP server that keeps what it gets.
type office struct {
	user, password string                // empty: it asks for none
	scripts        bool                  // it takes addresses in other scripts
	refuse         func(to string) error // nil: nobody
	mu             sync.Mutex
	connections    int
	got            []delivery
}

type delivery struct {
	from, to, content string
	utf8              bool // it was announced as one with addresses in other scripts
}

func (o *office) deliveries() []delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]delivery(nil), o.got...)
}

func (o *office) visits() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.connections
}

// open starts the office and answers where it is.
func (o *office) open(t testing.TB, security mail.Security) mail.Server {
	t.Helper()
	l, server := listen(t)
	server.Security, server.User, server.Password = security, o.user, o.password
	s := smtp.NewServer(o)
	s.Domain, s.ErrorLog, s.AllowInsecureAuth = "far.example", log.New(io.Discard, "", 0), true
	s.EnableSMTPUTF8 = o.scripts
	switch security {
	case mail.STARTTLS:
		s.TLSConfig = ours().server()
	case mail.Plain:
	case mail.ImplicitTLS:
		l = tls.NewListener(l, ours().server())
	}
	var running sync.WaitGroup
	running.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		running.Wait()
	})
	return server
}

// NewSession is called for each connection.
func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.connections++
	return &clerk{office: o, known: o.user == ""}, nil
}

type clerk struct {
	office *office
	known  bool
	now    delivery
}

func (c *clerk) AuthMechanisms() []string {
	if c.office.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (c *clerk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != c.office.user || password != c.office.password {
			return smtp.ErrAuthFailed
		}
		c.known = true
		return nil
	}), nil
}

func (c *clerk) Mail(from string, o *smtp.MailOptions) error {
	if !c.known {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	c.now = delivery{from: from, utf8: o.UTF8}
	return nil
}

func (c *clerk) Rcpt(to string, _ *smtp.RcptOptions) error {
	if c.now.to != "" {
		return errors.New("a second recipient")
	}
	c.now.to = to
	if c.office.refuse != nil {
		return c.office.refuse(to)
	}
	return nil
}

func (c *clerk) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.now.content = string(content)
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	c.office.got = append(c.office.got, c.now)
	return nil
}

func (c *clerk) Reset()        { c.now = delivery{} }
func (c *clerk) Logout() error { return nil }

// dialogue is the far end of one connection, for what no real server does.
type dialogue struct {
	net.Conn
	lines *bufio.Reader
	nth   int // of the connections, from 1
}

// say sends whole lines.
func (d *dialogue) say(lines ...string) {
	_, _ = io.WriteString(d, strings.Join(lines, "\r\n")+"\r\n")
}

// hear answers the next line; empty when there is none.
func (d *dialogue) hear() string {
	line, err := d.lines.ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimRight(line, "\r\n")
}

// hearLetter answers everything to the full stop; false when it did not come.
func (d *dialogue) hearLetter() bool {
	for {
		switch line := d.hear(); line {
		case ".":
			return true
		case "":
			if _, err := d.lines.Peek(1); err != nil {
				return false
			}
		}
	}
}

// greet says the first words and what else is offered.
func (d *dialogue) greet(offers ...string) {
	d.say("220 far.example ESMTP")
	d.hear()
	d.hello(offers...)
}

func (d *dialogue) hello(offers ...string) {
	lines := []string{"250-far.example"}
	for _, offer := range offers {
		lines = append(lines, "250-"+offer)
	}
	d.say(append(lines, "250 8BITMIME")...)
}

// answer hears a line and says something for each.
func (d *dialogue) answer(lines ...string) {
	for _, line := range lines {
		if d.hear() == "" {
			return
		}
		d.say(line)
	}
}

// take accepts one letter.
func (d *dialogue) take() {
	d.answer("250 sender", "250 recipient", "354 go on")
	if d.hearLetter() {
		d.say("250 taken")
	}
}

// silence says nothing until the near end has gone.
func (d *dialogue) silence() { _, _ = io.Copy(io.Discard, d.lines) }

// script is a server that says what it is told to, to each connection.
func script(t testing.TB, talk func(*dialogue)) mail.Server {
	t.Helper()
	l, server := listen(t)
	var running sync.WaitGroup
	running.Go(func() {
		for nth := 1; ; nth++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				talk(&dialogue{Conn: conn, lines: bufio.NewReader(conn), nth: nth})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return server
}

func sender(t testing.TB, s mail.Server, o mail.Options) *mail.Sender {
	t.Helper()
	if o.TLS == nil {
		o.TLS = ours().client()
	}
	m := mail.NewSender(s, o)
	t.Cleanup(m.Close)
	return m
}

func message() mail.Message {
	return mail.Message{
		ID: "<0198f0c4-7d55-7f6a-9b1e-0a6d9c1c2b3a@school.example>", From: mail.Address{Name: "Школа", Email: "school@school.example"},
		To: mail.Address{Name: "Әйгерім", Email: "student@example.com"}, Subject: "Доступ открыт", Text: "Сәлем!\n", HTML: "<p>Сәлем!</p>",
		Language: "ru", At: time.Date(2026, 11, 24, 12, 30, 0, 0, time.FixedZone("", 5*3600)),
	}
}
