package store

import (
	"strconv"
	"strings"
	"time"

	"tripwire/internal/school"
)

// Enrolment is the row that admits a person to a course; the trigger on it opens
// the first module.
type Enrolment struct {
	UserID    school.UserID
	CourseID  school.CourseID
	Email     school.Email
	GrantedBy school.UserID
	Price     school.Money
	Source    school.Door
}

// InsertEnrolment admits a person to a course.
func (tx *Tx) InsertEnrolment(e Enrolment) error {
	return tx.later(`INSERT INTO tripwire_users (user_id, course_id, email, granted_by, granted_at, price_minor, currency, source)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.UserID, e.CourseID, e.Email, e.GrantedBy, tx.Now, e.Price.Minor, e.Price.Currency, e.Source)
}

// studentQuery derives everything that a list shows from the facts.
const studentQuery = studentColumns + studentTables

const studentColumns = `SELECT t.user_id, t.course_id, u.full_name, coalesce(t.email, u.former_email), u.language, t.granted_by, manager.full_name,
	t.price_minor, t.currency, t.source, t.granted_at, t.blocked_at, t.completed_at, t.deleted_at, t.test_at, u.last_login_at,
	(SELECT coalesce(sum(y.amount_minor), 0) FROM money_events y WHERE y.user_id = t.user_id AND y.course_id = t.course_id),
	(SELECT count(*) FROM modules m WHERE m.course_id = t.course_id AND m.deleted_at IS NULL
		AND (t.completed_at IS NULL OR EXISTS (SELECT 1 FROM module_completions c WHERE c.user_id = t.user_id AND c.module_id = m.id))),
	(SELECT count(*) FROM module_completions c JOIN modules m ON m.id = c.module_id
		WHERE c.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL),
	(SELECT count(*) FROM module_unlocks o JOIN modules m ON m.id = o.module_id
		WHERE o.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL AND o.unlocked_at <= $1
		AND NOT EXISTS (SELECT 1 FROM module_completions c WHERE c.user_id = t.user_id AND c.module_id = o.module_id)),
	coalesce(letter.id, 0), letter.state, letter.email, letter.queued_at, letter.due_at, letter.sent_at, coalesce(letter.attempts, 0), coalesce(letter.cause, ''), coalesce(letter.reply, '')`

const studentTables = `
	FROM tripwire_users t
	JOIN users u ON u.id = t.user_id
	LEFT JOIN users manager ON manager.id = t.granted_by
	LEFT JOIN letters letter ON letter.id = (SELECT max(l.id) FROM letters l WHERE l.user_id = t.user_id AND l.kind = 'welcome') `

func scanOneStudent(r row) (school.Student, error) { return scanStudent(r) }

// scanStudent reads the columns of a student and those that stand behind them.
func scanStudent(r row, more ...any) (s school.Student, err error) {
	err = r.Scan(append([]any{text(&s.ID), &s.CourseID, &s.FullName, text(&s.Email), text(&s.Language), text(&s.GrantedBy), text(&s.ManagerName),
		&s.Price.Minor, &s.Price.Currency, &s.Source, at(&s.GrantedAt), at(&s.BlockedAt), at(&s.CompletedAt), at(&s.DeletedAt), at(&s.TestAt), at(&s.LastLoginAt),
		&s.Paid.Minor, &s.ModulesTotal, &s.ModulesDone, &s.ModulesOpen, &s.Letter.ID, text(&s.Letter.State), text(&s.Letter.Email), at(&s.Letter.QueuedAt), at(&s.Letter.DueAt), at(&s.Letter.SentAt), &s.Letter.Attempts, &s.Letter.Cause, &s.Letter.Reply}, more...)...)
	s.Paid.Currency = s.Price.Currency
	return s, err
}

// condition is a WHERE clause in the making, with the parameters it uses.
type condition struct {
	parts []string
	args  []any
	join  string // what the tables of the query are joined with
}

func (c *condition) from(tables string) string { return tables + c.join }

// arg adds a parameter and answers its name.
func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *condition) add(part string) { c.parts = append(c.parts, part) }

// within bounds the query to the students the actor may know of.
func (c *condition) within(scope school.Scope) {
	switch {
	case scope.All:
	case scope.Owner == "":
		c.add("1 = 0")
	default:
		c.add("t.granted_by = " + c.arg(scope.Owner))
	}
}

// maxWords bounds a search; what is typed beyond narrows it no further.
const maxWords = 5

func (c *condition) where() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

// likeEscaper drops NUL, which PostgreSQL takes in no text.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, "\x00", "")

// FindStudent answers one student within the scope, deleted or not. Errors:
// NotFound for an absent student and for one out of scope alike.
func (tx *Tx) FindStudent(scope school.Scope, id school.UserID) (school.Student, error) {
	c := condition{args: []any{tx.Now}}
	c.add("t.user_id = " + c.arg(id))
	c.within(scope)
	return one(tx, studentQuery+c.where()+" ORDER BY t.granted_at, t.course_id LIMIT 1", scanOneStudent, c.args...)
}

// FindStudentInLesson answers one student within the scope who is admitted, by
// this very scope, to the course of the lesson, and not deleted. Errors: NotFound.
func (tx *Tx) FindStudentInLesson(scope school.Scope, id school.UserID, lesson school.LessonID) (school.Student, error) {
	c := condition{args: []any{tx.Now}}
	c.add("t.user_id = " + c.arg(id))
	c.add("t.deleted_at IS NULL")
	c.add("t.course_id = (SELECT m.course_id FROM lessons l JOIN modules m ON m.id = l.module_id WHERE l.id = " + c.arg(lesson) + ")")
	c.within(scope)
	return one(tx, studentQuery+c.where(), scanOneStudent, c.args...)
}

// page answers one page of the students in the given order. The inner query finds
// the page by keys alone, so that nothing is derived for the rows before it.
func (c *condition) page(tx *Tx, order string, p school.Page) ([]school.Student, error) {
	query := studentQuery + "JOIN (SELECT t.user_id, t.course_id FROM " + c.from("tripwire_users t") + c.where() + " ORDER BY " + order +
		" LIMIT " + c.arg(school.PageSize) + " OFFSET " + c.arg(p.Offset()) + `) page
		ON page.user_id = t.user_id AND page.course_id = t.course_id ORDER BY ` + order
	return list(tx, query, scanOneStudent, c.args...)
}

// ListTrash answers one page of the students deleted after since, the latest
// first.
func (tx *Tx) ListTrash(scope school.Scope, since time.Time, p school.Page) ([]school.Student, error) {
	c := condition{args: []any{tx.Now}}
	c.add("t.deleted_at > " + c.arg(since))
	c.within(scope)
	return c.page(tx, "t.deleted_at DESC, t.user_id", p)
}

// ListDeleted answers the deleted students within the scope who have each word of
// the query in name or address, at most limit.
func (tx *Tx) ListDeleted(scope school.Scope, query string, limit int) ([]school.Student, error) {
	c := condition{args: []any{tx.Now}}
	c.add("t.deleted_at IS NOT NULL")
	c.within(scope)
	if words := strings.Fields(school.Fold(query)); len(words) > 0 {
		c.add(c.hasWords("u.search_text", words))
	}
	return list(tx, studentQuery+c.where()+" ORDER BY t.deleted_at DESC, t.user_id LIMIT "+c.arg(limit), scanOneStudent, c.args...)
}

// CountTrash answers how many students ListTrash has in all.
func (tx *Tx) CountTrash(scope school.Scope, since time.Time) (int, error) {
	var c condition
	c.add("t.deleted_at > " + c.arg(since))
	c.within(scope)
	return one(tx, "SELECT count(*) FROM tripwire_users t"+c.where(), scanInt, c.args...)
}

// UpdateBlocked blocks a student's enrolments, or opens them again with a zero
// time. Errors: NotFound.
func (tx *Tx) UpdateBlocked(id school.UserID, when time.Time) error {
	return touched(tx.exec("UPDATE tripwire_users SET blocked_at = $2 WHERE user_id = $1 AND deleted_at IS NULL", id, when))
}

// DeleteStudent moves a student to the trash: the access ends and the address is
// free. Errors: NotFound for one who is there already.
func (tx *Tx) DeleteStudent(id school.UserID) error {
	if err := touched(tx.exec("UPDATE tripwire_users SET deleted_at = $2, email = NULL WHERE user_id = $1 AND deleted_at IS NULL", id, tx.Now)); err != nil {
		return err
	}
	return touched(tx.exec("UPDATE users SET deleted_at = $2, former_email = email, email = NULL WHERE id = $1 AND role = 'student' AND deleted_at IS NULL", id, tx.Now))
}

// RestoreStudent takes a student out of the trash under the given address.
// Errors: Conflict student_exists when it has been taken; NotFound for one who
// is not in the trash.
func (tx *Tx) RestoreStudent(id school.UserID, name string, email school.Email) error {
	if err := touched(tx.exec("UPDATE users SET deleted_at = NULL, former_email = NULL, email = $2, search_text = $3 WHERE id = $1 AND deleted_at IS NOT NULL",
		id, email, searchText(name, email))); err != nil {
		return err
	}
	// The letters that a trigger has put back wait from now on, not since before the
	// deletion.
	if _, err := tx.exec("UPDATE letters SET queued_at = $2, due_at = $2 WHERE user_id = $1 AND state = 'queued' AND due_at <= $2", id, tx.Now); err != nil {
		return err
	}
	return touched(tx.exec("UPDATE tripwire_users SET deleted_at = NULL, email = $2 WHERE user_id = $1 AND deleted_at IS NOT NULL", id, email))
}

// StudentOfOthers reports whether there is such a student, and none of the scope's.
func (tx *Tx) StudentOfOthers(scope school.Scope, id school.UserID) (bool, error) {
	n, err := one(tx, `SELECT count(*) FROM users u WHERE u.id = $1
		AND EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = u.id)
		AND NOT EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = u.id AND t.granted_by = $2)`, scanInt, id, scope.Owner)
	return n > 0, err
}
