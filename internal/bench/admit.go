package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tripwire/internal/school"
)

// admitter inserts students through the driver alone, with compiled statements
// on a connection of its own: the floor under every creation.
type admitter struct {
	conn     *sql.Conn
	begin    string
	inserts  [6]*sql.Stmt
	course   int64
	managers []string
}

// The rows that a creation leaves. The first two make the student, and their
// trigger opens the module; the rest is what the desk keeps beside them.
const (
	userRow = iota
	enrolmentRow
	activityRow
	letterRow
	linkRow
	formKeyRow
)

var insertTexts = [...]string{
	userRow: `INSERT INTO users (id, email, full_name, search_text, role, language, must_change, created_at)
		VALUES ($1, $2, $3, $4, 'student', 'ru', FALSE, $5)`,
	enrolmentRow: `INSERT INTO tripwire_users (user_id, course_id, email, granted_by, granted_at, price_minor, currency, source)
		VALUES ($1, $2, $3, $4, $5, 9900000, 'KZT', 'panel')`,
	activityRow: `INSERT INTO activity (at, door, request_id, actor_id, subject_id, owner_id, action, details)
		VALUES ($1, 'panel', 'bench', $2, $3, $2, 'student.created', '{}')`,
	letterRow:  `INSERT INTO letters (user_id, kind, queued_at) VALUES ($1, 'welcome', $2)`,
	linkRow:    `INSERT INTO access_links (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $3)`,
	formKeyRow: `INSERT INTO form_keys (key_hash, actor_id, digest, result_id, created_at) VALUES ($1, $2, 'bench', $3, $4)`,
}

func newAdmitter(ctx context.Context, db *sql.DB, begin string) (a *admitter, err error) {
	a = &admitter{begin: begin}
	if a.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	for i, text := range insertTexts {
		if a.inserts[i], err = a.conn.PrepareContext(ctx, text); err != nil { //nolint:sqlclosecheck // closed in close
			return nil, errors.Join(err, a.close())
		}
	}
	if err := a.findSchool(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *admitter) findSchool(ctx context.Context) error {
	if err := a.conn.QueryRowContext(ctx, "SELECT min(id) FROM courses").Scan(&a.course); err != nil {
		return err
	}
	rows, err := a.conn.QueryContext(ctx, "SELECT id FROM users WHERE role = 'sales' ORDER BY email")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		a.managers = append(a.managers, id)
	}
	return rows.Err()
}

func (a *admitter) close() error {
	var errs []error
	for _, s := range a.inserts {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, a.conn.Close())...)
}

func (a *admitter) insert(ctx context.Context, row int, args ...any) error {
	_, err := a.inserts[row].ExecContext(ctx, args...)
	return err
}

// timeLayout is the form of a time that both engines take as text.
const timeLayout = "2006-01-02 15:04:05.000"

// admit inserts the two rows of a student, in the transaction that is open;
// whole: what the desk keeps beside them too.
func (a *admitter) admit(ctx context.Context, n int64, at time.Time, whole bool) error {
	id, manager, when := string(school.NewUserID()), a.managers[n%int64(len(a.managers))], at.UTC().Format(timeLayout)
	name, email := fmt.Sprintf("Студент %d", n), fmt.Sprintf("student%d@example.com", n)
	if err := a.insert(ctx, userRow, id, email, name, school.Fold(name+" "+email), when); err != nil {
		return err
	}
	if err := a.insert(ctx, enrolmentRow, id, a.course, email, manager, when); err != nil || !whole {
		return err
	}
	if err := a.insert(ctx, activityRow, when, manager, id); err != nil {
		return err
	}
	if err := a.insert(ctx, letterRow, id, when); err != nil {
		return err
	}
	if err := a.insert(ctx, linkRow, school.NewToken(), id, when); err != nil {
		return err
	}
	return a.insert(ctx, formKeyRow, school.NewToken(), manager, id, when)
}

// transact runs fn in one durable transaction.
func (a *admitter) transact(ctx context.Context, fn func() error) error {
	if _, err := a.conn.ExecContext(ctx, a.begin); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err := a.conn.ExecContext(ctx, "COMMIT")
	return err
}
