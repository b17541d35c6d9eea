package school

import "time"

// Account is one person as the login knows them.
type Account struct {
	ID                UserID
	Email             Email // empty once deleted
	FullName          string
	Role              Role
	Language          Language
	PasswordHash      string // empty: none set yet
	MustChange        bool
	PasswordExpiresAt time.Time // zero: never
	CreatedAt         time.Time
	DisabledAt        time.Time
	DeletedAt         time.Time
	// Blocked: a student none of whose enrolments is open.
	Blocked bool
}

// MayHaveStudents reports whether a student can be given to the account: staff who
// can log in.
func (a Account) MayHaveStudents() bool {
	return a.Role.Staff() && a.DisabledAt.IsZero() && a.DeletedAt.IsZero()
}

// Manager is a member of staff who can have students.
type Manager struct {
	ID   UserID
	Name string
}

// NewStaff is what the terminal gives for a new member of staff.
type NewStaff struct {
	FullName string
	Email    string
	Role     string
	Password string
	Language string // empty: the language of the school
}

// Session is one logged-in device.
type Session struct {
	TokenHash  string
	UserID     UserID
	Device     string // the browser's own description, cut short
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
}
