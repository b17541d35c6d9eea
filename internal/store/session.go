package store

import (
	"time"

	"tripwire/internal/school"
)

// UpsertSession keeps a session under the hash of its token.
func (tx *Tx) UpsertSession(s school.Session, data []byte) error {
	if err := tx.touchVisit(s.UserID); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO sessions (token_hash, user_id, device, data, created_at, last_seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at, last_seen_at = excluded.last_seen_at`,
		s.TokenHash, s.UserID, s.Device, data, tx.Now, tx.Now, s.ExpiresAt)
	return err
}

// LiveSession is a session that has not ended, whose it is, and the settings of
// the school, which every request needs with it.
type LiveSession struct {
	Account    school.Account
	Settings   school.Settings
	Data       []byte // what the session library keeps
	LastSeenAt time.Time
}

// FindSession answers a session that has not ended; whether it has been idle for
// too long its LastSeenAt tells. Errors: NotFound.
func (tx *Tx) FindSession(tokenHash string) (LiveSession, error) {
	return one(tx, "SELECT s.data, s.last_seen_at, "+settingsColumns+", "+accountColumns+`
		FROM sessions s JOIN users u ON u.id = s.user_id CROSS JOIN `+settingsTables+`
		WHERE s.token_hash = $1 AND s.expires_at > $2`,
		func(r row) (s LiveSession, err error) {
			s.Account, err = scanAccount(r, append([]any{&s.Data, at(&s.LastSeenAt)}, scanSettings(&s.Settings)...)...)
			return s, err
		}, tokenHash, tx.Now)
}

// TouchSession notes that the session is in use, and that its owner is here.
func (tx *Tx) TouchSession(tokenHash string, owner school.UserID) error {
	if err := tx.touchVisit(owner); err != nil {
		return err
	}
	_, err := tx.exec("UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2", tokenHash, tx.Now)
	return err
}

// touchVisit notes that somebody is here, at most once an hour. It goes before the row
// of the session: whoever ends access takes the account first, too.
func (tx *Tx) touchVisit(id school.UserID) error {
	return tx.later("UPDATE users SET last_visit_at = $2 WHERE id = $1 AND last_visit_at < $3", id, tx.Now, tx.Now.Add(-time.Hour))
}

// DeleteSession ends one session; ending one that is gone is no error.
func (tx *Tx) DeleteSession(tokenHash string) error {
	_, err := tx.exec("DELETE FROM sessions WHERE token_hash = $1", tokenHash)
	return err
}

// DeleteSessionsOf ends every session of a person.
func (tx *Tx) DeleteSessionsOf(id school.UserID) error {
	_, err := tx.exec("DELETE FROM sessions WHERE user_id = $1", id)
	return err
}

// ListSessions answers a person's living sessions, the latest used first.
func (tx *Tx) ListSessions(id school.UserID, idleSince time.Time) ([]school.Session, error) {
	return list(tx, `SELECT token_hash, user_id, device, created_at, last_seen_at, expires_at FROM sessions
		WHERE user_id = $1 AND expires_at > $2 AND last_seen_at > $3 ORDER BY last_seen_at DESC, token_hash`,
		func(r row) (s school.Session, err error) {
			return s, r.Scan(&s.TokenHash, text(&s.UserID), &s.Device, at(&s.CreatedAt), at(&s.LastSeenAt), at(&s.ExpiresAt))
		}, id, tx.Now, idleSince)
}

// DeleteStaleAccess sweeps what no longer opens anything: ended sessions, old
// links, old failures and old form keys. Each has an index that finds them.
func (tx *Tx) DeleteStaleAccess(idleSince, before time.Time) (int64, error) {
	var total int64
	for _, sweep := range []struct {
		statement string
		limit     time.Time
	}{
		{"DELETE FROM sessions WHERE last_seen_at <= $1", idleSince},
		{"DELETE FROM access_links WHERE expires_at < $1", before},
		{"DELETE FROM login_failures WHERE last_at < $1", before},
		{"DELETE FROM form_keys WHERE created_at < $1", before},
	} {
		n, err := tx.exec(sweep.statement, sweep.limit)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}
