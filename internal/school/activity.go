package school

import "time"

// Action names what an activity entry tells. It is stored as text.
type Action string

// The actions.
const (
	StudentCreated  Action = "student.created"
	StudentEdited   Action = "student.edited"
	StudentBlocked  Action = "student.blocked"
	StudentOpened   Action = "student.unblocked"
	StudentDeleted  Action = "student.deleted"
	StudentRestored Action = "student.restored"
	// StudentTransferred: from and to are names, sales is kept or moved.
	StudentTransferred  Action = "student.transferred"
	StudentMarkedTest   Action = "student.marked_test"
	StudentUnmarkedTest Action = "student.unmarked_test"
	StudentsExported    Action = "students.exported" // rows, format
	LinkIssued          Action = "link.issued"
	LinkUsed            Action = "link.used"
	PasswordSet         Action = "password.set"
	FirstLogin          Action = "login.first"
	LetterRequeued      Action = "letter.requeued"
	// Of a letter: kind, email, and where it did not arrive cause and reply.
	LetterSent          Action = "letter.sent"     // the mail server has taken it
	LetterPutOff        Action = "letter.deferred" // it will be tried again
	LetterFailedForGood Action = "letter.failed"
	LetterCameBack      Action = "letter.bounced"
	LetterWithdrawn     Action = "letter.withdrawn" // by hand
	RecoveryAsked       Action = "recovery.asked"
	EmailChangeAsked    Action = "email.asked"
	EmailChanged        Action = "email.changed"
	MailEdited          Action = "mail.edited" // server, from
	HookReplaced        Action = "mail.hook_replaced"
	HookConfirmed       Action = "mail.hook_confirmed" // a provider was told that it may report bounces
	LetterTextEdited    Action = "letter_text.edited"  // kind, language
	LetterTextReset     Action = "letter_text.reset"
	ModuleGranted       Action = "module.granted"
	LessonCompleted     Action = "lesson.completed"
	LessonEdited        Action = "lesson.edited"
	HandedIn            Action = "homework.handed_in"
	WorkReturned        Action = "homework.returned"
	WorkAccepted        Action = "homework.accepted"
	SaleRefunded        Action = "sale.refunded"  // amount, reason
	PriceCorrected      Action = "sale.corrected" // before, after, reason
	StaffAdded          Action = "staff.added"
	StaffDisabled       Action = "staff.disabled"
	StaffReset          Action = "staff.reset"
	CourseCreated       Action = "course.created"
	SettingsEdited      Action = "settings.edited"
	DoctorRepaired      Action = "doctor.repaired"
)

// The attempts that were refused and that an administrator should know of. They
// belong to nobody's own history; see Scope.
const (
	LoginLocked    Action = "login.locked"    // too many wrong passwords for one account
	RefusedForeign Action = "refused.foreign" // a student of somebody else was asked for
	RefusedRole    Action = "refused.role"    // a page of a higher role
	RefusedBlocked Action = "refused.blocked" // the right password of an account without access
)

// ActionGroup is a kind of actions that people look for together.
type ActionGroup struct {
	Name    string
	Actions []Action
}

// ActionGroups lists every action, in the order in which a chooser shows them.
func ActionGroups() []ActionGroup {
	return []ActionGroup{
		{"students", []Action{
			StudentCreated, StudentEdited, StudentDeleted, StudentRestored, StudentTransferred, StudentMarkedTest, StudentUnmarkedTest, StudentsExported,
		}},
		{"access", []Action{StudentBlocked, StudentOpened, LinkIssued, LinkUsed, PasswordSet, FirstLogin, RecoveryAsked, EmailChangeAsked, EmailChanged}},
		{"letters", []Action{LetterSent, LetterPutOff, LetterFailedForGood, LetterCameBack, LetterRequeued, LetterWithdrawn}},
		{"study", []Action{ModuleGranted, LessonCompleted, HandedIn, WorkReturned, WorkAccepted}},
		{"money", []Action{SaleRefunded, PriceCorrected}},
		{"staff", []Action{StaffAdded, StaffDisabled, StaffReset}},
		{"school", []Action{CourseCreated, LessonEdited, SettingsEdited, MailEdited, HookReplaced, HookConfirmed, LetterTextEdited, LetterTextReset, DoctorRepaired}},
		{"refusals", Refusals()},
	}
}

// Refusals lists the actions that only an administrator sees.
func Refusals() []Action { return []Action{LoginLocked, RefusedForeign, RefusedRole, RefusedBlocked} }

// Actions lists every action, so that the catalogues can be checked.
func Actions() []Action {
	var all []Action
	for _, g := range ActionGroups() {
		all = append(all, g.Actions...)
	}
	return all
}

// ActionsNamed answers the actions of a group, or the one of that name; none for
// a name that we do not know.
func ActionsNamed(name string) []Action {
	for _, g := range ActionGroups() {
		if g.Name == name {
			return g.Actions
		}
		for _, a := range g.Actions {
			if string(a) == name {
				return []Action{a}
			}
		}
	}
	return nil
}

// The details that no sentence mentions: whom a line concerns beside the owner of
// the student, so that their screens are told.
const (
	DetailFrom    = "from_id"   // whose the student was before
	DetailSellers = "seller_id" // in whose figures the sales counted, parted by spaces
)

// Ranks reports whether the ranking may differ after the action, which everybody
// sees. A completion does not count as one: every lesson would have every screen
// read anew.
func (a Action) Ranks() bool {
	switch a {
	case StudentBlocked, StudentOpened, StudentCreated, StudentDeleted, StudentRestored, StudentTransferred, StudentMarkedTest, StudentUnmarkedTest, SaleRefunded, PriceCorrected:
		return true
	default:
		return false
	}
}

// Activity is one line of the history. Lines are written in the transaction of
// what they tell and are never changed.
type Activity struct {
	ID        int64
	At        time.Time
	Door      Door
	RequestID string
	ActorID   UserID // empty: the terminal or the system
	ActorName string
	SubjectID UserID // the person it happened to; empty: nobody
	Subject   string // that person's name
	Action    Action
	// Details are what the sentence mentions: old and new values, a module, a
	// reason. Never a secret.
	Details map[string]string
}
