package school_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"tripwire/internal/school"
)

func TestEmailIsNormalisedToOneSpelling(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 61)
	longest := strings.Repeat("l", 64) + "@" + label + "." + label + "." + label + ".kzt"
	for typed, want := range map[string]string{
		"test123@example.com":                   "test123@example.com",
		" TEST123@Example.com ":                 "test123@example.com",
		"\t\u00a0test@example.com\r\n":          "test@example.com",
		"\u200btest@example.com\ufeff":          "test@example.com", // pasted zero-width characters
		"\u2068test@example.com\u2069":          "test@example.com", // pasted direction marks
		"Ivan+Course@Example.com":               "ivan+course@example.com",
		"o'neil_x-y.z@mail.example.co":          "o'neil_x-y.z@mail.example.co",
		"a@example.com.":                        "a@example.com", // the root's dot
		"a@пример.рф":                           "a@xn--e1afmkfd.xn--p1ai",
		"a@ПРИМЕР.РФ":                           "a@xn--e1afmkfd.xn--p1ai",
		"a@XN--E1AFMKFD.xn--p1ai":               "a@xn--e1afmkfd.xn--p1ai",
		"a@қазақстан.қаз":                       "a@xn--80aaa0a6awh12ed.xn--80ao21a",
		"a@cafe\u0301.fr":                       "a@xn--caf-dma.fr", // composed or not, it is one domain
		"a@caf\u00e9.fr":                        "a@xn--caf-dma.fr",
		"a@example\u3002com":                    "a@example.com", // the full stop of another keyboard
		"Иван.Иванов+1@Почта.рф":                "иван.иванов+1@xn--80a1acny.xn--p1ai",
		"иван_2@почта.рф":                       "иван_2@xn--80a1acny.xn--p1ai",
		"ИВАН@xn--80a1acny.xn--p1ai":            "иван@xn--80a1acny.xn--p1ai",
		"әйгерім@пошта.қаз":                     "әйгерім@xn--80a1acn3a.xn--80ao21a",
		"用户@例子.公司":                              "用户@xn--fsqu00a.xn--55qx5d",
		"\u0438\u0306ван@почта.рф":              "\u0439ван@xn--80a1acny.xn--p1ai", // composed or not
		"иван@example.рф":                       "иван@example.xn--p1ai",
		"иван@почта.com":                        "иван@xn--80a1acny.com",
		longest:                                 longest,
		"a@" + strings.Repeat("d", 63) + ".com": "a@" + strings.Repeat("d", 63) + ".com",
	} {
		got, err := school.NewEmail(typed)
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestEmailSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 61)
	for typed, want := range map[string]*school.Error{
		"":                        school.ErrEmailRequired,
		" \u200b\t":               school.ErrEmailRequired,
		"test":                    school.ErrEmailInvalid,
		"@example.com":            school.ErrEmailInvalid,
		"test@":                   school.ErrEmailInvalid,
		"a@b@example.com":         school.ErrEmailInvalid,
		"a b@example.com":         school.ErrEmailInvalid,
		".a@example.com":          school.ErrEmailInvalid,
		"a.@example.com":          school.ErrEmailInvalid,
		"a..b@example.com":        school.ErrEmailInvalid,
		`"a b"@example.com`:       school.ErrEmailInvalid,
		"a\u200bb@example.com":    school.ErrEmailInvalid, // hidden inside, not at an end
		"a\x00b@example.com":      school.ErrEmailInvalid,
		"Ivan <ivan@example.com>": school.ErrEmailInvalid,
		"a@example.c\xffm":        school.ErrEmailInvalid, // no text at all
		"a,b@example.com":         school.ErrEmailInvalid,
		"тест@example.com":        school.ErrEmailNotLatin,
		"\u0430dmin@example.com":  school.ErrEmailNotLatin, // the first letter is Cyrillic
		"te\u0455t@example.com":   school.ErrEmailNotLatin, // the s is Cyrillic
		"\uff54est@example.com":   school.ErrEmailNotLatin, // a full-width t
		"caf\u00e9@example.com":   school.ErrEmailNotLatin,
		"шмфт@пьфшд.сщь":          school.ErrEmailNotLatin, // ivan@gmail.com on a Russian keyboard
		"ivan\u0430@почта.рф":     school.ErrEmailNotLatin, // its last letter is Cyrillic
		"用户@почта.рф":             school.ErrEmailNotLatin,
		"\u03b9van@почта.рф":      school.ErrEmailNotLatin, // the first letter is Greek
		"ив ан@почта.рф":          school.ErrEmailInvalid,
		"ив\u200dан@почта.рф":     school.ErrEmailInvalid,
		".иван@почта.рф":          school.ErrEmailInvalid,
		"иван@почта_.рф":          school.ErrEmailNotLatin,
		strings.Repeat("ж", 33) + "@почта.рф": school.ErrEmailTooLong, // 66 octets
		"a@example":                              school.ErrEmailBadDomain,
		"a@localhost":                            school.ErrEmailBadDomain,
		"a@example.c":                            school.ErrEmailBadDomain,
		"a@example.123":                          school.ErrEmailBadDomain,
		"a@192.0.2.1":                            school.ErrEmailBadDomain,
		"a@[192.0.2.1]":                          school.ErrEmailBadDomain,
		"a@exa_mple.com":                         school.ErrEmailBadDomain,
		"a@-example.com":                         school.ErrEmailBadDomain,
		"a@example-.com":                         school.ErrEmailBadDomain,
		"a@example..com":                         school.ErrEmailBadDomain,
		"a@.example.com":                         school.ErrEmailBadDomain,
		"a@exam ple.com":                         school.ErrEmailBadDomain,
		"a@" + strings.Repeat("d", 64) + ".com":  school.ErrEmailBadDomain,
		strings.Repeat("l", 65) + "@example.com": school.ErrEmailTooLong,
		strings.Repeat("l", 64) + "@" + label + "." + label + "." + label + ".kzte": school.ErrEmailTooLong,
		strings.Repeat("l", 2000) + "@example.com":                                  school.ErrEmailTooLong,
	} {
		if got, err := school.NewEmail(typed); !errors.Is(err, want) {
			t.Errorf("%q: %q, %v; want %v", typed, got, err, want.Code)
		}
	}
}

// FuzzNewEmail: what is accepted once is accepted again unchanged, so that the
// address in the rows, in a search and in a login is always the same text.
func FuzzNewEmail(f *testing.F) {
	for _, seed := range []string{"a@example.com", " A@пример.рф.", "x+y@cafe\u0301.fr", "a@xn--e1afmkfd.xn--p1ai", "\u0430@b.co", "Йван@почта.рф", "e\u0301@\u043f.рф", "Ω\u0301ΣΣ@ελ.ελ", "a@ⅷ.com", "a@ß.de"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		e, err := school.NewEmail(typed)
		if err != nil {
			if e != "" || school.KindOf(err) != school.Invalid {
				t.Fatalf("%q: %q with %v", typed, e, err)
			}
			return
		}
		if again, err := school.NewEmail(string(e)); err != nil || again != e {
			t.Fatalf("%q became %q and then %q, %v", typed, e, again, err)
		}
		if len(e) > 254 || strings.IndexFunc(string(e), func(r rune) bool {
			return r <= ' ' || r == 0x7f || unicode.IsUpper(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
		}) >= 0 {
			t.Fatalf("%q became %q", typed, e)
		}
	})
}
