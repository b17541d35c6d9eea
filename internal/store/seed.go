package store

import (
	"cmp"
	"context"
	"strings"
	"time"

	"tripwire/internal/school"
)

// Past is a student who has been here for a while: the facts that life would have
// left, at the times at which it would have left them.
type Past struct {
	ID       school.UserID
	FullName string
	Email    school.Email
	Language school.Language
	CourseID school.CourseID
	Manager  school.UserID
	Price    school.Money
	AddedAt  time.Time
	Created  string    // the details of the line in the history, as JSON
	LetterAt time.Time // when the welcome letter was taken; zero: it never was
	Lessons  []Done
	Refund   Refund
	// Of these, zero is never.
	LoggedInAt, BlockedAt, TestAt, DeletedAt time.Time
}

// Done is a lesson completed.
type Done struct {
	Lesson school.LessonID
	At     time.Time
}

// Refund is money that went back; the zero Refund: none did.
type Refund struct {
	Minor   int64
	At      time.Time
	Reason  string
	Details string // of the line in the history, as JSON
}

// InsertPasts adds students with their past. It writes facts alone; what follows
// from them (sale, unlocks, completions, roster, roll-ups) the triggers write, as
// they do for one student. The letter stands before the enrolment, so that the
// roster need not be written twice.
func (tx *Tx) InsertPasts(all []Past) error {
	var accounts, letters, enrolments, history, lessons, refunds [][]any
	for _, p := range all {
		email, former := p.Email, school.Email("")
		if !p.DeletedAt.IsZero() {
			email, former = "", p.Email
		}
		accounts = append(accounts, []any{p.ID, nullable(string(email)), nullable(string(former)), p.FullName, searchText(p.FullName, p.Email), school.RoleStudent, p.Language, p.AddedAt, p.LoggedInAt, cmp.Or(p.LoggedInAt, p.AddedAt), p.DeletedAt})
		became := school.LetterAccepted
		if p.LetterAt.IsZero() {
			became = school.LetterGivenUp
		}
		letters = append(letters, []any{p.ID, school.LetterWelcome, p.Email, p.Email.Domain(), became, p.AddedAt, p.LetterAt})
		enrolments = append(enrolments, []any{p.ID, p.CourseID, nullable(string(email)), p.Manager, p.AddedAt, p.Price.Minor, p.Price.Currency, school.DoorPanel, p.BlockedAt, p.TestAt, p.DeletedAt})
		history = append(history, []any{p.AddedAt, school.DoorPanel, "", p.Manager, p.ID, p.Manager, school.StudentCreated, p.Created})
		for _, d := range p.Lessons {
			lessons = append(lessons, []any{p.ID, d.Lesson, d.At})
		}
		if r := p.Refund; r.Minor > 0 {
			refunds = append(refunds, []any{p.ID, p.CourseID, p.Manager, school.MoneyRefund, -r.Minor, p.Price.Currency, r.At, p.Manager, r.Reason})
			history = append(history, []any{r.At, school.DoorPanel, "", p.Manager, p.ID, p.Manager, school.SaleRefunded, r.Details})
		}
	}
	for _, t := range []struct {
		into string
		rows [][]any
	}{
		{"users (id, email, former_email, full_name, search_text, role, language, created_at, last_login_at, last_visit_at, deleted_at)", accounts},
		{"letters (user_id, kind, email, domain, state, queued_at, sent_at)", letters},
		{"tripwire_users (user_id, course_id, email, granted_by, granted_at, price_minor, currency, source, blocked_at, test_at, deleted_at)", enrolments},
		{"activity (at, door, request_id, actor_id, subject_id, owner_id, action, details)", history},
		{"lesson_completions (user_id, lesson_id, completed_at)", lessons},
		{"money_events (user_id, course_id, manager_id, kind, amount_minor, currency, at, actor_id, reason)", refunds},
	} {
		if err := tx.insertRows(t.into, t.rows); err != nil {
			return err
		}
	}
	return nil
}

// rowsTogether are how many rows stand in one statement, at most within the
// parameters that both engines take: SQLite writes its search index out after each
// statement, and PostgreSQL counts what came with one. The rest goes by smaller
// numbers, so that there are few texts to compile.
var rowsTogether = []int{1000, 100, 10, 1}

// insertRows inserts rows into a table with its columns.
func (tx *Tx) insertRows(into string, rows [][]any) error {
	for _, n := range rowsTogether {
		for len(rows) >= n {
			if err := tx.insertTogether(into, rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

func (tx *Tx) insertTogether(into string, rows [][]any) error {
	var text strings.Builder
	var args []any
	text.WriteString("INSERT INTO " + into + " VALUES ")
	for i, row := range rows {
		for j := range row {
			text.WriteString(separator(i, j) + tx.engine.parameter(len(args)+j+1))
		}
		text.WriteString(")")
		args = append(args, row...)
	}
	_, err := tx.exec(text.String(), args...)
	return err
}

// separator stands before the j-th value of the i-th row.
func separator(i, j int) string {
	switch {
	case j > 0:
		return ", "
	case i > 0:
		return ", ("
	default:
		return "("
	}
}

// Analyze tells the database what has come, when it was much at once.
func (s *Store) Analyze(ctx context.Context) error {
	return s.engine.maintain(ctx, func(m maintenance) error { return s.engine.analyze(ctx, m) })
}
