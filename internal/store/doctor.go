package store

import (
	"strings"
	"time"

	"tripwire/internal/school"
)

// The questions of an examination. Every list answers at most limit rows and how
// many there are in all.

// CheckIntegrity lists what the engine itself knows to be broken: damaged pages,
// rows that name a missing row, constraints that are switched off.
func (tx *Tx) CheckIntegrity() ([]string, error) { return tx.engine.checkIntegrity(tx.ctx, tx.q) }

// Owed is something that the triggers should have written for a living enrolment
// and have not.
type Owed struct {
	UserID   school.UserID
	CourseID school.CourseID
	FullName string
	Email    school.Email
	ModuleID school.ModuleID // 0 where the course itself is meant
	Title    string          // of the module, or of the course
}

// Enrolments and modules stand under the same letters in every condition below:
// t the enrolment, u its account, m a living module of its course. The
// conditions are those of the trigger auto_unlock_first_module_on_recheck, so
// that whatever they find it can make up for.
const (
	notUnlocked = `NOT EXISTS (SELECT 1 FROM module_unlocks o WHERE o.user_id = t.user_id AND o.module_id = m.id)`
	owesFirst   = `(EXISTS (SELECT 1 FROM unlock_rules r
			WHERE r.course_id = t.course_id AND r.event = 'enrolled' AND r.module_id = m.id AND r.retired_at IS NULL)
		AND ` + notUnlocked + `)`
	owesGranted = `(EXISTS (SELECT 1 FROM module_grants g WHERE g.user_id = t.user_id AND g.module_id = m.id) AND ` + notUnlocked + `)`
	owesNext    = `(EXISTS (SELECT 1 FROM unlock_rules r
			JOIN module_completions c ON c.user_id = t.user_id AND c.module_id = r.source_module_id
			WHERE r.course_id = t.course_id AND r.event = 'completed' AND r.module_id = m.id AND r.retired_at IS NULL)
		AND ` + notUnlocked + `)`

	hasRequired   = `EXISTS (SELECT 1 FROM lessons l WHERE l.module_id = m.id AND l.required AND l.deleted_at IS NULL)`
	notCompleted  = `NOT EXISTS (SELECT 1 FROM module_completions c WHERE c.user_id = t.user_id AND c.module_id = m.id)`
	owesCompleted = `(` + notCompleted + ` AND ` + hasRequired + ` AND NOT EXISTS (
			SELECT 1 FROM lessons l WHERE l.module_id = m.id AND l.required AND l.deleted_at IS NULL
			AND NOT EXISTS (SELECT 1 FROM lesson_completions d WHERE d.user_id = t.user_id AND d.lesson_id = l.id)))`

	// What was added after the end of a course does not undo the end, so only a
	// missing completed_at is wrong, never one that is there.
	owesFinished = `(t.completed_at IS NULL
		AND EXISTS (SELECT 1 FROM modules m JOIN module_completions c ON c.module_id = m.id
			WHERE m.course_id = t.course_id AND c.user_id = t.user_id)
		AND NOT EXISTS (SELECT 1 FROM modules m
			WHERE m.course_id = t.course_id AND m.deleted_at IS NULL AND ` + hasRequired + ` AND ` + notCompleted + `))`
)

// ListFirstOwed answers the modules that open on enrolment and have not.
func (tx *Tx) ListFirstOwed(limit int) ([]Owed, int, error) { return tx.listOwed(owesFirst, limit) }

// ListGrantedOwed answers the modules that staff granted and that have not
// opened.
func (tx *Tx) ListGrantedOwed(limit int) ([]Owed, int, error) { return tx.listOwed(owesGranted, limit) }

// ListNextOwed answers the modules that open on the completion of another and
// have not.
func (tx *Tx) ListNextOwed(limit int) ([]Owed, int, error) { return tx.listOwed(owesNext, limit) }

// ListCompletedOwed answers the modules whose required lessons are all done and
// that do not count as completed.
func (tx *Tx) ListCompletedOwed(limit int) ([]Owed, int, error) {
	return tx.listOwed(owesCompleted, limit)
}

func (tx *Tx) listOwed(condition string, limit int) ([]Owed, int, error) {
	return some(tx, `SELECT t.user_id, t.course_id, u.full_name, t.email, m.id, m.title, count(*) OVER ()
		FROM tripwire_users t
		JOIN users u ON u.id = t.user_id
		JOIN modules m ON m.course_id = t.course_id AND m.deleted_at IS NULL
		WHERE t.deleted_at IS NULL AND `+condition+`
		ORDER BY t.granted_at, t.user_id, m.position, m.id LIMIT $1`, scanOwed, limit)
}

// ListFinishedOwed answers the enrolments with every module completed that do
// not count as completed.
func (tx *Tx) ListFinishedOwed(limit int) ([]Owed, int, error) {
	return some(tx, `SELECT t.user_id, t.course_id, u.full_name, t.email, NULL, k.title, count(*) OVER ()
		FROM tripwire_users t
		JOIN users u ON u.id = t.user_id
		JOIN courses k ON k.id = t.course_id
		WHERE t.deleted_at IS NULL AND `+owesFinished+`
		ORDER BY t.granted_at, t.user_id, t.course_id LIMIT $1`, scanOwed, limit)
}

func scanOwed(r row, total *int) (o Owed, err error) {
	return o, r.Scan(text(&o.UserID), &o.CourseID, &o.FullName, text(&o.Email), integer(&o.ModuleID), &o.Title, total)
}

// some lists rows that all carry, in their last column, how many there are.
func some[T any](tx *Tx, query string, scan func(row, *int) (T, error), args ...any) (rows []T, total int, err error) {
	rows, err = list(tx, query, func(r row) (T, error) { return scan(r, &total) }, args...)
	return rows, total, err
}

// Groundless is an unlock whose cause does not hold: something other than the
// triggers has written it.
type Groundless struct {
	ID       int64
	UserID   school.UserID
	FullName string
	Email    school.Email
	ModuleID school.ModuleID
	// Of a rule, unless GrantID is set. RuleModuleID is 0 when there is no such
	// rule.
	RuleID         school.RuleID
	RuleModuleID   school.ModuleID
	Event          school.UnlockEvent
	SourceModuleID school.ModuleID // for EventCompleted
	GrantID        int64
}

// ListGroundless answers the unlocks whose cause does not hold: of the deleted
// too, who may be restored.
func (tx *Tx) ListGroundless(limit int) ([]Groundless, int, error) {
	return some(tx, `SELECT o.id, o.user_id, coalesce(u.full_name, ''), coalesce(u.email, u.former_email), o.module_id,
			o.rule_id, r.module_id, r.event, r.source_module_id, o.grant_id, count(*) OVER ()
		FROM module_unlocks o
		LEFT JOIN users u ON u.id = o.user_id
		LEFT JOIN unlock_rules r ON r.id = o.rule_id
		WHERE NOT EXISTS (SELECT 1 FROM module_grants g
				WHERE g.id = o.grant_id AND g.user_id = o.user_id AND g.module_id = o.module_id)
			AND NOT EXISTS (SELECT 1 FROM unlock_rules e JOIN tripwire_users t ON t.course_id = e.course_id
				WHERE e.id = o.rule_id AND e.module_id = o.module_id AND e.event = 'enrolled' AND t.user_id = o.user_id)
			AND NOT EXISTS (SELECT 1 FROM unlock_rules e JOIN module_completions c ON c.module_id = e.source_module_id
				WHERE e.id = o.rule_id AND e.module_id = o.module_id AND e.event = 'completed' AND c.user_id = o.user_id)
		ORDER BY o.id LIMIT $1`,
		func(r row, total *int) (g Groundless, err error) {
			return g, r.Scan(&g.ID, text(&g.UserID), &g.FullName, text(&g.Email), &g.ModuleID,
				integer(&g.RuleID), integer(&g.RuleModuleID), text(&g.Event), integer(&g.SourceModuleID), integer(&g.GrantID), total)
		}, limit)
}

// Drift is a living enrolment under another address than its account's.
type Drift struct {
	UserID   school.UserID
	CourseID school.CourseID
	FullName string
	Email    school.Email // of the enrolment
	Account  school.Email // of the account; empty: the account is deleted
}

// ListDrift answers the living enrolments under another address than their
// account's.
func (tx *Tx) ListDrift(limit int) ([]Drift, int, error) {
	return some(tx, `SELECT t.user_id, t.course_id, u.full_name, t.email, u.email, count(*) OVER ()
		FROM tripwire_users t JOIN users u ON u.id = t.user_id
		WHERE t.deleted_at IS NULL AND (u.email IS NULL OR u.email <> t.email)
		ORDER BY u.email IS NULL, t.granted_at, t.user_id, t.course_id LIMIT $1`,
		func(r row, total *int) (d Drift, err error) {
			return d, r.Scan(text(&d.UserID), &d.CourseID, &d.FullName, text(&d.Email), text(&d.Account), total)
		}, limit)
}

// UpdateDrifted gives an enrolment the address of its living account. Errors:
// NotFound for one that has not drifted.
func (tx *Tx) UpdateDrifted(d Drift) error {
	return touched(tx.exec(`UPDATE tripwire_users SET email = (SELECT u.email FROM users u WHERE u.id = $1)
		WHERE user_id = $1 AND course_id = $2 AND deleted_at IS NULL AND email = $3
		AND EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.email = $4)`, d.UserID, d.CourseID, d.Email, d.Account))
}

// CountAccounts answers how many accounts there are, of staff and students.
func (tx *Tx) CountAccounts() (int, error) { return one(tx, "SELECT count(*) FROM users", scanInt) }

// beforeAll is smaller than every id that is given to a person.
const beforeAll = school.UserID("00000000-0000-0000-0000-000000000000")

// ListOwing answers the living enrolments that are owed anything, in the order of
// their keys and after the given one; the zero Owed begins. Of each row only the
// enrolment is told.
func (tx *Tx) ListOwing(after Owed, limit int) ([]Owed, error) {
	if after.UserID == "" {
		after.UserID = beforeAll
	}
	anything := strings.Join([]string{owesFirst, owesGranted, owesNext, owesCompleted}, " OR ")
	return list(tx, `SELECT t.user_id, t.course_id, u.full_name, t.email
		FROM tripwire_users t JOIN users u ON u.id = t.user_id
		WHERE t.deleted_at IS NULL AND (t.user_id, t.course_id) > ($1, $2)
		AND (`+owesFinished+` OR EXISTS (SELECT 1 FROM modules m
			WHERE m.course_id = t.course_id AND m.deleted_at IS NULL AND (`+anything+`)))
		ORDER BY t.user_id, t.course_id LIMIT $3`,
		func(r row) (o Owed, err error) {
			return o, r.Scan(text(&o.UserID), &o.CourseID, &o.FullName, text(&o.Email))
		}, after.UserID, after.CourseID, limit)
}

// Recheck has the trigger make up for what an enrolment was owed. Errors:
// NotFound for one that is not living.
func (tx *Tx) Recheck(id school.UserID, course school.CourseID) error {
	return touched(tx.exec("UPDATE tripwire_users SET rechecked_at = $3 WHERE user_id = $1 AND course_id = $2 AND deleted_at IS NULL",
		id, course, tx.Now))
}

// Standing is what the triggers have written about one enrolment and one module
// of its course.
type Standing struct {
	ModuleID  school.ModuleID
	Title     string
	Unlocked  bool
	Completed bool
	Finished  time.Time // the course; zero: not yet
}

// ListStanding answers every module of the course, deleted ones too, in order.
func (tx *Tx) ListStanding(id school.UserID, course school.CourseID) ([]Standing, error) {
	return list(tx, `SELECT m.id, m.title, o.id IS NOT NULL, c.id IS NOT NULL, t.completed_at
		FROM tripwire_users t
		JOIN modules m ON m.course_id = t.course_id
		LEFT JOIN module_unlocks o ON o.user_id = t.user_id AND o.module_id = m.id
		LEFT JOIN module_completions c ON c.user_id = t.user_id AND c.module_id = m.id
		WHERE t.user_id = $1 AND t.course_id = $2 ORDER BY m.position, m.id`,
		func(r row) (s Standing, err error) {
			return s, r.Scan(&s.ModuleID, &s.Title, &s.Unlocked, &s.Completed, at(&s.Finished))
		}, id, course)
}
