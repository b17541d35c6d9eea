package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
)

// databaseFlags say where the rows live. Every value is text, so that all faults
// are found and told at once.
type databaseFlags struct {
	Data        string `env:"TRIPWIRE_DATA" default:"data" placeholder:"FOLDER" help:"Folder of what people send, and of the SQLite database, tripwire.db."`
	DatabaseURL string `name:"database-url" env:"TRIPWIRE_DATABASE_URL" placeholder:"URL" help:"PostgreSQL address, postgres://…; empty: SQLite in the data folder."`
}

// desk answers the desk over an open store, with the key of the data folder. A
// database that has a key already is not given another: the folder may be the wrong
// one. Errors: desk.ErrOtherKey.
func (d databaseFlags) desk(ctx context.Context, s *store.Store, hashMemory int, m *desk.FixedMail) (*desk.Desk, error) {
	var known string
	err := s.Look(ctx, func(tx *store.Tx) (err error) {
		known, err = tx.FindFingerprint()
		return err
	})
	if err != nil {
		return nil, err
	}
	load := secret.Load
	if known != "" {
		load = secret.Read
	}
	key, err := load(d.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && known != "" && key.Fingerprint() != known:
		return nil, fmt.Errorf("--data (TRIPWIRE_DATA) %s: %w", d.Data, desk.ErrOtherKey)
	case err != nil:
		return nil, err
	}
	return desk.New(s, desk.Options{Hasher: password.NewHasher(hashMemory), Files: d.folder(), Key: key, Mail: m}), nil
}

// atDesk opens the desk for one command. There is no server to hash beside, so one
// hash may have what it needs.
func (d databaseFlags) atDesk(ctx context.Context, stdio IO, m mailFlags, fn func(*desk.Desk) error) error {
	var wrong faults
	options := d.options(&wrong, slog.New(slog.DiscardHandler))
	post := m.check(&wrong)
	wrong.checkEnvironment(stdio.Env)
	if err := wrong.err(); err != nil {
		return err
	}
	s, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	at, err := d.desk(ctx, s, password.DefaultMemoryMiB, post)
	if err == nil {
		err = fn(at)
	}
	return errors.Join(err, s.Close())
}

// folder is where what people send is kept, on either engine.
func (d databaseFlags) folder() *files.Folder {
	return files.NewFolder(filepath.Join(d.Data, "files"), files.DefaultFloor)
}

// serverFlags say how the desk is reached and what it may use.
type serverFlags struct {
	Addr           string `env:"TRIPWIRE_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on (${default})."`
	BaseURL        string `name:"base-url" env:"TRIPWIRE_BASE_URL" placeholder:"URL" help:"Address that people type, https://…; empty: http:// and the listening address."`
	TrustedProxies string `name:"trusted-proxies" env:"TRIPWIRE_TRUSTED_PROXIES" placeholder:"CIDR,…" help:"Proxies whose X-Forwarded-For is believed."`
	HashMemory     string `name:"hash-memory" env:"TRIPWIRE_HASH_MEMORY" default:"${hash_memory}" placeholder:"MIB" help:"Memory for hashing passwords, in MiB (${default})."`
	LogFormat      string `name:"log-format" env:"TRIPWIRE_LOG_FORMAT" default:"text" placeholder:"text|json" help:"Form of the log lines (${default})."`
}

// mailFlags say who takes the letters, in place of what the panel says.
type mailFlags struct {
	SMTPURL  string `name:"smtp-url" env:"TRIPWIRE_SMTP_URL" placeholder:"URL" help:"Mail server, smtp://user:password@host:port or smtps://…; empty: the one set up in the panel."`
	MailFrom string `name:"mail-from" env:"TRIPWIRE_MAIL_FROM" placeholder:"ADDRESS" help:"Sender of letters, address or Name <address>; needed with --smtp-url."`
}

// check answers nil where the panel decides.
func (m mailFlags) check(f *faults) *desk.FixedMail {
	if m.SMTPURL == "" && m.MailFrom == "" {
		return nil
	}
	server, err := mail.ParseURL(m.SMTPURL)
	if err != nil {
		f.add("--smtp-url (TRIPWIRE_SMTP_URL): %v", err) // which never repeats the password
	}
	from, err := netmail.ParseAddress(m.MailFrom)
	if err != nil {
		f.add("--mail-from (TRIPWIRE_MAIL_FROM): %q is not an address like school@example.com or School <school@example.com>", m.MailFrom)
		return nil
	}
	address, err := school.NewPlainEmail(from.Address)
	if err != nil {
		f.add("--mail-from (TRIPWIRE_MAIL_FROM): %v", err)
	}
	return &desk.FixedMail{Server: server, From: mail.Address{Name: from.Name, Email: string(address)}}
}

// faults collects everything that is wrong with the settings.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return errors.New("the settings are wrong:\n  " + strings.Join(f, "\n  "))
}

// known are the variables that mean something, for finding mistyped ones.
var known = map[string]bool{
	"TRIPWIRE_DATA": true, "TRIPWIRE_DATABASE_URL": true, "TRIPWIRE_ADDR": true, "TRIPWIRE_BASE_URL": true,
	"TRIPWIRE_SMTP_URL": true, "TRIPWIRE_MAIL_FROM": true,
	"TRIPWIRE_TRUSTED_PROXIES": true, "TRIPWIRE_HASH_MEMORY": true, "TRIPWIRE_LOG_FORMAT": true,
}

// checkEnvironment finds variables of ours that nobody reads.
func (f *faults) checkEnvironment(env []string) {
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "TRIPWIRE_") && !strings.HasPrefix(name, "TRIPWIRE_TEST_") && !known[name] {
			f.add("%s is not a setting; see tripwire serve --help", name)
		}
	}
}

// options checks where the rows live.
func (d databaseFlags) options(f *faults, log *slog.Logger) store.Options {
	o := store.Options{URL: d.DatabaseURL, File: filepath.Join(d.Data, "tripwire.db"), Log: log}
	if d.DatabaseURL != "" {
		if u, err := url.Parse(d.DatabaseURL); err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			f.add("--database-url (TRIPWIRE_DATABASE_URL) must be an address like postgres://user@host/name") // not repeated: it may hold a password
		}
		return o
	}
	if d.Data == "" {
		f.add("--data (TRIPWIRE_DATA) must name a folder")
	} else if info, err := os.Stat(d.Data); err == nil && !info.IsDir() {
		f.add("--data (TRIPWIRE_DATA): %s is not a folder", d.Data)
	}
	return o
}

// surroundings are the checked serverFlags.
type surroundings struct {
	addr       string
	baseURL    string
	proxies    []netip.Prefix
	hashMemory int
}

func (s serverFlags) check(f *faults) (out surroundings) {
	out.addr = s.Addr
	host, port, err := net.SplitHostPort(s.Addr)
	if n, numErr := strconv.Atoi(port); err != nil || numErr != nil || n < 0 || n > 65535 {
		f.add("--addr (TRIPWIRE_ADDR): %q is not host:port", s.Addr)
	}
	if out.baseURL = strings.TrimSuffix(s.BaseURL, "/"); out.baseURL == "" {
		out.baseURL = defaultBaseURL(host, port)
	} else if u, err := url.Parse(out.baseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		f.add("--base-url (TRIPWIRE_BASE_URL): %q is not an address like https://school.example", s.BaseURL)
	}
	if out.hashMemory, err = strconv.Atoi(s.HashMemory); err != nil || out.hashMemory < password.MinMemoryMiB || out.hashMemory > 65536 {
		f.add("--hash-memory (TRIPWIRE_HASH_MEMORY): %q is not a number of MiB from %d", s.HashMemory, password.MinMemoryMiB)
	}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		f.add("--log-format (TRIPWIRE_LOG_FORMAT): %q is not text or json", s.LogFormat)
	}
	out.proxies = proxies(s.TrustedProxies, f)
	return out
}

func defaultBaseURL(host, port string) string {
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func proxies(typed string, f *faults) []netip.Prefix {
	var all []netip.Prefix
	for _, part := range strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' }) {
		if addr, err := netip.ParseAddr(part); err == nil {
			all = append(all, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			f.add("--trusted-proxies (TRIPWIRE_TRUSTED_PROXIES): %q is neither an address nor a network", part)
			continue
		}
		all = append(all, prefix)
	}
	return all
}

// logger writes to the error stream, so that what a command prints stays clean.
func logger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
