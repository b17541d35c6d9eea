package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

func nothing(*store.Tx) error { return nil }

// TestAddsMeetNoRaces: however many add at once, each fn runs once, and each look
// sees its own rows. Serializable transactions would refuse some for rows that
// they do not share.
func TestAddsMeetNoRaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		const writers, each = 8, 25
		var runs atomic.Int64
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range each {
					p := person(w*each + i)
					var found school.Account
					err := s.Add(context.Background(), func(tx *store.Tx) error {
						runs.Add(1)
						if err := tx.InsertUser(p); err != nil {
							return err
						}
						return tx.InsertOwnActivity(school.Actor{ID: p.ID, Role: school.RoleSales, Door: school.DoorPanel}, school.StudentCreated, p.ID, nil)
					}, func(tx *store.Tx) (err error) {
						found, err = tx.FindAccount(p.ID)
						return err
					})
					if err != nil || found.Email != p.Email {
						t.Errorf("%s: found %q, %v", p.Email, found.Email, err)
					}
				}
			})
		}
		all.Wait()
		if runs.Load() != writers*each {
			t.Errorf("%d runs for %d additions", runs.Load(), writers*each)
		}
	})
}

// TestAnAddOnlyInserts, and a refused one leaves nothing and is not looked at.
func TestAnAddOnlyInserts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		for name, fn := range map[string]func(*store.Tx) error{
			"change": func(tx *store.Tx) error {
				return errors.Join(tx.InsertUser(person(1)), tx.UpdateLanguage(person(1).ID, "en"))
			},
			"question": func(tx *store.Tx) error {
				_, err := tx.CountAdmins()
				return errors.Join(tx.InsertUser(person(1)), err)
			},
			"refusal": func(tx *store.Tx) error { return errors.Join(tx.InsertUser(person(1)), errOfFn) },
		} {
			looked := false
			err := s.Add(context.Background(), fn, func(*store.Tx) error { looked = true; return nil })
			if err == nil || looked || name != "refusal" && !strings.Contains(err.Error(), "needs a Write") {
				t.Errorf("%s: %v, looked %v", name, err, looked)
			}
		}
		wantUsers(t, target)
	})
}

// TestALookThatFailsTakesNoRows: they are safe before it is asked. Nor does one
// that panics stop the writer.
func TestALookThatFailsTakesNoRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		add := func(n int, look func(*store.Tx) error) error {
			return s.Add(context.Background(), func(tx *store.Tx) error { return tx.InsertUser(person(n)) }, look)
		}
		if err := add(1, func(*store.Tx) error { return errOfFn }); !errors.Is(err, errOfFn) {
			t.Errorf("the look's error became %v", err)
		}
		func() {
			defer func() {
				if p := recover(); p == nil {
					t.Error("nobody heard the panic")
				}
			}()
			_ = add(2, func(*store.Tx) error { panic("the roof is on fire") })
		}()
		if err := add(3, nothing); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		wantUsers(t, target, 1, 2, 3)
	})
}

// TestALookAsksOneQuestion: a second one might see other rows than the first.
func TestALookAsksOneQuestion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		ask := func(times int) error {
			return s.Look(context.Background(), func(tx *store.Tx) error {
				for range times {
					if _, err := tx.CountAdmins(); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := ask(1); err != nil {
			t.Errorf("one: %v", err)
		}
		if err := ask(2); err == nil {
			t.Error("two were answered")
		}
	})
}
