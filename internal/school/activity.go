package school

import "time"

// Action names what an activity entry tells. It is stored as text.
type Action string

// The actions.
const (
	StudentCreated      Action = "student.created"
	StudentEdited       Action = "student.edited"
	StudentBlocked      Action = "student.blocked"
	StudentOpened       Action = "student.unblocked"
	StudentDeleted      Action = "student.deleted"
	StudentRestored     Action = "student.restored"
	StudentTransferred  Action = "student.transferred"
	StudentMarkedTest   Action = "student.marked_test"
	StudentUnmarkedTest Action = "student.unmarked_test"
	StudentsExported    Action = "students.exported"
	SaleRefunded        Action = "sale.refunded"
	PriceCorrected      Action = "sale.corrected"
	LetterRequeued      Action = "letter.requeued"
	LinkIssued          Action = "link.issued"
	LinkUsed            Action = "link.used"
	PasswordSet         Action = "password.set"
	FirstLogin          Action = "login.first"
	ModuleGranted       Action = "module.granted"
	LessonCompleted     Action = "lesson.completed"
	LessonEdited        Action = "lesson.edited"
	HandedIn            Action = "homework.handed_in"
	WorkReturned        Action = "homework.returned"
	WorkAccepted        Action = "homework.accepted"
	StaffAdded          Action = "staff.added"
	StaffDisabled       Action = "staff.disabled"
	StaffReset          Action = "staff.reset"
	CourseCreated       Action = "course.created"
	SettingsEdited      Action = "settings.edited"
	DoctorRepaired      Action = "doctor.repaired"
)

// Actions lists every action, so that the catalogues can be checked.
func Actions() []Action {
	return []Action{
		StudentCreated, StudentEdited, StudentBlocked, StudentOpened, StudentDeleted, StudentRestored,
		StudentTransferred, StudentMarkedTest, StudentUnmarkedTest, StudentsExported, SaleRefunded, PriceCorrected, LetterRequeued,
		LinkIssued, LinkUsed, PasswordSet, FirstLogin, ModuleGranted, LessonCompleted, LessonEdited,
		HandedIn, WorkReturned, WorkAccepted,
		StaffAdded, StaffDisabled, StaffReset, CourseCreated, SettingsEdited, DoctorRepaired,
	}
}

// Sale reports whether what managers are compared by may differ after the action.
func (a Action) Sale() bool {
	return a == StudentCreated || a == StudentDeleted || a == StudentRestored
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
