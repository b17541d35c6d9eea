package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// act does once what is measured.
type act func(context.Context) error

// load lets every client act again and again, each as soon as it has its
// answer: a fifth of the time for warming up, then the time that counts. The
// first error ends it.
func load(ctx context.Context, clients []act, each time.Duration) (point, error) {
	if _, _, err := press(ctx, clients, each/5); err != nil {
		return point{}, err
	}
	runtime.GC() // what came before is not charged to this
	took, all, err := press(ctx, clients, each)
	if err != nil {
		return point{}, err
	}
	return figures(took, all), nil
}

// press answers how long each act took and how long all of it.
func press(ctx context.Context, clients []act, each time.Duration) (took []time.Duration, all time.Duration, err error) {
	var (
		crowd sync.WaitGroup
		mu    sync.Mutex
		errs  []error
		begin = time.Now()
	)
	for _, do := range clients {
		crowd.Go(func() {
			mine, err := repeat(ctx, do, begin.Add(each))
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			errs = append(errs, err)
		})
	}
	crowd.Wait()
	return took, time.Since(begin), errors.Join(errs...)
}

// repeat acts at least once.
func repeat(ctx context.Context, do act, until time.Time) (took []time.Duration, err error) {
	for now := time.Now(); len(took) == 0 || now.Before(until); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := do(ctx); err != nil {
			return nil, err
		}
		end := time.Now()
		took = append(took, end.Sub(now))
		now = end
	}
	return took, nil
}

// once lets every client act one time, all at the same moment.
func once(ctx context.Context, clients []act) (point, error) {
	took, all, err := press(ctx, clients, 0)
	if err != nil {
		return point{}, err
	}
	return figures(took, all), nil
}

func figures(took []time.Duration, all time.Duration) point {
	slices.Sort(took)
	return point{Rate: float64(len(took)) / all.Seconds(), P50: took[len(took)/2], P99: took[len(took)*99/100]}
}
