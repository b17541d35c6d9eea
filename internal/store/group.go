package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// groupWriter is the one writer of a SQLite database. What waits is written in
// one transaction, each caller in a savepoint of its own, and made durable by
// one fsync for all. Nobody is kept waiting for company: a group is whoever came
// while the last one was being written.
type groupWriter struct {
	conn  *compiledConn
	queue chan *writeRequest
	limit int // the largest group
	done  chan error

	mu     sync.RWMutex
	closed bool
}

// maxGroup bounds how long the first of a group waits for the last.
const maxGroup = 64

var errClosed = errors.New("the store is closed")

type writeRequest struct {
	ctx     context.Context
	fn      func(querier) error
	look    func(querier) error // asked once the rows are safe; may be nil
	outcome chan error
	refusal error // fn's own error; its rows are not there
	panic   any
}

func startGroupWriter(conn *compiledConn, grouped bool) *groupWriter {
	w := &groupWriter{conn: conn, queue: make(chan *writeRequest, maxGroup), limit: 1, done: make(chan error, 1)}
	if grouped {
		w.limit = maxGroup
	}
	go w.loop()
	return w
}

// do queues fn and waits until its rows are durable or refused. A caller who
// leaves before its turn is skipped; one who leaves later still gets the answer,
// because the rows may be there. look, if any, is asked once they are durable.
func (w *groupWriter) do(ctx context.Context, fn, look func(querier) error) error {
	r := &writeRequest{ctx: ctx, fn: fn, look: look, outcome: make(chan error, 1)}
	if err := w.enqueue(r); err != nil {
		return err
	}
	err := <-r.outcome
	if r.panic != nil {
		panic(r.panic)
	}
	return err
}

func (w *groupWriter) enqueue(r *writeRequest) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- r:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// stop writes what is queued and ends the writer.
func (w *groupWriter) stop() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	return <-w.done
}

func (w *groupWriter) loop() {
	for first := range w.queue {
		w.writeGroup(first)
	}
	w.done <- w.conn.close()
}

// writeGroup writes first and whoever waits behind it. Everybody is told at the
// end, those refused too: the row that refused them may be another member's and
// is not there before the commit. Refusals are rare and savepoints are not free,
// so the group runs without; when anything fails, all of it runs again with. When
// the group as a whole fails (the disk is full, a statement rolled everything
// back), each is tried again alone, so that nobody fails for another.
func (w *groupWriter) writeGroup(first *writeRequest) {
	group, err := w.writeTogether(first)
	if err != nil && len(group) == 1 && first.refusal != nil {
		err = nil // there is nobody to keep apart
	}
	if err != nil {
		err = w.writeApart(group)
	}
	for _, r := range group {
		outcome := r.refusal
		if err != nil {
			outcome = w.writeAlone(r)
		}
		if outcome == nil && r.look != nil {
			outcome = r.catch(w.conn, r.look)
		}
		r.outcome <- outcome
	}
}

// errRefused ends a group that runs without savepoints.
var errRefused = errors.New("somebody in the group was refused")

// writeTogether runs first, and whoever waits, in one transaction. It answers the
// group; an error means that the rows of none of them are there.
func (w *groupWriter) writeTogether(first *writeRequest) (group []*writeRequest, err error) {
	ctx := context.Background()
	group = []*writeRequest{first}
	err = w.begin(ctx)
	for i := 0; i < len(group); i++ {
		if err == nil && !w.calls(group[i]) {
			err = errors.Join(errRefused, w.rollback(ctx))
		}
		if len(group) < w.limit {
			if r := w.next(); r != nil {
				group = append(group, r)
			}
		}
	}
	if err != nil {
		return group, err
	}
	return group, w.commit(ctx)
}

// calls reports whether the request and every statement of it went well: a
// statement that fails may have rolled back everything, told or not.
func (w *groupWriter) calls(r *writeRequest) bool {
	w.conn.failed = false
	r.call(w.conn)
	return r.refusal == nil && !w.conn.failed
}

// writeApart runs the group in one transaction, each in a savepoint. An error
// means that the rows of none of them are there.
func (w *groupWriter) writeApart(group []*writeRequest) error {
	ctx := context.Background()
	if err := w.begin(ctx); err != nil {
		return err
	}
	for _, r := range group {
		if err := w.inSavepoint(ctx, r); err != nil {
			return errors.Join(err, w.rollback(ctx))
		}
	}
	return w.commit(ctx)
}

// writeAlone runs one request in a transaction of its own.
func (w *groupWriter) writeAlone(r *writeRequest) error {
	if err := w.writeApart([]*writeRequest{r}); err != nil {
		return errors.Join(err, r.refusal)
	}
	return r.refusal
}

func (w *groupWriter) commit(ctx context.Context) error {
	if err := w.conn.run(ctx, "COMMIT"); err != nil {
		return errors.Join(err, w.rollback(ctx))
	}
	return nil
}

// begin also ends a transaction that a failed rollback has left open, so that one
// fault of the disk does not stop the writer for good.
func (w *groupWriter) begin(ctx context.Context) error {
	err := w.conn.run(ctx, "BEGIN IMMEDIATE")
	if err == nil || w.conn.run(ctx, "ROLLBACK") != nil {
		return err
	}
	return w.conn.run(ctx, "BEGIN IMMEDIATE")
}

// next answers who waits; nil when nobody does.
func (w *groupWriter) next() *writeRequest {
	select {
	case r := <-w.queue: // nil once closed and drained
		return r
	default:
		return nil
	}
}

// rollback ends a transaction that may have ended by itself.
func (w *groupWriter) rollback(ctx context.Context) error {
	if err := w.conn.run(ctx, "SAVEPOINT probe"); err != nil {
		return err
	}
	// Outside a transaction the savepoint has begun one; either way ROLLBACK
	// leaves none.
	return w.conn.run(ctx, "ROLLBACK")
}

// inSavepoint runs one request. A refusal stays with the request; an error means
// that the transaction is lost for everybody.
func (w *groupWriter) inSavepoint(ctx context.Context, r *writeRequest) error {
	if err := w.conn.run(ctx, "SAVEPOINT request"); err != nil {
		return err
	}
	if r.call(w.conn); r.refusal == nil {
		return w.conn.run(ctx, "RELEASE request")
	}
	return errors.Join(w.conn.run(ctx, "ROLLBACK TO request"), w.conn.run(ctx, "RELEASE request"))
}

// call runs fn, unless its caller has left before the turn.
func (r *writeRequest) call(q querier) {
	if r.refusal = r.ctx.Err(); r.refusal == nil {
		r.refusal = r.catch(q, r.fn)
	}
}

// catch turns a panic of f into an error here and a panic again in the goroutine
// that asked, so that the writer lives on.
func (r *writeRequest) catch(q querier, f func(querier) error) (err error) {
	r.panic = nil
	defer func() {
		if p := recover(); p != nil {
			r.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			err = errors.New("panic in a write")
		}
	}()
	return f(q)
}
