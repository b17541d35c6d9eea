package desk

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// heartbeats are what players have told and no row says yet. A student's row is
// written once in beatEvery, whenever that student asks for a page, and at the
// stop of the server. Only a server that is killed forgets, and then the player,
// which tells everything it has played since its page was opened, tells again.
type heartbeats struct {
	// turns lets one report or writing of a student pass at a time; students share
	// them.
	turns [256]sync.Mutex

	mu      sync.Mutex
	waiting map[school.UserID]map[school.LessonID]beat
	written map[school.UserID]time.Time // the last writing, while it counts
}

type beat struct {
	played     school.Played
	positionMS int64
}

// beatEvery is how often the playing of one student is written.
const beatEvery = 15 * time.Second

// turn answers the lock of a student.
func (h *heartbeats) turn(user school.UserID) *sync.Mutex {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(user)) // never fails
	return &h.turns[sum.Sum32()%uint32(len(h.turns))]
}

// add keeps a beat in place of the lesson's one before, which it includes.
func (h *heartbeats) add(user school.UserID, lesson school.LessonID, b beat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == nil {
		h.waiting, h.written = map[school.UserID]map[school.LessonID]beat{}, map[school.UserID]time.Time{}
	}
	if h.waiting[user] == nil {
		h.waiting[user] = map[school.LessonID]beat{}
	}
	h.waiting[user][lesson] = b
}

// of answers what waits for a student. Nobody changes what it answers.
func (h *heartbeats) of(user school.UserID) map[school.LessonID]beat {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.waiting[user])
}

// done forgets what a student's rows say now.
func (h *heartbeats) done(user school.UserID, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, user)
	h.written[user] = now
}

// due reports whether a student's rows were last written long enough ago.
func (h *heartbeats) due(user school.UserID, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.written[user]) >= beatEvery
}

// overdue lists the students who wait for a writing that is due; all who wait
// when everything is to be written.
func (h *heartbeats) overdue(now time.Time, everything bool) (all []school.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.written, func(_ school.UserID, t time.Time) bool { return now.Sub(t) >= beatEvery })
	for user := range h.waiting {
		if _, recently := h.written[user]; everything || !recently {
			all = append(all, user)
		}
	}
	return all
}

// seen adds to what the rows say what waits to be written.
func (h *heartbeats) seen(user school.UserID, modules []school.ModuleProgress) {
	waiting := h.of(user)
	for _, m := range modules {
		for i, l := range m.Lessons {
			if b, ok := waiting[l.Lesson.ID]; ok {
				m.Lessons[i].Played, m.Lessons[i].PositionMS = l.Played.Union(b.played), b.positionMS
			}
		}
	}
}

// ReportProgress takes what a player tells of a lesson's video. The same report
// twice changes nothing, and more than can have been played since the lesson was
// opened is cut off. It answers how the lesson stands. Errors: Invalid
// progress_invalid, Forbidden lesson_locked with the reason, NotFound.
func (d *Desk) ReportProgress(ctx context.Context, actor school.Actor, lesson school.LessonID, r school.PlayReport) (l school.LessonProgress, err error) {
	if err := actor.May(school.Study); err != nil {
		return l, err
	}
	report, positionMS, err := r.Check()
	if err != nil {
		return l, err
	}
	turn := d.beats.turn(actor.ID)
	turn.Lock()
	defer turn.Unlock()
	var play store.Play
	var now time.Time
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		now = tx.Now
		place, err := enter(tx, actor.ID, lesson)
		if err != nil {
			return err
		}
		if !place.Lesson.Video.Source.Tells() {
			return school.ErrProgressInvalid
		}
		if l, err = tx.FindLessonProgress(actor.ID, lesson); err != nil {
			return err
		}
		play, err = tx.FindPlay(actor.ID, lesson)
		return err
	})
	if errors.Is(err, school.ErrNotFound) && l.Lesson.ID != 0 { // never opened before
		play.OpenedAt = now
		err = d.store.Write(ctx, func(tx *store.Tx) error { return tx.InsertOpening(actor.ID, lesson) })
	}
	if err != nil {
		return l, d.withReason(ctx, actor.ID, lesson, err)
	}
	l.PositionMS = positionMS
	l.Played = play.Played.Union(d.beats.of(actor.ID)[lesson].played).Earn(report, now.Sub(play.OpenedAt))
	d.beats.add(actor.ID, lesson, beat{played: l.Played, positionMS: positionMS})
	if d.beats.due(actor.ID, now) && now.Sub(play.ReportedAt) >= beatEvery {
		err = d.writeBeats(ctx, actor.ID)
	}
	return l, err
}

// keepBeats writes what a student's players have told.
func (d *Desk) keepBeats(ctx context.Context, user school.UserID) error {
	turn := d.beats.turn(user)
	turn.Lock()
	defer turn.Unlock()
	return d.writeBeats(ctx, user)
}

// writeBeats is keepBeats for who has the student's turn. Another server may have
// written meanwhile, so the row is asked again, and what can be earned is judged
// by it.
func (d *Desk) writeBeats(ctx context.Context, user school.UserID) error {
	beats := d.beats.of(user)
	if len(beats) == 0 {
		return nil
	}
	var now time.Time
	err := d.store.Write(ctx, func(tx *store.Tx) error {
		now = tx.Now
		for _, lesson := range slices.Sorted(maps.Keys(beats)) {
			play, err := tx.FindPlay(user, lesson)
			if err != nil {
				return err
			}
			b := beats[lesson]
			if err := tx.UpdatePlay(user, lesson, play.Played.Earn(b.played, tx.Now.Sub(play.OpenedAt)), b.positionMS); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		d.beats.done(user, now)
	}
	return err
}

// KeepProgress writes what has waited long enough, or everything at a stop.
func (d *Desk) KeepProgress(ctx context.Context, everything bool) error {
	var errs []error
	for _, user := range d.beats.overdue(d.store.Now(), everything) {
		errs = append(errs, d.keepBeats(ctx, user))
	}
	return errors.Join(errs...)
}
