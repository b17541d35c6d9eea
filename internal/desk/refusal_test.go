package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// refusals answers the lines of one kind, as the administrator sees them, and
// checks that nobody else does.
func (p place) refusals(t *testing.T, action school.Action) []school.Activity {
	t.Helper()
	f := school.ActivityFilter{Action: string(action)}
	h, err := p.History(t.Context(), p.admin, f, school.ActivityCursor{})
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []school.Actor{p.a, p.b} {
		for _, f := range []school.ActivityFilter{f, {}, {Action: "refusals"}, {Actor: string(who.ID)}, {Actor: school.BySystem}, {Actor: school.ByStudents}} {
			theirs, err := p.History(t.Context(), who, f, school.ActivityCursor{})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range theirs.Lines {
				if l.Action == action {
					t.Errorf("%s sees %+v by %+v", who.Name, l, f)
				}
			}
		}
		lines, err := p.Activity(t.Context(), who, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Action == action {
				t.Errorf("%s sees %+v on the panel", who.Name, l)
			}
		}
	}
	return h.Lines
}

// TestALockedLoginIsTold: once for a lock, with the account if there is one, and
// never with what may be a password.
func TestALockedLoginIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		id := p.student(t, p.a, "s@example.com").Student.ID
		const secret = "My-Very-Secret-Pass1"
		for _, email := range []string{" S@example.com", "nobody@example.com", secret, secret + "@"} {
			for range 4 {
				p.login(t, email, secret, home)
			}
			if lines := p.refusals(t, school.LoginLocked); len(lines) > 3 {
				t.Fatalf("%s: told before the lock: %+v", email, lines)
			}
			for range 3 { // the fifth locks, the others are refused
				p.login(t, email, secret, home)
			}
			clock.forward(11 * time.Minute)
		}
		lines := p.refusals(t, school.LoginLocked)
		if len(lines) != 4 {
			t.Fatalf("%d lines: %+v", len(lines), lines)
		}
		for i, want := range []struct {
			subject school.UserID
			login   string
		}{{"", ""}, {"", ""}, {"", "nobody@example.com"}, {id, "s@example.com"}} {
			l := lines[i]
			login := l.Details["login"]
			if want.subject != "" {
				login, want.login = "", ""
			}
			if l.SubjectID != want.subject || login != want.login || l.ActorID != "" || l.Details["address"] != home {
				t.Errorf("line %d: %+v", i, l)
			}
		}
		for table, rows := range target.Dump(t) {
			for _, row := range rows {
				if strings.Contains(strings.ToLower(row), strings.ToLower(secret)) {
					t.Errorf("%s holds what was typed: %s", table, row)
				}
			}
		}
		card, err := p.Student(t.Context(), p.a, id)
		if err != nil || len(card.Activity) != 1 {
			t.Errorf("the manager's card tells %+v, %v", card.Activity, err)
		}
	})
}

// TestMadeUpAddressesFillNoHistory: of one network, however many it tries.
func TestMadeUpAddressesFillNoHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		for i := range 4 {
			for range 5 {
				p.login(t, fmt.Sprintf("nobody%d@example.com", i), wrong, home)
			}
		}
		for range 5 {
			p.login(t, "nobody@example.com", wrong, "198.51.100.7")
		}
		if lines := p.refusals(t, school.LoginLocked); len(lines) != 2 {
			t.Errorf("%d lines: %+v", len(lines), lines)
		}
	})
}

// TestALockIsOneWriteForEverybody: the time that an answer takes does not tell
// whether there is an account, however often the network has been told of.
func TestALockIsOneWriteForEverybody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var writes atomic.Int64
		p := open(t, target, func(o *store.Options) {
			o.BeforeStatement = func(string) error { writes.Add(1); return nil }
		})
		counts := map[string]int64{}
		for _, email := range []string{"nobody@example.com", "a@example.com", "nobody-else@example.com", "no address"} {
			for range 4 {
				p.login(t, email, wrong, home)
			}
			before := writes.Load()
			p.login(t, email, wrong, home)
			counts[email] = writes.Load() - before
		}
		for email, n := range counts {
			if n != counts["a@example.com"] || n == 0 {
				t.Errorf("%s: %d statements, a known one %d", email, n, counts["a@example.com"])
			}
		}
	})
}

// TestTheRightFifthPasswordLocksNothing, and guessing one's own at the account page
// does.
func TestTheRightFifthPasswordLocksNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		for range 4 {
			p.login(t, "a@example.com", wrong, home)
		}
		if code := p.login(t, "a@example.com", right, home); code != "" {
			t.Fatal(code)
		}
		if lines := p.refusals(t, school.LoginLocked); len(lines) != 0 {
			t.Fatalf("told: %+v", lines)
		}
		for range 5 {
			err := p.ChangePassword(t.Context(), p.a, wrong, "another password")
			var e *school.Error
			if !errors.As(err, &e) || e.Fields["current_password"] != "password_wrong" {
				t.Fatalf("%v", err)
			}
		}
		if lines := p.refusals(t, school.LoginLocked); len(lines) != 1 || lines[0].SubjectID != p.a.ID {
			t.Errorf("told: %+v", lines)
		}
	})
}

// TestTheRightPasswordOfAClosedAccountIsTold, and the wrong one is not.
func TestTheRightPasswordOfAClosedAccountIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		if err := p.DisableStaff(t.Context(), p.admin, "b@example.com"); err != nil {
			t.Fatal(err)
		}
		p.login(t, "b@example.com", wrong, home)
		if lines := p.refusals(t, school.RefusedBlocked); len(lines) != 0 {
			t.Fatalf("told: %+v", lines)
		}
		for _, want := range []int{1, 1, 2} {
			if code := p.login(t, "b@example.com", right, home); code != "account_blocked" {
				t.Fatalf("%s", code)
			}
			lines := p.refusals(t, school.RefusedBlocked)
			if len(lines) != want || lines[0].ActorID != p.b.ID || lines[0].SubjectID != p.b.ID || lines[0].Details["address"] != home {
				t.Errorf("told: %+v, want %d", lines, want)
			}
			if want == 1 {
				clock.forward(time.Duration(len(lines)) * 6 * time.Minute)
			}
		}
	})
}

// TestAForeignStudentIsTold: each verb once in a while, only of students who are
// there, and only of somebody else's.
func TestAForeignStudentIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		ctx := t.Context()
		theirs := p.student(t, p.a, "s@example.com").Student.ID
		mine := p.student(t, p.b, "mine@example.com").Student.ID
		gone := p.student(t, p.a, "gone@example.com").Student.ID
		if _, err := p.DeleteStudent(ctx, p.a, gone); err != nil {
			t.Fatal(err)
		}
		verbs := map[string]func(by school.Actor, id school.UserID) error{
			"card": func(by school.Actor, id school.UserID) error { _, err := p.Student(ctx, by, id); return err },
			"edit": func(by school.Actor, id school.UserID) error {
				return p.EditStudent(ctx, by, id, "X", "x@example.com", false)
			},
			"block":   func(by school.Actor, id school.UserID) error { return p.BlockStudent(ctx, by, id) },
			"unblock": func(by school.Actor, id school.UserID) error { return p.UnblockStudent(ctx, by, id) },
			"delete":  func(by school.Actor, id school.UserID) error { _, err := p.DeleteStudent(ctx, by, id); return err },
			"restore": func(by school.Actor, id school.UserID) error { return p.RestoreStudent(ctx, by, id, "") },
			"link":    func(by school.Actor, id school.UserID) error { _, _, err := p.IssueLink(ctx, by, id); return err },
			"grant":   func(by school.Actor, id school.UserID) error { return p.GrantModule(ctx, by, id, 18, "a reason") },
			"preview": func(by school.Actor, id school.UserID) error {
				_, _, err := p.PreviewCourse(ctx, by, id, time.Time{})
				return err
			},
			"history": func(by school.Actor, id school.UserID) error {
				h, err := p.History(ctx, by, school.ActivityFilter{Student: id}, school.ActivityCursor{})
				if len(h.Lines)+len(h.Matches) > 0 || h.Student.ID != "" {
					t.Errorf("the history of somebody else's: %+v", h)
				}
				return err
			},
			"export": func(by school.Actor, id school.UserID) error {
				return p.ExportHistory(ctx, by, school.ActivityFilter{Student: id}, func(lines []school.Activity) error {
					t.Errorf("exported: %+v", lines)
					return nil
				})
			},
		}
		for name, verb := range verbs {
			by := p.b
			by.Route = "POST /" + name
			for _, id := range []school.UserID{theirs, gone, school.NewUserID(), p.a.ID} {
				for range 3 {
					if err := verb(by, id); !errors.Is(err, school.ErrNotFound) || school.KindOf(err) != school.NotFound {
						t.Errorf("%s of %s: %v", name, id, err)
					}
				}
			}
		}
		lines := p.refusals(t, school.RefusedForeign)
		if len(lines) != 2*len(verbs) {
			t.Errorf("%d lines, want %d", len(lines), 2*len(verbs))
		}
		for _, l := range lines {
			if l.ActorID != p.b.ID || l.SubjectID != theirs && l.SubjectID != gone || !strings.HasPrefix(l.Details["route"], "POST /") {
				t.Errorf("%+v", l)
			}
		}
		clock.forward(10 * time.Minute)
		if err := verbs["card"](p.b, theirs); !errors.Is(err, school.ErrNotFound) {
			t.Error(err)
		}
		if again := p.refusals(t, school.RefusedForeign); len(again) != len(lines)+1 {
			t.Errorf("%d lines after a while, were %d", len(again), len(lines))
		}
		// One's own, and what is not there of it, is nobody's affair.
		if _, _, err := p.IssueLink(ctx, p.b, mine); err != nil {
			t.Error(err)
		}
		if _, err := p.DeleteStudent(ctx, p.b, mine); err != nil {
			t.Error(err)
		}
		if _, _, err := p.IssueLink(ctx, p.b, mine); !errors.Is(err, school.ErrNotFound) {
			t.Error(err)
		}
		if err := verbs["card"](p.admin, school.NewUserID()); !errors.Is(err, school.ErrNotFound) {
			t.Error(err)
		}
		if again := p.refusals(t, school.RefusedForeign); len(again) != len(lines)+1 {
			t.Errorf("told too much: %+v", again[0])
		}
	})
}

// TestTheSameAttemptAtOnceIsToldOnce, however many come together.
func TestTheSameAttemptAtOnceIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		id := p.student(t, p.a, "s@example.com").Student.ID
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := p.BlockStudent(t.Context(), p.b, id); !errors.Is(err, school.ErrNotFound) {
					t.Error(err)
				}
				if err := p.RefuseRole(t.Context(), p.b); !errors.Is(err, school.ErrForbidden) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if foreign, role := p.refusals(t, school.RefusedForeign), p.refusals(t, school.RefusedRole); len(foreign) != 1 || len(role) != 1 {
			t.Errorf("told %d and %d times", len(foreign), len(role))
		}
	})
}

// TestAnAttemptThatCannotBeToldIsRefusedAllTheSame: the answer is the same, and
// what was lost travels to the log.
func TestAnAttemptThatCannotBeToldIsRefusedAllTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var full atomic.Bool
		p := open(t, target, func(o *store.Options) {
			o.BeforeStatement = func(statement string) error {
				if full.Load() && strings.Contains(statement, "ON CONFLICT (once)") {
					return errors.New("the disk is full")
				}
				return nil
			}
		})
		id := p.student(t, p.a, "s@example.com").Student.ID
		full.Store(true)
		for range 4 {
			p.login(t, "a@example.com", wrong, home)
		}
		_, locked := p.LogIn(t.Context(), school.Visitor{Address: home}, "a@example.com", wrong)
		for err, want := range map[error]string{
			p.BlockStudent(t.Context(), p.b, id): "not_found",
			p.RefuseRole(t.Context(), p.b):       "forbidden",
			locked:                               "wrong_credentials",
		} {
			var lost *desk.NoteError
			if codeOf(t, err) != want || !errors.As(err, &lost) || !strings.Contains(lost.Error(), "the disk is full") {
				t.Errorf("%v, want %s", err, want)
			}
		}
		for _, rows := range target.Dump(t) {
			for _, row := range rows {
				if strings.Contains(row, "refused.") {
					t.Errorf("told: %s", row)
				}
			}
		}
	})
}
