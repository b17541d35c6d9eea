package store

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tripwire/internal/school"
)

// Counts are sums over the roll-ups, which hold what docs/figures.md defines. None
// of these reads a row of a student.

// counted bounds a query of a roll-up to the managers and the course of the
// filter.
func counted(scope school.Scope, f school.Counted) condition {
	var c condition
	switch {
	case !scope.All && f.Manager != "" && f.Manager != scope.Owner, !scope.All && scope.Owner == "":
		c.add("1 = 0")
	case !scope.All:
		c.add("manager_id = " + c.arg(scope.Owner))
	case f.Manager != "":
		c.add("manager_id = " + c.arg(f.Manager))
	}
	if f.Course != 0 {
		c.add("course_id = " + c.arg(int64(f.Course)))
	}
	return c
}

// in bounds the query to the buckets of a period: whole months where there are
// any, and days.
func (c *condition) in(p school.Period) {
	days, first, last := p.Months()
	var runs []string
	if first <= last && last != "" {
		runs = append(runs, "grain = 'month' AND bucket BETWEEN "+c.arg(first)+" AND "+c.arg(last))
	}
	for _, run := range days {
		runs = append(runs, "grain = 'day' AND bucket BETWEEN "+c.arg(string(run.From))+" AND "+c.arg(string(run.To)))
	}
	c.add("(" + strings.Join(runs, " OR ") + ")")
}

// days bounds the query to the days of a period.
func (c *condition) days(p school.Period) {
	c.add("grain = 'day' AND bucket BETWEEN " + c.arg(string(p.From)) + " AND " + c.arg(string(p.To)))
}

// something leaves out what has come to nothing: a deleted sale is taken from its
// sums, whose rows stay.
const something = " HAVING sum(sales) <> 0 OR sum(amount_minor) <> 0"

// SumSales answers the sales of a period.
func (tx *Tx) SumSales(scope school.Scope, f school.Counted) (school.Sales, error) {
	c := counted(scope, f)
	c.in(f.Period)
	var all school.Sales
	_, err := list(tx, "SELECT currency, sum(sales), sum(amount_minor) FROM sale_counts"+c.where()+" GROUP BY currency"+something+" ORDER BY currency", func(r row) (none struct{}, err error) {
		var n int
		var m school.Money
		err = r.Scan(&m.Currency, &n, &m.Minor)
		all.Add(n, m)
		return none, err
	}, c.args...)
	return all, err
}

// studentSums are the columns of student_counts, added up.
const studentSums = "coalesce(sum(active), 0), coalesce(sum(completed), 0), coalesce(sum(blocked), 0), coalesce(sum(test), 0), coalesce(sum(undelivered), 0), coalesce(sum(newcomers), 0)"

func scanCounts(r row, n *school.StudentCounts, first ...any) error {
	return r.Scan(append(first, &n.Active, &n.Completed, &n.Blocked, &n.Test, &n.Undelivered, &n.Newcomers)...)
}

// SumStudents answers the students that were added in a period, by what they are
// now. Those who are stuck are counted for all time alone: of a period, Stuck
// stays 0.
func (tx *Tx) SumStudents(scope school.Scope, f school.Counted, zone *time.Location) (school.StudentCounts, error) {
	c := counted(scope, f)
	c.in(f.Period)
	n, err := one(tx, "SELECT "+studentSums+" FROM student_counts"+c.where(), func(r row) (n school.StudentCounts, err error) {
		return n, scanCounts(r, &n)
	}, c.args...)
	if err != nil || !f.Period.All() {
		return n, err
	}
	c = counted(scope, f)
	c.in(school.Period{Name: school.PeriodRange, From: school.FirstDay, To: school.StuckSince(school.DayOf(tx.Now, zone))})
	n.Stuck, err = one(tx, "SELECT coalesce(sum(students), 0) FROM step_counts"+c.where(), scanInt, c.args...)
	return n, err
}

// ListDaysTaken answers how many of the students that were added in a period, and
// count as completed, took how many days.
func (tx *Tx) ListDaysTaken(scope school.Scope, f school.Counted) (map[int]int, error) {
	c := counted(scope, f)
	if f.Period.All() {
		c.add("grain = 'all'")
	} else {
		c.in(f.Period)
	}
	took := map[int]int{}
	_, err := list(tx, "SELECT days, sum(students) FROM completion_counts"+c.where()+" GROUP BY days", func(r row) (none struct{}, err error) {
		var days, n int
		err = r.Scan(&days, &n)
		if n > 0 {
			took[days] += n
		}
		return none, err
	}, c.args...)
	return took, err
}

// FindDays answers the first and the last day on which money came or went; both
// are empty when none ever did.
func (tx *Tx) FindDays(scope school.Scope, f school.Counted) (first, last school.Day, err error) {
	c := counted(scope, f)
	c.add("grain = 'day'")
	end := "coalesce((SELECT bucket FROM sale_counts" + c.where() + " GROUP BY bucket" + something + " ORDER BY bucket %s LIMIT 1), '')" // in the order of the key, so that it ends with the first
	_, err = one(tx, "SELECT "+fmt.Sprintf(end, "")+", "+fmt.Sprintf(end, "DESC"), func(r row) (none struct{}, err error) {
		return none, r.Scan(text(&first), text(&last))
	}, c.args...)
	return first, last, err
}

// ListBars fills the bars of a chart: sales by the day on which they were made,
// students by the day on which they were added. months reads whole months, which
// is enough where each bar is one.
func (tx *Tx) ListBars(scope school.Scope, f school.Counted, g school.Grouping, bars []school.Bar) error {
	byBucket := func(c *condition) {
		if g == school.ByMonth {
			c.in(f.Period)
		} else {
			c.days(f.Period)
		}
	}
	place := map[school.Day]int{}
	for i, b := range bars {
		place[b.From] = i
	}
	bar := func(bucket string) *school.Bar {
		day := school.Day(bucket)
		if len(bucket) == len("2006-01") {
			day += "-01"
		}
		from, _ := g.Group(day, f.Period)
		return &bars[place[from]]
	}
	c := counted(scope, f)
	byBucket(&c)
	_, err := list(tx, "SELECT bucket, currency, sum(sales), sum(amount_minor) FROM sale_counts"+c.where()+" GROUP BY bucket, currency"+something+" ORDER BY bucket, currency", func(r row) (none struct{}, err error) {
		var bucket string
		var n int
		var m school.Money
		err = r.Scan(&bucket, &m.Currency, &n, &m.Minor)
		if err == nil {
			bar(bucket).Sales.Add(n, m)
		}
		return none, err
	}, c.args...)
	if err != nil {
		return err
	}
	c = counted(scope, f)
	byBucket(&c)
	_, err = list(tx, "SELECT bucket, "+studentSums+" FROM student_counts"+c.where()+" GROUP BY bucket", func(r row) (none struct{}, err error) {
		var bucket string
		var n school.StudentCounts
		err = scanCounts(r, &n, &bucket)
		if err == nil {
			bar(bucket).Students.Add(n)
		}
		return none, err
	}, c.args...)
	return err
}

// ListStandings answers every manager with what they sold and have, unordered:
// also those with nothing yet, unless they can no longer log in. What nobody sold
// stands under the empty id.
func (tx *Tx) ListStandings(f school.Counted, month school.Period) ([]school.Standing, error) {
	f.Manager = ""
	all, err := list(tx, "SELECT id, full_name, disabled_at IS NOT NULL, role FROM users WHERE role <> 'student' AND deleted_at IS NULL ORDER BY search_text, id",
		func(r row) (s standing, err error) {
			return s, r.Scan(text(&s.Manager), &s.Name, &s.Disabled, text(&s.role))
		})
	if err != nil {
		return nil, err
	}
	all = append(all, standing{})
	find := func(id string) *standing {
		for i := range all {
			if string(all[i].Manager) == id || id == nobody && all[i].Manager == "" {
				return &all[i]
			}
		}
		return &all[len(all)-1]
	}
	if err := tx.sumByManager(f, func(id string, n int, m school.Money) { find(id).Sales.Add(n, m) }); err != nil {
		return nil, err
	}
	inMonth := f
	inMonth.Period = month
	if err := tx.sumByManager(inMonth, func(id string, n int, _ school.Money) { find(id).ThisMonth += n }); err != nil {
		return nil, err
	}
	c := counted(school.Scope{All: true}, f)
	c.in(f.Period)
	_, err = list(tx, "SELECT manager_id, "+studentSums+" FROM student_counts"+c.where()+" GROUP BY manager_id", func(r row) (none struct{}, err error) {
		var id string
		var n school.StudentCounts
		err = scanCounts(r, &n, &id)
		s := find(id)
		s.Active, s.Completed = s.Active+n.Active, s.Completed+n.Completed
		return none, err
	}, c.args...)
	var shown []school.Standing
	for _, s := range all {
		if s.role == school.RoleSales && !s.Disabled || s.hasAnything() {
			shown = append(shown, s.Standing)
		}
	}
	return shown, err
}

type standing struct {
	school.Standing
	role school.Role
}

func (s standing) hasAnything() bool {
	earned := slices.ContainsFunc(s.Sales.Revenue, func(m school.Money) bool { return m.Minor != 0 })
	return s.Sales.Count != 0 || earned || s.ThisMonth != 0 || s.Active != 0 || s.Completed != 0
}

func (tx *Tx) sumByManager(f school.Counted, add func(id string, n int, m school.Money)) error {
	c := counted(school.Scope{All: true}, f)
	c.in(f.Period)
	_, err := list(tx, "SELECT manager_id, currency, sum(sales), sum(amount_minor) FROM sale_counts"+c.where()+" GROUP BY manager_id, currency"+something+" ORDER BY manager_id, currency", func(r row) (none struct{}, err error) {
		var id string
		var n int
		var m school.Money
		err = r.Scan(&id, &m.Currency, &n, &m.Minor)
		add(id, n, m)
		return none, err
	}, c.args...)
	return err
}

// ListZoneOffsets answers the offsets with which the triggers find days.
func (tx *Tx) ListZoneOffsets() ([]school.ZoneOffset, error) {
	return list(tx, "SELECT starts_at, seconds FROM zone_offsets ORDER BY starts_at", func(r row) (o school.ZoneOffset, err error) {
		err = r.Scan(at(&o.From), &o.Seconds)
		if !o.From.After(beginningOfTime) {
			o.From = time.Time{}
		}
		return o, err
	})
}

// beginningOfTime stands for "always" in a column that has no empty value.
var beginningOfTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// ErrRecountNotBegun: a recount was asked for in a transaction that has not begun
// with BeginRecount.
var ErrRecountNotBegun = errors.New("a recount begins with BeginRecount")

// BeginRecount is the first thing in a transaction that may count anew: until it
// ends, nobody else counts. Everybody who would waits for it.
func (tx *Tx) BeginRecount() error {
	tx.recounts = true
	return tx.engine.stopCounting(tx.ctx, tx.q)
}

// TakeTime lifts the limit of a statement's time for the rest of the transaction:
// for who looks at every row.
func (tx *Tx) TakeTime() error { return tx.engine.takeTime(tx.ctx, tx.q) }

// ReplaceZoneOffsets gives the triggers other offsets and has every roll-up
// counted anew. Errors: ErrRecountNotBegun.
func (tx *Tx) ReplaceZoneOffsets(offsets []school.ZoneOffset) error {
	if !tx.recounts {
		return ErrRecountNotBegun
	}
	if _, err := tx.exec("DELETE FROM zone_offsets"); err != nil {
		return err
	}
	for _, o := range offsets {
		if o.From.IsZero() {
			o.From = beginningOfTime
		}
		if _, err := tx.exec("INSERT INTO zone_offsets (starts_at, seconds) VALUES ($1, $2)", o.From, int64(o.Seconds)); err != nil {
			return err
		}
	}
	return tx.Recount()
}

// Recount has a trigger count every roll-up anew. Errors: ErrRecountNotBegun.
func (tx *Tx) Recount() error {
	if !tx.recounts {
		return ErrRecountNotBegun
	}
	_, err := tx.exec("INSERT INTO recounts (at) VALUES ($1)", tx.Now)
	return err
}

// facetSums are the sums of student_counts for what a list is chosen by.
var facetSums = map[school.Status]string{
	"": "active + completed + blocked", school.StatusActive: "active", school.StatusCompleted: "completed", school.StatusBlocked: "blocked",
	school.StatusTest: "test", school.StatusUndelivered: "undelivered", school.StatusNewcomer: "newcomers", school.StatusStuck: "active",
}

// ListFacets answers the courses and the managers that have students of the status;
// managers to who may see all of them, and school.Nobody without a name among them.
// Each is counted without regard to itself:
// what is chosen can be changed. Those who are stuck are not counted by course and
// manager: there Count is that of the active.
func (tx *Tx) ListFacets(scope school.Scope, f school.Counted, status school.Status) (courses, managers []school.Facet, err error) {
	facets := func(f school.Counted, column, names, where string) ([]school.Facet, error) {
		c := counted(scope, f)
		c.in(f.Period)
		return list(tx, "SELECT counts.id, "+names+", counts.students FROM (SELECT "+column+" AS id, sum("+cmp.Or(facetSums[status], "0")+") AS students FROM student_counts"+
			c.where()+" GROUP BY "+column+") counts "+where+" n ON n.id = counts.id WHERE counts.students > 0 ORDER BY 3 DESC, 2, 1",
			func(r row) (v school.Facet, err error) { return v, r.Scan(&v.ID, &v.Name, &v.Count) }, c.args...)
	}
	wider := f
	wider.Course = 0
	if courses, err = facets(wider, "course_id", "n.title", "JOIN courses"); err != nil || !scope.All {
		return courses, nil, err
	}
	wider = f
	wider.Manager = ""
	managers, err = facets(wider, "manager_id", "coalesce(n.full_name, '')", "LEFT JOIN users")
	return courses, managers, err
}

// ListSaleFacets answers the courses and the managers whose sales the scope has
// made at any time, the most sales first; managers to who may see all of them. A
// choice of the ledger does not come and go with its period.
func (tx *Tx) ListSaleFacets(scope school.Scope) (courses, managers []school.Facet, err error) {
	facets := func(column, names, where string) ([]school.Facet, error) {
		c := counted(scope, school.Counted{})
		c.in(school.Period{Name: school.PeriodAll})
		return list(tx, "SELECT counts.id, "+names+", counts.sales FROM (SELECT "+column+" AS id, sum(sales) AS sales FROM sale_counts"+
			c.where()+" GROUP BY "+column+") counts "+where+" n ON n.id = counts.id ORDER BY 3 DESC, 2, 1",
			func(r row) (v school.Facet, err error) { return v, r.Scan(&v.ID, &v.Name, &v.Count) }, c.args...)
	}
	if courses, err = facets("course_id", "n.title", "JOIN courses"); err != nil || !scope.All {
		return courses, nil, err
	}
	managers, err = facets("manager_id", "coalesce(n.full_name, '')", "LEFT JOIN users")
	return courses, managers, err
}
