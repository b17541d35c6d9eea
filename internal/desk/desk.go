// Package desk does the verbs of the school: one exported method is one use case
// is one transaction. Every door calls these and nothing else.
package desk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
)

// Desk is where staff and students are served.
type Desk struct {
	store        *store.Store
	hasher       *password.Hasher
	files        *files.Folder
	key          secret.Key
	mail         *FixedMail
	admitReports func(ctx context.Context, confirmAt string) error
	beats        heartbeats
	rests        rests
	news         news
}

// Options are what the desk works with.
type Options struct {
	Hasher *password.Hasher
	Files  *files.Folder // of what people send
	// Key is that of the data folder; links and what is sealed depend on it.
	Key secret.Key
	// Mail is the server that the settings of the process name; nil: the one that
	// the panel names, if any.
	Mail *FixedMail
	// AdmitReports tells a provider, at the address that it named, that it may report
	// bounces; nil: over the web.
	AdmitReports func(ctx context.Context, confirmAt string) error
}

// New answers a desk over an open store.
func New(s *store.Store, o Options) *Desk {
	if o.AdmitReports == nil {
		o.AdmitReports = func(ctx context.Context, at string) error { return mail.ConfirmSubscription(ctx, nil, at) }
	}
	return &Desk{store: s, hasher: o.Hasher, files: o.Files, key: o.Key, mail: o.Mail, admitReports: o.AdmitReports}
}

// Settings answers the choices of the school. Anybody may know them: the login
// page shows the name.
func (d *Desk) Settings(ctx context.Context) (s school.Settings, err error) {
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		s, err = tx.FindSettings()
		return err
	})
	return s, err
}

// EditSettings keeps new choices. Errors: Invalid with the faulty fields,
// Forbidden.
func (d *Desk) EditSettings(ctx context.Context, actor school.Actor, s school.Settings) error {
	if err := actor.May(school.ManageSchool); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	return d.aligning(ctx, func(tx *store.Tx) error {
		old, err := tx.FindSettings()
		if err != nil {
			return err
		}
		if err := tx.UpdateSettings(s); err != nil {
			return err
		}
		if _, err := alignZone(tx, s.Location()); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.SettingsEdited, "", map[string]string{
			"before": fmt.Sprintf("%+v", old), "after": fmt.Sprintf("%+v", s),
		})
	})
}

// Ready answers nil when the desk can serve.
func (d *Desk) Ready(ctx context.Context) error { return d.store.Ping(ctx) }

// digest is how secrets are kept: 256 random bits need no slow hash.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// derive answers 256 bits that only the holder of key can know, different for
// each purpose.
func derive(key, purpose string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
