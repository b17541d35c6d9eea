package page

import (
	"net/url"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

const historyPath = "/integrator/history"

// HistoryPage is a part of the history, with what chose it.
type HistoryPage struct {
	Lines []school.Activity
	More  bool // there are older ones
	Form  HistoryForm
	// After is where the page begins; zero: at the newest line.
	After school.ActivityCursor
	// Appended: the lines are put behind those before them, whose last day goes on.
	Appended bool
	Fields   map[string]string
	Student  school.Student   // the chosen one; zero: nobody, or nobody we know
	Matches  []school.Student // whom the search text fits, to choose from
	Staff    []school.Account
	All      bool // the reader sees everybody's
	// Error is the request id of a read that failed.
	Error string
}

// HistoryForm is the filter as it was sent.
type HistoryForm struct {
	Actor, Action, Student, Query, Period, From, To string
}

func (m HistoryPage) narrowed() bool { return m.Form != HistoryForm{} }

func (m HistoryPage) older() bool { return m.After.ID != 0 }

// period is the one whose button is pressed.
func (m HistoryPage) period() school.PeriodName {
	switch {
	case m.Form.From != "" || m.Form.To != "":
		return school.PeriodRange
	case m.Form.Period == "":
		return school.PeriodAll
	default:
		return school.PeriodName(m.Form.Period)
	}
}

// groups are the kinds of actions that the reader can meet.
func (m HistoryPage) groups() (all []school.ActionGroup) {
	for _, g := range school.ActionGroups() {
		if m.All || g.Name != "refusals" {
			all = append(all, g)
		}
	}
	return all
}

func (f HistoryForm) url(path string, more ...string) string {
	v := url.Values{}
	for i, pairs := 0, append([]string{
		"actor", f.Actor, "action", f.Action, "student", f.Student, "q", f.Query, "period", f.Period, "from", f.From, "to", f.To,
	}, more...); i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func (m HistoryPage) firstURL() string { return m.Form.url(historyPath) }

func (m HistoryPage) exportURL() string { return m.Form.url(historyPath + ".csv") }

func (m HistoryPage) moreURL() string {
	return m.Form.url(historyPath, "before", m.Lines[len(m.Lines)-1].Cursor().String())
}

func (m HistoryPage) periodURL(p school.PeriodName) string {
	f := m.Form
	f.Period, f.From, f.To = string(p), "", ""
	if p == school.PeriodAll {
		f.Period = ""
	}
	return f.url(historyPath)
}

func (m HistoryPage) studentURL(id school.UserID) string {
	f := m.Form
	f.Student, f.Query = string(id), ""
	return f.url(historyPath)
}

func (m HistoryPage) anybodyURL() string { return m.studentURL("") }

// day is a run of lines of one day.
type day struct {
	label string // empty: the day of the lines before
	lines []school.Activity
}

func (m HistoryPage) days(p locale.Printer) (all []day) {
	last := ""
	if m.Appended {
		last = p.DayHeading(m.After.At)
	}
	for _, a := range m.Lines {
		switch label := p.DayHeading(a.At); {
		case label != last:
			all, last = append(all, day{label: label}), label
		case len(all) == 0:
			all = append(all, day{})
		}
		d := &all[len(all)-1]
		d.lines = append(d.lines, a)
	}
	return all
}
