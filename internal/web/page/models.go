package page

import (
	"time"

	"tripwire/internal/school"
)

// LoginForm is the way in. Error is a code; the address stays as typed.
type LoginForm struct {
	Email  string
	Next   string // the page that was asked for; empty: the person's own place
	Error  string
	Params map[string]string
	// Changed: the address has just been changed, and every session has ended.
	Changed bool
}

// RecoverForm asks for a letter with a link for a new password.
type RecoverForm struct {
	Email  string
	Error  string
	Fields map[string]string
	Params map[string]string
	Sent   bool // a letter is on its way, if somebody has the address
}

// ConfirmForm asks for one press before an address changes.
type ConfirmForm struct {
	Action   string
	Old, New string
	Taken    bool // by another account, meanwhile
}

// EmailForm asks for another address of one's own.
type EmailForm struct {
	Email  string
	Error  string
	Fields map[string]string
	Params map[string]string
}

// PasswordForm asks for a password of one's own: after the first login, behind
// a one-time link, or in the account.
type PasswordForm struct {
	Fields   map[string]string
	Error    string
	Params   map[string]string
	Action   string // where it is posted; empty: /password
	Heading  string // empty: the usual heading
	Email    string // for the password manager
	Required bool   // nothing else is open until it is done
}

// SetupForm makes the first administrator.
type SetupForm struct {
	FullName string
	Email    string
	Fields   map[string]string
	Error    string
	Params   map[string]string
	Action   string // empty: /setup
}

// PanelPage is the desk of a sales manager.
type PanelPage struct {
	CourseTitle string // empty: no course is published
	ModuleCount int
	Price       school.Money
	Period      Period
	Stats       []Stat
	Chart       Chart
	Ranking     Ranking
	List        StudentList
	Activity    []school.Activity
	Form        StudentForm
	OpenForm    bool            // the form is open when the page arrives
	Created     *school.Created // the success dialog is open when the page arrives
	// ListError and ActivityError are request ids of reads that failed: the
	// block says so in place of showing nothing.
	ListError     string
	ActivityError string
}

// StudentForm is the form of a new student, as typed.
type StudentForm struct {
	FullName string
	Email    string
	Password string
	Price    string
	Language string
	Access   string // "password" (also when empty) or "link"
	Key      string
	Fields   map[string]string
	Error    string
	// Params of student_exists may name the student: student_id, student_name.
	Params         map[string]string
	CoursePrice    school.Money
	MayChangePrice bool
}

// CardPage is everything about one student.
type CardPage struct {
	Student     school.Student
	CourseTitle string // may be empty
	Modules     []school.ModuleProgress
	Activity    []school.Activity
	Edit        EditForm
	Link        *LinkShown
	// RestoreError is email_taken when the address now belongs to another
	// account; RestoreParams may name it: student_id, student_name.
	RestoreError  string
	RestoreParams map[string]string
	RestoreEmail  string            // as typed
	RestoreFields map[string]string // what is wrong with it
	RestoreUntil  time.Time         // of a deleted student; zero: not said
	MayGrant      bool
	// GrantModule is the module whose form was refused; GrantFields and
	// GrantReason belong to it.
	GrantModule   school.ModuleID
	GrantFields   map[string]string
	GrantReason   string
	Money         []school.MoneyEvent // the oldest first
	MayCorrect    bool
	Refund, Price MoneyForm
	MayTransfer   bool
	Transfer      TransferForm
	// LetterError is why the letter was not sent once more.
	LetterError  string
	LetterParams map[string]string
}

// EditForm corrects a student's name and address.
type EditForm struct {
	FullName string
	Email    string
	Fields   map[string]string
	Error    string
	Params   map[string]string
	Open     bool
}

// LinkShown is a one-time link that has just been made; it is shown once.
type LinkShown struct {
	URL     string // with or without the address of the site
	Ends    time.Time
	Message string // ready to send; empty: made from the link
}

// TrashPage lists the deleted students.
type TrashPage struct {
	List StudentList
	Days int // how long they can be restored
}

// SettingsPage edits the school.
type SettingsPage struct {
	S      school.Settings
	Fields map[string]string
	Error  string
	Saved  bool
}

// AccountPage is a person's own page.
type AccountPage struct {
	Email       string
	Sessions    []school.Session
	CurrentHash string // of the session that asks
	Password    PasswordForm
	Saved       bool
	Change      EmailForm
	// Asked: the letter to the new address is on its way; Changed: it has been
	// confirmed.
	Asked, Changed bool
}

// ErrorPageModel is what an error page says.
type ErrorPageModel struct {
	Status    int
	Code      string
	Params    map[string]string
	RequestID string
	Retry     string // the address to try again; empty: no button
}
