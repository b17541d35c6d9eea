package desk_test

import (
	"context"
	"errors"
	"testing"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// place is a desk with a default course, an administrator and two managers.
type place struct {
	*desk.Desk
	target      storetest.Target
	store       *store.Store
	admin, a, b school.Actor
}

func open(t *testing.T, target storetest.Target, change ...func(*store.Options)) place {
	t.Helper()
	s := target.Open(t, change...)
	p := place{Desk: desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)}), target: target, store: s}
	ctx := context.Background()
	if err := p.PrepareSchool(ctx); err != nil {
		t.Fatal(err)
	}
	p.admin = p.staff(t, "admin@example.com", "admin")
	p.a = p.staff(t, "a@example.com", "sales")
	p.b = p.staff(t, "b@example.com", "sales")
	return p
}

func (p place) staff(t *testing.T, email, role string) school.Actor {
	t.Helper()
	a, err := p.AddStaff(context.Background(), school.Terminal(), school.NewStaff{
		FullName: "Staff " + email, Email: email, Role: role, Password: "correct horse",
	})
	if err != nil {
		t.Fatal(err)
	}
	return school.Actor{ID: a.ID, Role: a.Role, Name: a.FullName, Email: a.Email, Door: school.DoorPanel, RequestID: "test"}
}

func (p place) student(t *testing.T, by school.Actor, email string) school.Created {
	t.Helper()
	c, err := p.CreateStudent(context.Background(), by, school.NewStudentForm{FullName: "Test Student", Email: email, Access: "link"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCreateStudentOpensTheFirstModuleByTheTrigger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		c, err := p.CreateStudent(context.Background(), p.a, school.NewStudentForm{
			FullName: "Test Student", Email: " TEST123@Example.com", Password: "test1234",
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Unlocked) != 1 || c.Unlocked[0].Module.ID != 16 || c.Password != "test1234" {
			t.Fatalf("created %+v", c)
		}
		var rows, module int
		err = target.Raw(t).QueryRow(`SELECT count(*), min(module_id) FROM module_unlocks
			WHERE user_id = (SELECT user_id FROM tripwire_users WHERE email = 'test123@example.com')
			  AND module_id = 16`).Scan(&rows, &module)
		if err != nil || rows != 1 || module != 16 {
			t.Fatalf("rows %d, module %d, %v", rows, module, err)
		}
		if _, err := p.LogIn(context.Background(), school.Visitor{Address: "192.0.2.1"}, "Test123@example.com", "test1234"); err != nil {
			t.Fatalf("log in: %v", err)
		}
	})
}

func TestSameEmailAgainNamesTheStudentOnlyToWhoMayKnow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		first := p.student(t, p.a, "test123@example.com")
		again := school.NewStudentForm{FullName: "X", Email: "TEST123@Example.com ", Access: "link"}
		for _, try := range []struct {
			by   school.Actor
			told string
		}{{p.a, string(first.Student.ID)}, {p.admin, string(first.Student.ID)}, {p.b, ""}} {
			_, err := p.CreateStudent(context.Background(), try.by, again)
			var e *school.Error
			if !errors.As(err, &e) || e.Code != "student_exists" || e.Params["student_id"] != try.told {
				t.Errorf("by %s: %v %v", try.by.Name, err, e.Params)
			}
		}
	})
}

func TestDeleteFreesTheAddressAndRestoreSaysWhenItIsTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		old := p.student(t, p.a, "test123@example.com")
		if _, err := p.DeleteStudent(ctx, p.a, old.Student.ID); err != nil {
			t.Fatal(err)
		}
		if err := p.RestoreStudent(ctx, p.a, old.Student.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.DeleteStudent(ctx, p.a, old.Student.ID); err != nil {
			t.Fatal(err)
		}
		young := p.student(t, p.a, "test123@example.com")
		if len(young.Unlocked) != 1 {
			t.Fatalf("unlocked %+v", young.Unlocked)
		}
		err := p.RestoreStudent(ctx, p.a, old.Student.ID, "")
		var e *school.Error
		if !errors.As(err, &e) || e.Code != "email_taken" || e.Params["student_id"] != string(young.Student.ID) {
			t.Fatalf("restore: %v", err)
		}
		if err := p.RestoreStudent(ctx, p.a, old.Student.ID, "other@example.com"); err != nil {
			t.Fatal(err)
		}
		card, err := p.Student(ctx, p.a, old.Student.ID)
		if err != nil || card.Student.Status() != school.StatusActive || card.Student.Email != "other@example.com" || len(card.Activity) != 5 {
			t.Fatalf("card %+v, %v", card, err)
		}
	})
}

func TestTheChainOpensModuleAfterModule(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "test123@example.com").Student.ID
		me := school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}
		if err := p.CompleteLesson(ctx, me, 68); !errors.Is(err, school.ErrLessonLocked) {
			t.Fatalf("lesson 68 before its time: %v", err)
		}
		for done, lesson := range []school.LessonID{67, 68, 69} {
			for range 2 {
				if err := p.CompleteLesson(ctx, me, lesson); err != nil {
					t.Fatal(err)
				}
			}
			c, err := p.Student(ctx, p.a, id)
			if err != nil || c.Student.ModulesDone != done+1 || c.Student.CompletedAt.IsZero() != (lesson != 69) {
				t.Fatalf("after %d: %+v, %v", lesson, c.Student, err)
			}
		}
		v, _ := p.MyCourse(ctx, me, "integrator")
		if c := v.Modules[1].Cause; c.Event != school.EventCompleted || c.SourceModuleID != 16 {
			t.Fatalf("cause of 17: %+v", c)
		}
	})
}
