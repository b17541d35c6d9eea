package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"

	_ "github.com/jackc/pgx/v5/stdlib" // the bare driver, under the name pgx
	_ "modernc.org/sqlite"             // the bare driver, under the name sqlite

	"tripwire/internal/store"
)

const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

var engines = []string{sqlite, postgres}

// database is one database of its own, for one point.
type database struct {
	engine string
	store.Options
	drop func() error
}

var databases atomic.Int64

// newDatabase makes an empty one. A SQLite file is gone with the folder of the
// run.
func (b *bench) newDatabase(ctx context.Context, engine string) (database, error) {
	n := databases.Add(1)
	if engine == sqlite {
		file := filepath.Join(b.dir, fmt.Sprint(n), "tripwire.db")
		return database{engine: engine, Options: store.Options{File: file}, drop: func() error { return nil }}, nil
	}
	name := fmt.Sprintf("tripwire_bench_%d", n)
	if err := b.administer(ctx, "CREATE DATABASE "+name); err != nil {
		return database{}, err
	}
	u, err := url.Parse(b.superuser)
	if err != nil {
		return database{}, err
	}
	u.Path = "/" + name
	return database{engine: engine, Options: store.Options{URL: u.String()}, drop: func() error {
		return b.administer(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
	}}, nil
}

func (b *bench) administer(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", b.superuser)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}

// raw opens the database through the driver alone, as durable as the store
// does.
func (d database) raw() (*sql.DB, error) {
	if d.engine == postgres {
		return sql.Open("pgx", d.URL)
	}
	return sql.Open("sqlite", "file:"+d.File+"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_busy_timeout=10000")
}

// begin is how the engine begins a transaction that writes.
func (d database) begin() string {
	if d.engine == sqlite {
		return "BEGIN IMMEDIATE"
	}
	return "BEGIN"
}
