package school

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// Zones in which a day is not what one thinks: midnight that is skipped (Beirut,
// Santiago, Havana), a day that never was (Apia), offsets of quarters of an hour
// (Kathmandu), a country that has changed its mind (Almaty, 2024).
var oddZones = []string{"Asia/Almaty", "America/Santiago", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Asia/Kathmandu", "Europe/Berlin", "UTC"}

func TestADayBeginsWhenTheFirstClockSaysSo(t *testing.T) {
	for _, c := range []struct{ zone, day, start string }{
		{"Asia/Almaty", "2024-02-29", "2024-02-28T18:00:00Z"},
		{"Asia/Almaty", "2024-03-01", "2024-02-29T19:00:00Z"},      // at midnight it was 23:00 again
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"}, // 00:00 is 01:00
		{"America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"},   // 00:00 is 01:00
		{"Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"},      // 00:00 is 01:00
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"},
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"}, // never was: as the 31st
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
	} {
		if got := Day(c.day).Start(zone(t, c.zone)).Format(time.RFC3339); got != c.start {
			t.Errorf("%s in %s begins at %s, want %s", c.day, c.zone, got, c.start)
		}
	}
}

// TestDaysLieBetweenTheirStarts: the day of a moment is the one whose start is the
// last before it, and the offsets that the database counts with say the same.
func TestDaysLieBetweenTheirStarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(oddZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(946_800_000, 4_100_000_000).Draw(t, "seconds"), 0)
		offsets := ZoneOffsets(loc)
		if rapid.Bool().Draw(t, "at a change") {
			change := offsets[rapid.IntRange(0, len(offsets)-1).Draw(t, "change")]
			if !change.From.IsZero() {
				at = change.From.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "seconds from it")) * time.Second)
			}
		}
		day := DayOf(at, loc)
		if day.Start(loc).After(at) || !day.Add(1).Start(loc).After(at) {
			t.Fatalf("%s in %s is on %s, which lasts from %s to %s", at.UTC(), loc, day, day.Start(loc), day.Add(1).Start(loc))
		}
		var seconds int
		for _, o := range offsets {
			if !o.From.After(at) {
				seconds = o.Seconds
			}
		}
		if got := Day(at.UTC().Add(time.Duration(seconds) * time.Second).Format(dayLayout)); got != day {
			t.Fatalf("%s in %s is on %s by the offsets, on %s by the zone", at.UTC(), loc, got, day)
		}
	})
}

func TestParsePeriod(t *testing.T) {
	today := Day("2026-03-31") // a Tuesday
	for _, c := range []struct {
		name, from, to string
		want           string
		before         string
	}{
		{"", "", "", "all", ""},
		{"all", "2026-01-01", "", "all", ""},
		{"today", "", "", "2026-03-31 2026-03-31", "2026-03-30 2026-03-30"},
		{"yesterday", "", "", "2026-03-30 2026-03-30", "2026-03-29 2026-03-29"},
		{"week", "", "", "2026-03-30 2026-03-31", "2026-03-23 2026-03-24"},
		{"month", "", "", "2026-03-01 2026-03-31", "2026-02-01 2026-02-28"},
		{"range", "2026-03-05", "2026-03-14", "2026-03-05 2026-03-14", "2026-02-23 2026-03-04"},
		{"", "2026-03-05", "", "2026-03-05 2026-03-31", "2026-02-06 2026-03-04"},
		{"", "", "2026-03-05", "2000-01-01 2026-03-05", "-"},
		{"", "2026-04-05", "", "2026-04-05 2026-04-05", "2026-04-04 2026-04-04"},
	} {
		p, err := ParsePeriod(c.name, c.from, c.to, today)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		got := string(p.From) + " " + string(p.To)
		if p.All() {
			got = "all"
		}
		before := ""
		if b, ok := p.Before(); ok {
			before = string(b.From) + " " + string(b.To)
		}
		if got != c.want || c.before != "-" && before != c.before {
			t.Errorf("%s %s %s is %q after %q, want %q after %q", c.name, c.from, c.to, got, before, c.want, c.before)
		}
	}
	for _, c := range []struct{ name, from, to, field, code string }{
		{"decade", "", "", "period", "period_unknown"},
		{"range", "31.12.2026", "", "from", "date_invalid"},
		{"range", "", "2026-02-30", "to", "date_invalid"},
		{"range", "1999-12-31", "", "from", "date_invalid"},
		{"range", "2026-03-05", "2026-03-04", "to", "range_backwards"},
	} {
		_, err := ParsePeriod(c.name, c.from, c.to, today)
		var e *Error
		if !errors.As(err, &e) || e.Fields[c.field] != c.code {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestMonthsCoverThePeriod: whole months and days at the ends together are every
// day of the period once.
func TestMonthsCoverThePeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := Day("2023-11-17").Add(rapid.IntRange(0, 500).Draw(t, "from"))
		p := Period{PeriodRange, from, from.Add(rapid.IntRange(0, 500).Draw(t, "days"))}
		days, first, last := p.Months()
		seen := map[Day]int{}
		for _, run := range days {
			for d := run.From; d <= run.To; d = d.Add(1) {
				seen[d]++
			}
			if run.Days() > 30 {
				t.Fatalf("%v has a run of %d days", p, run.Days())
			}
		}
		for d := Day("2023-11-01"); d < "2026-12-31"; d = d.Add(1) {
			if first != "" && first <= d.Month() && d.Month() <= last {
				seen[d]++
			}
			want := 0
			if p.From <= d && d <= p.To {
				want = 1
			}
			if seen[d] != want {
				t.Fatalf("%s is %d times in %v: %v, %s to %s", d, seen[d], p, days, first, last)
			}
		}
	})
}
