package web

import (
	"context"
	"net/http"
	"time"
)

// alive answers while the process can answer at all.
func (h *Handler) alive(w http.ResponseWriter, r *http.Request) {
	trailOf(r.Context()).pattern = "/livez"
	_, _ = w.Write([]byte("ok\n")) // the reader has left
}

// ready answers 200 while the database answers.
func (h *Handler) ready(w http.ResponseWriter, r *http.Request) {
	t := trailOf(r.Context())
	t.pattern = "/readyz"
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := h.desk.Ready(ctx); err != nil {
		t.err = err
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // the reader has left
}
