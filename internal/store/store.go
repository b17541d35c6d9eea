// Package store keeps the rows. It is the only package that knows SQL, and it
// speaks one SQL to two engines: SQLite inside the process, PostgreSQL beside it.
package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"tripwire/internal/school"
)

// Options say where the rows live.
type Options struct {
	// File is the SQLite database; used when URL is empty.
	File string
	// URL is a PostgreSQL address, postgres://….
	URL string
	// Now is the clock; nil: the system's.
	Now func() time.Time
	// Log receives what a start wants to tell: migrations, the copy made before
	// them. nil: nothing is told.
	Log *slog.Logger
	// SingleCommits turns group commit off: one transaction, one fsync. Only the
	// benchmark wants it, to measure what grouping is worth.
	SingleCommits bool
	// Bulk gives SQLite the memory to write a great many rows at once.
	Bulk bool
	// BeforeStatement is called with each statement of a Write before it runs; an
	// error makes the statement fail with it. Tests inject faults here.
	BeforeStatement func(sql string) error
}

// Store is an open database with the schema of this binary.
type Store struct {
	engine   engine
	now      func() time.Time
	before   func(sql string) error
	watchers watchers
}

// engine is what SQLite and PostgreSQL do differently. It has two real
// implementations: sqlite and postgres.
type engine interface {
	// name is the folder of the engine's migrations.
	name() string
	read(ctx context.Context, fn func(querier) error) error
	// look runs fn, which asks a single question, without a transaction.
	look(ctx context.Context, fn func(querier) error) error
	// write runs fn in a transaction and commits it. fn may run more than once.
	write(ctx context.Context, fn func(querier) error) error
	// add is write for an fn that only inserts. Once the rows are safe, look asks
	// its questions of the connection that wrote them.
	add(ctx context.Context, fn, look func(querier) error) error
	// take is write for an fn that touches only rows it has locked, or claims by one
	// statement each: others may do the same beside it.
	take(ctx context.Context, fn func(querier) error) error
	// skipLocked ends a query of rows that are about to be claimed.
	skipLocked() string
	// lock waits until nobody else has a lock of this name, and has it until the end of
	// the transaction.
	lock(ctx context.Context, q querier, name string) error
	// timeArg is the form in which the engine takes a time.
	timeArg(t time.Time) any
	// constraint names the constraint or guard that refused a statement; empty
	// for any other error.
	constraint(err error) string
	// transient reports an error that the same call may not meet again.
	transient(err error) bool
	// maintain opens a connection that may change the schema, for migrations and
	// repairs, holding the lock that keeps others from doing the same.
	maintain(ctx context.Context, fn func(maintenance) error) error
	// triggers lists the triggers (and, on PostgreSQL, their functions) as the
	// database has them.
	triggers(ctx context.Context, q querier) ([]foundTrigger, error)
	// advanceIdentity makes the next id given by the database larger than every
	// id in the table.
	advanceIdentity(ctx context.Context, q querier, table string) error
	// merged is the query of the rows of all parts, in one order and to one limit, that
	// reads of each no more than is taken. Each part has an index of that order.
	merged(parts []string, orderOfPart, tail, limit string) string
	// matching bounds the query to the rows r of the roster that its search index
	// has for the words, which may be a few too many. It answers false, and bounds
	// nothing, where the index can tell nothing of them.
	matching(c *condition, words []string) bool
	// matches is matching for who only counts: it answers what to read of.
	matches(c *condition, words []string) (source string, known bool)
	// parameter is the n-th parameter, from 1, of a statement with a great many.
	parameter(n int) string
	// analyze is what has to be done once a great many rows have come at once.
	analyze(ctx context.Context, m maintenance) error
	// takeTime lifts the limit of a statement's time for the rest of the transaction.
	takeTime(ctx context.Context, q querier) error
	// stopCounting waits for every transaction that has counted anything in the
	// roll-ups, and keeps all others from counting until this one has ended. It comes
	// before anything else in a transaction, which then sees all that was counted.
	stopCounting(ctx context.Context, q querier) error
	// checkIntegrity lists what is physically or referentially wrong.
	checkIntegrity(ctx context.Context, q querier) ([]string, error)
	// tell lets other processes on the database know that lines were added to the
	// history. It waits for nobody; what it has begun close finishes.
	tell()
	// hear calls ring, from now until close, when another process may have told.
	hear(ring func())
	// overtaken is by how many larger ids the id of a line may be outrun: lines
	// become visible in the order of their commits, not of their ids.
	overtaken() int64
	close() error
}

// Open connects, migrates and checks that the automation is in place. Errors:
// ErrNewerSchema, *TriggerError, or what the engine says.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.Migrate(ctx, o.Log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.CheckTriggers(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Connect opens the database as it is, for those who mend it. Everybody else
// calls Open.
func Connect(ctx context.Context, o Options) (*Store, error) {
	s := &Store{now: o.Now, before: o.BeforeStatement}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if o.URL != "" {
		s.engine, err = openPostgres(ctx, o.URL)
	} else {
		s.engine, err = openSQLite(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close waits for what is being written and lets the database go.
func (s *Store) Close() error { return s.engine.close() }

// EngineName answers "sqlite" or "postgres".
func (s *Store) EngineName() string { return s.engine.name() }

// Now is the store's clock, in UTC, cut to what both engines keep.
func (s *Store) Now() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Read runs fn against one consistent view of the rows.
func (s *Store) Read(ctx context.Context, fn func(*Tx) error) error {
	return s.outcome(s.engine.read(ctx, func(q querier) error {
		return fn(&Tx{Now: s.Now(), ctx: ctx, q: q, engine: s.engine})
	}))
}

// Look is Read for an fn that asks a single question: one statement sees one
// consistent view by itself, and two round trips to PostgreSQL are saved.
func (s *Store) Look(ctx context.Context, fn func(*Tx) error) error {
	return s.outcome(s.engine.look(ctx, func(q querier) error {
		asked := false
		return fn(&Tx{Now: s.Now(), ctx: ctx, q: q, engine: s.engine, before: func(string) error {
			if asked {
				return errors.New("a second question needs a Read")
			}
			asked = true
			return nil
		}})
	}))
}

// Write runs fn in one transaction: all of its rows are kept, durably, or none.
// fn may run more than once, so it touches nothing but tx. Errors: a
// *school.Error from fn comes back as it is; a constraint that refuses becomes
// the *school.Error that it stands for; a database that stays busy becomes
// Unavailable.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	return s.commit(ctx, s.engine.write, s.before, fn)
}

// Add is Write for an fn that only inserts: what its rows must agree with,
// constraints judge. PostgreSQL then has no race to look for (docs/adr/0009).
// Once the rows are safe, look is asked what the triggers have made of them; when
// it fails, Add answers its error although the rows are there.
func (s *Store) Add(ctx context.Context, fn, look func(*Tx) error) error {
	onlyInserts := func(query string) error {
		if !strings.HasPrefix(query, "INSERT ") {
			return errors.New("what does more than insert needs a Write: " + query)
		}
		if s.before == nil {
			return nil
		}
		return s.before(query)
	}
	add := func(ctx context.Context, fn func(querier) error) error {
		return s.engine.add(ctx, fn, func(q querier) error {
			return look(&Tx{Now: s.Now(), ctx: context.WithoutCancel(ctx), q: q, engine: s.engine})
		})
	}
	return s.commit(ctx, add, onlyInserts, fn)
}

// Take is Write for an fn that claims rows, or changes rows that it has claimed: each
// of its statements says which, and changes nothing where another was faster. On
// PostgreSQL it then neither waits for others nor is run again for them.
func (s *Store) Take(ctx context.Context, fn func(*Tx) error) error {
	return s.commit(ctx, s.engine.take, s.before, fn)
}

type write func(context.Context, func(querier) error) error

func (s *Store) commit(ctx context.Context, write write, before func(string) error, fn func(*Tx) error) error {
	var after []func()
	var added bool
	err := write(ctx, func(q querier) error {
		// A statement interrupted midway would roll back the whole group, so a
		// caller who leaves no longer stops what has begun.
		tx := &Tx{Now: s.Now(), ctx: context.WithoutCancel(ctx), q: q, engine: s.engine, before: before}
		if err := fn(tx); err != nil {
			return err
		}
		after, added = tx.after, tx.added
		return nil
	})
	if added { // also when only the look at the rows failed
		s.announce()
	}
	if err != nil {
		return s.outcome(err)
	}
	for _, f := range after {
		f()
	}
	return nil
}

func (s *Store) outcome(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*school.Error](err); ok {
		return err
	}
	if known := constraintErrors[s.engine.constraint(err)]; known != nil {
		return known
	}
	if s.engine.transient(err) {
		return errors.Join(school.ErrUnavailable, err)
	}
	return err
}

// Ping answers nil when the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.Read(ctx, func(tx *Tx) error {
		_, err := one(tx, "SELECT 1", scanInt)
		return err
	})
}
