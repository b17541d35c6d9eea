package desk

import (
	"context"
	"errors"
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
	mu      sync.Mutex
	waiting map[school.UserID]map[school.LessonID]beat
}

type beat struct {
	played     school.Played
	positionMS int64
	due        time.Time
}

// beatEvery is how often the playing of one student is written.
const beatEvery = 15 * time.Second

// add merges a beat with those that wait.
func (h *heartbeats) add(user school.UserID, lesson school.LessonID, b beat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == nil {
		h.waiting = map[school.UserID]map[school.LessonID]beat{}
	}
	if h.waiting[user] == nil {
		h.waiting[user] = map[school.LessonID]beat{}
	}
	if old, ok := h.waiting[user][lesson]; ok {
		b.played = b.played.Union(old.played)
		if old.due.Before(b.due) {
			b.due = old.due
		}
	}
	h.waiting[user][lesson] = b
}

// get answers what waits for one lesson.
func (h *heartbeats) get(user school.UserID, lesson school.LessonID) school.Played {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waiting[user][lesson].played
}

// take answers what waits for one student, and forgets it.
func (h *heartbeats) take(user school.UserID) map[school.LessonID]beat {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.waiting[user]
	delete(h.waiting, user)
	return taken
}

// overdue lists the students who wait since before t; all of them for the zero
// time.
func (h *heartbeats) overdue(t time.Time) (all []school.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for user, beats := range h.waiting {
		for _, b := range beats {
			if t.IsZero() || !b.due.After(t) {
				all = append(all, user)
				break
			}
		}
	}
	return all
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
	l.Played = play.Played.Union(d.beats.get(actor.ID, lesson)).Earn(report, now.Sub(play.OpenedAt))
	d.beats.add(actor.ID, lesson, beat{played: l.Played, positionMS: positionMS, due: play.ReportedAt.Add(beatEvery)})
	if now.Sub(play.ReportedAt) >= beatEvery {
		err = d.keepBeats(ctx, actor.ID)
	}
	return l, err
}

// keepBeats writes what a student's players have told.
func (d *Desk) keepBeats(ctx context.Context, user school.UserID) error {
	beats := d.beats.take(user)
	if len(beats) == 0 {
		return nil
	}
	err := d.store.Write(ctx, func(tx *store.Tx) error {
		for _, lesson := range slices.Sorted(maps.Keys(beats)) {
			play, err := tx.FindPlay(user, lesson)
			if err != nil {
				return err
			}
			if err := tx.UpdatePlay(user, lesson, play.Played.Union(beats[lesson].played), beats[lesson].positionMS); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for lesson, b := range beats { // for the next try
			d.beats.add(user, lesson, b)
		}
	}
	return err
}

// KeepProgress writes what has waited long enough, or everything at a stop.
func (d *Desk) KeepProgress(ctx context.Context, everything bool) error {
	t := d.store.Now()
	if everything {
		t = time.Time{}
	}
	var errs []error
	for _, user := range d.beats.overdue(t) {
		errs = append(errs, d.keepBeats(ctx, user))
	}
	return errors.Join(errs...)
}
