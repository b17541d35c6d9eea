package school

import "time"

// Day is a calendar day of the school as "2006-01-02": without a time of day and
// without a zone. Days compare as their texts do. The empty Day is none.
type Day string

const dayLayout = "2006-01-02"

// FirstDay and LastDay bound the days that a school can have: a typed year of five
// digits is a slip of the finger.
const (
	FirstDay Day = "2000-01-01"
	LastDay  Day = "2099-12-31"
)

// ParseDay reads a day as a date field of a browser sends it. Errors: Invalid
// date_invalid.
func ParseDay(s string) (Day, error) {
	if _, err := time.Parse(dayLayout, s); err != nil || Day(s) < FirstDay || Day(s) > LastDay {
		return "", ErrDateInvalid
	}
	return Day(s), nil
}

// DayOf answers the day on which t lies in the zone.
func DayOf(t time.Time, zone *time.Location) Day { return Day(t.In(zone).Format(dayLayout)) }

// date is the day at midnight UTC, to count with.
func (d Day) date() time.Time {
	t, err := time.Parse(dayLayout, string(d))
	if err != nil {
		panic("not a day: " + string(d)) // a Day is made by ParseDay and DayOf
	}
	return t
}

// Add answers the day n days later; earlier for a negative n.
func (d Day) Add(n int) Day { return Day(d.date().AddDate(0, 0, n).Format(dayLayout)) }

// Until answers how many days it is from d to other.
func (d Day) Until(other Day) int { return int(other.date().Sub(d.date()).Hours() / 24) }

// Monday answers the first day of the week of d.
func (d Day) Monday() Day { return d.Add(-(int(d.date().Weekday()) + 6) % 7) }

// Month answers the month of d as "2006-01".
func (d Day) Month() string { return string(d[:7]) }

// FirstOfMonth answers the first day of the month of d.
func (d Day) FirstOfMonth() Day { return d[:8] + "01" }

// LastOfMonth answers the last day of the month of d.
func (d Day) LastOfMonth() Day {
	first := d.FirstOfMonth().date()
	return Day(first.AddDate(0, 1, -1).Format(dayLayout))
}

// MonthBefore answers the same day of the month before; its last day where that
// month is shorter.
func (d Day) MonthBefore() Day {
	end := d.FirstOfMonth().Add(-1)
	return min(end, end[:8]+d[8:])
}

// Start answers the first moment of the day in the zone. Where clocks are put
// forward at midnight the day begins when they are; where they are put back over
// midnight, at the first of the two.
func (d Day) Start(zone *time.Location) time.Time {
	midnight := d.date()
	// No zone is a day away from UTC: the offsets in force around then are all that
	// can matter.
	segments := offsetsBetween(zone, midnight.Add(-26*time.Hour), midnight.Add(26*time.Hour), time.Hour)
	for i, s := range segments {
		start := midnight.Add(-time.Duration(s.Seconds) * time.Second)
		if start.Before(s.From) {
			start = s.From
		}
		if i+1 < len(segments) && !start.Before(segments[i+1].From) {
			continue
		}
		if DayOf(start, zone) == d {
			return start
		}
	}
	return d.Add(1).Start(zone) // the day was skipped, as Samoa did once; it begins where the next one does
}

// ZoneOffset is how far a zone is ahead of UTC from a moment on.
type ZoneOffset struct {
	From    time.Time // UTC; the zero time for the first of a zone
	Seconds int
}

// ZoneOffsets answers the offsets of a zone over the years in which a school can
// have days, in order.
func ZoneOffsets(zone *time.Location) []ZoneOffset {
	all := offsetsBetween(zone, FirstDay.date().AddDate(0, 0, -2), LastDay.date().AddDate(0, 0, 2), 24*time.Hour)
	all[0].From = time.Time{}
	return all
}

// offsetsBetween looks at the clock once in every step, and where it has been put
// forward or back finds the second in which it was. (time.ZoneBounds says the same
// in theory; in zones with a rule for the future it may answer a span that ends
// where it was asked.)
func offsetsBetween(zone *time.Location, from, to time.Time, step time.Duration) []ZoneOffset {
	offset := func(t time.Time) int {
		_, seconds := t.In(zone).Zone()
		return seconds
	}
	all := []ZoneOffset{{From: from, Seconds: offset(from)}}
	for t := from; t.Before(to); t = t.Add(step) {
		before, after := t, t.Add(step)
		if offset(before) == offset(after) {
			continue
		}
		for after.Sub(before) > time.Second {
			if middle := before.Add(after.Sub(before) / 2).Truncate(time.Second); offset(middle) == offset(t) {
				before = middle
			} else {
				after = middle
			}
		}
		all = append(all, ZoneOffset{From: after, Seconds: offset(after)})
	}
	return all
}
