package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	sqlitedriver "modernc.org/sqlite"
)

// sqliteConnector opens connections that carry our authorizer from their first
// statement on. Without one they may change the schema.
type sqliteConnector struct {
	dsn       string
	authorize sqlitedriver.AuthorizerFn
}

func (c sqliteConnector) Driver() driver.Driver { return &sqlitedriver.Driver{} }

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	d := &sqlitedriver.Driver{}
	if c.authorize != nil {
		d.RegisterConnectionHook(func(conn sqlitedriver.ExecQuerierContext, _ string) error {
			registerer, ok := conn.(sqlitedriver.AuthorizerRegisterer)
			if !ok {
				return errors.New("the SQLite driver has no authorizer; the single writer cannot be kept")
			}
			return registerer.RegisterAuthorizer(c.authorize)
		})
	}
	return d.Open(c.dsn)
}

// compiledConn is one connection that compiles each statement once: on SQLite
// compiling costs more than running. The texts are constants of this package,
// so there are never many.
type compiledConn struct {
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	failed bool // some statement has failed; whoever asks resets it
}

func (c *compiledConn) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if c.stmts == nil {
		c.stmts = map[string]*sql.Stmt{}
	}
	c.stmts[query] = s
	return s, nil
}

func (c *compiledConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.stmt(ctx, query)
	if err != nil {
		return nil, c.note(err)
	}
	result, err := s.ExecContext(ctx, args...)
	return result, c.note(err)
}

func (c *compiledConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.stmt(ctx, query)
	if err != nil {
		return nil, c.note(err)
	}
	rows, err := s.QueryContext(ctx, args...)
	return rows, c.note(err)
}

func (c *compiledConn) note(err error) error {
	c.failed = c.failed || err != nil
	return err
}

// run executes a statement that takes and answers nothing: BEGIN, SAVEPOINT, …
func (c *compiledConn) run(ctx context.Context, query string) error {
	if _, err := c.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

func (c *compiledConn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}
