package desk

import (
	"context"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// SaveView keeps a state of the list for the actor, under a name; one of the same
// name is replaced. Errors: Invalid with the faulty fields, Conflict
// too_many_views, Forbidden.
func (d *Desk) SaveView(ctx context.Context, actor school.Actor, name, query string) error {
	if err := actor.May(school.ViewStudents); err != nil {
		return err
	}
	v, err := school.NewSavedView(name, query)
	if err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.InsertView(actor.ID, v); err != nil {
			return err
		}
		all, err := tx.ListViews(actor.ID)
		if err == nil && len(all) > school.MaxViews {
			err = school.ErrTooManyViews
		}
		return err
	})
}

// Views answers the actor's saved views. Errors: Forbidden.
func (d *Desk) Views(ctx context.Context, actor school.Actor) (all []school.SavedView, err error) {
	if err := actor.May(school.ViewStudents); err != nil {
		return nil, err
	}
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		all, err = tx.ListViews(actor.ID)
		return err
	})
	return all, err
}

// DeleteView deletes one of the actor's views. Errors: NotFound, Forbidden.
func (d *Desk) DeleteView(ctx context.Context, actor school.Actor, id int64) error {
	if err := actor.May(school.ViewStudents); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.DeleteView(actor.ID, id) })
}
