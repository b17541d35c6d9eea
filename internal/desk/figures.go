package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// Figures are the four cards of the panel and its chart, read at one moment, so that
// they agree. docs/figures.md says what each counts.
type Figures struct {
	Today school.Day
	// Sales of the period, and of the period before it where there is one.
	Sales, SalesBefore school.Sales
	// Students that were added in the period, by what they are now.
	Students school.StudentCounts
	// MedianDays is how long those took who completed; false: nobody has.
	MedianDays float64
	Completed  bool
	// This month up to today, and the month before up to the same day.
	Month, MonthBefore school.Sales
	// Trend has the days or groups of the period, MonthTrend the days of the month.
	Trend, MonthTrend []school.Bar
	Chart             Chart
}

// Chart is the sales of a period in groups of days, none left out.
type Chart struct {
	Period   school.Period // with ends, also for all time
	Grouping school.Grouping
	Offered  []school.Grouping
	Bars     []school.Bar
	Sales    school.Sales // the sum of the bars
}

// Figures answers the sales of the actor and the students that they have; of
// everybody, or of the manager of the filter, for who may see all. A grouping of
// the chart that the period does not offer is replaced by the usual one. Errors:
// Forbidden.
func (d *Desk) Figures(ctx context.Context, actor school.Actor, f school.Counted, g school.Grouping) (all Figures, err error) {
	err = d.counting(ctx, actor, func(tx *store.Tx, scope school.Scope, zone *time.Location) error {
		all.Today = school.DayOf(tx.Now, zone)
		month, err := school.ParsePeriod(string(school.PeriodMonth), "", "", all.Today)
		if err != nil {
			return err
		}
		in := func(p school.Period) school.Counted {
			f := f
			f.Period = p
			return f
		}
		if all.Chart, err = chart(tx, scope, f, g, all.Today); err != nil {
			return err
		}
		all.Sales = all.Chart.Sales // which is all there is, where the period is all time
		if all.Trend, err = trend(tx, scope, f, all.Chart); err != nil {
			return err
		}
		if before, ok := f.Period.Before(); ok {
			if all.SalesBefore, err = tx.SumSales(scope, in(before)); err != nil {
				return err
			}
		}
		if all.Students, err = tx.SumStudents(scope, f, zone); err != nil {
			return err
		}
		took, err := tx.ListDaysTaken(scope, f)
		if err != nil {
			return err
		}
		all.MedianDays, all.Completed = school.Median(took)
		if all.MonthTrend, err = bars(tx, scope, in(longEnough(month)), school.ByDay); err != nil {
			return err
		}
		all.Month = sumWithin(all.MonthTrend, month)
		before, _ := month.Before()
		all.MonthBefore, err = tx.SumSales(scope, in(before))
		return err
	})
	return all, err
}

// trend answers the bars of the trend line over the period of the chart: those of
// the chart itself, unless it has too few days for a line or another grouping was
// asked for.
func trend(tx *store.Tx, scope school.Scope, f school.Counted, c Chart) ([]school.Bar, error) {
	f.Period = longEnough(c.Period)
	if _, usual := school.Offered(f.Period.Days()); f.Period != c.Period || usual != c.Grouping {
		return bars(tx, scope, f, usual)
	}
	return c.Bars, nil
}

// sumWithin adds up the bars that begin in the period.
func sumWithin(all []school.Bar, p school.Period) (sum school.Sales) {
	for _, b := range all {
		if b.From >= p.From {
			sum.AddAll(b.Sales.Count, b.Sales.Revenue)
		}
	}
	return sum
}

// trendDays is how many days a trend has at least: fewer are no line.
const trendDays = 14

func longEnough(p school.Period) school.Period {
	if p.Days() < trendDays {
		p = school.Period{Name: school.PeriodRange, From: p.To.Add(1 - trendDays), To: p.To}
	}
	return p
}

// charted answers the days that a chart of the filter has: all time begins with
// the first sale, and so does a range of many years.
func charted(tx *store.Tx, scope school.Scope, f school.Counted, today school.Day) (school.Period, error) {
	p := f.Period
	if !p.All() && p.Days() <= longChart {
		return p, nil
	}
	first, last, err := tx.FindDays(scope, f)
	if err != nil {
		return p, err
	}
	if p.All() {
		p = school.Period{Name: school.PeriodRange, From: school.FirstDay, To: max(today, last)}
	}
	if first == "" {
		first = p.To.Add(1 - trendDays)
	}
	p.From = min(max(p.From, first), p.To)
	return p, nil
}

// longChart is how many days are shown as asked for, with or without sales.
const longChart = 800

func bars(tx *store.Tx, scope school.Scope, f school.Counted, g school.Grouping) ([]school.Bar, error) {
	all := g.Bars(f.Period)
	return all, tx.ListBars(scope, f, g, all)
}

func chart(tx *store.Tx, scope school.Scope, f school.Counted, g school.Grouping, today school.Day) (c Chart, err error) {
	if c.Period, err = charted(tx, scope, f, today); err != nil {
		return c, err
	}
	c.Offered, c.Grouping = school.Offered(c.Period.Days())
	if slices.Contains(c.Offered, g) {
		c.Grouping = g
	}
	f.Period = c.Period
	c.Bars, err = bars(tx, scope, f, c.Grouping)
	c.Sales = sumWithin(c.Bars, c.Period)
	return c, err
}

// Ranking answers how the managers stand, the most sales first: all of them, to
// every member of staff; a ranking that leaves people out is none. The manager of
// the filter does not narrow it. Errors: Forbidden.
func (d *Desk) Ranking(ctx context.Context, actor school.Actor, f school.Counted) (all []school.Standing, err error) {
	err = d.counting(ctx, actor, func(tx *store.Tx, _ school.Scope, zone *time.Location) error {
		month, err := school.ParsePeriod(string(school.PeriodMonth), "", "", school.DayOf(tx.Now, zone))
		if err != nil {
			return err
		}
		all, err = tx.ListStandings(f, month)
		school.Rank(all)
		return err
	})
	return all, err
}

// counting runs fn, which counts within the scope of the actor, in the school's
// zone.
func (d *Desk) counting(ctx context.Context, actor school.Actor, fn func(*store.Tx, school.Scope, *time.Location) error) error {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return err
	}
	return d.store.Read(ctx, func(tx *store.Tx) error {
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		return fn(tx, scope, settings.Location())
	})
}

// alignZone gives the database the days of the school's zone, if it has others: at
// the first start, after the school has moved, and when a country has changed its
// clocks since the last release. It answers whether everything was counted anew
// for that. Errors: store.ErrRecountNotBegun; see aligning.
func alignZone(tx *store.Tx, zone *time.Location) (recounted bool, err error) {
	have, err := tx.ListZoneOffsets()
	if err != nil {
		return false, err
	}
	want := school.ZoneOffsets(zone)
	if sameOffsets(have, want) {
		return false, nil
	}
	return true, tx.ReplaceZoneOffsets(want)
}

// aligning writes with an fn that aligns the zone. Nobody waits unless the zone
// really differs: then what fn did is undone, and done again while nobody else
// counts.
func (d *Desk) aligning(ctx context.Context, fn func(*store.Tx) error) error {
	err := d.store.Write(ctx, fn)
	if !errors.Is(err, store.ErrRecountNotBegun) {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.BeginRecount(); err != nil {
			return err
		}
		return fn(tx)
	})
}

func sameOffsets(a, b []school.ZoneOffset) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].From.Equal(b[i].From) || a[i].Seconds != b[i].Seconds {
			return false
		}
	}
	return true
}
