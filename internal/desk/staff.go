package desk

import (
	"context"
	"errors"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// AddStaff makes an account for a member of staff. Errors: Invalid with the
// faulty fields, Conflict staff_exists, Forbidden.
func (d *Desk) AddStaff(ctx context.Context, actor school.Actor, n school.NewStaff) (school.Account, error) {
	if err := actor.May(school.ManageStaff); err != nil {
		return school.Account{}, err
	}
	a, hash, err := d.prepareStaff(ctx, n)
	if err != nil {
		return a, err
	}
	a.PasswordHash = hash
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.InsertUser(a); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.StaffAdded, a.ID, map[string]string{"role": string(a.Role)})
	})
	return a, asStaff(err)
}

// prepareStaff validates and hashes.
func (d *Desk) prepareStaff(ctx context.Context, n school.NewStaff) (a school.Account, hash string, err error) {
	faults := school.Faults{}
	a.ID = school.NewUserID()
	a.FullName, err = school.NewFullName(n.FullName)
	faults.Add("full_name", err)
	a.Email, err = school.NewEmail(n.Email)
	faults.Add("email", err)
	if a.Role = school.Role(n.Role); !a.Role.Staff() {
		faults.Add("role", school.ErrRoleUnknown)
	}
	p, err := school.CheckPassword(n.Password, a.Email)
	faults.Add("password", err)
	settings, err := d.Settings(ctx)
	if err != nil {
		return a, "", err
	}
	if a.Language = settings.Language; n.Language != "" {
		a.Language, err = school.ParseLanguage(n.Language)
		faults.Add("language", err)
	}
	if err := faults.Err(); err != nil {
		return a, "", err
	}
	hash, err = d.hasher.Hash(ctx, p)
	return a, hash, err
}

func asStaff(err error) error {
	if errors.Is(err, school.ErrStudentExists) {
		return school.ErrStaffExists
	}
	return err
}

// Staff answers every member of staff. Errors: Forbidden.
func (d *Desk) Staff(ctx context.Context, actor school.Actor) (all []school.Account, err error) {
	if err := actor.May(school.ManageStaff); err != nil {
		return nil, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		all, err = tx.ListStaff()
		return err
	})
	return all, err
}

// staffByEmail finds a member of staff; a student is NotFound here.
func staffByEmail(tx *store.Tx, email string) (school.Account, error) {
	address, err := school.NewEmail(email)
	if err != nil {
		return school.Account{}, err
	}
	a, err := tx.FindAccountByEmail(address)
	if err == nil && !a.Role.Staff() {
		err = school.ErrNotFound
	}
	return a, err
}

// DisableStaff ends a person's access to the desk; their students and their
// history stay. Errors: NotFound, Conflict last_admin, Forbidden.
func (d *Desk) DisableStaff(ctx context.Context, actor school.Actor, email string) error {
	if err := actor.May(school.ManageStaff); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		a, err := staffByEmail(tx, email)
		if err != nil || !a.DisabledAt.IsZero() {
			return err
		}
		if err := tx.UpdateDisabled(a.ID, tx.Now); err != nil {
			return err
		}
		if admins, err := tx.CountAdmins(); err != nil {
			return err
		} else if admins == 0 {
			return school.ErrLastAdmin
		}
		if err := tx.DeleteSessionsOf(a.ID); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.StaffDisabled, a.ID, nil)
	})
}

// ResetStaff gives a member of staff a one-time link for a new password, and the
// access back if it had ended. The old password and every session end at once. Errors: NotFound, Forbidden.
func (d *Desk) ResetStaff(ctx context.Context, actor school.Actor, email string) (path string, ends time.Time, err error) {
	if err := actor.May(school.ManageStaff); err != nil {
		return "", ends, err
	}
	var link store.Link
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		a, err := staffByEmail(tx, email)
		if err != nil {
			return err
		}
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		link = d.newLink(a.ID, store.ForAccess, linkEnds(tx, settings))
		if err := tx.UpdateDisabled(a.ID, time.Time{}); err != nil {
			return err
		}
		if err := tx.UpdatePassword(a.ID, "", false, time.Time{}); err != nil {
			return err
		}
		if err := endAccess(tx, a.ID); err != nil {
			return err
		}
		if err := tx.InsertLink(link); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.StaffReset, a.ID, nil)
	})
	return d.pathOf(link), link.ExpiresAt, err
}

// OfferSetup answers the path of a one-time link with which the first
// administrator makes an account; empty once there is one. Each call ends the
// link before it.
func (d *Desk) OfferSetup(ctx context.Context) (path string, err error) {
	token := school.NewToken()
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		path = ""
		admins, err := tx.CountAdmins()
		if err != nil || admins > 0 {
			return err
		}
		path = "/setup/" + token
		return tx.InsertLink(store.Link{Purpose: store.ForAccess, TokenHash: digest(token), ExpiresAt: tx.Now.Add(setupLinkLasts)})
	})
	return path, err
}

// setupLinkLasts is short, because the next start prints another.
const setupLinkLasts = 24 * time.Hour

// SetUp makes the first administrator. Errors: NotFound link_invalid, Conflict
// already_set_up, Invalid with the faulty fields.
func (d *Desk) SetUp(ctx context.Context, from school.Visitor, token string, n school.NewStaff) (school.Account, error) {
	n.Role = string(school.RoleAdmin)
	owner, err := d.LinkOwner(ctx, token)
	if err != nil {
		return owner, err
	}
	if owner.ID != "" {
		return school.Account{}, school.ErrLinkInvalid
	}
	a, hash, err := d.prepareStaff(ctx, n)
	if err != nil {
		return a, err
	}
	a.PasswordHash = hash
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.UseLink(digest(token), store.ForAccess); err != nil {
			return err
		}
		if admins, err := tx.CountAdmins(); err != nil {
			return err
		} else if admins > 0 {
			return school.ErrAlreadySetUp
		}
		if err := tx.InsertUser(a); err != nil {
			return err
		}
		if err := tx.InsertActivity(arriving(from, a), school.StaffAdded, a.ID, map[string]string{"role": string(a.Role)}); err != nil {
			return err
		}
		return noteLogin(tx, from, a)
	})
	return a, asStaff(err)
}
