package mail

import (
	"bytes"
	_ "embed"
	"html/template"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Frame is what stands around every letter of a school.
type Frame struct {
	School   string   // its name, above the letter
	Language string   // of the letter, as in BCP 47
	Foot     []string // small paragraphs under a line, plain text
	// ShowsSubject: the subject stands above the letter, as in a mailbox; for a preview.
	ShowsSubject bool
}

// Content is a letter for one person, ready for a Message.
type Content struct {
	Subject string // one line
	Text    string // wrapped at 72 characters, lines end in LF
	HTML    string // a whole document that refers to nothing outside itself
}

// Compose fills a template. The values are put in after the Markdown was read, so
// that none of them is Markdown or HTML, whatever it holds; line breaks and
// control characters in them become spaces. A paragraph that is one link is a
// button. Errors: those of Template.Check for the variables that have values.
func Compose(t Template, values map[string]string, f Frame) (Content, error) {
	if err := t.Check(slices.Collect(maps.Keys(values))); err != nil {
		return Content{}, err
	}
	subject, _ := fill(t.Subject, func(name string) string { return harmless(values[name]) })
	l := letter{
		Subject: oneLine(subject), School: oneLine(harmless(f.School)), Language: f.Language, Blocks: read(t.Body, values), ShowsSubject: f.ShowsSubject,
	}
	for _, line := range f.Foot {
		if line = oneLine(harmless(line)); line != "" {
			l.Foot = append(l.Foot, line)
		}
	}
	var b bytes.Buffer
	if err := frame.Execute(&b, l); err != nil {
		return Content{}, err
	}
	return Content{Subject: l.Subject, Text: l.text(), HTML: b.String()}, nil
}

// letter is what the frame is filled with.
type letter struct {
	Subject, School, Language string
	Blocks                    []block
	Foot                      []string
	ShowsSubject              bool
}

func (l letter) text() string {
	parts := []string{plainText(l.Blocks)}
	if len(l.Foot) > 0 {
		parts = append(parts, rule)
	}
	for _, line := range l.Foot {
		parts = append(parts, wrap(line))
	}
	return strings.TrimSpace(strings.Join(parts, "\n\n")) + "\n"
}

const maxPreview = 140 // characters; lists of letters show fewer

// Preview is the line that lists of letters show beside the subject: the first
// paragraph, instead of the name of the school which the sender says already.
func (l letter) Preview() string {
	i := slices.IndexFunc(l.Blocks, func(b block) bool { return b.Kind == "paragraph" })
	if i < 0 {
		return ""
	}
	s := oneLine(plainWords(l.Blocks[i].Spans))
	if utf8.RuneCountInString(s) > maxPreview {
		s = string([]rune(s)[:maxPreview-1]) + "…"
	}
	return s
}

// plainWords are the words of a line without the addresses of its links.
func plainWords(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Kind == "break" {
			b.WriteByte(' ')
		}
		b.WriteString(s.Text + plainWords(s.Spans))
	}
	return b.String()
}

//go:embed letter.gohtml
var frameSource string

// frame is the HTML of every letter. The styles stand on the elements, because
// some programs drop the sheet; the sheet has what only it can say: dark and
// narrow.
var frame = template.Must(template.New("letter").Funcs(template.FuncMap{"outlook": outlook}).Parse(frameSource))

// outlook is markup that only Outlook's own renderer, which is Word's, reads: it knows
// no largest width, and takes its own font where it does not know the first of a list.
func outlook(markup string) template.HTML {
	return template.HTML("<!--[if mso]>" + markup + "<![endif]-->") //nolint:gosec // a constant of the template, never a value
}
