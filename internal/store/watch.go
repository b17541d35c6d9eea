package store

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"tripwire/internal/school"
)

// watchers are told when lines may have been added to the history, by us or by
// another process on the same database. They are told nothing else: what it was
// they read, so that an announcement may be doubled, merged or lost.
type watchers struct {
	mu  sync.Mutex
	all map[chan struct{}]struct{}
}

// Watch answers a channel that gets a value soon after lines were added to the
// history; several additions may be one value, and a value may stand for none.
// stop ends it.
func (s *Store) Watch() (added <-chan struct{}, stop func()) {
	w := make(chan struct{}, 1)
	s.watchers.add(w)
	s.engine.hear(s.watchers.ring)
	return w, func() { s.watchers.remove(w) }
}

func (a *watchers) add(w chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[chan struct{}]struct{}{}
	}
	a.all[w] = struct{}{}
}

func (a *watchers) remove(w chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, w)
}

func (a *watchers) ring() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.all {
		wake(w)
	}
}

// wake leaves a note that one is wanted; one note is enough.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// announce tells whoever watches, here and in other processes. It waits for
// nobody.
func (s *Store) announce() {
	s.watchers.ring()
	s.engine.tell()
}

// Line is what tells whom a line of the history concerns.
type Line struct {
	ID     int64
	At     time.Time
	Owner  school.UserID // whose student it was about; empty: nobody's
	Action school.Action
	Others []school.UserID // whom it concerns beside the owner
}

func scanLine(r row) (l Line, err error) {
	var encoded string
	if err := r.Scan(&l.ID, at(&l.At), text(&l.Owner), text(&l.Action), &encoded); err != nil || !l.Action.Ranks() {
		return l, err
	}
	var details map[string]string
	if err := json.Unmarshal([]byte(encoded), &details); err != nil {
		return l, err
	}
	for id := range strings.FieldsSeq(details[school.DetailFrom] + " " + details[school.DetailSellers]) {
		l.Others = append(l.Others, school.UserID(id))
	}
	return l, nil
}

// ListLinesAfter answers lines of the history with an id above after, the oldest
// first, and before them those below it that may have become visible since.
func (tx *Tx) ListLinesAfter(after int64, limit int) ([]Line, error) {
	return list(tx, "SELECT id, at, owner_id, action, details FROM activity WHERE id > $1 ORDER BY id LIMIT $2", scanLine,
		after-tx.engine.overtaken(), limit)
}

// ListNewestLines answers the newest lines of the history, the newest first.
func (tx *Tx) ListNewestLines(limit int) ([]Line, error) {
	return list(tx, "SELECT id, at, owner_id, action, details FROM activity ORDER BY id DESC LIMIT $1", scanLine, limit)
}

// LastLine answers the largest id of a line about students within the scope; 0
// when there is none.
func (tx *Tx) LastLine(scope school.Scope) (int64, error) {
	if scope.All {
		return one(tx, "SELECT coalesce(max(id), 0) FROM activity", scanInt64)
	}
	// Of the newest, which an index has: ids and times hardly ever go different ways,
	// and what is told twice does no harm.
	return one(tx, "SELECT coalesce(max(id), 0) FROM (SELECT id FROM activity WHERE owner_id = $1 ORDER BY at DESC, id DESC LIMIT 50) newest", scanInt64, scope.Owner)
}

// LetterMove is a letter that was attempted lately; not every attempt is a line of the
// history.
type LetterMove struct {
	ID       int64
	Attempts int
	State    school.LetterState
	Owner    school.UserID // whose student it is about; empty: nobody's
}

// ListLetterMoves answers letters that were attempted from a time on, the latest first,
// and those with the ids.
func (tx *Tx) ListLetterMoves(since time.Time, ids []int64, limit int) ([]LetterMove, error) {
	c := condition{args: []any{since, limit}}
	query := "SELECT m.id FROM (SELECT id FROM letters WHERE attempted_at >= $1 ORDER BY attempted_at DESC LIMIT $2) m"
	if len(ids) > 0 {
		query += " UNION SELECT id FROM letters WHERE id IN (" + argList(&c, ids) + ")"
	}
	return list(tx, "SELECT l.id, l.attempts, l.state, (SELECT t.granted_by FROM tripwire_users t WHERE t.user_id = l.user_id ORDER BY t.granted_at LIMIT 1) FROM letters l WHERE l.id IN ("+query+")",
		func(r row) (m LetterMove, err error) {
			return m, r.Scan(&m.ID, &m.Attempts, text(&m.State), text(&m.Owner))
		}, c.args...)
}

// Settled is how long after its time a line becomes visible at the latest. A
// transaction that takes longer is told of all the same, to who watches already.
const Settled = 2 * time.Second

// MayBeNew reports whether a line may be missing on a screen that shows those up
// to the id after.
func (tx *Tx) MayBeNew(l Line, after int64) bool {
	return l.ID > after || l.ID > after-tx.engine.overtaken() && tx.Now.Sub(l.At) < Settled
}
