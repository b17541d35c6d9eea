package school

import "time"

// Status of a student on the screen. It is derived from facts and never stored.
type Status string

// The statuses, in the order in which they win.
const (
	StatusDeleted   Status = "deleted"
	StatusTest      Status = "test"
	StatusBlocked   Status = "blocked"
	StatusCompleted Status = "completed"
	StatusActive    Status = "active"
)

// What a list can be chosen by beside the statuses.
const (
	StatusUndelivered Status = "undelivered" // no letter has reached them
	StatusNewcomer    Status = "newcomer"    // have never logged in
	StatusStuck       Status = "stuck"       // active, without a step for StuckDays
)

// Chosen lists what a list can be chosen by, in the order of its chips; the empty
// one is everybody.
func Chosen() []Status {
	return []Status{"", StatusActive, StatusCompleted, StatusBlocked, StatusUndelivered, StatusNewcomer, StatusStuck, StatusTest}
}

// Student is one person admitted to a course, as a list shows them.
type Student struct {
	ID           UserID
	CourseID     CourseID
	FullName     string
	Email        Email // the address before deletion for a deleted student
	Language     Language
	GrantedBy    UserID
	ManagerName  string
	Price        Money  // at the time of the sale
	Paid         Money  // the sum of the money events since
	Source       string // the door of the sale: panel, terminal, …
	GrantedAt    time.Time
	BlockedAt    time.Time // zero: not blocked
	CompletedAt  time.Time
	DeletedAt    time.Time
	TestAt       time.Time // zero: a customer
	LastLoginAt  time.Time // zero: never
	ModulesTotal int
	ModulesDone  int
	ModulesOpen  int // open and not done
	Letter       StudentLetter
}

// Status derives the state from the facts.
func (s Student) Status() Status {
	switch {
	case !s.DeletedAt.IsZero():
		return StatusDeleted
	case !s.TestAt.IsZero():
		return StatusTest
	case !s.BlockedAt.IsZero():
		return StatusBlocked
	case !s.CompletedAt.IsZero():
		return StatusCompleted
	default:
		return StatusActive
	}
}

// Access is how a new student gets in for the first time.
type Access string

// The two ways. By password: staff know it and say it. By link: nobody but the
// student ever knows the password.
const (
	AccessPassword Access = "password"
	AccessLink     Access = "link"
)

// NewStudentForm is what staff type to create a student.
type NewStudentForm struct {
	FullName string
	Email    string
	Access   string // "password" (also when empty) or "link"
	Password string // for AccessPassword
	Price    string // empty: the price of the course
	Language string // empty: the language of the school
	// Key makes the form safe to send twice. Empty for callers that take care
	// of repeats themselves.
	Key string
}

// NewStudent is a valid, normalised NewStudentForm.
type NewStudent struct {
	FullName string
	Email    Email
	Access   Access
	Password string
	Price    Money
	Language Language
}

// NewStudentFrom validates the form against the course and the school. Errors:
// Invalid, with every faulty field named at once.
func NewStudentFrom(f NewStudentForm, course Course, limit PriceLimit, settings Settings) (NewStudent, error) {
	var (
		s      NewStudent
		err    error
		faults = Faults{}
	)
	s.FullName, err = NewFullName(f.FullName)
	faults.Add("full_name", err)
	s.Email, err = NewEmail(f.Email)
	faults.Add("email", err)
	switch Access(f.Access) {
	case AccessPassword, "":
		s.Access = AccessPassword
		s.Password, err = CheckPassword(f.Password, s.Email)
		faults.Add("password", err)
	case AccessLink:
		s.Access = AccessLink
	default:
		faults.Add("access", ErrAccessUnknown)
	}
	s.Price, err = priceFrom(f.Price, course.Price, limit)
	faults.Add("price", err)
	s.Language = settings.Language
	if f.Language != "" {
		s.Language, err = ParseLanguage(f.Language)
		faults.Add("language", err)
	}
	return s, faults.Err()
}

func priceFrom(typed string, full Money, limit PriceLimit) (Money, error) {
	if typed == "" {
		return full, nil
	}
	price, err := ParseMoney(typed, full.Currency)
	if err != nil {
		return Money{}, err
	}
	if !limit.Allows(price, full) {
		return Money{}, ErrPriceOutOfRange
	}
	return price, nil
}

// Cause says why a module is open to a student.
type Cause struct {
	Event          UnlockEvent
	SourceModuleID ModuleID // for EventCompleted
	Reason         string   // for EventGranted
	GrantedBy      string   // for EventGranted: the name
}

// ModuleProgress is one module of the course as one student stands to it.
type ModuleProgress struct {
	Module      Module
	UnlockedAt  time.Time // zero: no unlock; may lie in the future
	Cause       Cause     // of the unlock
	CompletedAt time.Time
	// Later: the module was added after the student had completed the course. It is
	// offered, and asked of nobody.
	Later   bool
	Lessons []LessonProgress
	// Opens are the live rules that would open the module, for the reason on a
	// locked card.
	Opens []UnlockRule
}

// OpenAt reports whether the module is open at t.
func (m ModuleProgress) OpenAt(t time.Time) bool {
	return !m.UnlockedAt.IsZero() && !m.UnlockedAt.After(t)
}

// Created is what the success dialog tells. Password and Link are shown once
// and kept nowhere.
type Created struct {
	Student  Student
	Access   Access
	Password string
	Link     string // the path of the one-time link, "/access/…"
	LinkEnds time.Time
	Unlocked []ModuleProgress // what the trigger opened
	At       time.Time
	// Repeated: this form had been sent before; nothing new was made.
	Repeated bool
	// PasswordEnds is when the first password stops working; zero: never.
	PasswordEnds time.Time
	MustChange   bool
}
