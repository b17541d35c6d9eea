package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

const (
	right = "correct horse" // what every member of staff of these tests has
	wrong = "wrong horse"
	home  = "192.0.2.1"
)

// clock is a time that tests move.
type clock struct{ now atomic.Pointer[time.Time] }

func (c *clock) set(t time.Time) { c.now.Store(&t) }

func (c *clock) forward(d time.Duration) { c.set(c.now.Load().Add(d)) }

func openAt(t *testing.T, target storetest.Target) (place, *clock) {
	t.Helper()
	c := &clock{}
	c.set(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	return open(t, target, func(o *store.Options) { o.Now = func() time.Time { return *c.now.Load() } }), c
}

// login answers the code of a login; empty: let in.
func (p place) login(t *testing.T, email, typed, address string) string {
	t.Helper()
	_, err := p.LogIn(context.Background(), school.Visitor{Address: address}, email, typed)
	return codeOf(t, err)
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var e *school.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &e):
		t.Errorf("not an error for users: %v", err)
		return ""
	}
	return e.Code
}

// TestGuessingIsSlowedDown: a few failures cost nothing, then each costs twice as
// long as the last, up to a limit; waiting helps, and so does the right password.
func TestGuessingIsSlowedDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		for i := range 5 {
			if code := p.login(t, "a@example.com", wrong, home); code != "wrong_credentials" {
				t.Fatalf("failure %d: %s", i+1, code)
			}
		}
		var waits []int
		for range 12 {
			_, err := p.LogIn(context.Background(), school.Visitor{Address: home}, "A@example.com ", right) // not even the right one, however it is spelled
			var e *school.Error
			if !errors.As(err, &e) || e.Code != "too_many_attempts" || e.Kind != school.Limited {
				t.Fatalf("after %d waits: %v", len(waits), err)
			}
			seconds, err := strconv.Atoi(e.Params["seconds"])
			if err != nil || seconds < 1 {
				t.Fatalf("seconds: %q", e.Params["seconds"])
			}
			waits = append(waits, seconds)
			clock.forward(time.Duration(seconds-1)*time.Second - time.Millisecond)
			if code := p.login(t, "a@example.com", right, home); code != "too_many_attempts" {
				t.Errorf("before %d seconds are over: %s", seconds, code)
			}
			clock.forward(time.Second + time.Millisecond)
			if code := p.login(t, "a@example.com", wrong, home); code != "wrong_credentials" {
				t.Errorf("after %d seconds: %s", seconds, code)
			}
		}
		for i, w := range waits[1:] {
			if w < waits[i] || w > 301 {
				t.Errorf("waits: %v", waits)
			}
		}
		if waits[11] < 300 {
			t.Errorf("waits: %v", waits)
		}
		clock.forward(6 * time.Minute)
		if code := p.login(t, "a@example.com", right, home); code != "" {
			t.Errorf("the right one after the wait: %s", code)
		}
		for i := range 4 { // it starts afresh
			if code := p.login(t, "a@example.com", wrong, home); code != "wrong_credentials" {
				t.Errorf("failure %d after a success: %s", i+1, code)
			}
		}
		if code := p.login(t, "a@example.com", right, home); code != "" {
			t.Errorf("after four more: %s", code)
		}
	})
}

// TestAnOfficeIsNotLockedOut: behind one address, others come in however often
// somebody has failed, seconds apart at the worst; and another address is not
// concerned at all.
func TestAnOfficeIsNotLockedOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		// The failures, as if made one after another with the waits that were due.
		fail := func(n int) {
			for i := range n {
				p.fail(t, fmt.Sprintf("nobody%d@example.com", i), home)
				clock.forward(3 * time.Second)
			}
		}
		fail(60)
		if code := p.login(t, "a@example.com", right, home); code != "" {
			t.Errorf("a colleague after 60 failures: %s", code)
		}
		if code := p.login(t, "b@example.com", right, home); code != "" {
			t.Errorf("the next colleague at the same moment: %s", code)
		}
		p.fail(t, "nobody@example.com", home)
		if code := p.login(t, "a@example.com", right, home); code != "too_many_attempts" {
			t.Errorf("the address is not slowed down at all: %s", code)
		}
		if code := p.login(t, "a@example.com", right, "192.0.2.2"); code != "" {
			t.Errorf("from another address: %s", code)
		}
		clock.forward(2 * time.Second)
		if code := p.login(t, "a@example.com", right, home); code != "" {
			t.Errorf("two seconds later: %s", code)
		}
		clock.forward(16 * time.Minute)
		p.fail(t, "nobody@example.com", home)
		if code := p.login(t, "b@example.com", right, home); code != "" {
			t.Errorf("failures of a quarter of an hour ago still count: %s", code)
		}
	})
}

func (p place) fail(t *testing.T, email, address string) {
	t.Helper()
	if code := p.login(t, email, wrong, address); code != "wrong_credentials" {
		t.Fatalf("%s: %s", email, code)
	}
}

// TestParallelGuessesAreAllCounted: fifty at once are fifty, and one account is
// tried five times and no more.
func TestParallelGuessesAreAllCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		atOnce := func(email func(int) string) map[string]int {
			codes := make(chan string, 50)
			var all sync.WaitGroup
			for i := range cap(codes) {
				all.Go(func() {
					_, err := p.LogIn(context.Background(), school.Visitor{Address: home}, email(i), wrong)
					codes <- codeOf(t, err)
				})
			}
			all.Wait()
			close(codes)
			count := map[string]int{}
			for c := range codes {
				count[c]++
			}
			return count
		}
		got := atOnce(func(int) string { return "a@example.com" })
		if diff := cmp.Diff(map[string]int{"wrong_credentials": 5, "too_many_attempts": 45}, got); diff != "" {
			t.Errorf("one account: %s", diff)
		}
		got = atOnce(func(i int) string { return fmt.Sprintf("nobody%d@example.com", i) })
		if diff := cmp.Diff(map[string]int{"wrong_credentials": 45, "too_many_attempts": 5}, got); diff != "" {
			t.Errorf("one address, with the five from before: %s", diff)
		}
	})
}

// TestUnknownAndKnownAddressesAreAnsweredAlike: the same words, and a hash for
// each, also for what is no address.
func TestUnknownAndKnownAddressesAreAnsweredAlike(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		p.student(t, p.a, "linked@example.com") // has no password yet
		gone := p.student(t, p.a, "gone@example.com")
		if _, err := p.DeleteStudent(context.Background(), p.a, gone.Student.ID); err != nil {
			t.Fatal(err)
		}
		var answers []string
		for _, email := range []string{"a@example.com", "nobody@example.com", "linked@example.com", "gone@example.com", "no address", "", "тест@example.com", strings.Repeat("x", 5000) + "@example.com"} {
			hasher := password.NewHasher(password.DefaultMemoryMiB)
			a, err := desk.New(p.store, desk.Options{Hasher: hasher, Files: files.NewFolder(t.TempDir(), 0)}).LogIn(context.Background(), school.Visitor{Address: home}, email, wrong)
			if a.ID != "" || a.PasswordHash != "" {
				t.Errorf("%.30s: a stranger is given %+v", email, a)
			}
			if hasher.PeakMiB() == 0 {
				t.Errorf("%.30s: nothing was hashed", email)
			}
			answers = append(answers, fmt.Sprint(err))
		}
		for _, a := range answers {
			if a != answers[0] || !strings.Contains(a, "wrong_credentials") {
				t.Errorf("answers: %q", answers)
			}
		}
	})
}

// TestOnlyLivingAccountsLogIn, and why not is told only to who knows the password.
func TestOnlyLivingAccountsLogIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		ctx := context.Background()
		c, err := p.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: "S", Email: "s@example.com", Password: "test1234"})
		if err != nil {
			t.Fatal(err)
		}
		id := c.Student.ID
		check := func(when, email, typed, want string) {
			t.Helper()
			clock.forward(time.Hour)
			if code := p.login(t, email, wrong, home); code != "wrong_credentials" {
				t.Errorf("%s, to a stranger: %q", when, code)
			}
			if code := p.login(t, email, typed, home); code != want {
				t.Errorf("%s: %q, want %q", when, code, want)
			}
		}
		check("created", "s@example.com", "test1234", "")
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		do(p.BlockStudent(ctx, p.a, id))
		check("blocked", "s@example.com", "test1234", "account_blocked")
		do(p.UnblockStudent(ctx, p.a, id))
		check("unblocked", "s@example.com", "test1234", "")
		_, err = p.DeleteStudent(ctx, p.a, id)
		do(err)
		check("deleted", "s@example.com", "test1234", "wrong_credentials")
		do(p.RestoreStudent(ctx, p.a, id, ""))
		check("restored", "s@example.com", "test1234", "")
		do(p.EditStudent(ctx, p.a, id, "S", "new@example.com", false))
		check("renamed", "s@example.com", "test1234", "wrong_credentials")
		check("renamed", "NEW@example.com", "test1234", "")
		do(p.DisableStaff(ctx, p.admin, "b@example.com"))
		check("disabled", "b@example.com", right, "account_blocked")
		path, _, err := p.ResetStaff(ctx, p.admin, "b@example.com")
		do(err)
		_, err = p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(path, "/access/"), "another horse")
		do(err)
		check("reset", "b@example.com", right, "wrong_credentials")
		check("reset", "b@example.com", "another horse", "")
		if !c.PasswordEnds.After(*clock.now.Load()) {
			t.Fatal("the first password has ended too early for what follows")
		}
		clock.set(c.PasswordEnds.Add(-2 * time.Hour))
		check("an hour before the end of the first password", "new@example.com", "test1234", "")
		clock.set(c.PasswordEnds.Add(-time.Hour))
		check("at its end", "new@example.com", "test1234", "password_expired")
		link, _, err := p.IssueLink(ctx, p.a, id)
		do(err)
		_, err = p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(link, "/access/"), "own password")
		do(err)
		clock.forward(1000 * time.Hour)
		check("own password", "new@example.com", "own password", "")
	})
}

// keepSession logs a device in by hand.
func (p place) keepSession(t *testing.T, token string, who school.UserID) {
	t.Helper()
	s := school.Session{TokenHash: token, UserID: who, Device: "test", ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := p.KeepSession(context.Background(), s, []byte("data")); err != nil {
		t.Fatal(err)
	}
}

// arrives answers whether a token still lets its holder in.
func (p place) arrives(t *testing.T, token string) bool {
	t.Helper()
	a, err := p.Arrive(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if (a.Session == nil) != (a.Actor.ID == "") {
		t.Errorf("half a session: %+v", a)
	}
	return a.Session != nil
}

// TestSessionsEndWhenTheAccessEnds, those of that person and no others.
func TestSessionsEndWhenTheAccessEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "s@example.com").Student.ID
		other := p.student(t, p.a, "o@example.com").Student.ID
		me := school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}
		p.keepSession(t, "other", other)
		for name, end := range map[string]func() error{
			"block":  func() error { return p.BlockStudent(ctx, p.a, id) },
			"delete": func() error { _, err := p.DeleteStudent(ctx, p.a, id); return err },
			"use link": func() error {
				path, _, err := p.IssueLink(ctx, p.a, id)
				if err != nil {
					return err
				}
				if !p.arrives(t, "one") {
					t.Error("issuing a link ended the session")
				}
				_, err = p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(path, "/access/"), "password "+path[8:20])
				return err
			},
			"sign out everywhere": func() error { return p.EndMySessions(ctx, me) },
		} {
			p.keepSession(t, "one", id)
			p.keepSession(t, "two", id)
			if !p.arrives(t, "one") || !p.arrives(t, "two") {
				t.Fatalf("%s: not logged in", name)
			}
			if err := end(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if p.arrives(t, "one") || p.arrives(t, "two") {
				t.Errorf("%s: still logged in", name)
			}
			if err := errors.Join(p.RestoreStudent(ctx, p.a, id, ""), p.UnblockStudent(ctx, p.a, id)); err != nil {
				t.Fatal(err)
			}
			if p.arrives(t, "one") { // a session that ended does not come back to life
				t.Errorf("%s: logged in again", name)
			}
		}
		p.keepSession(t, "staff", p.b.ID)
		if err := p.DisableStaff(ctx, p.admin, "b@example.com"); err != nil || p.arrives(t, "staff") {
			t.Errorf("disabled staff: %v", err)
		}
		if !p.arrives(t, "other") {
			t.Error("somebody else's session has ended")
		}
		if p.arrives(t, "made up") || p.arrives(t, "") {
			t.Error("a token that never was is let in")
		}
		p.keepSession(t, "idle", id)
		clock.forward(72*time.Hour - time.Minute)
		if !p.arrives(t, "idle") {
			t.Error("ended before its time")
		}
		clock.forward(72*time.Hour - time.Minute)
		if !p.arrives(t, "idle") {
			t.Error("being used did not keep it")
		}
		clock.forward(72 * time.Hour)
		if p.arrives(t, "idle") {
			t.Error("idle for three days and still let in")
		}
		if n, err := p.Sweep(ctx); err != nil || n == 0 {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}

// TestStudentsReplaceThePasswordThatStaffKnow before anything else, by another.
func TestStudentsReplaceThePasswordThatStaffKnow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		ctx := context.Background()
		c, err := p.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: "S", Email: "s@example.com", Password: "test1234"})
		if err != nil || !c.MustChange {
			t.Fatalf("%+v, %v", c, err)
		}
		p.keepSession(t, "one", c.Student.ID)
		arrival, err := p.Arrive(ctx, "one")
		if err != nil || !arrival.Actor.MustChangePassword {
			t.Fatalf("%+v, %v", arrival.Actor, err)
		}
		me := arrival.Actor
		before := target.Dump(t)
		for typed, want := range map[string]string{"test1234": "password_same", "short": "password_too_short", "S@example.com": "password_is_email", "": "password_required"} {
			err := p.SetOwnPassword(ctx, me, typed)
			var e *school.Error
			if !errors.As(err, &e) || e.Fields["password"] != want {
				t.Errorf("%q: %v", typed, err)
			}
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		if err := p.SetOwnPassword(ctx, me, "own password"); err != nil {
			t.Fatal(err)
		}
		if p.arrives(t, "one") {
			t.Error("the session that the known password opened goes on")
		}
		if code := p.login(t, "s@example.com", "test1234", home); code != "wrong_credentials" {
			t.Errorf("the old one: %s", code)
		}
		a, err := p.LogIn(ctx, school.Visitor{Address: home}, "s@example.com", "own password")
		if err != nil || a.MustChange {
			t.Errorf("the own one: %+v, %v", a, err)
		}
		me.MustChangePassword = false
		if err := p.SetOwnPassword(ctx, me, "yet another one"); !errors.Is(err, school.ErrForbidden) {
			t.Errorf("without the current one: %v", err)
		}
		for _, c := range []struct{ current, typed, field, want string }{
			{"not the one", "next password", "current_password", "password_wrong"},
			{"own password", "short", "password", "password_too_short"},
			{"own password", "own password", "password", "password_same"},
		} {
			var e *school.Error
			if err := p.ChangePassword(ctx, me, c.current, c.typed); !errors.As(err, &e) || e.Fields[c.field] != c.want {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if err := p.ChangePassword(ctx, me, "own password", "next password"); err != nil {
			t.Fatal(err)
		}
		if code := p.login(t, "s@example.com", "next password", home); code != "" {
			t.Errorf("the next one: %s", code)
		}
	})
}

// race calls f ten times at once and answers how many succeeded; the others must
// be told one of the codes.
func race(t *testing.T, f func(i int) error, codes ...string) (winners int) {
	t.Helper()
	outcomes := make([]error, 10)
	var all sync.WaitGroup
	for i := range outcomes {
		all.Go(func() { outcomes[i] = f(i) })
	}
	all.Wait()
	for i, err := range outcomes {
		switch code := codeOf(t, err); {
		case code == "":
			winners++
		case !strings.Contains(" "+strings.Join(codes, " ")+" ", " "+code+" "):
			t.Errorf("loser %d is told %v", i, err)
		}
	}
	return winners
}

// TestALinkOpensOnce, whoever comes at the same moment, and for a time.
func TestALinkOpensOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, clock := openAt(t, target)
		ctx := context.Background()
		c := p.student(t, p.a, "s@example.com")
		token := strings.TrimPrefix(c.Link, "/access/")
		if a, err := p.LinkOwner(ctx, token); err != nil || a.ID != c.Student.ID {
			t.Fatalf("%+v, %v", a, err)
		}
		for name, try := range map[string][2]string{
			"made up":          {school.NewToken(), "own password"},
			"nothing":          {"", "own password"},
			"a hash is no key": {hashOf(t, target), "own password"},
		} {
			if _, err := p.UseLink(ctx, school.Visitor{}, try[0], try[1]); !errors.Is(err, school.ErrLinkInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := p.UseLink(ctx, school.Visitor{}, token, "short"); codeOf(t, err) != "invalid_input" {
			t.Errorf("a short password: %v", err)
		}
		winner := ""
		var mu sync.Mutex
		n := race(t, func(i int) error {
			typed := fmt.Sprintf("own password %d", i)
			_, err := p.UseLink(ctx, school.Visitor{}, token, typed)
			if err == nil {
				mu.Lock()
				winner = typed
				mu.Unlock()
			}
			return err
		}, "link_invalid")
		if n != 1 || p.login(t, "s@example.com", winner, home) != "" {
			t.Errorf("%d winners, the last with %q", n, winner)
		}
		used := 0
		for _, line := range target.Dump(t)["activity"] {
			if strings.Contains(line, string(school.LinkUsed)) {
				used++
			}
		}
		if used != 1 {
			t.Errorf("the history tells of %d uses", used)
		}
		first, _, err := p.IssueLink(ctx, p.a, c.Student.ID)
		if err != nil {
			t.Fatal(err)
		}
		second, ends, err := p.IssueLink(ctx, p.a, c.Student.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(first, "/access/"), "own password"); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("the one before the last: %v", err)
		}
		clock.set(ends)
		if _, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(second, "/access/"), "own password"); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("at its end: %v", err)
		}
		clock.set(ends.Add(-time.Millisecond))
		if err := p.BlockStudent(ctx, p.a, c.Student.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(second, "/access/"), "own password"); !errors.Is(err, school.ErrAccountBlocked) {
			t.Errorf("blocked: %v", err)
		}
		if err := p.UnblockStudent(ctx, p.a, c.Student.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(second, "/access/"), "own password"); err != nil {
			t.Errorf("a refusal has spent the link: %v", err)
		}
		third, _, err := p.IssueLink(ctx, p.a, c.Student.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.DeleteStudent(ctx, p.a, c.Student.ID); err != nil {
			t.Fatal(err)
		}
		if err := p.RestoreStudent(ctx, p.a, c.Student.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(third, "/access/"), "own password"); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("of one who was deleted: %v", err)
		}
	})
}

// hashOf answers what the database keeps of a link.
func hashOf(t *testing.T, target storetest.Target) string {
	t.Helper()
	hash, _, _ := strings.Cut(target.Dump(t)["access_links"][0], "|")
	if len(hash) != 64 {
		t.Fatalf("the hash of a link: %q", hash)
	}
	return hash
}

// TestOneLinkOneAdministrator: the link of the first start makes one, however many
// press at once, and none once there is one.
func TestOneLinkOneAdministrator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := desk.New(target.Open(t), desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
		ctx := context.Background()
		old, err := p.OfferSetup(ctx)
		if err != nil {
			t.Fatal(err)
		}
		path, err := p.OfferSetup(ctx)
		if err != nil || path == old {
			t.Fatalf("%q after %q, %v", path, old, err)
		}
		token := strings.TrimPrefix(path, "/setup/")
		setUp := func(token, email string) error {
			_, err := p.SetUp(ctx, school.Visitor{}, token, school.NewStaff{FullName: "Boss", Email: email, Password: right, Role: "sales"})
			return err
		}
		if err := setUp(strings.TrimPrefix(old, "/setup/"), "x@example.com"); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("the link before the last: %v", err)
		}
		if _, err := p.UseLink(ctx, school.Visitor{}, token, right); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("as a link of a student: %v", err)
		}
		if n := race(t, func(i int) error { return setUp(token, fmt.Sprintf("boss%d@example.com", i)) }, "link_invalid", "already_set_up"); n != 1 {
			t.Errorf("%d administrators", n)
		}
		staff, err := p.Staff(ctx, school.Terminal())
		if err != nil || len(staff) != 1 || staff[0].Role != school.RoleAdmin {
			t.Errorf("%+v, %v", staff, err)
		}
		if path, err := p.OfferSetup(ctx); err != nil || path != "" {
			t.Errorf("offered again: %q, %v", path, err)
		}
	})
}

// TestALinkFromTheFirstStartMakesNoSecondAdministrator when one came by another
// way meanwhile.
func TestALinkFromTheFirstStartMakesNoSecondAdministrator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := desk.New(target.Open(t), desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
		ctx := context.Background()
		path, err := p.OfferSetup(ctx)
		if err != nil {
			t.Fatal(err)
		}
		boss := school.NewStaff{FullName: "Boss", Email: "boss@example.com", Password: right, Role: "admin"}
		if _, err := p.AddStaff(ctx, school.Terminal(), boss); err != nil {
			t.Fatal(err)
		}
		boss.Email = "second@example.com"
		if _, err := p.SetUp(ctx, school.Visitor{}, strings.TrimPrefix(path, "/setup/"), boss); !errors.Is(err, school.ErrAlreadySetUp) {
			t.Fatal(err)
		}
	})
}

// TestTheLastAdministratorStays, also when two would end each other at once.
func TestTheLastAdministratorStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		ctx := context.Background()
		if err := p.DisableStaff(ctx, p.admin, "admin@example.com"); !errors.Is(err, school.ErrLastAdmin) {
			t.Fatalf("the only one: %v", err)
		}
		if code := p.login(t, "admin@example.com", right, home); code != "" {
			t.Fatalf("the only one, afterwards: %s", code)
		}
		for i := range 9 {
			p.staff(t, fmt.Sprintf("admin%d@example.com", i), "admin")
		}
		n := race(t, func(i int) error {
			email := "admin@example.com"
			if i > 0 {
				email = fmt.Sprintf("admin%d@example.com", i-1)
			}
			return p.DisableStaff(ctx, p.admin, email)
		}, "last_admin")
		if n != 9 {
			t.Errorf("%d of 10 were disabled", n)
		}
		if err := p.DisableStaff(ctx, p.a, "b@example.com"); !errors.Is(err, school.ErrForbidden) {
			t.Errorf("by a manager: %v", err)
		}
		p.student(t, p.a, "s@example.com")
		if err := p.DisableStaff(ctx, p.admin, "s@example.com"); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("a student: %v", err)
		}
	})
}
