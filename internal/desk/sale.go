package desk

import (
	"context"
	"errors"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// Refund gives money back to a student, for a reason: a money event, which lowers
// the revenue of the day on which it is made. The same form sent again is done
// once. Errors: Invalid with the faulty fields, Conflict refund_too_large,
// NotFound, Forbidden.
func (d *Desk) Refund(ctx context.Context, actor school.Actor, id school.UserID, f school.MoneyForm) error {
	return d.moneyEvent(ctx, actor, id, f, func(tx *store.Tx, s school.Student, amount school.Money, reason string) error {
		if amount.Minor == 0 {
			return school.ErrPriceInvalid.AtField("amount")
		}
		amount.Minor = -amount.Minor
		if err := tx.InsertMoneyEvent(actor, s, school.MoneyRefund, amount, reason); err != nil {
			return err
		}
		amount.Minor = -amount.Minor
		return tx.InsertActivity(actor, school.SaleRefunded, id, map[string]string{"amount": amount.String(), "reason": reason})
	})
}

// CorrectPrice says what a sale should have cost: the difference to what was paid
// for it so far becomes a money event of today. Errors: as Refund, Conflict
// price_same.
func (d *Desk) CorrectPrice(ctx context.Context, actor school.Actor, id school.UserID, f school.MoneyForm) error {
	return d.moneyEvent(ctx, actor, id, f, func(tx *store.Tx, s school.Student, right school.Money, reason string) error {
		difference := school.Money{Minor: right.Minor - s.Paid.Minor, Currency: right.Currency}
		if difference.Minor == 0 {
			return school.ErrPriceSame
		}
		if err := tx.InsertMoneyEvent(actor, s, school.MoneyCorrection, difference, reason); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.PriceCorrected, id, map[string]string{"before": s.Paid.String(), "after": right.String(), "reason": reason})
	})
}

func (d *Desk) moneyEvent(ctx context.Context, actor school.Actor, id school.UserID, f school.MoneyForm, fn func(*store.Tx, school.Student, school.Money, string) error) error {
	scope, err := actor.Scope(school.CorrectSales)
	if err != nil {
		return err
	}
	reason, reasonErr := school.NewReason(f.Reason)
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.FindStudent(scope, id)
		if err != nil {
			return err
		}
		faults := school.Faults{}
		faults.Add("reason", reasonErr)
		amount, err := school.ParseMoney(f.Amount, s.Price.Currency)
		faults.Add("amount", err)
		if err := faults.Err(); err != nil {
			return err
		}
		if f.Key != "" {
			key := store.FormKey{Hash: digest(f.Key), ActorID: actor.ID, Digest: derive(f.Key, f.Amount+"\x00"+f.Reason), ResultID: id}
			if err := tx.InsertFormKey(key); err != nil {
				return err
			}
		}
		return fn(tx, s, amount, reason)
	})
	if errors.Is(err, store.ErrFormSent) { // pressing twice is pressing once
		return nil
	}
	return err
}

// TransferStudent gives a student to another manager. What was sold before stays
// in the figures of whoever sold it, unless the sales go along. Errors: Invalid
// manager_unknown, Conflict same_manager, NotFound, Forbidden.
func (d *Desk) TransferStudent(ctx context.Context, actor school.Actor, id, to school.UserID, sales bool) error {
	scope, err := actor.Scope(school.TransferStudents)
	if err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.FindStudent(scope, id)
		if err != nil {
			return err
		}
		manager, err := tx.FindAccount(to)
		switch {
		case errors.Is(err, school.ErrNotFound), err == nil && (!manager.Role.Staff() || !manager.DisabledAt.IsZero() || !manager.DeletedAt.IsZero()):
			return school.ErrManagerUnknown
		case err != nil:
			return err
		case s.GrantedBy == to && !sales:
			return school.ErrSameManager
		}
		if err := tx.TransferStudent(id, to, sales); err != nil {
			return err
		}
		details := map[string]string{"from": s.ManagerName, "to": manager.FullName, "sales": "kept"}
		if sales {
			details["sales"] = "moved"
		}
		return tx.InsertActivity(actor, school.StudentTransferred, id, details)
	})
}

// MarkTest takes a student out of every figure, as a test account, or puts them
// back. Errors: NotFound, Forbidden.
func (d *Desk) MarkTest(ctx context.Context, actor school.Actor, id school.UserID, test bool) error {
	return d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if s.TestAt.IsZero() != test {
			return nil
		}
		when, action := time.Time{}, school.StudentUnmarkedTest
		if test {
			when, action = tx.Now, school.StudentMarkedTest
		}
		if err := tx.UpdateTest(id, when); err != nil {
			return err
		}
		return tx.InsertActivity(actor, action, id, nil)
	})
}

// ResendLetter queues the welcome letter once more. Errors: NotFound, Forbidden.
func (d *Desk) ResendLetter(ctx context.Context, actor school.Actor, id school.UserID) error {
	return d.change(ctx, actor, id, func(tx *store.Tx, s school.Student) error {
		if !s.DeletedAt.IsZero() {
			return school.ErrNotFound
		}
		if err := tx.InsertLetter(id, "welcome"); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.LetterRequeued, id, nil)
	})
}

// Money answers the money events that the figures count, of the sales that the
// actor made, the newest first, and their sum. An event of a student whom the
// actor no longer has is masked. Errors: Invalid page_invalid, Forbidden.
func (d *Desk) Money(ctx context.Context, actor school.Actor, f school.Counted, after school.Cursor, size int) (l MoneyList, err error) {
	err = d.counting(ctx, actor, func(tx *store.Tx, scope school.Scope, zone *time.Location) error {
		if l.Events, err = tx.ListMoney(scope, f, zone, after, size+1); err != nil {
			return err
		}
		if len(l.Events) > size {
			l.Events = l.Events[:size]
			l.Next = store.MoneyCursor(l.Events[size-1])
		}
		for i, e := range l.Events {
			if !scope.All && e.OwnerID != actor.ID {
				l.Events[i] = e.Masked()
			}
		}
		l.Sum, err = tx.SumSales(scope, f)
		return err
	})
	return l, err
}

// MoneyList is a page of money events.
type MoneyList struct {
	Events []school.MoneyEvent
	Next   school.Cursor // zero: there are no more
	Sum    school.Sales  // of all pages
}
