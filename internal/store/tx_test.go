package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestTimesComeBackAsTheyWere: to the millisecond, in UTC, and never is NULL.
func TestTimesComeBackAsTheyWere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		almaty := time.FixedZone("+05", 5*3600)
		clock := time.Date(2026, 10, 25, 0, 59, 59, 999_999_999, almaty)
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return clock } })
		write(t, s, func(tx *store.Tx) error { return tx.InsertUser(person(1)) })
		id := person(1).ID
		read(t, s, func(tx *store.Tx) error {
			a, err := tx.FindAccount(id)
			want := time.Date(2026, 10, 24, 19, 59, 59, 999_000_000, time.UTC)
			if !a.CreatedAt.Equal(want) || a.CreatedAt.Location() != time.UTC || !tx.Now.Equal(want) {
				t.Errorf("made at %v, now %v", a.CreatedAt, tx.Now)
			}
			if !a.DeletedAt.IsZero() || !a.PasswordExpiresAt.IsZero() {
				t.Errorf("never became %v, %v", a.DeletedAt, a.PasswordExpiresAt)
			}
			return err
		})
		for _, want := range []time.Time{
			{}, time.UnixMilli(0), time.UnixMilli(1), time.UnixMilli(-1), clock, clock.Add(time.Microsecond),
			time.Date(2024, 2, 29, 23, 59, 59, 1_000_000, almaty), time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC),
			time.Date(1999, 12, 31, 19, 0, 0, 120_000_000, almaty), time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC), {},
		} {
			write(t, s, func(tx *store.Tx) error { return tx.UpdatePassword(id, "$argon2id$x", false, want) })
			read(t, s, func(tx *store.Tx) error {
				a, err := tx.FindAccount(id)
				if got := a.PasswordExpiresAt; !got.Equal(want.Truncate(time.Millisecond)) || got.Location() != time.UTC {
					t.Errorf("%v became %v", want, got)
				}
				n, errCount := tx.Count("SELECT count(*) FROM users WHERE password_expires_at IS NULL AND id = $1", id)
				if (n == 1) != want.IsZero() {
					t.Errorf("%v: %d NULL", want, n)
				}
				return errors.Join(err, errCount)
			})
		}
	})
}

// TestTimesAreComparedAsTimes: what ends now has ended, what ends a millisecond
// later has not.
func TestTimesAreComparedAsTimes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t, fixedClock)
		for ends, want := range map[time.Time]bool{
			fixed: false, fixed.Add(-time.Millisecond): false, fixed.Add(time.Millisecond): true,
			fixed.Add(time.Millisecond).In(time.FixedZone("-12", -12*3600)): true,
			fixed.In(time.FixedZone("+14", 14*3600)):                        false,
			fixed.AddDate(100, 0, 0):                                        true, fixed.AddDate(-20, 0, 0): false,
		} {
			write(t, s, func(tx *store.Tx) error {
				return tx.InsertLink(store.Link{Purpose: store.ForAccess, TokenHash: "hash", ExpiresAt: ends})
			})
			err := s.Read(context.Background(), func(tx *store.Tx) error { _, err := tx.FindLink("hash"); return err })
			if (err == nil) != want || err != nil && !errors.Is(err, school.ErrLinkInvalid) {
				t.Errorf("at %v a link until %v: %v", fixed, ends, err)
			}
		}
	})
}

// student admits the n-th of many people under a name.
func student(t *testing.T, s *store.Store, n int, name, email string, by school.UserID) school.UserID {
	t.Helper()
	a := person(n)
	a.FullName, a.Role = name, school.RoleStudent
	if email != "" {
		a.Email = school.Email(email)
	}
	write(t, s, func(tx *store.Tx) error {
		course, _, err := tx.FindCourseOnSale()
		if err != nil {
			return err
		}
		if err := tx.InsertUser(a); err != nil {
			return err
		}
		if err := tx.InsertEnrolment(store.Enrolment{UserID: a.ID, CourseID: course.ID, Email: a.Email, GrantedBy: by, Price: course.Price, Source: "test"}); err != nil {
			return err
		}
		return tx.InsertActivity(school.Actor{ID: by, Door: "test"}, school.StudentCreated, a.ID, nil)
	})
	return a.ID
}

var everybody = school.Scope{All: true}

// found answers the names that a search finds, and holds the count to the list.
func found(t *testing.T, s *store.Store, scope school.Scope, f school.StudentFilter) (names []string) {
	t.Helper()
	read(t, s, func(tx *store.Tx) error {
		roster, err := tx.NewRoster(scope, f, time.UTC)
		if err != nil {
			return err
		}
		page, err := tx.ListRoster(roster)
		counts, errCount := tx.CountRoster(roster)
		sums, errSum := tx.SumStudents(scope, f.Counted, time.UTC)
		if n := counts.Of(f.Status); n != len(page.Students) || f.Query == "" && sums != counts {
			t.Errorf("%+v: %d listed, %d counted, sums %+v of %+v", f, len(page.Students), n, sums, counts)
		}
		for _, st := range page.Students {
			names = append(names, st.FullName)
		}
		roster.Rare = !roster.Rare // the other way to find them
		other, errOther := tx.ListRoster(roster)
		if !slices.EqualFunc(page.Students, other.Students, func(a, b school.Student) bool { return a.ID == b.ID }) {
			t.Errorf("%+v: one way finds %d, the other %d", f, len(page.Students), len(other.Students))
		}
		return errors.Join(err, errCount, errSum, errOther)
	})
	slices.Sort(names)
	return names
}

// TestSearchFindsWhatPeopleType: in any case and script, parts of words, in any
// order; and what means something to LIKE means itself.
func TestSearchFindsWhatPeopleType(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s) // brings "Person", p2@example.com
		for n, name := range []string{"Әлия Қыдырбекқызы", "Алёна Иванова", "100% Real_Name", `Back\Slash`, "Jos\u00e9 O'Neil"} {
			student(t, s, 10+n, name, "", managerID)
		}
		student(t, s, 20, "Иван Петров", "ivan+kurs@mail.kz", managerID)
		for query, want := range map[string][]string{
			"әлия":              {"Әлия Қыдырбекқызы"},
			"ӘЛИЯ":              {"Әлия Қыдырбекқызы"},
			"ҚЫЗЫ":              {"Әлия Қыдырбекқызы"},
			"қыдырбек әл":       {"Әлия Қыдырбекқызы"},
			"кыдырбек":          {"Әлия Қыдырбекқызы"}, // typed without a Kazakh keyboard
			"алена":             {"Алёна Иванова"},
			"АЛЁНА иван":        {"Алёна Иванова"},
			"иван":              {"Алёна Иванова", "Иван Петров"},
			"  иван   петров  ": {"Иван Петров"},
			"IVAN+KURS":         {"Иван Петров"},
			"@MAIL.kz":          {"Иван Петров"},
			"%":                 nil, // one or two letters begin a word
			"10":                {"100% Real_Name"},
			"ив":                {"Алёна Иванова", "Иван Петров"},
			"к":                 {"Әлия Қыдырбекқызы"},
			"ов":                nil,
			"0%_":               nil,
			"100% real_name":    {"100% Real_Name"},
			`\`:                 nil,
			`k\s`:               {`Back\Slash`},
			`\\`:                nil,
			"jose\u0301":        {"Jos\u00e9 O'Neil"},
			"o'neil":            {"Jos\u00e9 O'Neil"},
			"' OR '1'='1":       nil,
			"person":            {"Person"},
		} {
			if got := found(t, s, everybody, school.StudentFilter{Query: query}); !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", query, got, want)
			}
		}
		if got := found(t, s, everybody, school.StudentFilter{}); len(got) != 7 {
			t.Errorf("no query finds %d", len(got))
		}
		write(t, s, func(tx *store.Tx) error {
			return tx.UpdateUserName(person(20).ID, "Пётр Иванов", "petr@mail.kz")
		})
		if got := found(t, s, everybody, school.StudentFilter{Query: "ИВАНОВ петр@"}); got != nil {
			t.Errorf("a mixture finds %q", got)
		}
		if got := found(t, s, everybody, school.StudentFilter{Query: "петр petr"}); !slices.Equal(got, []string{"Пётр Иванов"}) {
			t.Errorf("the new name and address find %q", got)
		}
	})
}

// TestPagesShowEveryStudentOnce, the newest first, even when many came at once.
func TestPagesShowEveryStudentOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := fixed
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return clock } })
		attend(t, s)
		const n = 2*school.PageSize + 3
		for i := range n - 1 { // attend brings one
			if i%10 == 0 {
				clock = clock.Add(time.Hour)
			}
			student(t, s, 10+i, fmt.Sprintf("Student %d", i), "", managerID)
		}
		seen := map[school.UserID]bool{}
		last := clock.Add(time.Hour)
		var after school.Cursor
		for page, want := range []int{1: school.PageSize, 2: school.PageSize, 3: 3, 4: 0} {
			if page == 0 {
				continue
			}
			read(t, s, func(tx *store.Tx) error {
				roster, err := tx.NewRoster(everybody, school.StudentFilter{After: after}, time.UTC)
				if err != nil {
					return err
				}
				all, err := tx.ListRoster(roster)
				if len(all.Students) != want || all.More != (page < 3) {
					t.Errorf("page %d has %d, more %v", page, len(all.Students), all.More)
				}
				if n := len(all.Cursors); n > 0 {
					after = all.Cursors[n-1]
				}
				for _, st := range all.Students {
					if seen[st.ID] || st.GrantedAt.After(last) {
						t.Errorf("page %d: %s again or out of order", page, st.FullName)
					}
					seen[st.ID], last = true, st.GrantedAt
				}
				return err
			})
		}
		if len(seen) != n {
			t.Errorf("%d of %d were shown", len(seen), n)
		}
		const beyond = int(^uint(0) >> 1)
		read(t, s, func(tx *store.Tx) error {
			_, err := tx.ListTrash(everybody, time.Unix(0, 0), school.Page{Number: beyond})
			return err
		})
	})
}

// TestTheOtherManagersStudentsDoNotExist: in no list, count, search, trash, card
// or history. Neither does anybody for an actor without an id.
func TestTheOtherManagersStudentsDoNotExist(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		other := person(5)
		write(t, s, func(tx *store.Tx) error { return tx.InsertUser(other) })
		mine := student(t, s, 10, "Mine", "", other.ID)
		gone := student(t, s, 11, "Gone", "", other.ID)
		nobodys := student(t, s, 12, "Nobodys", "", "")
		write(t, s, func(tx *store.Tx) error { return tx.DeleteStudent(gone) })
		for _, c := range []struct {
			scope       school.Scope
			list, trash []string
			history     int
			cards       []school.UserID
		}{
			{school.Scope{Owner: other.ID}, []string{"Mine"}, []string{"Gone"}, 2, []school.UserID{mine, gone}},
			{school.Scope{Owner: managerID}, []string{"Person"}, nil, 1, []school.UserID{studentID}},
			{school.Scope{Owner: outsideID}, nil, nil, 0, nil},
			{school.Scope{}, nil, nil, 0, nil},
			{everybody, []string{"Mine", "Nobodys", "Person"}, []string{"Gone"}, 4, []school.UserID{mine, gone, nobodys, studentID}},
		} {
			if got := found(t, s, c.scope, school.StudentFilter{}); !slices.Equal(got, c.list) {
				t.Errorf("%+v lists %q", c.scope, got)
			}
			if got := found(t, s, c.scope, school.StudentFilter{Query: "mine"}); slices.Contains(got, "Mine") != slices.Contains(c.list, "Mine") {
				t.Errorf("%+v finds %q", c.scope, got)
			}
			for _, status := range []school.Status{school.StatusActive, school.StatusBlocked, school.StatusCompleted} {
				for _, name := range found(t, s, c.scope, school.StudentFilter{Status: status}) {
					if !slices.Contains(c.list, name) {
						t.Errorf("%+v lists %s as %s", c.scope, name, status)
					}
				}
			}
			read(t, s, func(tx *store.Tx) error {
				trash, err := tx.ListTrash(c.scope, time.Unix(0, 0), school.Page{})
				n, errCount := tx.CountTrash(c.scope, time.Unix(0, 0))
				lines, errLines := tx.ListActivity(c.scope, 100)
				if len(trash) != len(c.trash) || n != len(c.trash) || len(lines) != c.history {
					t.Errorf("%+v: trash %d, counted %d, history %d", c.scope, len(trash), n, len(lines))
				}
				for _, id := range []school.UserID{mine, gone, nobodys, studentID} {
					_, err := tx.FindStudent(c.scope, id)
					if (err == nil) != slices.Contains(c.cards, id) || err != nil && !errors.Is(err, school.ErrNotFound) {
						t.Errorf("%+v opens the card of %s: %v", c.scope, id, err)
					}
				}
				return errors.Join(err, errCount, errLines)
			})
		}
	})
}

// TestStatusFiltersAgreeWithTheStatusShown for every combination of facts.
func TestStatusFiltersAgreeWithTheStatusShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		db := target.Raw(t)
		for bits := range 8 {
			id := student(t, s, 10+bits, fmt.Sprintf("Student %d", bits), "", managerID)
			write(t, s, func(tx *store.Tx) error {
				if bits&1 == 0 {
					return nil
				}
				return tx.UpdateBlocked(id, tx.Now)
			})
			if bits&2 != 0 { // both modules, the second opened by hand
				write(t, s, func(tx *store.Tx) error {
					if _, err := tx.InsertLessonCompletion(id, 67); bits&1 == 0 && err != nil {
						return err
					}
					return nil
				})
			}
			if bits&4 != 0 {
				write(t, s, func(tx *store.Tx) error { return tx.DeleteStudent(id) })
			}
		}
		if target.Engine == "postgres" { // the end of the course, for every second pair
			run(t, db, "ALTER TABLE tripwire_users DISABLE TRIGGER guard_completed_at_on_update")
		}
		run(t, db, "UPDATE tripwire_users SET completed_at = granted_at WHERE CAST(user_id AS TEXT) IN ('"+string(person(12).ID)+"', '"+
			string(person(13).ID)+"', '"+string(person(16).ID)+"', '"+string(person(17).ID)+"')")
		total := 0
		for _, status := range []school.Status{school.StatusActive, school.StatusCompleted, school.StatusBlocked, school.StatusTest} {
			total += len(found(t, s, everybody, school.StudentFilter{Status: status}))
			read(t, s, func(tx *store.Tx) error {
				roster, err := tx.NewRoster(everybody, school.StudentFilter{Status: status}, time.UTC)
				if err != nil {
					return err
				}
				all, err := tx.ListRoster(roster)
				for _, st := range all.Students {
					if st.Status() != status {
						t.Errorf("%s is listed as %s and is %s", st.FullName, status, st.Status())
					}
				}
				return err
			})
		}
		if total != 5 { // of 9, 4 are deleted
			t.Errorf("%d of 5 have a status", total)
		}
		if got := found(t, s, everybody, school.StudentFilter{Status: "'; DROP TABLE users"}); len(got) != 0 {
			t.Errorf("a status that is none lists %q", got)
		}
	})
}
