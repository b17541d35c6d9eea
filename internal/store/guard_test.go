package store_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// The people and the course of these tests. The first student has finished
// module 16, so that there is a row of every kind to attack.
const (
	managerID = school.UserID("00000000-0000-7000-8000-000000000001")
	studentID = school.UserID("00000000-0000-7000-8000-000000000002")
	outsideID = school.UserID("00000000-0000-7000-8000-000000000003")
)

// attend makes a course of two modules, a manager, a student half way through it
// and an account without an enrolment.
func attend(t *testing.T, s *store.Store) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error {
		course, err := tx.InsertCourse(school.Course{
			Slug: "c", Title: "Course", Price: school.Money{Currency: "KZT"}, PublishedAt: tx.Now,
			Modules: []school.Module{
				{ID: 16, Position: 1, Title: "One", Lessons: []school.Lesson{{ID: 67, Position: 1, Title: "L", Required: true}}},
				{ID: 17, Position: 2, Title: "Two", Lessons: []school.Lesson{{ID: 68, Position: 1, Title: "L", Required: true}}},
			},
			Rules: []school.UnlockRule{
				{ModuleID: 16, Event: school.EventEnrolled},
				{ModuleID: 17, Event: school.EventCompleted, SourceModuleID: 16, DelayMinutes: 60},
			},
		})
		if err != nil {
			return err
		}
		for id, role := range map[school.UserID]school.Role{managerID: school.RoleSales, studentID: school.RoleStudent, outsideID: school.RoleStudent} {
			if err := tx.InsertUser(account(id, role)); err != nil {
				return err
			}
		}
		if err := tx.InsertEnrolment(store.Enrolment{
			UserID: studentID, CourseID: course, Email: account(studentID, "").Email, GrantedBy: managerID, Price: school.Money{Currency: "KZT"}, Source: "test",
		}); err != nil {
			return err
		}
		if _, err := tx.InsertLessonCompletion(studentID, 67); err != nil {
			return err
		}
		return tx.InsertActivity(school.Actor{ID: managerID, Door: "test"}, school.StudentCreated, studentID, nil)
	})
}

func account(id school.UserID, role school.Role) school.Account {
	return school.Account{ID: id, Email: school.Email("p" + string(id[35:]) + "@example.com"), FullName: "Person", Role: role, Language: "ru"}
}

func write(t *testing.T, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Read(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// attack is statements that must be refused. guard is who refuses; empty: the
// single writer.
type attack struct {
	statements string // divided by ";;"
	guard      string
}

// bothEngines are the writes that one text says on both engines. $16 and $17
// stand for the unlocked modules, the rest are the people above.
var bothEngines = []attack{
	{"INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id) SELECT 'OUTSIDE', 16, granted_at, 1 FROM tripwire_users", ""},
	{"INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id) SELECT 'STUDENT', 16, granted_at, 1 FROM tripwire_users WHERE TRUE ON CONFLICT (user_id, module_id) DO NOTHING", ""},
	{"INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id) SELECT 'STUDENT', 16, granted_at, 1 FROM tripwire_users WHERE TRUE ON CONFLICT (user_id, module_id) DO UPDATE SET unlocked_at = excluded.unlocked_at", ""},
	{"UPDATE module_unlocks SET unlocked_at = '2001-01-01 00:00:00.000'", ""},
	{"UPDATE module_unlocks SET user_id = 'OUTSIDE'", ""},
	{"DELETE FROM module_unlocks", ""},
	{"DELETE FROM module_unlocks WHERE user_id = 'STUDENT'", ""},
	{"INSERT INTO module_completions (user_id, module_id, completed_at) SELECT 'STUDENT', 17, granted_at FROM tripwire_users", ""},
	{"UPDATE module_completions SET module_id = 17", ""},
	{"DELETE FROM module_completions", ""},
	{"UPDATE tripwire_users SET completed_at = granted_at", ""},
	{"UPDATE tripwire_users SET completed_at = NULL", ""},
	{"UPDATE tripwire_users SET blocked_at = NULL, completed_at = granted_at WHERE user_id = 'STUDENT'", ""},
	{"INSERT INTO tripwire_users (user_id, course_id, email, completed_at) SELECT id, 1, email, created_at FROM users WHERE id = 'OUTSIDE'", ""},
	{"INSERT INTO tripwire_users (user_id, course_id, email) SELECT user_id, course_id, email FROM tripwire_users WHERE TRUE ON CONFLICT (user_id, course_id) DO UPDATE SET completed_at = excluded.granted_at", ""},
	{"UPDATE activity SET action = 'nothing'", "append_only"},
	{"DELETE FROM activity", "append_only"},
	{"UPDATE money_events SET amount_minor = 1", "append_only"},
	{"UPDATE money_events SET amount_minor = 1, manager_id = NULL", "append_only"},
	{"UPDATE money_events SET currency = 'USD'", "append_only"},
	{"UPDATE money_events SET at = '2001-01-01 00:00:00.000'", "append_only"},
	{"UPDATE money_events SET reason = 'none'", "append_only"},
	{"UPDATE money_events SET user_id = 'OUTSIDE'", "append_only"},
	{"DELETE FROM money_events", "append_only"},
	{"DROP TRIGGER auto_unlock_next_module ON module_completions", ""}, // without the ON for SQLite
	{"DROP TABLE module_unlocks", ""},
	{"ALTER TABLE module_unlocks RENAME TO free", ""},
	{"ALTER TABLE module_unlocks ADD COLUMN free TEXT", ""},
	{"CREATE INDEX free ON module_unlocks (unlocked_at)", ""},
	{"DROP INDEX module_unlocks_user_id_module_id_key", ""},
	{"CREATE TABLE free (x BIGINT)", ""},
	{"CREATE VIEW free AS SELECT 1 AS x", ""},
}

// rollUps are written by triggers alone. An owner of the tables may repair them:
// they are counts, and can be counted anew.
var rollUps = []attack{
	{"INSERT INTO sale_counts (grain, bucket, manager_id, course_id, currency, shard, sales, amount_minor) SELECT 'day', '2001-01-01', 'STUDENT', 1, 'KZT', 0, 1, 1 FROM settings", ""},
	{"UPDATE sale_counts SET sales = sales + 1", ""},
	{"DELETE FROM sale_counts", ""},
	{"INSERT INTO student_counts (grain, bucket, manager_id, course_id, shard, active, completed, blocked, test, undelivered, newcomers) SELECT 'day', '2001-01-01', 'STUDENT', 1, 0, 1, 0, 0, 0, 0, 0 FROM settings", ""},
	{"UPDATE student_counts SET active = active + 1", ""},
	{"DELETE FROM student_counts", ""},
	{"INSERT INTO step_counts (grain, bucket, manager_id, course_id, shard, students) SELECT 'day', '2001-01-01', 'STUDENT', 1, 0, 1 FROM settings", ""},
	{"UPDATE step_counts SET students = 0", ""},
	{"DELETE FROM step_counts", ""},
	{"INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students) SELECT 'day', '2001-01-01', 'STUDENT', 1, 3, 0, 1 FROM settings", ""},
	{"UPDATE completion_counts SET students = 0", ""},
	{"DELETE FROM completion_counts", ""},
	{"INSERT INTO roster (user_id, course_id, manager_id, status, added_at, search_text, modules_done, letter, logged_in, last_step_at) SELECT user_id, course_id, granted_by, 'active', granted_at, '', 0, 'none', FALSE, granted_at FROM tripwire_users", ""},
	{"INSERT INTO roster (user_id, course_id, manager_id, status, added_at, search_text, modules_done, letter, logged_in, last_step_at) SELECT user_id, course_id, granted_by, 'active', granted_at, '', 0, 'none', FALSE, granted_at FROM tripwire_users WHERE TRUE ON CONFLICT (user_id, course_id) DO UPDATE SET status = 'test'", ""},
	{"UPDATE roster SET status = 'test'", ""},
	{"UPDATE roster SET manager_id = user_id WHERE user_id = 'STUDENT'", ""},
	{"DELETE FROM roster", ""},
}

var sqliteOnly = []attack{
	{"INSERT INTO roster_search (rowid, text) VALUES (99, 'nobody')", ""},
	{"UPDATE roster_search SET text = 'nobody'", ""},
	{"DELETE FROM roster_search", ""},
	{"INSERT INTO roster_search (roster_search) VALUES ('delete-all')", ""},
	{"INSERT OR REPLACE INTO step_counts (grain, bucket, manager_id, course_id, shard, students) SELECT grain, bucket, manager_id, course_id, shard, 9 FROM step_counts", ""},
	{"UPDATE OR REPLACE roster SET status = 'test'", ""},
	{"DELETE FROM roster_search_data", "*"}, // the engine itself refuses
	{"INSERT OR REPLACE INTO module_unlocks (user_id, module_id, unlocked_at, rule_id) VALUES ('STUDENT', 16, '2001-01-01 00:00:00.000', 1)", ""},
	{"REPLACE INTO module_completions (user_id, module_id, completed_at) VALUES ('STUDENT', 17, '2001-01-01 00:00:00.000')", ""},
	{"INSERT OR IGNORE INTO module_unlocks (user_id, module_id, unlocked_at, rule_id) VALUES ('OUTSIDE', 16, '2001-01-01 00:00:00.000', 1)", ""},
	{"INSERT OR IGNORE INTO tripwire_users (user_id, course_id, email, completed_at) SELECT id, 1, email, created_at FROM users WHERE id = 'OUTSIDE'", ""},
	{"INSERT OR REPLACE INTO tripwire_users (user_id, course_id, email, completed_at) SELECT user_id, course_id, email, granted_at FROM tripwire_users", ""},
	{"UPDATE OR IGNORE activity SET action = 'nothing'", "append_only"},
	{"UPDATE OR IGNORE money_events SET amount_minor = 1", "append_only"},
	// What replaces a row deletes it without a word to the triggers on deleting.
	{"INSERT OR REPLACE INTO money_events (id, user_id, course_id, kind, amount_minor, currency, at, reason) SELECT id, user_id, course_id, kind, 1, currency, at, reason FROM money_events", "append_only"},
	{"REPLACE INTO money_events (user_id, course_id, kind, amount_minor, currency, at, reason) SELECT user_id, course_id, kind, 1, currency, at, reason FROM money_events", "append_only"},
	{"UPDATE Main.Module_Unlocks SET unlocked_at = '2001-01-01 00:00:00.000'", ""},
	{"DROP TRIGGER activity_is_append_only_on_delete", ""},
	{"CREATE TRIGGER free AFTER INSERT ON users BEGIN DELETE FROM module_unlocks; END", ""},
	{"CREATE TEMP TRIGGER free AFTER INSERT ON users BEGIN DELETE FROM module_unlocks; END", ""},
	// Not even under the name of one that may.
	{"CREATE TEMP TRIGGER auto_unlock_next_module AFTER INSERT ON users BEGIN DELETE FROM module_unlocks; END", ""},
	{"CREATE TEMP TABLE module_unlocks (x)", ""},
	{"CREATE TEMP VIEW free AS SELECT 1", ""},
	{"CREATE VIRTUAL TABLE free USING fts5(x)", ""},
	{"ATTACH DATABASE ':memory:' AS free", ""},
	{"PRAGMA writable_schema = 1", ""},
	{"PRAGMA recursive_triggers = 1", ""},
	{"PRAGMA foreign_keys = 0", ""},
	{"PRAGMA user_version = 7", ""},
	{"DELETE FROM sqlite_master", "*"}, // the engine itself refuses
	{"UPDATE sqlite_sequence SET seq = 0", ""},
	{"REINDEX module_unlocks_user_id_module_id_key", ""},
	{"ANALYZE", ""},
}

// applicationOnly is what an owner of the tables may do, and the application's
// role may not.
var applicationOnly = []attack{
	{"TRUNCATE roster", ""},
	{"TRUNCATE sale_counts, student_counts, step_counts, completion_counts", ""},
	{"ALTER TABLE module_unlocks DISABLE TRIGGER ALL", ""},
	{"ALTER TABLE tripwire_users DISABLE TRIGGER auto_unlock_first_module_on_user_creation", ""},
	{"DROP FUNCTION auto_unlock_first_module() CASCADE", ""},
	{"ALTER FUNCTION auto_unlock_first_module() SECURITY INVOKER", ""},
	{"CREATE TRIGGER free AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse_change()", ""},
	{"SET LOCAL session_replication_role = replica", ""},
	{"ALTER TABLE module_unlocks OWNER TO tripwire_app_tripwire", ""},
	// Whoever has no right to give is not refused, but gives nothing.
	{"GRANT DELETE ON module_unlocks TO tripwire_app_tripwire;;DELETE FROM module_unlocks", ""},
	{"UPDATE goose_db_version SET version_id = 1", ""},
	// A trigger of the application's own is as deep as ours, and has no rights.
	{`CREATE TEMP TABLE free (x BIGINT);;CREATE FUNCTION pg_temp.free() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM module_unlocks; RETURN NULL; END $$;;CREATE TRIGGER free AFTER INSERT ON free FOR EACH ROW EXECUTE FUNCTION pg_temp.free();;INSERT INTO free VALUES (1)`, ""},
}

// ownerToo is what the guards in the database refuse to an owner as well.
var ownerToo = []attack{
	{"TRUNCATE module_unlocks", ""},
	{"TRUNCATE module_completions", ""},
	{"TRUNCATE activity", "append_only"},
	{"TRUNCATE money_events", "append_only"},
	{"TRUNCATE users CASCADE", "*"}, // whichever of the guards comes first
}

var people = strings.NewReplacer("OUTSIDE", string(outsideID), "STUDENT", string(studentID))

// refused runs the attacks one by one and wants each refused, with every row as
// it was.
func refused(t *testing.T, target storetest.Target, attacks []attack, do func(...string) error, reason func(error) string) {
	t.Helper()
	before := target.Dump(t)
	for _, a := range attacks {
		statements := strings.Split(people.Replace(a.statements), ";;")
		err := do(statements...)
		want := a.guard
		if want == "" {
			want = "single_writer"
		}
		if err == nil {
			t.Errorf("%s: not refused", a.statements)
			continue
		}
		got := reason(err)
		if want == "append_only" && got == "single_writer" { // refused sooner still: no grant
			got = want
		}
		if want != "*" && got != want {
			t.Errorf("%s: refused by %q: %v", a.statements, got, err)
		}
	}
	if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
		t.Errorf("the rows have changed:\n%s", diff)
	}
}

// TestNobodyButTheTriggersWrites tries every forbidden write through the
// connections of a Store, those for writing and those for reading.
func TestNobodyButTheTriggersWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		attacks := slices.Clone(rollUps)
		for _, a := range bothEngines {
			if target.Engine == "sqlite" {
				a.statements = strings.ReplaceAll(a.statements, " ON module_completions", "")
			}
			attacks = append(attacks, a)
		}
		if target.Engine == "sqlite" {
			attacks = append(attacks, sqliteOnly...)
		} else {
			attacks = append(append(attacks, applicationOnly...), ownerToo...)
		}
		ctx := context.Background()
		refused(t, target, attacks, func(q ...string) error { return s.Statements(ctx, q...) }, s.Refusal)
		for i := range attacks {
			attacks[i].guard = "*" // a connection for reading has reasons of its own
		}
		refused(t, target, attacks, func(q ...string) error { return s.ReaderStatements(ctx, q...) }, s.Refusal)
		if err := s.CheckTriggers(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestOwnersOfTheTablesMeetTheGuardsToo: where the account that migrates could
// not make a role, or somebody lays the role down, the guards stand alone.
func TestOwnersOfTheTablesMeetTheGuardsToo(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	s := target.Open(t)
	attend(t, s)
	ctx := context.Background()
	var attacks []attack
	for _, a := range bothEngines {
		if !strings.Contains(a.statements, "TABLE") && !strings.Contains(a.statements, "INDEX") &&
			!strings.Contains(a.statements, "VIEW") && !strings.Contains(a.statements, "DROP") {
			attacks = append(attacks, a)
		}
	}
	attacks = append(attacks, ownerToo...)
	db := target.Raw(t)
	refused(t, target, attacks, func(q ...string) error { return inTransaction(ctx, db, q) }, s.Refusal)
	refused(t, target, attacks, func(q ...string) error { return s.Statements(ctx, append([]string{"RESET ROLE"}, q...)...) }, s.Refusal)
}

func inTransaction(ctx context.Context, db *sql.DB, queries []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, q := range queries {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// TestTheGuardsAreWhatRefuses is the control of the tests above: with the guard
// gone the same write passes, so it is the guard that they have met.
func TestTheGuardsAreWhatRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		db := target.Raw(t) // on SQLite: without the authorizer
		ctx := context.Background()
		if target.Engine == "postgres" {
			run(t, db, "DROP TRIGGER guard_module_unlocks ON module_unlocks", "DROP TRIGGER guard_completed_at_on_update ON tripwire_users",
				"DROP TRIGGER guard_completed_at_on_insert ON tripwire_users", "DROP TRIGGER activity_is_append_only_on_delete ON activity")
		} else {
			run(t, db, "DROP TRIGGER guard_completed_at_on_insert", "DROP TRIGGER activity_is_append_only_on_delete")
		}
		for _, q := range []string{
			"UPDATE module_unlocks SET unlocked_at = '2001-01-01 00:00:00.000'", "UPDATE tripwire_users SET completed_at = granted_at",
			"INSERT INTO tripwire_users (user_id, course_id, email, completed_at) SELECT id, 1, email, created_at FROM users WHERE id = 'OUTSIDE'",
			"DELETE FROM activity", "DELETE FROM module_unlocks",
		} {
			if err := inTransaction(ctx, db, []string{people.Replace(q)}); err != nil {
				t.Errorf("%s: %v", q, err)
			}
		}
	})
}

// TestFirstStartWorksAsTheApplication: the connections from before the first
// migration do not keep the rights of the owner.
func TestFirstStartWorksAsTheApplication(t *testing.T) {
	t.Parallel()
	for _, address := range []string{storetest.EmptyPostgres(t), storetest.Postgres(t).Options.URL} {
		target := storetest.Target{Engine: "postgres", Options: store.Options{URL: address}}
		s := target.Open(t)
		ask := func(tx *store.Tx) error {
			role, err := tx.Text("SELECT current_user::text")
			if err == nil && role != "tripwire_app_tripwire" {
				t.Errorf("works as %s", role)
			}
			return err
		}
		read(t, s, ask)
		write(t, s, ask)
	}
}

// TestShadowTablesDoNotDeceiveTheTriggers: a temporary table with the name of one
// of ours is not what the triggers read or write.
func TestShadowTablesDoNotDeceiveTheTriggers(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	s := target.Open(t)
	attend(t, s)
	err := s.Statements(context.Background(),
		"CREATE TEMP TABLE module_unlocks AS SELECT * FROM module_unlocks WITH NO DATA",
		"CREATE TEMP TABLE unlock_rules AS SELECT * FROM unlock_rules WITH NO DATA",
		"GRANT ALL ON module_unlocks, unlock_rules TO PUBLIC",
		people.Replace("INSERT INTO tripwire_users (user_id, course_id, email) SELECT id, 1, email FROM users WHERE id = 'OUTSIDE'"))
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := target.Raw(t).QueryRow("SELECT count(*) FROM module_unlocks WHERE user_id = $1", string(outsideID)).Scan(&n); err != nil || n != 1 {
		t.Fatalf("%d unlocks, %v", n, err)
	}
}

// TestTheAddressReachesTheEnrolment: a change of the account's address arrives at
// the enrolment by the foreign key, past the authorizer.
func TestTheAddressReachesTheEnrolment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		attend(t, s)
		write(t, s, func(tx *store.Tx) error { return tx.UpdateUserName(studentID, "New Name", "new@example.com") })
		read(t, s, func(tx *store.Tx) error {
			email, err := tx.Text("SELECT email FROM tripwire_users WHERE user_id = $1", studentID)
			if email != "new@example.com" {
				t.Errorf("the enrolment says %s", email)
			}
			return err
		})
		for _, drift := range []string{
			"UPDATE tripwire_users SET email = 'p3@example.com' WHERE user_id = 'STUDENT'", // another's
			"UPDATE tripwire_users SET email = 'nobody@example.com' WHERE user_id = 'STUDENT'",
			"UPDATE tripwire_users SET email = NULL WHERE user_id = 'STUDENT'", // living, without an address
			"UPDATE users SET email = NULL WHERE id = 'STUDENT'",
		} {
			if s.Statements(context.Background(), people.Replace(drift)) == nil {
				t.Errorf("%s: not refused", drift)
			}
		}
	})
}
