package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestAListOfManyManagers: more than SQLite merges at once, and of some nobody.
func TestAListOfManyManagers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		const staff = 600
		want := 1 // of attend
		write(t, s, func(tx *store.Tx) error {
			course, _, err := tx.FindCourseOnSale()
			if err != nil {
				return err
			}
			want = 1
			for n := range staff {
				a := person(1000 + n)
				a.FullName, a.Role = fmt.Sprintf("Manager %03d", n), school.RoleSales
				if err := tx.InsertUser(a); err != nil {
					return err
				}
				if n%10 == 0 {
					continue
				}
				b := person(2000 + n)
				b.FullName, b.Role = fmt.Sprintf("Student %03d", n), school.RoleStudent
				if err := tx.InsertUser(b); err != nil {
					return err
				}
				if err := tx.InsertEnrolment(store.Enrolment{UserID: b.ID, CourseID: course.ID, Email: b.Email, GrantedBy: a.ID, Price: course.Price, Source: "test"}); err != nil {
					return err
				}
				want++
			}
			return nil
		})
		for i, by := range school.SortColumns() {
			desc := i%2 == 0 // TestEveryWayToFindAListIsTheSame goes both ways
			seen := map[school.UserID]bool{}
			f := school.StudentFilter{Sort: school.Sort{By: by, Desc: desc}, Size: 200}
			for more := true; more; {
				var page store.StudentPage
				read(t, s, func(tx *store.Tx) error {
					roster, err := tx.NewRoster(everybody, f, time.UTC)
					if err != nil {
						return err
					}
					if n := len(roster.Managers); n > want+1 {
						t.Errorf("%d managers are asked for their students", n)
					}
					page, err = tx.ListRoster(roster)
					return err
				})
				for _, st := range page.Students {
					if seen[st.ID] {
						t.Errorf("%s by %s is met twice", st.FullName, by)
					}
					seen[st.ID] = true
				}
				if more = page.More; more {
					f.After = page.Cursors[len(page.Cursors)-1]
				}
			}
			if len(seen) != want {
				t.Errorf("by %s, %v: %d of %d", by, desc, len(seen), want)
			}
		}
	})
}

// TestAFormerManagerStaysForAnyCurrency in the ranking, where the first has come to
// nothing.
func TestAFormerManagerStaysForAnyCurrency(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		db := target.Raw(t)
		defer func() { _ = db.Close() }()
		for _, statement := range []string{
			"UPDATE users SET disabled_at = '2024-01-01 00:00:00.000' WHERE id = '" + string(managerID) + "'",
			"DELETE FROM sale_counts", "DELETE FROM student_counts",
			"INSERT INTO sale_counts VALUES ('month', '2024-01', '" + string(managerID) + "', 1, 'AAA', 0, 0, 0)",
			"INSERT INTO sale_counts VALUES ('month', '2024-01', '" + string(managerID) + "', 1, 'BBB', 0, 0, -5)",
		} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		read(t, s, func(tx *store.Tx) error {
			all, err := tx.ListStandings(school.Counted{}, school.Period{Name: school.PeriodRange, From: "2024-03-01", To: "2024-03-02"})
			for _, st := range all {
				if st.Manager == managerID {
					return err
				}
			}
			t.Errorf("the ranking has %+v", all)
			return err
		})
	})
}

// TestWhoLooksAtEveryRowMayTakeTheTime and nobody after.
func TestWhoLooksAtEveryRowMayTakeTheTime(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t).Open(t)
	limit := func(change func(*store.Tx) error) (said string) {
		err := s.Read(context.Background(), func(tx *store.Tx) (err error) {
			if err = change(tx); err != nil {
				return err
			}
			said, err = tx.Text("SELECT current_setting('statement_timeout')")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	if said := limit((*store.Tx).TakeTime); said != "0" {
		t.Errorf("the limit is still %s", said)
	}
	if said := limit(func(*store.Tx) error { return nil }); said != "30s" {
		t.Errorf("the limit of the next is %s", said)
	}
}
