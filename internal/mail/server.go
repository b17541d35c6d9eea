// Package mail is letters on their way: written, handed to an SMTP server, and
// sometimes returned.
package mail

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Security says how the connection to a mail server is encrypted.
type Security string

// The ways there are. There is none that encrypts only if the server happens to
// offer it: whoever sits between could take the offer away.
const (
	STARTTLS    Security = "starttls" // begins in plain text; without TLS nothing is said
	ImplicitTLS Security = "tls"      // TLS from the first byte
	Plain       Security = "none"     // for a server on this machine or in its own network
)

// Server is where letters are handed over. Check says whether it can be one.
type Server struct {
	Host     string // a name or an address, without brackets
	Port     int
	Security Security
	User     string // empty: no login
	Password string
}

// What is wrong with a Server, or with the address that it was to be read from.
var (
	ErrServerURL      = errors.New("mail: the server must be given as smtp://user:password@host:port or smtps://…; encode special characters of the password with %")
	ErrServerHost     = errors.New("mail: the server needs the name of a host")
	ErrServerPort     = errors.New("mail: the port of the server must be between 1 and 65535")
	ErrServerSecurity = errors.New("mail: the security of the server must be starttls, tls or none")
	ErrServerLogin    = errors.New("mail: the login of the server holds characters that cannot be sent")
	ErrOpenPassword   = errors.New("mail: a password is not sent unencrypted over a network; use TLS, or no login")
)

// ParseURL reads smtp://user:password@host:port or smtps://…, user and password
// percent-encoded. smtp demands STARTTLS and has port 587, smtps is TLS from the
// first byte and has port 465. On a loopback host smtp is plain, unless it says
// ?tls=starttls; elsewhere ?tls=off makes it plain, and is refused together with
// a user. Errors: those of Server; their text holds nothing of s, for it may be
// the password.
func ParseURL(s string) (Server, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Opaque != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return Server{}, ErrServerURL
	}
	server := Server{Host: u.Hostname(), User: u.User.Username()}
	server.Password, _ = u.User.Password()
	if err := server.readScheme(u); err != nil {
		return Server{}, err
	}
	if port := u.Port(); port != "" {
		if server.Port, err = strconv.Atoi(port); err != nil {
			return Server{}, ErrServerPort
		}
	}
	if err := server.Check(); err != nil {
		return Server{}, err
	}
	return server, nil
}

// readScheme reads what the address says about security, and the port that goes
// with it.
func (s *Server) readScheme(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	tls := query.Get("tls")
	switch {
	case err != nil, len(query) > 1, len(query) == 1 && !query.Has("tls"):
		return ErrServerURL
	case u.Scheme == "smtps" && tls == "":
		s.Security, s.Port = ImplicitTLS, 465
	case u.Scheme == "smtp" && (tls == "off" || tls == "" && loopback(s.Host)):
		s.Security, s.Port = Plain, 587
	case u.Scheme == "smtp" && (tls == "starttls" || tls == ""):
		s.Security, s.Port = STARTTLS, 587
	default:
		return ErrServerURL
	}
	return nil
}

// Check answers what is wrong with the server, one of the errors above, or nil.
func (s Server) Check() error {
	_, err := s.asciiHost()
	switch {
	case err != nil:
		return err
	case s.Port < 1 || s.Port > 65535:
		return ErrServerPort
	case s.Security != STARTTLS && s.Security != ImplicitTLS && s.Security != Plain:
		return ErrServerSecurity
	case strings.ContainsFunc(s.User+s.Password, unicode.IsControl), s.User == "" && s.Password != "":
		return ErrServerLogin
	case s.Security == Plain && s.User != "" && !loopback(s.Host):
		return ErrOpenPassword
	default:
		return nil
	}
}

// asciiHost is the host as name servers and certificates know it.
func (s Server) asciiHost() (string, error) {
	if _, err := netip.ParseAddr(s.Host); err == nil {
		return s.Host, nil
	}
	host, err := idna.Lookup.ToASCII(s.Host)
	if err != nil || host == "" || strings.ContainsAny(host, " /:@[]<>") {
		return "", ErrServerHost
	}
	return host, nil
}

// String answers the address without the password, for logs and the panel.
func (s Server) String() string {
	u := url.URL{Scheme: "smtp", Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}
	if s.User != "" {
		u.User = url.User(s.User)
	}
	switch {
	case s.Security == ImplicitTLS:
		u.Scheme = "smtps"
	case s.Security == Plain && !loopback(s.Host):
		u.RawQuery = "tls=off"
	case s.Security == STARTTLS && loopback(s.Host):
		u.RawQuery = "tls=starttls"
	}
	return u.String()
}

// GoString keeps the password out of %#v as String does out of the others.
func (s Server) GoString() string { return "mail.Server(" + s.String() + ")" }

// loopback: what is said to the host stays on this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
