package desk_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// doctor is a desk over the database as it is.
func doctor(t *testing.T, target storetest.Target) *desk.Desk {
	t.Helper()
	s, err := store.Connect(context.Background(), target.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
}

func examine(t *testing.T, d *desk.Desk) []school.Finding {
	t.Helper()
	findings, err := d.Examine(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Check == "" || f.Problem == "" || f.Remedy == "" || strings.ContainsAny(f.Problem+f.Remedy, "\n\r\x1b") {
			t.Errorf("not one line with a remedy: %+v", f)
		}
	}
	return findings
}

func repair(t *testing.T, d *desk.Desk) []school.Finding {
	t.Helper()
	done, err := d.Repair(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// sound fails unless there is nothing to find and nothing to repair, and the
// database opens for a server.
func sound(t *testing.T, d *desk.Desk, target storetest.Target) {
	t.Helper()
	if f := examine(t, d); len(f) != 0 {
		t.Errorf("still found: %+v", f)
	}
	raw := target.Raw(t)
	before := number(t, raw, "SELECT count(*) FROM activity")
	if done := repair(t, d); len(done) != 0 {
		t.Errorf("repaired again: %+v", done)
	}
	if after := number(t, raw, "SELECT count(*) FROM activity"); after != before {
		t.Errorf("a repair of nothing left %d lines", after-before)
	}
	target.Open(t)
}

func number(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func rawly(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// unbound is a connection on which neither guards nor foreign keys hold.
func unbound(t *testing.T, target storetest.Target) *sql.DB {
	t.Helper()
	db := target.Raw(t)
	db.SetMaxOpenConns(1)
	if target.Engine == "postgres" {
		rawly(t, db, "SET session_replication_role = replica")
	} else {
		rawly(t, db, "PRAGMA foreign_keys = 0")
	}
	return db
}

func rawID(n int) school.UserID {
	return school.UserID(fmt.Sprintf("01900000-0000-7000-8000-%012d", n))
}

// rawStudent adds the rows of a student past the desk.
func rawStudent(t *testing.T, db *sql.DB, n int) school.UserID {
	t.Helper()
	id := rawID(n)
	rawly(t, db, fmt.Sprintf(`INSERT INTO users (id, email, full_name, search_text, role, language, created_at)
		VALUES ('%s', 'raw%d@example.com', 'Raw %d', '', 'student', 'ru', '2026-01-02 03:04:05.000')`, id, n, n))
	rawly(t, db, fmt.Sprintf(`INSERT INTO tripwire_users (user_id, course_id, email, granted_at)
		VALUES ('%s', (SELECT min(id) FROM courses), 'raw%d@example.com', '2026-01-02 03:04:05.000')`, id, n))
	return id
}

// of answers the findings of one check.
func of(findings []school.Finding, check string) []school.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f school.Finding) bool { return f.Check != check })
}

// only fails unless there is exactly one finding, of this check and about this
// student, and its problem says all the words.
func only(t *testing.T, findings []school.Finding, check string, subject school.UserID, words ...string) {
	t.Helper()
	if len(findings) != 1 || findings[0].Check != check || findings[0].Subject != subject {
		t.Fatalf("found %+v, want one of %s about %q", findings, check, subject)
	}
	for _, w := range words {
		if !strings.Contains(findings[0].Problem, w) {
			t.Errorf("%q does not say %q", findings[0].Problem, w)
		}
	}
}

// fresh answers another database of the engine.
func fresh(t *testing.T, engine string) storetest.Target {
	t.Helper()
	if engine == "postgres" {
		return storetest.Postgres(t)
	}
	return storetest.SQLite(t)
}

const firstTrigger = "auto_unlock_first_module_on_user_creation"

// sabotages are the ways to keep the first module from opening.
var sabotages = map[string]map[string]struct {
	do    []string
	fault store.TriggerFault
}{
	"sqlite": {
		"missing": {[]string{"DROP TRIGGER " + firstTrigger}, store.TriggerFault{Name: firstTrigger, Fault: "missing"}},
		"edited": {[]string{
			"DROP TRIGGER " + firstTrigger,
			"CREATE TRIGGER " + firstTrigger + " AFTER INSERT ON tripwire_users FOR EACH ROW BEGIN SELECT 1; END",
		}, store.TriggerFault{Name: firstTrigger, Fault: "edited"}},
		"moved": {[]string{
			"DROP TRIGGER " + firstTrigger,
			"CREATE TRIGGER " + firstTrigger + " AFTER INSERT ON letters FOR EACH ROW BEGIN SELECT 1; END",
		}, store.TriggerFault{Name: firstTrigger, Fault: "edited"}},
	},
	"postgres": {
		"missing":  {[]string{"DROP TRIGGER " + firstTrigger + " ON tripwire_users"}, store.TriggerFault{Name: firstTrigger, Fault: "missing"}},
		"disabled": {[]string{"ALTER TABLE tripwire_users DISABLE TRIGGER " + firstTrigger}, store.TriggerFault{Name: firstTrigger, Fault: "disabled"}},
		"on another condition": {[]string{
			"DROP TRIGGER " + firstTrigger + " ON tripwire_users",
			"CREATE TRIGGER " + firstTrigger + " AFTER INSERT ON tripwire_users FOR EACH ROW WHEN (new.source = 'panel') EXECUTE FUNCTION auto_unlock_first_module()",
		}, store.TriggerFault{Name: firstTrigger, Fault: "edited"}},
		"with another body": {[]string{
			"CREATE OR REPLACE FUNCTION auto_unlock_first_module() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		}, store.TriggerFault{Name: "auto_unlock_first_module()", Fault: "edited"}},
	},
}

func TestDoctorFindsASabotagedTriggerAndMakesUpForIt(t *testing.T) {
	t.Parallel()
	for engine, all := range sabotages {
		for name, sabotage := range all {
			t.Run(engine+"/"+name, func(t *testing.T) {
				t.Parallel()
				ctx := context.Background()
				target := fresh(t, engine)
				p := open(t, target)
				before := p.student(t, p.a, "before@example.com").Student.ID
				raw, d := target.Raw(t), doctor(t, target)
				sound(t, d, target)

				rawly(t, raw, sabotage.do...)
				_, err := store.Open(ctx, target.Options)
				var refused *store.TriggerError
				if !errors.As(err, &refused) || !slices.Equal(refused.Faults, []store.TriggerFault{sabotage.fault}) {
					t.Fatalf("open: %v", err)
				}
				only(t, examine(t, d), "triggers", "", sabotage.fault.Name, sabotage.fault.Fault)

				var ids []school.UserID
				for n := range 3 {
					ids = append(ids, rawStudent(t, raw, n))
				}
				found := of(examine(t, d), "unlocks-on-enrolment")
				for n, id := range ids {
					if n >= len(found) || found[n].Subject != id || !found[n].Fixable {
						t.Fatalf("found %+v", found)
					}
					only(t, found[n:n+1], "unlocks-on-enrolment", id, fmt.Sprintf("Raw %d <raw%d@example.com>", n, n), "module 16")
				}

				done := repair(t, d)
				if len(done) != 4 {
					t.Fatalf("done %+v", done)
				}
				only(t, done[:1], "triggers", "", sabotage.fault.Name)
				for n, id := range ids {
					only(t, done[n+1:n+2], "unlocks-on-enrolment", id, fmt.Sprintf("<raw%d@example.com>", n), "opened module 16")
					card, err := p.Student(ctx, p.admin, id)
					if err != nil || card.Modules[0].UnlockedAt.IsZero() || card.Modules[0].Cause.Event != school.EventEnrolled {
						t.Fatalf("card %+v, %v", card, err)
					}
					if len(card.Activity) != 1 || card.Activity[0].Action != school.DoctorRepaired || card.Activity[0].Door != school.DoorSystem ||
						card.Activity[0].Details["opened_ids"] != "16" || card.Activity[0].Details["opened"] != "Введение" {
						t.Fatalf("history %+v", card.Activity)
					}
				}
				if n := number(t, raw, "SELECT count(*) FROM activity WHERE action = 'doctor.repaired' AND subject_id IS NULL"); n != 1 {
					t.Errorf("%d lines about triggers", n)
				}
				if card, err := p.Student(ctx, p.admin, before); err != nil || len(card.Activity) != 1 {
					t.Errorf("a sound student was touched: %+v, %v", card.Activity, err)
				}
				sound(t, d, target)
				if c := p.student(t, p.a, "after@example.com"); len(c.Unlocked) != 1 {
					t.Errorf("after the repair: %+v", c.Unlocked)
				}
			})
		}
	}
}

// dropOn names a trigger as each engine drops it.
func dropOn(target storetest.Target, trigger, table string) string {
	if target.Engine == "postgres" {
		return "DROP TRIGGER " + trigger + " ON " + table
	}
	return "DROP TRIGGER " + trigger
}

func TestDoctorMakesUpForTheChain(t *testing.T) {
	done := func(id school.UserID, lessons ...int) (all []string) {
		for _, l := range lessons {
			all = append(all, fmt.Sprintf("INSERT INTO lesson_completions (user_id, lesson_id, completed_at) VALUES ('%s', %d, '2026-02-03 04:05:06.000')", id, l))
		}
		return all
	}
	cases := []struct {
		trigger, table string
		history        func(school.UserID) []string
		check, problem string
		did            string
		state          string // a query that answers 1 once all is right
	}{
		{
			"complete_module_on_last_lesson", "lesson_completions",
			func(id school.UserID) []string { return done(id, 67) },
			"module-completions", "has done every lesson of module 16",
			"completed module 16 (Введение), opened module 17 (Первый помощник)",
			"SELECT count(*) FROM module_unlocks o JOIN module_completions c ON c.user_id = o.user_id WHERE o.module_id = 17 AND c.module_id = 16",
		},
		{
			"auto_unlock_next_module", "module_completions",
			func(id school.UserID) []string { return done(id, 67) },
			"unlocks-on-completion", "module 17",
			"opened module 17 (Первый помощник)",
			"SELECT count(*) FROM module_unlocks WHERE module_id = 17",
		},
		{
			"complete_course_on_last_module", "module_completions",
			func(id school.UserID) []string { return done(id, 67, 68, 69) },
			"course-completions", "the course Интегратор",
			"completed the course",
			"SELECT count(*) FROM tripwire_users WHERE completed_at IS NOT NULL",
		},
		{
			"unlock_granted_module", "module_grants",
			func(id school.UserID) []string {
				return []string{fmt.Sprintf(`INSERT INTO module_grants (user_id, module_id, granted_at, opens_at, reason)
					VALUES ('%s', 18, '2026-02-03 04:05:06.000', '2026-02-03 04:05:06.000', 'paid')`, id)}
			},
			"unlocks-granted", "was granted module 18",
			"opened module 18 (Запуск)",
			"SELECT count(*) FROM module_unlocks WHERE module_id = 18 AND grant_id IS NOT NULL",
		},
	}
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		for _, c := range cases {
			t.Run(c.trigger, func(t *testing.T) {
				target := fresh(t, target.Engine)
				p := open(t, target)
				id := p.student(t, p.a, "test123@example.com").Student.ID
				raw, d := target.Raw(t), doctor(t, target)
				rawly(t, raw, dropOn(target, c.trigger, c.table))
				rawly(t, raw, c.history(id)...)
				found := examine(t, d)
				if len(found) != 2 {
					t.Fatalf("found %+v", found)
				}
				only(t, found[:1], "triggers", "", c.trigger)
				only(t, found[1:], c.check, id, "Test Student <test123@example.com>", c.problem)
				if n := number(t, raw, c.state); n != 0 {
					t.Fatalf("%d before the repair", n)
				}
				mended := repair(t, d)
				if len(mended) != 2 || mended[1].Subject != id || mended[1].Problem != "Test Student <test123@example.com>: "+c.did {
					t.Errorf("done %+v", mended)
				}
				if n := number(t, raw, c.state); n != 1 {
					t.Errorf("%d after the repair", n)
				}
				sound(t, d, target)
			})
		}
	})
}

// What is added to a course after its end neither undoes the end nor is a fault.
func TestDoctorLeavesThoseWhoHaveFinishedInPeace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		me := school.Actor{ID: p.student(t, p.a, "test123@example.com").Student.ID, Role: school.RoleStudent, Door: school.DoorPanel}
		for _, lesson := range []school.LessonID{67, 68, 69} {
			if err := p.CompleteLesson(context.Background(), me, lesson); err != nil {
				t.Fatal(err)
			}
		}
		rawly(
			t, target.Raw(t),
			"INSERT INTO lessons (module_id, position, title, minutes, required) VALUES (18, 2, 'Another', 1, TRUE)",
			"INSERT INTO modules (id, course_id, position, title, summary) SELECT 19, course_id, 4, 'Another', '' FROM modules WHERE id = 18",
			"INSERT INTO lessons (module_id, position, title, minutes, required) VALUES (19, 1, 'Another', 1, TRUE)",
		)
		sound(t, doctor(t, target), target)
		if c, err := p.Student(context.Background(), p.a, me.ID); err != nil || c.Student.CompletedAt.IsZero() {
			t.Errorf("not finished any more: %+v, %v", c.Student, err)
		}
	})
}

// A course that asks for nothing is completed by nobody.
func TestDoctorFinishesNobodyWhoHasNotBegun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.student(t, p.a, "test123@example.com")
		rawly(t, target.Raw(t), "UPDATE lessons SET required = FALSE")
		sound(t, doctor(t, target), target)
	})
}

func TestDoctorFindsUnlocksWithoutACause(t *testing.T) {
	// The student has completed module 16; the other was granted module 18.
	cases := map[string]struct {
		columns, values string // of the planted unlock
		why             string
	}{
		"a rule on enrolment, of another module":  {"rule_id, user_id, module_id", "1, $student, 18", "rule 1 opens module 16"},
		"a rule on completion, of another module": {"rule_id, user_id, module_id", "2, $student, 18", "rule 2 opens module 17"},
		"the module before is not completed":      {"rule_id, user_id, module_id", "3, $student, 18", "rule 3 opens it after module 17, which is not completed"},
		"another has completed it":                {"rule_id, user_id, module_id", "2, $other, 17", "rule 2 opens it after module 16, which is not completed"},
		"one who is not enrolled":                 {"rule_id, user_id, module_id", "1, $staff, 16", "rule 1 opens it on enrolment"},
		"a rule that leaves it to grants":         {"rule_id, user_id, module_id", "4, $student, 18", "rule 4 leaves it to grants"},
		"no such rule":                            {"rule_id, user_id, module_id", "99, $student, 18", "there is no rule 99"},
		"a grant of another module":               {"grant_id, user_id, module_id", "1, $other, 17", "grant 1 is not for this student and module"},
		"a grant to another student":              {"grant_id, user_id, module_id", "1, $student, 18", "grant 1 is not for this student and module"},
		"no such grant":                           {"grant_id, user_id, module_id", "99, $student, 18", "grant 99 is not for this student and module"},
		"one who was deleted":                     {"rule_id, user_id, module_id", "3, $deleted, 18", "rule 3 opens it after module 17"},
	}
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		ctx := context.Background()
		p := open(t, target)
		id := p.student(t, p.a, "test123@example.com").Student.ID
		other := p.student(t, p.a, "other@example.com").Student.ID
		deleted := p.student(t, p.a, "deleted@example.com").Student.ID
		if err := p.CompleteLesson(ctx, school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}, 67); err != nil {
			t.Fatal(err)
		}
		if err := p.GrantModule(ctx, p.a, other, 18, "paid"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.DeleteStudent(ctx, p.a, deleted); err != nil {
			t.Fatal(err)
		}
		d, raw := doctor(t, target), unbound(t, target)
		rawly(t, raw, "INSERT INTO unlock_rules (course_id, module_id, event) SELECT course_id, 18, 'granted' FROM modules WHERE id = 18")
		sound(t, d, target)
		ids := strings.NewReplacer("$student", "'"+string(id)+"'", "$other", "'"+string(other)+"'",
			"$deleted", "'"+string(deleted)+"'", "$staff", "'"+string(p.a.ID)+"'")
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				rawly(t, raw, fmt.Sprintf("INSERT INTO module_unlocks (%s, unlocked_at) VALUES (%s, '2026-02-03 04:05:06.000')", c.columns, ids.Replace(c.values)))
				planted := number(t, raw, "SELECT max(id) FROM module_unlocks")
				for range 2 {
					found := of(examine(t, d), "unlock-causes")
					if len(found) != 1 || found[0].Fixable || !strings.Contains(found[0].Problem, c.why) ||
						!strings.Contains(found[0].Remedy, fmt.Sprintf("row %d of module_unlocks", planted)) {
						t.Errorf("found %+v, want %q", found, c.why)
					}
					if done := repair(t, d); len(done) != 0 {
						t.Errorf("done %+v", done)
					}
				}
				rawly(t, raw, fmt.Sprintf("DELETE FROM module_unlocks WHERE id = %d", planted))
				sound(t, d, target)
			})
		}
	})
}

func TestDoctorFindsDriftedAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		ctx := context.Background()
		p := open(t, target)
		id := p.student(t, p.a, "test123@example.com").Student.ID
		p.student(t, p.a, "other@example.com")
		d, raw := doctor(t, target), unbound(t, target)
		rawly(t, raw, "UPDATE tripwire_users SET email = 'drifted@example.com' WHERE email = 'test123@example.com'")
		only(t, of(examine(t, d), "e-mail"), "e-mail", id, "<test123@example.com>", "drifted@example.com")
		only(t, repair(t, d), "e-mail", id, "<test123@example.com>", "drifted@example.com")
		sound(t, d, target)
		card, err := p.Student(ctx, p.admin, id)
		if err != nil || card.Student.Email != "test123@example.com" || card.Activity[0].Details["old_email"] != "drifted@example.com" {
			t.Errorf("card %+v, %v", card, err)
		}

		rawly(t, raw, "UPDATE users SET deleted_at = '2026-02-03 04:05:06.000', email = NULL WHERE email = 'test123@example.com'")
		for range 2 {
			found := of(examine(t, d), "e-mail")
			only(t, found, "e-mail", id, "the account is deleted")
			if found[0].Fixable {
				t.Error("said to be fixable")
			}
			if done := repair(t, d); len(done) != 0 {
				t.Fatalf("done %+v", done)
			}
		}
	})
}

func TestDoctorSaysHowManyMoreThereAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		open(t, target)
		const students = 1003
		raw, d := target.Raw(t), doctor(t, target)
		rawly(t, raw, dropOn(target, firstTrigger, "tripwire_users"))
		rawStudent(t, raw, 0)
		rawly(t, raw, fmt.Sprintf(`INSERT INTO users (id, email, full_name, search_text, role, language, created_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT %s, 'raw' || i || '@example.com', 'Raw', '', 'student', 'ru', created_at FROM n, users WHERE email = 'raw0@example.com'`,
			students-1, map[string]string{
				"sqlite":   "'01900000-0000-7000-8000-' || substr('000000000000' || i, -12)",
				"postgres": "('01900000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid",
			}[target.Engine]))
		rawly(t, raw, `INSERT INTO tripwire_users (user_id, course_id, email, granted_at)
			SELECT id, (SELECT min(id) FROM courses), email, created_at FROM users WHERE full_name = 'Raw'`)
		found := of(examine(t, d), "unlocks-on-enrolment")
		if len(found) != 1001 || found[1000].Problem != "and 3 more like these" || found[1000].Subject != "" {
			t.Errorf("%d findings, the last %+v", len(found), found[len(found)-1])
		}
		if done := repair(t, d); len(done) != students+1 {
			t.Errorf("%d done", len(done))
		}
		if n := number(t, raw, "SELECT count(*) FROM module_unlocks WHERE module_id = 16"); n != students {
			t.Errorf("%d opened", n)
		}
		sound(t, d, target)
	})
}

func TestTwoDoctorsAtOnceWriteOneHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		ctx := context.Background()
		p := open(t, target)
		raw := target.Raw(t)
		rawly(t, raw, dropOn(target, firstTrigger, "tripwire_users"))
		const students = 50
		for n := range students {
			rawStudent(t, raw, n)
		}
		faults, err := p.store.TriggerFaults(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.store.RepairTriggers(ctx, faults, nil); err != nil {
			t.Fatal(err)
		}
		outcome := make(chan error)
		for range 4 {
			d := doctor(t, target)
			go func() {
				_, err := d.Repair(ctx)
				outcome <- err
			}()
		}
		for range 4 {
			if err := <-outcome; err != nil {
				t.Error(err)
			}
		}
		if n := number(t, raw, "SELECT count(*) FROM activity WHERE action = 'doctor.repaired'"); n != students {
			t.Errorf("%d lines about %d students", n, students)
		}
		sound(t, doctor(t, target), target)
	})
}

func TestDoctorLooksAtTheSchemaFirst(t *testing.T) {
	cases := map[string]struct{ plant, problem, remedy string }{
		"older": {"DELETE FROM goose_db_version WHERE version_id > 1", "version 1", "tripwire migrate"},
		"newer": {"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)", "version 99", "newer Tripwire"},
		"empty": {"DROP TABLE goose_db_version", "empty", "tripwire migrate"},
	}
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				target := fresh(t, target.Engine)
				d, raw := doctor(t, target), target.Raw(t)
				sound(t, d, target)
				rawly(t, raw, dropOn(target, firstTrigger, "tripwire_users"), c.plant)
				found := examine(t, d)
				only(t, found, "schema", "", c.problem)
				if !strings.Contains(found[0].Remedy, c.remedy) || found[0].Fixable {
					t.Errorf("found %+v", found)
				}
				if done, err := d.Repair(context.Background()); err == nil || !strings.Contains(err.Error(), c.remedy) || len(done) != 0 {
					t.Errorf("done %+v, %v", done, err)
				}
				if n := number(t, raw, "SELECT count(*) FROM activity"); n != 0 {
					t.Errorf("%d lines of history", n)
				}
			})
		}
	})
}

func TestDoctorTellsOfIntegrity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		open(t, target)
		d := doctor(t, target)
		if target.Engine == "postgres" {
			rawly(t, target.Raw(t), "ALTER TABLE sessions DISABLE TRIGGER ALL")
		} else {
			rawly(t, unbound(t, target), "INSERT INTO sessions (token_hash, user_id, device, data, created_at, last_seen_at, expires_at) VALUES ('x', '"+string(rawID(1))+"', '', '', '2026-01-02 03:04:05.000', '2026-01-02 03:04:05.000', '2026-01-02 03:04:05.000')")
		}
		found := examine(t, d)
		if len(found) == 0 || len(of(found, "integrity")) != len(found) || !strings.Contains(found[0].Problem, "sessions") {
			t.Fatalf("found %+v", found)
		}
	})
}

func TestDoctorMissesAnAdministratorOnceThereIsAnybody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		d := doctor(t, target)
		sound(t, d, target) // and nobody yet
		open(t, target)
		sound(t, d, target)
		rawly(t, target.Raw(t), "UPDATE users SET disabled_at = created_at WHERE role = 'admin'")
		only(t, examine(t, d), "administrator", "", "no administrator")
		if done := repair(t, d); len(done) != 0 {
			t.Errorf("done %+v", done)
		}
	})
}

// The names in the rows are the students'; the terminal is not theirs to steer.
func TestDoctorKeepsTheTerminalStraight(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		open(t, target)
		raw, d := target.Raw(t), doctor(t, target)
		rawly(t, raw, dropOn(target, firstTrigger, "tripwire_users"))
		id := rawStudent(t, raw, 1)
		rawly(t, raw, "UPDATE users SET full_name = 'Әсел\n\x1b[2J\u202e' WHERE id = '"+string(id)+"'")
		only(t, of(examine(t, d), "unlocks-on-enrolment"), "unlocks-on-enrolment", id, "Әсел  [2J  <")
		only(t, repair(t, d)[1:], "unlocks-on-enrolment", id, "Әсел  [2J  <")
	})
}
