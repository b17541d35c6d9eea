package store

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// TriggerFault is one trigger (or function of a trigger) that is not as shipped.
type TriggerFault struct {
	Name  string
	Fault string // "missing", "edited", "disabled" or "foreign": not one of ours
}

// Foreign reports a trigger that somebody else has put on our tables. It does not
// stop a start, and we do not take it away.
func (f TriggerFault) Foreign() bool { return f.Fault == "foreign" }

// TriggerError stops a start: without the automation as shipped, students would
// be created without a module to study.
type TriggerError struct{ Faults []TriggerFault }

func (e *TriggerError) Error() string {
	var parts []string
	for _, f := range e.Faults {
		parts = append(parts, fmt.Sprintf("trigger %s is %s", f.Name, f.Fault))
	}
	return strings.Join(parts, "; ") + "; run: tripwire doctor --fix"
}

// foundTrigger is a trigger as the database has it. Functions of PostgreSQL
// stand here too, with "()" behind the name.
type foundTrigger struct {
	name    string
	text    string
	enabled bool
}

// shippedTrigger is a trigger as the migrations make it.
type shippedTrigger struct {
	name   string
	create string // the whole statement
	text   string // what the database remembers of it, canonical
}

var (
	statementBlock = regexp.MustCompile(`(?s)-- \+goose StatementBegin\n(.*?)\n-- \+goose StatementEnd`)
	createTrigger  = regexp.MustCompile(`(?s)^CREATE TRIGGER (\w+)\s`)
	createFunction = regexp.MustCompile(`(?s)^CREATE (?:OR REPLACE )?FUNCTION (\w+\(\)) RETURNS trigger (.*) AS \$body\$(.*)\$body\$`)
)

var (
	shippedForSQLite   = sync.OnceValues(func() ([]shippedTrigger, error) { return readShipped("migrations/sqlite") })
	shippedForPostgres = sync.OnceValues(func() ([]shippedTrigger, error) { return readShipped("migrations/postgres") })
)

func (s *Store) shippedTriggers() ([]shippedTrigger, error) {
	if s.engine.name() == "sqlite" {
		return shippedForSQLite()
	}
	return shippedForPostgres()
}

// readShipped reads the migrations; the last one that makes a trigger wins.
// Functions come before the triggers that call them.
func readShipped(folder string) ([]shippedTrigger, error) {
	files, err := fs.Glob(migrations, folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	var order []string
	byName := map[string]shippedTrigger{}
	for _, file := range files {
		text, err := fs.ReadFile(migrations, file)
		if err != nil {
			return nil, err
		}
		for _, block := range statementBlock.FindAllStringSubmatch(string(text), -1) {
			t, ok := parseShipped(strings.TrimRight(block[1], ";"))
			if !ok {
				continue
			}
			if _, again := byName[t.name]; !again {
				order = append(order, t.name)
			}
			byName[t.name] = t
		}
	}
	shipped := make([]shippedTrigger, len(order))
	for i, name := range order {
		shipped[i] = byName[name]
	}
	return shipped, nil
}

func parseShipped(statement string) (shippedTrigger, bool) {
	if m := createFunction.FindStringSubmatch(statement); m != nil {
		return shippedTrigger{name: m[1], create: statement, text: canonical(m[2] + m[3])}, true
	}
	if m := createTrigger.FindStringSubmatch(statement); m != nil {
		return shippedTrigger{name: m[1], create: statement, text: canonical(statement)}, true
	}
	return shippedTrigger{}, false
}

// CheckTriggers compares every trigger of the database with the shipped one.
// Errors: *TriggerError.
func (s *Store) CheckTriggers(ctx context.Context) error {
	faults, err := s.TriggerFaults(ctx)
	if err != nil {
		return err
	}
	faults = slices.DeleteFunc(faults, TriggerFault.Foreign)
	if len(faults) > 0 {
		return &TriggerError{Faults: faults}
	}
	return nil
}

// TriggerFaults lists the triggers that are not as shipped, by name.
func (s *Store) TriggerFaults(ctx context.Context) ([]TriggerFault, error) {
	shipped, err := s.shippedTriggers()
	if err != nil {
		return nil, err
	}
	var found []foundTrigger
	err = s.engine.read(ctx, func(q querier) error {
		found, err = s.engine.triggers(ctx, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the triggers: %w", err)
	}
	return compareTriggers(shipped, found), nil
}

func compareTriggers(shipped []shippedTrigger, found []foundTrigger) []TriggerFault {
	have := map[string]foundTrigger{}
	for _, f := range found {
		have[f.name] = f
	}
	var faults []TriggerFault
	for _, want := range shipped {
		f, ok := have[want.name]
		delete(have, want.name)
		switch {
		case !ok:
			faults = append(faults, TriggerFault{want.name, "missing"})
		case canonical(f.text) != want.text:
			faults = append(faults, TriggerFault{want.name, "edited"})
		case !f.enabled:
			faults = append(faults, TriggerFault{want.name, "disabled"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if strings.HasSuffix(name, "()") { // a function that no trigger of ours calls
			continue
		}
		faults = append(faults, TriggerFault{name, "foreign"})
	}
	return faults
}

// schemaPrefix is what PostgreSQL puts before a table when it prints a trigger.
var schemaPrefix = regexp.MustCompile(` ON \w+\.(\w+) `)

// canonical leaves out what differs without meaning anything.
func canonical(text string) string {
	text = strings.Join(strings.Fields(strings.TrimRight(strings.TrimSpace(text), ";")), " ")
	return schemaPrefix.ReplaceAllString(text, " ON $1 ")
}

var triggerTable = regexp.MustCompile(`\sON (\w+)\s`)

// RepairTriggers puts the shipped text back for each fault. note writes the
// history of it in the same transaction; nil: none is written.
func (s *Store) RepairTriggers(ctx context.Context, faults []TriggerFault, note func(*Tx) error) error {
	shipped, err := s.shippedTriggers()
	if err != nil {
		return err
	}
	faulty := map[string]bool{}
	for _, f := range faults {
		faulty[f.Name] = true
	}
	return s.engine.maintain(ctx, func(m maintenance) error {
		tx, err := m.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // after Commit there is nothing to roll back
		for _, t := range shipped {
			if !faulty[t.name] {
				continue
			}
			for _, statement := range t.repair() {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("put %s back: %w", t.name, err)
				}
			}
		}
		if note != nil {
			if err := note(&Tx{Now: s.Now(), ctx: ctx, q: tx, engine: s.engine}); err != nil {
				return fmt.Errorf("note the repair: %w", err)
			}
		}
		return tx.Commit()
	})
}

// repair answers the statements that put the trigger back as shipped.
func (t shippedTrigger) repair() []string {
	if strings.HasSuffix(t.name, "()") {
		return []string{strings.Replace(t.create, "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)}
	}
	drop := "DROP TRIGGER IF EXISTS " + t.name
	if strings.Contains(t.create, "EXECUTE FUNCTION") { // PostgreSQL names triggers within a table
		drop += " ON " + triggerTable.FindStringSubmatch(t.create)[1]
	}
	return []string{drop, t.create}
}
