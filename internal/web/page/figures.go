package page

import (
	"slices"
	"strconv"
	"strings"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// Stat is a card with one figure.
type Stat struct {
	Label string
	Value string
	Sub   []Part // what stands below the figure, in order
	Trend []int  // how it came about, oldest first; fewer than two draw nothing
	Tone  string // of the trend: "" (the accent), "info" or "warn"
	URL   string // where the card leads; empty: nowhere
	Error string // the request id of a failed read
}

// Part is a piece of a line, with an arrow where it is a change.
type Part struct {
	Text  string
	Trend int // above zero: more than before, below: less
}

// ChangePart says by how many percent a figure has changed, and since when. There is
// nothing to say when it was zero before.
func ChangePart(p locale.Printer, now, before int, than school.Period) (Part, bool) {
	if before == 0 {
		return Part{}, false
	}
	percent := (now - before) * 100 / before
	return Part{Text: p.T("stat.change", "percent", p.Percent(max(percent, -percent)), "days", p.Days(than.From, than.To)), Trend: percent}, true
}

// The drawing of a trend is as wide and as high as this; it is stretched over the
// corner of its card.
const (
	sparkWidth  = 100
	sparkHeight = 46
	sparkTop    = 8 // room for the line's own thickness, and for the words above
	sparkBottom = 4
)

// spark is the line of a trend as a path of SVG.
func spark(trend []int) string {
	low, high := slices.Min(trend), slices.Max(trend)
	var path strings.Builder
	for i, v := range trend {
		y := sparkHeight - sparkBottom
		if high > low {
			y -= (v - low) * (sparkHeight - sparkTop - sparkBottom) / (high - low)
		}
		x := float64(i) * sparkWidth / float64(len(trend)-1)
		if i == 0 {
			path.WriteByte('M')
		} else {
			path.WriteByte('L')
		}
		path.WriteString(strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.Itoa(y))
	}
	return path.String()
}

// Period is the choice of the days that the screen is about.
type Period struct {
	Current school.Period
	// Compared are the days to compare with; zero: there are none.
	Compared school.Period
	// URL answers the address of a period with everything else as it is.
	URL    func(school.PeriodName) string
	Action string // where the own range is sent; empty: the panel
	// From and To are the own range as typed, Fields what is wrong with it: from,
	// to, period.
	From, To string
	Fields   map[string]string
	Hidden   []Pair // what else the address says
}

// Pair is a parameter of an address.
type Pair struct{ Name, Value string }

func (m Period) action() string {
	if m.Action == "" {
		return panelPath
	}
	return m.Action
}

// current is the name of the period that is shown. The zero period is all time.
func (m Period) current() school.PeriodName {
	if m.Current.Name == "" {
		return school.PeriodAll
	}
	return m.Current.Name
}

func (m Period) ranged() bool { return m.current() == school.PeriodRange }

// typed is what a date field shows: what was typed, or the days that are shown.
func (m Period) typed(name string) string {
	value, shown := m.From, m.Current.From
	if name == "to" {
		value, shown = m.To, m.Current.To
	}
	if value == "" && len(m.Fields) == 0 {
		return string(shown)
	}
	return value
}

// PeriodText is the period in words: «1–24 октября», «весь период».
func PeriodText(p locale.Printer, period school.Period) string {
	if period.All() {
		return p.T("period.all_time")
	}
	return p.Days(period.From, period.To)
}

// Ranking is the managers by what they have sold.
type Ranking struct {
	Period string // the days in words; empty: not said
	Rows   []RankRow
	// AllURL leads back when the screen is filtered to one manager; empty: it is not.
	AllURL string
	Error  string // the request id of a failed read
}

// RankRow is one manager.
type RankRow struct {
	Place             int // ties share one; 0: has no place, as those without a manager
	Name              string
	You               bool
	Disabled          bool
	Nobody            bool // the sales of no manager; Name is not read
	Active, Completed int
	Sales             int
	Revenue           []school.Money
	// Month is the sales of this month; not said when it is negative, as where the
	// period is this month anyway.
	Month  int
	URL    string // filters the screen to this manager; empty: no link
	Chosen bool   // the screen is filtered to this one
}

// unfolded is how many managers are seen before the rest is asked for: as many as
// the chart beside them is high.
const unfolded = 6

// top are the rows that are seen at once.
func (m Ranking) top() []RankRow {
	if len(m.Rows) <= unfolded+1 { // folding one away would save nothing
		return m.Rows
	}
	return m.Rows[:unfolded]
}

// rest are the rows that unfold.
func (m Ranking) rest() []RankRow { return m.Rows[len(m.top()):] }

// pinned are the rows of the rest that are seen though it is folded: the reader's
// own, and the one that the screen is filtered to.
func (m Ranking) pinned() []RankRow {
	return slices.DeleteFunc(slices.Clone(m.rest()), func(r RankRow) bool { return !r.You && !r.Chosen })
}

// currency is the one to say zero in.
func (m Ranking) currency() string {
	for _, r := range m.Rows {
		for _, money := range r.Revenue {
			return money.Currency
		}
	}
	return ""
}

func rankClass(r RankRow) string {
	switch {
	case r.Chosen:
		return "chosen"
	case r.You:
		return "me"
	default:
		return ""
	}
}
