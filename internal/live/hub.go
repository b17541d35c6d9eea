// Package live tells whoever watches a screen that rows behind it have changed.
package live

import (
	"slices"
	"sync"

	"tripwire/internal/school"
)

// Event is one line of the history, reduced to what decides whom it concerns.
type Event struct {
	ID    int64         // of the line
	Owner school.UserID // whose student it is about; empty: nobody's
	Ranks bool          // the ranking, which everybody sees, may differ
	// Others are those whose rows have changed too: whose student it was, and in
	// whose figures the sale counts.
	Others []school.UserID
}

// Change is what a watcher has to fetch anew. The zero Change is nothing.
type Change struct {
	// ID is the largest id of the lines within the watcher's scope; 0 when there
	// was none.
	ID int64
	// Rows: something within the scope has changed, or has left it.
	Rows bool
	// Ranking: the comparison of the managers has changed. It is all that may be
	// told of what is beyond the scope, without an id.
	Ranking bool
}

// Of answers what an event is to somebody who may see the students within scope.
// The zero Scope learns nothing, like nobody's line nobody but who sees all.
func Of(scope school.Scope, e Event) Change {
	switch {
	case scope.All, scope.Owner != "" && scope.Owner == e.Owner:
		return Change{ID: e.ID, Rows: true, Ranking: true}
	case scope.Owner != "":
		return Change{Rows: slices.Contains(e.Others, scope.Owner), Ranking: e.Ranks}
	default:
		return Change{}
	}
}

// With answers both changes in one.
func (c Change) With(other Change) Change {
	return Change{ID: max(c.ID, other.ID), Rows: c.Rows || other.Rows, Ranking: c.Ranking || other.Ranking}
}

// Hub hands events to everybody whom they concern. It is made by NewHub, runs
// nothing by itself and never waits for a watcher.
type Hub struct {
	mu       sync.Mutex
	watchers map[*Watcher]struct{}
}

// NewHub answers a hub without watchers.
func NewHub() *Hub { return &Hub{watchers: map[*Watcher]struct{}{}} }

// Watcher is one screen. What it has not taken yet is kept as a single Change, so
// a slow reader costs no more than a quick one and is told no less.
type Watcher struct {
	hub   *Hub
	scope school.Scope
	ready chan struct{}

	mu      sync.Mutex
	waiting Change
}

// Subscribe adds a watcher of what is within scope. Close ends it.
func (h *Hub) Subscribe(scope school.Scope) *Watcher {
	w := &Watcher{hub: h, scope: scope, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers[w] = struct{}{}
	return w
}

// Publish tells every watcher whom an event concerns.
func (h *Hub) Publish(events ...Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		var c Change
		for _, e := range events {
			c = c.With(Of(w.scope, e))
		}
		w.Add(c)
	}
}

// Add puts a change in front of the watcher, beside what waits there.
func (w *Watcher) Add(c Change) {
	if c == (Change{}) {
		return
	}
	w.mu.Lock()
	w.waiting = w.waiting.With(c)
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default: // it has been told that something waits
	}
}

// Ready gets a value when there may be something to Take.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Take answers everything since the last Take; the zero Change when there was
// nothing.
func (w *Watcher) Take() Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.waiting
	w.waiting = Change{}
	return c
}

// Close ends the watcher; closing twice is closing once.
func (w *Watcher) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	delete(w.hub.watchers, w)
}
