package desk_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// together runs fn in n goroutines, which begin at once.
func together(n int, fn func(i int)) {
	var wait sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wait.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	wait.Wait()
}

// TestOneDaysStudentsComeAndGoTogether: everybody writes the same few sums, in the
// same order.
func TestOneDaysStudentsComeAndGoTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		together(20, func(i int) {
			for n := range 4 {
				c, err := p.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: "Student", Email: fmt.Sprintf("s%d-%d@example.com", i, n), Access: "link"})
				if err != nil {
					t.Error(err)
					return
				}
				id := c.Student.ID
				for _, verb := range []func() error{
					func() error { _, err := p.DeleteStudent(ctx, p.a, id); return err },
					func() error { return p.RestoreStudent(ctx, p.a, id, "") },
					func() error { return p.MarkTest(ctx, p.admin, id, true) },
					func() error { return p.MarkTest(ctx, p.admin, id, false) },
				} {
					err := verb()
					for errors.Is(err, school.ErrUnavailable) { // lost every race, as may happen in such a crowd
						err = verb()
					}
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
		sound(t, p.Desk, target)
		if target.Engine != "postgres" {
			return
		}
		db := target.Raw(t)
		defer func() { _ = db.Close() }()
		var deadlocks int
		if err := db.QueryRow("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&deadlocks); err != nil || deadlocks != 0 {
			t.Errorf("%d deadlocks, %v", deadlocks, err)
		}
	})
}

// TestEveryWriterCountsTheStudentsBeforeTheSales: two orders of the same rows are
// a deadlock in waiting.
func TestEveryWriterCountsTheStudentsBeforeTheSales(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	p := open(t, target)
	ctx := context.Background()
	id := p.student(t, p.a, "first@example.com").Student.ID
	db := target.Raw(t)
	defer func() { _ = db.Close() }()
	for _, verb := range []struct {
		name string
		do   func() error
	}{
		{"create", func() error {
			_, err := p.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: "Student", Email: "second@example.com", Access: "link"})
			return err
		}},
		{"delete", func() error { _, err := p.DeleteStudent(ctx, p.a, id); return err }},
		{"restore", func() error { return p.RestoreStudent(ctx, p.a, id, "") }},
		{"test", func() error { return p.MarkTest(ctx, p.admin, id, true) }},
		{"customer", func() error { return p.MarkTest(ctx, p.admin, id, false) }},
	} {
		hold, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hold.Exec("LOCK TABLE student_counts IN SHARE MODE"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- verb.do() }()
		if !waitsFor(t, db, "student_counts", done) {
			t.Fatalf("%s counts no student", verb.name)
		}
		var held int
		err = db.QueryRow("SELECT count(*) FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = 'sale_counts'::regclass AND mode = 'RowExclusiveLock'").Scan(&held)
		if err != nil || held > 0 {
			t.Errorf("%s has counted the sale before the student, %v", verb.name, err)
		}
		if err := hold.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", verb.name, err)
		}
	}
	sound(t, p.Desk, target)
}

// waitsFor answers true once somebody waits for a lock of the table, false when
// what is done has ended before.
func waitsFor(t *testing.T, db *sql.DB, table string, done chan error) bool {
	t.Helper()
	for {
		var waiting bool
		if err := db.QueryRow("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = $1::regclass AND NOT granted)", table).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			done <- err
			return false
		default:
		}
		if waiting {
			return true
		}
	}
}

// TestTheSchoolMovesWhileStudentsCome: a zone is changed beside a school at work;
// no creation fails, and each counts on the day that the new zone gives it.
func TestTheSchoolMovesWhileStudentsCome(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		zones := []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} // a day apart
		const writers = 8
		together(writers+1, func(i int) {
			if i == writers {
				for n := range 8 {
					s, err := p.Settings(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					s.TimeZone = zones[n%2]
					if err := p.EditSettings(ctx, p.admin, s); err != nil {
						t.Errorf("to %s: %v", s.TimeZone, err)
					}
				}
				return
			}
			for n := range 12 {
				c, err := p.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: "Student", Email: fmt.Sprintf("s%d-%d@example.com", i, n), Access: "link"})
				if err != nil {
					t.Errorf("create: %v", err)
					return
				}
				me := school.Actor{ID: c.Student.ID, Role: school.RoleStudent, Door: school.DoorPanel}
				if err := p.CompleteLesson(ctx, me, 67); err != nil {
					t.Errorf("complete: %v", err)
				}
				if err := p.Refund(ctx, p.admin, c.Student.ID, school.MoneyForm{Amount: "1", Reason: "asked for it"}); err != nil {
					t.Errorf("refund: %v", err)
				}
			}
		})
		sound(t, p.Desk, target)
	})
}

// TestARepairCountsOnce: also where the zone was not the school's.
func TestARepairCountsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		p.student(t, p.a, "test123@example.com")
		db := target.Raw(t)
		defer func() { _ = db.Close() }()
		count := func() (n int) {
			if err := db.QueryRow("SELECT count(*) FROM recounts").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, breakage := range [][]string{
			{"UPDATE zone_offsets SET seconds = seconds + 86400", "INSERT INTO recounts (at) VALUES ('2024-01-01 00:00:00')"},
			{"INSERT INTO sale_counts VALUES ('day', '2024-01-01', '" + string(p.a.ID) + "', 1, 'USD', 0, 1, 1)"},
		} {
			for _, statement := range breakage {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			before := count()
			done, err := p.Repair(ctx)
			if err != nil || !slices.ContainsFunc(done, func(f school.Finding) bool { return f.Check == "figures" }) {
				t.Fatalf("repaired %+v, %v", done, err)
			}
			if n := count() - before; n != 1 {
				t.Errorf("counted %d times", n)
			}
			sound(t, p.Desk, target)
		}
	})
}
