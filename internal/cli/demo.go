package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/store"
)

type demoCommand struct {
	Server   serverFlags `embed:""`
	Students int         `default:"320" help:"How many students to make (${default})."`
}

// demoPassword opens every account of the demo; it listens on this machine only
// unless told otherwise.
const demoPassword = "tripwire-demo"

// maxDemoStudents keeps the start within a minute.
const maxDemoStudents = 200_000

// Run makes the school in a folder that is gone when it ends, and serves it.
func (c *demoCommand) Run(ctx context.Context, stdio IO) error {
	log := logger(stdio.Err, c.Server.LogFormat)
	var wrong faults
	around := c.Server.check(&wrong)
	wrong.checkEnvironment(stdio.Env)
	if c.Students < 1 || c.Students > maxDemoStudents {
		wrong.add("--students: from 1 to %d", maxDemoStudents)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tripwire-demo-")
	if err != nil {
		return err
	}
	err = c.inFolder(ctx, stdio, log, around, dir)
	return errors.Join(err, os.RemoveAll(dir))
}

func (c *demoCommand) inFolder(ctx context.Context, stdio IO, log *slog.Logger, around surroundings, dir string) error {
	clock := &demoClock{}
	s, err := store.Open(ctx, store.Options{File: filepath.Join(dir, "tripwire.db"), Now: clock.now})
	if err != nil {
		return err
	}
	d, err := databaseFlags{Data: dir}.desk(ctx, s, around.hashMemory, nil)
	if err == nil {
		err = c.fill(ctx, stdio, d, clock)
	}
	if err == nil {
		err = serve(ctx, stdio, log, d, around)
	}
	return errors.Join(err, s.Close())
}

// demoClock is the school's clock while its past is being made; the system's
// afterwards.
type demoClock struct{ past atomic.Pointer[time.Time] }

func (c *demoClock) now() time.Time {
	if t := c.past.Load(); t != nil {
		return *t
	}
	return time.Now()
}

func (c *demoClock) set(t time.Time) { c.past.Store(&t) }

func (c *demoClock) release() { c.past.Store(nil) }

func (c *demoCommand) fill(ctx context.Context, stdio IO, d *desk.Desk, clock *demoClock) error {
	start := time.Now()
	past := &demoSchool{desk: d, clock: clock, today: start}
	if err := past.make(ctx, c.Students); err != nil {
		return fmt.Errorf("make the demo school: %w", err)
	}
	_, err := fmt.Fprintf(stdio.Out, `A school of %d students is ready (%s).

  administrator   %s
  sales manager   %s
  sales manager   %s
  student         %s
  password        %s

`, c.Students, time.Since(start).Round(time.Millisecond), demoAdmin.email, demoManagers[0].email, demoManagers[1].email, demoStudentEmail, demoPassword)
	return err
}
