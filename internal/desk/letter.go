package desk

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"tripwire/internal/locale"
	"tripwire/internal/mail"
	"tripwire/internal/school"
	"tripwire/internal/store"
)

// LetterList is one page of the outbox with what it does.
type LetterList struct {
	Letters []school.Letter
	More    bool // there are older ones
	Mail    MailState
}

// lettersOnPage is how many letters one page has.
const lettersOnPage = 50

// Letters answers a page of the outbox, the newest letters first. Errors:
// Forbidden.
func (d *Desk) Letters(ctx context.Context, actor school.Actor, f school.LetterFilter) (l LetterList, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return l, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		l = LetterList{}
		if l.Mail, err = d.mailState(tx); err != nil {
			return err
		}
		l.Mail.Settings.SealedPassword = ""
		if l.Mail.Traffic, err = tx.FindMailTraffic(); err != nil {
			return err
		}
		l.Letters, err = tx.ListLetters(f, lettersOnPage+1)
		if len(l.Letters) > lettersOnPage {
			l.Letters, l.More = l.Letters[:lettersOnPage], true
		}
		return err
	})
	return l, err
}

// LetterView is one letter with what it said.
type LetterView struct {
	school.Letter
	Content   school.LetterContent // its secrets masked; empty before its first attempt
	Forgotten bool                 // what it said was so long ago that it is not kept
}

// Letter answers one letter and what it said. Errors: NotFound, Forbidden.
func (d *Desk) Letter(ctx context.Context, actor school.Actor, id int64) (v LetterView, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return v, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		v = LetterView{}
		if v.Letter, err = tx.FindLetter(id); err != nil {
			return err
		}
		if v.Content, err = tx.FindLetterContent(id); !errors.Is(err, school.ErrNotFound) {
			return err
		}
		s, err := tx.FindMailSettings()
		v.Forgotten = !v.AttemptedAt.IsZero() && v.AttemptedAt.Before(wordsSince(tx, s))
		return err
	})
	return v, err
}

// wordsSince is from when on is kept what letters said.
func wordsSince(tx *store.Tx, s school.MailSettings) time.Time {
	return tx.Now.AddDate(0, 0, -s.ContentDays)
}

// RetryLetter has a letter tried at once, to the address that the person has now.
// Errors: NotFound, Conflict letter_away, Forbidden.
func (d *Desk) RetryLetter(ctx context.Context, actor school.Actor, id int64) error {
	return d.changeLetter(ctx, actor, id, func(tx *store.Tx, l school.Letter) error {
		a, err := tx.FindAccount(l.UserID)
		if err != nil {
			return err
		}
		if !a.DeletedAt.IsZero() {
			return school.ErrNotFound
		}
		to := a.Email
		if !l.Kind.ToAccount() {
			to = l.Email
		}
		if !l.MayRetry(tx.Now) {
			return school.ErrLetterAway
		}
		if err := unlessAway(tx.RequeueLetter(l, to)); err != nil {
			return err
		}
		l.Email = to
		return noteLetter(tx, actor, school.LetterRequeued, l, "", "")
	})
}

// WithdrawLetter takes a letter that waits out of the queue. Errors: NotFound,
// Conflict letter_away, Forbidden.
func (d *Desk) WithdrawLetter(ctx context.Context, actor school.Actor, id int64) error {
	return d.changeLetter(ctx, actor, id, func(tx *store.Tx, l school.Letter) error {
		if err := unlessAway(tx.CancelLetter(id)); err != nil {
			return err
		}
		return noteLetter(tx, actor, school.LetterWithdrawn, l, "", "")
	})
}

// unlessAway is the error of who found a letter in another state.
func unlessAway(err error) error {
	if errors.Is(err, school.ErrNotFound) {
		return school.ErrLetterAway
	}
	return err
}

// changeLetter runs fn on a letter. Errors: NotFound, Forbidden, and those of fn.
func (d *Desk) changeLetter(ctx context.Context, actor school.Actor, id int64, fn func(*store.Tx, school.Letter) error) error {
	if err := actor.May(school.ManageSchool); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		l, err := tx.FindLetter(id)
		if err != nil {
			return err
		}
		return fn(tx, l)
	})
}

// ResendLetter has the welcome letter sent once more: one that waits is tried at
// once, and there is another one where there is none to try. Errors: Limited
// letter_just_sent (with seconds), NotFound, Forbidden.
func (d *Desk) ResendLetter(ctx context.Context, actor school.Actor, id school.UserID) error {
	return d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if !s.DeletedAt.IsZero() {
			return school.ErrNotFound
		}
		if err := mayResend(tx, s); err != nil {
			return err
		}
		return resend(tx, actor, s)
	})
}

// mayResend keeps an impatient finger from filling a mailbox. A letter that failed,
// or went to another address, is no reason to wait.
func mayResend(tx *store.Tx, s school.Student) error {
	if wait := s.Letter.ResendAfter(s.Email).Sub(tx.Now); wait > 0 {
		return school.ErrLetterJustSent.With("seconds", strconv.Itoa(int(wait.Seconds())+1))
	}
	return nil
}

func resend(tx *store.Tx, actor school.Actor, s school.Student) error {
	var err error = school.ErrNotFound
	if s.Letter.State == school.LetterQueued || s.Letter.State == school.LetterDeferred {
		err = tx.RequeueLetter(school.Letter{ID: s.Letter.ID}, s.Email)
	}
	if errors.Is(err, school.ErrNotFound) { // none waits, or a worker was faster
		err = tx.InsertLetter(s.ID, school.LetterWelcome, s.Email)
	}
	if err != nil {
		return err
	}
	return noteLetter(tx, actor, school.LetterRequeued, school.Letter{UserID: s.ID, Kind: school.LetterWelcome, Email: s.Email}, "", "")
}

// SendTestLetter queues a letter to the actor, and answers its id. Errors: Conflict
// mail_off, Forbidden.
func (d *Desk) SendTestLetter(ctx context.Context, actor school.Actor) (id int64, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return 0, err
	}
	if actor.ID == "" {
		return 0, school.ErrForbidden
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := d.mailRoute(tx); err != nil {
			return err
		}
		if err := tx.CancelEarlierLetters(actor.ID, school.LetterTest); err != nil {
			return err
		}
		if err := tx.InsertLetter(actor.ID, school.LetterTest, actor.Email); err != nil {
			return err
		}
		l, err := tx.FindNewestLetter(actor.ID, school.LetterTest)
		id = l.ID
		return err
	})
	return id, err
}

// HandOver sends the test letter to any address at once, and waits for the answer of
// the server: the terminal's way to try the set-up. Errors: Invalid with the faulty
// field, Conflict mail_off, Forbidden.
func (d *Desk) HandOver(ctx context.Context, actor school.Actor, to, baseURL string) (t MailTrial, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return t, err
	}
	address, err := school.NewEmail(to)
	if err != nil {
		faults := school.Faults{}
		faults.Add("to", err)
		return t, faults.Err()
	}
	t, err = d.handOver(ctx, mail.Address{Email: string(address)}, func(tx *store.Tx, r mailRoute) (draft, error) {
		template, err := textOf(tx, school.LetterTest, r.school.Language)
		values := map[string]string{"name": string(address), "email": string(address), "school": r.school.Name, "site": baseURL}
		return draft{template: template, values: values, frame: frameOf(r.school.Name, r.school.Language)}, err
	})
	if err == nil && t == (MailTrial{}) && d.mail == nil { // else it is a server of the terminal's own
		err = d.noteMailWorks(ctx)
	}
	return t, err
}

// TryLetterText sends a wording that need not be kept yet to the actor, with sample
// values, and waits for the answer of the server. Errors: as EditLetterText, Conflict
// mail_off.
func (d *Desk) TryLetterText(ctx context.Context, actor school.Actor, t school.LetterText, baseURL string) (MailTrial, error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return MailTrial{}, err
	}
	if t = tidy(t); actor.Email == "" { // the terminal has none
		return MailTrial{}, school.ErrForbidden
	}
	if err := checkLetterText(t); err != nil {
		return MailTrial{}, err
	}
	trial, err := d.handOver(ctx, mail.Address{Name: actor.Name, Email: string(actor.Email)}, func(tx *store.Tx, r mailRoute) (draft, error) {
		p := locale.Printer{Lang: t.Language, Zone: r.school.Location(), Now: tx.Now}
		return draft{
			template: mail.Template{Subject: t.Subject, Body: t.Body}, values: sampleValues(p, t.Kind, actor, r.school, baseURL), frame: frameOf(r.school.Name, t.Language),
		}, nil
	})
	if err == nil && trial == (MailTrial{}) {
		err = d.noteMailWorks(ctx)
	}
	return trial, err
}

// handOver sends one letter past the outbox, for somebody who waits for the answer.
func (d *Desk) handOver(ctx context.Context, to mail.Address, write func(*store.Tx, mailRoute) (draft, error)) (t MailTrial, err error) {
	var out draft
	var server mail.Server
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		r, err := d.mailRoute(tx)
		if err != nil {
			return err
		}
		if out, err = write(tx, r); err != nil {
			return err
		}
		server = r.server
		out.message = mail.Message{
			ID: "<" + school.NewToken()[:16] + "@" + r.from.Domain() + ">", At: tx.Now, Language: out.frame.Language,
			From: mail.Address{Name: r.name, Email: string(r.from)}, To: to,
			ReplyTo: string(r.settings.ReplyTo), Bounce: string(r.settings.BounceEmail),
		}
		return nil
	})
	switch {
	case errors.Is(err, school.ErrMailSealed):
		return MailTrial{Cause: causeSealed}, nil
	case err != nil:
		return t, err
	}
	m, err := out.compose()
	if err != nil {
		return t, err
	}
	sender := mail.NewSender(server, mail.Options{Timeout: trialTimeout, HelloName: school.Email(m.From.Email).Domain()})
	defer sender.Close()
	err = sender.Send(ctx, m)
	if fault, ok := errors.AsType[*mail.Fault](err); ok {
		return MailTrial{Cause: fault.Cause(), Words: fault.Words}, nil
	}
	return t, err
}

// LetterTexts answers the wording of every kind in a language. Errors: Forbidden.
func (d *Desk) LetterTexts(ctx context.Context, actor school.Actor, l school.Language) (all []school.LetterText, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return nil, err
	}
	own := map[school.LetterKind]school.LetterText{}
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		kept, err := tx.ListLetterTexts()
		for _, t := range kept {
			if t.Language == l {
				own[t.Kind] = t
			}
		}
		return err
	})
	for _, kind := range school.LetterKinds() {
		t, ok := own[kind]
		if !ok {
			t = shippedText(kind, l)
		}
		all = append(all, t)
	}
	return all, err
}

// LetterText answers one wording. Errors: Forbidden.
func (d *Desk) LetterText(ctx context.Context, actor school.Actor, kind school.LetterKind, l school.Language) (t school.LetterText, err error) {
	all, err := d.LetterTexts(ctx, actor, l)
	for _, one := range all {
		if one.Kind == kind {
			return one, nil
		}
	}
	return t, errors.Join(err, school.ErrNotFound)
}

// EditLetterText keeps the school's own wording. Errors: Invalid with the faulty
// fields (with the variable), Forbidden.
func (d *Desk) EditLetterText(ctx context.Context, actor school.Actor, t school.LetterText) error {
	if err := actor.May(school.ManageSchool); err != nil {
		return err
	}
	t = tidy(t)
	if err := checkLetterText(t); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.UpsertLetterText(t, actor.ID); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.LetterTextEdited, "", map[string]string{"kind": string(t.Kind), "language": string(t.Language)})
	})
}

// ResetLetterText goes back to the shipped wording, and answers the school's own one
// that it took away. Errors: NotFound where there is none, Forbidden.
func (d *Desk) ResetLetterText(ctx context.Context, actor school.Actor, kind school.LetterKind, l school.Language) (own school.LetterText, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return own, err
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if own, err = tx.FindLetterText(kind, l); err != nil {
			return err
		}
		if err := tx.DeleteLetterText(kind, l); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.LetterTextReset, "", map[string]string{"kind": string(kind), "language": string(l)})
	})
	return own, err
}

// tidy brings a wording as a form sends it into the form in which it is kept.
func tidy(t school.LetterText) school.LetterText {
	t.Subject, t.Body = strings.Join(strings.Fields(t.Subject), " "), strings.TrimSpace(strings.ReplaceAll(t.Body, "\r\n", "\n"))
	return t
}

// templateErrors say what package mail finds wrong with a wording.
var templateErrors = map[mail.Problem]*school.Error{
	mail.ProblemEmpty: school.ErrTextRequired, mail.ProblemTooLong: school.ErrTextTooLong, mail.ProblemCharacters: school.ErrTextCharacters,
	mail.ProblemBraces: school.ErrBraces, mail.ProblemVariable: school.ErrVariableUnknown,
}

// checkLetterText judges a wording. Errors: Invalid at subject or body, the first
// thing that is wrong.
func checkLetterText(t school.LetterText) error {
	template := mail.Template{Subject: t.Subject, Body: t.Body}
	err := template.Check(t.Kind.Variables())
	if wrong, ok := errors.AsType[*mail.TemplateError](err); ok {
		return templateErrors[wrong.Problem].AtField(wrong.Field).With("variable", wrong.Variable)
	}
	if err != nil {
		return err
	}
	for _, v := range t.Kind.Needs() {
		if !template.Mentions(v) {
			return school.ErrVariableNeeded.AtField("body").With("variable", v)
		}
	}
	return nil
}

// PreviewLetter composes a wording as the actor would get it, with sample values.
// Errors: as EditLetterText.
func (d *Desk) PreviewLetter(ctx context.Context, actor school.Actor, t school.LetterText, baseURL string) (c school.LetterContent, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return c, err
	}
	t = tidy(t)
	if err := checkLetterText(t); err != nil {
		return c, err
	}
	settings, err := d.Settings(ctx)
	if err != nil {
		return c, err
	}
	p := locale.Printer{Lang: t.Language, Zone: settings.Location(), Now: d.store.Now()}
	frame := frameOf(settings.Name, t.Language)
	frame.ShowsSubject = true
	out, err := mail.Compose(mail.Template{Subject: t.Subject, Body: t.Body}, sampleValues(p, t.Kind, actor, settings, baseURL), frame)
	return school.LetterContent{Subject: out.Subject, Text: out.Text, HTML: out.HTML}, err
}
