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
	outcome chan error
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
// because the rows may be there.
func (w *groupWriter) do(ctx context.Context, fn func(querier) error) error {
	r := &writeRequest{ctx: ctx, fn: fn, outcome: make(chan error, 1)}
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

// writeGroup writes first and whoever waits behind it. When the group as a whole
// fails (the disk is full, a statement rolled everything back), each of those
// who had succeeded is tried again alone, so that nobody fails for another.
func (w *groupWriter) writeGroup(first *writeRequest) {
	written, err := w.tryGroup(first)
	if err == nil {
		for _, r := range written {
			r.outcome <- nil
		}
		return
	}
	if len(written) == 1 {
		written[0].outcome <- err
		return
	}
	for _, r := range written {
		if alone, err := w.transact([]*writeRequest{r}, nil); len(alone) == 1 {
			r.outcome <- err
		}
	}
}

func (w *groupWriter) tryGroup(first *writeRequest) ([]*writeRequest, error) {
	next := func() *writeRequest {
		select {
		case r := <-w.queue: // nil once closed and drained
			return r
		default:
			return nil
		}
	}
	return w.transact([]*writeRequest{first}, next)
}

// transact runs the requests, and those that next still brings, in one
// transaction. It answers the requests whose rows stand or fall with the
// transaction; those refused on their own have been told.
func (w *groupWriter) transact(queue []*writeRequest, next func() *writeRequest) (written []*writeRequest, err error) {
	ctx := context.Background()
	if err := w.conn.run(ctx, "BEGIN IMMEDIATE"); err != nil {
		return queue, err
	}
	for seen := 0; len(queue) > 0; {
		r := queue[0]
		queue = queue[1:]
		kept, fatal := w.inSavepoint(ctx, r)
		if kept {
			written = append(written, r)
		}
		if fatal != nil {
			return written, errors.Join(fatal, w.rollback(ctx))
		}
		if seen++; seen < w.limit && next != nil {
			if r := next(); r != nil {
				queue = append(queue, r)
			}
		}
	}
	if err := w.conn.run(ctx, "COMMIT"); err != nil {
		return written, errors.Join(err, w.rollback(ctx))
	}
	return written, nil
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

// inSavepoint runs one request. kept: it stands or falls with the transaction.
// fatal: the transaction is lost for everybody.
func (w *groupWriter) inSavepoint(ctx context.Context, r *writeRequest) (kept bool, fatal error) {
	if r.ctx.Err() != nil { // left before its turn
		r.outcome <- r.ctx.Err()
		return false, nil
	}
	if err := w.conn.run(ctx, "SAVEPOINT request"); err != nil {
		return true, err
	}
	err := r.call(w.conn)
	if err == nil {
		return true, w.conn.run(ctx, "RELEASE request")
	}
	if lost := errors.Join(w.conn.run(ctx, "ROLLBACK TO request"), w.conn.run(ctx, "RELEASE request")); lost != nil {
		return true, errors.Join(err, lost) // told when tried alone
	}
	r.outcome <- err
	return false, nil
}

// call runs fn and turns a panic into an error here and a panic again in the
// goroutine that asked, so that the writer lives on.
func (r *writeRequest) call(q querier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			err = errors.New("panic in a write")
		}
	}()
	return r.fn(q)
}
