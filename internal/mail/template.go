package mail

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Template is a letter as the school writes it: the subject is one line, the body
// a small Markdown. {name} stands for the value of the variable name.
type Template struct {
	Subject string
	Body    string
}

// Limits of a Template, in characters.
const (
	MaxSubject = 200
	MaxBody    = 5_000
)

// Problem is what is wrong with a part of a template. The values are stable.
type Problem string

// The problems there are.
const (
	ProblemEmpty      Problem = "empty"
	ProblemTooLong    Problem = "too_long"         // more than MaxSubject or MaxBody
	ProblemCharacters Problem = "characters"       // what shows nothing, or is not UTF-8
	ProblemBraces     Problem = "braces"           // one without its other
	ProblemVariable   Problem = "unknown_variable" // TemplateError.Variable
)

// TemplateError is what is wrong with a template.
type TemplateError struct {
	Field    string // subject or body
	Problem  Problem
	Variable string // as written, without its braces; else empty
}

func (e *TemplateError) Error() string {
	s := "mail: the " + e.Field + " of the template: " + string(e.Problem)
	if e.Variable != "" {
		s += " {" + e.Variable + "}"
	}
	return s
}

// Check answers the first thing that is wrong with the template, subject before
// body, as a *TemplateError; nil when it can be composed from the allowed
// variables.
func (t Template) Check(allowed []string) error {
	for _, part := range []struct {
		field, text string
		most        int
		lines       bool
	}{
		{"subject", t.Subject, MaxSubject, false},
		{"body", t.Body, MaxBody, true},
	} {
		problem, variable := checkPart(part.text, part.most, part.lines, allowed)
		if problem != "" {
			return &TemplateError{Field: part.field, Problem: problem, Variable: variable}
		}
	}
	return nil
}

// Mentions reports whether the body of a template that has passed Check has the variable.
func (t Template) Mentions(variable string) (found bool) {
	fill(t.Body, func(name string) string {
		found = found || name == variable
		return ""
	})
	return found
}

func checkPart(text string, most int, lines bool, allowed []string) (p Problem, variable string) {
	switch {
	case strings.TrimSpace(text) == "":
		return ProblemEmpty, ""
	case utf8.RuneCountInString(text) > most:
		return ProblemTooLong, ""
	case !utf8.ValidString(text), strings.ContainsFunc(text, func(r rune) bool { return forbidden(r, lines) }):
		return ProblemCharacters, ""
	}
	_, balanced := fill(text, func(name string) string {
		if p == "" && !slices.Contains(allowed, name) {
			p, variable = ProblemVariable, name
		}
		return ""
	})
	if !balanced {
		return ProblemBraces, ""
	}
	return p, variable
}

// forbidden are control characters, those that turn text round, and the private
// ones that stand for the variables while the Markdown is read.
func forbidden(r rune, lines bool) bool {
	if lines && (r == '\n' || r == '\r' || r == '\t') {
		return false
	}
	return unicode.IsControl(r) || turns(r) || r >= firstMark
}

// turns: the characters of the bidirectional algorithm that reach beyond
// themselves.
func turns(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// fill answers s with every {name} replaced, and whether each brace has its other.
func fill(s string, value func(name string) string) (string, bool) {
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			return b.String(), true
		}
		b.WriteString(s[:i])
		length := strings.IndexAny(s[i+1:], "{}\n")
		if s[i] == '}' || length < 0 || s[i+1+length] != '}' {
			return "", false
		}
		b.WriteString(value(strings.TrimSpace(s[i+1 : i+1+length])))
		s = s[i+1+length+1:]
	}
}

// harmless is a value as it may stand in a letter: one line that turns nothing
// round.
func harmless(value string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case turns(r), r >= firstMark:
			return -1
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		default:
			return r
		}
	}, strings.ToValidUTF8(value, "\ufffd"))
}
