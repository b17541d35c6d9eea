package desk

import (
	"context"
	"errors"
	"iter"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// BulkVerb is something that can be done to many students at once.
type BulkVerb string

// The verbs.
const (
	BulkBlock    BulkVerb = "block"
	BulkUnblock  BulkVerb = "unblock"
	BulkLetter   BulkVerb = "letter"
	BulkTransfer BulkVerb = "transfer"
	BulkDelete   BulkVerb = "delete"
	BulkRestore  BulkVerb = "restore" // the way back from a delete
)

// Bulk is an order to do one thing to many students.
type Bulk struct {
	Verb     BulkVerb
	Students []school.UserID
	Manager  school.UserID // for BulkTransfer
	Sales    bool          // for BulkTransfer: the sales go along
}

// MaxBulk is how many students one order may name: a page at its largest.
const MaxBulk = 100

// BulkResult is what became of one student of an order.
type BulkResult struct {
	ID   school.UserID
	Name string // empty for one who is not there or not the actor's
	Err  error  // nil: done
}

// Bulk does the verb to each student in turn, each in a transaction of its own: one
// who cannot be helped keeps nobody else from it. It answers as it goes. Errors,
// before anything is done: Invalid bulk_nobody, bulk_too_many, bulk_unknown;
// Forbidden.
func (d *Desk) Bulk(ctx context.Context, actor school.Actor, b Bulk) (iter.Seq[BulkResult], error) {
	verb := map[BulkVerb]func(school.UserID) error{
		BulkBlock:    func(id school.UserID) error { return d.BlockStudent(ctx, actor, id) },
		BulkUnblock:  func(id school.UserID) error { return d.UnblockStudent(ctx, actor, id) },
		BulkLetter:   func(id school.UserID) error { return d.ResendLetter(ctx, actor, id) },
		BulkTransfer: func(id school.UserID) error { return d.TransferStudent(ctx, actor, id, b.Manager, b.Sales) },
		BulkRestore:  func(id school.UserID) error { return d.RestoreStudent(ctx, actor, id, "") },
		BulkDelete: func(id school.UserID) error {
			s, err := d.DeleteStudent(ctx, actor, id)
			if err == nil && !s.DeletedAt.IsZero() {
				return school.ErrNotFound // by somebody before: taking this order back must not restore them
			}
			return err
		},
	}[b.Verb]
	switch {
	case verb == nil:
		return nil, school.ErrBulkUnknown
	case len(b.Students) == 0:
		return nil, school.ErrBulkNobody
	case len(b.Students) > MaxBulk:
		return nil, school.ErrBulkTooMany
	}
	right := school.EditStudents
	if b.Verb == BulkTransfer {
		right = school.TransferStudents
	}
	switch err := actor.May(right); {
	case errors.Is(err, school.ErrForbidden):
		return nil, d.RefuseRole(ctx, actor)
	case err != nil:
		return nil, err
	}
	return func(yield func(BulkResult) bool) {
		for _, id := range b.Students {
			r := BulkResult{ID: id, Err: verb(id)}
			if ctx.Err() != nil {
				return // whoever asked has left
			}
			name, err := d.nameOf(ctx, actor, id)
			if r.Name = name; err != nil {
				r.Err = errors.Join(r.Err, err)
			}
			if !yield(r) {
				return
			}
		}
	}, nil
}

// nameOf answers the name of a student; empty for one who is not there or not the
// actor's.
func (d *Desk) nameOf(ctx context.Context, actor school.Actor, id school.UserID) (name string, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return "", err
	}
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		s, err := tx.FindStudent(scope, id)
		if errors.Is(err, school.ErrNotFound) {
			err = nil
		}
		name = s.FullName
		return err
	})
	return name, err
}
