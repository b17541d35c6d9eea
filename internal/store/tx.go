package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"time"

	"tripwire/internal/school"
)

// querier is what a transaction of either engine can do.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Tx is one transaction. Its methods, one file per noun, are all the questions
// that can be asked of the rows.
type Tx struct {
	// Now is the time of the transaction; every row it writes carries it.
	Now    time.Time
	ctx    context.Context
	q      querier
	engine engine
	before func(sql string) error
	after  []func()
	added  bool // lines to the history or letters to the outbox, of which watchers are told after the commit
	// recounts: nobody else counts until the end; see BeginRecount.
	recounts bool
}

// AfterCommit runs f once the rows are safe. What f does may be lost without
// harm: the process can die between the two.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// exec runs a statement and answers how many rows it touched.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if err := tx.gate(query); err != nil {
		return 0, err
	}
	res, err := tx.q.ExecContext(tx.ctx, query, tx.args(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// later runs a statement whose outcome nobody looks at before the end of the
// transaction. On PostgreSQL it travels with the next one that somebody waits
// for, and so does its error.
func (tx *Tx) later(query string, args ...any) error {
	p, ok := tx.q.(*pipeline)
	if !ok {
		_, err := tx.exec(query, args...)
		return err
	}
	if err := tx.gate(query); err != nil { // as if it failed there: what came before has run
		return errors.Join(err, p.flush(tx.ctx))
	}
	p.queue(query, tx.args(args)...)
	return nil
}

func (tx *Tx) gate(query string) error {
	if tx.before == nil {
		return nil
	}
	return tx.before(query)
}

// args turns Go's types into those both drivers agree on: zero times and empty
// ids are NULL, named strings are strings.
func (tx *Tx) args(in []any) []any {
	out := make([]any, len(in))
	for i, a := range in {
		switch v := a.(type) {
		case time.Time:
			if !v.IsZero() {
				out[i] = tx.engine.timeArg(v.UTC())
			}
		case school.UserID:
			if v != "" {
				out[i] = string(v)
			}
		case school.ModuleID:
			if v != 0 {
				out[i] = int64(v)
			}
		case string, []byte, bool, int64, nil:
			out[i] = v
		default:
			out[i] = plain(v)
		}
	}
	return out
}

func plain(v any) any {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return r.String()
	case reflect.Int, reflect.Int64:
		return r.Int()
	default:
		return v
	}
}

// row is what a scan function reads from.
type row interface{ Scan(dest ...any) error }

// list answers every row of the query.
func list[T any](tx *Tx, query string, scan func(row) (T, error), args ...any) ([]T, error) {
	if err := tx.gate(query); err != nil {
		return nil, err
	}
	rows, err := tx.q.QueryContext(tx.ctx, query, tx.args(args)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// one answers the first row of the query. Errors: NotFound when there is none.
func one[T any](tx *Tx, query string, scan func(row) (T, error), args ...any) (T, error) {
	all, err := list(tx, query, scan, args...)
	if err == nil && len(all) == 0 {
		err = school.ErrNotFound
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return all[0], nil
}

// touched turns "no row was changed" into NotFound.
func touched(n int64, err error) error {
	if err == nil && n == 0 {
		return school.ErrNotFound
	}
	return err
}

func scanInt64(r row) (n int64, err error) { return n, r.Scan(&n) }

func scanInt(r row) (n int, err error) { return n, r.Scan(&n) }

func scanText(r row) (s string, err error) { return s, r.Scan(&s) }

// timeLayout is how SQLite keeps a time: UTC, fixed width, so that text order
// is time order and the functions of SQLite understand it.
const timeLayout = "2006-01-02 15:04:05.000"

// at scans a time that may be NULL; NULL is the zero time.
func at(dest *time.Time) sql.Scanner { return timeScanner{dest} }

type timeScanner struct{ dest *time.Time }

func (s timeScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.dest = time.Time{}
		return nil
	case time.Time:
		*s.dest = v.UTC()
		return nil
	case string:
		t, err := time.Parse("2006-01-02 15:04:05.999999999", v)
		*s.dest = t
		return err
	default:
		return fmt.Errorf("a time was expected, not %T", src)
	}
}

// text scans a string that may be NULL; NULL is the empty string.
func text[T ~string](dest *T) sql.Scanner { return textScanner[T]{dest} }

type textScanner[T ~string] struct{ dest *T }

func (s textScanner[T]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.dest = ""
	case string:
		*s.dest = T(v)
	case []byte:
		*s.dest = T(v)
	default:
		return fmt.Errorf("text was expected, not %T", src)
	}
	return nil
}

// integer scans a number that may be NULL; NULL is 0.
func integer[T ~int | ~int64](dest *T) sql.Scanner { return intScanner[T]{dest} }

type intScanner[T ~int | ~int64] struct{ dest *T }

func (s intScanner[T]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.dest = 0
	case int64:
		*s.dest = T(v)
	default:
		return fmt.Errorf("a number was expected, not %T", src)
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, school.ErrNotFound) }
