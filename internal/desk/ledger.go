package desk

import (
	"context"
	"iter"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// MoneyList is a page of money events.
type MoneyList struct {
	Events []school.MoneyEvent
	Next   school.Cursor // zero: there are no more
	Sum    school.Sales  // of all pages
	// Courses and, for who may see all, the managers by which the ledger can be
	// narrowed: those with sales of any time.
	Courses  []school.Facet
	Managers []school.Facet
}

// Money answers the money events that the figures count, of the sales that the
// actor made, the newest first, and their sum. An event of a student whom the
// actor no longer has is masked. Errors: Invalid page_invalid, Forbidden.
func (d *Desk) Money(ctx context.Context, actor school.Actor, f school.Counted, after school.Cursor, size int) (l MoneyList, err error) {
	err = d.counting(ctx, actor, func(tx *store.Tx, scope school.Scope, zone *time.Location) error {
		if l.Events, l.Next, err = moneyPage(tx, scope, f, zone, after, size); err != nil {
			return err
		}
		if l.Sum, err = tx.SumSales(scope, f); err != nil {
			return err
		}
		l.Courses, l.Managers, err = tx.ListSaleFacets(scope)
		return err
	})
	return l, err
}

// moneyPage answers a page as the scope may see it, and the place of the next.
func moneyPage(tx *store.Tx, scope school.Scope, f school.Counted, zone *time.Location, after school.Cursor, size int) (events []school.MoneyEvent, next school.Cursor, err error) {
	if events, err = tx.ListMoney(scope, f, zone, after, size+1); err != nil {
		return nil, next, err
	}
	if len(events) > size {
		events = events[:size]
		next = store.MoneyCursor(events[size-1])
	}
	for i, e := range events {
		if !scope.All && e.OwnerID != scope.Owner {
			events[i] = e.Masked()
		}
	}
	return events, next, nil
}

// EachMoney answers every event of the ledger, in its order and masked as there,
// for as long as they are asked for, and notes the export in the history. As with
// EachStudent one batch is in memory at a time, and none keeps the database
// waiting while it is sent. Errors: Forbidden, and those of reading, at the end.
func (d *Desk) EachMoney(ctx context.Context, actor school.Actor, f school.Counted, format string) (iter.Seq2[school.MoneyEvent, error], error) {
	if err := actor.May(school.ViewStudents); err != nil {
		return nil, err
	}
	if err := d.noteExport(ctx, actor, map[string]string{"format": format, "what": "sales"}); err != nil {
		return nil, err
	}
	return func(yield func(school.MoneyEvent, error) bool) {
		for after, more := (school.Cursor{}), true; more; {
			var events []school.MoneyEvent
			var next school.Cursor
			err := d.counting(ctx, actor, func(tx *store.Tx, scope school.Scope, zone *time.Location) (err error) {
				events, next, err = moneyPage(tx, scope, f, zone, after, exportBatch)
				return err
			})
			if err != nil {
				yield(school.MoneyEvent{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			after, more = next, !next.IsZero()
		}
	}, nil
}
