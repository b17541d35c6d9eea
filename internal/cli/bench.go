package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/password"
	"tripwire/internal/seed"
	"tripwire/internal/store"
)

type benchCommand struct {
	Seed benchSeed `cmd:"" help:"Add students with a believable past of three years, and the managers who sold to them."`
}

type benchSeed struct {
	Database      databaseFlags `embed:""`
	Students      int           `required:"" placeholder:"N" help:"How many students to add."`
	Seed          uint64        `default:"1" help:"Chooses the past; the same one gives the same students (${default})."`
	PasswordStdin bool          `name:"password-stdin" help:"Read the managers' password from the first line of standard input; without it, one is made and printed once."`
}

// Run fills the database. What is interrupted leaves whole students.
func (c *benchSeed) Run(ctx context.Context, stdio IO) error {
	var wrong faults
	options := c.Database.options(&wrong, slog.New(slog.DiscardHandler))
	wrong.checkEnvironment(stdio.Env)
	if c.Students < 1 || c.Students > seed.MaxStudents {
		wrong.add("--students: from 1 to %d", seed.MaxStudents)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	options.Bulk = true
	typed, err := newPassword(stdio, c.PasswordStdin)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	d, err := c.Database.desk(ctx, s, password.DefaultMemoryMiB, nil)
	if err == nil {
		err = c.fill(ctx, stdio, s, d, typed)
	}
	return errors.Join(err, s.Close())
}

func (c *benchSeed) fill(ctx context.Context, stdio IO, s *store.Store, d *desk.Desk, typed string) error {
	start := time.Now()
	if err := d.PrepareSchool(ctx); err != nil {
		return err
	}
	hired, err := seed.Hire(ctx, d, typed)
	if err != nil {
		return err
	}
	progress := &rate{stdio: stdio, of: c.Students, told: time.Now()}
	made, err := seed.Fill(ctx, s, d, seed.Options{Students: c.Students, Seed: c.Seed, Progress: progress.tell})
	if err != nil {
		return fmt.Errorf("%d of %d students were made, each of them whole: %w", made.Students, c.Students, err)
	}
	took := time.Since(start)
	if _, err := fmt.Fprintf(stdio.Out, "%d students in %s, %.0f a second\n", made.Students, took.Round(time.Millisecond), float64(made.Students)/took.Seconds()); err != nil {
		return err
	}
	for _, line := range []struct {
		n    int
		what string
	}{
		{made.Completed, "have completed the course"},
		{made.Studying, "have done some of its lessons"},
		{made.LoggedIn, "have logged in"},
		{made.Blocked, "are blocked"},
		{made.Deleted, "are deleted"},
		{made.Test, "are test accounts"},
		{made.Refunds, "got money back"},
	} {
		if _, err := fmt.Fprintf(stdio.Out, "  %7d %s\n", line.n, line.what); err != nil {
			return err
		}
	}
	return c.tellManagers(stdio, hired, typed)
}

func (c *benchSeed) tellManagers(stdio IO, hired int, typed string) error {
	all := seed.Managers()
	if _, err := fmt.Fprintf(stdio.Out, "  %7d managers, %d of them new: %s … %s\n", len(all), hired, all[0].Email, all[len(all)-1].Email); err != nil {
		return err
	}
	if hired == 0 || c.PasswordStdin {
		return nil
	}
	_, err := fmt.Fprintf(stdio.Out, "password of the new managers, shown once: %s\n", typed)
	return err
}

// rate tells every few seconds how far it has come and how fast it went since.
type rate struct {
	stdio IO
	of    int
	told  time.Time
	done  int
}

func (r *rate) tell(made seed.Made) {
	now := time.Now()
	if since := now.Sub(r.told).Seconds(); since >= 2 || made.Students == r.of {
		_, _ = fmt.Fprintf(r.stdio.Err, "%d of %d students, %.0f a second\n", made.Students, r.of, float64(made.Students-r.done)/since)
		r.told, r.done = now, made.Students
	}
}
