package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipeline is a transaction on PostgreSQL that sends statements nobody waits for
// together with the next one that somebody does: a creation is three round trips
// in place of ten. BEGIN is the first such statement, COMMIT the last.
type pipeline struct {
	conn  *sql.Conn
	batch *pgx.Batch
	last  string // the command tag of the last statement sent
}

func beginPipeline(conn *sql.Conn, begin string) *pipeline {
	p := &pipeline{conn: conn, batch: &pgx.Batch{}}
	p.batch.Queue(begin)
	return p
}

// queue leaves a statement for the next round trip. Its error is that of
// whatever sends it.
func (p *pipeline) queue(query string, args ...any) { p.batch.Queue(query, args...) }

// flush sends what is queued and waits for all of it.
func (p *pipeline) flush(ctx context.Context) error {
	if p.batch.Len() == 0 {
		return nil
	}
	batch := p.batch
	p.batch = &pgx.Batch{}
	return p.conn.Raw(func(c any) error {
		native, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of pgx was expected, not %T", c)
		}
		results := native.Conn().SendBatch(ctx, batch)
		for range batch.Len() {
			tag, err := results.Exec()
			if err != nil {
				return errors.Join(err, ignoreRepeated(err, results.Close()))
			}
			p.last = tag.String()
		}
		return results.Close()
	})
}

// ignoreRepeated drops what Close says when it is what was said before.
func ignoreRepeated(said, closing error) error {
	if closing != nil && closing.Error() == said.Error() {
		return nil
	}
	return closing
}

func (p *pipeline) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.conn.ExecContext(ctx, query, args...)
}

func (p *pipeline) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.conn.QueryContext(ctx, query, args...)
}

// errNotCommitted: PostgreSQL answers the COMMIT of a failed transaction with
// ROLLBACK and no error.
var errNotCommitted = errors.New("the transaction had failed and was rolled back")

// commit sends what is left and makes it durable.
func (p *pipeline) commit(ctx context.Context) error {
	p.queue("COMMIT")
	if err := p.flush(ctx); err != nil {
		return err
	}
	if p.last != "COMMIT" {
		return errNotCommitted
	}
	return nil
}

// abandon ends a transaction that is not wanted; a connection that cannot even
// do that is thrown away.
func (p *pipeline) abandon(ctx context.Context) {
	p.batch = &pgx.Batch{}
	if _, err := p.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = p.conn.Raw(func(any) error { return driver.ErrBadConn }) // tells the pool
	}
}
