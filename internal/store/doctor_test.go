package store_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// connect opens the database as it is.
func connect(t *testing.T, target storetest.Target) *store.Store {
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
	return s
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// drops answers, for every trigger in the database, the statement that drops it.
func drops(t *testing.T, target storetest.Target, db *sql.DB) map[string]string {
	t.Helper()
	query := "SELECT name, 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'"
	if target.Engine == "postgres" {
		query = "SELECT tgname, 'DROP TRIGGER ' || tgname || ' ON ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal"
	}
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name, drop string
		if err := rows.Scan(&name, &drop); err != nil {
			t.Fatal(err)
		}
		all[name] = drop
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryTriggerIsMissedNamedAndPutBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		ctx := context.Background()
		raw, s := target.Raw(t), connect(t, target)
		all := drops(t, target, raw)
		for _, name := range []string{
			"auto_unlock_first_module_on_user_creation", "complete_module_on_last_lesson", "auto_unlock_next_module",
			"complete_course_on_last_module", "unlock_granted_module", "auto_unlock_first_module_on_recheck",
			"activity_is_append_only_on_update", "activity_is_append_only_on_delete",
		} {
			if all[name] == "" {
				t.Errorf("there is no trigger %s", name)
			}
		}
		for name, drop := range all {
			run(t, raw, drop)
			_, err := store.Open(ctx, target.Options)
			var refused *store.TriggerError
			if !errors.As(err, &refused) || !slices.Equal(refused.Faults, []store.TriggerFault{{Name: name, Fault: "missing"}}) {
				t.Errorf("without %s: %v", name, err)
				continue
			}
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q does not name %s", err, name)
			}
			if err := s.RepairTriggers(ctx, refused.Faults, nil); err != nil {
				t.Fatal(err)
			}
			if err := s.CheckTriggers(ctx); err != nil {
				t.Errorf("after the repair: %v", err)
			}
		}
	})
}

func TestRepairOfTriggersStandsOrFallsWithItsNote(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		ctx := context.Background()
		raw, s := target.Raw(t), connect(t, target)
		const name = "unlock_granted_module"
		run(t, raw, drops(t, target, raw)[name])
		faults, err := s.TriggerFaults(ctx)
		if err != nil || len(faults) != 1 {
			t.Fatalf("%v, %v", faults, err)
		}
		broken := errors.New("broken")
		if err := s.RepairTriggers(ctx, faults, func(*store.Tx) error { return broken }); !errors.Is(err, broken) {
			t.Fatalf("repair: %v", err)
		}
		if faults, err := s.TriggerFaults(ctx); err != nil || len(faults) != 1 {
			t.Fatalf("put back without its note: %v, %v", faults, err)
		}
		if err := s.RepairTriggers(ctx, faults, func(tx *store.Tx) error {
			return tx.InsertActivity(school.System(), school.DoctorRepaired, "", nil)
		}); err != nil {
			t.Fatal(err)
		}
		var lines int
		if err := raw.QueryRowContext(ctx, "SELECT count(*) FROM activity WHERE action = 'doctor.repaired'").Scan(&lines); err != nil || lines != 1 {
			t.Fatalf("%d lines, %v", lines, err)
		}
	})
}

func TestCheckIntegrity(t *testing.T) {
	plants := map[string]map[string]struct {
		plant []string
		want  string
	}{
		"sqlite": {
			"a row that names a missing row": {[]string{
				"PRAGMA foreign_keys = 0",
				"INSERT INTO letters (user_id, kind, email, domain, queued_at, due_at) VALUES ('01900000-0000-7000-8000-000000000001', 'welcome', 'a@example.com', 'example.com', '2026-01-02 03:04:05.000', '2026-01-02 03:04:05.000')",
			}, "1 rows of letters name a row of users"},
			"a row that breaks a rule": {[]string{
				"PRAGMA ignore_check_constraints = 1",
				"UPDATE settings SET language = 'xx'",
			}, "CHECK constraint failed in settings"},
		},
		"postgres": {
			"foreign keys off": {[]string{"ALTER TABLE letters DISABLE TRIGGER ALL"}, "the foreign keys of letters are switched off"},
			"a constraint not validated": {[]string{
				"ALTER TABLE settings ADD CONSTRAINT settings_name_check CHECK (name <> 'Tripwire') NOT VALID",
			}, "settings_name_check of settings is not validated"},
			"an invalid index": {[]string{
				"UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'letters_user_id_idx'::regclass",
			}, "index letters_user_id_idx is not valid"},
		},
	}
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		check := func(t *testing.T, target storetest.Target) (wrong []string) {
			t.Helper()
			err := connect(t, target).Read(context.Background(), func(tx *store.Tx) (err error) {
				wrong, err = tx.CheckIntegrity()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return wrong
		}
		if wrong := check(t, target); len(wrong) != 0 {
			t.Errorf("a fresh database: %q", wrong)
		}
		for name, p := range plants[target.Engine] {
			t.Run(name, func(t *testing.T) {
				sick := storetest.SQLite
				if target.Engine == "postgres" {
					sick = storetest.Postgres
				}
				target := sick(t)
				raw := target.Raw(t)
				raw.SetMaxOpenConns(1) // the settings are the connection's
				run(t, raw, p.plant...)
				if wrong := check(t, target); len(wrong) == 0 || !strings.Contains(wrong[0], p.want) {
					t.Errorf("%q, want %q", wrong, p.want)
				}
			})
		}
	})
}
