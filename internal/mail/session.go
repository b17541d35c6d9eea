package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// session is one connection that is greeted, encrypted and logged in.
//
// It stands on the SMTP client of go-mail's inner package. The library's outer
// client renews its deadline at every command, so that a server which answers a
// letter a minute holds it for ever; it does not tell the stages of connecting
// apart; and it says of a lost answer only that closing failed.
type session struct {
	wire   *wire
	client *smtp.Client
}

// maxChatter is how much a server may say about one letter, in octets: an honest
// one says a few hundred.
const maxChatter = 1 << 20

// wire is the connection with a bound on what the far end may make us remember.
type wire struct {
	net.Conn
	left int
	new  bool // the next octet is the first of a greeting, in plain text
}

// Read is called by net/textproto, which reads a line to its end however far
// that is, and takes SSH- for the beginning of a reply of many lines.
func (w *wire) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errChatter
	}
	n, err := w.Conn.Read(p[:min(len(p), w.left)])
	w.left -= n
	if w.new && n > 0 && (p[0] < '0' || p[0] > '9') {
		return 0, errNotSMTP
	}
	w.new = w.new && n == 0
	return n, err
}

// guard closes the connection when the context ends, which ends any read or write
// amid it: no deadline that has to be renewed. The answer ends the guard.
func (w *wire) guard(ctx context.Context) (done func() bool) {
	return context.AfterFunc(ctx, func() { _ = w.Close() })
}

// open answers a connection on which letters can be handed over, or a *Fault.
func (s *Sender) open(ctx context.Context) (*session, error) {
	if err := s.server.Check(); err != nil {
		return nil, s.fault(ctx, StageConnect, err)
	}
	host, err := s.server.asciiHost()
	if err != nil {
		return nil, s.fault(ctx, StageConnect, err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(s.server.Port)))
	if err != nil {
		return nil, s.fault(ctx, StageConnect, err)
	}
	w := &wire{Conn: conn, left: maxChatter, new: s.server.Security != ImplicitTLS}
	defer w.guard(ctx)()
	client, fault := s.greet(ctx, w, host)
	if fault != nil {
		_ = w.Close()
		return nil, fault
	}
	return &session{wire: w, client: client}, nil
}

// greet leads a new connection to where a letter can follow.
func (s *Sender) greet(ctx context.Context, w *wire, host string) (*smtp.Client, *Fault) {
	secrecy := s.tls(host)
	var conn net.Conn = w
	if s.server.Security == ImplicitTLS {
		encrypted := tls.Client(w, secrecy)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, s.fault(ctx, StageTLS, err)
		}
		conn = encrypted
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		if w.new {
			err = errors.Join(errSilent, err)
		}
		return nil, s.fault(ctx, StageGreeting, err)
	}
	if err := c.Hello(s.options.HelloName); err != nil {
		return nil, s.fault(ctx, StageGreeting, err)
	}
	if s.server.Security == STARTTLS {
		if offered, _ := c.Extension("STARTTLS"); !offered {
			return nil, s.fault(ctx, StageTLS, errNoSTARTTLS)
		}
		if err := c.StartTLS(secrecy); err != nil {
			return nil, s.fault(ctx, StageTLS, err)
		}
	}
	if err := s.login(c, host); err != nil {
		return nil, s.fault(ctx, StageLogin, err)
	}
	return c, nil
}

// tls is the configuration for the host, whose name the certificate must bear.
func (s *Sender) tls(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.options.TLS != nil {
		c = s.options.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

func (s *Sender) login(c *smtp.Client, host string) error {
	if s.server.User == "" {
		return nil
	}
	_, offers := c.Extension("AUTH")
	mechanism := s.mechanism(strings.Fields(strings.ToUpper(offers)), host)
	if mechanism == nil {
		return errNoLogin
	}
	return c.Auth(mechanism)
}

// mechanism answers the first that the server knows; nil when it knows none. The
// simple ones come first, for their password goes through TLS or stays on this
// machine (Server.Check), and it is they that every server gets right.
func (s *Sender) mechanism(offers []string, host string) smtp.Auth {
	user, password := s.server.User, s.server.Password
	switch {
	case slices.Contains(offers, "PLAIN"):
		return smtp.PlainAuth("", user, password, host, true)
	case slices.Contains(offers, "LOGIN"):
		return smtp.LoginAuth(user, password, host, true)
	case slices.Contains(offers, "CRAM-MD5"):
		return smtp.CRAMMD5Auth(user, password)
	default:
		return nil
	}
}

// accepted forgives a yes in other words: the client wants exactly 250 where
// RFC 5321 §4.2 lets every 2xx mean yes.
func accepted(err error) error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok && reply.Code/100 == 2 {
		return nil
	}
	return err
}

// close ends the connection, politely if the server still listens within the
// context.
func (c *session) close(ctx context.Context) {
	defer c.wire.guard(ctx)()
	_ = c.client.Quit()
	_ = c.wire.Close()
}
