package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"tripwire/internal/desk"
	"tripwire/internal/school"
)

// What a session holds.
const (
	sessionUser   = "user"
	sessionDevice = "device"
)

// newSessions wires the session library to our tables: it makes the tokens and
// the cookie, the desk keeps the rows, under the hash of the token only. Idle
// sessions are ended by the desk, which notes a use once a minute; the library
// would write at every request.
func (h *Handler) newSessions() *scs.SessionManager {
	// Not scs.New: it starts a goroutine for a store of its own that nothing stops.
	m := &scs.SessionManager{
		Store: sessionStore{h.desk}, Codec: sessionCodec{}, HashTokenInStore: true, ErrorFunc: h.fail,
		Lifetime: 24 * time.Hour, // until begin sets the school's
		Cookie:   scs.SessionCookie{Name: "tripwire", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Persist: true},
	}
	if h.secure {
		m.Cookie.Name = "__Host-tripwire"
		m.Cookie.Secure = true
	}
	return m
}

// sessionStore lets the library keep its sessions through the desk.
type sessionStore struct{ desk *desk.Desk }

func (s sessionStore) FindCtx(ctx context.Context, tokenHash string) ([]byte, bool, error) {
	return s.desk.FindSession(ctx, tokenHash)
}

func (s sessionStore) CommitCtx(ctx context.Context, tokenHash string, data []byte, expires time.Time) error {
	_, values, err := sessionCodec{}.Decode(data)
	if err != nil {
		return err
	}
	user, _ := values[sessionUser].(string)
	device, _ := values[sessionDevice].(string)
	return s.desk.KeepSession(ctx, school.Session{
		TokenHash: tokenHash, UserID: school.UserID(user), Device: device, ExpiresAt: expires,
	}, data)
}

func (s sessionStore) DeleteCtx(ctx context.Context, tokenHash string) error {
	return s.desk.EndSession(ctx, tokenHash)
}

var errNoContext = errors.New("sessions are kept with a context only")

func (sessionStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (sessionStore) Delete(string) error                    { return errNoContext }

// sessionCodec writes JSON, which the store can read and gob's next version
// cannot break.
type sessionCodec struct{}

type sessionBody struct {
	Deadline time.Time      `json:"deadline"`
	Values   map[string]any `json:"values"`
}

func (sessionCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(sessionBody{deadline, values})
}

func (sessionCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var s sessionBody
	err := json.Unmarshal(b, &s)
	if s.Values == nil {
		s.Values = map[string]any{}
	}
	return s.Deadline, s.Values, err
}

// recognise finds out who is calling, from the session alone.
func (h *Handler) recognise(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		id := school.UserID(h.sessions.GetString(ctx, sessionUser))
		if id == "" {
			next.ServeHTTP(w, r)
			return
		}
		v, t := visitOf(r), trailOf(ctx)
		actor, err := h.desk.Actor(ctx, id)
		switch {
		case errors.Is(err, school.ErrNotLoggedIn):
			err = h.sessions.Destroy(ctx)
		case err == nil:
			v.actor, t.actor = actor, actor.ID
			v.actor.RequestID = t.requestID
			v.printer.Lang = h.language(r, v)
		}
		if err != nil {
			h.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// maxDevice bounds what a browser says of itself.
const maxDevice = 200

// begin opens a session for who has just proved who they are, under a new id.
func (h *Handler) begin(r *http.Request, a school.Account) error {
	ctx := r.Context()
	if err := h.sessions.RenewToken(ctx); err != nil {
		return err
	}
	device := []rune(r.UserAgent())
	h.sessions.Put(ctx, sessionUser, string(a.ID))
	h.sessions.Put(ctx, sessionDevice, string(device[:min(len(device), maxDevice)]))
	h.sessions.SetDeadline(ctx, time.Now().Add(time.Duration(visitOf(r).settings.SessionMaxHours)*time.Hour).UTC())
	return nil
}
