package desk_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// wanderingClock is a school's clock that a history moves on.
type wanderingClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *wanderingClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *wanderingClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

// edges are the moments about which a day is easily mistaken: midnight, the end of
// a month and of a year, a leap day, and clocks that are put forward or back.
var edges = map[string][]string{
	"Asia/Almaty":      {"2024-02-28T18:00:00Z", "2024-02-29T18:00:00Z", "2024-02-29T19:00:00Z", "2024-03-31T19:00:00Z", "2024-12-31T19:00:00Z"},
	"Europe/Berlin":    {"2024-02-28T23:00:00Z", "2024-03-31T00:59:00Z", "2024-03-31T22:00:00Z", "2024-10-27T00:59:00Z", "2024-10-27T23:00:00Z"},
	"America/Santiago": {"2024-03-31T03:00:00Z", "2024-04-07T03:00:00Z", "2024-09-08T04:00:00Z", "2024-12-31T03:00:00Z"},
}

// ledger is the naive account of a history: everything that happened, counted by
// going through all of it.
type ledger struct {
	students map[school.UserID]*known
}

type known struct {
	owner, seller           school.UserID
	added, completed        time.Time
	blocked, deleted, tests bool
	lastStep                time.Time
	done                    int
	money                   []paid
}

type paid struct {
	at    time.Time
	minor int64
	sale  bool
}

func (k *known) status() school.Status {
	switch {
	case k.tests:
		return school.StatusTest
	case k.blocked:
		return school.StatusBlocked
	case !k.completed.IsZero():
		return school.StatusCompleted
	}
	return school.StatusActive
}

func within(p school.Period, d school.Day) bool { return p.All() || p.From <= d && d <= p.To }

func (l ledger) sales(p school.Period, zone *time.Location, seller school.UserID) (count int, minor int64) {
	for _, k := range l.students {
		if k.deleted || k.tests || seller != "" && k.seller != seller {
			continue
		}
		for _, m := range k.money {
			if within(p, school.DayOf(m.at, zone)) {
				minor += m.minor
				if m.sale {
					count++
				}
			}
		}
	}
	return count, minor
}

func (l ledger) counts(p school.Period, zone *time.Location, owner school.UserID, today school.Day) (n school.StudentCounts, took map[int]int) {
	took = map[int]int{}
	for _, k := range l.students {
		added := school.DayOf(k.added, zone)
		if k.deleted || owner != "" && k.owner != owner || !within(p, added) {
			continue
		}
		switch k.status() {
		case school.StatusTest:
			n.Test++
			continue
		case school.StatusBlocked:
			n.Blocked++
		case school.StatusCompleted:
			n.Completed++
			took[added.Until(school.DayOf(k.completed, zone))]++
		default:
			n.Active++
			if school.DayOf(k.lastStep, zone) <= school.StuckSince(today) {
				n.Stuck++
			}
		}
		n.Undelivered++
		n.Newcomers++
	}
	return n, took
}

// TestEveryFigureIsThatOfItsRows: over random histories, the cards, the list, the
// sum of the chart, the sum of the ranking, the export, the sum of the money
// events and a naive count of everything that happened are the same number; and
// doctor finds nothing.
func TestEveryFigureIsThatOfItsRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := &wanderingClock{at: time.Date(2023, 12, 1, 0, 0, 0, 0, time.UTC)}
		h := &chronicle{clock: clock, ledger: ledger{map[school.UserID]*known{}}}
		h.place = open(t, target, func(o *store.Options) { o.Now = clock.now })
		tried := 0
		rapid.Check(t, func(t *rapid.T) {
			if tried >= propertyTries {
				return
			}
			if zone := rapid.SampledFrom(slices.Sorted(maps.Keys(edges))).Draw(t, "zone"); h.zone == nil || h.zone.String() != zone {
				h.move(t, zone)
			}
			for range rapid.IntRange(5, 25).Draw(t, "events") {
				h.event(t)
			}
			h.compare(t)
			tried++ // not of one that has failed and is made smaller
		})
	})
}

// chronicle lets random things happen in one school; each run goes on where the
// last has ended.
type chronicle struct {
	place
	clock  *wanderingClock
	zone   *time.Location
	ledger ledger
	emails int
}

// move takes the school to another zone: every day is another.
func (h *chronicle) move(t *rapid.T, zone string) {
	ctx := context.Background()
	s, err := h.Settings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.TimeZone = zone
	if err := h.EditSettings(ctx, h.admin, s); err != nil {
		t.Fatal(err)
	}
	h.zone = s.Location()
}

func (h *chronicle) event(t *rapid.T) {
	ctx := context.Background()
	if rapid.IntRange(0, 2).Draw(t, "time") == 0 {
		edge, err := time.Parse(time.RFC3339, rapid.SampledFrom(edges[h.zone.String()]).Draw(t, "edge"))
		if err != nil {
			t.Fatal(err)
		}
		h.clock.set(edge.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "milliseconds")) * time.Millisecond))
	} else {
		h.clock.set(h.clock.now().Add(time.Duration(rapid.IntRange(0, 40*24*3600).Draw(t, "seconds")) * time.Second))
	}
	now := h.clock.now().Truncate(time.Millisecond)
	managers := []school.Actor{h.a, h.b}
	if len(h.ledger.students) == 0 || rapid.IntRange(0, 2).Draw(t, "new") == 0 {
		by := rapid.SampledFrom(managers).Draw(t, "by")
		h.emails++
		price := rapid.SampledFrom([]string{"", "4000", "2500"}).Draw(t, "price")
		c, err := h.CreateStudent(ctx, by, school.NewStudentForm{FullName: "Student", Email: fmt.Sprintf("s%d@example.com", h.emails), Access: "link", Price: price})
		if err != nil {
			t.Fatal(err)
		}
		h.ledger.students[c.Student.ID] = &known{
			owner: by.ID, seller: by.ID, added: now, lastStep: now, money: []paid{{now, c.Student.Price.Minor, true}},
		}
		return
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(h.ledger.students))).Draw(t, "student")
	k := h.ledger.students[id]
	sum := int64(0)
	for _, m := range k.money {
		sum += m.minor
	}
	var err error
	switch what := rapid.SampledFrom([]string{"delete", "restore", "block", "unblock", "test", "customer", "transfer", "refund", "correct", "study", "study", "study"}).Draw(t, "what"); what {
	case "delete":
		if _, err = h.DeleteStudent(ctx, h.admin, id); err == nil {
			k.deleted = true
		}
	case "restore":
		if err = h.RestoreStudent(ctx, h.admin, id, ""); errors.Is(err, school.ErrTrashExpired) {
			return
		}
		k.deleted = false
	case "block", "unblock":
		verb := h.BlockStudent
		if what == "unblock" {
			verb = h.UnblockStudent
		}
		if err = verb(ctx, h.admin, id); err == nil {
			k.blocked = what == "block"
		}
		err = ignoreGone(err)
	case "test", "customer":
		if err = h.MarkTest(ctx, h.admin, id, what == "test"); err == nil {
			k.tests = what == "test"
		}
		err = ignoreGone(err)
	case "transfer":
		to := rapid.SampledFrom(managers).Draw(t, "to")
		along := rapid.Bool().Draw(t, "with the sales")
		if err = h.TransferStudent(ctx, h.admin, id, to.ID, along); err == nil {
			if k.owner = to.ID; along {
				k.seller = to.ID
			}
		}
		if errors.Is(err, school.ErrSameManager) {
			err = nil
		}
		err = ignoreGone(err)
	case "refund":
		amount := rapid.Int64Range(1, 400000).Draw(t, "refund")
		err = h.Refund(ctx, h.admin, id, school.MoneyForm{Amount: fmt.Sprintf("%d.%02d", amount/100, amount%100), Reason: "asked for it"})
		if amount > sum {
			if !errors.Is(err, school.ErrRefundTooLarge) {
				t.Fatalf("%d of %d given back: %v", amount, sum, err)
			}
			return
		}
		k.money = append(k.money, paid{at: now, minor: -amount})
	case "correct":
		right := rapid.Int64Range(0, 600000).Draw(t, "right")
		err = h.CorrectPrice(ctx, h.admin, id, school.MoneyForm{Amount: fmt.Sprintf("%d.%02d", right/100, right%100), Reason: "mistyped"})
		if right == sum {
			if !errors.Is(err, school.ErrPriceSame) {
				t.Fatal(err)
			}
			return
		}
		k.money = append(k.money, paid{at: now, minor: right - sum})
	case "study":
		if k.done == 3 || k.deleted || k.blocked {
			return
		}
		me := school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}
		err = h.CompleteLesson(ctx, me, school.LessonID(67+k.done))
		if errors.Is(err, school.ErrLessonLocked) { // the clock was put back before the module opened
			return
		}
		k.done++
		if now.After(k.lastStep) {
			k.lastStep = now
		}
		if k.done == 3 {
			k.completed = now
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func ignoreGone(err error) error {
	if errors.Is(err, school.ErrNotFound) {
		return nil
	}
	return err
}

// compare looks at every figure of a few filters from every side.
func (h *chronicle) compare(t *rapid.T) {
	ctx := context.Background()
	today := school.DayOf(h.clock.now(), h.zone)
	edge, err := time.Parse(time.RFC3339, edges[h.zone.String()][1])
	if err != nil {
		t.Fatal(err)
	}
	around := school.DayOf(edge, h.zone)
	periods := []school.Period{
		{Name: school.PeriodAll},
		{Name: school.PeriodRange, From: around, To: around},
		{Name: school.PeriodRange, From: around.Add(-40), To: around.Add(33)},
		{Name: school.PeriodMonth, From: today.FirstOfMonth(), To: today},
	}
	period := periods[rapid.IntRange(0, len(periods)-1).Draw(t, "period")]
	for _, by := range []struct {
		actor   school.Actor
		manager school.UserID
	}{{h.admin, ""}, {h.admin, h.a.ID}, {h.a, ""}} {
		f := school.Counted{Period: period, Manager: by.manager}
		whose := by.manager
		if by.actor.Role == school.RoleSales {
			whose = by.actor.ID
		}
		h.compareOne(t, ctx, by.actor, f, whose, today)
	}
	found, err := h.Examine(ctx)
	if err != nil || len(found) > 0 {
		t.Fatalf("doctor: %+v, %v", found, err)
	}
}

func (h *chronicle) compareOne(t *rapid.T, ctx context.Context, actor school.Actor, f school.Counted, whose school.UserID, today school.Day) {
	name := fmt.Sprintf("%s of %s in %s", f.Period, whose, h.zone)
	wantSales, wantMinor := h.ledger.sales(f.Period, h.zone, whose)
	wantCounts, took := h.ledger.counts(f.Period, h.zone, whose, today)
	median, completed := school.Median(took)

	cards, err := h.Figures(ctx, actor, f)
	if err != nil {
		t.Fatal(err)
	}
	got := cards.Students
	if !f.Period.All() {
		got.Stuck = wantCounts.Stuck // the card does not say it of a period; the list does
	}
	if cards.Sales.Count != wantSales || minor(cards.Sales) != wantMinor || got != wantCounts || cards.MedianDays != median || cards.Completed != completed {
		t.Fatalf("%s: cards say %+v, %+v, median %v; it is %d for %d, %+v, median %v", name, cards.Sales, cards.Students, cards.MedianDays, wantSales, wantMinor, wantCounts, median)
	}
	chart, err := h.Chart(ctx, actor, f, school.ByDay)
	if err != nil {
		t.Fatal(err)
	}
	if chart.Sales.Count != wantSales || minor(chart.Sales) != wantMinor {
		t.Fatalf("%s: the chart says %+v, it is %d for %d", name, chart.Sales, wantSales, wantMinor)
	}
	if !f.Period.All() && f.Period.Days() <= 92 && len(chart.Bars) != f.Period.Days() {
		t.Fatalf("%s: %d bars", name, len(chart.Bars))
	}
	ranking, err := h.Ranking(ctx, actor, f)
	if err != nil {
		t.Fatal(err)
	}
	var rankedSales, active int
	var rankedMinor int64
	for _, s := range ranking {
		if whose == "" || s.Manager == whose {
			rankedSales, rankedMinor, active = rankedSales+s.Sales.Count, rankedMinor+minor(s.Sales), active+s.Active
		}
	}
	if rankedSales != wantSales || rankedMinor != wantMinor || active != wantCounts.Active {
		t.Fatalf("%s: the ranking says %d for %d and %d active", name, rankedSales, rankedMinor, active)
	}
	h.compareMoney(t, ctx, actor, f, name, wantSales, wantMinor)
	for _, status := range school.Chosen() {
		list, err := h.Students(ctx, actor, school.StudentFilter{Status: status, Counted: f})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		each, err := h.EachStudent(ctx, actor, school.StudentFilter{Status: status, Counted: f})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range each {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if want := wantCounts.Of(status); list.Total != want || n != want || list.Counts.Of(status) != want || len(list.Students) != min(want, school.PageSize) {
			t.Fatalf("%s: %q lists %d, exports %d, counts %d; there are %d", name, status, list.Total, n, list.Counts.Of(status), want)
		}
	}
}

func (h *chronicle) compareMoney(t *rapid.T, ctx context.Context, actor school.Actor, f school.Counted, name string, wantSales int, wantMinor int64) {
	var sales int
	var sum int64
	for after := (school.Cursor{}); ; {
		l, err := h.Money(ctx, actor, f, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Events {
			sum += e.Amount.Minor
			if e.Kind == school.MoneySale {
				sales++
			}
		}
		if l.Sum.Count != wantSales || minor(l.Sum) != wantMinor {
			t.Fatalf("%s: the money events are summed as %+v", name, l.Sum)
		}
		if after = l.Next; after.IsZero() {
			break
		}
	}
	if sales != wantSales || sum != wantMinor {
		t.Fatalf("%s: %d sales for %d are listed", name, sales, sum)
	}
}

func minor(s school.Sales) (sum int64) {
	for _, m := range s.Revenue {
		sum += m.Minor
	}
	return sum
}
