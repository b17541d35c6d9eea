package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// listParams are the parameters of the panel's address that choose what is shown,
// apart from the place in the list.
var listParams = []string{"q", "status", "period", "from", "to", "manager", "course", "group", "sort", "size"}

// listFilter reads what the address asks of the panel. What is wrong with the
// period is told at its fields and leaves all time; any other parameter that means
// nothing is left out. state is the address in order, with nothing but what counts.
func listFilter(q url.Values, v *visit) (f school.StudentFilter, state page.ListState, err error) {
	query := []rune(strings.ToValidUTF8(q.Get("q"), ""))
	f.Query = strings.TrimSpace(string(query[:min(len(query), school.MaxQuery)]))
	f.Status = chosenStatus(q.Get("status"))
	f.Sort = school.ParseSort(q.Get("sort"))
	size, _ := strconv.Atoi(q.Get("size")) // what is no number is the usual size
	f.Size = school.ParseSize(size)
	f.Manager, f.Course = managerAsked(q.Get("manager")), courseAsked(q.Get("course"))
	f.Period, err = school.ParsePeriod(q.Get("period"), q.Get("from"), q.Get("to"), school.DayOf(v.printer.Now, v.printer.Zone))
	if f.After, f.Before = placeFrom(q.Get("after")), placeFrom(q.Get("before")); !f.After.IsZero() {
		f.Before = school.Cursor{}
	}
	state = page.ListState{}
	for _, name := range listParams {
		state.Set(name, q.Get(name))
	}
	state.Set("q", f.Query)
	state.Set("status", string(f.Status))
	state.Set("sort", f.Sort.String())
	if f.Size == school.PageSize {
		state.Set("size", "")
	}
	if f.Period.Name != school.PeriodRange && err == nil {
		state.Set("from", "")
		state.Set("to", "")
		state.Set("period", string(f.Period.Name))
	}
	if f.Period.All() && err == nil {
		state.Set("period", "")
	}
	return f, state, err
}

func chosenStatus(s string) school.Status {
	for _, status := range school.Chosen() {
		if string(status) == s {
			return status
		}
	}
	return ""
}

// placeFrom reads a place in the list; what is none is the beginning.
func placeFrom(s string) school.Cursor {
	c, err := school.ParseCursor(s)
	if err != nil {
		return school.Cursor{}
	}
	return c
}

// studentList reads the list that the address asks for.
func (h *Handler) studentList(r *http.Request, f school.StudentFilter, state page.ListState) (page.StudentList, error) {
	v := visitOf(r)
	l, err := h.desk.Students(r.Context(), v.actor, f)
	if errors.Is(err, school.ErrPageInvalid) { // a place in another order is none in this one
		f.After, f.Before = school.Cursor{}, school.Cursor{}
		l, err = h.desk.Students(r.Context(), v.actor, f)
	}
	m := page.StudentList{
		Students: l.Students, Total: l.Total, Counts: l.Counts, State: state, Sort: f.Sort, Period: f.Period,
		Next: l.Next.String(), Before: l.Before.String(), Courses: l.Courses, Managers: managerChoices(v.printer, l.Managers), FacetsCounted: l.FacetsCounted,
		ShowManager: v.actor.Role == school.RoleAdmin, MayTransfer: v.actor.May(school.TransferStudents) == nil,
	}
	if err != nil {
		return m, err
	}
	if m.Views, err = h.desk.Views(r.Context(), v.actor); err != nil || !m.MayTransfer {
		return m, err
	}
	m.TransferTo, err = h.desk.Managers(r.Context(), v.actor)
	return m, err
}

// figures reads the cards with the chart, and the ranking. What cannot be read says
// so by itself.
func (h *Handler) figures(r *http.Request, m *page.PanelPage, f school.StudentFilter, state page.ListState) (status int) {
	v := visitOf(r)
	refused := func(err error) string {
		status = noteRefusal(r, err)
		return trailOf(r.Context()).requestID
	}
	if figures, err := h.desk.Figures(r.Context(), v.actor, f.Counted, school.Grouping(state.Get("group"))); err != nil {
		m.Chart.Error = refused(err)
		m.Stats = page.UnreadStats(v.printer, m.Chart.Error)
	} else {
		m.Stats = page.StatsOf(v.printer, page.FiguresOf{
			Sales: figures.Sales, Before: figures.SalesBefore, Students: figures.Students, MedianDays: figures.MedianDays, Completed: figures.Completed,
			Month: figures.Month, MonthBefore: figures.MonthBefore, Trend: figures.Trend, MonthTrend: figures.MonthTrend,
			Currency: m.Price.Currency, Period: f.Period,
		}, state)
		chart := figures.Chart
		m.Chart = page.ChartOf(v.printer, chart.Period, chart.Grouping, chart.Offered, chart.Bars, m.Price.Currency, state)
	}
	if standings, err := h.desk.Ranking(r.Context(), v.actor, f.Counted); err != nil {
		m.Ranking.Error = refused(err)
	} else {
		m.Ranking = page.RankingOf(v.printer, standings, v.actor, f.Counted, state)
	}
	return status
}

// periodPicker is the choice of days as the address has it.
func periodPicker(q url.Values, f school.StudentFilter, state page.ListState, faulty error) page.Period {
	p := page.Period{
		Current: f.Period, From: q.Get("from"), To: q.Get("to"), Hidden: state.Pairs("period", "from", "to"),
		URL: func(name school.PeriodName) string {
			if name == school.PeriodAll {
				name = ""
			}
			return state.With("period", string(name), "from", "", "to", "")
		},
	}
	if before, ok := f.Period.Before(); ok {
		p.Compared = before
	}
	if faulty != nil {
		p.Fields = problem.Shown(faulty).Fields
	}
	return p
}
