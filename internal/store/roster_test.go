package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestEveryWayToFindAListIsTheSame: looked up by its words or by what it is chosen
// by, or walked in its order, a list has the same students on the same pages.
func TestEveryWayToFindAListIsTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := fixed
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return clock } })
		attend(t, s)
		other := person(4)
		other.Role = school.RoleSales
		write(t, s, func(tx *store.Tx) error { return tx.InsertUser(other) })
		var late []school.UserID // have come on since
		for i := range 23 {
			if i%3 == 0 {
				clock = clock.Add(13 * time.Hour)
			}
			id := student(t, s, 10+i, []string{"Анна Ким", "Bob Stone", "Иван Анненков"}[i%3], "", []school.UserID{managerID, other.ID, managerID, ""}[i%4])
			if i%5 == 1 {
				late = append(late, id)
			}
			write(t, s, func(tx *store.Tx) error {
				if i%5 == 0 {
					if _, err := tx.InsertLessonCompletion(id, 67); err != nil {
						return err
					}
				}
				if i%7 == 0 {
					return tx.UpdateBlocked(id, tx.Now)
				}
				return nil
			})
		}
		clock = fixed.AddDate(0, 0, 9)
		for _, id := range late {
			write(t, s, func(tx *store.Tx) error { _, err := tx.InsertLessonCompletion(id, 67); return err })
		}
		for _, scope := range []school.Scope{everybody, {Owner: managerID}} {
			filters := []school.StudentFilter{
				{Query: "анн"}, {Counted: school.Counted{Course: 1}}, {Counted: school.Counted{Course: 1}, Query: "ан"},
				{Counted: school.Counted{Period: school.Period{Name: school.PeriodRange, From: school.DayOf(fixed.AddDate(0, 0, 1), time.UTC), To: school.DayOf(fixed.AddDate(0, 0, 3), time.UTC)}}},
				{Status: school.StatusStuck, Query: "ан"},
			}
			for _, status := range []school.Status{school.StatusActive, school.StatusBlocked, school.StatusUndelivered, school.StatusNewcomer, school.StatusStuck} {
				filters = append(filters, school.StudentFilter{Status: status})
			}
			for _, f := range filters {
				for _, by := range school.SortColumns() {
					for _, desc := range []bool{false, true} {
						f.Sort = school.Sort{By: by, Desc: desc}
						var ways [][]string
						for _, rare := range []bool{false, true} {
							for _, few := range []bool{false, true} {
								if rare && f.Query == "" || few && f.Status == "" && f.Counted == (school.Counted{}) {
									continue // nothing to look up
								}
								ways = append(ways, pagesOf(t, s, scope, f, rare, few))
							}
						}
						for _, way := range ways[1:] {
							if !slices.Equal(way, ways[0]) || len(way) == 0 {
								t.Errorf("%+v: one way finds\n%q, another\n%q", f, ways[0], way)
							}
						}
					}
				}
			}
		}
	})
}

// pagesOf walks a list in one way, there and back, and answers its students.
func pagesOf(t *testing.T, s *store.Store, scope school.Scope, f school.StudentFilter, rare, few bool) (all []string) {
	t.Helper()
	f.Size = 7
	var back []string
	for first := true; ; {
		var page store.StudentPage
		read(t, s, func(tx *store.Tx) error {
			tx.Now = fixed.AddDate(0, 0, 11)
			roster, err := tx.NewRoster(scope, f, time.UTC)
			roster.Rare, roster.Few = rare, few
			var errList error
			page, errList = tx.ListRoster(roster)
			return errors.Join(err, errList)
		})
		var ids []string
		for _, st := range page.Students {
			ids = append(ids, fmt.Sprint(st.ID))
		}
		if first {
			all = append(all, ids...)
			if page.More {
				f.After = page.Cursors[len(page.Cursors)-1]
				continue
			}
			first = false
			back = ids
		} else {
			back = append(ids, back...)
		}
		if !page.Less || len(page.Cursors) == 0 {
			break
		}
		f.After, f.Before = school.Cursor{}, page.Cursors[0]
	}
	if !slices.Equal(all, back) {
		t.Errorf("%+v: there\n%q, and back\n%q", f, all, back)
	}
	return all
}
