package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"tripwire/internal/school"
)

// bench is one run.
type bench struct {
	options
	superuser string
	dir       string
	progress  io.Writer
	sheet     sheet
}

// task measures one thing, which may have several figures.
type task struct {
	name string
	run  func(ctx context.Context, name string) error
}

var crowds = []int{1, 16, 64}

// measure runs what is repeated in rounds, so that a slow minute of the machine
// falls on everything alike, and then what is measured once.
func (b *bench) measure(ctx context.Context) error {
	for round := range b.rounds {
		if err := b.runAll(ctx, fmt.Sprintf("round %d of %d", round+1, b.rounds), b.roundTasks()); err != nil {
			return err
		}
	}
	return b.runAll(ctx, "once", slices.Concat(b.crowdTasks(), b.processTasks(), b.deskTasks(), b.studyTasks(), b.letterTasks()))
}

func (b *bench) runAll(ctx context.Context, when string, tasks []task) error {
	for _, t := range tasks {
		if !b.only.MatchString(t.name) {
			continue
		}
		b.tell("%s: %s", when, t.name)
		if err := t.run(ctx, t.name); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func (b *bench) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, time.Now().UTC().Format("15:04:05 ")+format+"\n", args...)
}

func (b *bench) add(name string, p point) {
	b.sheet.add(name, p)
	b.tell("  %s: %.0f/s, p50 %.2f ms, p99 %.2f ms, %.1f MB", name, p.Rate, ms(p.P50), ms(p.P99), p.Bytes/1e6)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// creation is one way to create students.
type creation struct {
	engine  string
	access  school.Access
	clients int
	page    bool // the answer is the whole page
	single  bool // one commit for each student
}

func (c creation) name() string {
	kind := "create"
	switch {
	case c.page:
		kind = "page"
	case c.single:
		kind = "single"
	}
	return kind + "/" + c.engine + "/" + string(c.access) + "/" + strconv.Itoa(c.clients)
}

// creations are all ways, in the order of the report.
func creations() (all []creation) {
	for _, engine := range engines {
		for _, access := range []school.Access{school.AccessLink, school.AccessPassword} {
			for _, clients := range crowds {
				all = append(all, creation{engine: engine, access: access, clients: clients})
			}
		}
		for _, clients := range crowds {
			all = append(all, creation{engine: engine, access: school.AccessLink, clients: clients, page: true})
		}
	}
	return append(all, creation{engine: sqlite, access: school.AccessLink, clients: 16, single: true})
}

// roundTasks puts each creation beside the floor that it is compared with.
func (b *bench) roundTasks() []task {
	create := func(engine string, access school.Access) (tasks []task) {
		for _, c := range creations() {
			if c.engine == engine && c.access == access {
				tasks = append(tasks, task{c.name(), func(ctx context.Context, name string) error { return b.create(ctx, name, c) }})
			}
		}
		return tasks
	}
	return slices.Concat(b.httpTasks(),
		b.commitTasks(sqlite), create(sqlite, school.AccessLink), create(sqlite, school.AccessPassword),
		b.hashTasks(),
		create(postgres, school.AccessPassword), create(postgres, school.AccessLink), b.commitTasks(postgres))
}

// create measures one way to create students, in a school of its own.
func (b *bench) create(ctx context.Context, name string, c creation) error {
	return b.atPlace(ctx, c.engine, c.single, func(at *place) error {
		all, closeAll, err := at.clients(ctx, c.clients)
		if err != nil {
			return err
		}
		defer closeAll()
		p, err := load(ctx, creating(all, c.access, !c.page), b.each)
		if err == nil {
			b.add(name, p)
		}
		return err
	})
}

// atPlace runs fn at a desk of its own.
func (b *bench) atPlace(ctx context.Context, engine string, single bool, fn func(*place) error) error {
	d, err := b.newDatabase(ctx, engine)
	if err != nil {
		return err
	}
	d.SingleCommits = single
	err = found(ctx, d.Options)
	if err == nil {
		err = withPlace(ctx, d, fn)
	}
	return errors.Join(err, d.drop())
}

func withPlace(ctx context.Context, d database, fn func(*place) error) error {
	at, err := openPlace(ctx, d.Options)
	if err != nil {
		return err
	}
	return errors.Join(fn(at), at.close())
}

// crowdTasks: everybody presses the button at the same moment, and the memory
// for hashing stays within its limit.
func (b *bench) crowdTasks() []task {
	return []task{{"crowd/hashing", func(ctx context.Context, name string) error {
		return b.atPlace(ctx, sqlite, false, func(at *place) error {
			all, closeAll, err := at.clients(ctx, b.crowd)
			if err != nil {
				return err
			}
			defer closeAll()
			p, err := once(ctx, creating(all, school.AccessPassword, true))
			if err != nil {
				return err
			}
			p.Bytes = float64(at.hasher.PeakMiB() << 20)
			b.add(name, p)
			return nil
		})
	}}}
}

// cores is how many hashes the machine can make at once.
func cores() int { return runtime.NumCPU() }
