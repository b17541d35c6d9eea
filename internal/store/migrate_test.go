package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// eachEmpty runs fn on a database without any tables, once for each engine.
func eachEmpty(t *testing.T, fn func(t *testing.T, target storetest.Target)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, storetest.Target{Engine: "sqlite", Options: store.Options{File: filepath.Join(t.TempDir(), "data", "tripwire.db")}})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, storetest.Target{Engine: "postgres", Options: store.Options{URL: storetest.EmptyPostgres(t)}})
	})
}

func copies(t *testing.T, target storetest.Target) []string {
	t.Helper()
	found, err := filepath.Glob(target.Options.File + ".before-*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEveryOpenFindsTheSchemaOfThisBinary: the first one makes it, the later ones
// change nothing, and nobody else may read the file.
func TestEveryOpenFindsTheSchemaOfThisBinary(t *testing.T) {
	eachEmpty(t, func(t *testing.T, target storetest.Target) {
		ctx := context.Background()
		s := connect(t, target)
		if have, want, err := s.SchemaVersions(ctx); err != nil || have != 0 || want < 3 {
			t.Fatalf("empty: %d of %d, %v", have, want, err)
		}
		if err := insert(s, 1); err == nil {
			t.Error("an account without tables")
		}
		var first map[string][]string
		for range 3 {
			s := target.Open(t)
			if have, want, err := s.SchemaVersions(ctx); err != nil || have != want {
				t.Fatalf("%d of %d, %v", have, want, err)
			}
			now := target.Dump(t)
			if first == nil {
				first = now
			}
			if diff := cmp.Diff(first, now); diff != "" {
				t.Fatalf("opened again:\n%s", diff)
			}
		}
		if target.Engine == "postgres" {
			return
		}
		if found := copies(t, target); len(found) != 0 {
			t.Errorf("nothing was to be lost, but there are copies: %v", found)
		}
		files, _ := filepath.Glob(target.Options.File + "*")
		for _, f := range append(files, filepath.Dir(target.Options.File)) {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(f, ".lock") {
				t.Errorf("%s: %v, %v", f, info.Mode(), err)
			}
		}
	})
}

// TestManyFirstStartsAtOnce: one migrates, the others wait, nobody fails.
func TestManyFirstStartsAtOnce(t *testing.T) {
	eachEmpty(t, func(t *testing.T, target storetest.Target) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				s, err := store.Open(context.Background(), target.Options)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		versions := target.Dump(t)["goose_db_version"]
		_, want, err := connect(t, target).SchemaVersions(context.Background())
		if err != nil || int64(len(versions)) != want+1 { // goose begins with a row of its own
			t.Errorf("%d migrations were noted: %q, %v", len(versions), versions, err)
		}
	})
}

// TestANewerDatabaseIsLeftAlone by a binary that does not know it.
func TestANewerDatabaseIsLeftAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		run(t, target.Raw(t), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)")
		before := target.Dump(t)
		s, err := store.Open(context.Background(), target.Options)
		if !errors.Is(err, store.ErrNewerSchema) || s != nil {
			t.Fatalf("opened: %v", err)
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("changed:\n%s", diff)
		}
	})
}

// rollBack takes the migrations from the third on, the automation, out of a
// database again.
func rollBack(t *testing.T, target storetest.Target, db *sql.DB, keep string) {
	t.Helper()
	for name, drop := range drops(t, target, db) {
		if name != keep {
			run(t, db, drop)
		}
	}
	lettersOfOld(t, target, db)
	run(t, db, "DROP INDEX access_links_user_id_purpose_key", "DROP INDEX users_last_visit_idx")
	for _, table := range []string{
		"letter_contents", "letter_texts", "mail_settings", "secret_key", "saved_views", "recounts", "completion_counts", "step_counts", "student_counts", "sale_counts", "roster", "money_events", "zone_offsets",
		"celebrations", "homework_files", "submissions", "homework_drafts", "lesson_plays", "completion_rules",
		"lesson_materials", "lesson_captions", "lesson_videos", "files",
	} {
		run(t, db, "DROP TABLE "+table)
	}
	for _, column := range []string{"lessons DROP COLUMN body", "lessons DROP COLUMN homework", "tripwire_users DROP COLUMN test_at",
		"users DROP COLUMN last_visit_at", "access_links DROP COLUMN nonce", "access_links DROP COLUMN purpose", "access_links DROP COLUMN new_email"} {
		run(t, db, "ALTER TABLE "+column)
	}
	if target.Engine == "sqlite" {
		run(t, db, "DROP TABLE roster_search")
	} else {
		run(t, db, "DROP EXTENSION pg_trgm")
		run(t, db, `DO $$ DECLARE f regprocedure; BEGIN
			FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP EXECUTE 'DROP FUNCTION ' || f || ' CASCADE'; END LOOP;
		END $$`)
		if keep != "" { // a leftover that the migration stumbles over at its end
			run(t, db, "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'")
		}
	}
	for _, index := range []string{
		"once_key", "at_idx", "subject_id_at_idx", "owner_id_at_idx", "actor_id_at_idx", "action_at_idx", "owner_id_action_at_idx", "actor_id_action_at_idx",
		"students_at_idx", "students_owner_id_at_idx", "system_at_idx", "system_owner_id_at_idx",
	} {
		run(t, db, "DROP INDEX activity_"+index)
	}
	run(t, db, "ALTER TABLE activity DROP COLUMN once",
		"CREATE INDEX activity_subject_id_idx ON activity (subject_id, id)", "CREATE INDEX activity_owner_id_idx ON activity (owner_id, id)",
		"DELETE FROM goose_db_version WHERE version_id >= 3")
}

// lettersOfOld makes the outbox what it was before letters left.
func lettersOfOld(t *testing.T, target storetest.Target, db *sql.DB) {
	t.Helper()
	id, user, moment := "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "TEXT", "TIMESTAMP"
	if target.Engine == "postgres" {
		id, user, moment = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "UUID", "TIMESTAMPTZ"
	}
	run(t, db, "DROP TABLE letter_contents", "CREATE TABLE letter_contents (letter_id INTEGER)", // which names letters no more
		"CREATE TABLE kept AS SELECT id, user_id, kind, queued_at, sent_at FROM letters", "DROP TABLE letters",
		"CREATE TABLE letters (id "+id+", user_id "+user+" NOT NULL REFERENCES users (id), kind TEXT NOT NULL CONSTRAINT letters_kind_check CHECK (kind IN ('welcome')), queued_at "+moment+" NOT NULL, sent_at "+moment+")",
		"CREATE INDEX letters_user_id_idx ON letters (user_id)",
		"INSERT INTO letters (id, user_id, kind, queued_at, sent_at) SELECT id, user_id, kind, queued_at, sent_at FROM kept", "DROP TABLE kept")
	if target.Engine == "postgres" {
		run(t, db, "SELECT setval(pg_get_serial_sequence('letters', 'id'), greatest(max(id), 1)) FROM letters")
	}
}

var fixed = time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)

func fixedClock(o *store.Options) { o.Now = func() time.Time { return fixed } }

// TestRowsAreCopiedBeforeTheyAreMigrated: the copy is whole, private, and named in
// the log.
func TestRowsAreCopiedBeforeTheyAreMigrated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		old := target.Open(t)
		attend(t, old)
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		before := target.Dump(t)
		rollBack(t, target, target.Raw(t), "")
		rolledBack := target.Dump(t)
		var log bytes.Buffer
		s := target.Open(t, fixedClock, func(o *store.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		have, want, err := s.SchemaVersions(context.Background())
		if err != nil || have != want {
			t.Fatalf("%d of %d, %v", have, want, err)
		}
		after := target.Dump(t)
		for _, rows := range []map[string][]string{before, after} {
			delete(rows, "goose_db_version") // they carry the time
			delete(rows, "recounts")
			for name := range rows { // in other shards; see below
				if strings.HasSuffix(name, "_counts") {
					delete(rows, name)
				}
			}
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the migration changed rows:\n%s", diff)
		}
		read(t, s, func(tx *store.Tx) error {
			wrong, err := tx.CheckRollUps(time.UTC)
			misfits, _, errMisfits := tx.ListMisfits(store.Misfit{}, 10)
			if len(wrong)+len(misfits) > 0 {
				t.Errorf("after the migration: %q, %+v", wrong, misfits)
			}
			return errors.Join(err, errMisfits)
		})
		if !strings.Contains(log.String(), fmt.Sprintf("from=2 to=%d ", want)) {
			t.Errorf("the log says %s", &log)
		}
		if target.Engine == "postgres" {
			return
		}
		name := fmt.Sprintf("%s.before-%d-20260301T123000", target.Options.File, want)
		if found := copies(t, target); !slices.Equal(found, []string{name}) || !strings.Contains(log.String(), name) {
			t.Fatalf("copies %v; the log says %s", found, &log)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		copied := storetest.Target{Engine: "sqlite", Options: store.Options{File: name}}
		if diff := cmp.Diff(rolledBack, copied.Dump(t)); diff != "" {
			t.Errorf("the copy differs:\n%s", diff)
		}
		restored := copied.Open(t) // it is migrated like any other, after a copy of its own
		if err := restored.CheckTriggers(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestAMigrationThatFailsChangesNothing, and the next start says the same.
func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		old := target.Open(t)
		attend(t, old)
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		db := target.Raw(t)
		rollBack(t, target, db, "activity_is_append_only_on_delete") // the last thing that the migration makes
		before, had := target.Dump(t), drops(t, target, db)
		s, err := store.Open(context.Background(), target.Options)
		if err == nil || s != nil || !strings.Contains(err.Error(), "migrate") {
			t.Fatalf("opened: %v", err)
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("rows changed:\n%s", diff)
		}
		if diff := cmp.Diff(had, drops(t, target, db)); diff != "" {
			t.Errorf("triggers changed:\n%s", diff)
		}
	})
}

// TestShippedTriggersAreThoseOfTheDatabase: what is read out of the migrations and
// what the database reports is the same set, with the same text.
func TestShippedTriggersAreThoseOfTheDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		shipped, err := s.Shipped()
		if err != nil {
			t.Fatal(err)
		}
		found := triggerNames(t, target)
		if target.Engine == "postgres" {
			for _, f := range column(t, target.Raw(t), `SELECT proname FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace
				AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`) {
				found = append(found, f+"()")
			}
		}
		slices.Sort(found)
		slices.Sort(shipped)
		if diff := cmp.Diff(shipped, found); diff != "" {
			t.Error(diff)
		}
		if faults, err := s.TriggerFaults(context.Background()); err != nil || len(faults) != 0 {
			t.Errorf("%v, %v", faults, err)
		}
	})
}

func triggerNames(t *testing.T, target storetest.Target) []string {
	t.Helper()
	var names []string
	for name := range drops(t, target, target.Raw(t)) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func column(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// catalogue is what each engine says about its schema, in the same words.
var catalogue = map[string]struct{ sqlite, postgres string }{
	"columns": {
		`SELECT m.name || '.' || c.name || CASE WHEN c."notnull" THEN ' not null' ELSE '' END || CASE WHEN c.dflt_value IS NOT NULL THEN ' default' ELSE '' END
			FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'roster_search%' AND m.name <> 'goose_db_version'`,
		`SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || CASE WHEN column_default IS NOT NULL THEN ' default' ELSE '' END
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'`,
	},
	"keys": {
		`SELECT m.name || ' ' || group_concat(c.name, ',' ORDER BY c.pk)
			FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.pk > 0 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'roster_search%' AND m.name <> 'goose_db_version' GROUP BY m.name`,
		`SELECT conrelid::regclass || ' ' || (SELECT string_agg(a.attname, ',' ORDER BY k.i) FROM unnest(conkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.n)
			FROM pg_constraint WHERE contype = 'p' AND connamespace = current_schema()::regnamespace AND conrelid <> 'goose_db_version'::regclass`,
	},
	"indexes": {
		`SELECT m.name || ' on ' || m.tbl_name || ' ' || group_concat(c.name, ',' ORDER BY c.seqno)
				|| CASE WHEN l."unique" THEN ' unique' ELSE '' END || CASE WHEN l.partial THEN ' partial' ELSE '' END
			FROM sqlite_master m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name JOIN pragma_index_info(m.name) c
			WHERE m.type = 'index' AND m.sql IS NOT NULL GROUP BY m.name`,
		`SELECT i.indexrelid::regclass || ' on ' || i.indrelid::regclass || ' ' || (SELECT string_agg(a.attname, ',' ORDER BY k.i) FROM unnest(i.indkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n)
				|| CASE WHEN i.indisunique THEN ' unique' ELSE '' END || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END
			FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT i.indisprimary`,
	},
	"references": {
		`SELECT m.name || ' ' || group_concat(f."from", ',' ORDER BY f.seq) || ' to ' || f."table" || ' ' || group_concat(f."to", ',' ORDER BY f.seq) || ' ' || lower(f.on_update) || ' ' || lower(f.on_delete)
			FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' GROUP BY m.name, f.id`,
		`SELECT conrelid::regclass || ' ' || (SELECT string_agg(a.attname, ',' ORDER BY k.i) FROM unnest(conkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.n)
				|| ' to ' || confrelid::regclass || ' ' || (SELECT string_agg(a.attname, ',' ORDER BY k.i) FROM unnest(confkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.n)
				|| CASE confupdtype WHEN 'c' THEN ' cascade' ELSE ' no action' END || CASE confdeltype WHEN 'c' THEN ' cascade' ELSE ' no action' END
			FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`,
	},
}

// allowed are the only differences between the two schemas.
var allowed = map[string]struct{ sqlite, postgres []string }{
	// SQLite has a table for it.
	"indexes": {postgres: []string{"roster_search on roster search_text"}},
	// PostgreSQL has a type for this.
	"checks": {sqlite: []string{"users_id_check"}},
	// On SQLite the authorizer does what these do, and there is no TRUNCATE; on
	// PostgreSQL there is no REPLACE.
	"triggers": {sqlite: []string{"money_events_are_append_only_on_replace"}, postgres: []string{
		"activity_is_append_only_on_truncate", "money_events_are_append_only_on_truncate", "guard_completed_at_on_update", "guard_module_completions",
		"guard_module_completions_truncate", "guard_module_unlocks", "guard_module_unlocks_truncate",
	}},
}

var namedCheck = regexp.MustCompile(`CONSTRAINT (\w+) CHECK`)

// TestBothEnginesHaveTheSameSchema: tables, columns, keys, indexes, references,
// checks and triggers have the same names and say the same.
func TestBothEnginesHaveTheSameSchema(t *testing.T) {
	t.Parallel()
	lite, post := storetest.SQLite(t), storetest.Postgres(t)
	liteDB, postDB := lite.Raw(t), post.Raw(t)
	have := map[string][2][]string{"triggers": {triggerNames(t, lite), triggerNames(t, post)}}
	for what, query := range catalogue {
		have[what] = [2][]string{column(t, liteDB, query.sqlite), column(t, postDB, query.postgres)}
	}
	var checks []string
	for _, m := range namedCheck.FindAllStringSubmatch(strings.Join(column(t, liteDB, "SELECT sql FROM sqlite_master WHERE type = 'table'"), "\n"), -1) {
		checks = append(checks, m[1])
	}
	slices.Sort(checks)
	have["checks"] = [2][]string{checks, column(t, postDB, "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = current_schema()::regnamespace")}
	for what, both := range have {
		if len(both[0]) < 5 {
			t.Errorf("%s: found only %q", what, both[0])
		}
		want := [2][]string{
			slices.Sorted(slices.Values(append(slices.Clone(both[0]), allowed[what].postgres...))),
			slices.Sorted(slices.Values(append(slices.Clone(both[1]), allowed[what].sqlite...))),
		}
		if diff := cmp.Diff(want[0], want[1]); diff != "" {
			t.Errorf("%s of SQLite and PostgreSQL (+):\n%s", what, diff)
		}
	}
	postRows := post.Dump(t)
	for table, rows := range lite.Dump(t) { // what the migrations put in
		for i, row := range postRows[table] {
			postRows[table][i] = strings.NewReplacer("|true|", "|1|", "|false|", "|0|").Replace(row)
		}
		if diff := cmp.Diff(rows, postRows[table]); diff != "" && table != "goose_db_version" && table != "recounts" {
			t.Errorf("rows of %s on SQLite and PostgreSQL (+):\n%s", table, diff)
		}
	}
}
