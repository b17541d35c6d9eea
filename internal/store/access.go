package store

import (
	"time"

	"tripwire/internal/school"
)

// Purpose is what a one-time link is for.
type Purpose string

// The purposes of links.
const (
	ForAccess Purpose = "access" // to set an own password
	ForEmail  Purpose = "email"  // to confirm a new address
)

// Link is a one-time link.
type Link struct {
	UserID    school.UserID // empty: the first administrator
	Purpose   Purpose
	NewEmail  school.Email // for ForEmail: what it confirms
	TokenHash string
	// Nonce is what the token was derived from; empty: it is known to nobody.
	Nonce     string
	ExpiresAt time.Time
}

// InsertLink keeps a one-time link by the hash of its token and ends the person's
// earlier ones of the same purpose.
func (tx *Tx) InsertLink(l Link) error {
	var err error
	if l.UserID == "" {
		_, err = tx.exec("DELETE FROM access_links WHERE user_id IS NULL")
	} else {
		_, err = tx.exec("DELETE FROM access_links WHERE user_id = $1 AND purpose = $2", l.UserID, l.Purpose)
	}
	if err != nil {
		return err
	}
	return tx.InsertFirstLink(l)
}

// InsertFirstLink is InsertLink for an account made in this transaction, which
// cannot have earlier ones.
func (tx *Tx) InsertFirstLink(l Link) error {
	return tx.later("INSERT INTO access_links (token_hash, user_id, created_at, expires_at, nonce, purpose, new_email) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		l.TokenHash, l.UserID, tx.Now, l.ExpiresAt, l.Nonce, l.Purpose, l.NewEmail)
}

const linkColumns = "SELECT user_id, purpose, new_email, token_hash, nonce, expires_at FROM access_links "

func scanLink(r row) (l Link, err error) {
	return l, r.Scan(text(&l.UserID), text(&l.Purpose), text(&l.NewEmail), &l.TokenHash, &l.Nonce, at(&l.ExpiresAt))
}

// FindLink answers a link that can be used. Errors: NotFound link_invalid.
func (tx *Tx) FindLink(tokenHash string) (Link, error) {
	l, err := one(tx, linkColumns+"WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2", scanLink, tokenHash, tx.Now)
	if isNotFound(err) {
		err = school.ErrLinkInvalid
	}
	return l, err
}

// FindLinkOf answers the link of a person that can be used and derived again.
// Errors: NotFound link_invalid.
func (tx *Tx) FindLinkOf(id school.UserID, p Purpose) (Link, error) {
	l, err := one(tx, linkColumns+"WHERE user_id = $1 AND purpose = $2 AND nonce <> '' AND used_at IS NULL AND expires_at > $3 ORDER BY expires_at DESC, token_hash LIMIT 1", scanLink, id, p, tx.Now)
	if isNotFound(err) {
		err = school.ErrLinkInvalid
	}
	return l, err
}

// UseLink spends a link. Errors: NotFound link_invalid when somebody else was
// faster.
func (tx *Tx) UseLink(tokenHash string, p Purpose) error {
	err := touched(tx.exec("UPDATE access_links SET used_at = $2 WHERE token_hash = $1 AND purpose = $3 AND used_at IS NULL AND expires_at > $2",
		tokenHash, tx.Now, p))
	if isNotFound(err) {
		err = school.ErrLinkInvalid
	}
	return err
}

// DeleteLinksOf ends a person's links.
func (tx *Tx) DeleteLinksOf(id school.UserID) error {
	_, err := tx.exec("DELETE FROM access_links WHERE user_id = $1", id)
	return err
}

// FormKey is a form that was sent.
type FormKey struct {
	Hash     string
	ActorID  school.UserID
	Digest   string // of what the form said, without the password
	ResultID school.UserID
}

// InsertFormKey claims a form's key. Errors: ErrFormSent when it is taken.
func (tx *Tx) InsertFormKey(k FormKey) error {
	return tx.later("INSERT INTO form_keys (key_hash, actor_id, digest, result_id, created_at) VALUES ($1, $2, $3, $4, $5)",
		k.Hash, k.ActorID, k.Digest, k.ResultID, tx.Now)
}

// FindFormKey answers what a form with this key made. Errors: NotFound.
func (tx *Tx) FindFormKey(hash string) (FormKey, error) {
	return one(tx, "SELECT key_hash, actor_id, digest, result_id FROM form_keys WHERE key_hash = $1",
		func(r row) (k FormKey, err error) {
			return k, r.Scan(&k.Hash, text(&k.ActorID), &k.Digest, text(&k.ResultID))
		}, hash)
}

// LoginFailures counts the failures of one account or address since its last
// success.
type LoginFailures struct {
	Failures     int
	BlockedUntil time.Time
	LastAt       time.Time
}

// FindLoginFailures answers the zero value for who has never failed.
func (tx *Tx) FindLoginFailures(scope, subject string) (LoginFailures, error) {
	f, err := one(tx, "SELECT failures, blocked_until, last_at FROM login_failures WHERE scope = $1 AND subject = $2",
		func(r row) (f LoginFailures, err error) {
			return f, r.Scan(&f.Failures, at(&f.BlockedUntil), at(&f.LastAt))
		}, scope, subject)
	if isNotFound(err) {
		return LoginFailures{}, nil
	}
	return f, err
}

// UpsertLoginFailures keeps the new count.
func (tx *Tx) UpsertLoginFailures(scope, subject string, f LoginFailures) error {
	_, err := tx.exec(`INSERT INTO login_failures (scope, subject, failures, blocked_until, last_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (scope, subject) DO UPDATE
		SET failures = excluded.failures, blocked_until = excluded.blocked_until, last_at = excluded.last_at`,
		scope, subject, f.Failures, f.BlockedUntil, f.LastAt)
	return err
}

// TouchLoginFailures writes the count as it is: a write that changes nothing, for
// who must not be told from another by the time an answer takes.
func (tx *Tx) TouchLoginFailures(scope, subject string) error {
	return tx.later(`INSERT INTO login_failures (scope, subject, failures, blocked_until, last_at) VALUES ($1, $2, 0, $3, $3)
		ON CONFLICT (scope, subject) DO UPDATE SET failures = login_failures.failures`, scope, subject, tx.Now)
}

// DeleteLoginFailures forgets the failures after a success.
func (tx *Tx) DeleteLoginFailures(scope, subject string) error {
	_, err := tx.exec("DELETE FROM login_failures WHERE scope = $1 AND subject = $2", scope, subject)
	return err
}
