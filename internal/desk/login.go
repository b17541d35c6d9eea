package desk

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/text/unicode/norm"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// LogIn checks e-mail and password. Unknown and known e-mails are answered alike, in text and in time. Errors:
// Unauthenticated wrong_credentials, Limited too_many_attempts (with seconds),
// and, only to who knows the password, Forbidden account_blocked or
// password_expired.
func (d *Desk) LogIn(ctx context.Context, from school.Visitor, email, typed string) (school.Account, error) {
	normal, emailErr := school.NewEmail(email)
	if emailErr != nil {
		normal = school.Email(school.Fold(email))
	}
	throttle := throttleFor(normal, from.Address)
	locks, err := d.reserveAttempt(ctx, throttle)
	if err != nil {
		return school.Account{}, err
	}
	var a school.Account
	if emailErr == nil {
		err := d.store.Read(ctx, func(tx *store.Tx) (err error) {
			a, err = tx.FindAccountByEmail(normal)
			return err
		})
		if err != nil && !errors.Is(err, school.ErrNotFound) {
			return school.Account{}, err
		}
	}
	right, err := d.hasher.Verify(ctx, a.PasswordHash, norm.NFC.String(typed))
	if err != nil {
		return school.Account{}, err
	}
	switch {
	case !right && locks && emailErr != nil:
		return school.Account{}, d.noteLock(ctx, from, a, "", throttle, school.ErrWrongCredentials)
	case !right && locks:
		return school.Account{}, d.noteLock(ctx, from, a, normal, throttle, school.ErrWrongCredentials)
	case !right:
		return school.Account{}, school.ErrWrongCredentials
	}
	err = d.admit(ctx, from, a, throttle)
	if errors.Is(err, school.ErrAccountBlocked) {
		err = d.noteBlocked(ctx, from, a, err)
	}
	return a, err
}

// admit lets in who has shown the right password, if the account may be used.
func (d *Desk) admit(ctx context.Context, from school.Visitor, a school.Account, throttle []bucket) error {
	return d.store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.FindAccount(a.ID) // it may have been deleted or changed meanwhile
		if err != nil {
			return err
		}
		switch {
		case !now.DeletedAt.IsZero() || now.PasswordHash != a.PasswordHash:
			return school.ErrWrongCredentials
		case now.Blocked || !now.DisabledAt.IsZero():
			return school.ErrAccountBlocked
		case now.MustChange && !now.PasswordExpiresAt.IsZero() && !now.PasswordExpiresAt.After(tx.Now):
			return school.ErrPasswordExpired
		}
		if err := forgive(tx, throttle); err != nil {
			return err
		}
		return noteLogin(tx, from, a)
	})
}

func noteLogin(tx *store.Tx, from school.Visitor, a school.Account) error {
	first, err := tx.UpdateLastLogin(a.ID)
	if err != nil || !first || a.Role != school.RoleStudent {
		return err
	}
	return tx.InsertActivity(arriving(from, a), school.FirstLogin, a.ID, nil)
}

// bucket is one of the counters that slow failed logins down.
type bucket struct {
	scope   string
	subject string
	free    int           // failures that cost nothing
	longest time.Duration // the longest wait between two further attempts
}

// The account is slowed soon and hard: nobody mistypes a password ten times. The
// address is slowed late and gently, because a whole office may stand behind
// one: its people still get in, a few seconds apart.
const (
	freeAccountFailures = 5
	longestAccountWait  = 5 * time.Minute
	freeAddressFailures = 50
	longestAddressWait  = 2 * time.Second
	failuresForgotten   = 15 * time.Minute
)

func throttleFor(email school.Email, address string) []bucket {
	return []bucket{
		{"account", digest(string(email)), freeAccountFailures, longestAccountWait},
		{"address", digest(address), freeAddressFailures, longestAddressWait},
	}
}

// reserveAttempt counts the attempt as failed before it is checked, so that a
// hundred attempts at once are a hundred failures. Errors: Limited
// too_many_attempts with the seconds to wait; such an attempt is not counted. locks
// says that the account is locked with this one, unless it is forgiven.
func (d *Desk) reserveAttempt(ctx context.Context, throttle []bucket) (locks bool, err error) {
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		locks = false
		for _, b := range throttle {
			f, err := tx.FindLoginFailures(b.scope, b.subject)
			if err != nil {
				return err
			}
			if wait := f.BlockedUntil.Sub(tx.Now); wait > 0 {
				return school.ErrTooManyAttempts.With("seconds", strconv.Itoa(int(wait/time.Second)+1))
			}
			if tx.Now.Sub(f.LastAt) > failuresForgotten {
				f.Failures = 0
			}
			f.Failures++
			locks = locks || b.scope == "account" && f.Failures == b.free
			f.LastAt, f.BlockedUntil = tx.Now, tx.Now.Add(b.wait(f.Failures))
			if err := tx.UpsertLoginFailures(b.scope, b.subject, f); err != nil {
				return err
			}
		}
		return nil
	})
	return locks, err
}

// wait doubles with each failure beyond the free ones.
func (b bucket) wait(failures int) time.Duration {
	beyond := failures - b.free
	if beyond < 0 { // the last free one has been used: the next has to wait
		return 0
	}
	return min(time.Second<<min(beyond, 20), b.longest)
}

// forgive takes the reserved failure back: the account starts afresh, the
// address loses this one.
func forgive(tx *store.Tx, throttle []bucket) error {
	account, address := throttle[0], throttle[1]
	if err := tx.DeleteLoginFailures(account.scope, account.subject); err != nil {
		return err
	}
	f, err := tx.FindLoginFailures(address.scope, address.subject)
	if err != nil || f.Failures == 0 {
		return err
	}
	f.Failures--
	f.BlockedUntil = tx.Now
	return tx.UpsertLoginFailures(address.scope, address.subject, f)
}

// arriving is the person of an account on the way in.
func arriving(from school.Visitor, a school.Account) school.Actor {
	actor := actorOf(a)
	actor.RequestID = from.RequestID
	return actor
}

// actorOf is the person of an account acting for themselves in the panel.
func actorOf(a school.Account) school.Actor {
	return school.Actor{
		ID: a.ID, Role: a.Role, Name: a.FullName, Email: a.Email, Language: a.Language,
		Door: school.DoorPanel, MustChangePassword: a.MustChange,
	}
}
