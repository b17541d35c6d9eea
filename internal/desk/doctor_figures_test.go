package desk_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestDoctorPutsTheListsAndFiguresRight: whatever was done to what the triggers
// keep is found, told, put right, and not found again.
func TestDoctorPutsTheListsAndFiguresRight(t *testing.T) {
	type plant struct {
		do      func(target storetest.Target, id school.UserID) []string
		check   string
		subject bool // the finding is about the student
		words   []string
	}
	sql := func(statements ...string) func(storetest.Target, school.UserID) []string {
		return func(_ storetest.Target, id school.UserID) []string {
			var all []string
			for _, s := range statements {
				all = append(all, strings.ReplaceAll(s, "STUDENT", string(id)))
			}
			return all
		}
	}
	// without does something while a trigger is away, and puts nothing back.
	without := func(trigger, table string, statements ...string) func(storetest.Target, school.UserID) []string {
		return func(target storetest.Target, id school.UserID) []string {
			return append([]string{dropOn(target, trigger, table)}, sql(statements...)(target, id)...)
		}
	}
	differs := func(table string) []string { return []string{table, "differs from a recount"} }
	plants := map[string]plant{
		"a wrong status":        {sql("UPDATE roster SET status = 'blocked' WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"another manager":       {sql("UPDATE roster SET manager_id = '00000000-0000-0000-0000-000000000000' WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"another moment":        {sql("UPDATE roster SET added_at = '2020-01-01 00:00:00.000' WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"a name":                {sql("UPDATE roster SET search_text = 'x' WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"modules":               {sql("UPDATE roster SET modules_done = 7 WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"a letter":              {sql("UPDATE roster SET letter = 'sent' WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"a login":               {sql("UPDATE roster SET logged_in = TRUE WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"a step":                {sql("UPDATE roster SET last_step_at = '2030-01-01 00:00:00.000' WHERE user_id = 'STUDENT'"), "roster", true, []string{"something else"}},
		"a missing row":         {sql("DELETE FROM roster WHERE user_id = 'STUDENT'"), "roster", true, []string{"is missing in the lists"}},
		"sales":                 {sql("UPDATE sale_counts SET sales = sales + 1 WHERE grain = 'day'"), "figures", false, differs("sale_counts")},
		"money":                 {sql("UPDATE sale_counts SET amount_minor = amount_minor - 1 WHERE grain = 'month'"), "figures", false, differs("sale_counts")},
		"students":              {sql("UPDATE student_counts SET undelivered = undelivered + 1"), "figures", false, differs("student_counts")},
		"no students":           {sql("DELETE FROM student_counts"), "figures", false, differs("student_counts")},
		"steps":                 {sql("UPDATE step_counts SET students = students + 1"), "figures", false, differs("step_counts")},
		"completions":           {sql("UPDATE completion_counts SET students = 0"), "figures", false, differs("completion_counts")},
		"completions of nobody": {sql("INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students) SELECT grain, bucket, manager_id, course_id, days + 9, shard, 1 FROM completion_counts"), "figures", false, differs("completion_counts")},
		"a sale without its trigger": {without("count_sale_on_event", "money_events",
			"INSERT INTO money_events (user_id, course_id, manager_id, kind, amount_minor, currency, at, reason) SELECT user_id, course_id, manager_id, 'refund', -100, currency, at, 'by hand' FROM money_events WHERE user_id = 'STUDENT' AND kind = 'sale'"),
			"figures", false, differs("sale_counts")},
		"a block without the roll-up's trigger": {without("follow_roster_on_update", "roster", "UPDATE tripwire_users SET blocked_at = granted_at WHERE user_id = 'STUDENT'"),
			"figures", false, differs("student_counts")},
		"a block without the roster's trigger": {without("update_roster_on_enrolment_change", "tripwire_users", "UPDATE tripwire_users SET blocked_at = granted_at WHERE user_id = 'STUDENT'"),
			"roster", true, []string{"something else"}},
		"a deletion without the roster's trigger": {without("update_roster_on_enrolment_change", "tripwire_users",
			"UPDATE tripwire_users SET deleted_at = granted_at, email = NULL WHERE user_id = 'STUDENT'", "UPDATE users SET deleted_at = created_at, former_email = email, email = NULL WHERE id = 'STUDENT'"),
			"roster", true, []string{"is deleted and still stands in the lists"}},
		"days of another zone": {sql("DELETE FROM zone_offsets", "INSERT INTO zone_offsets (starts_at, seconds) VALUES ('1900-01-01 00:00:00.000', 3600)", "INSERT INTO recounts (at) VALUES ('2026-01-01 00:00:00.000')"),
			"figures", false, []string{"differs from a recount"}},
		"a missing offset": {sql("DELETE FROM zone_offsets", "INSERT INTO recounts (at) VALUES ('2026-01-01 00:00:00.000')"), "figures", false, []string{"differs from a recount"}},
	}
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := &wanderingClock{at: time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC)} // the 24th in Almaty, the 23rd an hour ahead of UTC
		p := open(t, target, func(o *store.Options) { o.Now = clock.now })
		ctx := context.Background()
		finished := p.student(t, p.b, "finished@example.com").Student.ID
		for lesson := school.LessonID(67); lesson <= 69; lesson++ {
			if err := p.CompleteLesson(ctx, asStudent(finished), lesson); err != nil {
				t.Fatal(err)
			}
		}
		d, raw := doctor(t, target), target.Raw(t)
		sound(t, d, target)
		n := 0
		for name, plant := range plants {
			t.Run(name, func(t *testing.T) {
				n++
				id := p.student(t, p.a, fmt.Sprintf("s%d@example.com", n)).Student.ID
				rawly(t, raw, plant.do(target, id)...)
				subject := school.UserID("")
				if plant.subject {
					subject = id
				}
				found := examine(t, d)
				told := false
				for _, f := range of(found, plant.check) {
					here := f.Subject == subject && f.Fixable
					for _, w := range plant.words {
						here = here && strings.Contains(f.Problem, w)
					}
					told = told || here
				}
				if !told {
					t.Errorf("found %+v, want %s about %q: %q", found, plant.check, subject, plant.words)
				}
				done := of(repair(t, d), plant.check)
				if len(done) == 0 || done[0].Subject != subject {
					t.Errorf("done %+v", done)
				}
				sound(t, d, target)
				if plant.subject {
					lines := number(t, raw, "SELECT count(*) FROM activity WHERE action = 'doctor.repaired' AND subject_id = '"+string(id)+"'")
					if lines != 1 {
						t.Errorf("%d lines of history about the student", lines)
					}
				}
			})
		}
	})
}

// TestAnotherZoneCountsOtherDays: a sale at 23:30 UTC is of the next day in Almaty
// and of the same in London, and a start puts days right that are of no zone.
func TestAnotherZoneCountsOtherDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := &wanderingClock{at: time.Date(2026, 1, 31, 23, 30, 0, 0, time.UTC)}
		p := open(t, target, func(o *store.Options) { o.Now = clock.now })
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		for lesson := school.LessonID(67); lesson <= 69; lesson++ {
			clock.set(time.Date(2026, 2, 1, 1, 0, int(lesson), 0, time.UTC))
			if err := p.CompleteLesson(ctx, asStudent(id), lesson); err != nil {
				t.Fatal(err)
			}
		}
		wanted := func(when string, day school.Day, median float64) {
			t.Helper()
			for _, d := range []school.Day{"2026-01-31", "2026-02-01"} {
				for _, period := range []school.Period{{Name: school.PeriodRange, From: d, To: d}, {Name: school.PeriodRange, From: d.FirstOfMonth(), To: d.LastOfMonth()}} {
					f := school.Counted{Period: period}
					figures, err := p.Figures(ctx, p.a, f, school.ByDay)
					if err != nil {
						t.Fatal(err)
					}
					list, err := p.Students(ctx, p.a, school.StudentFilter{Counted: f})
					if err != nil {
						t.Fatal(err)
					}
					want := 0
					if d == day {
						want = 1
					}
					if figures.Sales.Count != want || figures.Students.Completed != want || figures.Chart.Sales.Count != want || list.Total != want || len(list.Students) != want {
						t.Errorf("%s, in %s: %d sales, %d completed, the chart %d, the list %d; want %d", when, period, figures.Sales.Count, figures.Students.Completed, figures.Chart.Sales.Count, list.Total, want)
					}
					if figures.Completed && figures.MedianDays != median {
						t.Errorf("%s: it took %v days, want %v", when, figures.MedianDays, median)
					}
				}
			}
			if found := examine(t, p.Desk); len(found) > 0 {
				t.Errorf("%s: %+v", when, found)
			}
		}
		move := func(zone string) {
			s, err := p.Settings(ctx)
			if err != nil {
				t.Fatal(err)
			}
			s.TimeZone = zone
			if err := p.EditSettings(ctx, p.admin, s); err != nil {
				t.Fatal(err)
			}
		}
		wanted("in Almaty", "2026-02-01", 0)
		move("Europe/London")
		wanted("in London", "2026-01-31", 1)
		move("Asia/Almaty")
		wanted("back in Almaty", "2026-02-01", 0)
		rawly(t, target.Raw(t), "DELETE FROM zone_offsets", "INSERT INTO zone_offsets (starts_at, seconds) VALUES ('1900-01-01 00:00:00.000', -3600)", "INSERT INTO recounts (at) VALUES ('2026-01-01 00:00:00.000')")
		if len(of(examine(t, p.Desk), "figures")) == 0 {
			t.Error("wrong days are not found")
		}
		if err := p.PrepareSchool(ctx); err != nil {
			t.Fatal(err)
		}
		wanted("after a start", "2026-02-01", 0)
	})
}
