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

// FindSession answers what the session library keeps under a token's hash;
// found is false for a session that has ended. A session in use is noted so, at
// most once a minute.
func (d *Desk) FindSession(ctx context.Context, tokenHash string) (data []byte, found bool, err error) {
	var s store.SessionData
	var now time.Time
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		now = tx.Now
		s, err = tx.FindSession(tokenHash, idleSince(now, settings))
		return err
	})
	if errors.Is(err, school.ErrNotFound) {
		return nil, false, nil
	}
	if err == nil && now.Sub(s.LastSeenAt) >= touchEvery {
		err = d.store.Write(ctx, func(tx *store.Tx) error { return tx.TouchSession(tokenHash) })
	}
	return s.Data, err == nil, err
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

// Actor answers who holds a session, as the rows say now. Errors:
// Unauthenticated for an account that may no longer be used.
func (d *Desk) Actor(ctx context.Context, id school.UserID) (school.Actor, error) {
	var a school.Account
	err := d.store.Read(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.FindAccount(id)
		return err
	})
	switch {
	case errors.Is(err, school.ErrNotFound):
		return school.Actor{}, school.ErrNotLoggedIn
	case err != nil:
		return school.Actor{}, err
	case a.Blocked || !a.DisabledAt.IsZero() || !a.DeletedAt.IsZero():
		return school.Actor{}, school.ErrNotLoggedIn
	}
	return actorOf(a), nil
}

// SetLanguage changes the language of the actor's own screen. Errors: Invalid.
func (d *Desk) SetLanguage(ctx context.Context, actor school.Actor, l school.Language) error {
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.UpdateLanguage(actor.ID, l) })
}

// Sweep deletes what no longer opens anything. It answers how many rows went.
func (d *Desk) Sweep(ctx context.Context) (n int64, err error) {
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		n, err = tx.DeleteStaleAccess(idleSince(tx.Now, settings), tx.Now.Add(-24*time.Hour))
		return err
	})
	return n, err
}
