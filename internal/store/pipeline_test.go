package store_test

import (
	"context"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestAFailedTransactionIsNeverTakenForACommit: PostgreSQL answers the COMMIT of
// a transaction that had failed with ROLLBACK and without an error.
func TestAFailedTransactionIsNeverTakenForACommit(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	s := target.Open(t)
	err := s.Write(context.Background(), func(tx *store.Tx) error {
		if err := tx.InsertUser(person(1)); err != nil {
			return err
		}
		_, _ = tx.Exec("SELECT 1 / 0") // swallowed, as a bug would
		return nil
	})
	if err == nil {
		t.Fatal("told that the rows are there")
	}
	wantUsers(t, target)
}

// TestAnErrorOfAQueuedStatementIsToldAndTheConnectionLivesOn: the statement that
// fails is not the one that is waited for.
func TestAnErrorOfAQueuedStatementIsToldAndTheConnectionLivesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		twice := func(tx *store.Tx) error {
			if err := tx.InsertUser(person(1)); err != nil {
				return err
			}
			again := person(2)
			again.Email = person(1).Email
			if err := tx.InsertUser(again); err != nil {
				return err
			}
			_, err := tx.CountAdmins()
			return err
		}
		for range 3 {
			if err := s.Write(context.Background(), twice); school.KindOf(err) != school.Conflict {
				t.Fatalf("told %v", err)
			}
		}
		if err := insert(s, 3); err != nil {
			t.Fatal(err)
		}
		wantUsers(t, target, 3)
	})
}
