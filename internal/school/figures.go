package school

import "slices"

// Counted chooses what the figures count. The zero value is everything, of all
// time; whose students that may be is for the actor's scope to say.
type Counted struct {
	Period Period
	// Manager counts one manager's alone, or those that are Nobody's; empty:
	// everybody's within the scope.
	Manager UserID
	// Course counts one course's alone; 0: all.
	Course CourseID
}

// Sales are so many sales and the money that came of them. docs/figures.md says
// what counts.
type Sales struct {
	Count int
	// Revenue is the sum of the money events, one amount for each currency, the
	// largest first.
	Revenue []Money
}

// Add puts a number of sales and an amount to the sum.
func (s *Sales) Add(count int, amount Money) {
	s.Count += count
	if i := slices.IndexFunc(s.Revenue, func(m Money) bool { return m.Currency == amount.Currency }); i >= 0 {
		s.Revenue[i].Minor += amount.Minor
	} else {
		s.Revenue = append(s.Revenue, amount)
	}
	slices.SortStableFunc(s.Revenue, func(a, b Money) int { return int(min(max(b.Minor-a.Minor, -1), 1)) })
}

// AddAll puts other sales to the sum.
func (s *Sales) AddAll(count int, revenue []Money) {
	s.Count += count
	for _, m := range revenue {
		s.Add(0, m)
	}
}

// StudentCounts are how many students there are of each kind. Test accounts are
// in Test and in nothing else.
type StudentCounts struct {
	Active      int
	Completed   int
	Blocked     int
	Test        int
	Undelivered int // no letter has reached them
	Newcomers   int // have never logged in
	Stuck       int // active, without a step for StuckDays
}

// All is how many students are listed when nothing is chosen: everybody but the
// test accounts.
func (c StudentCounts) All() int { return c.Active + c.Completed + c.Blocked }

// Add adds other students.
func (c *StudentCounts) Add(o StudentCounts) {
	c.Active, c.Completed, c.Blocked, c.Test = c.Active+o.Active, c.Completed+o.Completed, c.Blocked+o.Blocked, c.Test+o.Test
	c.Undelivered, c.Newcomers, c.Stuck = c.Undelivered+o.Undelivered, c.Newcomers+o.Newcomers, c.Stuck+o.Stuck
}

// Of answers the count of a status.
func (c StudentCounts) Of(s Status) int {
	switch s {
	case "":
		return c.All()
	case StatusActive:
		return c.Active
	case StatusCompleted:
		return c.Completed
	case StatusBlocked:
		return c.Blocked
	case StatusTest:
		return c.Test
	case StatusUndelivered:
		return c.Undelivered
	case StatusNewcomer:
		return c.Newcomers
	case StatusStuck:
		return c.Stuck
	case StatusDeleted:
	}
	return 0
}

// StuckDays is after how many days without a step an active student is stuck.
const StuckDays = 7

// StuckSince answers the last day on which the last step of a stuck student can
// lie.
func StuckSince(today Day) Day { return today.Add(-StuckDays) }

// Median answers the middle of a histogram of days: how many students took how
// many days. It is a half where two share the middle. ok is false for nobody.
func Median(students map[int]int) (days float64, ok bool) {
	total := 0
	for _, n := range students {
		total += n
	}
	if total == 0 {
		return 0, false
	}
	at := func(place int) int { // counted from 0
		for _, took := range sortedKeys(students) {
			if place -= students[took]; place < 0 {
				return took
			}
		}
		return 0
	}
	return float64(at((total-1)/2)+at(total/2)) / 2, true
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Grouping is how a chart gathers days.
type Grouping string

// The groupings.
const (
	ByDay   Grouping = "day"
	ByWeek  Grouping = "week" // from Monday
	ByMonth Grouping = "month"
)

// Offered answers the groupings in which so many days can be read, and the one to
// begin with. More bars than about a hundred cannot be told apart, one is no
// picture, and on a phone sixty are enough.
func Offered(days int) (all []Grouping, usual Grouping) {
	switch {
	case days <= 13:
		return []Grouping{ByDay}, ByDay
	case days <= 45:
		return []Grouping{ByDay, ByWeek}, ByDay
	case days <= 62:
		return []Grouping{ByDay, ByWeek, ByMonth}, ByDay
	case days <= 100:
		return []Grouping{ByDay, ByWeek, ByMonth}, ByWeek
	case days <= 400:
		return []Grouping{ByWeek, ByMonth}, ByWeek
	default:
		return []Grouping{ByMonth}, ByMonth
	}
}

// Group answers the group of a day: its first and its last day, within the
// period.
func (g Grouping) Group(d Day, within Period) (from, to Day) {
	switch g {
	case ByWeek:
		from, to = d.Monday(), d.Monday().Add(6)
	case ByMonth:
		from, to = d.FirstOfMonth(), d.LastOfMonth()
	default:
		from, to = d, d
	}
	return max(from, within.From), min(to, within.To)
}

// Bar is one group of days.
type Bar struct {
	From, To Day
	Sales    Sales
	Students StudentCounts // added in these days; the stuck are not counted
}

// Bars answers an empty bar for every group of the period, in order, none left
// out.
func (g Grouping) Bars(p Period) []Bar {
	var all []Bar
	for d := p.From; d <= p.To; {
		from, to := g.Group(d, p)
		all = append(all, Bar{From: from, To: to})
		d = to.Add(1)
	}
	return all
}

// Standing is one manager in the ranking.
type Standing struct {
	Manager   UserID // empty: sales that nobody made
	Name      string
	Disabled  bool
	Place     int // managers with as many sales share it
	Sales     Sales
	ThisMonth int // sales
	Active    int
	Completed int
}

// Rank orders the managers by their sales, the most first, and gives each a place;
// who has as many shares it, and the place behind is skipped. What nobody sold
// comes last, without a place.
func Rank(all []Standing) {
	slices.SortStableFunc(all, func(a, b Standing) int {
		switch {
		case (a.Manager == "") != (b.Manager == ""):
			if a.Manager == "" {
				return 1
			}
			return -1
		case a.Sales.Count != b.Sales.Count:
			return b.Sales.Count - a.Sales.Count
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	place, before := 0, -1
	for i, s := range all {
		if s.Manager == "" {
			continue
		}
		if s.Sales.Count != before {
			place, before = i+1, s.Sales.Count
		}
		all[i].Place = place
	}
}
