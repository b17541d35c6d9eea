package store

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"tripwire/internal/school"
)

// The proof of the roster and of the roll-ups: they are derived once more, from the
// facts and with Go's own calendar, and compared with what the triggers have kept.

// Misfit is an enrolment whose row of the roster is not what its facts say.
type Misfit struct {
	UserID   school.UserID
	CourseID school.CourseID
	FullName string
	Email    school.Email
	Deleted  bool
	Missing  bool // it has no row; else the row is wrong, or should not be
}

// misfit says in facts what a row of the roster must be.
const misfit = `(t.deleted_at IS NULL) <> (r.id IS NOT NULL) OR r.id IS NOT NULL AND (
	r.manager_id <> coalesce(t.granted_by, '` + nobody + `') OR r.added_at <> t.granted_at OR r.completed_at IS DISTINCT FROM t.completed_at
	OR r.search_text <> u.search_text OR r.logged_in <> (u.last_login_at IS NOT NULL)
	OR r.status <> CASE WHEN t.test_at IS NOT NULL THEN 'test' WHEN t.blocked_at IS NOT NULL THEN 'blocked' WHEN t.completed_at IS NOT NULL THEN 'completed' ELSE 'active' END
	OR r.letter <> coalesce((SELECT CASE l.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END FROM letters l WHERE l.user_id = t.user_id AND l.kind = 'welcome' ORDER BY l.id DESC LIMIT 1), 'none')
	OR r.modules_done <> (SELECT count(*) FROM module_completions c JOIN modules m ON m.id = c.module_id
		WHERE c.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL)
	OR r.last_step_at <> (SELECT max(step.at) FROM (
		SELECT t.granted_at AS at
		UNION ALL SELECT p.opened_at FROM lesson_plays p JOIN lessons l ON l.id = p.lesson_id JOIN modules m ON m.id = l.module_id WHERE p.user_id = t.user_id AND m.course_id = t.course_id
		UNION ALL SELECT d.completed_at FROM lesson_completions d JOIN lessons l ON l.id = d.lesson_id JOIN modules m ON m.id = l.module_id WHERE d.user_id = t.user_id AND m.course_id = t.course_id
		UNION ALL SELECT h.handed_in_at FROM submissions h JOIN lessons l ON l.id = h.lesson_id JOIN modules m ON m.id = l.module_id WHERE h.user_id = t.user_id AND m.course_id = t.course_id
	) step))`

// ListMisfits answers the enrolments whose row of the roster is not what the facts
// say, in the order of their keys and behind the given one (the zero Misfit
// begins), at most limit, and how many there are.
func (tx *Tx) ListMisfits(after Misfit, limit int) ([]Misfit, int, error) {
	return some(tx, `SELECT t.user_id, t.course_id, u.full_name, coalesce(t.email, u.former_email), t.deleted_at IS NOT NULL, r.id IS NULL, count(*) OVER ()
		FROM tripwire_users t JOIN users u ON u.id = t.user_id
		LEFT JOIN roster r ON r.user_id = t.user_id AND r.course_id = t.course_id
		WHERE (t.user_id, t.course_id) > ($2, $3) AND (`+misfit+") ORDER BY t.user_id, t.course_id LIMIT $1",
		func(r row, total *int) (m Misfit, err error) {
			return m, r.Scan(text(&m.UserID), &m.CourseID, &m.FullName, text(&m.Email), &m.Deleted, &m.Missing, total)
		}, limit, cmp.Or(after.UserID, beforeAll), int64(after.CourseID))
}

// RefreshRoster has a trigger write an enrolment's row of the roster anew.
func (tx *Tx) RefreshRoster(m Misfit) error {
	if !m.Deleted {
		return tx.Recheck(m.UserID, m.CourseID)
	}
	_, err := tx.exec("UPDATE tripwire_users SET blocked_at = blocked_at WHERE user_id = $1 AND course_id = $2", m.UserID, int64(m.CourseID))
	return err
}

// tally is a roll-up: from the key of a figure to its numbers.
type tally map[string][6]int64

func (t tally) add(numbers [6]int64, key ...any) {
	name := fmt.Sprint(key...)
	sum := t[name]
	for i, n := range numbers {
		sum[i] += n
	}
	if t[name] = sum; sum == [6]int64{} {
		delete(t, name)
	}
}

// CheckRollUps names the roll-ups that are not what a recount gives.
func (tx *Tx) CheckRollUps(zone *time.Location) (wrong []string, err error) {
	kept, recounted := map[string]tally{}, map[string]tally{}
	for _, table := range rollUps {
		kept[table.name], recounted[table.name] = tally{}, tally{}
		if err := tx.readRollUp(table, kept[table.name]); err != nil {
			return nil, err
		}
	}
	if err := tx.recountStudents(zone, recounted); err != nil {
		return nil, err
	}
	if err := tx.recountSales(zone, recounted["sale_counts"]); err != nil {
		return nil, err
	}
	for _, table := range rollUps {
		if n := differences(kept[table.name], recounted[table.name]); n > 0 {
			wrong = append(wrong, fmt.Sprintf("%s differs from a recount in %d places", table.name, n))
		}
	}
	return wrong, nil
}

// rollUps are the tables, with the columns that make a figure and those that are
// its numbers.
var rollUps = []struct {
	name, key string
	numbers   []string
}{
	{"sale_counts", "grain, bucket, manager_id, course_id, currency", []string{"sales", "amount_minor"}},
	{"student_counts", "grain, bucket, manager_id, course_id", []string{"active", "completed", "blocked", "test", "undelivered", "newcomers"}},
	{"step_counts", "grain, bucket, manager_id, course_id", []string{"students"}},
	{"completion_counts", "grain, bucket, manager_id, course_id, days", []string{"students"}},
}

func differences(a, b tally) (n int) {
	for key, numbers := range a {
		if b[key] != numbers {
			n++
		}
	}
	for key := range b {
		if _, both := a[key]; !both {
			n++
		}
	}
	return n
}

func (tx *Tx) readRollUp(table struct {
	name, key string
	numbers   []string
}, into tally) error {
	sums := make([]string, len(table.numbers))
	for i, c := range table.numbers {
		sums[i] = "sum(" + c + ")"
	}
	_, err := list(tx, "SELECT "+table.key+", "+strings.Join(sums, ", ")+" FROM "+table.name+" GROUP BY "+table.key, func(r row) (none struct{}, err error) {
		keys := make([]any, strings.Count(table.key, ",")+1)
		var numbers [6]int64
		var dest []any
		for i := range keys {
			keys[i] = new(string)
			dest = append(dest, keys[i])
		}
		for i := range table.numbers {
			dest = append(dest, &numbers[i])
		}
		if err := r.Scan(dest...); err != nil {
			return none, err
		}
		for i, k := range keys {
			keys[i] = *k.(*string) + " "
		}
		into.add(numbers, keys...)
		return none, nil
	})
	return err
}

// grains answers the buckets of a day.
func grains(d school.Day) [2][2]string {
	return [2][2]string{{"day ", string(d) + " "}, {"month ", d.Month() + " "}}
}

func (tx *Tx) recountStudents(zone *time.Location, into map[string]tally) error {
	_, err := list(tx, "SELECT manager_id, course_id, status, letter, logged_in, added_at, completed_at, last_step_at FROM roster", func(r row) (none struct{}, err error) {
		var manager, course, status, letter string
		var loggedIn bool
		var added, completed, step time.Time
		if err := r.Scan(&manager, &course, &status, &letter, &loggedIn, at(&added), at(&completed), at(&step)); err != nil {
			return none, err
		}
		manager, course = manager+" ", course+" "
		real := status != "test"
		numbers := [6]int64{one64(status == "active"), one64(status == "completed"), one64(status == "blocked"), one64(!real), one64(real && letter != "sent"), one64(real && !loggedIn)}
		day := school.DayOf(added, zone)
		for _, g := range grains(day) {
			into["student_counts"].add(numbers, g[0], g[1], manager, course)
		}
		if status == "active" {
			for _, g := range grains(school.DayOf(step, zone)) {
				into["step_counts"].add([6]int64{1}, g[0], g[1], manager, course)
			}
		}
		if status == "completed" {
			took := fmt.Sprint(day.Until(school.DayOf(completed, zone)), " ")
			for _, g := range append(grainsOf(day), [2]string{"all ", "all "}) {
				into["completion_counts"].add([6]int64{1}, g[0], g[1], manager, course, took)
			}
		}
		return none, nil
	})
	return err
}

func grainsOf(d school.Day) [][2]string {
	both := grains(d)
	return both[:]
}

func one64(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func (tx *Tx) recountSales(zone *time.Location, into tally) error {
	_, err := list(tx, `SELECT e.manager_id, e.course_id, e.currency, e.kind, e.amount_minor, e.at
		FROM money_events e JOIN tripwire_users t ON t.user_id = e.user_id AND t.course_id = e.course_id
		WHERE t.deleted_at IS NULL AND t.test_at IS NULL`, func(r row) (none struct{}, err error) {
		var manager school.UserID
		var course, currency, kind string
		var amount int64
		var moment time.Time
		if err := r.Scan(text(&manager), &course, &currency, &kind, &amount, at(&moment)); err != nil {
			return none, err
		}
		for _, g := range grains(school.DayOf(moment, zone)) {
			into.add([6]int64{one64(kind == "sale"), amount}, g[0], g[1], orNobody(manager)+" ", course+" ", currency+" ")
		}
		return none, nil
	})
	return err
}
