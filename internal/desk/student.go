package desk

import (
	"context"
	"errors"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// TrashList is one page of the trash with the size of the whole.
type TrashList struct {
	Students []school.Student
	Total    int
}

// Trash answers a page of the actor's students that can be restored. Errors:
// Forbidden.
func (d *Desk) Trash(ctx context.Context, actor school.Actor, p school.Page) (l TrashList, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return l, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		since := trashedSince(tx.Now, settings)
		if l.Students, err = tx.ListTrash(scope, since, p); err != nil {
			return err
		}
		l.Total, err = tx.CountTrash(scope, since)
		return err
	})
	return l, err
}

func trashedSince(now time.Time, s school.Settings) time.Time { return now.AddDate(0, 0, -s.TrashDays) }

// Card is everything the desk knows of one student.
type Card struct {
	Student  school.Student
	Modules  []school.ModuleProgress
	Money    []school.MoneyEvent // the oldest first
	Activity []school.Activity
}

// maxHistory bounds the history on a card, which leads to the whole of it.
const maxHistory = 50

// Student answers one student's card, from the trash too. Errors: NotFound for
// one who is not there or not the actor's.
func (d *Desk) Student(ctx context.Context, actor school.Actor, id school.UserID) (c Card, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return c, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if c.Student, err = tx.FindStudent(scope, id); err != nil {
			return err
		}
		if c.Modules, err = d.progress(tx, id, c.Student.CourseID, tx.Now); err != nil {
			return err
		}
		if c.Money, err = tx.ListMoneyOf(c.Student); err != nil {
			return err
		}
		c.Activity, err = tx.ListHistory(scope, school.ActivityFilter{Student: id}, school.ActivityCursor{}, maxHistory)
		return err
	})
	return c, d.notingForeign(ctx, actor, id, err)
}

// Activity answers the newest lines of the history that the actor may see.
func (d *Desk) Activity(ctx context.Context, actor school.Actor, limit int) (lines []school.Activity, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return nil, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		lines, err = tx.ListActivity(scope, limit)
		return err
	})
	return lines, err
}

// change runs fn on a student whom the actor may edit, in one transaction.
// Errors: NotFound, Forbidden, and those of fn.
func (d *Desk) change(ctx context.Context, actor school.Actor, id school.UserID, fn func(*store.Tx, school.Student) error) error {
	scope, err := actor.Scope(school.EditStudents)
	if err != nil {
		return err
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.FindStudent(scope, id)
		if err != nil {
			return err
		}
		return fn(tx, s)
	})
	return d.notingForeign(ctx, actor, id, err)
}

// EditStudent corrects name and address; resend has the welcome letter go to the
// corrected address. Errors: Invalid with the faulty fields, Conflict student_exists,
// NotFound, Forbidden.
func (d *Desk) EditStudent(ctx context.Context, actor school.Actor, id school.UserID, fullName, email string, resending bool) error {
	faults := school.Faults{}
	name, err := school.NewFullName(fullName)
	faults.Add("full_name", err)
	address, err := school.NewEmail(email)
	faults.Add("email", err)
	if err := faults.Err(); err != nil {
		return err
	}
	err = d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if s.FullName == name && s.Email == address {
			return nil
		}
		if err := tx.UpdateUserName(id, name, address); err != nil {
			return err
		}
		details := map[string]string{}
		if s.FullName != name {
			details["old_name"], details["new_name"] = s.FullName, name
		}
		if s.Email != address {
			details["old_email"], details["new_email"] = string(s.Email), string(address)
		}
		if err := tx.InsertActivity(actor, school.StudentEdited, id, details); err != nil || s.Email == address {
			return err
		}
		// Whoever has the mailbox of the old address must not get in by a link in it.
		if err := endAccess(tx, id); err != nil || !resending {
			return err
		}
		s.Email = address
		return resend(tx, actor, s)
	})
	return d.nameTheStudent(ctx, actor, email, err)
}

// BlockStudent ends a student's access until it is given back; a student already
// blocked stays so, without a line in the history. Errors: NotFound, Forbidden.
func (d *Desk) BlockStudent(ctx context.Context, actor school.Actor, id school.UserID) error {
	return d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if !s.DeletedAt.IsZero() {
			return school.ErrNotFound
		}
		if !s.BlockedAt.IsZero() {
			return nil
		}
		if err := tx.UpdateBlocked(id, tx.Now); err != nil {
			return err
		}
		if err := tx.DeleteSessionsOf(id); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.StudentBlocked, id, nil)
	})
}

// UnblockStudent gives the access back. Errors: NotFound, Forbidden.
func (d *Desk) UnblockStudent(ctx context.Context, actor school.Actor, id school.UserID) error {
	return d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if !s.DeletedAt.IsZero() {
			return school.ErrNotFound
		}
		if s.BlockedAt.IsZero() {
			return nil
		}
		if err := tx.UpdateBlocked(id, time.Time{}); err != nil {
			return err
		}
		if err := tx.RequeueHeldLetters(id, causeBlocked); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.StudentOpened, id, nil)
	})
}

// DeleteStudent moves a student to the trash: access ends at once, the e-mail is
// free at once. Deleting twice is deleting once. Errors: NotFound, Forbidden.
func (d *Desk) DeleteStudent(ctx context.Context, actor school.Actor, id school.UserID) (s school.Student, err error) {
	err = d.change(ctx, actor, id, func(tx *store.Tx, found school.Student) error {
		if s = found; !s.DeletedAt.IsZero() {
			return nil
		}
		if err := tx.DeleteStudent(id); err != nil {
			return err
		}
		if err := endAccess(tx, id); err != nil {
			return err
		}
		return insertSaleActivity(tx, actor, school.StudentDeleted, id, map[string]string{"email": string(s.Email)})
	})
	return s, err
}

// RestoreStudent takes a student out of the trash with everything they had. An
// empty email gives the old address back; when that has been taken, the answer
// is Conflict email_taken, and another address can be given. Errors: Invalid,
// Conflict email_taken, Conflict trash_expired, NotFound, Forbidden.
func (d *Desk) RestoreStudent(ctx context.Context, actor school.Actor, id school.UserID, email string) error {
	var typed school.Email
	if email != "" {
		var err error
		if typed, err = school.NewEmail(email); err != nil {
			faults := school.Faults{}
			faults.Add("email", err)
			return faults.Err()
		}
	}
	var address school.Email
	err := d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if s.DeletedAt.IsZero() {
			return nil
		}
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		if !s.DeletedAt.After(trashedSince(tx.Now, settings)) {
			return school.ErrTrashExpired
		}
		if address = typed; address == "" {
			address = s.Email
		}
		if err := tx.RestoreStudent(id, s.FullName, address); err != nil {
			return err
		}
		return insertSaleActivity(tx, actor, school.StudentRestored, id, map[string]string{"email": string(address)})
	})
	if !errors.Is(err, school.ErrStudentExists) {
		return err
	}
	taken := d.nameTheStudent(ctx, actor, string(address), err)
	var named *school.Error
	if !errors.As(taken, &named) || !errors.Is(taken, school.ErrStudentExists) {
		return taken
	}
	answer := *school.ErrEmailTaken
	answer.Params = named.Params
	return answer.With("email", string(address))
}

// IssueLink makes a new one-time link for a student and ends earlier ones. The
// path is shown once; it can be derived again with the key of the installation alone. Errors: NotFound, Forbidden.
func (d *Desk) IssueLink(ctx context.Context, actor school.Actor, id school.UserID) (path string, ends time.Time, err error) {
	var link store.Link
	err = d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if !s.DeletedAt.IsZero() {
			return school.ErrNotFound
		}
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		link = d.newLink(id, store.ForAccess, linkEnds(tx, settings))
		if err := tx.InsertLink(link); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.LinkIssued, id, nil)
	})
	return d.pathOf(link), link.ExpiresAt, err
}

// GrantModule opens one module to one student, now, for a reason. Errors:
// Invalid reason_*, NotFound, Forbidden.
func (d *Desk) GrantModule(ctx context.Context, actor school.Actor, id school.UserID, module school.ModuleID, why string) error {
	scope, err := actor.Scope(school.GrantModules)
	if err != nil {
		return err
	}
	reason, err := school.NewReason(why)
	if err != nil {
		faults := school.Faults{}
		faults.Add("reason", err)
		return faults.Err()
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.FindStudent(scope, id)
		if err != nil {
			return err
		}
		if err := tx.InsertGrant(id, module, actor.ID, tx.Now, reason); err != nil {
			return err
		}
		title, err := tx.FindModuleTitle(s.CourseID, module)
		if err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.ModuleGranted, id, map[string]string{"module": title, "reason": reason})
	})
	return d.notingForeign(ctx, actor, id, err)
}
