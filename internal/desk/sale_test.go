package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tripwire/internal/locale"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

var allTime = school.Counted{Period: school.Period{Name: school.PeriodAll}}

// money answers the ledger of somebody, all of it.
func (p place) money(t *testing.T, by school.Actor) (events []school.MoneyEvent, sum school.Sales) {
	t.Helper()
	l, err := p.Money(context.Background(), by, allTime, school.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return l.Events, l.Sum
}

// exported answers the ledger as a file has it.
func (p place) exported(t *testing.T, by school.Actor) (all []school.MoneyEvent) {
	t.Helper()
	each, err := p.EachMoney(context.Background(), by, allTime, "csv")
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range each {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// paid answers what a student has paid, and how many money events there are.
func (p place) paid(t *testing.T, id school.UserID) (minor int64, events int) {
	t.Helper()
	c, err := p.Student(context.Background(), p.admin, id)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, e := range c.Money {
		sum += e.Amount.Minor
	}
	if sum != c.Student.Paid.Minor {
		t.Errorf("%d is paid, and the events come to %d", c.Student.Paid.Minor, sum)
	}
	return sum, len(c.Money)
}

func TestWhoMayTouchTheMoneyAndTheStudent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		pupil := school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}
		form := school.MoneyForm{Amount: "100", Reason: "asked for it"}
		verbs := map[string]func(school.Actor) error{
			"refund":   func(by school.Actor) error { return p.Refund(ctx, by, id, form) },
			"price":    func(by school.Actor) error { return p.CorrectPrice(ctx, by, id, form) },
			"transfer": func(by school.Actor) error { return p.TransferStudent(ctx, by, id, p.admin.ID, true) },
			"managers": func(by school.Actor) error { _, err := p.Managers(ctx, by); return err },
			"test":     func(by school.Actor) error { return p.MarkTest(ctx, by, id, true) },
			"letter":   func(by school.Actor) error { return p.ResendLetter(ctx, by, id) },
		}
		ledger := map[string]func(school.Actor) error{
			"money":  func(by school.Actor) error { _, err := p.Money(ctx, by, allTime, school.Cursor{}, 10); return err },
			"export": func(by school.Actor) error { _, err := p.EachMoney(ctx, by, allTime, "csv"); return err },
		}
		before := target.Dump(t)
		for name, verb := range verbs {
			others := map[string]error{"nobody": school.ErrNotLoggedIn, "a student": school.ErrForbidden, "the other manager": school.ErrForbidden, "the own manager": school.ErrForbidden}
			if name == "letter" {
				others["the other manager"], others["the own manager"] = school.ErrNotFound, nil
			}
			for who, by := range map[string]school.Actor{"nobody": {}, "a student": pupil, "the other manager": p.b, "the own manager": p.a} {
				if others[who] == nil {
					continue
				}
				if err := verb(by); !errors.Is(err, others[who]) {
					t.Errorf("%s by %s: %v, want %v", name, who, err, others[who])
				}
			}
		}
		for name, read := range ledger {
			if err := read(school.Actor{}); !errors.Is(err, school.ErrNotLoggedIn) {
				t.Errorf("%s by nobody: %v", name, err)
			}
			if err := read(pupil); !errors.Is(err, school.ErrForbidden) {
				t.Errorf("%s by a student: %v", name, err)
			}
		}
		wantSameRows(t, before, target.Dump(t))
		if err := verbs["letter"](p.a); err != nil {
			t.Errorf("letter by the own manager: %v", err)
		}
		for _, verb := range []string{"refund", "price", "test", "transfer", "managers"} {
			if err := verbs[verb](p.admin); err != nil {
				t.Errorf("%s by the administrator: %v", verb, err)
			}
		}
	})
}

// wantSameRows looks at everything but the history, which notes refused attempts.
func wantSameRows(t *testing.T, before, after map[string][]string) {
	t.Helper()
	for table, rows := range after {
		if table != "activity" && !slices.Equal(before[table], rows) {
			t.Errorf("%s has changed:\n%s\nwas\n%s", table, strings.Join(rows, "\n"), strings.Join(before[table], "\n"))
		}
	}
}

func TestNobodyIsGivenBackMoreThanWasPaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		for amount, want := range map[string]error{"5000.01": school.ErrRefundTooLarge, "0": school.ErrInvalidInput, "-1": school.ErrInvalidInput, "much": school.ErrInvalidInput} {
			if err := p.Refund(ctx, p.admin, id, school.MoneyForm{Amount: amount, Reason: "asked"}); !errors.Is(err, want) {
				t.Errorf("refund of %s: %v", amount, err)
			}
		}
		err := p.Refund(ctx, p.admin, id, school.MoneyForm{Amount: "x", Reason: strings.Repeat("я", 501)})
		var e *school.Error
		if !errors.As(err, &e) || e.Fields["amount"] != "price_invalid" || e.Fields["reason"] != "reason_too_long" {
			t.Errorf("both fields: %v", err)
		}
		if err := p.CorrectPrice(ctx, p.admin, id, school.MoneyForm{Amount: "1", Reason: " \n "}); !errors.As(err, &e) || e.Fields["reason"] != "reason_required" {
			t.Errorf("without a reason: %v", err)
		}
		if sum, events := p.paid(t, id); sum != 500000 || events != 1 {
			t.Errorf("%d paid in %d events", sum, events)
		}
	})
}

// TestTwoRefundsAtOnceAreNeverMoreThanWasPaid: each alone is right, both together
// are too much; one of them is told.
func TestTwoRefundsAtOnceAreNeverMoreThanWasPaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		for round := range 5 {
			id := p.student(t, p.a, fmt.Sprintf("pupil%d@example.com", round)).Student.ID
			var wait sync.WaitGroup
			errs := make([]error, 2)
			for i := range errs {
				wait.Go(func() {
					errs[i] = p.Refund(context.Background(), p.admin, id, school.MoneyForm{Amount: "3000", Reason: "asked", Key: school.NewToken()})
				})
			}
			wait.Wait()
			if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), school.ErrRefundTooLarge) {
				t.Errorf("the two refunds: %v", errs)
			}
			if sum, events := p.paid(t, id); sum != 200000 || events != 2 {
				t.Errorf("%d left in %d events", sum, events)
			}
		}
	})
}

func TestTheSameFormTwiceIsOneEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		refund := school.MoneyForm{Amount: "3000", Reason: "asked", Key: school.NewToken()}
		var wait sync.WaitGroup
		for range 4 { // the later ones would be too much, were they refunds of their own
			wait.Go(func() {
				if err := p.Refund(ctx, p.admin, id, refund); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		price := school.MoneyForm{Amount: "4000", Reason: "mistyped", Key: school.NewToken()}
		for range 2 { // the second would be price_same
			if err := p.CorrectPrice(ctx, p.admin, id, price); err != nil {
				t.Error(err)
			}
		}
		if sum, events := p.paid(t, id); sum != 100000 || events != 3 { // 4,000 less the 3,000 that were given back
			t.Errorf("%d paid in %d events", sum, events)
		}

		other := refund
		other.Amount = "10"
		if err := p.Refund(ctx, p.admin, id, other); !errors.Is(err, school.ErrFormKeyReused) {
			t.Errorf("the same key with another amount: %v", err)
		}
		if err := p.CorrectPrice(ctx, p.admin, id, refund); !errors.Is(err, school.ErrFormKeyReused) {
			t.Errorf("the same key for another verb: %v", err)
		}
		other.Key = "mine"
		if err := p.Refund(ctx, p.admin, id, other); !errors.Is(err, school.ErrFormKeyInvalid) {
			t.Errorf("a key of theirs: %v", err)
		}
		refused := school.MoneyForm{Amount: "9000", Reason: "asked", Key: school.NewToken()}
		if err := p.Refund(ctx, p.admin, id, refused); !errors.Is(err, school.ErrRefundTooLarge) {
			t.Errorf("too much: %v", err)
		}
		refused.Amount = "1000" // a form that was refused has not been sent
		if err := p.Refund(ctx, p.admin, id, refused); err != nil {
			t.Errorf("corrected: %v", err)
		}
	})
}

func TestPriceIsCorrectedUpDownAndToNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		for i, amount := range []string{"6000", "4500,50", "0", "5000"} {
			form := school.MoneyForm{Amount: amount, Reason: "mistyped"}
			if err := p.CorrectPrice(ctx, p.admin, id, form); err != nil {
				t.Fatal(err)
			}
			if err := p.CorrectPrice(ctx, p.admin, id, form); !errors.Is(err, school.ErrPriceSame) {
				t.Errorf("%s again: %v", amount, err)
			}
			want, err := school.ParseMoney(amount, "KZT")
			if err != nil {
				t.Fatal(err)
			}
			sum, events := p.paid(t, id)
			_, sales := p.money(t, p.a)
			if sum != want.Minor || events != 2+i || sales.Count != 1 || minor(sales) != want.Minor {
				t.Errorf("after %s: %d paid in %d events, the ledger says %+v", amount, sum, events, sales)
			}
		}
	})
}

// TestACorrectedPriceLeavesRefundsAlone: they are neither undone nor outdone.
func TestACorrectedPriceLeavesRefundsAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		if err := p.Refund(ctx, p.admin, id, school.MoneyForm{Amount: "1000", Reason: "asked"}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			price string
			want  error
			paid  int64
		}{
			{"5000", school.ErrPriceSame, 400000}, {"6000", nil, 500000}, {"999", school.ErrPriceRefunded, 500000}, {"1000", nil, 0},
		} {
			if err := p.CorrectPrice(ctx, p.admin, id, school.MoneyForm{Amount: c.price, Reason: "mistyped"}); !errors.Is(err, c.want) {
				t.Errorf("to %s: %v", c.price, err)
			}
			if sum, _ := p.paid(t, id); sum != c.paid {
				t.Errorf("to %s: %d paid, want %d", c.price, sum, c.paid)
			}
		}
	})
}

// standing answers what a manager's cards and place in the ranking say: sales,
// revenue, students.
func (p place) standing(t *testing.T, by school.Actor) (count int, revenue int64, students int) {
	t.Helper()
	cards, err := p.Figures(context.Background(), by, allTime, "")
	if err != nil {
		t.Fatal(err)
	}
	ranking, err := p.Ranking(context.Background(), by, allTime)
	if err != nil {
		t.Fatal(err)
	}
	count, revenue, students = cards.Sales.Count, minor(cards.Sales), cards.Students.All()
	for _, s := range ranking {
		if s.Manager == by.ID && (s.Sales.Count != count || minor(s.Sales) != revenue || s.Active+s.Completed != students) {
			t.Errorf("%s: the cards say %d for %d and %d students, the ranking %+v", by.Name, count, revenue, students, s)
		}
	}
	return count, revenue, students
}

func (p place) wantStanding(t *testing.T, when string, by school.Actor, count int, revenue int64, students int) {
	t.Helper()
	if c, r, s := p.standing(t, by); c != count || r != revenue || s != students {
		t.Errorf("%s: %s has %d sales for %d and %d students, want %d, %d, %d", when, by.Name, c, r, s, count, revenue, students)
	}
}

func TestTransferKeepsTheSalesOrMovesThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		p.student(t, p.a, "stays@example.com")
		p.wantStanding(t, "before", p.a, 2, 1000000, 2)
		if err := p.TransferStudent(ctx, p.admin, id, p.b.ID, false); err != nil {
			t.Fatal(err)
		}
		p.wantStanding(t, "the sales kept", p.a, 2, 1000000, 1)
		p.wantStanding(t, "the sales kept", p.b, 0, 0, 1)
		if err := p.Refund(ctx, p.admin, id, school.MoneyForm{Amount: "1000", Reason: "not in time"}); err != nil {
			t.Fatal(err)
		}
		p.wantStanding(t, "a refund counts for whom the sale counts", p.a, 2, 900000, 1)
		if err := p.TransferStudent(ctx, p.admin, id, p.b.ID, false); !errors.Is(err, school.ErrSameManager) {
			t.Errorf("the same manager: %v", err)
		}
		if err := p.TransferStudent(ctx, p.admin, id, p.b.ID, true); err != nil {
			t.Fatal(err)
		}
		p.wantStanding(t, "the sales moved", p.a, 1, 500000, 1)
		p.wantStanding(t, "the sales moved", p.b, 1, 400000, 1)
		if err := p.TransferStudent(ctx, p.admin, id, p.admin.ID, true); err != nil {
			t.Fatal(err)
		}
		p.wantStanding(t, "gone on to the administrator", p.b, 0, 0, 0)
		found, err := p.Examine(ctx)
		if err != nil || len(found) > 0 {
			t.Errorf("doctor: %+v, %v", found, err)
		}
	})
}

func TestTransferredStudentIsNobodyToTheOldManager(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		if err := p.Refund(ctx, p.admin, id, school.MoneyForm{Amount: "1000", Reason: "a private matter"}); err != nil {
			t.Fatal(err)
		}
		if err := p.TransferStudent(ctx, p.admin, id, p.b.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Student(ctx, p.a, id); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("the card: %v", err)
		}
		for _, f := range []school.StudentFilter{{}, {Query: "test123"}, {Query: "Test Student"}, {Status: school.StatusActive}} {
			if l, err := p.Students(ctx, p.a, f); err != nil || len(l.Students) != 0 || l.Total != 0 {
				t.Errorf("the list for %+v: %+v, %v", f, l, err)
			}
		}
		if _, err := p.DeleteStudent(ctx, p.a, id); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("delete: %v", err)
		}
		events, sum := p.money(t, p.a)
		if sum.Count != 1 || minor(sum) != 400000 {
			t.Errorf("the sum is %+v", sum)
		}
		for what, all := range map[string][]school.MoneyEvent{"ledger": events, "export": p.exported(t, p.a)} {
			if len(all) != 2 {
				t.Errorf("the %s has %d events", what, len(all))
			}
			for _, e := range all {
				if e.StudentID != "" || e.StudentName != "" || e.StudentEmail != "" || e.Reason != "" || e.ActorName != "" || e.SellerID != p.a.ID {
					t.Errorf("the %s says %+v", what, e)
				}
			}
		}
		if events, _ := p.money(t, p.b); len(events) != 0 {
			t.Errorf("who has the student now has sold nothing: %+v", events)
		}
		for _, e := range p.exported(t, p.admin) {
			if e.StudentID != id || e.StudentName == "" || e.SellerName != p.a.Name {
				t.Errorf("to the administrator: %+v", e)
			}
		}
		if card, err := p.Student(ctx, p.b, id); err != nil || len(card.Money) != 2 || card.Money[0].SellerName != p.a.Name {
			t.Errorf("the card of the new manager: %+v, %v", card.Money, err)
		}
	})
}

func TestStudentsGoOnlyToWhoCanHaveThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		other := p.student(t, p.a, "other@example.com").Student.ID
		gone := p.staff(t, "gone@example.com", "sales")
		if err := p.DisableStaff(ctx, school.Terminal(), "gone@example.com"); err != nil {
			t.Fatal(err)
		}
		before := target.Dump(t)
		for who, to := range map[string]school.UserID{"disabled": gone.ID, "a student": other, "themselves": id, "unknown": "01935c3e-0000-7000-8000-000000000000", "empty": ""} {
			if err := p.TransferStudent(ctx, p.admin, id, to, true); !errors.Is(err, school.ErrManagerUnknown) {
				t.Errorf("to %s: %v", who, err)
			}
		}
		wantSameRows(t, before, target.Dump(t))
		all, err := p.Managers(ctx, p.admin)
		want := []school.Manager{{ID: p.a.ID, Name: p.a.Name}, {ID: p.admin.ID, Name: p.admin.Name}, {ID: p.b.ID, Name: p.b.Name}}
		if err != nil || !slices.Equal(all, want) {
			t.Errorf("%+v, %v; want %+v", all, err, want)
		}
	})
}

func TestTestAccountsLeaveEveryFigureAndComeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		p.student(t, p.a, "customer@example.com")
		for range 2 { // twice is once
			if err := p.MarkTest(ctx, p.admin, id, true); err != nil {
				t.Fatal(err)
			}
		}
		p.wantStanding(t, "marked", p.a, 1, 500000, 1)
		events, sum := p.money(t, p.a)
		if len(events) != 1 || len(p.exported(t, p.a)) != 1 || sum.Count != 1 {
			t.Errorf("the ledger has %d, the sum is %+v", len(events), sum)
		}
		cards, err := p.Figures(ctx, p.a, allTime, school.ByDay)
		if err != nil || cards.Chart.Sales.Count != 1 {
			t.Errorf("the chart says %+v, %v", cards.Chart.Sales, err)
		}
		l, err := p.Students(ctx, p.a, school.StudentFilter{})
		if err != nil || l.Total != 1 || l.Counts.Test != 1 {
			t.Errorf("the list has %d, %+v, %v", l.Total, l.Counts, err)
		}
		card, err := p.Student(ctx, p.a, id)
		if err != nil || card.Student.Status() != school.StatusTest || card.Money[0].Counts {
			t.Errorf("the card: %+v, %v", card, err)
		}
		if err := p.MarkTest(ctx, p.admin, id, false); err != nil {
			t.Fatal(err)
		}
		p.wantStanding(t, "back", p.a, 2, 1000000, 2)
		card, err = p.Student(ctx, p.a, id)
		if err != nil || len(card.Activity) != 3 { // created, marked, unmarked
			t.Errorf("the history: %+v, %v", card.Activity, err)
		}
	})
}

func TestLedgerIsReadInPagesAndByFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := &wanderingClock{at: time.Date(2026, 5, 31, 18, 59, 0, 0, time.UTC)} // 23:59 in Almaty
		p := open(t, target, func(o *store.Options) { o.Now = clock.now })
		ctx := context.Background()
		p.student(t, p.a, "may@example.com")
		clock.set(clock.now().Add(2 * time.Minute))
		june := p.student(t, p.b, "june@example.com").Student.ID
		if err := p.Refund(ctx, p.admin, june, school.MoneyForm{Amount: "500", Reason: "asked"}); err != nil {
			t.Fatal(err)
		}
		day := school.DayOf(clock.now(), time.FixedZone("Almaty", 5*3600))
		today, err := school.ParsePeriod("today", "", "", day)
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]struct {
			by     school.Actor
			f      school.Counted
			events int
			sum    int64
		}{
			"everything":             {p.admin, allTime, 3, 950000},
			"today":                  {p.admin, school.Counted{Period: today}, 2, 450000},
			"one manager":            {p.admin, school.Counted{Manager: p.a.ID}, 1, 500000},
			"another course":         {p.admin, school.Counted{Course: 99}, 0, 0},
			"a colleague's to sales": {p.a, school.Counted{Manager: p.b.ID}, 0, 0},
			"own":                    {p.b, allTime, 2, 450000},
		} {
			seen := map[int64]bool{}
			pages := 0
			for after := (school.Cursor{}); ; pages++ {
				l, err := p.Money(ctx, f.by, f.f, after, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range l.Events {
					if seen[e.ID] {
						t.Errorf("%s: event %d twice", name, e.ID)
					}
					seen[e.ID] = true
				}
				if minor(l.Sum) != f.sum {
					t.Errorf("%s: the sum is %+v", name, l.Sum)
				}
				if after = l.Next; after.IsZero() {
					break
				}
			}
			if len(seen) != f.events {
				t.Errorf("%s: %d events on %d pages", name, len(seen), pages)
			}
		}
		l, err := p.Money(ctx, p.admin, allTime, school.Cursor{}, 10)
		if err != nil || len(l.Managers) != 2 || len(l.Courses) != 1 || l.Courses[0].Count != 2 {
			t.Errorf("choices: %+v %+v %v", l.Managers, l.Courses, err)
		}
		if l, err = p.Money(ctx, p.a, allTime, school.Cursor{}, 10); err != nil || l.Managers != nil || len(l.Courses) != 1 {
			t.Errorf("choices of a manager: %+v %+v %v", l.Managers, l.Courses, err)
		}
		if _, err := p.Money(ctx, p.a, allTime, school.Cursor{Keys: []string{"never"}, ID: 1}, 10); !errors.Is(err, school.ErrPageInvalid) {
			t.Errorf("a place that is none: %v", err)
		}
	})
}

// TestHistoryTellsOfMoneyInSentences: every verb leaves one line, and no line has
// a hole in it.
func TestHistoryTellsOfMoneyInSentences(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		for _, do := range []func() error{
			func() error { return p.Refund(ctx, p.admin, id, school.MoneyForm{Amount: "1000", Reason: "asked"}) },
			func() error {
				return p.CorrectPrice(ctx, p.admin, id, school.MoneyForm{Amount: "4500", Reason: "mistyped"})
			},
			func() error { return p.TransferStudent(ctx, p.admin, id, p.b.ID, true) },
			func() error { return p.MarkTest(ctx, p.admin, id, true) },
			func() error { return p.MarkTest(ctx, p.admin, id, false) },
			func() error { return p.ResendLetter(ctx, p.b, id) },
			func() error { _, err := p.EachMoney(ctx, p.admin, allTime, "xlsx"); return err },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		lines, err := p.Activity(ctx, p.admin, 100)
		if err != nil {
			t.Fatal(err)
		}
		want := []school.Action{
			school.StudentsExported, school.LetterRequeued, school.StudentUnmarkedTest, school.StudentMarkedTest,
			school.StudentTransferred, school.PriceCorrected, school.SaleRefunded, school.StudentCreated,
		}
		said := map[string]bool{}
		for i, action := range want {
			a := lines[i]
			if a.Action != action {
				t.Fatalf("line %d is %s, want %s", i, a.Action, action)
			}
			for _, language := range school.Languages() {
				sentence := locale.Printer{Lang: language}.Activity(a)
				if strings.ContainsAny(sentence, "{}⟦⟧") || said[sentence] {
					t.Errorf("%s in %s: %s", a.Action, language, sentence)
				}
				said[sentence] = true
			}
		}
		if d := lines[0].Details; d["format"] != "xlsx" || d["what"] != "sales" {
			t.Errorf("the export: %v", d)
		}
		if d := lines[4].Details; d["sales"] != "moved" || d["from"] != p.a.Name || d["to"] != p.b.Name {
			t.Errorf("the transfer: %v", d)
		}
		letters := 0
		if err := target.Raw(t).QueryRow("SELECT count(*) FROM letters WHERE user_id = $1", string(id)).Scan(&letters); err != nil || letters != 1 { // the one that waits is hurried
			t.Errorf("%d letters, %v", letters, err)
		}
	})
}

func minor(s school.Sales) (sum int64) {
	for _, m := range s.Revenue {
		sum += m.Minor
	}
	return sum
}
