package school

import "time"

// PeriodName is how an address names a period.
type PeriodName string

// The periods.
const (
	PeriodAll       PeriodName = "all" // also when empty
	PeriodToday     PeriodName = "today"
	PeriodYesterday PeriodName = "yesterday"
	PeriodWeek      PeriodName = "week"  // from Monday to today
	PeriodMonth     PeriodName = "month" // from the first to today
	PeriodRange     PeriodName = "range" // from and to are given
)

// PeriodNames lists the periods that have a button of their own.
func PeriodNames() []PeriodName {
	return []PeriodName{PeriodToday, PeriodYesterday, PeriodWeek, PeriodMonth, PeriodAll}
}

// Period is a run of days of the school, both ends included. The zero value is
// all time.
type Period struct {
	Name PeriodName
	// From and To are empty for all time.
	From, To Day
}

// ParsePeriod reads a period from an address. from and to without a name are a
// range; a range with one end is that day to today, or everything up to that day.
// Errors: Invalid with from, to or period named.
func ParsePeriod(name, from, to string, today Day) (Period, error) {
	if name == "" && (from != "" || to != "") {
		name = string(PeriodRange)
	}
	switch p := PeriodName(name); p {
	case PeriodAll, "":
		return Period{Name: PeriodAll}, nil
	case PeriodToday:
		return Period{p, today, today}, nil
	case PeriodYesterday:
		return Period{p, today.Add(-1), today.Add(-1)}, nil
	case PeriodWeek:
		return Period{p, today.Monday(), today}, nil
	case PeriodMonth:
		return Period{p, today.FirstOfMonth(), today}, nil
	case PeriodRange:
		return parseRange(from, to, today)
	default:
		faults := Faults{}
		faults.Add("period", ErrPeriodUnknown)
		return Period{Name: PeriodAll}, faults.Err()
	}
}

func parseRange(from, to string, today Day) (Period, error) {
	p := Period{Name: PeriodRange, From: FirstDay, To: max(today, Day(from))}
	faults := Faults{}
	var err error
	if from != "" {
		p.From, err = ParseDay(from)
		faults.Add("from", err)
	}
	if to != "" {
		p.To, err = ParseDay(to)
		faults.Add("to", err)
	}
	if len(faults) == 0 && p.From > p.To {
		faults.Add("to", ErrRangeBackwards)
	}
	if err := faults.Err(); err != nil {
		return Period{Name: PeriodAll}, err
	}
	return p, nil
}

// All reports whether the period has no ends.
func (p Period) All() bool { return p.From == "" }

// Days answers how many days the period has; 0 for all time.
func (p Period) Days() int {
	if p.All() {
		return 0
	}
	return p.From.Until(p.To) + 1
}

// Span answers the moments between which the period lies: from included, until
// not. Both are zero for all time.
func (p Period) Span(zone *time.Location) (from, until time.Time) {
	if p.All() {
		return from, until
	}
	return p.From.Start(zone), p.To.Add(1).Start(zone)
}

// Before answers the period to compare with: a month up to today with the month
// before up to the same day, a week with the week before up to the same weekday,
// anything else with as many days just before. There is none for all time, nor before FirstDay.
func (p Period) Before() (Period, bool) {
	switch {
	case p.All():
		return Period{}, false
	case p.Name == PeriodMonth:
		return Period{PeriodRange, p.From.MonthBefore(), p.To.MonthBefore()}, true
	case p.Name == PeriodWeek:
		return Period{PeriodRange, p.From.Add(-7), p.To.Add(-7)}, true
	default:
		before := Period{PeriodRange, p.From.Add(-p.Days()), p.From.Add(-1)}
		return before, before.From >= FirstDay
	}
}

// Months splits the period into whole months and the days at its ends that are
// none, so that a sum over years reads few rows. Each run may be empty.
func (p Period) Months() (days []Period, first, last string) {
	if p.All() {
		return nil, "", "9999-99"
	}
	from, to := p.From, p.To
	if from != from.FirstOfMonth() {
		end := min(from.LastOfMonth(), to)
		days = append(days, Period{PeriodRange, from, end})
		from = end.Add(1)
	}
	if from <= to && to != to.LastOfMonth() {
		begin := max(to.FirstOfMonth(), from)
		days = append(days, Period{PeriodRange, begin, to})
		to = begin.Add(-1)
	}
	if from > to {
		return days, "", ""
	}
	return days, from.Month(), to.Month()
}
