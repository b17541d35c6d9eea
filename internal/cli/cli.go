// Package cli is the terminal door, and the one place that constructs things.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	_ "time/tzdata" // a machine without zone files must not show another time

	"github.com/alecthomas/kong"

	"tripwire/internal/password"
	"tripwire/internal/school"
)

// IO is what a command may touch of the process around it.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Env      []string
}

// commands is the whole command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the desk."`
	Demo    demoCommand    `cmd:"" help:"Run a believable school on a throw-away database."`
	Staff   staffCommand   `cmd:"" help:"Add, list, disable or reset members of staff."`
	Letters lettersCommand `cmd:"" help:"List letters, have them tried again, test the mail server."`
	Doctor  doctorCommand  `cmd:"" help:"Say what is wrong with the database; with --fix, mend it."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to this version's schema."`
	Bench   benchCommand   `cmd:"" help:"Fill a database with as many students as a measurement needs."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// Main runs one command and answers the exit code: 0 done, 1 failed, 2 called
// wrongly.
func Main(ctx context.Context, args []string, stdio IO) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("tripwire"),
		kong.Description("A self-hosted enrolment desk and short-course platform in one program."),
		kong.Writers(stdio.Out, stdio.Err), kong.UsageOnError(), kong.Exit(func(code int) { exit = code }),
		kong.Resolvers(environment(stdio.Env)), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"hash_memory": strconv.Itoa(password.DefaultMemoryMiB)})
	if err != nil {
		return report(stdio.Err, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		_, _ = fmt.Fprintf(stdio.Err, "tripwire: %v\n", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return report(stdio.Err, parsed.Run(stdio))
}

// environment gives a flag the value of its TRIPWIRE_* variable.
func environment(env []string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			for _, entry := range slices.Backward(env) {
				if value, ok := strings.CutPrefix(entry, name+"="); ok {
					return value, nil
				}
			}
		}
		return nil, nil //nolint:nilnil // the resolver's way of saying: not here
	})
}

// errSilent ends a command that has said everything itself.
var errSilent = errors.New("failed")

// report prints an error as one sentence, with what was wrong in each field.
func report(w io.Writer, err error) int {
	var e *school.Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSilent):
		return 1
	case errors.As(err, &e) && len(e.Fields) > 0:
		_, _ = fmt.Fprintf(w, "tripwire: %s\n", e.Error())
	case errors.As(err, &e):
		_, _ = fmt.Fprintf(w, "tripwire: %s (%s)\n", e.Text, e.Code)
	default:
		_, _ = fmt.Fprintf(w, "tripwire: %v\n", err)
	}
	return 1
}

// version is what the release was built as; empty for a build from a checkout.
var version string

type versionCommand struct{}

// Run prints the version, the revision and the Go release.
func (versionCommand) Run(stdio IO) error {
	name, goVersion := version, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		for _, s := range info.Settings {
			if name == "" && s.Key == "vcs.revision" {
				name = s.Value
			}
		}
	}
	if name == "" {
		name = "(devel)"
	}
	_, err := fmt.Fprintf(stdio.Out, "tripwire %s %s\n", name, goVersion)
	return err
}
