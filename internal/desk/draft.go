package desk

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"tripwire/internal/locale"
	"tripwire/internal/mail"
	"tripwire/internal/school"
	"tripwire/internal/store"
)

// draft is everything that a letter is made of, read in one transaction; it is
// composed outside of it.
type draft struct {
	message  mail.Message
	template mail.Template
	values   map[string]string
	frame    mail.Frame
	secrets  []string
}

func (d draft) compose() (mail.Message, error) {
	c, err := mail.Compose(d.template, d.values, d.frame)
	if err != nil {
		return d.message, err
	}
	m := d.message
	m.Subject, m.Text, m.HTML = c.Subject, c.Text, c.HTML
	return m, nil
}

// masked is what is kept of the letter. It is composed anew, because a secret that was
// cut in composing would not be found any more.
func (d draft) masked() (school.LetterContent, error) {
	values := map[string]string{}
	for name, v := range d.values {
		for _, secret := range d.secrets {
			v = strings.ReplaceAll(v, secret, masking)
		}
		values[name] = v
	}
	c, err := mail.Compose(d.template, values, d.frame)
	return school.LetterContent{Subject: c.Subject, Text: c.Text, HTML: c.HTML}, err
}

const masking = "••••••••"

// draftOf reads what a claimed letter is made of. Errors: senseless.
func (d *Desk) draftOf(tx *store.Tx, l school.Letter, r mailRoute, baseURL string) (draft, error) {
	// For two days nothing could be sent at all; or its workers have died, each time.
	if age := tx.Now.Sub(l.QueuedAt); l.Attempts == 1 && age > school.LetterPatience || age > 2*school.LetterPatience {
		return draft{}, senseless(causeTooOld)
	}
	a, err := tx.FindAccount(l.UserID)
	switch {
	case err != nil:
		return draft{}, err
	case !a.DeletedAt.IsZero() || !a.DisabledAt.IsZero():
		return draft{}, senseless(causeDeleted)
	case a.Blocked && l.Kind != school.LetterEmailChanged && l.Kind != school.LetterTest:
		return draft{}, senseless(causeBlocked)
	}
	if l.Kind.ToAccount() && l.Email != a.Email { // corrected while the letter was on its way
		if err := tx.UpdateLetterEmail(l.ID, a.Email); err != nil {
			return draft{}, err
		}
		l.Email = a.Email
	}
	w := &writer{Desk: d, tx: tx, letter: l, account: a, route: r, baseURL: baseURL}
	if err := w.collect(); err != nil {
		return draft{}, err
	}
	template, err := textOf(tx, l.Kind, a.Language)
	if err != nil {
		return draft{}, err
	}
	out := draft{template: template, values: w.values, secrets: w.secrets, frame: frameOf(r.school.Name, a.Language)}
	out.message = mail.Message{
		ID: l.MessageID, At: l.QueuedAt, Language: string(a.Language),
		From: mail.Address{Name: r.name, Email: string(r.from)}, To: mail.Address{Name: a.FullName, Email: string(l.Email)},
		ReplyTo: string(r.settings.ReplyTo), Bounce: string(r.settings.BounceEmail),
	}
	return out, nil
}

// frameOf is what stands around every text.
func frameOf(schoolName string, l school.Language) mail.Frame {
	p := locale.Printer{Lang: l}
	return mail.Frame{School: schoolName, Language: string(l), Foot: []string{p.T("mail.foot")}}
}

// textOf answers the school's own wording, or the shipped one.
func textOf(tx *store.Tx, kind school.LetterKind, l school.Language) (mail.Template, error) {
	own, err := tx.FindLetterText(kind, l)
	if errors.Is(err, school.ErrNotFound) {
		own, err = shippedText(kind, l), nil
	}
	return mail.Template{Subject: own.Subject, Body: own.Body}, err
}

// shippedText is the wording that the program comes with.
func shippedText(kind school.LetterKind, l school.Language) school.LetterText {
	p := locale.Printer{Lang: l}
	return school.LetterText{Kind: kind, Language: l, Subject: p.T("mail." + string(kind) + ".subject"), Body: p.T("mail." + string(kind) + ".body")}
}

// writer collects what a letter mentions.
type writer struct {
	*Desk
	tx      *store.Tx
	letter  school.Letter
	account school.Account
	route   mailRoute
	baseURL string
	values  map[string]string
	secrets []string
}

func (w *writer) collect() error {
	w.values = map[string]string{
		"name": w.account.FullName, "school": w.route.school.Name, "email": w.account.Email.Written(), "site": w.baseURL,
	}
	switch w.letter.Kind {
	case school.LetterWelcome:
		if err := w.scene(0); err != nil {
			return err
		}
		return w.access()
	case school.LetterRecovery:
		return w.access()
	case school.LetterEmailChange:
		return w.confirmation()
	case school.LetterEmailChanged:
		// What was queued by an earlier version does not say to what.
		to := cmp.Or(w.letter.ChangedTo(), w.account.Email)
		w.values["email"], w.values["new_email"] = w.letter.Email.Written(), to.Written()
		return nil
	case school.LetterModuleOpened:
		return w.moduleOpened()
	case school.LetterReminder:
		return w.reminder()
	default:
		return nil
	}
}

// access adds the one-time link.
func (w *writer) access() error {
	l, err := w.accessLink(w.tx, w.account.ID, w.route.school)
	if err == nil {
		w.link(l)
	}
	return err
}

func (w *writer) link(l store.Link) {
	p := locale.Printer{Lang: w.account.Language, Zone: w.route.school.Location(), Now: w.tx.Now}
	w.values["link"], w.values["until"] = w.baseURL+w.pathOf(l), p.DateTime(l.ExpiresAt)
	w.secrets = append(w.secrets, w.tokenOf(l.Nonce))
}

// confirmation adds the link that confirms a new address, if it is still wanted.
func (w *writer) confirmation() error {
	l, err := w.tx.FindLinkOf(w.account.ID, store.ForEmail)
	switch {
	case errors.Is(err, school.ErrLinkInvalid) || err == nil && l.NewEmail != w.letter.Email:
		return senseless(causeNewer)
	case err != nil:
		return err
	}
	w.values["email"], w.values["old_email"] = l.NewEmail.Written(), w.account.Email.Written()
	w.link(l)
	return nil
}

// scene adds course, module and manager.
func (w *writer) scene(module school.ModuleID) error {
	s, err := w.tx.FindLetterScene(w.account.ID, module)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return senseless(causeDeleted)
	case err != nil:
		return err
	case s.Held:
		return senseless(causeHeld)
	}
	w.values["course"], w.values["module"], w.values["manager"] = s.Course, s.Module, s.Manager
	if w.values["manager"] == "" {
		w.values["manager"] = w.route.school.Name
	}
	w.values["link"] = w.baseURL + "/course/" + s.Slug
	return nil
}

func (w *writer) moduleOpened() error {
	if !w.route.settings.ModuleOpened {
		return senseless(causeSwitched)
	}
	module, err := strconv.ParseInt(w.letter.About, 10, 64)
	if err != nil {
		return err
	}
	return w.scene(school.ModuleID(module))
}

func (w *writer) reminder() error {
	if w.route.settings.ReminderDays == 0 {
		return senseless(causeSwitched)
	}
	since, err := w.tx.FindLastVisit(w.account.ID)
	if err != nil {
		return err
	}
	days := int(w.tx.Now.Sub(since).Hours() / 24)
	if days < w.route.settings.ReminderDays {
		return senseless(causeBack)
	}
	p := locale.Printer{Lang: w.account.Language}
	w.values["days"] = p.N("mail.days", days)
	return w.scene(0)
}

// sampleValues stand in a preview for what a real letter has.
func sampleValues(p locale.Printer, kind school.LetterKind, reader school.Actor, s school.Settings, baseURL string) map[string]string {
	values := map[string]string{}
	for _, v := range kind.Variables() {
		values[v] = p.T("mail.sample." + v)
	}
	values["name"], values["email"], values["school"], values["site"] = reader.Name, string(reader.Email), s.Name, baseURL
	if _, has := values["link"]; has {
		values["link"] = baseURL + "/access/" + strings.Repeat("•", 8)
	}
	if _, has := values["until"]; has {
		values["until"] = p.DateTime(p.Now.AddDate(0, 0, 3))
	}
	if _, has := values["days"]; has {
		values["days"] = p.N("mail.days", 7)
	}
	return values
}
