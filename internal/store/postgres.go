package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is the engine for more than one machine.
type postgres struct {
	config *pgx.ConnConfig
	db     *sql.DB
	calls  *calls
}

// appRole is the start of the name of the role as which the application works
// once the schema is there; the account that owns the tables follows. The role
// owns nothing, so it can neither drop a trigger nor write what triggers write.
// Roles belong to the whole cluster: one for each owner keeps two schools apart.
// Where the owner may not create roles, the guards in the database stand alone.
const appRole = "tripwire_app_"

// appRoleName is the SQL for the role's name, cut to what a name may have.
const appRoleName = "left('" + appRole + "' || session_user, 63)"

// maxConns keeps well below PostgreSQL's default of 100 for several servers.
const maxConns = 20

func openPostgres(ctx context.Context, url string) (*postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database address is not one that PostgreSQL understands") // pgx's own text repeats the password
	}
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["application_name"] = "tripwire"
	config.RuntimeParams["jit"] = "off" // compiling costs more than any of our statements
	e := &postgres{config: config}
	e.db = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(becomeApp))
	e.db.SetMaxOpenConns(maxConns)
	e.db.SetMaxIdleConns(maxConns)
	e.db.SetConnMaxIdleTime(5 * time.Minute)
	if err := e.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reach PostgreSQL at %s: %w", config.Host, err), e.db.Close())
	}
	e.calls = startCalls(config, e.db)
	return e, nil
}

// becomeApp lays the owner's rights down where the migrations have made a role
// for that, and bounds what one statement may take: nothing of ours is long, and
// a lock that is never released must not hold every connection.
func becomeApp(ctx context.Context, c *pgx.Conn) error {
	var role string
	err := c.QueryRow(ctx, `SELECT set_config('statement_timeout', '30s', FALSE)
			|| set_config('lock_timeout', '10s', FALSE) || set_config('idle_in_transaction_session_timeout', '60s', FALSE), coalesce((
		SELECT r.rolname FROM pg_roles r
		WHERE r.rolname = `+appRoleName+` AND has_table_privilege(r.oid, to_regclass('users'), 'INSERT')
		AND CASE WHEN current_setting('server_version_num')::int >= 160000
			THEN pg_has_role(session_user, r.oid, 'SET') ELSE pg_has_role(session_user, r.oid, 'MEMBER') END), '')`).Scan(nil, &role)
	if err != nil || role == "" {
		return err
	}
	_, err = c.Exec(ctx, "SET ROLE "+pgx.Identifier{role}.Sanitize())
	return err
}

func (e *postgres) name() string { return "postgres" }

func (e *postgres) close() error {
	e.calls.stop()
	return e.db.Close()
}

func (e *postgres) tell() { e.calls.tell() }

func (e *postgres) hear(ring func()) { e.calls.hear(ring) }

// overtaken is more than there can be transactions at work in several servers.
func (e *postgres) overtaken() int64 { return 256 }

func (e *postgres) read(ctx context.Context, fn func(querier) error) error {
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written; after a panic too
	return fn(tx)
}

func (e *postgres) look(_ context.Context, fn func(querier) error) error { return fn(e.db) }

// maxTries bounds how often a transaction that lost a race is run again.
const maxTries = 20

// write runs fn serializably: PostgreSQL then refuses what could not have
// happened one after another, and the loser is simply run again.
func (e *postgres) write(ctx context.Context, fn func(querier) error) error {
	return e.writeAt(ctx, "BEGIN ISOLATION LEVEL SERIALIZABLE", fn, nil)
}

// add needs no serializable transaction: each constraint is judged against what
// is committed when it is judged.
func (e *postgres) add(ctx context.Context, fn, look func(querier) error) error {
	return e.writeAt(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED", fn, look)
}

// take leaves the races to locks and to the condition of each statement.
func (e *postgres) take(ctx context.Context, fn func(querier) error) error {
	return e.writeAt(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED", fn, nil)
}

func (e *postgres) skipLocked() string { return " FOR UPDATE SKIP LOCKED" }

func (e *postgres) lock(ctx context.Context, q querier, name string) error {
	_, err := q.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)
	return err
}

// writeAt runs fn in a transaction of the given kind; look, if any, once it is
// committed.
func (e *postgres) writeAt(ctx context.Context, begin string, fn, look func(querier) error) error {
	var err error
	for try := range maxTries {
		var committed bool
		if committed, err = e.writeOnce(ctx, begin, fn, look); committed || !lostRace(err) {
			return err
		}
		pause := time.Duration(rand.Int64N(int64(time.Millisecond) << min(try, 7))) //nolint:gosec // spreads the losers, guards nothing
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (e *postgres) writeOnce(ctx context.Context, begin string, fn, look func(querier) error) (committed bool, err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	whole := context.WithoutCancel(ctx) // half a pipeline would cost the connection
	tx := beginPipeline(conn, begin)
	defer func() {
		if !committed { // after a panic too
			tx.abandon(whole)
		}
	}()
	if err := fn(tx); err != nil {
		return false, err
	}
	if err := tx.commit(whole); err != nil {
		return false, err
	}
	if committed = true; look != nil {
		err = look(conn)
	}
	return committed, err
}

func lostRace(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "40001" || pe.Code == "40P01")
}

// timeArg cuts to what SQLite keeps.
func (e *postgres) timeArg(t time.Time) any { return t.Truncate(time.Millisecond) }

func (e *postgres) transient(err error) bool {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		// 08: connection, 53: resources, 57P: shutting down
		return lostRace(err) || pe.Code[:2] == "08" || pe.Code[:2] == "53" || pe.Code[:3] == "57P" ||
			pe.Code == "55P03" || pe.Code == "57014" // waited too long for a lock, or took too long
	}
	var ce *pgconn.ConnectError
	return errors.As(err, &ce)
}

func (e *postgres) constraint(err error) string {
	var pe *pgconn.PgError
	switch {
	case !errors.As(err, &pe):
		return ""
	case pe.Message == "append_only":
		return pe.Message
	case pe.Code == "42501": // insufficient_privilege: the guard, or no grant
		return guardName
	default:
		return pe.ConstraintName
	}
}

func (e *postgres) maintain(ctx context.Context, fn func(maintenance) error) error {
	db := stdlib.OpenDB(*e.config, stdlib.OptionAfterConnect(pinSchema))
	db.SetMaxOpenConns(2) // one holds the lock
	err := errors.Join(e.locked(ctx, db, fn), db.Close())
	e.db.SetMaxIdleConns(0) // those from before the first migration have the owner's rights
	e.db.SetMaxIdleConns(maxConns)
	return err
}

// pinSchema names the schema in which the functions of the triggers look. Unless
// temporary tables are named last, PostgreSQL looks among them first, and
// anybody could put a table of their own in front of ours.
func pinSchema(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', FALSE)")
	return err
}

// maintenanceLock is the key of the advisory lock; any number that nobody else
// in the database uses.
const maintenanceLock = 7_219_447_301

func (e *postgres) locked(ctx context.Context, db *sql.DB, fn func(maintenance) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // ends the connection in the end, and the lock with it
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(maintenanceLock)); err != nil {
		return fmt.Errorf("lock the database for maintenance: %w", err)
	}
	err = fn(maintenance{db: db, grant: grantToApp})
	_, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(maintenanceLock))
	return errors.Join(err, unlock)
}

// grantToApp makes the application's role and gives it what it needs and no
// more. It answers nil without doing anything where the account may not make
// roles.
func grantToApp(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `DO $do$
DECLARE
    app text := `+appRoleName+`;
    schema text := current_schema();
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
        IF NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user) THEN
            RETURN;
        END IF;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', app);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of the cluster was faster
        END;
    END IF;
    BEGIN
        -- From 16 on, who creates a role may give it to others but not take it on.
        EXECUTE format('GRANT %I TO %I', app, session_user)
            || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH SET TRUE' ELSE '' END;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL; -- then the guards stand alone
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema, app);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', schema, app);
    EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO %I', schema, app);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON module_unlocks, module_completions, roster, sale_counts, student_counts, step_counts, completion_counts, goose_db_version FROM %I', app);
    EXECUTE format('REVOKE UPDATE, DELETE ON activity, money_events FROM %I', app);
    EXECUTE format('GRANT UPDATE (manager_id) ON money_events TO %I', app);
END
$do$`)
	return err
}

func (e *postgres) triggers(ctx context.Context, q querier) ([]foundTrigger, error) {
	return list(&Tx{ctx: ctx, q: q}, `
		SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled = 'O'
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
		UNION ALL
		SELECT p.proname || '()', 'LANGUAGE ' || l.lanname || CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END
			|| CASE WHEN 'search_path=' || quote_ident(current_schema()) || ', pg_temp' = ANY (p.proconfig) THEN ' SET search_path FROM CURRENT' ELSE '' END || p.prosrc, TRUE
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.prorettype = 'trigger'::regtype AND p.pronamespace = current_schema()::regnamespace`,
		func(r row) (t foundTrigger, err error) { return t, r.Scan(&t.name, &t.text, &t.enabled) })
}

func (e *postgres) advanceIdentity(ctx context.Context, q querier, table string) error {
	_, err := q.ExecContext(ctx, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%[1]s', 'id'), (SELECT max(id) FROM %[1]s))", table))
	return err
}

// matching asks for the words that have trigrams: of a shorter one the index would
// be read from end to end.
func (e *postgres) matching(c *condition, words []string) (known bool) {
	for _, word := range words {
		c.add(having(c, "r.search_text", word))
	}
	return len(words) > 0
}

func (e *postgres) matches(c *condition, words []string) (source string, known bool) {
	return "roster r", e.matching(c, words)
}

// merged gives each part the order and the limit too: PostgreSQL would rather read
// all of the parts and sort them.
func (e *postgres) merged(parts []string, order, tail, limit string) string {
	each := make([]string, len(parts))
	for i, p := range parts {
		each[i] = "(" + p + " ORDER BY " + order + " LIMIT " + limit + ")"
	}
	return strings.Join(each, " UNION ALL ") + " ORDER BY " + tail
}

func (e *postgres) parameter(n int) string { return "$" + strconv.Itoa(n) }

// analyze does what autovacuum would do within minutes: without statistics the
// planner takes a large table for an empty one, and what waits in the search index
// to be sorted in is read by every search.
func (e *postgres) analyze(ctx context.Context, m maintenance) error {
	_, err := m.db.ExecContext(ctx, "VACUUM (ANALYZE)")
	return err
}

func (e *postgres) takeTime(ctx context.Context, q querier) error {
	_, err := q.ExecContext(ctx, "SET LOCAL statement_timeout = 0")
	return err
}

// stopCounting locks the table whose lock everything that counts takes. LOCK needs
// no snapshot: the transaction's own is taken behind it, and has what the others
// have committed. Reading the table, as a dump does, is not in its way.
func (e *postgres) stopCounting(ctx context.Context, q querier) error {
	for _, statement := range []string{"LOCK TABLE zone_offsets IN EXCLUSIVE MODE", "SET LOCAL lock_timeout = 0"} {
		if _, err := q.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return e.takeTime(ctx, q)
}

// checkIntegrity asks for what PostgreSQL itself marks as not to be trusted; it
// keeps references whole by itself.
func (e *postgres) checkIntegrity(ctx context.Context, q querier) ([]string, error) {
	return list(&Tx{ctx: ctx, q: q}, `
		SELECT 'index ' || i.indexrelid::regclass || ' is not valid' FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace
		UNION ALL
		SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || ' is not validated' FROM pg_constraint
		WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
		UNION ALL
		SELECT 'the foreign keys of ' || tgrelid::regclass || ' are switched off' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE t.tgisinternal AND t.tgenabled <> 'O' AND c.relnamespace = current_schema()::regnamespace`, scanText)
}
