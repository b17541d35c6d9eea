package desk

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
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
	kept    school.LetterContent // the same without its secrets
}

// ClaimLetter takes the letter that has been due the longest; busy are domains that
// the caller has enough of at the moment. What has lost its sense meanwhile is
// cancelled on the way. Errors: NotFound when nothing is due, Conflict mail_off
// when there is no server, mail_sealed when its password cannot be opened.
func (d *Desk) ClaimLetter(ctx context.Context, baseURL string, busy []string) (Outgoing, error) {
	for {
		o, err := d.claim(ctx, baseURL, busy)
		switch {
		case errors.Is(err, school.ErrMailSealed):
			return o, errors.Join(err, d.noteSealed(ctx))
		case err == nil || !errors.Is(err, errSenseless):
			return o, err
		}
	}
}

// noteSealed has the panel say that letters do not leave, and why.
func (d *Desk) noteSealed(ctx context.Context) error {
	return d.store.Take(ctx, func(tx *store.Tx) error { return tx.UpdateMailFault(causeSealed, "") })
}

// findDue answers a letter that is due and whose domain may have another one this
// minute. What is found out about domains is remembered, so that a queue of letters
// to one of them is not gone through again and again.
func (d *Desk) findDue(tx *store.Tx, busy []string, perMinute int) (id int64, err error) {
	for {
		var domain string
		if id, domain, err = tx.FindDue(slices.Concat(busy, d.rests.resting(tx.Now))); err != nil || perMinute == 0 {
			return id, err
		}
		until, err := tx.FindDomainRest(domain, perMinute)
		if err != nil || until.IsZero() {
			return id, err
		}
		d.rests.rest(domain, until)
	}
}

// rests are the domains that have had their letters of a minute. The zero value is
// ready for use.
type rests struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (r *rests) rest(domain string, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = map[string]time.Time{}
	}
	r.until[domain] = until
}

// resting answers the domains that rest now, and forgets the others.
func (r *rests) resting(now time.Time) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.until, func(_ string, until time.Time) bool { return !until.After(now) })
	return slices.Collect(maps.Keys(r.until))
}

// errSenseless: the letter that was claimed has been cancelled or given up.
var errSenseless = errors.New("the letter is of no use any more")

func (d *Desk) claim(ctx context.Context, baseURL string, busy []string) (o Outgoing, err error) {
	var draft draft
	var senseless bool
	var claimed int64
	err = d.store.Take(ctx, func(tx *store.Tx) error {
		o, senseless, claimed = Outgoing{}, false, 0
		route, err := d.mailRoute(tx)
		if err != nil {
			return err
		}
		id, err := d.findDue(tx, busy, route.settings.DomainPerMinute)
		if err != nil {
			return err
		}
		if o.Letter, err = tx.ClaimLetter(id, school.NewToken()[:16], route.from.Domain()); err != nil {
			return err
		}
		o.Server = route.server
		claimed = id
		draft, err = d.draftOf(tx, o.Letter, route, baseURL)
		if cause := senselessness(err); cause != "" {
			senseless = true
			return d.drop(tx, o.Letter, cause)
		}
		return err
	})
	switch {
	case err != nil && claimed != 0 && school.KindOf(err) != school.Unavailable: // this one must not keep those behind it from leaving
		return o, errors.Join(errUnwritten, err, d.putOff(ctx, claimed))
	case err != nil:
		return o, err
	case senseless:
		return o, errSenseless
	}
	o.Letter.Email = school.Email(draft.message.To.Email)
	if o.Message, err = draft.compose(); err == nil {
		o.kept, err = draft.masked()
	}
	if err != nil { // a text of the school's that was kept by an older version, say
		_, settleErr := d.settle(ctx, o, store.Outcome{State: school.LetterRefused, Cause: causeText, Reply: templateWords(err)}, nil)
		return o, errors.Join(errSenseless, settleErr)
	}
	return o, nil
}

// templateWords is what is wrong with a text; of other errors the log tells alone.
func templateWords(err error) string {
	if wrong, ok := errors.AsType[*mail.TemplateError](err); ok {
		return oneLine(wrong.Error())
	}
	return ""
}

// errUnwritten: the letter that was due could not be read together.
var errUnwritten = errors.New("write a letter")

// putOff has a letter that could not be written tried later, with everybody's time in
// between.
func (d *Desk) putOff(ctx context.Context, id int64) error {
	return d.store.Take(ctx, func(tx *store.Tx) error {
		return tx.PutOffLetter(id, tx.Now.Add(unwrittenPause), causeUnwritten)
	})
}

const unwrittenPause = 10 * time.Minute

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
	if _, err := tx.SettleLetter(l, store.Outcome{State: state, Cause: cause}); err != nil {
		return err
	}
	if cause != causeTooOld {
		return noteLetter(tx, school.System(), school.LetterWithdrawn, l, cause, "")
	}
	// Where one is too old, there may be as many as there are students.
	all, err := tx.GiveUpLetters(causeTooOld, tx.Now.Add(-school.LetterPatience), maxGivenUp)
	for _, l := range append(all, l) {
		if err == nil {
			err = noteLetter(tx, school.System(), school.LetterFailedForGood, l, cause, "")
		}
	}
	return err
}

// maxGivenUp bounds how many letters one transaction gives up.
const maxGivenUp = 500

// The causes that are not those of package mail.
const (
	causeTooOld    = "too_old"         // nothing could be sent while it was of use
	causeDeleted   = "account_deleted" // by a trigger, too
	causeBlocked   = "account_blocked"
	causeSwitched  = "switched_off" // the school sends no such letters any more
	causeNewer     = "newer"        // there is a later one that says the same
	causeBack      = "came_back"    // nobody has to be reminded
	causeHeld      = "module_held"
	causeBounced   = "bounced"
	causeText      = "text" // the school's own text is faulty
	causeSealed    = "password_sealed"
	causeUnwritten = "unwritten" // what it mentions could not be read; the log says why
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
	o := store.Outcome{Cause: fault.Cause(), Reply: withoutLinks(fault.Words)}
	now := d.store.Now()
	switch {
	case fault.Permanent:
		o.State = school.LetterRefused
	case now.Sub(l.QueuedAt) >= school.LetterPatience:
		o.State = school.LetterGivenUp
	default:
		o.State = school.LetterDeferred
		o.DueAt = now.Add(school.LetterPause(l.Attempts-l.EarlierAttempts, rand.Float64())) //nolint:gosec // spreads attempts, guards nothing
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
		if err := tx.UpsertLetterContent(l.ID, o.kept); err != nil {
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

// linkIn finds the token of a one-time link: a server that refuses a letter may repeat
// what stands in it.
var linkIn = regexp.MustCompile(`/access/[\w-]{20,}`)

// withoutLinks are words of a server with the links in them masked.
func withoutLinks(words string) string { return linkIn.ReplaceAllString(words, "/access/"+masking) }

// noteOutcome tells the history what became of a letter. A letter that is put off
// again for the same cause is no news.
func noteOutcome(tx *store.Tx, l school.Letter, o store.Outcome) error {
	switch {
	case o.State == school.LetterAccepted:
		return noteLetter(tx, school.System(), school.LetterSent, l, "", "")
	case o.State != school.LetterDeferred:
		return noteLetter(tx, school.System(), school.LetterFailedForGood, l, o.Cause, o.Reply)
	case o.Cause != l.Cause:
		return noteLetter(tx, school.System(), school.LetterPutOff, l, o.Cause, o.Reply)
	default:
		return nil
	}
}

// noteLetter adds a line about a letter; cause and reply may be empty.
func noteLetter(tx *store.Tx, actor school.Actor, a school.Action, l school.Letter, cause, reply string) error {
	details := map[string]string{"kind": string(l.Kind), "email": string(l.Email)}
	if cause != "" {
		details["cause"] = cause
	}
	if reply != "" {
		details["reply"] = reply
	}
	return tx.InsertActivity(actor, a, l.UserID, details)
}

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
	if errors.Is(err, school.ErrMailOff) || errors.Is(err, school.ErrMailSealed) {
		return nil
	}
	return err
}
