package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"tripwire/internal/password"
)

// httpTasks, hashTasks and commitTasks are the floor: what a creation cannot be
// faster than.
func (b *bench) httpTasks() (tasks []task) {
	for _, clients := range crowds {
		tasks = append(tasks, task{"floor/http/" + strconv.Itoa(clients), func(ctx context.Context, name string) error {
			return b.plainHTTP(ctx, name, clients)
		}})
	}
	return tasks
}

func (b *bench) hashTasks() (tasks []task) {
	for _, n := range []int{1, cores()} {
		tasks = append(tasks, task{"floor/hash/" + strconv.Itoa(n), func(ctx context.Context, name string) error {
			return b.bareHash(ctx, name, n)
		}})
	}
	return tasks
}

func (b *bench) commitTasks(engine string) (tasks []task) {
	for _, c := range commits() {
		if c.engine == engine {
			tasks = append(tasks, task{c.name(), func(ctx context.Context, name string) error { return b.bareRows(ctx, name, c) }})
		}
	}
	return tasks
}

// commit is one way to write students through the driver alone, durably.
type commit struct {
	engine string
	conns  int
	group  int  // students in a commit
	whole  bool // every row of a creation, not only the student's two
}

func (c commit) name() string {
	name := "floor/" + c.engine + "/" + strconv.Itoa(c.conns*c.group)
	if c.whole {
		name += "/whole"
	}
	return name
}

func (c commit) rows() string {
	if c.whole {
		return "every row of a creation"
	}
	return "the student's two rows"
}

func commits() (all []commit) {
	for _, whole := range []bool{false, true} {
		for _, n := range crowds {
			all = append(all, commit{engine: sqlite, conns: 1, group: n, whole: whole})
		}
		for _, n := range crowds {
			all = append(all, commit{engine: postgres, conns: n, group: 1, whole: whole})
		}
	}
	return all
}

// plainHTTP measures the same clients against a handler that does nothing.
func (b *bench) plainHTTP(ctx context.Context, name string, clients int) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	stop := serve(ctx, l, ok, slog.New(slog.DiscardHandler))
	at := &place{addr: l.Addr().String(), sessions: []string{""}}
	all, closeAll, err := at.clients(ctx, clients)
	if err != nil {
		return errors.Join(err, stop())
	}
	acts := make([]act, clients)
	for i, c := range all {
		acts[i] = func(context.Context) error { return c.get("/") }
	}
	p, err := load(ctx, acts, b.each)
	closeAll()
	if err == nil {
		b.add(name, p)
	}
	return errors.Join(err, stop())
}

// bareHash measures the hash alone, so many at once.
func (b *bench) bareHash(ctx context.Context, name string, atOnce int) error {
	hasher := password.NewHasher(atOnce * password.MinMemoryMiB)
	acts := make([]act, atOnce)
	for i := range acts {
		acts[i] = func(ctx context.Context) error {
			_, err := hasher.Hash(ctx, "first password")
			return err
		}
	}
	p, err := load(ctx, acts, b.each)
	if err == nil {
		b.add(name, p)
	}
	return err
}

// bareRows measures durable transactions through the driver alone.
func (b *bench) bareRows(ctx context.Context, name string, c commit) error {
	d, err := b.newDatabase(ctx, c.engine)
	if err != nil {
		return err
	}
	var p point
	if err = found(ctx, d.Options); err == nil {
		p, err = b.transactions(ctx, d, c)
	}
	if err == nil {
		b.add(name, p)
	}
	return errors.Join(err, d.drop())
}

func (b *bench) transactions(ctx context.Context, d database, c commit) (p point, err error) {
	db, err := d.raw()
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var numbers atomic.Int64
	acts := make([]act, c.conns)
	for i := range acts {
		a, err := newAdmitter(ctx, db, d.begin())
		if err != nil {
			return p, err
		}
		defer func() { _ = a.close() }()
		acts[i] = func(ctx context.Context) error {
			return a.transact(ctx, func() error {
				for range c.group {
					if err := a.admit(ctx, numbers.Add(1), time.Now(), c.whole); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	p, err = load(ctx, acts, b.each)
	p.Rate *= float64(c.group)
	return p, err
}
