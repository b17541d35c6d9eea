package store

import (
	"time"

	"tripwire/internal/school"
)

// InsertMoneyEvent adds a refund or a correction to an enrolment; the sale itself
// is written by the trigger record_sale_on_enrolment. It counts for whom the sale
// counts. Errors: Conflict refund_too_large.
func (tx *Tx) InsertMoneyEvent(actor school.Actor, s school.Student, kind school.MoneyKind, amount school.Money, reason string) error {
	_, err := tx.exec(`INSERT INTO money_events (user_id, course_id, manager_id, kind, amount_minor, currency, at, actor_id, reason)
		SELECT e.user_id, e.course_id, e.manager_id, $3, $4, $5, $6, $7, $8
		FROM money_events e WHERE e.user_id = $1 AND e.course_id = $2 AND e.kind = 'sale'`,
		s.ID, int64(s.CourseID), string(kind), amount.Minor, amount.Currency, tx.Now, actor.ID, reason)
	return err
}

const moneyQuery = `SELECT e.id, e.kind, e.at, e.amount_minor, e.currency, e.reason, e.user_id, u.full_name, coalesce(t.email, u.former_email), t.granted_by,
	e.manager_id, seller.full_name, actor.full_name, k.title, t.deleted_at IS NULL AND t.test_at IS NULL
	FROM money_events e
	JOIN tripwire_users t ON t.user_id = e.user_id AND t.course_id = e.course_id
	JOIN users u ON u.id = e.user_id
	JOIN courses k ON k.id = e.course_id
	LEFT JOIN users seller ON seller.id = e.manager_id
	LEFT JOIN users actor ON actor.id = e.actor_id`

func scanMoneyEvent(r row) (e school.MoneyEvent, err error) {
	return e, r.Scan(&e.ID, text(&e.Kind), at(&e.At), &e.Amount.Minor, &e.Amount.Currency, &e.Reason, text(&e.StudentID), &e.StudentName, text(&e.StudentEmail),
		text(&e.OwnerID), text(&e.SellerID), text(&e.SellerName), text(&e.ActorName), &e.CourseTitle, &e.Counts)
}

// ListMoneyOf answers every money event of one enrolment, the oldest first.
func (tx *Tx) ListMoneyOf(s school.Student) ([]school.MoneyEvent, error) {
	return list(tx, moneyQuery+" WHERE e.user_id = $1 AND e.course_id = $2 ORDER BY e.id", scanMoneyEvent, s.ID, int64(s.CourseID))
}

// ListMoney answers the money events that the figures count, of the sales that the
// scope has made, the newest first; limit of them behind the place of the cursor.
func (tx *Tx) ListMoney(scope school.Scope, f school.Counted, zone *time.Location, after school.Cursor, limit int) ([]school.MoneyEvent, error) {
	var c condition
	c.add("t.deleted_at IS NULL AND t.test_at IS NULL")
	switch {
	case !scope.All && (scope.Owner == "" || f.Manager != "" && f.Manager != scope.Owner):
		c.add("1 = 0")
	case !scope.All:
		c.add("e.manager_id = " + c.arg(scope.Owner))
	case f.Manager == school.Nobody:
		c.add("e.manager_id IS NULL")
	case f.Manager != "":
		c.add("e.manager_id = " + c.arg(f.Manager))
	}
	if f.Course != 0 {
		c.add("e.course_id = " + c.arg(int64(f.Course)))
	}
	if from, until := f.Period.Span(zone); !until.IsZero() {
		c.add("e.at >= " + c.arg(from))
		c.add("e.at < " + c.arg(until))
	}
	if !after.IsZero() {
		if err := moneyOrder.from(&c, after, true); err != nil {
			return nil, err
		}
	}
	return list(tx, moneyQuery+c.where()+" ORDER BY e.at DESC, e.id DESC LIMIT "+c.arg(limit), scanMoneyEvent, c.args...)
}

var moneyOrder = order{table: "e", keys: []string{"at"}, times: []string{"at"}}

// MoneyCursor is the place of an event in the order of ListMoney.
func MoneyCursor(e school.MoneyEvent) school.Cursor {
	return school.Cursor{Keys: []string{e.At.Format(timeLayout)}, ID: e.ID}
}

// ListSellers answers in whose figures the sales to a student count.
func (tx *Tx) ListSellers(id school.UserID) ([]string, error) {
	return list(tx, "SELECT DISTINCT manager_id FROM money_events WHERE user_id = $1 AND manager_id IS NOT NULL ORDER BY manager_id",
		func(r row) (seller string, err error) { return seller, r.Scan(&seller) }, id)
}

// TransferStudent gives a student to another manager; with the sales, what was
// sold to the student counts for that manager too. Errors: NotFound for a student
// who is not living.
func (tx *Tx) TransferStudent(id, to school.UserID, sales bool) error {
	if err := touched(tx.exec("UPDATE tripwire_users SET granted_by = $2 WHERE user_id = $1 AND deleted_at IS NULL", id, to)); err != nil || !sales {
		return err
	}
	_, err := tx.exec("UPDATE money_events SET manager_id = $2 WHERE user_id = $1", id, to)
	return err
}

// UpdateTest takes a student out of every figure, or puts them back with a zero
// time. Errors: NotFound.
func (tx *Tx) UpdateTest(id school.UserID, when time.Time) error {
	return touched(tx.exec("UPDATE tripwire_users SET test_at = $2 WHERE user_id = $1 AND deleted_at IS NULL", id, when))
}
