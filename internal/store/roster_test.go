package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// TestEveryListIsReadByItsIndex: SQLite, which knows nothing of how many there are,
// takes the index that was meant, for one manager and for several, and sorts only
// what was looked up.
func TestEveryListIsReadByItsIndex(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t, fixedClock)
	db := target.Raw(t)
	by := func(c school.SortColumn) school.Sort { return school.Sort{By: c} }
	course := school.Counted{Course: 1}
	for _, c := range []struct {
		filter school.StudentFilter
		way    store.Roster // how it is found
		index  string
	}{
		{school.StudentFilter{}, store.Roster{}, "roster_added_at_idx"},
		{school.StudentFilter{Counted: course}, store.Roster{}, "roster_course_id_idx"},
		{school.StudentFilter{Status: school.StatusActive}, store.Roster{}, "roster_status_idx"},
		{school.StudentFilter{Status: school.StatusStuck}, store.Roster{}, "roster_status_idx"},
		{school.StudentFilter{Status: school.StatusUndelivered}, store.Roster{}, "roster_letter_idx"},
		{school.StudentFilter{Status: school.StatusNewcomer}, store.Roster{}, "roster_newcomers_idx"},
		{school.StudentFilter{Status: school.StatusActive, Counted: course}, store.Roster{}, "roster_status_idx"},
		{school.StudentFilter{Status: school.StatusCompleted, Sort: by(school.SortName)}, store.Roster{}, "roster_search_text_idx"},
		{school.StudentFilter{Status: school.StatusUndelivered, Counted: course, Sort: by(school.SortName)}, store.Roster{}, "roster_search_text_idx"},
		{school.StudentFilter{Status: school.StatusCompleted, Sort: by(school.SortModules)}, store.Roster{}, "roster_modules_done_idx"},
		{school.StudentFilter{Sort: by(school.SortModules)}, store.Roster{}, "roster_modules_done_idx"},
		{school.StudentFilter{Status: school.StatusNewcomer, Sort: by(school.SortLetter)}, store.Roster{}, "roster_letter_idx"},
		{school.StudentFilter{Query: "ан", Status: school.StatusActive, Sort: by(school.SortName)}, store.Roster{}, "roster_search_text_idx"},
		{school.StudentFilter{Status: school.StatusStuck, Sort: by(school.SortName)}, store.Roster{Few: true}, "roster_last_step_at_idx"},
		{school.StudentFilter{Status: school.StatusUndelivered, Sort: by(school.SortName)}, store.Roster{Few: true}, "roster_letter_idx"},
		{school.StudentFilter{Status: school.StatusNewcomer, Sort: by(school.SortName)}, store.Roster{Few: true}, "roster_newcomers_idx"},
		{school.StudentFilter{Status: school.StatusBlocked, Counted: course}, store.Roster{Few: true}, "(manager_id=? AND status=?)"},
		{school.StudentFilter{Status: school.StatusBlocked, Counted: course}, store.Roster{Few: true, ByCourse: true}, "roster_course_id_idx"},
		{school.StudentFilter{Query: "анна", Status: school.StatusActive, Counted: course}, store.Roster{Rare: true}, "INTEGER PRIMARY KEY"},
		{school.StudentFilter{Query: "анна", Status: school.StatusActive, Counted: course}, store.Roster{Rare: true, Few: true}, "INTEGER PRIMARY KEY"},
	} {
		for _, managers := range [][]school.UserID{{managerID}, {managerID, studentID, ""}} {
			l := c.way
			l.Filter, l.Zone, l.Managers, l.Words = c.filter, time.UTC, managers, strings.Fields(c.filter.Query)
			query, args, err := s.RosterQuery(l)
			if err != nil {
				t.Fatal(err)
			}
			plan := explain(t, target, db, query, args)
			walked := !l.Few && !l.Rare
			reads := 0
			for line := range strings.Lines(plan) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "SEARCH r ") || strings.HasPrefix(line, "SCAN r") && !strings.HasPrefix(line, "SCAN roster_search") {
					if reads++; !strings.Contains(line, c.index) && (walked || line != "SCAN r") { // the few that were found
						t.Errorf("%+v of %d managers: %s\n%s", c, len(managers), line, plan)
					}
				}
			}
			if reads == 0 || walked && strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%+v of %d managers reads %d times\n%s", c, len(managers), reads, plan)
			}
		}
	}
}
