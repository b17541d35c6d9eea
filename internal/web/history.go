package web

import (
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tripwire/internal/locale"
	"tripwire/internal/problem"
	"tripwire/internal/roster"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// nobodyAtAll stands in a filter for an id that cannot be one.
const nobodyAtAll school.UserID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

// noManager is how an address asks for what no manager has.
const noManager = "none"

// managerAsked reads a manager from an address; what is none is nobody at all.
func managerAsked(s string) school.UserID {
	switch id, err := school.ParseUserID(s); {
	case s == "":
		return ""
	case s == noManager:
		return school.Nobody
	case err != nil || id == school.Nobody: // which has a word of its own
		return nobodyAtAll
	default:
		return id
	}
}

// courseAsked reads a course from an address; what is no number is every course.
func courseAsked(s string) school.CourseID {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return school.CourseID(max(id, 0))
}

// managerChoices are the managers to choose from as an address names them.
func managerChoices(p locale.Printer, managers []school.Facet) []school.Facet {
	for i, m := range managers {
		if m.ID == string(school.Nobody) {
			managers[i].ID, managers[i].Name = noManager, p.T("ranking.nobody")
		}
	}
	return managers
}

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

// exportHistory sends the lines that the filter of the page lets through, as they
// are read: no export is too large for the memory.
func (h *Handler) exportHistory(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	f, _, err := historyFilter(r.URL.Query(), v)
	if err != nil {
		return err
	}
	p := v.printer
	return h.sendTable(w, r, download{
		name: p.T("activity.title") + " " + string(school.DayOf(p.Now, p.Zone)), format: roster.CSV,
		table: roster.Table{Name: p.T("activity.title"), Columns: []roster.Column{
			{Title: p.T("history.column.time")}, {Title: p.T("history.column.actor")}, {Title: p.T("history.column.action")},
			{Title: p.T("history.column.subject")}, {Title: p.T("history.column.details")}, {Title: p.T("history.column.door")},
		}, Separator: roster.SeparatorFor(p.Lang)},
		rows: h.historyRows(r, f),
	})
}

// errEnough ends a read that nobody wants more of.
var errEnough = errors.New("nobody wants more")

func (h *Handler) historyRows(r *http.Request, f school.ActivityFilter) iter.Seq2[[]roster.Cell, error] {
	v := visitOf(r)
	p := v.printer
	return func(yield func([]roster.Cell, error) bool) {
		err := h.desk.ExportHistory(r.Context(), v.actor, f, func(lines []school.Activity) error {
			for _, a := range lines {
				if !yield([]roster.Cell{
					roster.Time(a.At, p.Zone), roster.Text(p.Actor(a)), roster.Text(p.Activity(a)), roster.Text(a.Subject),
					roster.Text(page.ActivityNote(p, a)), roster.Text(p.Door(string(a.Door))),
				}, nil) {
					return errEnough
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, errEnough):
		case errors.Is(err, school.ErrNotFound): // nobody whom the reader may know: a file without lines
			noteRefusal(r, err)
		case err != nil:
			yield(nil, err)
		}
	}
}
