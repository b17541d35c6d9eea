package page

import (
	"cmp"
	"strconv"
	"strings"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// FiguresOf is what the cards are made of.
type FiguresOf struct {
	Sales, Before      school.Sales // of the period, and of the one before it
	Students           school.StudentCounts
	MedianDays         float64
	Completed          bool // somebody has, so that there is a median
	Month, MonthBefore school.Sales
	Trend, MonthTrend  []school.Bar
	Currency           string // to say zero in
	Period             school.Period
}

// StatsOf makes the four cards. Each leads to exactly what it counts.
func StatsOf(p locale.Printer, f FiguresOf, state ListState) []Stat {
	sales := Stat{Label: p.T("stat.sales"), Value: p.Number(f.Sales.Count), Sub: []Part{{Text: money(p, f.Sales, f.Currency)}},
		Trend: trend(f.Trend, func(b school.Bar) int { return b.Sales.Count }), URL: state.at(salesPath, notOfSales...)}
	if before, ok := f.Period.Before(); ok {
		sales.compare(p, f.Sales.Count, f.Before.Count, before)
	}
	active := Stat{Label: p.T("stat.active"), Value: p.Number(f.Students.Active), Tone: "info",
		Trend: trend(f.Trend, func(b school.Bar) int { return b.Students.Active }), URL: state.With("status", string(school.StatusActive), "q", "") + "#students"}
	if all := f.Students.All(); all > 0 {
		active.Sub = []Part{{Text: p.T("stat.share", "share", p.Percent(f.Students.Active*100/all))}}
	}
	completed := Stat{Label: p.T("stat.completed"), Value: p.Number(f.Students.Completed), Tone: "warn",
		Trend: trend(f.Trend, func(b school.Bar) int { return b.Students.Completed }), URL: state.With("status", string(school.StatusCompleted), "q", "") + "#students"}
	if f.Completed {
		completed.Sub = []Part{{Text: p.T("stat.median", "days", daysTaken(p, f.MedianDays))}}
	}
	month := Stat{Label: p.T("stat.month"), Value: p.Number(f.Month.Count), Sub: []Part{{Text: money(p, f.Month, f.Currency)}},
		Trend: trend(f.MonthTrend, func(b school.Bar) int { return b.Sales.Count }),
		URL:   state.at(salesPath, append([]string{"period", string(school.PeriodMonth), "from", "", "to", ""}, notOfSales...)...)}
	today := school.DayOf(p.Now, p.Zone)
	if before, ok := (school.Period{Name: school.PeriodMonth, From: today.FirstOfMonth(), To: today}).Before(); ok {
		month.compare(p, f.Month.Count, f.MonthBefore.Count, before)
	}
	return []Stat{sales, active, completed, month}
}

// compare adds what has changed against a number of other days.
func (s *Stat) compare(p locale.Printer, now, before int, than school.Period) {
	if change, ok := ChangePart(p, now, before, than); ok {
		s.Sub = append(s.Sub, change)
	}
}

// notOfSales takes out what means nothing to the list of sales.
var notOfSales = []string{"q", "", "status", "", "sort", "", "size", "", "group", ""}

func trend(bars []school.Bar, of func(school.Bar) int) []int {
	numbers := make([]int, len(bars))
	for i, b := range bars {
		numbers[i] = of(b)
	}
	return numbers
}

// daysTaken is a number of days, which may be a half.
func daysTaken(p locale.Printer, days float64) string {
	if days == float64(int(days)) {
		return p.N("duration.days", int(days))
	}
	return p.T("stat.half_days", "n", strings.Replace(strconv.FormatFloat(days, 'f', 1, 64), ".", p.T("number.point"), 1))
}

// money is the revenue of sales, every currency of it.
func money(p locale.Printer, s school.Sales, currency string) string {
	return Chrome{P: p}.moneys(s.Revenue, currency)
}

// UnreadStats are the cards whose read failed.
func UnreadStats(p locale.Printer, requestID string) []Stat {
	return []Stat{
		{Label: p.T("stat.sales"), Error: requestID}, {Label: p.T("stat.active"), Error: requestID},
		{Label: p.T("stat.completed"), Error: requestID}, {Label: p.T("stat.month"), Error: requestID},
	}
}

// ChartOf gives the chart its words and links.
func ChartOf(p locale.Printer, period school.Period, by school.Grouping, offered []school.Grouping, bars []school.Bar, currency string, state ListState) Chart {
	m := Chart{Period: PeriodText(p, period), Points: PointsOf(p, by, bars), Group: by}
	for _, g := range offered {
		m.Groups = append(m.Groups, GroupLink{Group: g, URL: state.With("group", string(g))})
	}
	if m.Currency = m.currency(); m.Currency == "" {
		m.Currency = currency
	}
	return m
}

// RankingOf makes the rows of the ranking. Who may filter the screen by a manager
// can press each.
func RankingOf(p locale.Printer, standings []school.Standing, reader school.Actor, f school.Counted, state ListState) Ranking {
	m := Ranking{Period: PeriodText(p, f.Period)}
	mayFilter := reader.Role == school.RoleAdmin
	if mayFilter && f.Manager != "" {
		m.AllURL = state.With("manager", "")
	}
	for _, s := range standings {
		row := RankRow{
			Place: s.Place, Name: s.Name, You: s.Manager != "" && s.Manager == reader.ID, Disabled: s.Disabled, Nobody: s.Manager == "",
			Active: s.Active, Completed: s.Completed, Sales: s.Sales.Count, Revenue: s.Sales.Revenue, Month: s.ThisMonth,
			Chosen: f.Manager != "" && cmp.Or(s.Manager, school.Nobody) == f.Manager,
		}
		if f.Period.Name == school.PeriodMonth {
			row.Month = -1
		}
		if mayFilter {
			row.URL = state.With("manager", cmp.Or(string(s.Manager), "none"))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}
