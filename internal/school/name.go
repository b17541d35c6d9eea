package school

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const maxName = 150 // characters

// NewFullName cleans a person's name, as NewTitle does a title; it has at least
// one letter. Errors: Invalid, code name_*.
func NewFullName(typed string) (string, error) {
	s, err := NewTitle(typed)
	if err == nil && !strings.ContainsFunc(s, unicode.IsLetter) {
		err = ErrNameRequired
	}
	if err != nil {
		return "", err
	}
	return s, nil
}

// NewTitle cleans one line: NFC, single spaces, none at the ends. Any script is
// welcome; characters that hide or turn text round are not. Errors: Invalid, code
// name_*.
func NewTitle(typed string) (string, error) {
	if !utf8.ValidString(typed) {
		return "", ErrNameCharacters
	}
	s := strings.Join(strings.Fields(norm.NFC.String(typed)), " ")
	if s == "" {
		return "", ErrNameRequired
	}
	if utf8.RuneCountInString(s) > maxName {
		return "", ErrNameTooLong
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c' {
			return "", ErrNameCharacters
		}
	}
	return s, nil
}

// folded are letters that are searched for by another: ё by е, and the letters
// that Kazakh adds to the Russian alphabet by the ones that people without a
// Kazakh keyboard type for them.
var folded = strings.NewReplacer("ё", "е", "ә", "а", "ғ", "г", "қ", "к", "ң", "н", "ө", "о", "ұ", "у", "ү", "у", "һ", "х", "і", "и")

// Fold is the form in which names and addresses are searched and sorted: lower
// case, NFC, without the letters of folded.
func Fold(s string) string { return folded.Replace(strings.ToLower(norm.NFC.String(s))) }

// NewReason cleans the sentence that staff give for an exception. Errors:
// Invalid, code reason_*.
func NewReason(typed string) (string, error) {
	shown := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(typed, ""))
	s := strings.Join(strings.Fields(norm.NFC.String(shown)), " ")
	switch {
	case s == "":
		return "", ErrReasonRequired
	case utf8.RuneCountInString(s) > 500:
		return "", ErrReasonTooLong
	}
	return s, nil
}
