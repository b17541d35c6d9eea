package desk

import (
	"context"
	"sync"
	"time"

	"tripwire/internal/live"
	"tripwire/internal/school"
	"tripwire/internal/store"
)

const (
	// maxStreams bounds how many windows of one person are kept up to date by one
	// server.
	maxStreams = 20
	// readEvery bounds how often the history is read for what was added to it.
	readEvery = 100 * time.Millisecond
	// readAgain is the pause after a read that failed.
	readAgain = time.Second
	// maxNews is how many lines one read brings; more are read at once after it.
	maxNews = 1000
	// maxMissed is how far back is looked for what a screen has missed; with more
	// than that it is told to fetch everything.
	maxMissed = 200
)

// Seen is how much of the history a screen shows.
type Seen struct {
	ID int64     // of the newest line within the actor's scope
	At time.Time // when the screen was made, by the store's clock
}

// Seen answers what a screen shows whose rows are read from now on. Errors:
// Forbidden.
func (d *Desk) Seen(ctx context.Context, actor school.Actor) (s Seen, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return s, err
	}
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		s.At = tx.Now
		s.ID, err = tx.LastLine(scope)
		return err
	})
	return s, err
}

// Changes tell of what happens within an actor's scope, until they are closed.
type Changes struct {
	*live.Watcher
	close func()
}

// Close ends the stream and waits for what served it alone.
func (c *Changes) Close() { c.close() }

// Changes answers a stream of what happens to the rows behind the actor's screen:
// to own students, and to everybody's for who sees all. Of the students of others
// a manager learns only that the ranking has changed, which everybody may see, and
// that rows have of a student who was theirs until then or whose sale is theirs.
// What happened since the screen was made comes first; for the zero Seen the
// stream begins now. Errors: Forbidden, Limited too_many_streams.
func (d *Desk) Changes(ctx context.Context, actor school.Actor, after Seen) (*Changes, error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return nil, err
	}
	if err := d.news.enter(ctx, d.store, actor.ID); err != nil {
		return nil, err
	}
	// First the subscription, then the look at what was missed: between the two
	// nothing is lost, and twice does no harm.
	c := &Changes{Watcher: d.news.hub.Subscribe(scope)}
	c.close = sync.OnceFunc(func() {
		c.Watcher.Close()
		d.news.leave(actor.ID)
	})
	missed, err := d.missed(ctx, scope, after)
	if err != nil {
		c.Close()
		return nil, err
	}
	c.Add(missed)
	return c, nil
}

func (d *Desk) missed(ctx context.Context, scope school.Scope, after Seen) (c live.Change, err error) {
	if after == (Seen{}) {
		return c, nil
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		c = live.Change{}
		lines, err := tx.ListNewestLines(maxMissed)
		if err != nil {
			return err
		}
		// Its time is that of the beginning of the writing.
		since := after.At.Add(-store.Settled)
		moves, err := tx.ListLetterMoves(since, nil, maxMissed)
		if err != nil {
			return err
		}
		for _, m := range moves {
			c = c.With(live.Of(scope, eventOfLetter(m)))
		}
		for _, l := range lines {
			one := live.Of(scope, eventOf(l))
			switch {
			case one.ID != 0 && tx.MayBeNew(l, after.ID), one.ID == 0 && l.At.After(since):
				c = c.With(one)
			}
		}
		if len(lines) == maxMissed && lines[maxMissed-1].At.After(since) || len(moves) == maxMissed {
			c = c.With(live.Change{Rows: true, Ranking: true})
		}
		return nil
	})
	return c, err
}

func eventOf(l store.Line) live.Event {
	return live.Event{ID: l.ID, Owner: l.Owner, Ranks: l.Action.Ranks(), Others: l.Others}
}

func eventOfLetter(m store.LetterMove) live.Event { return live.Event{Owner: m.Owner} }

// news reads the history while anybody watches, once for all of them. The zero
// value is ready for use.
type news struct {
	mu      sync.Mutex
	hub     *live.Hub
	streams map[school.UserID]int
	cancel  context.CancelFunc // of the reader; nil: nobody watches
	reader  sync.WaitGroup
}

// enter counts one stream more. The first one starts the reader.
func (n *news) enter(ctx context.Context, s *store.Store, who school.UserID) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.streams[who] >= maxStreams {
		return school.ErrTooManyStreams
	}
	if n.hub == nil {
		n.hub, n.streams = live.NewHub(), map[school.UserID]int{}
	}
	if n.cancel == nil {
		if err := n.start(ctx, s); err != nil {
			return err
		}
	}
	n.streams[who]++
	return nil
}

// leave ends the reader with the last stream.
func (n *news) leave(who school.UserID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.streams[who]--; n.streams[who] > 0 {
		return
	}
	delete(n.streams, who)
	if len(n.streams) == 0 {
		n.cancel()
		n.reader.Wait()
		n.cancel = nil
	}
}

func (n *news) start(ctx context.Context, s *store.Store) error {
	added, stop := s.Watch()
	r := &reader{store: s, hub: n.hub, added: added}
	if err := r.begin(ctx); err != nil {
		stop()
		return err
	}
	reading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.cancel = cancel
	n.reader.Go(func() {
		defer stop()
		r.run(reading)
	})
	return nil
}

// reader publishes each line of the history once, and each move of a letter of which
// no line tells.
type reader struct {
	store *store.Store
	hub   *live.Hub
	added <-chan struct{}
	last  int64                      // the largest id that was read
	known map[int64]struct{}         // those just below it that were published
	moved time.Time                  // until when the attempts of letters were read
	moves map[int64]store.LetterMove // that were published, of the latest attempts
}

// begin takes what is there now for known.
func (r *reader) begin(ctx context.Context) error {
	return r.store.Read(ctx, func(tx *store.Tx) (err error) {
		if r.last, err = tx.LastLine(school.Scope{All: true}); err != nil {
			return err
		}
		lines, err := tx.ListLinesAfter(r.last, maxNews)
		if err != nil {
			return err
		}
		r.unknown(lines)
		r.moved = tx.Now
		moves, err := tx.ListLetterMoves(r.moved.Add(-store.Settled), nil, maxNews)
		r.unknownMoves(moves, tx.Now)
		return err
	})
}

func (r *reader) run(ctx context.Context) {
	for {
		select {
		case <-r.added:
		case <-ctx.Done():
			return
		}
		for {
			more, err := r.read(ctx)
			if err != nil && ctx.Err() == nil { // nobody is told: the next read brings what this one did not
				wait(ctx, readAgain)
			} else if !more {
				break
			}
		}
		wait(ctx, readEvery)
	}
}

// read publishes what was added. more: there is more than one read brings.
func (r *reader) read(ctx context.Context) (more bool, err error) {
	var lines []store.Line
	var moves []store.LetterMove
	var now time.Time
	err = r.store.Read(ctx, func(tx *store.Tx) error {
		now = tx.Now
		if lines, err = tx.ListLinesAfter(r.last, maxNews); err != nil {
			return err
		}
		moves, err = tx.ListLetterMoves(r.moved.Add(-store.Settled), r.underWay(), maxNews)
		return err
	})
	if err != nil {
		return false, err
	}
	r.hub.Publish(append(r.unknown(lines), r.unknownMoves(moves, now)...)...)
	return len(lines) == maxNews, nil
}

// underWay are the letters that were being sent at the last look.
func (r *reader) underWay() (ids []int64) {
	for id, m := range r.moves {
		if m.State == school.LetterSending {
			ids = append(ids, id)
		}
	}
	return ids
}

// unknownMoves answers the moves of letters that were not read before, and knows them
// from now on.
func (r *reader) unknownMoves(moves []store.LetterMove, now time.Time) (events []live.Event) {
	known := map[int64]store.LetterMove{}
	for _, m := range moves {
		if r.moves[m.ID] != m {
			events = append(events, eventOfLetter(m))
		}
		known[m.ID] = m
	}
	r.moves, r.moved = known, now
	return events
}

// unknown answers the lines that were not read before, and knows them from now
// on. What the next read will not bring again is forgotten.
func (r *reader) unknown(lines []store.Line) (events []live.Event) {
	known := map[int64]struct{}{}
	for _, l := range lines {
		if _, before := r.known[l.ID]; !before {
			events = append(events, eventOf(l))
		}
		known[l.ID] = struct{}{}
		r.last = max(r.last, l.ID)
	}
	r.known = known
	return events
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
