package desk_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// TestARepeatShowsNothingThatNoLongerOpens: the answer to a form sent again is
// the first answer, as long as that is still true.
func TestARepeatShowsNothingThatNoLongerOpens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		form := func(name, access string) school.NewStudentForm {
			f := school.NewStudentForm{FullName: "Test Student", Email: name + "@example.com", Access: access, Key: school.NewToken()}
			if access == "password" {
				f.Password = "first password"
			}
			return f
		}
		for name, change := range map[string]func(school.Created) error{
			"deleted": func(c school.Created) error { _, err := p.DeleteStudent(ctx, p.a, c.Student.ID); return err },
			"used": func(c school.Created) error {
				_, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(c.Link, "/access/"), "own password")
				return err
			},
			"replaced": func(c school.Created) error { _, _, err := p.IssueLink(ctx, p.a, c.Student.ID); return err },
			"own": func(c school.Created) error {
				return p.SetOwnPassword(ctx, school.Actor{ID: c.Student.ID, Role: school.RoleStudent, MustChangePassword: true}, "own password")
			},
		} {
			access := "link"
			if name == "own" {
				access = "password"
			}
			f := form(name, access)
			first, err := p.CreateStudent(ctx, p.a, f)
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.CreateStudent(ctx, p.a, f)
			if err != nil || again.Link != first.Link || again.Password != first.Password || !again.LinkEnds.Equal(first.LinkEnds) {
				t.Errorf("%s, before: %+v, %v", name, again, err)
			}
			if err := change(first); err != nil {
				t.Fatal(err)
			}
			again, err = p.CreateStudent(ctx, p.a, f)
			var e *school.Error
			if !errors.As(err, &e) || e.Code != "already_created" || e.Params["student_id"] != string(first.Student.ID) || again.Link+again.Password != "" {
				t.Errorf("%s, after: %+v, %v", name, again, err)
			}
		}
	})
}

// TestEveryLineFromThePanelNamesItsRequest: the history leads to the log.
func TestEveryLineFromThePanelNamesItsRequest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		from := school.Visitor{Address: "192.0.2.1", RequestID: "request"}
		c := p.student(t, p.a, "s@example.com")
		if _, err := p.UseLink(ctx, from, strings.TrimPrefix(c.Link, "/access/"), "own password"); err != nil {
			t.Fatal(err)
		}
		card, err := p.Student(ctx, p.a, c.Student.ID)
		if err != nil || len(card.Activity) < 4 { // created, link used, password set, first login
			t.Fatalf("%d lines, %v", len(card.Activity), err)
		}
		for _, line := range card.Activity {
			if line.Door == school.DoorPanel && line.RequestID == "" {
				t.Errorf("%s names no request", line.Action)
			}
		}
	})
}

// TestAResetEndsTheOldAccess: whoever has the old password or a session is out.
func TestAResetEndsTheOldAccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		if err := p.KeepSession(ctx, school.Session{TokenHash: "h", UserID: p.a.ID, ExpiresAt: p.store.Now().AddDate(0, 0, 1)}, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.ResetStaff(ctx, school.Terminal(), "a@example.com"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.LogIn(ctx, school.Visitor{Address: "192.0.2.1"}, "a@example.com", "correct horse"); !errors.Is(err, school.ErrWrongCredentials) {
			t.Errorf("the old password: %v", err)
		}
		if a, err := p.Arrive(ctx, "h"); err != nil || a.Actor.ID != "" {
			t.Errorf("the old session: %+v, %v", a.Actor, err)
		}
	})
}
