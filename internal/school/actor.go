package school

// Role is what a person is to the school. It stands in one column and is read
// with the session.
type Role string

// The roles. A person has exactly one.
const (
	RoleAdmin   Role = "admin"
	RoleSales   Role = "sales"
	RoleStudent Role = "student"
)

// Staff reports whether the role works at the desk.
func (r Role) Staff() bool { return r == RoleAdmin || r == RoleSales }

// Door is the way by which a verb was called; the activity log keeps it.
type Door string

// The doors.
const (
	DoorPanel    Door = "panel"
	DoorTerminal Door = "terminal"
	DoorSystem   Door = "system"
)

// Actor is who calls a verb. It comes from the session, or from the terminal,
// and never from a form.
type Actor struct {
	ID        UserID // empty for the terminal and the system
	Role      Role
	Name      string
	Email     Email
	Language  Language
	Door      Door
	RequestID string // ties the activity entry to the line in the log
	// Route is what was called, for the history of refused attempts: a pattern,
	// never the address itself. May be empty.
	Route string
	// MustChangePassword holds the actor at the password page.
	MustChangePassword bool
}

// Terminal is whoever has a shell on the server: they hold the database file
// anyway, so they are an administrator without an account.
func Terminal() Actor { return Actor{Role: RoleAdmin, Door: DoorTerminal} }

// System is the product itself: first start, repairs, sweeps.
func System() Actor { return Actor{Role: RoleAdmin, Door: DoorSystem} }

// Visitor is where a request of somebody who is not logged in comes from.
type Visitor struct {
	Address   string // the network that one visitor has to itself
	RequestID string
}

// Permission is one thing that a verb may ask of its actor.
type Permission string

// The permissions. See policy for who has them.
const (
	ViewStudents     Permission = "students.view"
	CreateStudents   Permission = "students.create"
	EditStudents     Permission = "students.edit" // name, e-mail, block, link, delete, restore
	GrantModules     Permission = "modules.grant"
	CorrectSales     Permission = "sales.correct" // refund, price
	TransferStudents Permission = "students.transfer"
	Study            Permission = "course.study"
	ReviewHomework   Permission = "homework.review"
	EditCourses      Permission = "courses.edit"
	ManageStaff      Permission = "staff.manage"
	ManageSchool     Permission = "school.manage"
)

// Reach is how far a permission goes.
type Reach int

// The reaches, from nothing to everything.
const (
	ReachNone Reach = iota
	ReachOwn        // only what the actor has granted, or is
	ReachAll
)

// policy is the whole of who may do what. What is not here is refused.
var policy = map[Role]map[Permission]Reach{
	RoleAdmin: {
		ViewStudents: ReachAll, CreateStudents: ReachAll, EditStudents: ReachAll,
		CorrectSales: ReachAll, TransferStudents: ReachAll,
		GrantModules: ReachAll, ReviewHomework: ReachAll, EditCourses: ReachAll, ManageStaff: ReachAll, ManageSchool: ReachAll,
	},
	RoleSales: {
		ViewStudents: ReachOwn, CreateStudents: ReachOwn, EditStudents: ReachOwn,
		GrantModules: ReachOwn, ReviewHomework: ReachOwn,
	},
	RoleStudent: {
		Study: ReachOwn,
	},
}

// Scope bounds the students that a query may touch. The zero value reaches
// nobody.
type Scope struct {
	All   bool
	Owner UserID // students granted by this member of staff
}

// Scope answers how far the actor's permission reaches. Errors: Forbidden, or
// Unauthenticated for the zero Actor.
func (a Actor) Scope(p Permission) (Scope, error) {
	if a.Role == "" {
		return Scope{}, ErrNotLoggedIn
	}
	switch policy[a.Role][p] {
	case ReachAll:
		return Scope{All: true}, nil
	case ReachOwn:
		return Scope{Owner: a.ID}, nil
	default:
		return Scope{}, ErrForbidden
	}
}

// May answers nil when the actor has the permission at any reach. Errors: as
// Scope.
func (a Actor) May(p Permission) error {
	_, err := a.Scope(p)
	return err
}

// Language is a language of the screen, as a BCP 47 tag.
type Language string

// The languages of the screen.
const (
	Russian Language = "ru"
	Kazakh  Language = "kk"
	English Language = "en"
)

// Languages lists them in the order in which a chooser shows them.
func Languages() []Language { return []Language{Russian, Kazakh, English} }

// ParseLanguage reads a tag. Errors: Invalid, code language_unknown.
func ParseLanguage(s string) (Language, error) {
	for _, l := range Languages() {
		if string(l) == s {
			return l, nil
		}
	}
	return "", ErrLanguageUnknown
}
