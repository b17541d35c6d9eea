package web

import (
	"iter"
	"net/http"

	"tripwire/internal/locale"
	"tripwire/internal/problem"
	"tripwire/internal/roster"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// ledgerSize is how many events the ledger shows at once.
const ledgerSize = 50

// salesAsked reads what the address asks of the ledger, as the panel does, whose
// cards lead here. Errors: Invalid with from,
// to or period named.
func salesAsked(r *http.Request) (form page.SalesFilter, f school.Counted, err error) {
	v, q := visitOf(r), r.URL.Query()
	form = page.SalesFilter{Period: q.Get("period"), From: q.Get("from"), To: q.Get("to"), Course: q.Get("course")}
	if v.actor.Role == school.RoleAdmin { // anybody else has but one to choose
		form.Manager = q.Get("manager")
	}
	f.Manager, f.Course = managerAsked(q.Get("manager")), courseAsked(form.Course)
	f.Period, err = school.ParsePeriod(form.Period, form.From, form.To, school.DayOf(v.printer.Now, v.printer.Zone))
	return form, f, err
}

// sales is the ledger of what the reader has sold; an administrator sees all of it.
func (h *Handler) sales(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	c := h.chrome(r, "sales", v.printer.T("nav.sales"))
	h.follow(r, &c)
	form, f, err := salesAsked(r)
	after, placeErr := school.ParseCursor(r.URL.Query().Get("after"))
	m := page.SalesPage{Filter: form, Period: form.PeriodOf(f.Period), Continued: !after.IsZero(), ShowManager: v.actor.Role == school.RoleAdmin}
	if err == nil {
		err = placeErr
	}
	if err == nil {
		err = h.readLedger(r, f, after, &m)
	}
	status := http.StatusOK
	switch {
	case err == nil:
	case wantsJSON(r):
		return err
	case school.KindOf(err) == school.Invalid:
		shown := problem.Shown(err)
		status, m.Fault, m.Period.Fields = noteRefusal(r, err), shown.Code, shown.Fields
	default:
		status, m.Error = noteRefusal(r, err), trailOf(r.Context()).requestID
	}
	return h.render(w, r, status, page.Sales(c, m))
}

func (h *Handler) readLedger(r *http.Request, f school.Counted, after school.Cursor, m *page.SalesPage) error {
	l, err := h.desk.Money(r.Context(), visitOf(r).actor, f, after, ledgerSize)
	m.Events, m.Next, m.Sum, m.Courses = l.Events, l.Next.String(), l.Sum, l.Courses
	m.Managers = managerChoices(visitOf(r).printer, l.Managers)
	return err
}

// exportSales sends the ledger as a file.
func (h *Handler) exportSales(format roster.Format) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := visitOf(r)
		_, f, err := salesAsked(r)
		if err != nil {
			return err
		}
		p := v.printer
		d := download{
			name:   p.T("sales.file", "day", string(school.DayOf(p.Now, v.printer.Zone))),
			format: format,
			table: roster.Table{Name: p.T("nav.sales"), Separator: roster.SeparatorFor(p.Lang), Columns: []roster.Column{
				{Title: p.T("sales.date"), Width: 19}, {Title: p.T("column.student"), Width: 32}, {Title: p.T("field.email"), Width: 32},
				{Title: p.T("sales.what"), Width: 18}, {Title: p.T("grant.reason"), Width: 32}, {Title: p.T("sales.course"), Width: 24},
				{Title: p.T("column.manager"), Width: 24}, {Title: p.T("sales.amount"), Width: 14}, {Title: p.T("sales.currency"), Width: 8},
			}},
		}
		if r.Method != http.MethodHead { // which takes nothing out of the house
			events, err := h.desk.EachMoney(r.Context(), v.actor, f, string(format))
			if err != nil {
				return err
			}
			d.rows = ledgerRows(p, events)
		}
		return h.sendTable(w, r, d)
	}
}

func ledgerRows(p locale.Printer, events iter.Seq2[school.MoneyEvent, error]) iter.Seq2[[]roster.Cell, error] {
	return func(yield func([]roster.Cell, error) bool) {
		for e, err := range events {
			student := e.StudentName
			if e.StudentID == "" {
				student = p.T("sales.masked")
			}
			row := []roster.Cell{
				roster.Time(e.At, p.Zone), roster.Text(student), roster.Text(string(e.StudentEmail)),
				roster.Text(page.MoneyKind(p, e.Kind)), roster.Text(e.Reason), roster.Text(e.CourseTitle),
				roster.Text(e.SellerName), roster.Money(e.Amount), roster.Text(e.Amount.Currency),
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
