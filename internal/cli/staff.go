package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"tripwire/internal/desk"
	"tripwire/internal/password"
	"tripwire/internal/school"
)

type staffCommand struct {
	Database databaseFlags `embed:""`

	Add     staffAdd     `cmd:"" help:"Add a member of staff."`
	List    staffList    `cmd:"" help:"List the members of staff."`
	Disable staffDisable `cmd:"" help:"End a person's access to the desk; their students and history stay."`
	Reset   staffReset   `cmd:"" help:"Print a one-time link for a new password, and give the access back."`
}

type staffAdd struct {
	Email         string `required:"" help:"E-mail address to log in with."`
	Name          string `required:"" help:"Full name."`
	Role          string `required:"" placeholder:"admin|sales" help:"admin: everything; sales: own students."`
	PasswordStdin bool   `name:"password-stdin" help:"Read the password from the first line of standard input; without it, one is made and printed once."`
}

// Run adds the member of staff.
func (c *staffAdd) Run(ctx context.Context, stdio IO, parent *commands) error {
	typed, err := newPassword(stdio, c.PasswordStdin)
	if err != nil {
		return err
	}
	return parent.Staff.Database.atDesk(ctx, stdio, mailFlags{}, func(d *desk.Desk) error {
		a, err := d.AddStaff(ctx, school.Terminal(), school.NewStaff{FullName: c.Name, Email: c.Email, Role: c.Role, Password: typed})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdio.Out, "added %s <%s>, %s\n", a.FullName, a.Email, a.Role); err != nil || c.PasswordStdin {
			return err
		}
		_, err = fmt.Fprintf(stdio.Out, "password, shown once: %s\n", typed)
		return err
	})
}

// newPassword makes a password, or reads one.
func newPassword(stdio IO, read bool) (string, error) {
	if !read {
		return school.NewPassword(), nil
	}
	line, err := bufio.NewReader(io.LimitReader(stdio.In, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type staffList struct{}

// Run prints one line for each member of staff.
func (staffList) Run(ctx context.Context, stdio IO, parent *commands) error {
	return parent.Staff.Database.atDesk(ctx, stdio, mailFlags{}, func(d *desk.Desk) error {
		all, err := d.Staff(ctx, school.Terminal())
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(stdio.Out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "E-MAIL\tROLE\tSINCE\tSTATE\tNAME")
		for _, a := range all {
			state := "active"
			if !a.DisabledAt.IsZero() {
				state = "disabled"
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Email, a.Role, a.CreatedAt.Format("2006-01-02"), state, a.FullName)
		}
		return w.Flush()
	})
}

type staffDisable struct {
	Email string `required:"" help:"E-mail address of the person."`
}

// Run ends the access.
func (c *staffDisable) Run(ctx context.Context, stdio IO, parent *commands) error {
	return parent.Staff.Database.atDesk(ctx, stdio, mailFlags{}, func(d *desk.Desk) error {
		if err := d.DisableStaff(ctx, school.Terminal(), c.Email); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdio.Out, "disabled %s\n", c.Email)
		return err
	})
}

type staffReset struct {
	Email   string `required:"" help:"E-mail address of the person."`
	BaseURL string `name:"base-url" env:"TRIPWIRE_BASE_URL" placeholder:"URL" help:"Address that people type, as for serve."`
	Addr    string `env:"TRIPWIRE_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address that the server listens on, as for serve (${default})."`
}

// Run prints the link.
func (c *staffReset) Run(ctx context.Context, stdio IO, parent *commands) error {
	var wrong faults
	around := serverFlags{Addr: c.Addr, BaseURL: c.BaseURL, HashMemory: strconv.Itoa(password.DefaultMemoryMiB), LogFormat: "text"}.check(&wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	return parent.Staff.Database.atDesk(ctx, stdio, mailFlags{}, func(d *desk.Desk) error {
		path, ends, err := d.ResetStaff(ctx, school.Terminal(), c.Email)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdio.Out, "one-time link, until %s UTC:\n  %s\n", ends.Format("2006-01-02 15:04"), around.baseURL+path)
		return err
	})
}
