package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/live"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

const (
	eventsPath = "/integrator/events"
	// heartbeat is how often a stream shows that it lives, and looks whether its
	// reader still may have it.
	heartbeat = 20 * time.Second
	// streamWriteTimeout bounds one write of a stream; the server's own bounds a
	// whole answer.
	streamWriteTimeout = 30 * time.Second
	// retryAfter is when a browser comes back to a stream that broke off.
	retryAfter = "retry: 2000\n\n"
	// beat is an event and not a comment: the page counts on it to notice a
	// connection that died without a word.
	beat = "event: beat\ndata: {}\n\n"
	// gone ends the stream of a session that has ended.
	gone = "event: gone\ndata: {}\n\n"
)

// follow lets the page be told what changes from now on. It is called before the
// rows are read, so that nothing falls between them and the stream.
func (h *Handler) follow(r *http.Request, c *page.Chrome) {
	if r.Method != http.MethodGet { // its address does not show this page again
		return
	}
	seen, err := h.desk.Seen(r.Context(), visitOf(r).actor)
	if err != nil { // the page is of use without
		noteRefusal(r, err)
		return
	}
	q := url.Values{"after": {strconv.FormatInt(seen.ID, 10)}, "since": {strconv.FormatInt(seen.At.UnixMilli(), 10)}}
	c.Events = eventsPath + "?" + q.Encode()
}

// seenBy answers what the screen behind a stream shows: what it was last told of,
// else what it showed when it was made.
func seenBy(r *http.Request) (s desk.Seen) {
	q := r.URL.Query()
	if since, err := strconv.ParseInt(q.Get("since"), 10, 64); err == nil {
		s.At = time.UnixMilli(since)
	}
	for _, text := range []string{r.Header.Get("Last-Event-ID"), q.Get("after")} {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			s.ID = id
			break
		}
	}
	return s
}

// byItself is true of what a page asks without anybody doing anything; it does
// not keep a session in use.
func byItself(r *http.Request) bool {
	return r.URL.Path == eventsPath || r.Header.Get("X-Refresh") != ""
}

// events tells a screen which of its blocks are no longer what the rows say, for
// as long as its reader may know.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) error {
	actor := visitOf(r).actor
	changes, err := h.desk.Changes(r.Context(), actor, seenBy(r))
	if err != nil {
		return err
	}
	defer changes.Close()
	s := openStream(w)
	pulse := time.NewTicker(h.heartbeat)
	defer pulse.Stop()
	for text := retryAfter; s.send(text); {
		select {
		case <-changes.Ready():
			text = told(changes.Take())
		case <-pulse.C:
			text = beat
		case <-h.stopping:
			return nil
		case <-r.Context().Done():
			return nil
		}
		there, err := h.still(r.Context(), h.tokenHash(r), actor)
		if err != nil { // unknown is not allowed; the browser comes back and asks
			noteRefusal(r, err)
			return nil
		}
		if !there {
			s.send(gone)
			return nil
		}
	}
	return nil
}

// still reports whether the session is there and its person may do what they
// could when the stream began.
func (h *Handler) still(ctx context.Context, tokenHash string, actor school.Actor) (bool, error) {
	a, err := h.desk.Recognize(ctx, tokenHash)
	return a.Actor.ID == actor.ID && a.Actor.Role == actor.Role && !a.Actor.MustChangePassword, err
}

// The blocks of a page, by the names in their data-live.
var (
	rowBlocks     = []string{"students", "figures", "chart", "activity", "sales", "letters", "access"}
	rankingBlocks = []string{"ranking"}
)

// told is a change as an event of the stream; empty for none.
func told(c live.Change) string {
	blocks := []string{}
	if c.Rows {
		blocks = append(blocks, rowBlocks...)
	}
	if c.Ranking {
		blocks = append(blocks, rankingBlocks...)
	}
	if len(blocks) == 0 {
		return ""
	}
	data, err := json.Marshal(map[string][]string{"blocks": blocks})
	if err != nil {
		return ""
	}
	id := ""
	if c.ID != 0 {
		id = fmt.Sprintf("id: %d\n", c.ID)
	}
	return fmt.Sprintf("event: change\n%sdata: %s\n\n", id, data)
}

// stream is an answer that has no end of its own.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func openStream(w http.ResponseWriter) stream {
	s := stream{w: w, control: http.NewResponseController(w)}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // a proxy would wait for more
	return s
}

// send reports whether the reader is still there.
func (s stream) send(text string) bool {
	// The server lets the reader be silent by itself; only writes are bounded.
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
	if _, err := io.WriteString(s.w, text); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
