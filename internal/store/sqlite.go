package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqlite is the embedded engine: one writer that commits in groups, a pool of
// readers, and an authorizer on every connection that lets nobody but our
// triggers write what triggers write.
type sqlite struct {
	file    string
	writer  *sql.DB
	readers *sql.DB
	pool    chan *compiledConn // readers at rest; nil for one not opened yet
	group   *groupWriter
}

func openSQLite(ctx context.Context, o Options) (*sqlite, error) {
	file := o.File
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if err := keepPrivate(file); err != nil {
		return nil, err
	}
	e := &sqlite{file: file}
	e.writer = sql.OpenDB(sqliteConnector{dsn: sqliteDSN(file, forWriting(o)...), authorize: authorize})
	e.readers = sql.OpenDB(sqliteConnector{dsn: sqliteDSN(file, "_query_only=1"), authorize: authorize})
	conn, err := e.writer.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), e.writer.Close(), e.readers.Close())
	}
	e.pool = make(chan *compiledConn, max(4, 2*runtime.NumCPU()))
	for range cap(e.pool) {
		e.pool <- nil
	}
	e.group = startGroupWriter(&compiledConn{conn: conn}, !o.SingleCommits)
	return e, nil
}

// forWriting are the settings of the one connection that writes. What a statement
// would take back if it failed is kept in memory: in a file it costs a fifth of a
// creation, whose triggers write much. A transaction that outgrows its cache
// writes each page many times over, so what writes much at once gets 256 MiB.
func forWriting(o Options) []string {
	settings := []string{"_pragma=temp_store(memory)"}
	if o.Bulk {
		settings = append(settings, "_pragma=cache_size(-262144)")
	}
	return settings
}

// keepPrivate makes the file before SQLite does, so that nobody else on the
// machine can read it for even a moment.
func keepPrivate(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	return f.Close()
}

func sqliteDSN(file string, extra ...string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath()}
	u.RawQuery = strings.Join(append([]string{
		"_busy_timeout=10000", "_journal_mode=WAL", "_synchronous=FULL", "_foreign_keys=1",
		"_dqs=0", "_defensive=1", "_timezone=UTC",
	}, extra...), "&")
	return u.String()
}

func (e *sqlite) name() string { return "sqlite" }

func (e *sqlite) close() error {
	errs := []error{e.group.stop()}
	for range cap(e.pool) {
		if c := <-e.pool; c != nil {
			errs = append(errs, c.close())
		}
	}
	errs = append(errs, e.readers.Close(), e.writer.Close())
	for range cap(e.pool) {
		e.pool <- nil // who comes late meets a closed database, not an empty pool
	}
	return errors.Join(errs...)
}

func (e *sqlite) look(ctx context.Context, fn func(querier) error) error {
	return e.withReader(ctx, func(c *compiledConn) error { return fn(c) })
}

func (e *sqlite) read(ctx context.Context, fn func(querier) error) error {
	return e.withReader(ctx, func(c *compiledConn) (err error) {
		// Neither a caller who leaves nor a panic may hand the next one a
		// connection within a transaction.
		whole := context.WithoutCancel(ctx)
		if err := c.run(whole, "BEGIN"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.run(whole, "ROLLBACK")) }()
		return fn(c)
	})
}

// withReader lends fn a connection for reading.
func (e *sqlite) withReader(ctx context.Context, fn func(*compiledConn) error) error {
	var c *compiledConn
	select {
	case c = <-e.pool:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.pool <- c }()
	if c == nil {
		conn, err := e.readers.Conn(ctx)
		if err != nil {
			return err
		}
		c = &compiledConn{conn: conn}
	}
	return fn(c)
}

func (e *sqlite) write(ctx context.Context, fn func(querier) error) error {
	return e.group.do(ctx, fn, nil)
}

// add looks at the new rows where they still are in memory; every connection for
// reading would have to fetch them.
func (e *sqlite) add(ctx context.Context, fn, look func(querier) error) error {
	return e.group.do(ctx, fn, look)
}

func (e *sqlite) timeArg(t time.Time) any { return t.Format(timeLayout) }

func (e *sqlite) transient(err error) bool {
	var se *sqlitedriver.Error
	return errors.As(err, &se) && (se.Code()&0xff == sqlite3.SQLITE_BUSY || se.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

// constraint reads the name from the message: SQLite gives the columns of a
// unique index, the name of a CHECK, and what a trigger raised.
func (e *sqlite) constraint(err error) string {
	var se *sqlitedriver.Error
	if !errors.As(err, &se) {
		return ""
	}
	msg := se.Error()
	switch se.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		columns := between(msg, "UNIQUE constraint failed: ", " (")
		return strings.ReplaceAll(strings.Split(columns, ".")[0], " ", "") + "_" + columnNames(columns) + "_key"
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return between(msg, "CHECK constraint failed: ", " (")
	case sqlite3.SQLITE_CONSTRAINT_TRIGGER:
		return between(msg, "constraint failed: ", " (")
	case sqlite3.SQLITE_AUTH:
		return guardName
	}
	return ""
}

// columnNames turns "users.id, users.email" into "id_email".
func columnNames(list string) string {
	parts := strings.Split(list, ", ")
	for i, p := range parts {
		_, parts[i], _ = strings.Cut(p, ".")
	}
	return strings.Join(parts, "_")
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// maintain opens one connection without the authorizer. The lock is a file
// beside the database: SQLite's own would let two starts interleave between
// migrations.
func (e *sqlite) maintain(ctx context.Context, fn func(maintenance) error) error {
	lock := flock.New(e.file + ".lock")
	if ok, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil || !ok {
		return fmt.Errorf("lock the database for maintenance: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	db := sql.OpenDB(sqliteConnector{dsn: sqliteDSN(e.file)})
	db.SetMaxOpenConns(1)
	return errors.Join(fn(maintenance{db: db, file: e.file}), db.Close())
}

func (e *sqlite) triggers(ctx context.Context, q querier) ([]foundTrigger, error) {
	return list(&Tx{ctx: ctx, q: q}, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
		func(r row) (foundTrigger, error) {
			t := foundTrigger{enabled: true}
			return t, r.Scan(&t.name, &t.text)
		})
}

// advanceIdentity has nothing to do: AUTOINCREMENT remembers the largest id.
func (e *sqlite) advanceIdentity(context.Context, querier, string) error { return nil }

// merged leaves the limit to the whole: SQLite merges the parts as it reads them,
// unless they have limits of their own.
func (e *sqlite) merged(parts []string, _, tail, _ string) string {
	return strings.Join(parts, " UNION ALL ") + " ORDER BY " + tail
}

// parameter has no number: the driver would look each one up in a list of all.
func (e *sqlite) parameter(int) string { return "?" }

// analyze has nothing to do: our statements are planned without statistics, in a
// large school as in an empty one.
func (e *sqlite) analyze(context.Context, maintenance) error { return nil }

// matching asks for the trigrams of the words; the text itself is compared by
// whoever asks.
func (e *sqlite) matching(c *condition, words []string) bool {
	asked := trigrams(words)
	if asked == "" {
		return false
	}
	c.add("r.id IN (SELECT rowid FROM roster_search WHERE roster_search MATCH " + c.arg(asked) + ")")
	return true
}

// matches reads the index alone, and only as far as is counted: behind an IN it
// would be read to its end first.
func (e *sqlite) matches(c *condition, words []string) (source string, known bool) {
	asked := trigrams(words)
	if asked == "" {
		return "", false
	}
	c.add("roster_search MATCH " + c.arg(asked))
	return "roster_search", true
}

func trigrams(words []string) string {
	var all []string
	for _, word := range words {
		letters := []rune(strings.ReplaceAll(word, "\x00", ""))
		if len(letters) > 0 && len(letters) < 3 { // the index has two spaces before each word
			letters = append([]rune("  "), letters...)[len(letters)-1:]
		}
		for i := range len(letters) - 2 {
			all = append(all, `"`+strings.ReplaceAll(string(letters[i:i+3]), `"`, `""`)+`"`)
		}
	}
	return strings.Join(all, " AND ")
}

// takeTime: there is no limit.
func (e *sqlite) takeTime(context.Context, querier) error { return nil }

// stopCounting: there is one writer.
func (e *sqlite) stopCounting(context.Context, querier) error { return nil }

// tell has nobody to tell: who works on the file from a terminal meanwhile is
// seen at the next change.
func (e *sqlite) tell() {}

func (e *sqlite) hear(func()) {}

// overtaken: one writer gives the ids in the order of the commits.
func (e *sqlite) overtaken() int64 { return 0 }

// take is write: there is one writer.
func (e *sqlite) take(ctx context.Context, fn func(querier) error) error { return e.write(ctx, fn) }

func (e *sqlite) skipLocked() string { return "" }

// lock has nothing to do: there is one writer.
func (e *sqlite) lock(context.Context, querier, string) error { return nil }

func (e *sqlite) checkIntegrity(ctx context.Context, q querier) ([]string, error) {
	tx := &Tx{ctx: ctx, q: q}
	// The check of the search index believes what this connection remembers of it,
	// unless a search has looked whether others have written since.
	if _, err := list(tx, "SELECT rowid FROM roster_search WHERE roster_search MATCH 'abc' LIMIT 1", scanInt); err != nil {
		return nil, err
	}
	wrong, err := list(tx, "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'", scanText)
	if err != nil {
		return nil, err
	}
	dangling, err := list(tx, `SELECT count(*) || ' rows of ' || "table" || ' name a row of ' || parent || ' that does not exist'
		FROM pragma_foreign_key_check GROUP BY "table", parent`, scanText)
	return append(wrong, dangling...), err
}
