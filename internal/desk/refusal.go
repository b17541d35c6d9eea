package desk

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// refusalsApart is how long the same refused attempt is told of once: a script
// that tries again and again fills no table.
const refusalsApart = 10 * time.Minute

// NoteError: a refused attempt could not be written down. It travels beside the
// refusal, which is answered as if nothing had happened, to the log at the door.
type NoteError struct{ err error }

func (e *NoteError) Error() string { return "note a refused attempt: " + e.err.Error() }

// beside answers err, and with it the NoteError that came with another answer.
func beside(err, other error) error {
	if lost, ok := errors.AsType[*NoteError](other); ok {
		return errors.Join(err, lost)
	}
	return err
}

// refusal is an attempt that was refused.
type refusal struct {
	action  school.Action
	subject school.UserID
	details map[string]string
	// same is what else makes two attempts one.
	same string
}

// note writes a refused attempt down, in a transaction of its own: that of the
// attempt is gone. The refused person cannot keep it from being written by leaving.
// It answers the refusal, with a NoteError beside it where that failed.
func (d *Desk) note(ctx context.Context, actor school.Actor, n refusal, refused error) error {
	_, err := d.tell(ctx, actor, n)
	return lostBeside(refused, err)
}

func lostBeside(refused, err error) error {
	if err != nil {
		return errors.Join(refused, &NoteError{err})
	}
	return refused
}

// tell adds the line, unless the same attempt has been told of just now.
func (d *Desk) tell(ctx context.Context, actor school.Actor, n refusal) (first bool, err error) {
	ctx = context.WithoutCancel(ctx)
	bucket := strconv.FormatInt(d.store.Now().UnixMilli()/refusalsApart.Milliseconds(), 10)
	once := digest(strings.Join([]string{string(n.action), string(actor.ID), string(n.subject), n.same, bucket}, "\n"))
	var noted bool
	err = d.store.Look(ctx, func(tx *store.Tx) (err error) { // most repetitions cost no write
		noted, err = tx.RefusalNoted(once)
		return err
	})
	if err != nil || noted {
		return false, err
	}
	return true, d.add(ctx, func(tx *store.Tx) error { return tx.InsertRefusal(actor, n.action, n.subject, n.details, once) })
}

// add only inserts, and looks at nothing afterwards.
func (d *Desk) add(ctx context.Context, fn func(*store.Tx) error) error {
	return d.store.Add(ctx, fn, func(*store.Tx) error { return nil })
}

// notingForeign answers err as it is. When it says that there is no such student,
// and there is one, of somebody else, the attempt is noted: to who made it the two
// must look the same.
func (d *Desk) notingForeign(ctx context.Context, actor school.Actor, id school.UserID, err error) error {
	if id == "" || !actor.Role.Staff() || !errors.Is(err, school.ErrNotFound) {
		return err
	}
	scope, denied := actor.Scope(school.ViewStudents)
	if denied != nil || scope.All {
		return err
	}
	var foreign bool
	lookErr := d.store.Look(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		foreign, err = tx.StudentOfOthers(scope, id)
		return err
	})
	switch {
	case lookErr != nil:
		return lostBeside(err, lookErr)
	case !foreign:
		return err
	}
	return d.note(ctx, actor, refusal{
		action: school.RefusedForeign, subject: id, details: map[string]string{"route": actor.Route}, same: actor.Route,
	}, err)
}

// RefuseRole answers forbidden to somebody who is logged in and calls what is for
// another role, and notes it.
func (d *Desk) RefuseRole(ctx context.Context, actor school.Actor) error {
	return d.note(ctx, actor, refusal{
		action: school.RefusedRole, details: map[string]string{"route": actor.Route}, same: actor.Route,
	}, school.ErrForbidden)
}

// noteLock tells that an account is locked for a while after too many wrong
// passwords. Nobody is known to have tried it: the line has no actor. Of an address
// without an account it says no more than that it was one, and tells such locks of
// one network once: there is no end to addresses that can be made up.
func (d *Desk) noteLock(ctx context.Context, from school.Visitor, a school.Account, typed school.Email, throttle []bucket, refused error) error {
	n := refusal{action: school.LoginLocked, subject: a.ID, details: map[string]string{}}
	if from.Address != "" {
		n.details["address"] = from.Address
	}
	if a.ID == "" {
		n.same = from.Address
		if typed != "" { // otherwise it may be anything, a password in the wrong field
			n.details["login"] = string(typed)
		}
	}
	first, err := d.tell(ctx, school.Actor{Door: school.DoorPanel, RequestID: from.RequestID}, n)
	if err == nil && !first { // as long as with a line: the time must not tell whether there is an account
		err = d.add(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			return tx.TouchLoginFailures(throttle[0].scope, throttle[0].subject)
		})
	}
	return lostBeside(refused, err)
}

// noteBlocked tells that somebody knows the password of an account that may not be
// used.
func (d *Desk) noteBlocked(ctx context.Context, from school.Visitor, a school.Account, refused error) error {
	return d.note(ctx, arriving(from, a), refusal{
		action: school.RefusedBlocked, subject: a.ID, details: map[string]string{"address": from.Address},
	}, refused)
}
