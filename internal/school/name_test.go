package school_test

import (
	"errors"
	"strings"
	"testing"

	"tripwire/internal/school"
)

func TestFullNameIsCleanedAndKeptInAnyScript(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Test Student": "Test Student",
		"  Иванова \t Анна\n Сергеевна ":   "Иванова Анна Сергеевна",
		"Әбдіғаппар Нұрсәуле Қыдырәліқызы": "Әбдіғаппар Нұрсәуле Қыдырәліқызы",
		"Мадонна":                      "Мадонна",
		"O'Neil-Жан":                   "O'Neil-Жан",
		"محمد علي":                     "محمد علي",
		"<script>alert(1)</script>":    "<script>alert(1)</script>", // text, to be escaped where it is shown
		"Jose\u0301":                   "Jos\u00e9",
		"نمی\u200cدانم":                "نمی\u200cدانم", // a non-joiner is spelling
		strings.Repeat("ә", 150):       strings.Repeat("ә", 150),
		strings.Repeat("e\u0301", 150): strings.Repeat("\u00e9", 150),
		"Анна\u00a0Иванова":            "Анна Иванова",
	} {
		got, err := school.NewFullName(typed)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestFullNameSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]*school.Error{
		"":                       school.ErrNameRequired,
		" \t\u00a0":              school.ErrNameRequired,
		"12345":                  school.ErrNameRequired,
		"-- ?":                   school.ErrNameRequired,
		strings.Repeat("ә", 151): school.ErrNameTooLong,
		"Анна\u202eавонавИ":      school.ErrNameCharacters, // turns the rest of the line round
		"\u2066Анна":             school.ErrNameCharacters,
		"Анна\u200f":             school.ErrNameCharacters,
		"Ан\u200bна":             school.ErrNameCharacters,
		"Анна\x00":               school.ErrNameCharacters,
		"Анна\x1b[31m":           school.ErrNameCharacters, // would colour a terminal
		"Анна\xff":               school.ErrNameCharacters,
	} {
		if got, err := school.NewFullName(typed); !errors.Is(err, want) {
			t.Errorf("%q: %q, %v; want %s", typed, got, err, want.Code)
		}
	}
}

func TestFoldMakesSpellingsMeet(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{"АЛЁНА", "алена"}, {"Jose\u0301", "JOS\u00c9"}, {"Е\u0308лка", "елка"}, {"Қыз", "ҚЫЗ"},
		// without a Kazakh keyboard
		{"Әлия", "алия"}, {"Ғалым", "галым"}, {"Қанат", "канат"}, {"Таң", "тан"}, {"Өмірзақ", "омирзак"},
		{"Ұлпан", "улпан"}, {"Үміт", "умит"}, {"Жиһан", "жихан"}, {"Нұрланқызы", "НУРЛАНКЫЗЫ"},
	} {
		if a, b := school.Fold(same[0]), school.Fold(same[1]); a != b {
			t.Errorf("%q folds to %q, %q to %q", same[0], a, same[1], b)
		}
	}
	for _, other := range [][2]string{{"и", "й"}, {"ы", "и"}, {"ш", "щ"}, {"е", "э"}, {"a", "а"}} {
		if school.Fold(other[0]) == school.Fold(other[1]) {
			t.Errorf("%q and %q are one", other[0], other[1])
		}
	}
}

func TestReasonIsCleanedAndBounded(t *testing.T) {
	t.Parallel()
	if got, err := school.NewReason(" по  просьбе\nкуратора "); err != nil || got != "по просьбе куратора" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := school.NewReason(" \xff "); !errors.Is(err, school.ErrReasonRequired) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := school.NewReason(strings.Repeat("я", 500)); err != nil {
		t.Errorf("500: %v", err)
	}
	if _, err := school.NewReason(strings.Repeat("я", 501)); !errors.Is(err, school.ErrReasonTooLong) {
		t.Errorf("501: %v", err)
	}
}
