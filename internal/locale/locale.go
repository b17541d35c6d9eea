// Package locale says things in the reader's language: sentences, numbers,
// money and times.
package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"tripwire/internal/school"
)

//go:embed ru.json kk.json en.json
var files embed.FS

// message is one entry of a catalogue: a sentence, or one for each plural form.
type message struct {
	text  string
	forms map[string]string
}

func (m *message) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return json.Unmarshal(b, &m.forms)
	}
	return json.Unmarshal(b, &m.text)
}

var (
	catalogues = load()
	tags       = map[school.Language]language.Tag{
		school.Russian: language.Russian,
		school.Kazakh:  language.Kazakh,
		school.English: language.English,
	}
	formNames = map[plural.Form]string{
		plural.Zero: "zero", plural.One: "one", plural.Two: "two",
		plural.Few: "few", plural.Many: "many", plural.Other: "other",
	}
	matcher = language.NewMatcher([]language.Tag{language.Russian, language.Kazakh, language.English})
)

func load() map[school.Language]map[string]message {
	all := map[school.Language]map[string]message{}
	for _, lang := range school.Languages() {
		name := string(lang) + ".json"
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err) // embedded at build time
		}
		var c map[string]message
		if err := json.Unmarshal(b, &c); err != nil {
			panic(fmt.Errorf("%s: %w", name, err)) // caught by every test
		}
		all[lang] = c
	}
	return all
}

// Match answers the language of the screen that fits an Accept-Language header
// best; false when none of ours is wanted.
func Match(acceptLanguage string) (school.Language, bool) {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return "", false
	}
	_, i, confidence := matcher.Match(wanted...)
	if confidence == language.No {
		return "", false
	}
	return school.Languages()[i], true
}

// Printer says things to one reader. The zero value speaks Russian in UTC.
type Printer struct {
	Lang school.Language
	Zone *time.Location
	Now  time.Time // what "today" means
}

func (p Printer) lang() school.Language {
	if _, known := catalogues[p.Lang]; known {
		return p.Lang
	}
	return school.Russian
}

// In is the same printer in another language.
func (p Printer) In(lang school.Language) Printer {
	p.Lang = lang
	return p
}

// Has reports whether the catalogue has the key.
func (p Printer) Has(key string) bool {
	_, ok := catalogues[p.lang()][key]
	return ok
}

// T answers the sentence for a key; args are names and values of its
// placeholders in turn. An unknown key comes back as ⟦key⟧.
func (p Printer) T(key string, args ...string) string {
	m, ok := catalogues[p.lang()][key]
	if !ok || m.forms != nil {
		return "⟦" + key + "⟧"
	}
	return fill(m.text, args)
}

// N is T for a sentence that counts; {n} stands for the number.
func (p Printer) N(key string, n int, args ...string) string {
	m, ok := catalogues[p.lang()][key]
	if !ok || m.forms == nil {
		return "⟦" + key + "⟧"
	}
	form := plural.Cardinal.MatchPlural(tags[p.lang()], max(n, -n), 0, 0, 0, 0)
	text, ok := m.forms[formNames[form]]
	if !ok {
		text = m.forms["other"]
	}
	return fill(text, append([]string{"n", p.Number(n)}, args...))
}

// fill puts values into placeholders in one pass, so that a value which looks
// like a placeholder stays as it is.
func fill(text string, args []string) string {
	if len(args) < 2 {
		return text
	}
	var filled strings.Builder
	for {
		before, rest, _ := strings.Cut(text, "{")
		filled.WriteString(before)
		if len(before) == len(text) {
			return filled.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := valueOf(name, args)
		if closed && known {
			filled.WriteString(value)
			text = after
			continue
		}
		filled.WriteByte('{')
		text = rest
	}
}

// valueOf finds the value that follows the name.
func valueOf(name string, args []string) (string, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return "", false
}
