package school

import (
	"crypto/rand"
	"math/big"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a password, in characters (NIST SP 800-63B §3.1.1.2).
const (
	MinPassword = 8
	maxPassword = 128
)

// CheckPassword judges a password for the account with this e-mail and answers
// it in NFC, so that it matches however the next keyboard composes it. Errors:
// Invalid, code password_*.
func CheckPassword(typed string, email Email) (string, error) {
	p := norm.NFC.String(typed)
	switch n := utf8.RuneCountInString(p); {
	case n == 0:
		return "", ErrPasswordRequired
	case n < MinPassword:
		return "", ErrPasswordTooShort
	case n > maxPassword:
		return "", ErrPasswordTooLong
	case strings.EqualFold(p, string(email)):
		return "", ErrPasswordIsEmail
	}
	return p, nil
}

// passwordAlphabet has no letters that sound or look like others when read
// aloud over the phone.
const passwordAlphabet = "abcdefghjkmnpqrstuvwxyz23456789"

// NewPassword answers a password of three groups of four characters, 59 bits
// from the system's cryptographic source.
func NewPassword() string {
	var b strings.Builder
	for i := range 12 {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordAlphabet))))
		if err != nil {
			panic(err) // crypto/rand does not fail on the systems Go supports
		}
		b.WriteByte(passwordAlphabet[n.Int64()])
	}
	return b.String()
}

// NewToken answers 256 random bits in URL-safe text, for links and form keys.
func NewToken() string { return rand.Text() + rand.Text() }
