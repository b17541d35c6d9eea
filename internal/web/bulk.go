package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"tripwire/internal/desk"
	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// bulk does one thing to all marked students. A script gets a line for each as it
// is done; without one the answer is a page with all of them.
func (h *Handler) bulk(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := visitOf(r)
	order := desk.Bulk{Verb: desk.BulkVerb(r.PostForm.Get("verb")), Sales: r.PostForm.Get("sales") != ""}
	for _, text := range r.PostForm["student"] {
		id, err := school.ParseUserID(text)
		if err != nil {
			return err
		}
		order.Students = append(order.Students, id)
	}
	if order.Verb == desk.BulkTransfer {
		var err error
		if order.Manager, err = school.ParseUserID(r.PostForm.Get("manager")); err != nil {
			return school.ErrManagerUnknown
		}
	}
	results, err := h.desk.Bulk(r.Context(), v.actor, order)
	if err != nil {
		return err
	}
	m := page.BulkPage{Verb: string(order.Verb), Back: localPath(r.PostForm.Get("back"))}
	lines := wantsLines(r)
	if lines {
		w.Header().Set("Content-Type", "application/x-ndjson")
	}
	for result := range results {
		shown := h.bulkResult(r, result)
		m.Results = append(m.Results, shown)
		if order.Verb == desk.BulkDelete && shown.Code == "" {
			m.Undo = append(m.Undo, result.ID)
		}
		if lines {
			writeLine(w, map[string]any{"id": result.ID, "name": page.BulkName(v.printer, shown), "ok": shown.Code == "", "text": page.BulkOutcome(v.printer, shown)})
		}
	}
	if !lines {
		return h.render(w, r, http.StatusOK, page.BulkDone(h.chrome(r, "students", ""), m))
	}
	writeLine(w, map[string]any{"summary": v.printer.T("bulk.done_"+m.Verb) + ": " + page.BulkSummary(v.printer, m.Results), "undo": m.Undo, "undoLabel": v.printer.T("toast.undo")})
	return nil
}

// bulkResult is what a reader is told of one student. What is ours to mend is
// logged, and told as that.
func (h *Handler) bulkResult(r *http.Request, result desk.BulkResult) page.BulkResult {
	shown := page.BulkResult{ID: result.ID, Name: result.Name}
	if result.Err != nil {
		if school.KindOf(result.Err) == school.Internal {
			noteRefusal(r, errors.Join(trailOf(r.Context()).err, result.Err))
		}
		e := problem.Shown(result.Err)
		shown.Code, shown.Params = e.Code, e.Params
	}
	return shown
}

// writeLine sends one line at once. The reader may have left; there is nobody to
// tell then.
func writeLine(w http.ResponseWriter, line map[string]any) {
	_ = json.NewEncoder(w).Encode(line)
	_ = http.NewResponseController(w).Flush()
}

// saveView keeps the state of the list under a name.
func (h *Handler) saveView(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := visitOf(r)
	_, state, err := listFilter(queryOf(r.PostForm.Get("query")), v)
	if err != nil {
		return err
	}
	if err := h.desk.SaveView(r.Context(), v.actor, r.PostForm.Get("name"), state.Query()); err != nil {
		return err
	}
	http.Redirect(w, r, state.With(), http.StatusSeeOther)
	return nil
}

// deleteView forgets a name.
func (h *Handler) deleteView(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("view"), 10, 64)
	if err != nil {
		return school.ErrNotFound
	}
	if err := h.desk.DeleteView(r.Context(), visitOf(r).actor, id); err != nil {
		return err
	}
	http.Redirect(w, r, localPath(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}
