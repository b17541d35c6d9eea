package desk

import (
	"context"
	"errors"
	"strings"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// Refund gives money back to a student, for a reason: a money event, which lowers
// the revenue of the day on which it is made. The same form sent again is done
// once. Errors: Invalid with the faulty fields or form_key_invalid, Conflict
// refund_too_large, Conflict form_key_reused, NotFound, Forbidden.
func (d *Desk) Refund(ctx context.Context, actor school.Actor, id school.UserID, f school.MoneyForm) error {
	return d.moneyEvent(ctx, actor, id, school.MoneyRefund, f, func(tx *store.Tx, s school.Student, amount school.Money, reason string) error {
		if amount.Minor == 0 {
			return school.ErrPriceInvalid.AtField("amount")
		}
		amount.Minor = -amount.Minor
		if err := tx.InsertMoneyEvent(actor, s, school.MoneyRefund, amount, reason); err != nil {
			return err
		}
		amount.Minor = -amount.Minor
		return insertSaleActivity(tx, actor, school.SaleRefunded, id, map[string]string{"amount": amount.String(), "reason": reason})
	})
}

// CorrectPrice says what a sale should have cost: the difference to its price so far
// becomes a money event of today. What was given back stays given back. Errors: as
// Refund, but Conflict price_refunded in place of refund_too_large, and Conflict
// price_same.
func (d *Desk) CorrectPrice(ctx context.Context, actor school.Actor, id school.UserID, f school.MoneyForm) error {
	return d.moneyEvent(ctx, actor, id, school.MoneyCorrection, f, func(tx *store.Tx, s school.Student, right school.Money, reason string) error {
		events, err := tx.ListMoneyOf(s)
		if err != nil {
			return err
		}
		before := school.PriceNow(events)
		difference := school.Money{Minor: right.Minor - before.Minor, Currency: right.Currency}
		if difference.Minor == 0 {
			return school.ErrPriceSame
		}
		if err := tx.InsertMoneyEvent(actor, s, school.MoneyCorrection, difference, reason); err != nil {
			return err
		}
		return insertSaleActivity(tx, actor, school.PriceCorrected, id, map[string]string{"before": before.String(), "after": right.String(), "reason": reason})
	})
}

func (d *Desk) moneyEvent(ctx context.Context, actor school.Actor, id school.UserID, kind school.MoneyKind, f school.MoneyForm, fn func(*store.Tx, school.Student, school.Money, string) error) error {
	scope, err := actor.Scope(school.CorrectSales)
	if err != nil {
		return err
	}
	if f.Key != "" && len(f.Key) != len(school.NewToken()) {
		return school.ErrFormKeyInvalid
	}
	key := store.FormKey{Hash: digest(f.Key), ActorID: actor.ID, Digest: derive(f.Key, strings.Join([]string{string(kind), f.Amount, f.Reason}, "\x00")), ResultID: id}
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
			if err := tx.InsertFormKey(key); err != nil {
				return err
			}
		}
		return fn(tx, s, amount, reason)
	})
	if kind == school.MoneyCorrection && errors.Is(err, school.ErrRefundTooLarge) { // the same constraint
		err = school.ErrPriceRefunded
	}
	if err != nil && f.Key != "" {
		return d.unlessRepeated(ctx, key, err)
	}
	return err
}

// unlessRepeated answers nil for a form that was sent before with the same
// contents, whatever came of sending it again: pressing twice is pressing once.
// Errors: Conflict form_key_reused for other contents, else the refusal.
func (d *Desk) unlessRepeated(ctx context.Context, key store.FormKey, refusal error) error {
	return d.store.Look(ctx, func(tx *store.Tx) error {
		sent, err := tx.FindFormKey(key.Hash)
		switch {
		case errors.Is(err, school.ErrNotFound):
			return refusal
		case err != nil:
			return err
		case sent != key:
			return school.ErrFormKeyReused
		}
		return nil
	})
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
		case errors.Is(err, school.ErrNotFound), err == nil && !manager.MayHaveStudents():
			return school.ErrManagerUnknown
		case err != nil:
			return err
		case s.GrantedBy == to && !sales:
			return school.ErrSameManager
		}
		sellers, err := tx.ListSellers(id) // who are others when the sales have gone along
		if err != nil {
			return err
		}
		if err := tx.TransferStudent(id, to, sales); err != nil {
			return err
		}
		details := map[string]string{"from": s.ManagerName, "to": manager.FullName, "sales": "kept", school.DetailFrom: string(s.GrantedBy), school.DetailSellers: strings.Join(sellers, " ")}
		if sales {
			details["sales"] = "moved"
		}
		return tx.InsertActivity(actor, school.StudentTransferred, id, details)
	})
}

// Managers answers whom a student can be given to, by name. Errors: Forbidden.
func (d *Desk) Managers(ctx context.Context, actor school.Actor) (all []school.Manager, err error) {
	if err := actor.May(school.TransferStudents); err != nil {
		return nil, err
	}
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		staff, err := tx.ListStaff()
		all = nil
		for _, a := range staff {
			if a.MayHaveStudents() {
				all = append(all, school.Manager{ID: a.ID, Name: a.FullName})
			}
		}
		return err
	})
	return all, err
}

// MarkTest takes a student out of every figure, as a test account, or puts them
// back. Errors: NotFound, Forbidden.
func (d *Desk) MarkTest(ctx context.Context, actor school.Actor, id school.UserID, test bool) error {
	if err := actor.May(school.CorrectSales); err != nil { // it changes revenue
		return err
	}
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
		return insertSaleActivity(tx, actor, action, id, map[string]string{})
	})
}

// insertSaleActivity is InsertActivity for what changes the figures of whoever sold
// to the student, who need not have the student any more.
func insertSaleActivity(tx *store.Tx, actor school.Actor, action school.Action, id school.UserID, details map[string]string) error {
	sellers, err := tx.ListSellers(id)
	if err != nil {
		return err
	}
	details[school.DetailSellers] = strings.Join(sellers, " ")
	return tx.InsertActivity(actor, action, id, details)
}
