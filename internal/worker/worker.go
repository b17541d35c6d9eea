// Package worker is the back room: what is done when nobody waits for it. It may
// be killed at any instant without harm.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tripwire/internal/desk"
)

const (
	sweepEvery = time.Hour       // what no longer opens anything is deleted
	keepEvery  = 5 * time.Second // what players have told is written
)

// Options are what the back room has to know of its surroundings.
type Options struct {
	Log     *slog.Logger
	BaseURL string // what links in letters begin with, no slash at the end
}

// Run works until ctx ends.
func Run(ctx context.Context, d *desk.Desk, o Options) {
	log := o.Log
	var jobs sync.WaitGroup
	jobs.Go(func() { letters(ctx, d, o) })
	jobs.Go(func() { each(ctx, remindEvery, func() { remind(ctx, d, log) }) })
	jobs.Go(func() { each(ctx, sweepEvery, func() { sweep(ctx, d, log) }) })
	jobs.Go(func() { each(ctx, keepEvery, func() { keep(ctx, d, log, false) }) })
	jobs.Wait()
	keep(context.WithoutCancel(ctx), d, log, true) // nothing else will
}

// each runs job at once and then again and again, until ctx ends.
func each(ctx context.Context, pause time.Duration, job func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		job()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func keep(ctx context.Context, d *desk.Desk, log *slog.Logger, everything bool) {
	if err := d.KeepProgress(ctx, everything); err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "keep what players have told", "error", err.Error())
	}
}

func sweep(ctx context.Context, d *desk.Desk, log *slog.Logger) {
	n, err := d.Sweep(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.ErrorContext(ctx, "sweep", "error", err.Error())
		return
	case n > 0:
		log.InfoContext(ctx, "swept ended sessions and links, old failures and form keys, old words of letters", "rows", n)
	}
	files, err := d.SweepFiles(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.ErrorContext(ctx, "sweep files", "error", err.Error())
	case files > 0:
		log.InfoContext(ctx, "swept files that nothing uses", "files", files)
	}
}
