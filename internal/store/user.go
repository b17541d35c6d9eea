package store

import (
	"time"

	"tripwire/internal/school"
)

// InsertUser adds an account. Errors: Conflict student_exists for an e-mail that
// a living account has.
func (tx *Tx) InsertUser(a school.Account) error {
	return tx.later(`INSERT INTO users
		(id, email, full_name, search_text, role, language, password_hash, must_change, password_expires_at, created_at, last_visit_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
		a.ID, a.Email, a.FullName, searchText(a.FullName, a.Email), a.Role, a.Language,
		nullable(a.PasswordHash), a.MustChange, a.PasswordExpiresAt, tx.Now)
}

func searchText(name string, email school.Email) string {
	text := name + " " + string(email)
	if written := email.Written(); written != string(email) { // found in either form
		text += " " + written
	}
	return school.Fold(text)
}

// nullable turns the empty string into NULL.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

const accountColumns = `u.id, u.email, u.full_name, u.role, u.language, u.password_hash, u.must_change,
	u.password_expires_at, u.created_at, u.disabled_at, u.deleted_at,
	u.role = 'student' AND NOT EXISTS (
		SELECT 1 FROM tripwire_users t WHERE t.user_id = u.id AND t.blocked_at IS NULL AND t.deleted_at IS NULL)`

func scanOneAccount(r row) (school.Account, error) { return scanAccount(r) }

// scanAccount reads the columns of an account behind those that stand first.
func scanAccount(r row, first ...any) (a school.Account, err error) {
	return a, r.Scan(append(first, text(&a.ID), text(&a.Email), &a.FullName, text(&a.Role), text(&a.Language), text(&a.PasswordHash), &a.MustChange,
		at(&a.PasswordExpiresAt), at(&a.CreatedAt), at(&a.DisabledAt), at(&a.DeletedAt), &a.Blocked)...)
}

// FindAccountByEmail answers the living account with this address. Errors:
// NotFound.
func (tx *Tx) FindAccountByEmail(email school.Email) (school.Account, error) {
	return one(tx, "SELECT "+accountColumns+" FROM users u WHERE u.email = $1", scanOneAccount, email)
}

// FindAccount answers an account, deleted or not. Errors: NotFound.
func (tx *Tx) FindAccount(id school.UserID) (school.Account, error) {
	return one(tx, "SELECT "+accountColumns+" FROM users u WHERE u.id = $1", scanOneAccount, id)
}

// ListStaff answers every member of staff, by name.
func (tx *Tx) ListStaff() ([]school.Account, error) {
	return list(tx, "SELECT "+accountColumns+" FROM users u WHERE u.role <> 'student' ORDER BY u.full_name, u.id", scanOneAccount)
}

// CountAdmins answers how many administrators can log in.
func (tx *Tx) CountAdmins() (int, error) {
	return one(tx, "SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL AND deleted_at IS NULL", scanInt)
}

// UpdateUserName corrects name and address. The enrolments follow by their
// foreign key. Errors: Conflict student_exists, NotFound.
func (tx *Tx) UpdateUserName(id school.UserID, name string, email school.Email) error {
	return touched(tx.exec(`UPDATE users SET full_name = $2, email = $3, search_text = $4
		WHERE id = $1 AND deleted_at IS NULL`, id, name, email, searchText(name, email)))
}

// UpdatePassword sets the hash (empty: no password opens the account); must says that the person has to choose another
// at the next login, ends when this one stops working (zero: never).
func (tx *Tx) UpdatePassword(id school.UserID, hash string, must bool, ends time.Time) error {
	return touched(tx.exec(`UPDATE users SET password_hash = $2, must_change = $3, password_expires_at = $4
		WHERE id = $1 AND deleted_at IS NULL`, id, nullable(hash), must, ends))
}

// UpdateLanguage sets the language of the screen for one person.
func (tx *Tx) UpdateLanguage(id school.UserID, l school.Language) error {
	return touched(tx.exec("UPDATE users SET language = $2 WHERE id = $1", id, l))
}

// UpdateDisabled ends the access of a member of staff, or gives it back with a
// zero time.
func (tx *Tx) UpdateDisabled(id school.UserID, when time.Time) error {
	return touched(tx.exec("UPDATE users SET disabled_at = $2 WHERE id = $1 AND role <> 'student'", id, when))
}

// UpdateLastLogin notes a login and reports whether it was the first.
func (tx *Tx) UpdateLastLogin(id school.UserID) (first bool, err error) {
	n, err := tx.exec("UPDATE users SET last_login_at = $2, last_visit_at = $2 WHERE id = $1 AND last_login_at IS NULL", id, tx.Now)
	if err != nil || n > 0 {
		return n > 0, err
	}
	return false, touched(tx.exec("UPDATE users SET last_login_at = $2, last_visit_at = $2 WHERE id = $1", id, tx.Now))
}
