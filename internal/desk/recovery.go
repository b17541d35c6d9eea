package desk

import (
	"context"
	"errors"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// Anybody may ask for a letter, so asking is slowed: by address of the account and
// by where the request comes from. The free ones cover a family or an office that
// has forgotten.
const (
	freeRecoveries        = 3
	longestRecoveryWait   = 15 * time.Minute
	freeVisitorRecoveries = 20
	longestVisitorWait    = time.Minute
)

func recoveryThrottle(email school.Email, address string) []bucket {
	return []bucket{
		{"account", digest("recovery of " + string(email)), freeRecoveries, longestRecoveryWait},
		{"address", digest("recovery from " + address), freeVisitorRecoveries, longestVisitorWait},
	}
}

// RequestRecovery sends a link for an own password to the address, if somebody who
// may log in has it. Known and unknown addresses are answered alike, and both wait for
// something to be written. Errors: Invalid email_* at field email, Limited
// too_many_attempts (with seconds).
func (d *Desk) RequestRecovery(ctx context.Context, from school.Visitor, typed string) error {
	email, err := school.NewEmail(typed)
	if err != nil {
		faults := school.Faults{}
		faults.Add("email", err)
		return faults.Err()
	}
	if _, err := d.reserveAttempt(ctx, recoveryThrottle(email, from.Address)); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		a, err := tx.FindAccountByEmail(email)
		switch {
		case errors.Is(err, school.ErrNotFound) || err == nil && (a.Blocked || !a.DisabledAt.IsZero()):
			return tx.TouchLoginFailures("account", digest("recovery of "+string(email)))
		case err != nil:
			return err
		}
		if err := tx.CancelEarlierLetters(a.ID, school.LetterRecovery); err != nil {
			return err
		}
		if err := tx.InsertLetter(a.ID, school.LetterRecovery, a.Email); err != nil {
			return err
		}
		return tx.InsertActivity(school.Actor{Door: school.DoorPanel, RequestID: from.RequestID}, school.RecoveryAsked, a.ID, nil)
	})
}

// RequestEmailChange sends a link to the new address that confirms it; until then
// the old one stays. Whether somebody has the new address already is not told: then
// no letter comes. Errors: Invalid email_*, email_same at field email,
// password_wrong at field current_password, Limited too_many_attempts, Conflict
// mail_off.
func (d *Desk) RequestEmailChange(ctx context.Context, actor school.Actor, typed, current string) error {
	if actor.ID == "" {
		return school.ErrNotLoggedIn
	}
	faults := school.Faults{}
	email, err := school.NewEmail(typed)
	faults.Add("email", err)
	if err == nil && email == actor.Email {
		faults.Add("email", school.ErrEmailSame)
	}
	var old school.Account
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if _, err := d.mailRoute(tx); err != nil {
			return err
		}
		old, err = tx.FindAccount(actor.ID)
		return err
	})
	if err != nil {
		return err
	}
	wrong := d.knows(ctx, actor, old, current)
	if wrong != nil && !errors.Is(wrong, school.ErrPasswordWrong) {
		return wrong
	}
	faults.Add("current_password", wrong)
	if err := faults.Err(); err != nil {
		return beside(err, wrong)
	}
	if _, err := d.reserveAttempt(ctx, recoveryThrottle(email, string(actor.ID))); err != nil { // letters to strangers
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error { return d.offerEmail(tx, actor, email) })
}

// offerEmail queues the letter to the new address with the link that confirms it.
func (d *Desk) offerEmail(tx *store.Tx, actor school.Actor, email school.Email) error {
	if err := tx.CancelEarlierLetters(actor.ID, school.LetterEmailChange); err != nil {
		return err
	}
	settings, err := tx.FindSettings()
	if err != nil {
		return err
	}
	link := d.newLink(actor.ID, store.ForEmail, linkEnds(tx, settings))
	link.NewEmail = email
	if err := tx.InsertLink(link); err != nil {
		return err
	}
	_, err = tx.FindAccountByEmail(email)
	if errors.Is(err, school.ErrNotFound) {
		err = tx.InsertLetter(actor.ID, school.LetterEmailChange, email)
	}
	if err != nil {
		return err
	}
	return tx.InsertActivity(actor, school.EmailChangeAsked, actor.ID, map[string]string{"new_email": string(email)})
}

// EmailLink answers whose address a link would change, and to what; NotFound
// link_invalid for a link of another kind.
func (d *Desk) EmailLink(ctx context.Context, token string) (a school.Account, to school.Email, err error) {
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		link, err := tx.FindLink(digest(token))
		if err != nil {
			return err
		}
		if link.Purpose != store.ForEmail {
			return school.ErrLinkInvalid
		}
		to = link.NewEmail
		a, err = tx.FindAccount(link.UserID)
		return err
	})
	return a, to, err
}

// ConfirmEmail spends the link of a new address: the account has it from now on, all
// sessions and other links end, and the old address is told. Errors: NotFound
// link_invalid, Conflict email_taken, Forbidden account_blocked.
func (d *Desk) ConfirmEmail(ctx context.Context, from school.Visitor, token string) (a school.Account, err error) {
	a, to, err := d.EmailLink(ctx, token)
	if err != nil {
		return a, err
	}
	owner := a.ID
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if a, err = spendLink(tx, token, store.ForEmail, owner); err != nil {
			return err
		}
		return changeEmail(tx, from, a, to)
	})
	if errors.Is(err, school.ErrStudentExists) {
		err = school.ErrEmailTaken
	}
	if err == nil {
		a.Email = to
	}
	return a, err
}

func changeEmail(tx *store.Tx, from school.Visitor, a school.Account, to school.Email) error {
	if err := tx.UpdateUserName(a.ID, a.FullName, to); err != nil {
		return err
	}
	if err := endAccess(tx, a.ID); err != nil {
		return err
	}
	if err := tx.InsertChangeNotice(a.ID, a.Email, to); err != nil {
		return err
	}
	return tx.InsertActivity(arriving(from, a), school.EmailChanged, a.ID, map[string]string{"old_email": string(a.Email), "new_email": string(to)})
}
