package school

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// Email is a normalised address: trimmed, lower case, NFC, the domain in its
// ASCII (IDNA) form, what stands before it perhaps in another script. Plus-addresses are kept: they are different mailboxes to
// the sender.
type Email string

// Limits of RFC 5321 §4.5.3.1, in octets.
const (
	maxEmail      = 254
	maxEmailLocal = 64
)

// NewEmail normalises and validates an address as typed: a dot-atom before the @
// (RFC 5322 §3.4.1) and a domain of at least two labels. Before the @ are letters of
// another script than the Latin (RFC 6531) only where the domain is of that script and
// its last label is known, so that a keyboard layout left on, or one Cyrillic letter amid
// Latin ones, is told. Errors: Invalid, code email_*.
func NewEmail(typed string) (Email, error) {
	s := strings.TrimFunc(norm.NFC.String(typed), invisible)
	if s == "" {
		return "", ErrEmailRequired
	}
	if !utf8.ValidString(s) {
		return "", ErrEmailInvalid
	}
	if len(s) > 4*maxEmail {
		return "", ErrEmailTooLong
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 {
		return "", ErrEmailInvalid
	}
	// A domain that is none has no script: what is wrong before it is told first.
	domain, domainErr := emailDomain(s[at+1:])
	local, err := emailLocal(s[:at], scriptsOf(domain))
	if err = cmp.Or(err, domainErr); err != nil {
		return "", err
	}
	if len(local)+1+len(domain) > maxEmail {
		return "", ErrEmailTooLong
	}
	return Email(local + "@" + domain), nil
}

// Domain answers what stands behind the @.
func (e Email) Domain() string {
	_, domain, _ := strings.Cut(string(e), "@")
	return domain
}

// NewPlainEmail is NewEmail for addresses of the school's own, to which every mail server
// has to be able to answer. Errors: also Invalid email_plain.
func NewPlainEmail(typed string) (Email, error) {
	e, err := NewEmail(typed)
	if err == nil && !e.Plain() {
		return "", ErrEmailPlain
	}
	return e, err
}

// Plain reports whether every mail server can deliver there: those of an address in
// another script need SMTPUTF8.
func (e Email) Plain() bool { return ascii(string(e)) }

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// Written answers the address as people write it: a domain of another script in that
// script.
func (e Email) Written() string {
	local, domain, _ := strings.Cut(string(e), "@")
	if shown, err := idna.Display.ToUnicode(domain); err == nil {
		domain = shown
	}
	return local + "@" + domain
}

// emailLocal judges what stands before the @, in ASCII or in the scripts of the domain.
func emailLocal(s string, scripts []*unicode.RangeTable) (string, error) {
	if len(s) > maxEmailLocal {
		return "", ErrEmailTooLong
	}
	ofDomain := func(r rune) bool { return unicode.IsOneOf(scripts, r) }
	if strings.ContainsFunc(s, func(r rune) bool { return !atext(r) && r != '.' && !unicode.IsLetter(r) && !ofDomain(r) }) {
		return "", ErrEmailInvalid
	}
	if !ascii(s) && strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && !ofDomain(r) }) {
		return "", ErrEmailNotLatin
	}
	if strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
		return "", ErrEmailInvalid
	}
	return norm.NFC.String(strings.ToLower(s)), nil
}

// scriptsOf answers the scripts beside the Latin in which an ASCII domain is written;
// none where nobody has registered its last label.
func scriptsOf(domain string) (scripts []*unicode.RangeTable) {
	if _, known := publicsuffix.PublicSuffix(domain); !known {
		return nil
	}
	written, err := idna.Display.ToUnicode(domain)
	if err != nil || ascii(written) {
		return nil
	}
	for name, script := range unicode.Scripts {
		ofDomain := func(r rune) bool { return unicode.Is(script, r) }
		if name != "Latin" && name != "Common" && name != "Inherited" && strings.ContainsFunc(written, ofDomain) {
			scripts = append(scripts, script)
		}
	}
	return scripts
}

// atext is the set of RFC 5322 §3.2.3.
func atext(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func emailDomain(s string) (string, error) {
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", ErrEmailBadDomain
	}
	domain = strings.ToLower(domain)
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || len(domain) > 253 {
		return "", ErrEmailBadDomain
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", ErrEmailBadDomain
		}
	}
	if top := labels[len(labels)-1]; len(top) < 2 || strings.Trim(top, "0123456789") == "" {
		return "", ErrEmailBadDomain
	}
	return domain, nil
}

// invisible is white space and everything else that shows nothing: pasted
// addresses often carry a zero-width space.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
}
