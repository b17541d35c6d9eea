package worker_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
	"tripwire/internal/worker"
)

// patience is how long a test waits for what has to happen. Nothing is measured
// with it.
const patience = 60 * time.Second

// outbox is a school with a mail server to write by, and a clock that stands still
// until a test moves it.
type outbox struct {
	*desk.Desk
	target storetest.Target
	store  *store.Store
	raw    *sql.DB
	key    secret.Key
	at     *atomic.Pointer[time.Time]
	log    *lines
	admin  school.Actor
}

const (
	baseURL    = "https://school.example"
	schoolName = "Школа «Өрлеу»"
	ourAddress = "school@school.example"
)

func begin(t *testing.T, target storetest.Target, server mail.Server) *outbox {
	t.Helper()
	o := &outbox{target: target, key: secret.New(), at: &atomic.Pointer[time.Time]{}, log: &lines{}, raw: target.Raw(t)}
	now := time.Now().UTC().Truncate(time.Millisecond)
	o.at.Store(&now)
	o.store = o.process(t)
	o.Desk = o.by(o.store, server)
	if err := o.PrepareSchool(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := o.AddStaff(t.Context(), school.Terminal(), school.NewStaff{FullName: "Admin", Email: "admin@example.com", Role: "admin", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	o.admin = school.Actor{ID: a.ID, Role: a.Role, Name: a.FullName, Email: a.Email, Door: school.DoorPanel}
	return o
}

// process opens the database as another process does.
func (o *outbox) process(t *testing.T) *store.Store {
	t.Helper()
	return o.target.Open(t, func(s *store.Options) { s.Now = func() time.Time { return *o.at.Load() } })
}

// by is a desk whose process is told of the server.
func (o *outbox) by(s *store.Store, server mail.Server) *desk.Desk {
	return desk.New(s, desk.Options{
		Hasher: password.NewWeakHasher(), Files: files.NewFolder(o.target.Folder, 0), Key: o.key,
		Mail: &desk.FixedMail{Server: server, From: mail.Address{Name: schoolName, Email: ourAddress}},
	})
}

func (o *outbox) now() time.Time { return *o.at.Load() }

func (o *outbox) forward(d time.Duration) {
	now := o.now().Add(d)
	o.at.Store(&now)
}

// until moves the clock to a moment.
func (o *outbox) until(moment time.Time) { o.at.Store(&moment) }

func (o *outbox) student(t *testing.T, email, language string) school.UserID {
	t.Helper()
	c, err := o.CreateStudent(t.Context(), o.admin, school.NewStudentForm{FullName: "Әйгерім Test", Email: email, Access: "link", Language: language})
	if err != nil {
		t.Fatal(err)
	}
	return c.Student.ID
}

// only answers the one letter that there is to a person.
func (o *outbox) only(t *testing.T, id school.UserID) school.Letter {
	t.Helper()
	l, err := o.Letters(t.Context(), school.Terminal(), school.LetterFilter{User: id})
	if err != nil || len(l.Letters) != 1 {
		t.Fatalf("letters %+v, %v", l.Letters, err)
	}
	return l.Letters[0]
}

func (o *outbox) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := o.raw.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// works runs the back room until stop, which waits for its end.
func (o *outbox) works(t *testing.T, d *desk.Desk) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		worker.Run(ctx, d, worker.Options{Log: slog.New(slog.NewTextHandler(o.log, nil)), BaseURL: baseURL})
	})
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// eventually waits until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("it never came about: %s", what)
		}
	}
}

// lines is a log that keeps what was written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// authority signs the certificate of a far end.
type authority struct {
	certificate tls.Certificate
	pem         []byte
}

func newAuthority() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return authority{
		certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
}

// The system of these tests trusts one and knows nothing of the other.
var trusted, signed = newAuthority(), newAuthority()

// TestMain makes the roots of the system, which the sender goes by.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tripwire-roots-")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "roots.pem")
	for _, err := range []error{os.WriteFile(file, trusted.pem, 0o600), os.Setenv("SSL_CERT_FILE", file), os.Setenv("SSL_CERT_DIR", dir)} {
		if err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func listen(t *testing.T) (net.Listener, mail.Server) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: mail.Plain}
}

// closed is a port on which nobody listens.
func closed(t *testing.T) mail.Server {
	t.Helper()
	l, server := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return server
}

// office is a real SMTP server that keeps what it takes.
type office struct {
	hold func(to string) // before the answer to a letter; nil: at once
	// security is how it is spoken to, empty: in clear; else with the password alone.
	security mail.Security
	mu       sync.Mutex
	got      []delivery
}

type delivery struct {
	from    string
	to      []string
	content string
	sealed  bool   // it came by TLS
	by      string // who had logged in
}

// open starts the office and answers where it is.
func (o *office) open(t *testing.T) mail.Server {
	t.Helper()
	l, server := listen(t)
	s := smtp.NewServer(o)
	s.Domain, s.ErrorLog = "far.example", log.New(io.Discard, "", 0)
	if o.security != "" {
		server.Security, server.User, server.Password = o.security, "post", smtpPassword
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{trusted.certificate}}
	}
	if o.security == mail.ImplicitTLS {
		l = tls.NewListener(l, s.TLSConfig)
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
func (o *office) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, sealed := c.TLSConnectionState()
	return &clerk{office: o, sealed: sealed}, nil
}

func (o *office) deliveries() []delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]delivery(nil), o.got...)
}

// to answers what came for an address.
func (o *office) to(email string) (all []delivery) {
	for _, d := range o.deliveries() {
		if len(d.to) == 1 && d.to[0] == email {
			all = append(all, d)
		}
	}
	return all
}

type clerk struct {
	office *office
	sealed bool
	by     string
	now    delivery
}

func (c *clerk) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *clerk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, word string) error {
		if user != "post" || word != smtpPassword {
			return smtp.ErrAuthFailed
		}
		c.by = user
		return nil
	}), nil
}

func (c *clerk) Mail(from string, _ *smtp.MailOptions) error {
	if c.office.security != "" && c.by == "" {
		return smtp.ErrAuthRequired
	}
	c.now = delivery{from: from, sealed: c.sealed, by: c.by}
	return nil
}

func (c *clerk) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.now.to = append(c.now.to, to)
	return nil
}

func (c *clerk) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.now.content = string(content)
	c.office.mu.Lock()
	c.office.got = append(c.office.got, c.now)
	c.office.mu.Unlock()
	if c.office.hold != nil {
		c.office.hold(c.now.to[0])
	}
	return nil
}

func (c *clerk) Reset()        { c.now = delivery{} }
func (c *clerk) Logout() error { return nil }

// dialogue is the far end of one connection, for what no real server does.
type dialogue struct {
	net.Conn
	lines *bufio.Reader
	taken *[]string // whole letters
	mu    *sync.Mutex
}

func (d *dialogue) say(lines ...string) {
	_, _ = io.WriteString(d, strings.Join(lines, "\r\n")+"\r\n")
}

func (d *dialogue) hear() string {
	line, err := d.lines.ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimRight(line, "\r\n")
}

// greet says the first words and what else is offered.
func (d *dialogue) greet(offers ...string) {
	d.say("220 far.example ESMTP")
	d.hear()
	d.say("250-far.example")
	for _, offer := range offers {
		d.say("250-" + offer)
	}
	d.say("250 8BITMIME")
}

// answer hears a line and says something, for each.
func (d *dialogue) answer(lines ...string) {
	for _, line := range lines {
		if d.hear() == "" {
			return
		}
		d.say(line)
	}
}

// letter hears a letter to its full stop, and keeps it.
func (d *dialogue) letter() {
	var b strings.Builder
	for {
		line, err := d.lines.ReadString('\n')
		if err != nil {
			return
		}
		if line == ".\r\n" {
			d.mu.Lock()
			defer d.mu.Unlock()
			*d.taken = append(*d.taken, b.String())
			return
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// script is a server that says to each connection what it is told to; taken are the
// letters that it has heard to their end.
func script(t *testing.T, talk func(*dialogue)) (server mail.Server, taken func() []string) {
	t.Helper()
	l, server := listen(t)
	var letters []string
	var mu sync.Mutex
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				talk(&dialogue{Conn: conn, lines: bufio.NewReader(conn), taken: &letters, mu: &mu})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return server, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), letters...)
	}
}

// parsed is what another program makes of a letter.
type parsed struct {
	netmail.Header
	text, html string
}

func parse(t *testing.T, content string) (p parsed) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(content))
	if err != nil {
		t.Fatalf("%v\n%s", err, content)
	}
	p.Header = m.Header
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("a letter of %q, %v", kind, err)
	}
	for parts := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := parts.NextPart()
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
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "text/plain":
			p.text = strings.ReplaceAll(string(body), "\r\n", "\n")
		case "text/html":
			p.html = string(body)
		default:
			t.Fatalf("a part of %q", kind)
		}
	}
}

func (p parsed) subject(t *testing.T) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(p.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p parsed) address(t *testing.T, header string) netmail.Address {
	t.Helper()
	all, err := p.AddressList(header)
	if err != nil || len(all) != 1 {
		t.Fatalf("%s: %q: %v, %v", header, p.Get(header), all, err)
	}
	return *all[0]
}
