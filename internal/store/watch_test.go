package store_test

import (
	"context"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

const patience = 20 * time.Second

// addLine adds one line to the history and answers its id.
func addLine(t *testing.T, s *store.Store) int64 {
	t.Helper()
	ctx := context.Background()
	err := s.Write(ctx, func(tx *store.Tx) error {
		return tx.InsertActivity(school.System(), school.SettingsEdited, "", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return lastLine(t, s)
}

func lastLine(t *testing.T, s *store.Store) (id int64) {
	t.Helper()
	err := s.Look(context.Background(), func(tx *store.Tx) (err error) {
		id, err = tx.LastLine(school.Scope{All: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// hearsOf waits until somebody who looks whenever told has read the line.
func hearsOf(t *testing.T, s *store.Store, added <-chan struct{}, line int64) {
	t.Helper()
	enough := time.After(patience)
	for {
		select {
		case <-added:
			if lastLine(t, s) >= line {
				return
			}
		case <-enough:
			t.Fatalf("nobody was told of line %d", line)
		}
	}
}

// listening waits for a connection that listens, and answers its process.
func listening(t *testing.T, target storetest.Target) (pid int) {
	t.Helper()
	raw := target.Raw(t)
	again, enough := time.NewTicker(10*time.Millisecond), time.After(patience)
	defer again.Stop()
	for {
		err := raw.QueryRow("SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %' AND state = 'idle'").Scan(&pid)
		if err == nil && pid != 0 {
			return pid
		}
		select {
		case <-again.C:
		case <-enough:
			t.Fatalf("nobody listens: %v", err)
		}
	}
}

func TestWhoWatchesIsToldOfEachLine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		first, stop := s.Watch()
		second, stopSecond := s.Watch()
		defer stopSecond()
		for range 3 {
			line := addLine(t, s)
			hearsOf(t, s, first, line)
			hearsOf(t, s, second, line)
		}
		stop()
		stop()
	})
}

// TestAnotherServerIsTold: two stores on one database are two processes, as far
// as PostgreSQL can see.
func TestAnotherServerIsTold(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	here, there := target.Open(t), target.Open(t)
	added, stop := there.Watch()
	defer stop()
	listening(t, target)
	for range 3 {
		hearsOf(t, there, added, addLine(t, here))
	}
}

// TestAnotherServerIsToldAfterItsConnectionWasLost, also of what was added
// meanwhile.
func TestAnotherServerIsToldAfterItsConnectionWasLost(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	here, there := target.Open(t), target.Open(t)
	added, stop := there.Watch()
	defer stop()
	raw := target.Raw(t)
	for range 3 {
		pid := listening(t, target)
		if _, err := raw.Exec("SELECT pg_terminate_backend($1)", pid); err != nil {
			t.Fatal(err)
		}
		hearsOf(t, there, added, addLine(t, here))
	}
	listening(t, target)
	hearsOf(t, there, added, addLine(t, here))
}

// TestACommandThatEndsAtOnceHasTold: the terminal closes its store right after
// its work.
func TestACommandThatEndsAtOnceHasTold(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	there := target.Open(t)
	added, stop := there.Watch()
	defer stop()
	listening(t, target)
	here, err := store.Open(context.Background(), target.Options)
	if err != nil {
		t.Fatal(err)
	}
	line := addLine(t, here)
	if err := here.Close(); err != nil {
		t.Fatal(err)
	}
	hearsOf(t, there, added, line)
}

// TestWhatWasRefusedIsNotTold.
func TestWhatWasRefusedIsNotTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		added, stop := s.Watch()
		defer stop()
		if target.Engine == "postgres" {
			<-added // the connection is there
		}
		err := s.Write(context.Background(), func(tx *store.Tx) error {
			if err := tx.InsertActivity(school.System(), school.SettingsEdited, "", nil); err != nil {
				return err
			}
			return school.ErrForbidden
		})
		if err == nil {
			t.Fatal("not refused")
		}
		select {
		case <-added:
			t.Error("told of a line that was never there")
		default:
		}
	})
}
