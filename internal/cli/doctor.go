package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"tripwire/internal/desk"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
)

type doctorCommand struct {
	Database databaseFlags `embed:""`
	Fix      bool          `help:"Mend what can be mended, through the same triggers."`
	JSON     bool          `name:"json" help:"Print one JSON object."`
}

// diagnosis is what doctor prints.
type diagnosis struct {
	Done     []school.Finding `json:"done"`
	Findings []school.Finding `json:"findings"`
}

// Run examines, mends if asked to, and examines again.
func (c *doctorCommand) Run(ctx context.Context, stdio IO) error {
	var wrong faults
	options := c.Database.options(&wrong, slog.New(slog.DiscardHandler))
	wrong.checkEnvironment(stdio.Env)
	if err := wrong.err(); err != nil {
		return err
	}
	if options.URL == "" {
		if _, err := os.Stat(options.File); err != nil { // do not make what is to be examined
			return fmt.Errorf("there is no database at %s", options.File)
		}
	}
	s, err := store.Connect(ctx, options) // as it is: Open would refuse what doctor is for
	if err != nil {
		return err
	}
	key, err := secret.Read(c.Database.Data)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && c.Fix:
		key, err = secret.Load(c.Database.Data)
	case missing: // which is what doctor is for, too
		err = nil
	}
	if err == nil {
		err = c.attend(ctx, stdio, desk.New(s, desk.Options{Hasher: password.NewHasher(password.DefaultMemoryMiB), Files: c.Database.folder(), Key: key}))
	}
	return errors.Join(err, s.Close())
}

func (c *doctorCommand) attend(ctx context.Context, stdio IO, d *desk.Desk) (err error) {
	var found diagnosis
	if c.Fix {
		found.Done, err = d.Repair(ctx)
	}
	if err == nil {
		found.Findings, err = d.Examine(ctx)
	}
	// What was done and found is told also when the rest failed.
	if printed := c.print(stdio, found, err == nil); err != nil || printed != nil {
		return errors.Join(err, printed)
	}
	if len(found.Findings) > 0 {
		return errSilent
	}
	return nil
}

func (c *doctorCommand) print(stdio IO, found diagnosis, complete bool) error {
	if c.JSON {
		none := []school.Finding{} // [] and not null, for whoever reads it with a script
		found.Done, found.Findings = append(none, found.Done...), append(none, found.Findings...)
		encoder := json.NewEncoder(stdio.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(found)
	}
	for _, f := range found.Done {
		if _, err := fmt.Fprintf(stdio.Out, "mended  %s: %s\n", f.Check, f.Problem); err != nil {
			return err
		}
	}
	for _, f := range found.Findings {
		if _, err := fmt.Fprintf(stdio.Out, "WRONG   %s: %s; remedy: %s\n", f.Check, f.Problem, f.Remedy); err != nil {
			return err
		}
	}
	if len(found.Findings) > 0 || !complete {
		return nil
	}
	_, err := fmt.Fprintln(stdio.Out, "ok      the database is as it should be")
	return err
}

type migrateCommand struct {
	Database databaseFlags `embed:""`
}

// Run migrates and says from where to where.
func (c *migrateCommand) Run(ctx context.Context, stdio IO) error {
	var wrong faults
	log := logger(stdio.Err, "text")
	options := c.Database.options(&wrong, log)
	wrong.checkEnvironment(stdio.Env)
	if err := wrong.err(); err != nil {
		return err
	}
	s, err := store.Connect(ctx, options)
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, stdio, s, log), s.Close())
}

func migrate(ctx context.Context, stdio IO, s *store.Store, log *slog.Logger) error {
	from, _, err := s.SchemaVersions(ctx)
	if err != nil {
		return err
	}
	if err := s.Migrate(ctx, log); err != nil {
		return err
	}
	to, _, err := s.SchemaVersions(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdio.Out, "schema %d → %d\n", from, to)
	return err
}
