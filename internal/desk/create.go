package desk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// CreateStudent admits a new student: account, enrolment, first module (opened
// by the trigger), history and letter, all or nothing. The answer carries the
// password or the one-time link; nothing else ever will. The same form sent
// again gets the same answer. Errors: Invalid with the faulty fields, Conflict
// student_exists (with student_id and student_name where the actor may know
// them), Conflict form_key_reused, Conflict no_course, Forbidden.
func (d *Desk) CreateStudent(ctx context.Context, actor school.Actor, f school.NewStudentForm) (school.Created, error) {
	if err := actor.May(school.CreateStudents); err != nil {
		return school.Created{}, err
	}
	if f.Key != "" && len(f.Key) != len(school.NewToken()) {
		return school.Created{}, school.ErrFormKeyInvalid
	}
	order, err := d.prepareOrder(ctx, actor, f)
	if err == nil && order.student.Access == school.AccessPassword {
		order.hash, err = d.hasher.Hash(ctx, order.student.Password)
	}
	var created school.Created
	if err == nil {
		created, err = d.fulfil(ctx, actor, order)
	}
	switch {
	case errors.Is(err, store.ErrFormSent):
		return d.repeat(ctx, actor, f)
	case err != nil:
		return school.Created{}, d.nameTheStudent(ctx, actor, f.Email, err)
	default:
		return created, nil
	}
}

// order is everything that is known before the first row is written.
type order struct {
	form     school.NewStudentForm
	student  school.NewStudent
	course   school.Course
	settings school.Settings
	hash     string
}

// prepareOrder reads what the creation depends on, and refuses before any hashing
// what the constraints would refuse after it; they judge in any case. Errors:
// store.ErrFormSent in place of any other for a form that was answered before.
func (d *Desk) prepareOrder(ctx context.Context, actor school.Actor, f school.NewStudentForm) (o order, err error) {
	o.form = f
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		o.course, o.settings, err = tx.FindCourseOnSale()
		return err
	})
	if err == nil {
		o.student, err = school.NewStudentFrom(f, o.course, o.settings.PriceLimit(actor.Role), o.settings)
	}
	if err == nil && o.student.Access == school.AccessPassword {
		err = d.refuseTaken(ctx, o.student.Email)
	}
	if err != nil && f.Key != "" {
		err = d.unlessSent(ctx, f.Key, err)
	}
	return o, err
}

func (d *Desk) refuseTaken(ctx context.Context, email school.Email) error {
	return d.store.Look(ctx, func(tx *store.Tx) error {
		if _, err := tx.FindAccountByEmail(email); !errors.Is(err, school.ErrNotFound) {
			return cmp.Or(err, error(school.ErrStudentExists))
		}
		return nil
	})
}

// unlessSent answers the refusal, but ErrFormSent where the form itself, sent
// before, has brought about what is refused now.
func (d *Desk) unlessSent(ctx context.Context, formKey string, refusal error) error {
	return d.store.Look(ctx, func(tx *store.Tx) error {
		if _, err := tx.FindFormKey(digest(formKey)); !errors.Is(err, school.ErrNotFound) {
			return cmp.Or(err, error(store.ErrFormSent))
		}
		return refusal
	})
}

// fulfil writes the rows, in the one transaction of a creation, and tells what
// they brought about.
func (d *Desk) fulfil(ctx context.Context, actor school.Actor, o order) (c school.Created, err error) {
	id := school.NewUserID()
	var link store.Link
	err = d.store.Add(ctx, func(tx *store.Tx) error {
		if c = o.answer(tx.Now, actor, id); c.Access == school.AccessLink {
			link = d.linkFrom(nonceOf(o.form.Key), id, store.ForAccess, linkEnds(tx, o.settings))
			c.Link, c.LinkEnds = d.pathOf(link), link.ExpiresAt
		}
		if o.form.Key != "" {
			key := store.FormKey{Hash: digest(o.form.Key), ActorID: actor.ID, Digest: o.digest(), ResultID: id}
			if err := tx.InsertFormKey(key); err != nil {
				return err
			}
		}
		if err := tx.InsertUser(o.account(id, c)); err != nil {
			return err
		}
		// In front of the enrolment, whose triggers then find it: behind it, they would
		// enter the student into the lists and change the entry at once.
		if err := tx.InsertLetter(id, school.LetterWelcome, o.student.Email); err != nil {
			return err
		}
		if err := tx.InsertEnrolment(store.Enrolment{
			UserID: id, CourseID: o.course.ID, Email: o.student.Email, GrantedBy: actor.ID, Price: o.student.Price, Source: actor.Door,
		}); err != nil {
			return err
		}
		if o.student.Access == school.AccessLink {
			if err := tx.InsertFirstLink(link); err != nil {
				return err
			}
		}
		return tx.InsertOwnActivity(actor, school.StudentCreated, id, o.details())
	}, func(tx *store.Tx) error {
		c.Unlocked, err = tx.ListUnlocked(id)
		return err
	})
	return c, err
}

// details are what the history tells of the creation.
func (o order) details() map[string]string {
	d := map[string]string{"email": string(o.student.Email), "course": o.course.Title, "access": string(o.student.Access)}
	if o.student.Price != o.course.Price {
		d["price"] = o.student.Price.String()
	}
	return d
}

func (o order) account(id school.UserID, c school.Created) school.Account {
	return school.Account{
		ID: id, Email: o.student.Email, FullName: o.student.FullName, Role: school.RoleStudent, Language: o.student.Language,
		PasswordHash: o.hash, MustChange: c.MustChange, PasswordExpiresAt: c.PasswordEnds,
	}
}

// answer is what staff are shown, but for the link and what the trigger opens.
func (o order) answer(now time.Time, actor school.Actor, id school.UserID) school.Created {
	c := school.Created{
		Student: school.Student{
			ID: id, CourseID: o.course.ID, FullName: o.student.FullName, Email: o.student.Email, Language: o.student.Language,
			GrantedBy: actor.ID, ManagerName: actor.Name, Price: o.student.Price, Source: string(actor.Door), GrantedAt: now,
		},
		Access: o.student.Access, At: now,
	}
	if c.Access == school.AccessLink {
		return c
	}
	c.Password, c.MustChange = o.student.Password, o.settings.OwnPassword
	if h := o.settings.FirstPasswordHours; c.MustChange && h > 0 {
		c.PasswordEnds = now.Add(time.Duration(h) * time.Hour)
	}
	return c
}

// digest tells whether a form sent again says the same. The password is left
// out: a fast hash of it must not stand in the database.
func (o order) digest() string { return formDigest(o.form) }

func formDigest(f school.NewStudentForm) string {
	return derive(f.Key, strings.Join([]string{"form", f.FullName, f.Email, f.Access, f.Price, f.Language}, "\x00"))
}

// repeat answers a form that was answered before, without writing anything.
// Errors: Conflict form_key_reused for other contents, Conflict already_created
// (with student_id) when what the first answer showed no longer opens anything.
func (d *Desk) repeat(ctx context.Context, actor school.Actor, f school.NewStudentForm) (c school.Created, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return c, err
	}
	var account school.Account
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		sent, err := tx.FindFormKey(digest(f.Key))
		if err != nil {
			return err
		}
		if sent.ActorID != actor.ID || sent.Digest != formDigest(f) {
			return school.ErrFormKeyReused
		}
		if c.Student, err = tx.FindStudent(scope, sent.ResultID); err != nil {
			return err
		}
		if account, err = tx.FindAccount(sent.ResultID); err != nil {
			return err
		}
		if c.Unlocked, err = tx.ListUnlocked(sent.ResultID); err != nil || f.Access != string(school.AccessLink) {
			return err
		}
		link, err := tx.FindLink(digest(d.tokenOf(nonceOf(f.Key))))
		c.Link, c.LinkEnds = d.pathOf(link), link.ExpiresAt
		return err
	})
	gone := school.ErrAlreadyCreated.With("student_id", string(c.Student.ID))
	switch {
	case errors.Is(err, school.ErrLinkInvalid) || err == nil && !c.Student.DeletedAt.IsZero():
		return school.Created{}, gone
	case err != nil:
		return school.Created{}, err
	}
	c.Repeated, c.At = true, c.Student.GrantedAt
	if c.Access = school.Access(f.Access); c.Access == school.AccessLink {
		return c, nil
	}
	c.Access = school.AccessPassword
	c.MustChange, c.PasswordEnds = account.MustChange, account.PasswordExpiresAt
	c.Password, err = d.samePassword(ctx, account, f.Password)
	if err != nil {
		return school.Created{}, err
	}
	if c.Password == "" && account.MustChange { // still the first one, and not this one
		return school.Created{}, school.ErrFormKeyReused
	}
	if c.Password == "" {
		return school.Created{}, gone
	}
	return c, nil
}

// samePassword answers the typed password if it is the account's; empty if not.
func (d *Desk) samePassword(ctx context.Context, a school.Account, typed string) (string, error) {
	p, err := school.CheckPassword(typed, a.Email)
	if err != nil {
		return "", nil //nolint:nilerr // what was never a password is not this one
	}
	right, err := d.hasher.Verify(ctx, a.PasswordHash, p)
	if err != nil || !right {
		return "", err
	}
	return p, nil
}

// nameTheStudent adds who has the e-mail to a student_exists, if the actor may
// know that student.
func (d *Desk) nameTheStudent(ctx context.Context, actor school.Actor, typed string, err error) error {
	if !errors.Is(err, school.ErrStudentExists) {
		return err
	}
	scope, scopeErr := actor.Scope(school.ViewStudents)
	email, emailErr := school.NewEmail(typed)
	if scopeErr != nil || emailErr != nil {
		return err
	}
	var s school.Student
	readErr := d.store.Read(ctx, func(tx *store.Tx) error {
		a, err := tx.FindAccountByEmail(email)
		if err != nil {
			return err
		}
		s, err = tx.FindStudent(scope, a.ID)
		return err
	})
	switch {
	case readErr == nil:
		return school.ErrStudentExists.With("student_id", string(s.ID)).With("student_name", s.FullName)
	case errors.Is(readErr, school.ErrNotFound): // another manager's, or staff
		return school.ErrStudentExists
	default:
		return readErr
	}
}
