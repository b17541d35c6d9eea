package store

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	sqlitedriver "modernc.org/sqlite"

	"tripwire/internal/school"
)

// Statements runs statements as a Write does: on the store's own connection, in
// one transaction. It is the door that the program does not have.
func (s *Store) Statements(ctx context.Context, queries ...string) error {
	return s.engine.write(ctx, func(q querier) error { return runAll(ctx, q, queries) })
}

// ReaderStatements is Statements on a connection for reading.
func (s *Store) ReaderStatements(ctx context.Context, queries ...string) error {
	return s.engine.read(ctx, func(q querier) error { return runAll(ctx, q, queries) })
}

func runAll(ctx context.Context, q querier, queries []string) error {
	for _, query := range queries {
		if _, err := q.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// Exec runs any statement within a transaction.
func (tx *Tx) Exec(query string, args ...any) (int64, error) { return tx.exec(query, args...) }

// Time asks for one time; the zero time is NULL.
func (tx *Tx) Time(query string, args ...any) (time.Time, error) {
	return one(tx, query, func(r row) (t time.Time, err error) { return t, r.Scan(at(&t)) }, args...)
}

// Count asks for one number.
func (tx *Tx) Count(query string, args ...any) (int, error) { return one(tx, query, scanInt, args...) }

// Text asks for one text.
func (tx *Tx) Text(query string, args ...any) (string, error) {
	return one(tx, query, func(r row) (s string, err error) { return s, r.Scan(text(&s)) }, args...)
}

// HistoryQuery answers the query of a page of the history, with arguments for the
// driver.
func (s *Store) HistoryQuery(scope school.Scope, f school.ActivityFilter, after school.ActivityCursor, limit int) (string, []any) {
	query, args := historyQuery(scope, f, after, limit)
	return query, (&Tx{engine: s.engine}).args(args)
}

// RosterQuery answers the query of the keys of a list's first page, with arguments
// for the driver.
func (s *Store) RosterQuery(l Roster) (string, []any, error) {
	tx := &Tx{engine: s.engine, Now: s.Now()}
	o := orders[l.Filter.Sort.By]
	if l.Filter.Sort.By == "" {
		o = orders[school.SortAdded]
	}
	var c condition
	query, err := l.inner(tx, &c, part{managers: l.Managers}, o, true, c.arg(21))
	return query, tx.args(c.args), err
}

// Refusal names the constraint or guard that refused a statement.
func (s *Store) Refusal(err error) string { return s.engine.constraint(err) }

// Queued answers how many writers wait behind the one that is writing.
func (s *Store) Queued() int { return len(s.engine.(*sqlite).group.queue) }

// Readers answers how many connections for reading there can be.
func (s *Store) Readers() int {
	if e, ok := s.engine.(*sqlite); ok {
		return cap(e.pool)
	}
	return maxConns
}

// OnCommit has f called at each COMMIT of the SQLite writer; true turns the
// commit into a rollback, as a full disk would.
func (s *Store) OnCommit(t *testing.T, f func() (fail bool)) {
	t.Helper()
	w := s.engine.(*sqlite).group
	err := w.conn.conn.Raw(func(c any) error {
		h, ok := c.(sqlitedriver.HookRegisterer)
		if !ok {
			return errors.New("the driver has no hooks")
		}
		h.RegisterCommitHook(func() int32 {
			if f() {
				return 1
			}
			return 0
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Shipped answers the names of the triggers and functions that the migrations
// make.
func (s *Store) Shipped() ([]string, error) {
	shipped, err := s.shippedTriggers()
	var names []string
	for _, t := range shipped {
		names = append(names, t.name)
	}
	return names, err
}

// ErrClosed is what a caller of a closed store meets.
var ErrClosed = errClosed

// MaxGroup is the largest group of writers.
const MaxGroup = maxGroup

// Stats tells of the pool of connections to PostgreSQL.
func (s *Store) Stats() sql.DBStats { return s.engine.(*postgres).db.Stats() }
