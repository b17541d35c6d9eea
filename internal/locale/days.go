package locale

import (
	"strconv"
	"time"

	"tripwire/internal/school"
)

// Day is short: «25 дек», and with the year if it is another one.
func (p Printer) Day(d school.Day) string {
	return p.day(d, "date.short", "date.short_year", "month.short.")
}

// FullDay is «25 декабря», and with the year if it is another one.
func (p Printer) FullDay(d school.Day) string { return p.day(d, "date.short", "date.full", "month.") }

func (p Printer) day(d school.Day, key, withYear, months string) string {
	date := dateOf(d)
	if date.Year() != p.year() {
		key = withYear
	}
	return p.date(date, key, months)
}

// Month is a month by itself: «декабрь», «декабрь 2025».
func (p Printer) Month(d school.Day) string {
	date := dateOf(d)
	name := p.T("month.alone." + strconv.Itoa(int(date.Month())))
	if date.Year() == p.year() {
		return name
	}
	return p.T("date.month_year", "month", name, "year", strconv.Itoa(date.Year()))
}

// ShortMonth is Month for the axis of a chart: «дек», «дек 2025». The first three
// letters of a month by itself are its short form in all of our languages.
func (p Printer) ShortMonth(d school.Day) string {
	date := dateOf(d)
	name := string([]rune(p.T("month.alone." + strconv.Itoa(int(date.Month()))))[:3])
	if date.Year() == p.year() {
		return name
	}
	return name + nbsp + strconv.Itoa(date.Year())
}

// Days is a run of days, both ends included: «1–24 октября», «28 окт – 3 ноя 2025».
// The year is said when it is not this one.
func (p Printer) Days(from, to school.Day) string {
	first, last := dateOf(from), dateOf(to)
	switch {
	case from == to:
		return p.FullDay(from)
	case first.Year() != last.Year():
		return p.T("days.apart", "from", p.date(first, "date.short_year", "month.short."), "to", p.date(last, "date.short_year", "month.short."))
	case first.Month() != last.Month():
		return p.ofYear(last.Year(), "days.apart", "days.apart_year",
			"from", p.date(first, "date.short", "month.short."), "to", p.date(last, "date.short", "month.short."))
	default:
		return p.ofYear(last.Year(), "days.month", "days.month_year",
			"first", strconv.Itoa(first.Day()), "last", strconv.Itoa(last.Day()), "month", p.T("month."+strconv.Itoa(int(last.Month()))))
	}
}

func (p Printer) ofYear(year int, key, withYear string, args ...string) string {
	if year == p.year() {
		return p.T(key, args...)
	}
	return p.T(withYear, append(args, "year", strconv.Itoa(year))...)
}

func (p Printer) year() int { return p.in(p.Now).Year() }

func dateOf(d school.Day) time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		panic("not a day: " + string(d)) // a Day is made by ParseDay and DayOf
	}
	return t
}
