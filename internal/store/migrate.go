package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// ErrNewerSchema: a newer Tripwire has migrated this database.
var ErrNewerSchema = errors.New("the database was made by a newer Tripwire; start that version, or restore the copy made before its migration")

// maintenance is a connection that may change the schema.
type maintenance struct {
	db   *sql.DB
	file string // the SQLite file; empty on PostgreSQL
	// grant lets the application work on what was made; nil where there is
	// nothing to grant.
	grant func(ctx context.Context, db *sql.DB) error
}

// Migrate brings the schema to this binary's, under a lock, after copying a
// SQLite file that has rows to lose. Errors: ErrNewerSchema.
func (s *Store) Migrate(ctx context.Context, log *slog.Logger) error {
	have, want, err := s.SchemaVersions(ctx)
	if err != nil {
		return err
	}
	if have == want {
		return nil
	}
	if have > want {
		return fmt.Errorf("schema %d, this binary knows %d: %w", have, want, ErrNewerSchema)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return s.engine.maintain(ctx, func(m maintenance) error { return s.migrate(ctx, m, log) })
}

func (s *Store) migrate(ctx context.Context, m maintenance, log *slog.Logger) error {
	p, err := s.provider(m.db)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx) // again: another start may have been faster
	if err != nil || have >= want {
		return err
	}
	if have > 0 && m.file != "" {
		copied := fmt.Sprintf("%s.before-%d-%s", m.file, want, s.Now().Format("20060102T150405"))
		if err := copySQLite(ctx, m.db, copied); err != nil {
			return fmt.Errorf("copy the database before migrating: %w", err)
		}
		log.InfoContext(ctx, "copied the database before migrating", "copy", copied)
	}
	start := time.Now()
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if m.grant != nil {
		if err := m.grant(ctx, m.db); err != nil {
			return fmt.Errorf("grant: %w", err)
		}
	}
	log.InfoContext(ctx, "migrated the database", "from", have, "to", want, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

func copySQLite(ctx context.Context, db *sql.DB, to string) error {
	if err := keepPrivate(to); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "VACUUM INTO $1", to)
	return err
}

// SchemaVersions answers the version of the database (0: empty) and of this
// binary.
func (s *Store) SchemaVersions(ctx context.Context) (have, want int64, err error) {
	names, err := fs.Glob(migrations, "migrations/"+s.engine.name()+"/*.sql")
	if err != nil {
		return 0, 0, err
	}
	err = s.engine.read(ctx, func(q querier) error {
		have, err = schemaVersion(ctx, q, s.engine.name())
		return err
	})
	return have, int64(len(names)), err
}

// versionTable finds goose's table without failing where there is none.
var versionTable = map[string]string{
	"sqlite":   "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'",
	"postgres": "SELECT count(*) FROM (SELECT to_regclass('goose_db_version') AS t) x WHERE t IS NOT NULL",
}

func schemaVersion(ctx context.Context, q querier, engine string) (int64, error) {
	tx := &Tx{ctx: ctx, q: q}
	if n, err := one(tx, versionTable[engine], scanInt); err != nil || n == 0 {
		return 0, err
	}
	version, err := one(tx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied", scanInt)
	return int64(version), err
}

func (s *Store) provider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations/"+s.engine.name())
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if s.engine.name() == "postgres" {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, db, sub, goose.WithDisableGlobalRegistry(true))
}
