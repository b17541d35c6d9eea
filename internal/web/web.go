// Package web is the panel door: pages in the browser for staff and students.
package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"

	"tripwire/internal/desk"
)

// Options are what the door has to know of its surroundings.
type Options struct {
	BaseURL string // "https://tripwire.example.com", no slash at the end
	Log     *slog.Logger
	// Proxies are the addresses that may tell us, in X-Forwarded-For, for whom
	// they call.
	Proxies []netip.Prefix
	// Stopping is closed when the server is about to stop: what has no end of its
	// own ends then. nil: never.
	Stopping <-chan struct{}
	// Heartbeat is how often an open stream shows that it lives; 0: every 20
	// seconds.
	Heartbeat time.Duration
}

// Handler answers every request of the panel.
type Handler struct {
	desk     *desk.Desk
	log      *slog.Logger
	baseURL  string
	secure   bool // the browser reaches us over TLS
	proxies  []netip.Prefix
	sessions *scs.SessionManager
	assets   *assets

	stopping  <-chan struct{}
	heartbeat time.Duration
}

// New answers the whole panel, with all that stands before it.
func New(d *desk.Desk, o Options) (http.Handler, error) {
	h := &Handler{
		desk: d, log: o.Log, baseURL: strings.TrimSuffix(o.BaseURL, "/"), proxies: o.Proxies,
		secure: strings.HasPrefix(o.BaseURL, "https://"), stopping: o.Stopping, heartbeat: cmp.Or(o.Heartbeat, heartbeat),
	}
	var err error
	if h.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	h.sessions = h.newSessions()
	crossOrigin, err := h.crossOrigin()
	if err != nil {
		return nil, err
	}
	pages := http.NewServeMux()
	for _, r := range h.routes() {
		pages.Handle(r.method+" "+r.pattern, h.serve(r))
	}
	pages.Handle("/", h.serve(route{policy: public, action: h.nothingHere}))

	mux := http.NewServeMux()
	mux.Handle("GET /assets/", h.assets)
	mux.HandleFunc("GET /livez", h.alive)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("/", h.visit(h.sessions.LoadAndSave(crossOrigin.Handler(pages))))

	compress, err := compressor()
	if err != nil {
		return nil, err
	}
	return h.logged(h.recovered(h.guarded(unlessStream(compress(mux), mux)))), nil
}

// compressor pads what it compresses, so that its length tells nothing of secrets
// in it.
func compressor() (func(http.Handler) http.HandlerFunc, error) {
	return gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.RandomJitter(64, 0, false))
}

// minCompressed leaves answers of a few packets as they are: the dialog after a
// creation arrives no sooner for being smaller.
const minCompressed = 8 << 10

// unlessStream keeps streams away from the compression, which waits for enough to
// compress.
func unlessStream(compressed, plain http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == eventsPath {
			plain.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	})
}

// crossOrigin refuses forms that another site sends in a visitor's name.
func (h *Handler) crossOrigin() (*http.CrossOriginProtection, error) {
	c := http.NewCrossOriginProtection()
	if h.baseURL != "" {
		u, err := url.Parse(h.baseURL)
		if err != nil {
			return nil, err
		}
		if err := c.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, err
		}
	}
	c.SetDenyHandler(h.serve(route{policy: public, action: h.refuseCrossOrigin}))
	return c, nil
}
