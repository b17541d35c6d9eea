package school

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Email is a normalised address: trimmed, lower case, NFC, the domain in its
// ASCII (IDNA) form. Plus-addresses are kept: they are different mailboxes to
// the sender.
type Email string

// Limits of RFC 5321 §4.5.3.1, in octets.
const (
	maxEmail      = 254
	maxEmailLocal = 64
)

// NewEmail normalises and validates an address as typed. It accepts what can
// be delivered over plain SMTP: an ASCII dot-atom before the @ (RFC 5322 §3.4.1)
// and a domain of at least two labels. Errors: Invalid, code email_*.
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
	local, err := emailLocal(s[:at])
	if err != nil {
		return "", err
	}
	domain, err := emailDomain(s[at+1:])
	if err != nil {
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

// Written answers the address as people write it: a domain of another script in that
// script.
func (e Email) Written() string {
	local, domain, _ := strings.Cut(string(e), "@")
	if shown, err := idna.Display.ToUnicode(domain); err == nil {
		domain = shown
	}
	return local + "@" + domain
}

func emailLocal(s string) (string, error) {
	if len(s) > maxEmailLocal {
		return "", ErrEmailTooLong
	}
	for _, r := range s {
		switch {
		case r > unicode.MaxASCII && unicode.IsLetter(r):
			return "", ErrEmailNotLatin
		case !atext(r) && r != '.':
			return "", ErrEmailInvalid
		}
	}
	if strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
		return "", ErrEmailInvalid
	}
	return strings.ToLower(s), nil
}

// atext is the set of RFC 5322 §3.2.3.
func atext(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func emailDomain(s string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", ErrEmailBadDomain
	}
	ascii = strings.ToLower(ascii)
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || len(ascii) > 253 {
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
	return ascii, nil
}

// invisible is white space and everything else that shows nothing: pasted
// addresses often carry a zero-width space.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
}
