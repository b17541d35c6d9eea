package school

import (
	"slices"
	"strings"
	"time"
)

// LetterKind is what a letter is for.
type LetterKind string

// The kinds of letters.
const (
	LetterWelcome      LetterKind = "welcome"
	LetterRecovery     LetterKind = "recovery"      // a forgotten password
	LetterEmailChange  LetterKind = "email_change"  // to the new address, with a link that confirms it
	LetterEmailChanged LetterKind = "email_changed" // to the old address
	LetterModuleOpened LetterKind = "module_opened"
	LetterReminder     LetterKind = "reminder" // to who has not been here for days
	LetterTest         LetterKind = "test"     // to whoever sets up mail
)

// LetterKinds lists them in the order in which a chooser shows them.
func LetterKinds() []LetterKind {
	return []LetterKind{LetterWelcome, LetterRecovery, LetterEmailChange, LetterEmailChanged, LetterModuleOpened, LetterReminder, LetterTest}
}

// ParseLetterKind reads a kind. Errors: NotFound.
func ParseLetterKind(s string) (LetterKind, error) {
	if k := LetterKind(s); slices.Contains(LetterKinds(), k) {
		return k, nil
	}
	return "", ErrNotFound
}

// ToAccount reports whether a letter of this kind goes to the address that the account
// has when it leaves; the others are about an address.
func (k LetterKind) ToAccount() bool {
	return k != LetterEmailChange && k != LetterEmailChanged
}

// Variables are what a text of this kind may mention, in braces.
func (k LetterKind) Variables() []string {
	common := []string{"name", "school", "email", "site"}
	switch k {
	case LetterWelcome:
		return append(common, "course", "module", "manager", "link", "until")
	case LetterRecovery:
		return append(common, "link", "until")
	case LetterEmailChange:
		return append(common, "link", "until", "old_email")
	case LetterEmailChanged:
		return append(common, "new_email")
	case LetterModuleOpened:
		return append(common, "course", "module", "link")
	case LetterReminder:
		return append(common, "course", "days", "link")
	default:
		return common
	}
}

// Needs are the variables without which a text of this kind is of no use.
func (k LetterKind) Needs() []string {
	switch k {
	case LetterWelcome, LetterRecovery, LetterEmailChange:
		return []string{"link"}
	default:
		return nil
	}
}

// LetterState is what has become of a letter.
type LetterState string

// The states. A letter is accepted when the mail server has answered that it takes
// it; nothing before that counts as sent.
const (
	LetterQueued    LetterState = "queued"
	LetterSending   LetterState = "sending"
	LetterDeferred  LetterState = "deferred" // will be tried again
	LetterAccepted  LetterState = "accepted"
	LetterRefused   LetterState = "refused"  // the server will never take it
	LetterGivenUp   LetterState = "given_up" // tried for as long as makes sense
	LetterBounced   LetterState = "bounced"  // taken, and come back
	LetterCancelled LetterState = "cancelled"
)

// LetterStates lists them in the order in which a chooser shows them.
func LetterStates() []LetterState {
	return []LetterState{LetterQueued, LetterSending, LetterDeferred, LetterAccepted, LetterRefused, LetterGivenUp, LetterBounced, LetterCancelled}
}

// ParseLetterState reads a state; none for what is not one.
func ParseLetterState(s string) LetterState {
	if v := LetterState(s); slices.Contains(LetterStates(), v) {
		return v
	}
	return ""
}

// Waits reports whether the letter is still to leave.
func (s LetterState) Waits() bool {
	return s == LetterQueued || s == LetterSending || s == LetterDeferred
}

// Failed reports whether the letter will not arrive unless somebody does something.
func (s LetterState) Failed() bool {
	return s == LetterRefused || s == LetterGivenUp || s == LetterBounced
}

// Letter is one letter of the outbox.
type Letter struct {
	ID       int64
	UserID   UserID
	Name     string // the person's
	Language Language
	Kind     LetterKind
	About    string // a module's id, the day on which an absence began, or the new address and when it came
	Email    Email  // to whom it goes
	State    LetterState
	QueuedAt time.Time
	// DueAt is when it will be tried next; zero: never again.
	DueAt    time.Time
	Attempts int
	// EarlierAttempts are those before somebody had it tried again.
	EarlierAttempts int
	AttemptedAt     time.Time
	MessageID       string
	Cause           string // why it is in its state: a code of the catalogues
	Reply           string // the server's own words
	SentAt          time.Time
}

// MayRetry reports whether the letter can be sent again, or at once. One that waits
// for its module would lose its sense.
func (l Letter) MayRetry(now time.Time) bool {
	switch l.State {
	case LetterQueued:
		return l.Kind != LetterModuleOpened || !l.DueAt.After(now)
	case LetterDeferred, LetterCancelled:
		return true
	default:
		return l.State.Failed()
	}
}

// StudentLetter is the newest welcome letter to a student, as lists show it. The zero
// value: there is none.
type StudentLetter struct {
	ID       int64
	State    LetterState
	Email    Email // to whom it went; the address may have been corrected since
	QueuedAt time.Time
	DueAt    time.Time // zero: it will not be tried again
	SentAt   time.Time
	Attempts int
	Cause    string
	Reply    string
}

// ResendAfter is when another letter to the address may be asked for; zero: at
// once. One that waits in the queue is only hurried, and stays one.
func (l StudentLetter) ResendAfter(now Email) time.Time {
	switch {
	case l.Email != now:
		return time.Time{}
	case l.State == LetterAccepted:
		return l.SentAt.Add(ResendPause)
	case l.State == LetterSending: // until its lease ends
		return l.DueAt
	default:
		return time.Time{}
	}
}

// LetterContent is what a letter said, its secrets masked.
type LetterContent struct{ Subject, Text, HTML string }

// LetterText is the wording of one kind in one language.
type LetterText struct {
	Kind          LetterKind
	Language      Language
	Subject, Body string
	Own           bool // the school's own, not the shipped one
	UpdatedAt     time.Time
	UpdatedBy     string // a name
}

// LetterFilter chooses letters of the outbox. The zero value chooses all.
type LetterFilter struct {
	State LetterState
	Kind  LetterKind
	Query string // pieces of a name or an address
	User  UserID
	// Before is the id of the last letter of the page before; 0: the newest.
	Before int64
}

// MailTraffic is what the outbox does, for who looks after it.
type MailTraffic struct {
	Waiting  int // also those that were put off; at most MaxCountedLetters
	Failed   int // in the last week, at most MaxCountedLetters
	LastHour int // accepted, at most MaxCountedLetters
	// Oldest is since when the oldest of those that wait does; zero: none waits.
	Oldest time.Time
}

// MaxCountedLetters is how far letters are counted; there are more than that.
const MaxCountedLetters = 10_000

const (
	// LetterPatience is for how long a letter is tried: who has not got a welcome
	// after two days has been written to by other means.
	LetterPatience = 48 * time.Hour
	// LetterLease is after how long the worker that has a letter is taken for dead.
	LetterLease = 2 * time.Minute
	// ResendPause is how long a letter to the same person must have waited or been
	// away before another one may be asked for.
	ResendPause = time.Minute
)

// The first pause after a failure, and the longest.
const (
	firstLetterPause = time.Minute
	maxLetterPause   = 6 * time.Hour
)

// LetterPause is how long to wait after so many attempts, the first of which is 1.
// spread, from 0 to 1, moves it by a fifth either way, so that letters that failed
// together do not come back together.
func LetterPause(attempts int, spread float64) time.Duration {
	pause := maxLetterPause
	if n := max(attempts-1, 0); n < 16 {
		pause = min(firstLetterPause<<n, maxLetterPause)
	}
	return time.Duration(float64(pause) * (0.8 + 0.4*spread))
}

// AboutChange is what the notice of a change to an address is about: this one, of which
// there may be others.
func AboutChange(to Email, at time.Time) string {
	return string(to) + " " + at.Format(time.RFC3339Nano)
}

// ChangedTo answers the new address that a notice tells of; empty where it does not say.
func (l Letter) ChangedTo() Email {
	to, _, said := strings.Cut(l.About, " ")
	if !said {
		return ""
	}
	return Email(to)
}
