package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
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

// FindCtx answers what the visit has read already.
func (s sessionStore) FindCtx(ctx context.Context, _ string) ([]byte, bool, error) {
	data := visitFrom(ctx).session
	return data, data != nil, nil
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

// tokenHash is the hash of the token that a request brings, in the session
// library's form; empty for a request without one.
func (h *Handler) tokenHash(r *http.Request) string {
	c, err := r.Cookie(h.sessions.Cookie.Name)
	if err != nil || c.Value == "" {
		return ""
	}
	return hashToken(c.Value)
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
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
	v := visitOf(r) // by its clock, which is the one that ends the session
	h.sessions.SetDeadline(ctx, v.printer.Now.Add(time.Duration(v.settings.SessionMaxHours)*time.Hour).UTC())
	return nil
}
