// Command bench measures the desk beside the floor under it (the bare database,
// the bare hash, a plain HTTP answer), all in one run on one machine, and prints
// the tables of docs/performance.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// superuserVariable names the environment variable with the address of a
// superuser on a throw-away PostgreSQL cluster; `make bench` starts one.
const superuserVariable = "TRIPWIRE_TEST_POSTGRES"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// options are how much is measured.
type options struct {
	rounds   int
	each     time.Duration // of one point in one round
	students int           // in the large school
	// schoolSizes are the students in the schools whose desks are compared.
	schoolSizes []int
	starts      int
	idle        time.Duration // before memory at rest is read
	crowd       int           // creations at the same moment
	only        *regexp.Regexp
	keep        string // the folder in which filled SQLite schools stay; empty: none does
	json        string
	profile     string
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{students: 100_000, starts: 10, idle: 5 * time.Second, crowd: 200}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	seconds := f.Float64("seconds", 3, "how long each point is measured in each round")
	only := f.String("only", "", "measure only the points whose name matches this expression, such as ^create/sqlite/")
	quick := f.Bool("quick", false, "a rough look: one short round, a smaller school")
	sizes := f.String("schools", "1000,100000,1000000", "how many students the schools have whose sales desks are compared")
	f.IntVar(&o.rounds, "rounds", 3, "how many rounds; the tables show the medians")
	f.StringVar(&o.keep, "keep", "", "keep the filled SQLite schools in this folder, and use those that are there: filling a million takes minutes")
	f.StringVar(&o.json, "json", "", "write every measurement to this file too")
	f.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the whole run to this file")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.each = time.Duration(*seconds * float64(time.Second))
	if *quick {
		o.rounds, o.each, o.students, o.starts, o.idle = 1, 700*time.Millisecond, 20_000, 3, time.Second
		if !given(f, "schools") {
			*sizes = "1000,20000"
		}
	}
	var err error
	if o.schoolSizes, err = numbers(*sizes); err != nil {
		return o, err
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

func given(f *flag.FlagSet, name string) (yes bool) {
	f.Visit(func(set *flag.Flag) { yes = yes || set.Name == name })
	return yes
}

func numbers(s string) (all []int, err error) {
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || len(all) > 0 && n <= all[len(all)-1] {
			return nil, fmt.Errorf("-schools: %q is no list of growing numbers", s)
		}
		all = append(all, n)
	}
	return all, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	b := &bench{options: o, progress: stderr, superuser: os.Getenv(superuserVariable)}
	if b.superuser == "" {
		return errors.New(superuserVariable + " is not set: run `make bench`, which starts a throw-away PostgreSQL")
	}
	if b.dir, err = os.MkdirTemp("", "tripwire-bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	m, err := describe(ctx, b)
	if err != nil {
		return err
	}
	stopProfile, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	err = errors.Join(b.measure(ctx), stopProfile())
	if err != nil {
		return err
	}
	if o.json != "" {
		if err := writeJSON(o.json, m, b.sheet.points); err != nil {
			return err
		}
	}
	return writeReport(stdout, m, b)
}

func startProfile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func writeJSON(file string, m machine, points map[string][]point) error {
	text, err := json.MarshalIndent(map[string]any{"machine": m, "points": points}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}
