package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// calls is how the servers on one PostgreSQL database tell each other that lines
// were added to the history. A call says nothing but that; what was added, each
// reads. It is never made within a transaction that writes: NOTIFY takes a lock
// of the whole database at the commit, and all commits would wait for each other.
type calls struct {
	config *pgx.ConnConfig
	db     *sql.DB
	due    chan struct{}
	ctx    context.Context // ends the goroutines
	cancel context.CancelFunc
	ending sync.WaitGroup
	listen sync.Once
}

const (
	channel = "tripwire_history"
	// callEvery bounds how often one server calls the others.
	callEvery = 100 * time.Millisecond
	// callTimeout bounds how long a call may hold up the end.
	callTimeout = 5 * time.Second
	// silence is how long nothing is heard before the line is tried.
	silence = 30 * time.Second
	// The pause before the connection is sought again doubles up to maxPause.
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
)

func startCalls(config *pgx.ConnConfig, db *sql.DB) *calls {
	c := &calls{config: config.Copy(), db: db, due: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.ending.Go(c.callOut)
	return c
}

// stop makes the call that is due and ends what was begun.
func (c *calls) stop() {
	c.cancel()
	c.ending.Wait()
}

func (c *calls) tell() { wake(c.due) }

// callOut makes a call at once, and the next one a while later for all that came
// meanwhile.
func (c *calls) callOut() {
	for {
		select {
		case <-c.due:
			c.call()
		case <-c.ctx.Done():
			select {
			case <-c.due: // a command of the terminal ends right after its work
				c.call()
			default:
			}
			return
		}
		pause(c.ctx, callEvery)
	}
}

// call may fail: the database is away, and nobody hears anything. Who reconnects
// looks for what was missed.
func (c *calls) call() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), callTimeout)
	defer cancel()
	// A call that a crash loses need not wait for the disk.
	_, _ = c.db.ExecContext(ctx, "SELECT set_config('synchronous_commit', 'off', TRUE), pg_notify($1, '')", channel)
}

// hear listens on a connection of its own, from the first call of hear on.
func (c *calls) hear(ring func()) {
	c.listen.Do(func() { c.ending.Go(func() { c.stayConnected(ring) }) })
}

func (c *calls) stayConnected(ring func()) {
	wait := minPause
	for c.ctx.Err() == nil {
		if c.listenOnce(ring) {
			wait = minPause
		}
		pause(c.ctx, wait)
		wait = min(2*wait, maxPause)
	}
}

// listenOnce rings at each call until the connection is lost, and at first for
// what was called while there was none. It reports whether there was one.
func (c *calls) listenOnce(ring func()) (connected bool) {
	conn, err := pgx.ConnectConfig(c.ctx, c.config)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(context.WithoutCancel(c.ctx)) }() // it is lost or not wanted
	if _, err := conn.Exec(c.ctx, "LISTEN "+channel); err != nil {
		return false
	}
	for {
		ring()
		if !c.waitForCall(conn) {
			return true
		}
	}
}

// waitForCall waits for a call. A connection that has died without a word is
// found out when nothing has been heard for a while.
func (c *calls) waitForCall(conn *pgx.Conn) bool {
	for c.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(c.ctx, silence)
		_, err := conn.WaitForNotification(ctx)
		quiet := ctx.Err() != nil
		cancel()
		if err == nil {
			return true
		}
		if !quiet || conn.IsClosed() || c.ask(conn) != nil {
			return false
		}
	}
	return false
}

func (c *calls) ask(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(c.ctx, callTimeout)
	defer cancel()
	return conn.Ping(ctx)
}

// pause waits, but not beyond the end.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
