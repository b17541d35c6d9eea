package web

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// maxBody bounds what a request may carry; see largeBodies for the few that carry
// more.
const maxBody = 64 << 10

// contentSecurityPolicy lets in nothing but what we serve. connect-src stands last:
// a page with a video from elsewhere adds to it.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"

// guarded sets the headers that every answer carries.
func (h *Handler) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		header.Set("Cache-Control", "no-store")
		if h.secure {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// trail is what the log line of a request tells. It is filled on the way.
type trail struct {
	requestID string
	pattern   string
	actor     school.UserID
	err       error
}

type contextKey int

const (
	trailKey contextKey = iota
	visitKey
)

func trailOf(ctx context.Context) *trail {
	t, ok := ctx.Value(trailKey).(*trail)
	if !ok {
		return &trail{}
	}
	return t
}

// logged writes one line for each request. It names the route, not the address
// asked for: addresses carry one-time links and people's names.
func (h *Handler) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		t := &trail{requestID: rand.Text()[:10]}
		w.Header().Set("X-Request-Id", t.requestID)
		answer := &recorder{ResponseWriter: w}
		defer h.note(r, t, answer, start) // also when the answer is cut off
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), trailKey, t)))
	})
}

func (h *Handler) note(r *http.Request, t *trail, answer *recorder, start time.Time) {
	line := h.log.With("request_id", t.requestID, "method", r.Method, "route", t.pattern, "status", answer.code(),
		"bytes", answer.bytes, "ms", float64(time.Since(start).Microseconds())/1000, "from", h.clientAddress(r))
	if t.actor != "" {
		line = line.With("actor", string(t.actor))
	}
	if lost, ok := errors.AsType[*desk.NoteError](t.err); ok { // beside the answer, which it has not changed
		line.ErrorContext(r.Context(), "refusal not noted", "error", lost.Error())
	}
	switch {
	case t.err == nil:
		line.InfoContext(r.Context(), "request")
	case school.KindOf(t.err) == school.Internal && r.Context().Err() == nil: // otherwise the visitor has left
		line.ErrorContext(r.Context(), "request", "error", t.err.Error())
	case school.KindOf(t.err) == school.Unavailable: // who is told to try again cannot see why
		line.WarnContext(r.Context(), "request", "refused", codeOf(t.err), "error", t.err.Error())
	default:
		line.InfoContext(r.Context(), "request", "refused", codeOf(t.err))
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*school.Error](err); ok {
		return e.Code
	}
	return school.ErrInternal.Code
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	gone   bool // the connection is somebody else's
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.gone {
		return 0, http.ErrHijacked
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush and Hijack are for the compression, which does not unwrap.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() } // the next write tells

func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.gone = err == nil
	return conn, buffer, err
}

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// recovered turns a panic into a plain page and a line in the log.
func (h *Handler) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			t := trailOf(r.Context())
			t.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out; end it visibly
			}
			http.Error(w, "Something broke on our side. Request "+t.requestID, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// clientAddress is who calls, told by a proxy only if we trust it.
func (h *Handler) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && h.trusts(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
	}
	return host
}

func (h *Handler) visitor(r *http.Request) school.Visitor {
	return school.Visitor{Address: network(h.clientAddress(r)), RequestID: trailOf(r.Context()).requestID}
}

// network is what one visitor has to itself: an IPv4 address, or a /64 of IPv6,
// of which anybody has as many addresses as they like.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}

func (h *Handler) trusts(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range h.proxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// visit is what is known of a request before its action: who, in which
// language, at what time.
type visit struct {
	actor    school.Actor
	printer  locale.Printer
	settings school.Settings
	session  []byte // what the session library keeps; nil: no session
}

func visitOf(r *http.Request) *visit { return visitFrom(r.Context()) }

func visitFrom(ctx context.Context) *visit {
	v, ok := ctx.Value(visitKey).(*visit)
	if !ok {
		return &visit{}
	}
	return v
}

// visit finds out who is calling, from the session alone, and prepares what every
// page needs, even one that says that the database is away.
func (h *Handler) visit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{printer: locale.Printer{Zone: time.UTC, Now: time.Now()}}
		r = r.WithContext(context.WithValue(r.Context(), visitKey, v))
		arrive := h.desk.Arrive
		if byItself(r) {
			arrive = h.desk.Recognize
		}
		arrival, err := arrive(r.Context(), h.tokenHash(r))
		t := trailOf(r.Context())
		v.settings, v.session, v.actor = arrival.Settings, arrival.Session, arrival.Actor
		v.actor.RequestID, t.actor = t.requestID, v.actor.ID
		v.printer.Lang = h.language(r, v)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		v.printer.Zone, v.printer.Now = arrival.Settings.Location(), arrival.Now
		next.ServeHTTP(w, r)
	})
}

// serve calls an action for whom its policy admits.
func (h *Handler) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		trailOf(r.Context()).pattern = rt.pattern
		r.Body = http.MaxBytesReader(w, r.Body, max(maxBody, largeBodies[rt.pattern]))
		v := visitOf(r)
		v.actor.Route = strings.TrimSpace(rt.method + " " + rt.pattern)
		switch {
		case !rt.policy.admits(v.actor) && v.actor.Role == "":
			h.askToLogIn(w, r)
			return
		case !rt.policy.admits(v.actor):
			h.fail(w, r, h.desk.RefuseRole(r.Context(), v.actor))
			return
		case v.actor.MustChangePassword && !beforeOwnPassword[rt.pattern]:
			h.askForOwnPassword(w, r)
			return
		}
		if err := rt.action(w, r); err != nil {
			h.fail(w, r, err)
		}
	})
}

func (h *Handler) askToLogIn(w http.ResponseWriter, r *http.Request) {
	if asksForPage(r) && r.Header.Get("HX-Request") == "" {
		to := "/login"
		if r.URL.Path != "/" {
			to += "?next=" + url.QueryEscape(r.URL.RequestURI())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	h.fail(w, r, school.ErrNotLoggedIn)
}

// asksForPage is true of somebody whom another page can be shown instead.
func asksForPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && !wantsJSON(r)
}

func (h *Handler) askForOwnPassword(w http.ResponseWriter, r *http.Request) {
	if asksForPage(r) {
		http.Redirect(w, r, "/password", http.StatusSeeOther)
		return
	}
	h.fail(w, r, school.ErrOwnPasswordNeeded)
}
