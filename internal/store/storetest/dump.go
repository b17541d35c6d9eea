package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Dump answers every row of every table as text, by table, so that two states
// can be compared and a secret can be looked for. The search index is left out: it
// says the same in other words each time.
func (target Target) Dump(t testing.TB) map[string][]string {
	t.Helper()
	db := target.Raw(t)
	defer func() { _ = db.Close() }()
	all := map[string][]string{}
	tables := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'roster!_search%' ESCAPE '!'"
	if target.Engine == "postgres" {
		tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
	}
	for _, name := range query(t, db, tables) {
		all[name[0]] = nil
		for _, row := range query(t, db, "SELECT * FROM "+name[0]) {
			all[name[0]] = append(all[name[0]], strings.Join(row, "|"))
		}
		slices.Sort(all[name[0]])
	}
	if len(all) == 0 {
		t.Fatal("there are no tables to dump")
	}
	return all
}

// DumpWithoutRefusals is Dump but for the lines of the history about refused
// attempts: those are all that an attempt may leave behind.
func (target Target) DumpWithoutRefusals(t testing.TB) map[string][]string {
	t.Helper()
	all := target.Dump(t)
	all["activity"] = slices.DeleteFunc(all["activity"], func(row string) bool {
		return strings.Contains(row, "|refused.") || strings.Contains(row, "|login.locked|")
	})
	return all
}

func query(t testing.TB, db *sql.DB, statement string) (all [][]string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(columns))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			texts[i] = fmt.Sprint(v)
		}
		all = append(all, texts)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
