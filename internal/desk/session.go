package desk

import (
	"context"
	"errors"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// touchEvery bounds how often a session in use is written.
const touchEvery = time.Minute

// Arrival is what must be known of a request before anything else.
type Arrival struct {
	Settings school.Settings
	// Session is what the session library keeps under the token; nil: nobody is
	// logged in with it.
	Session []byte
	Actor   school.Actor
	Now     time.Time // by the school's clock
}

// Arrive answers who comes with a token, as the rows say now: a role, a block or
// a sign-out everywhere counts from the next request on. An empty hash is a
// visitor without a token. A session in use is noted so, at most once a minute.
func (d *Desk) Arrive(ctx context.Context, tokenHash string) (Arrival, error) {
	a, lastSeen, err := d.arrive(ctx, tokenHash)
	if err == nil && a.Session != nil && a.Now.Sub(lastSeen) >= touchEvery {
		err = d.store.Write(ctx, func(tx *store.Tx) error { return tx.TouchSession(tokenHash, a.Actor.ID) })
	}
	return a, err
}

// Recognize is Arrive for what a screen asks by itself: a window left open must
// not keep a session in use that nobody uses.
func (d *Desk) Recognize(ctx context.Context, tokenHash string) (Arrival, error) {
	a, _, err := d.arrive(ctx, tokenHash)
	return a, err
}

func (d *Desk) arrive(ctx context.Context, tokenHash string) (a Arrival, lastSeen time.Time, err error) {
	if tokenHash == "" {
		a, err = d.arriveUnknown(ctx)
		return a, lastSeen, err
	}
	var s store.LiveSession
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		a.Now = tx.Now
		s, err = tx.FindSession(tokenHash)
		return err
	})
	switch {
	case errors.Is(err, school.ErrNotFound):
		a, err = d.arriveUnknown(ctx)
		return a, lastSeen, err
	case err != nil:
		return a, lastSeen, err
	}
	a.Settings = s.Settings
	if c := s.Account; c.Blocked || !c.DisabledAt.IsZero() || !c.DeletedAt.IsZero() || !s.LastSeenAt.After(idleSince(a.Now, s.Settings)) {
		return a, lastSeen, nil
	}
	a.Session, a.Actor = s.Data, actorOf(s.Account)
	return a, s.LastSeenAt, nil
}

// arriveUnknown is the arrival of somebody who is not logged in.
func (d *Desk) arriveUnknown(ctx context.Context) (a Arrival, err error) {
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		a.Now = tx.Now
		a.Settings, err = tx.FindSettings()
		return err
	})
	return a, err
}

func idleSince(now time.Time, s school.Settings) time.Time {
	return now.Add(-time.Duration(s.SessionIdleHours) * time.Hour)
}

// KeepSession keeps what the session library wants kept.
func (d *Desk) KeepSession(ctx context.Context, s school.Session, data []byte) error {
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.UpsertSession(s, data) })
}

// EndSession ends one session.
func (d *Desk) EndSession(ctx context.Context, tokenHash string) error {
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.DeleteSession(tokenHash) })
}

// EndMySessions signs the actor out everywhere.
func (d *Desk) EndMySessions(ctx context.Context, actor school.Actor) error {
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.DeleteSessionsOf(actor.ID) })
}

// MySessions answers the devices on which the actor is logged in.
func (d *Desk) MySessions(ctx context.Context, actor school.Actor) (all []school.Session, err error) {
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		all, err = tx.ListSessions(actor.ID, idleSince(tx.Now, settings))
		return err
	})
	return all, err
}

// SetLanguage changes the language of the actor's own screen. Errors: Invalid.
func (d *Desk) SetLanguage(ctx context.Context, actor school.Actor, l school.Language) error {
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.UpdateLanguage(actor.ID, l) })
}

// Sweep deletes what no longer opens anything, and the words of letters that are no
// longer kept. It answers how many rows went.
func (d *Desk) Sweep(ctx context.Context) (n int64, err error) {
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		n, err = tx.DeleteStaleAccess(idleSince(tx.Now, settings), tx.Now.Add(-24*time.Hour))
		return err
	})
	if err != nil {
		return n, err
	}
	words, err := d.forgetWords(ctx)
	return n + words, err
}

// maxForgotten bounds of how many letters one transaction forgets what they said.
const maxForgotten = 1000

// forgetWords deletes what letters said longer ago than the school keeps it.
func (d *Desk) forgetWords(ctx context.Context) (total int64, err error) {
	for {
		var n int64
		err = d.store.Write(ctx, func(tx *store.Tx) error {
			s, err := tx.FindMailSettings()
			if err != nil {
				return err
			}
			n, err = tx.DeleteLetterContents(wordsSince(tx, s), maxForgotten)
			return err
		})
		if total += n; err != nil || n < maxForgotten {
			return total, err
		}
	}
}
