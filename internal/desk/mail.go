package desk

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"tripwire/internal/mail"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
)

// FixedMail is the mail server that the settings of the process name.
type FixedMail struct {
	Server mail.Server
	From   mail.Address
}

// mailRoute is by where and as whom letters leave.
type mailRoute struct {
	server   mail.Server
	name     string // of the sender
	from     school.Email
	settings school.MailSettings
	school   school.Settings
}

const sealedMail = "the password of the mail server"

// mailRoute answers the server of the process's settings, else that of the panel.
// Errors: Conflict mail_off, mail_sealed.
func (d *Desk) mailRoute(tx *store.Tx) (r mailRoute, err error) {
	if r.settings, err = tx.FindMailSettings(); err != nil {
		return r, err
	}
	if r.school, err = tx.FindSettings(); err != nil {
		return r, err
	}
	if d.mail != nil {
		r.server, r.name, r.from = d.mail.Server, d.mail.From.Name, school.Email(d.mail.From.Email)
	} else if r.settings.Host != "" {
		r.server, err = d.serverOf(r.settings)
		r.name, r.from = r.settings.FromName, r.settings.FromEmail
	} else {
		err = school.ErrMailOff
	}
	if r.name == "" {
		r.name = r.school.Name
	}
	return r, err
}

// serverOf opens what is sealed in the settings. Errors: Conflict mail_sealed.
func (d *Desk) serverOf(s school.MailSettings) (mail.Server, error) {
	server := mail.Server{Host: s.Host, Port: s.Port, Security: mail.Security(s.Security), User: s.Username, Password: s.Password}
	if server.Password == "" && s.SealedPassword != "" {
		var err error
		if server.Password, err = d.key.Open(sealedMail, s.SealedPassword); err != nil {
			return server, errors.Join(school.ErrMailSealed, err)
		}
	}
	return server, nil
}

// MailState is how letters leave, for the panel.
type MailState struct {
	Settings school.MailSettings
	// Fixed: the server is that of the process's settings, and nobody edits it here.
	Fixed bool
	// HasPassword: a password of the server is kept.
	HasPassword bool
	// Server says which server it is, without its password; empty: none.
	Server  string
	From    string
	Traffic school.MailTraffic
}

// Mail answers how letters leave. Errors: Forbidden.
func (d *Desk) Mail(ctx context.Context, actor school.Actor) (m MailState, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return m, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if m, err = d.mailState(tx); err != nil {
			return err
		}
		m.Traffic, err = tx.FindMailTraffic()
		return err
	})
	m.HasPassword, m.Settings.SealedPassword = m.Settings.SealedPassword != "", ""
	return m, err
}

func (d *Desk) mailState(tx *store.Tx) (m MailState, err error) {
	r, err := d.mailRoute(tx)
	m.Settings, m.Fixed = r.settings, d.mail != nil
	switch {
	case errors.Is(err, school.ErrMailOff):
		return m, nil
	case errors.Is(err, school.ErrMailSealed):
		err = nil // it says so as a fault
	}
	m.Server, m.From = r.server.String(), string(r.from)
	return m, err
}

// MailCondition is whether letters leave, as every page has to know.
type MailCondition struct {
	On    bool   // a server is set up
	Fault string // what keeps all letters from leaving; empty: nothing that is known
}

// Works reports whether letters leave, as far as is known.
func (m MailCondition) Works() bool { return m.On && m.Fault == "" }

// MailCondition reads from the settings of the school whether letters leave.
func (d *Desk) MailCondition(s school.Settings) MailCondition {
	return MailCondition{On: d.mail != nil || s.MailHost != "", Fault: s.MailFault}
}

// EditMail keeps how letters leave. An empty password leaves the one that is kept,
// as long as server and user stay the same. Errors: Invalid with the faulty fields,
// Forbidden.
func (d *Desk) EditMail(ctx context.Context, actor school.Actor, s school.MailSettings) error {
	if err := actor.May(school.ManageSchool); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		old, err := tx.FindMailSettings()
		if err != nil {
			return err
		}
		if d.mail != nil { // nobody edits it here
			s.Host, s.Port, s.Security, s.Username, s.Password = old.Host, old.Port, old.Security, old.Username, ""
			s.FromName, s.FromEmail, s.SealedPassword = old.FromName, old.FromEmail, old.SealedPassword
		} else if err := d.sealPassword(&s, old); err != nil {
			return err
		}
		if err := tx.UpdateMailSettings(s); err != nil {
			return err
		}
		if routeChanged(old, s) { // what waited for this leaves
			if err := endMailFault(tx); err != nil {
				return err
			}
		}
		return tx.InsertActivity(actor, school.MailEdited, "", map[string]string{"server": s.Host, "from": string(s.FromEmail)})
	})
}

// routeChanged reports whether letters leave by another way: after that nothing is
// known of a fault.
func routeChanged(old, now school.MailSettings) bool {
	return old.Host != now.Host || old.Port != now.Port || old.Security != now.Security || old.Username != now.Username ||
		old.SealedPassword != now.SealedPassword || old.FromEmail != now.FromEmail
}

// CarryPassword seals the password that was typed, or is carried already, for the page
// that asks for the rest again. It opens for the same server and user alone. Errors:
// Forbidden.
func (d *Desk) CarryPassword(actor school.Actor, s school.MailSettings) (string, error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return "", err
	}
	if d.uncarry(&s); s.Password == "" {
		return "", nil
	}
	return d.key.Seal(carriedFor(s), s.Password)
}

func carriedFor(s school.MailSettings) string {
	return "a password on the way to " + s.Username + " at " + s.Host
}

// uncarry opens the password that a page carries, where none was typed since.
func (d *Desk) uncarry(s *school.MailSettings) {
	if s.Password == "" && s.CarriedPassword != "" {
		s.Password, _ = d.key.Open(carriedFor(*s), s.CarriedPassword) // which was for another server, then it is to be typed
	}
}

// sealPassword seals what was typed, or keeps what was sealed for the same server.
// Errors: Invalid password_required at password, where there is a user and neither.
func (d *Desk) sealPassword(s *school.MailSettings, old school.MailSettings) (err error) {
	d.uncarry(s)
	s.SealedPassword = ""
	switch {
	case s.Password != "":
		s.SealedPassword, err = d.key.Seal(sealedMail, s.Password)
	case s.Host == old.Host && s.Username == old.Username && s.Username != "":
		s.SealedPassword = old.SealedPassword
	}
	if err == nil && s.Username != "" && s.SealedPassword == "" {
		err = school.ErrPasswordRequired.AtField("password")
	}
	return err
}

// MailTrial is what the connection test found; the zero value: nothing is wrong.
type MailTrial struct {
	Cause string // a code of the catalogues
	Words string // the server's own
}

// TryMail tests the connection with settings that need not be kept yet: it logs in
// and asks whether the sender is admitted; nothing is sent. Errors: Invalid with the
// faulty fields, Conflict mail_off, Forbidden.
func (d *Desk) TryMail(ctx context.Context, actor school.Actor, s school.MailSettings) (t MailTrial, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return t, err
	}
	if d.mail == nil {
		if err := s.Check(); err != nil {
			return t, err
		}
	}
	var server mail.Server
	var from school.Email
	var inUse bool // these are the settings by which letters leave
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		r, err := d.mailRoute(tx)
		server, from, inUse = r.server, r.from, true
		if d.mail != nil || err != nil && !errors.Is(err, school.ErrMailOff) && !errors.Is(err, school.ErrMailSealed) {
			return err
		}
		if err := d.sealPassword(&s, r.settings); err != nil {
			return err
		}
		from = s.FromEmail
		server, err = d.serverOf(s)
		inUse = server == r.server && from == r.from
		return err
	})
	switch {
	case errors.Is(err, school.ErrMailSealed):
		return MailTrial{Cause: causeSealed}, nil
	case err != nil:
		return t, err
	case server.Host == "":
		return t, school.ErrMailOff
	}
	if t, err = try(ctx, server, from); err == nil && t == (MailTrial{}) && inUse {
		err = d.noteMailWorks(ctx)
	}
	return t, err
}

// noteMailWorks takes the notice of a fault away that a trial has disproved, and has
// everything tried at once that was put off.
func (d *Desk) noteMailWorks(ctx context.Context) error {
	return d.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.FindMailSettings()
		if err != nil || s.Fault == "" {
			return err
		}
		return endMailFault(tx)
	})
}

func endMailFault(tx *store.Tx) error {
	if err := tx.UpdateMailFault("", ""); err != nil {
		return err
	}
	return tx.HurryLetters()
}

func try(ctx context.Context, server mail.Server, from school.Email) (t MailTrial, err error) {
	sender := mail.NewSender(server, mail.Options{Timeout: trialTimeout, HelloName: from.Domain()})
	defer sender.Close()
	err = sender.Try(ctx, string(from))
	if fault, ok := errors.AsType[*mail.Fault](err); ok {
		return MailTrial{Cause: fault.Cause(), Words: fault.Words}, nil
	}
	return t, err
}

// ReplaceHook makes a new token with which a provider may report bounces, and ends
// the one before. It is shown once. Errors: Forbidden.
func (d *Desk) ReplaceHook(ctx context.Context, actor school.Actor) (token string, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return "", err
	}
	token = school.NewToken()
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.UpdateHook(digest(token)); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.HookReplaced, "", nil)
	})
	return token, err
}

// ReportBounces notes which letters came back, for a provider that shows the token.
// It answers how many were ours. A provider that asks first whether it may is told
// that it may. Errors: Unauthenticated hook_refused, Invalid bounce_invalid,
// Unavailable when the provider cannot be told.
func (d *Desk) ReportBounces(ctx context.Context, token, contentType string, body []byte) (noted int, err error) {
	var known string
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		s, err := tx.FindMailSettings()
		known = s.HookHash
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case known == "" || subtle.ConstantTimeCompare([]byte(known), []byte(digest(token))) == 0:
		return 0, school.ErrHookRefused
	}
	confirmAt, asks, err := mail.ParseSubscription(body)
	switch {
	case err != nil:
		return 0, school.ErrBounceInvalid
	case asks:
		return 0, d.confirmHook(ctx, confirmAt)
	}
	return d.noteBounces(ctx, contentType, body)
}

// confirmHook tells a provider that it may report here.
func (d *Desk) confirmHook(ctx context.Context, at string) error {
	if err := d.admitReports(ctx, at); err != nil {
		return errors.Join(school.ErrUnavailable, err)
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		return tx.InsertActivity(school.System(), school.HookConfirmed, "", nil)
	})
}

// TakeBounce notes a bounce that the mail server itself hands over, as a mail on the
// way to a program. Errors: Forbidden, Invalid bounce_invalid.
func (d *Desk) TakeBounce(ctx context.Context, actor school.Actor, letter []byte) (noted int, err error) {
	if err := actor.May(school.ManageSchool); err != nil {
		return 0, err
	}
	return d.noteBounces(ctx, "message/rfc822", letter)
}

func (d *Desk) noteBounces(ctx context.Context, contentType string, body []byte) (noted int, err error) {
	all, err := mail.ParseBounces(contentType, body)
	if err != nil {
		return 0, school.ErrBounceInvalid
	}
	for _, b := range all {
		if !b.Permanent {
			continue // the server goes on trying
		}
		err := d.store.Write(ctx, func(tx *store.Tx) error {
			recipient, err := school.NewEmail(b.Recipient)
			if err != nil { // none is named, or in a form of the provider's own
				recipient = ""
			}
			l, err := tx.BounceLetter(b.MessageID, recipient, withoutLinks(b.Words))
			if err != nil {
				return err
			}
			return noteLetter(tx, school.System(), school.LetterCameBack, l, causeBounced, withoutLinks(b.Words))
		})
		switch {
		case err == nil:
			noted++
		case !errors.Is(err, school.ErrNotFound): // not one of ours, or told before
			return noted, err
		}
	}
	return noted, nil
}

// ErrOtherKey: the database was made with another key than the data folder has.
var ErrOtherKey = errors.New("the key in the data folder (" + secret.FileName + ") is not the one that this database was made with, or is missing; without that one, links in letters no longer open, and the password of the mail server has to be typed again: put it back, or " + runFix)

// checkKey notes which key the database works with. Errors: ErrOtherKey.
func (d *Desk) checkKey(tx *store.Tx) error {
	known, err := tx.KeepFingerprint(d.key.Fingerprint())
	if err == nil && known != d.key.Fingerprint() {
		err = ErrOtherKey
	}
	return err
}

// trialTimeout is how long somebody waits in front of the screen.
const trialTimeout = 20 * time.Second
