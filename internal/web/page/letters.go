package page

import (
	"html"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

const (
	lettersPath = "/integrator/letters"
	textsPath   = "/integrator/letter-texts"
	// HookPath is where providers report bounces.
	HookPath = "/hooks/bounces"
)

// letterParts are the pages about letters.
var letterParts = []struct{ name, path string }{{"letters", lettersPath}, {"texts", textsPath}, {"mail", mailPath}}

// LettersPage is a page of the outbox.
type LettersPage struct {
	Settings school.MailSettings // what keeps letters from leaving
	Filter   school.LetterFilter
	Letters  []school.Letter
	More     bool
	Traffic  school.MailTraffic
	Server   string // without its password; empty: none
}

func (m LettersPage) narrowed() bool {
	return m.Filter.State != "" || m.Filter.Kind != "" || m.Filter.Query != "" || m.Filter.Before > 0
}

// url is the address of the same letters with one thing else.
func (m LettersPage) url(state school.LetterState, before int64) string {
	q := url.Values{}
	for _, p := range [][2]string{{"state", string(state)}, {"kind", string(m.Filter.Kind)}, {"q", m.Filter.Query}} {
		if p[1] != "" {
			q.Set(p[0], p[1])
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if len(q) == 0 {
		return lettersPath
	}
	return lettersPath + "?" + q.Encode()
}

func (m LettersPage) stateURL(s school.LetterState) string { return m.url(s, 0) }

func (m LettersPage) olderURL() string {
	return m.url(m.Filter.State, m.Letters[len(m.Letters)-1].ID)
}

// counted is a number that is not counted to its end.
func counted(p locale.Printer, n int) string {
	if n >= school.MaxCountedLetters {
		return p.T("letters.many", "n", p.Number(school.MaxCountedLetters))
	}
	return p.Number(n)
}

func letterPath(id int64, verb string) string {
	path := lettersPath + "/" + strconv.FormatInt(id, 10)
	if verb != "" {
		path += "/" + verb
	}
	return path
}

// LetterPage is one letter.
type LetterPage struct {
	Letter  school.Letter
	Content school.LetterContent // empty before the first attempt, and when it is forgotten
	// Forgotten: it is longer ago than words are kept.
	Forgotten bool
	Card      string // of the student; empty for staff
}

// LetterTextsPage lists the wordings in one language.
type LetterTextsPage struct {
	Language school.Language
	Texts    []school.LetterText
}

// LetterTextPage edits one wording.
type LetterTextPage struct {
	Text   school.LetterText
	Error  string
	Fields map[string]string
	Params map[string]string
	Saved  bool
	Trial  *MailTrial // what came of the letter to oneself
	// TakenAway is the school's own wording that has just given way to the shipped one.
	TakenAway *school.LetterText
}

func textsURL(l school.Language) string { return textsPath + "?language=" + string(l) }

func textPath(kind school.LetterKind, l school.Language, verb string) string {
	path := textsPath + "/" + string(kind) + "/" + string(l)
	if verb != "" {
		path += "/" + verb
	}
	return path
}

// MailPage sets up how letters leave.
type MailPage struct {
	S       school.MailSettings
	Fixed   bool // the server is that of the process's settings
	Server  string
	HasPass bool // a password is kept
	Trial   *MailTrial
	Error   string
	Fields  map[string]string
	Params  map[string]string
	Saved   bool
	// HookToken is shown once; Hooked: there is one.
	HookToken string
	Hooked    bool
}

// MailTrial is what the connection test found; an empty cause: nothing is wrong.
type MailTrial struct{ Cause, Words string }

// PreviewFault is what stands in the frame of a preview that cannot be made.
func PreviewFault(p locale.Printer, fields, params map[string]string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><style>body{font:16px/1.5 sans-serif;margin:24px}</style>`)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		b.WriteString("<p>" + html.EscapeString(p.T("letters."+field)+": "+p.Error(fields[field], params)) + "</p>")
	}
	return b.String()
}

func passwordHint(c Chrome, m MailPage) string {
	if m.HasPass || m.S.CarriedPassword != "" {
		return c.P.T("mail.password_kept")
	}
	return c.P.T("mail.password_hint")
}

// whatsApp is the address that opens WhatsApp with a message in it.
func whatsApp(message string) string {
	return "https://wa.me/?text=" + strings.ReplaceAll(url.QueryEscape(message), "+", "%20")
}

// telegram is the address that opens Telegram with a message in it, which wants an
// address of its own before the text.
func telegram(c Chrome, message string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return "https://t.me/share/url?url=" + escape(c.BaseURL) + "&text=" + escape(message)
}
