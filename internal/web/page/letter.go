package page

import (
	"tripwire/internal/locale"
	"tripwire/internal/school"
)

const mailPath = "/integrator/mail"

// letterClass is the colour of a letter's state.
func letterClass(s school.LetterState) string {
	switch {
	case s == school.LetterAccepted:
		return "ok"
	case s.Failed():
		return "bad"
	case s.Waits():
		return "wait"
	default:
		return ""
	}
}

// letterTitle is what pointing at a badge tells.
func letterTitle(p locale.Printer, l school.StudentLetter) string {
	if l.Reply == "" {
		return letterTold(p, l)
	}
	return letterTold(p, l) + " " + l.Reply
}

// letterTold says what became of a letter, and when.
func letterTold(p locale.Printer, l school.StudentLetter) string {
	switch {
	case l.State == school.LetterAccepted:
		return p.T("letter.told.accepted", "time", p.Moment(l.SentAt))
	case l.State == school.LetterDeferred:
		return p.N("letter.told.deferred", l.Attempts, "time", p.Moment(l.DueAt))
	case l.State == school.LetterQueued && l.DueAt.After(p.Now):
		return p.T("letter.told.later", "time", p.Moment(l.DueAt))
	default:
		return p.T("letter.told."+string(l.State), "time", p.Moment(l.QueuedAt))
	}
}

// letterWhy is the cause in plain words; empty for none.
func letterWhy(p locale.Printer, cause string) string {
	for _, group := range []string{"mail_cause.", "letter_cause."} {
		if p.Has(group + cause) {
			return p.T(group + cause)
		}
	}
	return ""
}
