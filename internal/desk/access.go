package desk

import (
	"context"
	"errors"
	"time"

	"golang.org/x/text/unicode/norm"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// SetOwnPassword replaces a password that staff know by the person's own. Other
// sessions end. Errors: Invalid password_* at field password.
func (d *Desk) SetOwnPassword(ctx context.Context, actor school.Actor, typed string) error {
	if !actor.MustChangePassword {
		return school.ErrForbidden
	}
	return d.changePassword(ctx, actor, typed, nil)
}

// ChangePassword replaces the person's own password by another. Wrong guesses are
// slowed as at the login. Errors: Invalid password_wrong at field
// current_password, password_* at field password, Limited too_many_attempts.
func (d *Desk) ChangePassword(ctx context.Context, actor school.Actor, current, typed string) error {
	return d.changePassword(ctx, actor, typed, &current)
}

func (d *Desk) changePassword(ctx context.Context, actor school.Actor, typed string, current *string) error {
	var old school.Account
	err := d.store.Read(ctx, func(tx *store.Tx) (err error) {
		old, err = tx.FindAccount(actor.ID)
		return err
	})
	if err != nil {
		return err
	}
	faults := school.Faults{}
	p, err := school.CheckPassword(typed, old.Email)
	faults.Add("password", err)
	var wrong error
	if current != nil {
		if wrong = d.knows(ctx, actor, old, *current); wrong != nil && !errors.Is(wrong, school.ErrPasswordWrong) {
			return wrong
		}
		faults.Add("current_password", wrong)
	}
	if err := faults.Err(); err != nil {
		return beside(err, wrong)
	}
	if same, err := d.hasher.Verify(ctx, old.PasswordHash, p); err != nil {
		return err
	} else if same {
		faults.Add("password", school.ErrPasswordSame)
		return faults.Err()
	}
	hash, err := d.hasher.Hash(ctx, p)
	if err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.FindAccount(actor.ID)
		if err != nil {
			return err
		}
		if now.PasswordHash != old.PasswordHash { // changed while we were hashing
			return school.ErrNotLoggedIn
		}
		return keepPassword(tx, actor, actor.ID, hash)
	})
}

// knows answers nil when the person knows the account's password; wrong guesses are
// slowed. Errors: Invalid password_wrong, Limited too_many_attempts.
func (d *Desk) knows(ctx context.Context, actor school.Actor, a school.Account, typed string) error {
	throttle := throttleFor(a.Email, string(a.ID))
	locks, err := d.reserveAttempt(ctx, throttle)
	if err != nil {
		return err
	}
	right, err := d.hasher.Verify(ctx, a.PasswordHash, norm.NFC.String(typed))
	switch {
	case err != nil:
		return err
	case !right && locks:
		return d.noteLock(ctx, school.Visitor{RequestID: actor.RequestID}, a, "", throttle, school.ErrPasswordWrong)
	case !right:
		return school.ErrPasswordWrong
	}
	return d.store.Write(ctx, func(tx *store.Tx) error { return forgive(tx, throttle) })
}

// keepPassword makes hash the person's own password and ends every session and link
// of the time before it.
func keepPassword(tx *store.Tx, actor school.Actor, id school.UserID, hash string) error {
	if err := tx.UpdatePassword(id, hash, false, time.Time{}); err != nil {
		return err
	}
	if err := endAccess(tx, id); err != nil {
		return err
	}
	return tx.InsertActivity(actor, school.PasswordSet, id, nil)
}

// endAccess ends every session and every link of a person, of both kinds: whoever
// holds one got it when the account was another's matter.
func endAccess(tx *store.Tx, id school.UserID) error {
	if err := tx.DeleteSessionsOf(id); err != nil {
		return err
	}
	return tx.DeleteLinksOf(id)
}

// spendLink spends a link and answers its account, if that may still be used. Errors:
// NotFound link_invalid, Forbidden account_blocked.
func spendLink(tx *store.Tx, token string, p store.Purpose, id school.UserID) (school.Account, error) {
	if err := tx.UseLink(digest(token), p); err != nil {
		return school.Account{}, err
	}
	a, err := tx.FindAccount(id)
	switch {
	case err != nil:
		return a, err
	case !a.DeletedAt.IsZero():
		return a, school.ErrLinkInvalid
	case a.Blocked || !a.DisabledAt.IsZero():
		return a, school.ErrAccountBlocked
	default:
		return a, nil
	}
}

// LinkOwner answers for whom a one-time link is; the zero Account for the first
// administrator. Errors: NotFound link_invalid.
func (d *Desk) LinkOwner(ctx context.Context, token string) (a school.Account, err error) {
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		link, err := tx.FindLink(digest(token))
		switch {
		case err != nil || link.UserID == "":
			return err
		case link.Purpose != store.ForAccess:
			return school.ErrLinkInvalid
		}
		a, err = tx.FindAccount(link.UserID)
		return err
	})
	return a, err
}

// UseLink spends a one-time link to set the person's own password, and logs them
// in. Errors: NotFound link_invalid, Invalid password_* at field password,
// Forbidden account_blocked.
func (d *Desk) UseLink(ctx context.Context, from school.Visitor, token, typed string) (school.Account, error) {
	a, err := d.LinkOwner(ctx, token)
	if err != nil {
		return a, err
	}
	if a.ID == "" {
		return a, school.ErrLinkInvalid
	}
	hash, err := d.hashChecked(ctx, typed, a.Email)
	if err != nil {
		return a, err
	}
	owner := a.ID
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if a, err = spendLink(tx, token, store.ForAccess, owner); err != nil {
			return err
		}
		if err := tx.InsertActivity(arriving(from, a), school.LinkUsed, a.ID, nil); err != nil {
			return err
		}
		if err := keepPassword(tx, arriving(from, a), a.ID, hash); err != nil {
			return err
		}
		return noteLogin(tx, from, a)
	})
	a.MustChange = false
	return a, err
}

func (d *Desk) hashChecked(ctx context.Context, typed string, email school.Email) (string, error) {
	p, err := school.CheckPassword(typed, email)
	if err != nil {
		faults := school.Faults{}
		faults.Add("password", err)
		return "", faults.Err()
	}
	return d.hasher.Hash(ctx, p)
}
