package store

import "tripwire/internal/school"

// FindMailSettings answers how letters leave the school.
func (tx *Tx) FindMailSettings() (school.MailSettings, error) {
	return one(tx, `SELECT host, port, security, username, sealed_password, from_name, from_email, reply_to, bounce_email, domain_per_minute, content_days, hook_hash,
			module_opened, reminder_days, fault, fault_words, fault_at FROM mail_settings`,
		func(r row) (s school.MailSettings, err error) {
			return s, r.Scan(&s.Host, &s.Port, &s.Security, &s.Username, &s.SealedPassword, &s.FromName, text(&s.FromEmail), text(&s.ReplyTo), text(&s.BounceEmail), &s.DomainPerMinute, &s.ContentDays, &s.HookHash,
				&s.ModuleOpened, &s.ReminderDays, &s.Fault, &s.FaultWords, at(&s.FaultAt))
		})
}

// UpdateMailSettings keeps how letters leave the school, but for the token of the
// bounces and what keeps letters from leaving.
func (tx *Tx) UpdateMailSettings(s school.MailSettings) error {
	_, err := tx.exec(`UPDATE mail_settings SET host = $1, port = $2, security = $3, username = $4, sealed_password = $5, from_name = $6, from_email = $7,
			reply_to = $8, bounce_email = $9, domain_per_minute = $10, content_days = $11, module_opened = $12, reminder_days = $13`,
		s.Host, s.Port, s.Security, s.Username, s.SealedPassword, s.FromName, s.FromEmail, s.ReplyTo, s.BounceEmail, s.DomainPerMinute, s.ContentDays, s.ModuleOpened, s.ReminderDays)
	return err
}

// UpdateHook keeps the hash of the token with which bounces are reported.
func (tx *Tx) UpdateHook(hash string) error {
	_, err := tx.exec("UPDATE mail_settings SET hook_hash = $1", hash)
	return err
}

// UpdateMailFault notes what keeps all letters from leaving; an empty cause: nothing
// does any more. What has not changed is not written.
func (tx *Tx) UpdateMailFault(cause, words string) error {
	if cause == "" {
		_, err := tx.exec("UPDATE mail_settings SET fault = '', fault_words = '', fault_at = NULL WHERE fault <> ''")
		return err
	}
	_, err := tx.exec("UPDATE mail_settings SET fault = $1, fault_words = $2, fault_at = CASE WHEN fault = $1 THEN fault_at ELSE $3 END WHERE fault <> $1 OR fault_words <> $2", cause, words, tx.Now)
	return err
}

// KeepFingerprint notes by what the key of the data folder is known, if none was
// noted before, and answers what is noted.
func (tx *Tx) KeepFingerprint(fingerprint string) (string, error) {
	if _, err := tx.exec("INSERT INTO secret_key (id, fingerprint) VALUES (1, $1) ON CONFLICT (id) DO NOTHING", fingerprint); err != nil {
		return "", err
	}
	return one(tx, "SELECT fingerprint FROM secret_key", scanText)
}

// FindFingerprint answers by what the key is known; empty before the first start.
func (tx *Tx) FindFingerprint() (string, error) {
	known, err := one(tx, "SELECT fingerprint FROM secret_key", scanText)
	if isNotFound(err) {
		return "", nil
	}
	return known, err
}

// ReplaceFingerprint takes another key for the right one: what was sealed with the
// old one is forgotten, and links derived from it no longer open.
func (tx *Tx) ReplaceFingerprint(fingerprint string) error {
	for _, s := range []struct {
		text string
		args []any
	}{
		{"UPDATE secret_key SET fingerprint = $1", []any{fingerprint}},
		{"UPDATE mail_settings SET sealed_password = ''", nil},
		{"DELETE FROM access_links WHERE nonce <> ''", nil},
	} {
		if _, err := tx.exec(s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}
