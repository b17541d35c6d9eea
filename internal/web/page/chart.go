package page

import (
	"slices"
	"strconv"
	"strings"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// Chart is the sales of a run of days.
type Chart struct {
	Period   string // the days in words: «1–25 декабря»
	Compared string // the days before them in words; empty: there is nothing to compare with
	Change   Part   // by how much there are more sales than in those days; empty: not said
	Points   []Point
	Group    school.Grouping
	Groups   []GroupLink // the choice; one alone is not shown
	// Currency is what the line counts in; empty: the first one of the points.
	// The table says all.
	Currency string
	Error    string // the request id of a failed read
}

// GroupLink is another grouping and where it is shown.
type GroupLink struct {
	Group school.Grouping
	URL   string
}

// Point is one bar: a day, a week or a month, cut off at the ends of the period.
type Point struct {
	From, To school.Day
	Label    string // short, for the axis: «25 дек»
	Long     string // «25 декабря»
	Sales    int
	Revenue  []school.Money // one for each currency; none: nothing was paid
}

// PointsOf gives the bars their words.
func PointsOf(p locale.Printer, group school.Grouping, bars []school.Bar) []Point {
	points := make([]Point, len(bars))
	for i, b := range bars {
		points[i] = labelled(p, group, Point{From: b.From, To: b.To, Sales: b.Sales.Count, Revenue: b.Sales.Revenue})
	}
	return points
}

func labelled(p locale.Printer, group school.Grouping, point Point) Point {
	whole := point.From == point.From.FirstOfMonth() && point.To == point.To.LastOfMonth()
	switch {
	case group == school.ByMonth && whole:
		point.Label, point.Long = p.ShortMonth(point.From), p.Month(point.From)
	case group == school.ByMonth:
		point.Label, point.Long = p.ShortMonth(point.From), p.Days(point.From, point.To)
	default:
		point.Label, point.Long = p.Day(point.From), p.Days(point.From, point.To)
	}
	return point
}

// currency is what the line of revenue counts in.
func (m Chart) currency() string {
	if m.Currency != "" {
		return m.Currency
	}
	for _, point := range m.Points {
		for _, money := range point.Revenue {
			return money.Currency
		}
	}
	return ""
}

// in answers the amount of one currency.
func in(currency string, amounts []school.Money) school.Money {
	for _, m := range amounts {
		if m.Currency == currency {
			return m
		}
	}
	return school.Money{Currency: currency}
}

func (m Chart) sales() (sum int) {
	for _, point := range m.Points {
		sum += point.Sales
	}
	return sum
}

func (m Chart) revenue() []school.Money {
	var sum school.Sales
	for _, point := range m.Points {
		sum.AddAll(point.Sales, point.Revenue)
	}
	return sum.Revenue
}

// moneys is every currency's amount; where nothing was paid, zero of the main one.
func (c Chrome) moneys(amounts []school.Money, currency string) string {
	if len(amounts) == 0 {
		return c.P.Money(school.Money{Currency: currency})
	}
	said := make([]string, len(amounts))
	for i, m := range amounts {
		said[i] = c.P.Money(m)
	}
	return strings.Join(said, " · ")
}

// chartRow is a point with the sum up to it: a row of the table, and what the
// script draws.
type chartRow struct {
	Point
	revenue, total int64 // minor units of the main currency
	totals         []school.Money
}

func (m Chart) rows() []chartRow {
	rows := make([]chartRow, len(m.Points))
	currency := m.currency()
	var total school.Sales
	for i, point := range m.Points {
		total.AddAll(point.Sales, point.Revenue)
		rows[i] = chartRow{point, in(currency, point.Revenue).Minor, in(currency, total.Revenue).Minor, slices.Clone(total.Revenue)}
	}
	return rows
}

// figures is a point in words, without its day: «8 продаж · 40 000 ₸».
func (c Chrome) figures(point Point, currency string) string {
	return c.P.N("sales.count", point.Sales) + " · " + c.moneys(point.Revenue, currency)
}

// axes are the two scales of a chart. They have the same number of steps, so that
// one set of lines serves both.
type axes struct {
	steps                 int
	saleStep, revenueStep int64
	unit                  int64 // minor units in one of the currency
}

func (m Chart) axes() axes {
	var most, revenue int64
	for _, row := range m.rows() {
		most, revenue = max(most, int64(row.Sales)), max(revenue, row.total)
	}
	a := axes{unit: 1}
	for range school.MinorDigits(m.currency()) {
		a.unit *= 10
	}
	a.steps, a.saleStep = steps(most)
	a.revenueStep = niceStep((revenue+a.unit-1)/a.unit, int64(a.steps), roundMoney)
	return a
}

// steps divides an axis of whole things: as little above the highest of them as can
// be, in three to five steps. Up to three things each has a line of its own.
func steps(most int64) (count int, step int64) {
	if most <= 3 {
		return int(max(most, 1)), 1
	}
	for _, n := range []int64{4, 5, 3} {
		if s := niceStep(most, n, roundThings); step == 0 || n*s < int64(count)*step {
			count, step = int(n), s
		}
	}
	return count, step
}

// Steps of an axis in tenths of a power of ten: people count things in these. Money
// has to keep to the number of steps of the other axis, so it has more to choose from.
var (
	roundThings = []int64{10, 20, 25, 50}
	roundMoney  = []int64{10, 15, 20, 25, 30, 40, 50, 60, 80}
)

// niceStep is the least round step that reaches most in n of them.
func niceStep(most, n int64, round []int64) int64 {
	for size := int64(1); ; size *= 10 {
		for _, tenths := range round {
			step := size * tenths / 10
			if step*10 == size*tenths && step*n >= most {
				return step
			}
		}
	}
}

// ticks are the words of an axis from zero up, for the script to write.
func (a axes) ticks(p locale.Printer, step int64) string {
	said := make([]string, a.steps+1)
	for i := range said {
		said[i] = p.Rough(int64(i) * step)
	}
	return strings.Join(said, "|")
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func (m Chart) group() school.Grouping {
	if m.Group == "" {
		return school.ByDay
	}
	return m.Group
}
