package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// bulk does an order to its end.
func (p place) bulk(t *testing.T, by school.Actor, b desk.Bulk) (all []desk.BulkResult) {
	t.Helper()
	results, err := p.Bulk(context.Background(), by, b)
	if err != nil {
		t.Fatal(err)
	}
	for r := range results {
		all = append(all, r)
	}
	return all
}

// TestABulkIsDoneToEachAlone: those who cannot be helped are told by a code and
// keep nobody else from it; another's student stays nameless and untouched.
func TestABulkIsDoneToEachAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		n := 0
		named := func(by school.Actor, name string) school.UserID {
			n++
			c, err := p.CreateStudent(ctx, by, school.NewStudentForm{FullName: name, Email: fmt.Sprintf("s%d@example.com", n), Access: "link"})
			if err != nil {
				t.Fatal(err)
			}
			return c.Student.ID
		}
		for verb, c := range map[desk.BulkVerb]struct {
			by     school.Actor
			before func(school.UserID) error
			done   func(school.Student) bool
		}{
			desk.BulkBlock:   {by: p.a, done: func(s school.Student) bool { return s.Status() == school.StatusBlocked }},
			desk.BulkUnblock: {by: p.a, before: func(id school.UserID) error { return p.BlockStudent(ctx, p.admin, id) }, done: func(s school.Student) bool { return s.Status() == school.StatusActive }},
			desk.BulkLetter: {by: p.a, done: func(s school.Student) bool {
				return s.Letter.State == school.LetterQueued && s.Letter.DueAt.Equal(s.Letter.QueuedAt)
			}},
			desk.BulkDelete:   {by: p.a, done: func(s school.Student) bool { return s.Status() == school.StatusDeleted }},
			desk.BulkTransfer: {by: p.admin, done: func(s school.Student) bool { return s.GrantedBy == p.b.ID }},
			desk.BulkRestore:  {by: p.a, before: func(id school.UserID) error { _, err := p.DeleteStudent(ctx, p.admin, id); return err }, done: func(s school.Student) bool { return s.Status() == school.StatusActive }},
		} {
			t.Run(string(verb), func(t *testing.T) {
				first, second, foreign, gone := named(p.a, "First"), named(p.a, "Second"), named(p.b, "Foreign Secret"), named(p.a, "Gone")
				if c.before != nil {
					for _, id := range []school.UserID{first, second, foreign} {
						if err := c.before(id); err != nil {
							t.Fatal(err)
						}
					}
				}
				if _, err := p.DeleteStudent(ctx, p.a, gone); err != nil {
					t.Fatal(err)
				}
				unknown := school.NewUserID()
				card, err := p.Student(ctx, p.b, foreign)
				if err != nil {
					t.Fatal(err)
				}
				got := p.bulk(t, c.by, desk.Bulk{Verb: verb, Students: []school.UserID{first, foreign, unknown, gone, second}, Manager: p.b.ID})
				want := []struct {
					name string
					err  error
				}{{"First", nil}, {"", school.ErrNotFound}, {"", school.ErrNotFound}, {"Gone", school.ErrNotFound}, {"Second", nil}}
				switch verb {
				case desk.BulkTransfer: // the administrator sees everybody
					want[1].name, want[1].err = "Foreign Secret", school.ErrSameManager
				case desk.BulkRestore:
					want[3].err = nil
				default:
				}
				if len(got) != len(want) {
					t.Fatalf("%d results", len(got))
				}
				for i, w := range want {
					if got[i].Name != w.name || !errors.Is(got[i].Err, w.err) || (got[i].Err == nil) != (w.err == nil) {
						t.Errorf("the %d. is told %+v, want %q and %v", i+1, got[i], w.name, w.err)
					}
				}
				for _, id := range []school.UserID{first, second} {
					card, err := p.Student(ctx, p.admin, id)
					if err != nil || !c.done(card.Student) {
						t.Errorf("%+v, %v", card.Student, err)
					}
				}
				if verb == desk.BulkTransfer {
					return
				}
				after, err := p.Student(ctx, p.b, foreign)
				if err != nil || after.Student != card.Student {
					t.Errorf("another's student has become %+v, %v", after.Student, err)
				}
			})
		}
	})
}

// TestABulkIsRefusedBeforeAnythingIsDone, and for each where the role may not.
func TestABulkIsRefusedBeforeAnythingIsDone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		before := target.Dump(t)
		for name, c := range map[string]struct {
			order desk.Bulk
			want  error
		}{
			"nobody":   {desk.Bulk{Verb: desk.BulkBlock}, school.ErrBulkNobody},
			"too many": {desk.Bulk{Verb: desk.BulkDelete, Students: slices.Repeat([]school.UserID{id}, desk.MaxBulk+1)}, school.ErrBulkTooMany},
			"unknown":  {desk.Bulk{Verb: "promote", Students: []school.UserID{id}}, school.ErrBulkUnknown},
			"none":     {desk.Bulk{Students: []school.UserID{id}}, school.ErrBulkUnknown},
		} {
			if _, err := p.Bulk(ctx, p.admin, c.order); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, by := range []school.Actor{p.a, asStudent(id), {}} {
			for _, verb := range []desk.BulkVerb{desk.BulkTransfer, desk.BulkBlock, desk.BulkUnblock, desk.BulkLetter, desk.BulkDelete, desk.BulkRestore} {
				if by.ID == p.a.ID && verb != desk.BulkTransfer {
					continue
				}
				_, err := p.Bulk(ctx, by, desk.Bulk{Verb: verb, Students: []school.UserID{id}, Manager: p.b.ID})
				if want := map[bool]error{true: school.ErrNotLoggedIn, false: school.ErrForbidden}[by.ID == ""]; !errors.Is(err, want) {
					t.Errorf("%s by %q: %v", verb, by.Role, err)
				}
			}
		}
		var told int
		if err := target.Raw(t).QueryRow("SELECT count(*) FROM activity WHERE action = 'refused.role' AND actor_id = '" + string(p.a.ID) + "'").Scan(&told); err != nil || told != 1 {
			t.Errorf("the transfer by a manager is told %d times, %v", told, err)
		}
		for _, manager := range []school.UserID{"", id, school.NewUserID()} {
			if got := p.bulk(t, p.admin, desk.Bulk{Verb: desk.BulkTransfer, Students: []school.UserID{id}, Manager: manager}); !errors.Is(got[0].Err, school.ErrManagerUnknown) {
				t.Errorf("to %q: %v", manager, got[0].Err)
			}
		}
		wantSameRows(t, before, target.Dump(t))
		most := p.bulk(t, p.admin, desk.Bulk{Verb: desk.BulkBlock, Students: slices.Repeat([]school.UserID{id}, desk.MaxBulk)})
		if len(most) != desk.MaxBulk || most[desk.MaxBulk-1].Err != nil {
			t.Errorf("%d results for as many as there may be", len(most))
		}
	})
}

// TestABulkEndsWithItsReader: who stops reading has stopped the order.
func TestABulkEndsWithItsReader(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		var ids []school.UserID
		for _, email := range []string{"1@example.com", "2@example.com", "3@example.com"} {
			ids = append(ids, p.student(t, p.a, email).Student.ID)
		}
		results, err := p.Bulk(context.Background(), p.a, desk.Bulk{Verb: desk.BulkBlock, Students: ids})
		if err != nil {
			t.Fatal(err)
		}
		for range results {
			break
		}
		if n := number(t, target.Raw(t), "SELECT count(*) FROM tripwire_users WHERE blocked_at IS NOT NULL"); n != 1 {
			t.Errorf("%d are blocked", n)
		}
	})
}

func (p place) views(t *testing.T, by school.Actor) []school.SavedView {
	t.Helper()
	all, err := p.Views(context.Background(), by)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSavedViewsAreTheirOwners: so many, each name once, seen and deleted by nobody
// else.
func TestSavedViewsAreTheirOwners(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		for i := range school.MaxViews {
			if err := p.SaveView(ctx, p.a, fmt.Sprintf("View %02d", i), "status=active"); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.SaveView(ctx, p.a, "One more", "status=stuck"); !errors.Is(err, school.ErrTooManyViews) {
			t.Errorf("one more: %v", err)
		}
		if err := p.SaveView(ctx, p.a, "  View   00 ", "status=blocked"); err != nil {
			t.Errorf("the same name: %v", err)
		}
		all := p.views(t, p.a)
		if len(all) != school.MaxViews || all[0].Name != "View 00" || all[0].Query != "status=blocked" || all[1].Query != "status=active" {
			t.Errorf("the views are %+v", all)
		}
		if err := p.SaveView(ctx, p.b, "View 00", "q=b"); err != nil { // each has names and room of their own
			t.Fatal(err)
		}
		for _, by := range []school.Actor{p.b, p.admin} {
			if err := p.DeleteView(ctx, by, all[0].ID); !errors.Is(err, school.ErrNotFound) {
				t.Errorf("%s deletes another's: %v", by.Name, err)
			}
		}
		if got := p.views(t, p.b); len(got) != 1 || got[0].Query != "q=b" {
			t.Errorf("the other has %+v", got)
		}
		if got := p.views(t, p.admin); len(got) != 0 {
			t.Errorf("the administrator has %+v", got)
		}
		for _, name := range []string{" ", fmt.Sprintf("%061d", 1), "a\u202eb"} {
			if err := p.SaveView(ctx, p.b, name, "q=a"); !errors.Is(err, school.ErrInvalidInput) {
				t.Errorf("%q: %v", name, err)
			}
		}
		id := p.student(t, p.a, "test123@example.com").Student.ID
		for who, want := range map[school.Actor]error{asStudent(id): school.ErrForbidden, {}: school.ErrNotLoggedIn} {
			_, err := p.Views(ctx, who)
			for _, err := range []error{err, p.SaveView(ctx, who, "Mine", "q=a"), p.DeleteView(ctx, who, all[0].ID)} {
				if !errors.Is(err, want) {
					t.Errorf("%q: %v, want %v", who.Role, err, want)
				}
			}
		}
		if err := p.DeleteView(ctx, p.a, all[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := p.DeleteView(ctx, p.a, all[0].ID); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		if err := p.SaveView(ctx, p.a, "One more", "status=stuck"); err != nil || len(p.views(t, p.a)) != school.MaxViews {
			t.Errorf("there is room again: %v", err)
		}
	})
}
