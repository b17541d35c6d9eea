package desk

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"tripwire/internal/mail"
	"tripwire/internal/school"
	"tripwire/internal/store"
)

// Outgoing is a letter that its caller alone has until the lease ends, ready to be
// handed over.
type Outgoing struct {
	Letter  school.Letter
	Server  mail.Server
	Message mail.Message
	// secrets are what must not be kept of the message.
	secrets []string
}

// ClaimLetter takes the letter that has been due the longest; busy are domains that
// the caller has enough of at the moment. What has lost its sense meanwhile is
// cancelled on the way. Errors: NotFound when nothing is due, Conflict mail_off
// when there is no server.
func (d *Desk) ClaimLetter(ctx context.Context, baseURL string, busy []string) (Outgoing, error) {
	for {
		o, err := d.claim(ctx, baseURL, busy)
		if err == nil || !errors.Is(err, errSenseless) {
			return o, err
		}
	}
}

// errSenseless: the letter that was claimed has been cancelled or given up.
var errSenseless = errors.New("the letter is of no use any more")

func (d *Desk) claim(ctx context.Context, baseURL string, busy []string) (o Outgoing, err error) {
	var draft draft
	var senseless bool
	err = d.store.Take(ctx, func(tx *store.Tx) error {
		o, senseless = Outgoing{}, false
		route, err := d.mailRoute(tx)
		if err != nil {
			return err
		}
		all, err := tx.ClaimLetters(store.Claim{Limit: 1, PerMinute: route.settings.DomainPerMinute, Busy: busy, Sender: route.from.Domain(), Nonce: school.NewToken()[:16]})
		switch {
		case err != nil:
			return err
		case len(all) == 0:
			return school.ErrNotFound
		}
		o.Letter, o.Server = all[0], route.server
		draft, err = d.draftOf(tx, o.Letter, route, baseURL)
		if cause := senselessness(err); cause != "" {
			senseless = true
			return d.drop(tx, o.Letter, cause)
		}
		return err
	})
	switch {
	case err != nil:
		return o, err
	case senseless:
		return o, errSenseless
	}
	o.Message, err = draft.compose()
	o.secrets = draft.secrets
	if err != nil { // a text of the school's that was kept by an older version, say
		_, settleErr := d.settle(ctx, o, store.Outcome{State: school.LetterRefused, Cause: "text", Reply: err.Error()}, nil)
		return o, errors.Join(errSenseless, settleErr)
	}
	return o, nil
}

// senseless is why a letter is not sent at all.
type senseless string

func (s senseless) Error() string { return "the letter is of no use any more: " + string(s) }

func senselessness(err error) string {
	s, _ := errors.AsType[senseless](err)
	return string(s)
}

// drop ends a letter that was claimed and is not sent.
func (d *Desk) drop(tx *store.Tx, l school.Letter, cause string) error {
	state := school.LetterCancelled
	if cause == causeTooOld {
		state = school.LetterGivenUp
	}
	if _, err := tx.SettleLetter(l, store.Outcome{State: state, Cause: cause}); err != nil || cause != causeTooOld {
		return err
	}
	// Where one is too old, there may be as many as there are students.
	return tx.GiveUpLetters(causeTooOld, tx.Now.Add(-school.LetterPatience), maxGivenUp)
}

// maxGivenUp bounds how many letters one transaction gives up.
const maxGivenUp = 5000

// The causes that are not those of package mail.
const (
	causeTooOld   = "too_old"         // nothing could be sent while it was of use
	causeDeleted  = "account_deleted" // by a trigger, too
	causeBlocked  = "account_blocked"
	causeSwitched = "switched_off" // the school sends no such letters any more
	causeNewer    = "newer"        // there is a later one that says the same
	causeBack     = "came_back"    // nobody has to be reminded
	causeHeld     = "module_held"
	causeBounced  = "bounced"
)

// SettleLetter keeps what an attempt came to: nil, or what package mail says.
func (d *Desk) SettleLetter(ctx context.Context, o Outgoing, attempt error) error {
	outcome, fault := d.judge(o.Letter, attempt)
	kept, err := d.settle(ctx, o, outcome, fault)
	if err == nil && !kept {
		return errLeaseLost
	}
	return err
}

// errLeaseLost: the attempt took longer than its lease, and another worker has the
// letter.
var errLeaseLost = errors.New("the lease of the letter ended before its attempt did")

// judge turns the outcome of an attempt into a state.
func (d *Desk) judge(l school.Letter, attempt error) (store.Outcome, *mail.Fault) {
	if attempt == nil {
		return store.Outcome{State: school.LetterAccepted}, nil
	}
	fault, ok := errors.AsType[*mail.Fault](attempt)
	if !ok {
		fault = &mail.Fault{Words: attempt.Error(), Err: attempt}
	}
	o := store.Outcome{Cause: fault.Cause(), Reply: fault.Words}
	now := d.store.Now()
	switch {
	case fault.Permanent:
		o.State = school.LetterRefused
	case now.Sub(l.QueuedAt) >= school.LetterPatience:
		o.State = school.LetterGivenUp
	default:
		o.State = school.LetterDeferred
		o.DueAt = now.Add(school.LetterPause(l.Attempts, rand.Float64())) //nolint:gosec // spreads attempts, guards nothing
	}
	return o, fault
}

// settle keeps the outcome with what the letter said, and tells the history. It
// answers false when the lease was lost.
func (d *Desk) settle(ctx context.Context, o Outgoing, outcome store.Outcome, fault *mail.Fault) (kept bool, err error) {
	l := o.Letter
	err = d.store.Take(ctx, func(tx *store.Tx) error {
		if kept, err = tx.SettleLetter(l, outcome); err != nil || !kept {
			return err
		}
		if err := tx.UpsertLetterContent(l.ID, o.masked()); err != nil {
			return err
		}
		switch {
		case fault != nil && fault.OfSetUp():
			err = tx.UpdateMailFault(outcome.Cause, outcome.Reply)
		case outcome.State == school.LetterAccepted:
			err = tx.UpdateMailFault("", "")
		}
		if err != nil {
			return err
		}
		return noteOutcome(tx, l, outcome)
	})
	return kept, err
}

// noteOutcome tells the history what became of a letter. A letter that is put off
// again for the same cause is no news.
func noteOutcome(tx *store.Tx, l school.Letter, o store.Outcome) error {
	switch {
	case o.State == school.LetterAccepted:
		return noteLetter(tx, school.LetterSent, l, "", "")
	case o.State != school.LetterDeferred:
		return noteLetter(tx, school.LetterFailedForGood, l, o.Cause, o.Reply)
	case o.Cause != l.Cause:
		return noteLetter(tx, school.LetterPutOff, l, o.Cause, o.Reply)
	default:
		return nil
	}
}

// noteLetter adds a line about a letter. Letters to test the set-up are nobody's
// story.
func noteLetter(tx *store.Tx, a school.Action, l school.Letter, cause, reply string) error {
	if l.Kind == school.LetterTest {
		return nil
	}
	details := map[string]string{"kind": string(l.Kind), "email": string(l.Email)}
	if cause != "" {
		details["cause"] = cause
	}
	if reply != "" {
		details["reply"] = reply
	}
	return tx.InsertActivity(school.System(), a, l.UserID, details)
}

// masked is what is kept of the message.
func (o Outgoing) masked() school.LetterContent {
	mask := func(s string) string {
		for _, secret := range o.secrets {
			s = strings.ReplaceAll(s, secret, masking)
		}
		return s
	}
	return school.LetterContent{Subject: mask(o.Message.Subject), Text: mask(o.Message.Text), HTML: mask(o.Message.HTML)}
}

const masking = "••••••••"

// NextLetter answers when a letter will be due; zero: none waits.
func (d *Desk) NextLetter(ctx context.Context) (t time.Time, err error) {
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		t, err = tx.FindNextDue()
		return err
	})
	return t, err
}

// Queued answers a channel that gets a value soon after letters may have been
// queued, here or by another server on the same PostgreSQL database. stop ends it.
func (d *Desk) Queued() (queued <-chan struct{}, stop func()) { return d.store.Watch() }

// maxReminders bounds how many reminders one transaction queues.
const maxReminders = 500

// QueueReminders writes to students who have not been here for as many days as the
// school says, and answers to how many.
func (d *Desk) QueueReminders(ctx context.Context) (total int, err error) {
	for {
		n := 0
		err = d.store.Write(ctx, func(tx *store.Tx) error {
			s, err := tx.FindMailSettings()
			if err != nil || s.ReminderDays == 0 {
				n = 0
				return err
			}
			if _, err := d.mailRoute(tx); err != nil {
				return ignoreOff(err)
			}
			n, err = tx.QueueReminders(s.ReminderDays, maxReminders)
			return err
		})
		if total += n; err != nil || n < maxReminders {
			return total, err
		}
	}
}

func ignoreOff(err error) error {
	if errors.Is(err, school.ErrMailOff) {
		return nil
	}
	return err
}
