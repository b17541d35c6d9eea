package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// entry is a line as it was written, to be filtered without the database.
type entry struct {
	id                    int64
	at                    time.Time
	actor, subject, owner school.UserID
	action                school.Action
}

// tell writes n lines of all kinds. Half of them are as late as another, and the
// clock is put back now and then.
func tell(t *testing.T, s *store.Store, n int, people []school.UserID, owners map[school.UserID]school.UserID) (all []entry) {
	t.Helper()
	dice := rand.New(rand.NewPCG(1, 2))
	pick := func() school.UserID { return people[dice.IntN(len(people))] }
	at := fixed
	write(t, s, func(tx *store.Tx) error {
		all = nil
		for range n {
			switch dice.IntN(10) {
			case 0:
				at = at.Add(-5 * time.Hour)
			case 1, 2, 3, 4:
				at = at.Add(time.Hour)
			}
			l := entry{at: at, actor: pick(), subject: pick(), action: school.Actions()[dice.IntN(len(school.Actions()))]}
			if dice.IntN(3) == 0 {
				l.actor = l.subject
			}
			if !slices.Contains(school.Refusals(), l.action) {
				l.owner = owners[l.subject]
			}
			if _, err := tx.Exec(`INSERT INTO activity (at, door, request_id, actor_id, subject_id, owner_id, action, details)
				VALUES ($1, 'panel', '', $2, $3, $4, $5, '{}')`, l.at, l.actor, l.subject, l.owner, l.action); err != nil {
				return err
			}
			id, err := tx.Count("SELECT max(id) FROM activity")
			if err != nil {
				return err
			}
			l.id = int64(id)
			all = append(all, l)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b entry) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return int(b.id - a.id)
	})
	return all
}

// shown says in Go what the scope and the filter let through.
func (l entry) shown(scope school.Scope, f school.ActivityFilter, grantedBy map[school.UserID]school.UserID) bool {
	if !scope.All {
		switch {
		case scope.Owner == "", slices.Contains(school.Refusals(), l.action):
			return false
		case f.Student != "" && grantedBy[f.Student] != scope.Owner:
			return false
		case f.Student == "" && l.owner != scope.Owner && l.actor != scope.Owner:
			return false
		case f.Student == "" && grantedBy[l.subject] != "" && grantedBy[l.subject] != scope.Owner: // gone to another
			return false
		case f.Actor == school.ByStudents, f.Actor == school.BySystem:
			if f.Student == "" && l.owner != scope.Owner {
				return false
			}
		case f.Actor != "" && f.Actor != string(scope.Owner):
			return false
		}
	}
	switch f.Actor {
	case "":
	case school.ByStudents:
		if l.actor == "" || l.actor != l.subject || l.owner == "" {
			return false
		}
	case school.BySystem:
		if l.actor != "" {
			return false
		}
	default:
		if string(l.actor) != f.Actor {
			return false
		}
	}
	return (f.Action == "" || slices.Contains(school.ActionsNamed(f.Action), l.action)) &&
		(f.Student == "" || l.subject == f.Student) &&
		(f.From.IsZero() || !l.at.Before(f.From) && l.at.Before(f.Until))
}

// TestTheHistoryIsFilteredAsSaid compares every combination of filters, for
// everybody, with a filter in Go, page after page.
func TestTheHistoryIsFilteredAsSaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t, fixedClock)
		attend(t, s)
		other := person(5)
		write(t, s, func(tx *store.Tx) error { return tx.InsertUser(other) })
		theirs := student(t, s, 10, "Theirs", "", other.ID)
		grantedBy := map[school.UserID]school.UserID{studentID: managerID, theirs: other.ID}
		all := tell(t, s, 400, []school.UserID{"", managerID, other.ID, studentID, theirs}, grantedBy)
		periods := [][2]time.Time{{}, {fixed, fixed.Add(24 * time.Hour)}, {fixed.Add(30 * time.Hour), fixed.Add(31 * time.Hour)}, {fixed.AddDate(1, 0, 0), fixed.AddDate(2, 0, 0)}}
		tried := 0
		for _, scope := range []school.Scope{everybody, {Owner: managerID}, {Owner: other.ID}, {Owner: outsideID}, {}} {
			for _, actor := range []string{"", school.ByStudents, school.BySystem, string(managerID), string(other.ID), string(studentID), "nonsense", "' OR 1=1 --"} {
				for _, action := range []string{"", "students", "study", "refusals", string(school.StudentCreated), string(school.LoginLocked), "nonsense"} {
					for _, id := range []school.UserID{"", studentID, theirs, managerID} {
						for _, period := range periods {
							f := school.ActivityFilter{Actor: actor, Action: action, Student: id, From: period[0], Until: period[1]}
							var want []int64
							for _, l := range all {
								if l.shown(scope, f, grantedBy) {
									want = append(want, l.id)
								}
							}
							if got := walkHistory(t, s, scope, f, 60); !slices.Equal(got, want) {
								t.Fatalf("%+v, %+v: %d lines, want %d\n%v\n%v", scope, f, len(got), len(want), got, want)
							}
							tried++
						}
					}
				}
			}
		}
		t.Logf("%d combinations", tried)
	})
}

// walkHistory answers the ids of all lines that the filter lets through, read page
// by page.
func walkHistory(t *testing.T, s *store.Store, scope school.Scope, f school.ActivityFilter, size int) (ids []int64) {
	t.Helper()
	read(t, s, func(tx *store.Tx) error {
		for after := (school.ActivityCursor{}); ; {
			lines, err := tx.ListHistory(scope, f, after, size)
			for _, l := range lines {
				if l.RequestID != "" || l.Action != school.StudentCreated || l.Door != "test" { // those of the furniture
					ids = append(ids, l.ID)
				}
			}
			if err != nil || len(lines) < size {
				return err
			}
			after = school.ParseActivityCursor(lines[len(lines)-1].Cursor().String())
		}
	})
	return ids
}

// TestTheHistoryIsWholeWhileLinesArrive: who reads on meets each line that was
// there once, whatever is written meanwhile and whatever the clock does.
func TestTheHistoryIsWholeWhileLinesArrive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t, fixedClock)
		attend(t, s)
		owners := map[school.UserID]school.UserID{studentID: managerID}
		people := []school.UserID{managerID, studentID}
		for _, scope := range []school.Scope{everybody, {Owner: managerID}} {
			there := map[int64]bool{}
			for _, id := range walkHistory(t, s, scope, school.ActivityFilter{}, 1000) {
				there[id] = false
			}
			for _, l := range tell(t, s, 90, people, owners) {
				if l.shown(scope, school.ActivityFilter{}, owners) {
					there[l.id] = false
				}
			}
			after, last := school.ActivityCursor{}, school.ActivityCursor{At: fixed.AddDate(9, 0, 0)}
			for {
				var lines []school.Activity
				read(t, s, func(tx *store.Tx) (err error) {
					lines, err = tx.ListHistory(scope, school.ActivityFilter{}, after, 7)
					return err
				})
				if len(lines) == 0 {
					break
				}
				for _, l := range lines {
					if l.At.After(last.At) || l.At.Equal(last.At) && l.ID >= last.ID {
						t.Fatalf("%+v stands behind %+v", l.Cursor(), last)
					}
					if seen, old := there[l.ID]; old && seen {
						t.Errorf("line %d is there twice", l.ID)
					}
					there[l.ID], last = true, l.Cursor()
				}
				after = last
				tell(t, s, 3, people, owners) // some of them as old as what was read
			}
			for id, seen := range there {
				if !seen {
					t.Errorf("line %d was left out", id)
				}
			}
		}
	})
}

// TestTheHistoryIsReadByIndexes: no filter that people use reads lines that it does
// not show. Every part of a query has to walk an index of its own in the order of
// the history, from the place where the page begins.
func TestTheHistoryIsReadByIndexes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t, fixedClock)
		attend(t, s)
		manyLines(t, target)
		db := target.Raw(t)
		span := school.ActivityFilter{From: fixed.AddDate(0, 0, -30), Until: fixed.AddDate(0, 0, -29)}
		for _, scope := range []school.Scope{everybody, {Owner: managerID}} {
			for _, f := range []school.ActivityFilter{
				{}, {Actor: string(managerID)}, {Actor: school.ByStudents}, {Actor: school.BySystem}, {Action: "students"},
				{Action: string(school.StudentDeleted)}, {Student: studentID}, {Actor: string(managerID), Action: "access"},
				{Student: studentID, Action: "study"},
			} {
				for _, after := range []school.ActivityCursor{{}, {At: fixed.AddDate(0, 0, -29), ID: 1000}} {
					for _, period := range []school.ActivityFilter{{}, span} {
						f.From, f.Until = period.From, period.Until
						query, args := s.HistoryQuery(scope, f, after, 50)
						plan := explain(t, target, db, query, args)
						what := fmt.Sprintf("%+v %+v %+v", scope, f, after)
						if target.Engine == "sqlite" {
							wantNarrow(t, what, plan)
						} else {
							wantFewRows(t, what, plan)
						}
					}
				}
			}
		}
	})
}

// manyLines fills the history as a school of some years has it: the managers of
// others do nearly everything.
func manyLines(t *testing.T, target storetest.Target) {
	t.Helper()
	numbers := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
	if target.Engine == "sqlite" {
		run(t, target.Raw(t), numbers+`INSERT INTO activity (at, door, request_id, actor_id, subject_id, owner_id, action, details)
			SELECT strftime('%Y-%m-%d %H:%M:%f', '2026-03-01', '-' || i || ' minutes'), 'panel', '', u.id, u.id, NULL, 'settings.edited', '{}'
			FROM n, (SELECT id FROM users WHERE role = 'student' ORDER BY id DESC LIMIT 1) u`)
		return
	}
	run(t, target.Raw(t), numbers+`INSERT INTO activity (at, door, request_id, actor_id, subject_id, owner_id, action, details)
		SELECT timestamptz '2026-03-01 00:00:00Z' - i * interval '1 minute', 'panel', '', u.id, u.id, NULL, 'settings.edited', '{}'
		FROM n, (SELECT id FROM users WHERE role = 'student' ORDER BY id DESC LIMIT 1) u`, "ANALYZE")
}

func explain(t *testing.T, target storetest.Target, db *sql.DB, query string, args []any) string {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if target.Engine == "postgres" {
		prefix = "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) "
	}
	rows, err := db.QueryContext(context.Background(), prefix+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var text string
		into := []any{&text}
		if target.Engine == "sqlite" {
			into = []any{&id, &parent, &unused, &text}
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// wantNarrow: every walk of SQLite is along an index that has the order; what is
// sorted is what the walks have found.
func wantNarrow(t *testing.T, what, plan string) {
	t.Helper()
	walking := false
	for line := range strings.Lines(plan) {
		line = strings.TrimSpace(line)
		walked := walking
		if walking = strings.Contains(line, " a USING"); walking && strings.Contains(line, "INTEGER PRIMARY KEY") {
			walking = false // a line of the page, to be shown
			continue
		}
		if strings.HasPrefix(line, "SCAN a") && !strings.Contains(line, "INDEX activity_") || walked && strings.Contains(line, "TEMP B-TREE") {
			t.Errorf("%s: %s\n%s", what, line, plan)
		}
	}
}

// wantFewRows: PostgreSQL really ran it; no node met more rows than pages of 50
// from a few walks have.
func wantFewRows(t *testing.T, what, plan string) {
	t.Helper()
	var all []struct{ Plan map[string]any }
	if err := json.Unmarshal([]byte(plan), &all); err != nil {
		t.Fatal(err)
	}
	var look func(node map[string]any)
	look = func(node map[string]any) {
		if node["Relation Name"] == "activity" {
			met, _ := node["Actual Rows"].(float64)
			removed, _ := node["Rows Removed by Filter"].(float64)
			if met+removed > 200 || node["Node Type"] == "Seq Scan" {
				t.Errorf("%s: %v met %v rows and dropped %v\n%s", what, node["Node Type"], met, removed, plan)
			}
		}
		children, _ := node["Plans"].([]any)
		for _, child := range children {
			look(child.(map[string]any))
		}
	}
	look(all[0].Plan)
}

// TestARefusedAttemptIsToldOnce for the same attempt, and others are not kept from
// being told by it.
func TestARefusedAttemptIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t, fixedClock)
		attend(t, s)
		for i := range 6 {
			err := s.Add(t.Context(), func(tx *store.Tx) error {
				return tx.InsertRefusal(school.Actor{ID: managerID, Door: school.DoorPanel}, school.RefusedRole, "", map[string]string{"route": "x"}, fmt.Sprint(i%2))
			}, func(*store.Tx) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		read(t, s, func(tx *store.Tx) error {
			n, err := tx.Count("SELECT count(*) FROM activity WHERE action = 'refused.role'")
			if n != 2 {
				t.Errorf("%d lines", n)
			}
			return err
		})
	})
}
