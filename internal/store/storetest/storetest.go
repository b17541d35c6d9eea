// Package storetest runs the same test on every engine, each time on a fresh
// database with the schema of this binary. Nothing is skipped: without a
// PostgreSQL to talk to, the tests fail and say how to get one.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the plain driver, for Raw

	"tripwire/internal/store"
)

// PostgresVariable names the environment variable with the address of a
// superuser on a throw-away PostgreSQL cluster; `make test` starts one.
const PostgresVariable = "TRIPWIRE_TEST_POSTGRES"

// Target is one fresh, migrated database.
type Target struct {
	Engine  string
	Options store.Options
	// Folder is the data folder: of the key and of what people send, on either engine.
	Folder string
}

// Each runs fn once for each engine, in parallel.
func Each(t *testing.T, fn func(t *testing.T, target Target)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, Postgres(t))
	})
}

// Another answers a fresh database on the same engine.
func (target Target) Another(t testing.TB) Target {
	t.Helper()
	if target.Engine == "sqlite" {
		return SQLite(t)
	}
	return Postgres(t)
}

// Open opens the target with changes to its options and closes it at the end.
func (target Target) Open(t testing.TB, change ...func(*store.Options)) *store.Store {
	t.Helper()
	o := target.Options
	for _, c := range change {
		c(&o)
	}
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open %s: %v", target.Engine, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close %s: %v", target.Engine, err)
		}
	})
	return s
}

// Raw is the database as somebody with a tool of their own sees it: no
// authorizer, and the owner's rights.
func (target Target) Raw(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "sqlite", "file:"+target.Options.File+"?_foreign_keys=1&_busy_timeout=10000"
	if target.Options.URL != "" {
		driver, source = "pgx", target.Options.URL
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tripwire-template")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "tripwire.db")
	s, err := store.Open(context.Background(), store.Options{File: file})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// SQLite answers a migrated database file.
func SQLite(t testing.TB) Target {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("migrate SQLite: %v", err)
	}
	file := filepath.Join(t.TempDir(), "tripwire.db")
	if err := os.WriteFile(file, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return Target{Engine: "sqlite", Options: store.Options{File: file}, Folder: filepath.Dir(file)}
}

var (
	databases        atomic.Int64
	postgresTemplate = sync.OnceValues(func() (string, error) {
		name := fmt.Sprintf("tripwire_template_%d", os.Getpid())
		if err := createDatabase(name, "template0"); err != nil {
			return "", err
		}
		address, err := postgresURL(name)
		if err != nil {
			return "", err
		}
		s, err := store.Open(context.Background(), store.Options{URL: address})
		if err != nil {
			return "", err
		}
		return name, s.Close()
	})
)

// Postgres answers a migrated database of its own.
func Postgres(t testing.TB) Target {
	t.Helper()
	template, err := postgresTemplate()
	if err != nil {
		t.Fatalf("prepare PostgreSQL: %v", err)
	}
	return Target{Engine: "postgres", Options: store.Options{URL: freshDatabase(t, template)}, Folder: t.TempDir()}
}

// EmptyPostgres answers the address of a database without any tables.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return freshDatabase(t, "template0")
}

func freshDatabase(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("tripwire_%d_%d", os.Getpid(), databases.Add(1))
	if err := createDatabase(name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := administer("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	address, err := postgresURL(name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// creating is a lock: PostgreSQL refuses to copy a template that is in use.
var creating sync.Mutex

func createDatabase(name, template string) error {
	creating.Lock()
	defer creating.Unlock()
	return administer("CREATE DATABASE " + name + " TEMPLATE " + template)
}

func administer(statement string) error {
	address, err := postgresURL("postgres")
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

func postgresURL(database string) (string, error) {
	base := os.Getenv(PostgresVariable)
	if base == "" {
		return "", fmt.Errorf("%s is not set: run `make test`, which starts a throw-away PostgreSQL", PostgresVariable)
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u.Path = "/" + database
	return u.String(), nil
}

var _ = stdlib.GetDefaultDriver // keeps the pgx driver registered for Raw
