package seed_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/seed"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// now is a moment within working hours.
func now() time.Time { return time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC) }

func open(t *testing.T, target storetest.Target) (*store.Store, *desk.Desk) {
	t.Helper()
	s := target.Open(t, func(o *store.Options) { o.Now, o.Bulk = now, true })
	d := desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
	if err := d.PrepareSchool(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hired, err := seed.Hire(t.Context(), d, "correct horse"); err != nil || hired != len(seed.Managers()) {
		t.Fatalf("hired %d, %v", hired, err)
	}
	return s, d
}

// TestSeedIsARealSchool: doctor derives everything once more and finds nothing,
// and there is as much of everything as was told.
func TestSeedIsARealSchool(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s, d := open(t, target)
		const students = 1200
		var told []int
		made, err := seed.Fill(t.Context(), s, d, seed.Options{Students: students, Seed: 7, Progress: func(m seed.Made) { told = append(told, m.Students) }})
		if err != nil || made.Students != students || !slices.IsSorted(told) || told[len(told)-1] != students {
			t.Fatalf("made %+v, told %v, %v", made, told, err)
		}
		if hired, err := seed.Hire(t.Context(), d, "another horse"); err != nil || hired != 0 {
			t.Errorf("hired again: %d, %v", hired, err)
		}
		again, err := seed.Fill(t.Context(), s, d, seed.Options{Students: students, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		findings, err := d.Examine(t.Context())
		if err != nil || len(findings) != 1 || findings[0].Check != "administrator" { // there is none to log in
			t.Fatalf("%v, %v", findings, err)
		}
		stuckEitherWay(t, s)
		db := target.Raw(t)
		for query, want := range map[string]int{
			"SELECT count(*) FROM users WHERE role = 'student'":                            2 * students,
			"SELECT count(DISTINCT search_text) FROM users WHERE role = 'student'":         2 * students,
			"SELECT count(*) FROM tripwire_users":                                          2 * students,
			"SELECT count(*) FROM letters":                                                 2 * students,
			"SELECT count(*) FROM activity WHERE action = 'student.created'":               2 * students,
			"SELECT count(*) FROM money_events WHERE kind = 'sale'":                        2 * students,
			"SELECT count(*) FROM money_events WHERE kind = 'refund'":                      made.Refunds + again.Refunds,
			"SELECT count(*) FROM lesson_completions":                                      made.Lessons + again.Lessons,
			"SELECT count(*) FROM tripwire_users WHERE completed_at IS NOT NULL":           made.Completed + again.Completed,
			"SELECT count(*) FROM tripwire_users WHERE blocked_at IS NOT NULL":             made.Blocked + again.Blocked,
			"SELECT count(*) FROM tripwire_users WHERE deleted_at IS NOT NULL":             made.Deleted + again.Deleted,
			"SELECT count(*) FROM tripwire_users WHERE test_at IS NOT NULL":                made.Test + again.Test,
			"SELECT count(*) FROM users WHERE last_login_at IS NOT NULL":                   made.LoggedIn + again.LoggedIn,
			"SELECT count(*) FROM roster":                                                  2*students - made.Deleted - again.Deleted,
			"SELECT count(DISTINCT manager_id) FROM roster":                                len(seed.Managers()),
			"SELECT count(*) FROM module_unlocks WHERE module_id = 16":                     2 * students,
			"SELECT count(*) FROM tripwire_users WHERE granted_at > '2026-11-24 09:30:00'": 0,
		} {
			var n int
			if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != want {
				t.Errorf("%s: %d, want %d, %v", query, n, want, err)
			}
		}
		for what, share := range map[string][3]int{ // of a thousand: at least, what there is, at most
			"completed": {220, made.Completed, 280}, "studying": {410, made.Studying, 490}, "logged in": {700, made.LoggedIn, 800},
			"blocked": {10, made.Blocked, 30}, "deleted": {3, made.Deleted, 20}, "test": {1, made.Test, 15}, "refunds": {3, made.Refunds, 20},
		} {
			if n := share[1] * 1000 / students; n < share[0] || n > share[2] {
				t.Errorf("%s: %d of a thousand", what, n)
			}
		}
	})
}

// stuckEitherWay: the list of the stuck is the same, whether they are looked up or
// met on the way through the list.
func stuckEitherWay(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		roster, err := tx.NewRoster(school.Scope{All: true}, school.StudentFilter{Status: school.StatusStuck, Size: 100}, time.UTC)
		if err != nil {
			return err
		}
		roster.Few = true
		few, err := tx.ListRoster(roster)
		if err != nil {
			return err
		}
		roster.Few = false
		many, err := tx.ListRoster(roster)
		if len(few.Students) != 100 || !reflect.DeepEqual(few, many) {
			t.Errorf("%d stuck and %d, and they differ", len(few.Students), len(many.Students))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTheSameSeedIsTheSamePast compares facts and what the triggers made of them;
// the ids of the managers alone are new each time.
func TestTheSameSeedIsTheSamePast(t *testing.T) {
	t.Parallel()
	past := func(chosen uint64) []string {
		target := storetest.SQLite(t)
		s, d := open(t, target)
		if _, err := seed.Fill(t.Context(), s, d, seed.Options{Students: 300, Seed: chosen}); err != nil {
			t.Fatal(err)
		}
		return rows(t, target)
	}
	first, same, other := past(1), past(1), past(2)
	if len(first) < 300 || !slices.Equal(first, same) {
		t.Errorf("%d rows and %d, and they differ", len(first), len(same))
	}
	if slices.Equal(first, other) {
		t.Error("another seed made the same")
	}
}

func rows(t *testing.T, target storetest.Target) (all []string) {
	t.Helper()
	for _, query := range []string{
		"SELECT t.user_id || t.email || t.price_minor || t.granted_at || m.email FROM tripwire_users t JOIN users m ON m.id = t.granted_by WHERE t.deleted_at IS NULL ORDER BY t.user_id",
		"SELECT user_id || module_id || completed_at FROM module_completions ORDER BY id",
		"SELECT user_id || kind || amount_minor || at || reason FROM money_events ORDER BY id",
		"SELECT user_id || status || letter || logged_in || last_step_at FROM roster ORDER BY id",
	} {
		found, err := target.Raw(t).QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for found.Next() {
			var row string
			if err := found.Scan(&row); err != nil {
				t.Fatal(err)
			}
			all = append(all, row)
		}
		if err := errors.Join(found.Err(), found.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestSeedInterruptedLeavesWholeStudents: what was told is there, and all of it.
func TestSeedInterruptedLeavesWholeStudents(t *testing.T) {
	t.Parallel()
	s, d := open(t, storetest.SQLite(t))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	made, err := seed.Fill(ctx, s, d, seed.Options{Students: 5000, Seed: 1, Progress: func(seed.Made) { stop() }})
	if !errors.Is(err, context.Canceled) || made.Students == 0 || made.Students == 5000 {
		t.Fatalf("made %+v, %v", made, err)
	}
	list, err := d.Students(t.Context(), school.Terminal(), school.StudentFilter{})
	if err != nil || list.Total+made.Deleted+made.Test != made.Students {
		t.Errorf("%d in the list, %v", list.Total, err)
	}
	if findings, err := d.Examine(t.Context()); err != nil || len(findings) != 1 {
		t.Errorf("%v, %v", findings, err)
	}
}

func TestSeedRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, 0, seed.MaxStudents + 1} {
		if _, err := seed.Fill(t.Context(), nil, nil, seed.Options{Students: n}); err == nil || !strings.Contains(err.Error(), "from 1 to") {
			t.Errorf("%d: %v", n, err)
		}
	}
}
