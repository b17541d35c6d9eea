package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"time"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// nobodyAtAll stands in a filter for an id that cannot be one.
const nobodyAtAll school.UserID = "00000000-0000-0000-0000-000000000000"

// historyFilter reads what an address asks of the history. Errors: Invalid with
// from, to or period named, and a filter that lets nothing through.
func historyFilter(q url.Values, v *visit) (f school.ActivityFilter, form page.HistoryForm, err error) {
	query := []rune(q.Get("q"))
	form = page.HistoryForm{
		Actor: q.Get("actor"), Action: q.Get("action"), Student: q.Get("student"), Query: string(query[:min(len(query), school.MaxQuery)]),
		Period: q.Get("period"), From: q.Get("from"), To: q.Get("to"),
	}
	f = school.ActivityFilter{Actor: form.Actor, Action: form.Action, Query: form.Query}
	if form.Student != "" {
		form.Query, f.Query = "", ""
		if f.Student, err = school.ParseUserID(form.Student); err != nil {
			f.Student = nobodyAtAll
		}
	}
	name := form.Period
	if form.From != "" || form.To != "" { // days that were typed count for more than a button pressed before
		name, form.Period = string(school.PeriodRange), ""
	}
	zone := v.printer.Zone
	period, err := school.ParsePeriod(name, form.From, form.To, school.DayOf(v.printer.Now, zone))
	f.From, f.Until = period.Span(zone)
	if err != nil {
		f.From, f.Until = time.Unix(0, 0), time.Unix(0, 0)
	}
	return f, form, err
}

// history is everything that was done and that the reader may see.
func (h *Handler) history(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	f, form, faulty := historyFilter(r.URL.Query(), v)
	if faulty != nil && wantsJSON(r) {
		return faulty
	}
	m := page.HistoryPage{Form: form, After: school.ParseActivityCursor(r.URL.Query().Get("before")), All: v.actor.Role == school.RoleAdmin}
	status := http.StatusOK
	found, err := h.desk.History(r.Context(), v.actor, f, m.After)
	switch {
	case errors.Is(err, school.ErrNotFound): // it finds nothing, and looks like that
		noteRefusal(r, err)
	case err != nil:
		status, m.Error = noteRefusal(r, err), trailOf(r.Context()).requestID
	}
	if faulty != nil {
		status, m.Fields = noteRefusal(r, faulty), problem.Shown(faulty).Fields
	}
	m.Lines, m.More, m.Student, m.Matches, m.Staff = found.Lines, found.More, found.Student, found.Matches, found.Staff
	c := h.chrome(r, "history", v.printer.T("activity.title"))
	if r.Header.Get("HX-Request") != "" && m.After.ID != 0 {
		m.Appended = true
		return h.render(w, r, status, page.HistoryLines(c, m))
	}
	return h.render(w, r, status, page.History(c, m))
}

// exportLayout is a time that every table program understands.
const exportLayout = "2006-01-02 15:04:05"

// exportHistory sends the lines that the filter of the page lets through, as they
// are read: no export is too large for the memory.
func (h *Handler) exportHistory(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	f, _, err := historyFilter(r.URL.Query(), v)
	if err != nil {
		return err
	}
	p := v.printer
	var out *sheet
	begin := func() error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{
			"filename": "history-" + string(school.DayOf(p.Now, p.Zone)) + ".csv",
		}))
		out = newSheet(&patientWriter{ResponseWriter: w, control: http.NewResponseController(w)})
		return out.write(p.T("history.column.time"), p.T("history.column.actor"), p.T("history.column.action"),
			p.T("history.column.subject"), p.T("history.column.details"), p.T("history.column.door"))
	}
	err = h.desk.ExportHistory(r.Context(), v.actor, f, func(lines []school.Activity) error {
		if out == nil {
			if err := begin(); err != nil {
				return err
			}
		}
		for _, a := range lines {
			if err := out.write(a.At.In(p.Zone).Format(exportLayout), p.Actor(a), p.Activity(a), a.Subject,
				page.ActivityNote(p, a), p.Door(string(a.Door))); err != nil {
				return err
			}
		}
		return out.flush()
	})
	if errors.Is(err, school.ErrNotFound) { // nobody whom the reader may know: a file without lines
		noteRefusal(r, err)
		err = nil
	}
	switch {
	case err != nil && out == nil:
		return err
	case err == nil && out == nil:
		if err = begin(); err == nil {
			err = out.flush()
		}
	}
	if err != nil { // half a file is out, and must not look like the whole
		trailOf(r.Context()).err = err
		panic(http.ErrAbortHandler)
	}
	return nil
}
