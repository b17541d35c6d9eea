package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/seed"
	"tripwire/internal/store"
)

// processTasks are measured on the built binary in a process of its own.
func (b *bench) processTasks() []task {
	return []task{
		{"binary", b.binarySize},
		{"crowd/process", b.crowdMemory},
		{"start/new", b.startNew},
		{"start/empty", func(ctx context.Context, name string) error { return b.startAgain(ctx, name, 0) }},
		{"start/large", func(ctx context.Context, name string) error { return b.startAgain(ctx, name, b.students) }},
	}
}

func (b *bench) binarySize(ctx context.Context, name string) error {
	file, err := b.build(ctx)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err == nil {
		b.add(name, point{Bytes: float64(info.Size())})
	}
	return err
}

// crowdMemory is the most memory that the process ever had, when everybody has
// pressed the button at the same moment.
func (b *bench) crowdMemory(ctx context.Context, name string) error {
	d, err := b.newDatabase(ctx, sqlite)
	if err != nil {
		return err
	}
	if err := found(ctx, d.Options); err != nil {
		return err
	}
	return b.running(ctx, d, func(p *process) error {
		if err := p.logIn(ctx); err != nil {
			return err
		}
		all, closeAll, err := p.clients(ctx, b.crowd)
		if err != nil {
			return err
		}
		defer closeAll()
		measured, err := once(ctx, creating(all, school.AccessPassword, true))
		if err != nil {
			return err
		}
		if measured.Bytes, err = p.memory("VmHWM"); err == nil {
			b.add(name, measured)
		}
		return err
	})
}

// running starts the binary, waits until it answers, runs fn and stops it.
func (b *bench) running(ctx context.Context, d database, fn func(*process) error) error {
	p, err := b.start(ctx, d)
	if err != nil {
		return err
	}
	if _, _, err = p.firstAnswers(ctx); err == nil {
		err = fn(p)
	}
	return errors.Join(err, p.stop())
}

// startNew measures the very first start, which makes the database.
func (b *bench) startNew(ctx context.Context, name string) error {
	for range b.starts {
		d, err := b.newDatabase(ctx, sqlite)
		if err != nil {
			return err
		}
		if err := b.startOnce(ctx, name, d); err != nil {
			return err
		}
	}
	return nil
}

// startAgain measures starts on a database that is there, and the memory of the
// process at rest after the last of them.
func (b *bench) startAgain(ctx context.Context, name string, students int) error {
	d, err := b.school(ctx, sqlite, students, studied)
	if err != nil {
		return err
	}
	for range b.starts {
		if err := b.startOnce(ctx, name, d); err != nil {
			return err
		}
	}
	return b.running(ctx, d, func(p *process) error {
		select {
		case <-time.After(b.idle):
		case <-ctx.Done():
			return ctx.Err()
		}
		rest, err := p.memory("VmRSS")
		if err != nil {
			return err
		}
		b.add(name+"/rest", point{Bytes: rest})
		peak, err := p.memory("VmHWM")
		b.add(name+"/peak", point{Bytes: peak})
		return err
	})
}

func (b *bench) startOnce(ctx context.Context, name string, d database) error {
	p, err := b.start(ctx, d)
	if err != nil {
		return err
	}
	alive, login, err := p.firstAnswers(ctx)
	if err == nil {
		b.add(name+"/livez", point{P50: alive})
		b.add(name+"/login", point{P50: login})
	}
	return errors.Join(err, p.stop())
}

const (
	studied   = false
	unstudied = true
)

// keptSchool answers a school that an earlier run has filled, else a new one.
// filled reports whether it was filled now.
func (b *bench) keptSchool(ctx context.Context, engine string, students int) (d database, filled bool, err error) {
	if b.keep == "" || engine != sqlite {
		d, err = b.school(ctx, engine, students, studied)
		return d, true, err
	}
	kept := database{engine: sqlite, drop: func() error { return nil }}
	kept.File = filepath.Join(b.keep, strconv.Itoa(students), "tripwire.db")
	if _, err := os.Stat(kept.File); err == nil {
		return kept, false, nil
	}
	if d, err = b.school(ctx, engine, students, studied); err != nil {
		return d, true, err
	}
	err = errors.Join(os.MkdirAll(filepath.Dir(kept.File), 0o700), os.Rename(d.File, kept.File))
	return kept, true, err
}

// school answers a founded school with so many students, in a database of its own.
func (b *bench) school(ctx context.Context, engine string, students int, unstudied bool) (database, error) {
	d, err := b.newDatabase(ctx, engine)
	if err != nil {
		return d, err
	}
	if err := found(ctx, d.Options); err != nil || students == 0 {
		return d, err
	}
	o := d.Options
	o.Bulk = true
	s, err := store.Open(ctx, o)
	if err != nil {
		return d, err
	}
	told := time.Now()
	_, err = seed.Fill(ctx, s, newDesk(s, nil), seed.Options{Students: students, Seed: 1, Unstudied: unstudied, Progress: func(m seed.Made) {
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			b.tell("  %d of %d students", m.Students, students)
		}
	}})
	return d, errors.Join(err, s.Close())
}
