package desk_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// propertyTries is how many random histories a property is tried on.
const propertyTries = 12

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
	name                    string
	course                  school.CourseID
	owner, seller           school.UserID // school.Nobody: whom nobody has
	added, completed        time.Time
	blocked, deleted, tests bool
	written, loggedIn       bool
	lastStep                time.Time
	done                    int
	money                   []paid
}

type paid struct {
	at           time.Time
	minor        int64
	sale, refund bool
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

// turnover is so many sales and what came of them, in minor units of each currency.
type turnover struct {
	count int
	minor map[string]int64
}

func (l ledger) sales(f school.Counted, zone *time.Location) turnover {
	sum := turnover{minor: map[string]int64{}}
	for _, k := range l.students {
		if k.deleted || k.tests || f.Manager != "" && k.seller != f.Manager || f.Course != 0 && k.course != f.Course {
			continue
		}
		for _, m := range k.money {
			if within(f.Period, school.DayOf(m.at, zone)) {
				sum.minor[currencies[k.course]] += m.minor
				if m.sale {
					sum.count++
				}
			}
		}
	}
	return sum
}

// counts counts the students whose name has the word.
func (l ledger) counts(f school.Counted, word string, zone *time.Location, today school.Day) (n school.StudentCounts, took map[int]int) {
	took = map[int]int{}
	for _, k := range l.students {
		added := school.DayOf(k.added, zone)
		if k.deleted || f.Manager != "" && k.owner != f.Manager || f.Course != 0 && k.course != f.Course || !within(f.Period, added) || !strings.Contains(k.name, word) {
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
		if !k.written {
			n.Undelivered++
		}
		if !k.loggedIn {
			n.Newcomers++
		}
	}
	return n, took
}

// currencies are those of the two courses of the property.
var currencies = map[school.CourseID]string{1: "KZT", 2: "USD"}

// TestEveryFigureIsThatOfItsRows: over random histories, the cards, the list, each
// bar of the chart and their sum, the sum of the ranking, the export, the sum of the
// money events and a naive count of everything that happened are the same number;
// and doctor finds nothing.
func TestEveryFigureIsThatOfItsRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		tried := 0
		rapid.Check(t, func(run *rapid.T) {
			if tried >= propertyTries {
				return
			}
			h := begin(t, target.Another(t)) // of its own, so that a seed tells it again
			for range rapid.IntRange(1, 3).Draw(run, "zones") {
				h.move(run, rapid.SampledFrom(slices.Sorted(maps.Keys(edges))).Draw(run, "zone"))
				for range rapid.IntRange(3, 30).Draw(run, "events") {
					h.event(run)
				}
				h.compare(run)
			}
			tried++ // not of one that has failed and is made smaller
		})
	})
}

// chronicle lets random things happen in one school.
type chronicle struct {
	place
	clock  *wanderingClock
	zone   *time.Location
	ledger ledger
	emails int
	raw    func(statement string) error
}

func begin(t *testing.T, target storetest.Target) *chronicle {
	t.Helper()
	clock := &wanderingClock{at: time.Date(2023, 12, 1, 0, 0, 0, 0, time.UTC)}
	h := &chronicle{clock: clock, ledger: ledger{map[school.UserID]*known{}}}
	h.place = open(t, target, func(o *store.Options) { o.Now = clock.now })
	raw := target.Raw(t)
	h.raw = func(q string) error { _, err := raw.ExecContext(context.Background(), q); return err }
	if err := h.raw("INSERT INTO courses (id, slug, title, price_minor, currency, created_at) VALUES (2, 'second', 'Second', 900, 'USD', '2023-12-01 00:00:00.000')"); err != nil {
		t.Fatal(err)
	}
	return h
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
	if len(h.ledger.students) == 0 || rapid.IntRange(0, 2).Draw(t, "new") == 0 {
		h.join(t, now)
		return
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(h.ledger.students))).Draw(t, "student")
	k := h.ledger.students[id]
	sum := int64(0)
	for _, m := range k.money {
		sum += m.minor
	}
	var err error
	switch what := rapid.SampledFrom([]string{"delete", "restore", "block", "unblock", "test", "customer", "transfer", "refund", "correct", "study", "study", "study", "disown", "letter", "log in"}).Draw(t, "what"); what {
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
		to := rapid.SampledFrom([]school.Actor{h.a, h.b}).Draw(t, "to")
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
		k.money = append(k.money, paid{at: now, minor: -amount, refund: true})
	case "correct":
		right := rapid.Int64Range(0, 600000).Draw(t, "right")
		err = h.CorrectPrice(ctx, h.admin, id, school.MoneyForm{Amount: fmt.Sprintf("%d.%02d", right/100, right%100), Reason: "mistyped"})
		price := int64(0)
		for _, m := range k.money {
			if !m.refund {
				price += m.minor
			}
		}
		switch {
		case right == price:
			if !errors.Is(err, school.ErrPriceSame) {
				t.Fatal(err)
			}
			return
		case sum+right-price < 0:
			if !errors.Is(err, school.ErrPriceRefunded) {
				t.Fatal(err)
			}
			return
		}
		k.money = append(k.money, paid{at: now, minor: right - price})
	case "disown": // as those were whom the terminal made
		err = errors.Join(h.raw("UPDATE tripwire_users SET granted_by = NULL WHERE user_id = '"+string(id)+"'"),
			h.raw("UPDATE money_events SET manager_id = NULL WHERE user_id = '"+string(id)+"'"))
		k.owner, k.seller = school.Nobody, school.Nobody
	case "letter": // the mail server has accepted it
		err = h.raw("UPDATE letters SET state = 'accepted', due_at = NULL, sent_at = queued_at WHERE user_id = '" + string(id) + "'")
		k.written = k.course == 1 // the others have none
	case "log in":
		err = h.raw("UPDATE users SET last_login_at = created_at WHERE id = '" + string(id) + "'")
		k.loggedIn = true
	case "study":
		if k.done == 3 || k.deleted || k.blocked || k.course != 1 {
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

// join adds a student: to the first course at the desk, to the second, which no
// screen sells yet, by hand.
func (h *chronicle) join(t *rapid.T, now time.Time) {
	by := rapid.SampledFrom([]school.Actor{h.a, h.b}).Draw(t, "by")
	h.emails++
	email := fmt.Sprintf("s%d@example.com", h.emails)
	k := &known{name: rapid.SampledFrom([]string{"Мария", "Марина", "Олег"}).Draw(t, "name"), course: 1, owner: by.ID, seller: by.ID, added: now, lastStep: now}
	if rapid.IntRange(0, 3).Draw(t, "course") > 0 {
		price := rapid.SampledFrom([]string{"", "4000", "2500"}).Draw(t, "price")
		c, err := h.CreateStudent(context.Background(), by, school.NewStudentForm{FullName: k.name, Email: email, Access: "link", Price: price})
		if err != nil {
			t.Fatal(err)
		}
		k.money = []paid{{at: now, minor: c.Student.Price.Minor, sale: true}}
		h.ledger.students[c.Student.ID] = k
		return
	}
	k.course, k.money = 2, []paid{{at: now, minor: 900, sale: true}}
	id, at := school.NewUserID(), now.UTC().Format("2006-01-02 15:04:05.000")
	for _, q := range []string{
		fmt.Sprintf(`INSERT INTO users (id, email, full_name, search_text, role, language, created_at)
			VALUES ('%s', '%s', '%s', '%s', 'student', 'ru', '%s')`, id, email, k.name, school.Fold(k.name+" "+email), at),
		fmt.Sprintf(`INSERT INTO tripwire_users (user_id, course_id, email, granted_by, granted_at, price_minor, currency, source)
			VALUES ('%s', 2, '%s', '%s', '%s', 900, 'USD', 'panel')`, id, email, by.ID, at),
	} {
		if err := h.raw(q); err != nil {
			t.Fatal(err)
		}
	}
	h.ledger.students[id] = k
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
	course := rapid.SampledFrom([]school.CourseID{0, 0, 1, 2}).Draw(t, "course")
	for _, by := range []struct {
		actor   school.Actor
		manager school.UserID
	}{{h.admin, ""}, {h.admin, h.a.ID}, {h.admin, school.Nobody}, {h.a, ""}} {
		v := view{actor: by.actor, asked: school.Counted{Period: period, Manager: by.manager, Course: course}, today: today}
		v.meant = v.asked
		if by.actor.Role == school.RoleSales {
			v.meant.Manager = by.actor.ID
		}
		v.name = fmt.Sprintf("%+v by %s in %s", v.asked, by.actor.Name, h.zone)
		h.compareSums(t, v)
		h.compareBars(t, v)
		h.compareMoney(t, v)
		h.compareLists(t, v)
	}
	found, err := h.Examine(ctx)
	if err != nil || len(found) > 0 {
		t.Fatalf("doctor: %+v, %v", found, err)
	}
}

// view is what somebody asks for, and what that means by the rule of the own
// students.
type view struct {
	name         string
	actor        school.Actor
	asked, meant school.Counted
	today        school.Day
}

func (h *chronicle) compareSums(t *rapid.T, v view) {
	want := h.ledger.sales(v.meant, h.zone)
	wantCounts, took := h.ledger.counts(v.meant, "", h.zone, v.today)
	median, completed := school.Median(took)
	cards, err := h.Figures(context.Background(), v.actor, v.asked, "")
	if err != nil {
		t.Fatal(err)
	}
	got := cards.Students
	if !v.asked.Period.All() {
		got.Stuck = wantCounts.Stuck // the card does not say it of a period; the list does
	}
	if !want.is(cards.Sales) || got != wantCounts || cards.MedianDays != median || cards.Completed != completed {
		t.Fatalf("%s: cards say %+v, %+v, median %v; it is %+v, %+v, median %v", v.name, cards.Sales, cards.Students, cards.MedianDays, want, wantCounts, median)
	}
	ranking, err := h.Ranking(context.Background(), v.actor, v.asked)
	if err != nil {
		t.Fatal(err)
	}
	var ranked school.Sales
	active := 0
	for _, s := range ranking {
		if v.meant.Manager == "" || cmp.Or(s.Manager, school.Nobody) == v.meant.Manager {
			ranked.AddAll(s.Sales.Count, s.Sales.Revenue)
			active += s.Active
		}
	}
	if !want.is(ranked) || active != wantCounts.Active {
		t.Fatalf("%s: the ranking says %+v and %d active; it is %+v and %d", v.name, ranked, active, want, wantCounts.Active)
	}
}

// compareBars looks at each bar of each grouping that is offered.
func (h *chronicle) compareBars(t *rapid.T, v view) {
	want := h.ledger.sales(v.meant, h.zone)
	for _, g := range []school.Grouping{school.ByDay, school.ByWeek, school.ByMonth} {
		cards, err := h.Figures(context.Background(), v.actor, v.asked, g)
		if err != nil {
			t.Fatal(err)
		}
		chart := cards.Chart
		if !want.is(chart.Sales) {
			t.Fatalf("%s: the chart by %s says %+v, it is %+v", v.name, g, chart.Sales, want)
		}
		if chart.Grouping != g {
			continue // not offered for so many days
		}
		next := chart.Period.From
		for _, b := range chart.Bars {
			f := v.meant
			f.Period = school.Period{Name: school.PeriodRange, From: b.From, To: b.To}
			sales := h.ledger.sales(f, h.zone)
			students, _ := h.ledger.counts(f, "", h.zone, v.today)
			students.Stuck = b.Students.Stuck
			if b.From != next || !sales.is(b.Sales) || b.Students != students {
				t.Fatalf("%s: the bar of %s to %s behind %s says %+v, %+v; it is %+v, %+v", v.name, b.From, b.To, next, b.Sales, b.Students, sales, students)
			}
			next = b.To.Add(1)
		}
		if next != chart.Period.To.Add(1) {
			t.Fatalf("%s: the bars by %s end before %s", v.name, g, next)
		}
	}
}

func (h *chronicle) compareLists(t *rapid.T, v view) {
	word := rapid.SampledFrom([]string{"", "Мари", "Олег"}).Draw(t, "word")
	want, _ := h.ledger.counts(v.meant, word, h.zone, v.today)
	for _, status := range school.Chosen() {
		f := school.StudentFilter{Status: status, Counted: v.asked, Query: word}
		list, err := h.Students(context.Background(), v.actor, f)
		if err != nil {
			t.Fatal(err)
		}
		each, err := h.EachStudent(context.Background(), v.actor, f)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range each {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if want := want.Of(status); list.Total != want || n != want || list.Counts.Of(status) != want || len(list.Students) != min(want, school.PageSize) {
			t.Fatalf("%s: %q with %q lists %d, exports %d, counts %d; there are %d", v.name, status, word, list.Total, n, list.Counts.Of(status), want)
		}
	}
}

func (h *chronicle) compareMoney(t *rapid.T, v view) {
	want := h.ledger.sales(v.meant, h.zone)
	var listed school.Sales
	for after := (school.Cursor{}); ; {
		l, err := h.Money(context.Background(), v.actor, v.asked, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Events {
			sales := 0
			if e.Kind == school.MoneySale {
				sales = 1
			}
			listed.AddAll(sales, []school.Money{e.Amount})
		}
		if !want.is(l.Sum) {
			t.Fatalf("%s: the money events are summed as %+v, they are %+v", v.name, l.Sum, want)
		}
		if after = l.Next; after.IsZero() {
			break
		}
	}
	if !want.is(listed) {
		t.Fatalf("%s: %+v are listed, there are %+v", v.name, listed, want)
	}
}

// is reports whether the sales are the same; a currency may be left out where it
// comes to nothing.
func (w turnover) is(s school.Sales) bool {
	rest := maps.Clone(w.minor)
	for _, m := range s.Revenue {
		rest[m.Currency] -= m.Minor
	}
	for _, minor := range rest {
		if minor != 0 {
			return false
		}
	}
	return s.Count == w.count
}
