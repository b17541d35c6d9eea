// Package worker is the back room: what is done when nobody waits for it. It may
// be killed at any instant without harm.
package worker

import (
	"context"
	"log/slog"
	"time"

	"tripwire/internal/desk"
)

// sweepEvery is how often what no longer opens anything is deleted.
const sweepEvery = time.Hour

// Run works until ctx ends.
func Run(ctx context.Context, d *desk.Desk, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		sweep(ctx, d, log)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func sweep(ctx context.Context, d *desk.Desk, log *slog.Logger) {
	n, err := d.Sweep(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.ErrorContext(ctx, "sweep", "error", err.Error())
	case n > 0:
		log.InfoContext(ctx, "swept ended sessions and links, old failures and form keys", "rows", n)
	}
}
