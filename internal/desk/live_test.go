package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/live"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// watch opens a stream for the length of the test.
func (p place) watch(t *testing.T, by school.Actor, after desk.Seen) *desk.Changes {
	t.Helper()
	c, err := p.Changes(context.Background(), by, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (p place) seen(t *testing.T, by school.Actor) desk.Seen {
	t.Helper()
	s, err := p.Seen(context.Background(), by)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hears waits until everything up to the line is told, and answers it as one.
func hears(t *testing.T, c *desk.Changes, line int64) (all live.Change) {
	t.Helper()
	patience := time.After(20 * time.Second)
	for all.ID < line {
		select {
		case <-c.Ready():
			all = all.With(c.Take())
		case <-patience:
			t.Fatalf("waited for line %d, heard %+v", line, all)
		}
	}
	return all
}

// TestChangesKeepToTheScope: the owner and the administrator learn of a line;
// another manager only that the ranking moved, without an id, and of what is no
// sale nothing at all.
func TestChangesKeepToTheScope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		owner, other, admin := p.watch(t, p.a, desk.Seen{}), p.watch(t, p.b, desk.Seen{}), p.watch(t, p.admin, desk.Seen{})

		id := p.student(t, p.a, "s1@example.com").Student.ID
		line := p.seen(t, p.a).ID
		for name, c := range map[string]*desk.Changes{"the owner": owner, "the administrator": admin} {
			if got, want := hears(t, c, line), (live.Change{ID: line, Rows: true, Ranking: true}); got != want {
				t.Errorf("%s hears %+v, want %+v", name, got, want)
			}
		}
		if err := p.ResendLetter(ctx, p.admin, id); err != nil { // no sale; whoever did it
			t.Fatal(err)
		}
		line = p.seen(t, p.a).ID
		if got, want := hears(t, owner, line), (live.Change{ID: line, Rows: true, Ranking: true}); got != want {
			t.Errorf("the owner hears of a letter %+v, want %+v", got, want)
		}
		hears(t, admin, line)
		// The line of the other's own comes after all of those: what has been told
		// by then is everything.
		p.student(t, p.b, "s2@example.com")
		mine := p.seen(t, p.b).ID
		patience := time.After(20 * time.Second)
		for told := false; !told; {
			select {
			case <-other.Ready():
				switch got := other.Take(); {
				case got == live.Change{Ranking: true} || got == live.Change{}:
				case got == live.Change{ID: mine, Rows: true, Ranking: true}:
					told = true
				default:
					t.Fatalf("another manager hears %+v", got)
				}
			case <-patience:
				t.Fatal("another manager does not hear of the own student")
			}
		}
	})
}

// TestAnotherManagersLetterIsSilence: what changes no ranking is not told at all, and
// what does is told as no more than that.
func TestAnotherManagersLetterIsSilence(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		theirs, mine := p.student(t, p.a, "s1@example.com").Student.ID, p.student(t, p.b, "s2@example.com").Student.ID
		other := p.watch(t, p.b, desk.Seen{})
		ctx := context.Background()
		if err := p.ResendLetter(ctx, p.admin, theirs); err != nil {
			t.Fatal(err)
		}
		if err := p.BlockStudent(ctx, p.admin, theirs); err != nil {
			t.Fatal(err)
		}
		select {
		case <-other.Ready():
		case <-time.After(20 * time.Second):
			t.Fatal("another manager does not hear that the ranking has changed")
		}
		if got, want := other.Take(), (live.Change{Ranking: true}); got != want {
			t.Errorf("of a letter and a block another manager hears %+v, want %+v", got, want)
		}
		if err := p.ResendLetter(ctx, p.admin, mine); err != nil {
			t.Fatal(err)
		}
		line := p.seen(t, p.b).ID
		if got, want := hears(t, other, line), (live.Change{ID: line, Rows: true, Ranking: true}); got != want {
			t.Errorf("of the own student a manager hears %+v, want %+v", got, want)
		}
	})
}

// TestAScreenIsToldWhatItMissed between its making and its stream, and nothing
// that it shows already.
func TestAScreenIsToldWhatItMissed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, c := openAt(t, target)
		p.student(t, p.a, "s1@example.com")
		c.forward(time.Minute)
		mine, others := p.seen(t, p.a), p.seen(t, p.b)
		open := p.watch(t, p.a, mine)
		if got := open.Take(); got != (live.Change{}) {
			t.Errorf("a fresh screen is told %+v", got)
		}
		c.forward(time.Minute)
		p.student(t, p.a, "s2@example.com")
		line := p.seen(t, p.a).ID
		for open.Take().ID < line { // until all who watch have been told, whom twice would not harm
			<-open.Ready()
		}
		c.forward(time.Minute)
		if got, want := p.watch(t, p.a, mine).Take(), (live.Change{ID: line, Rows: true, Ranking: true}); got != want {
			t.Errorf("the owner is told %+v, want %+v", got, want)
		}
		if got, want := p.watch(t, p.b, others).Take(), (live.Change{Ranking: true}); got != want {
			t.Errorf("another manager is told %+v, want %+v", got, want)
		}
		if got := p.watch(t, p.a, p.seen(t, p.a)).Take(); got != (live.Change{}) {
			t.Errorf("a screen made anew is told %+v", got)
		}
		if got := p.watch(t, p.a, desk.Seen{}).Take(); got != (live.Change{}) {
			t.Errorf("a stream from now on begins with %+v", got)
		}
	})
}

// TestWhoMissedTooMuchIsToldToFetchEverything.
func TestWhoMissedTooMuchIsToldToFetchEverything(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		raw := target.Raw(t)
		for range 201 {
			if _, err := raw.Exec("INSERT INTO activity (at, door, request_id, action, details) VALUES ($1, 'system', '', 'settings.edited', '{}')",
				time.Now().UTC().Add(time.Hour).Format("2006-01-02 15:04:05.000")); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.watch(t, p.b, desk.Seen{ID: 1, At: time.Now()}).Take(); !got.Rows || !got.Ranking || got.ID != 0 {
			t.Errorf("told %+v", got)
		}
	})
}

// TestChangesAreRefused to who may not see students, and to who has too many.
func TestChangesAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		id := p.student(t, p.a, "s1@example.com").Student.ID
		for want, who := range map[error]school.Actor{
			school.ErrForbidden: {ID: id, Role: school.RoleStudent}, school.ErrNotLoggedIn: {},
		} {
			if _, err := p.Changes(ctx, who, desk.Seen{}); !errors.Is(err, want) {
				t.Errorf("as %q: %v, want %v", who.Role, err, want)
			}
			if _, err := p.Desk.Seen(ctx, who); !errors.Is(err, want) {
				t.Errorf("seen as %q: %v, want %v", who.Role, err, want)
			}
		}
		var last *desk.Changes
		for range 20 {
			last = p.watch(t, p.a, desk.Seen{})
		}
		if _, err := p.Changes(ctx, p.a, desk.Seen{}); !errors.Is(err, school.ErrTooManyStreams) {
			t.Errorf("one too many: %v", err)
		}
		p.watch(t, p.b, desk.Seen{}) // others are not in the way
		last.Close()
		last.Close()
		p.watch(t, p.a, desk.Seen{})
		if _, err := p.Changes(ctx, p.a, desk.Seen{}); !errors.Is(err, school.ErrTooManyStreams) {
			t.Errorf("closed once, counted twice: %v", err)
		}
	})
}

// TestWhatChangesHandsIsToldToEverybodyConcerned: whose the student was and is,
// and in whose figures the sale counts, learn that rows have changed; any other
// manager that the ranking has. Each is asked by a screen made before.
func TestWhatChangesHandsIsToldToEverybodyConcerned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := &wanderingClock{at: time.Now().Add(-24 * time.Hour)} // the reader of the news looks at it too
		p := open(t, target, func(o *store.Options) { o.Now = clock.now })
		ctx := context.Background()
		young, third := p.staff(t, "c@example.com", "sales"), p.staff(t, "d@example.com", "sales")
		// Sold by a, then given to b with the sale kept.
		id := p.student(t, p.a, "s1@example.com").Student.ID
		if err := p.TransferStudent(ctx, p.admin, id, p.b.ID, false); err != nil {
			t.Fatal(err)
		}
		money := school.MoneyForm{Amount: "1000", Reason: "asked"}
		rows, ranking := live.Change{Rows: true, Ranking: true}, live.Change{Ranking: true}
		for _, step := range []struct {
			name string
			do   func() error
			want map[school.UserID]live.Change
		}{
			{"refund", func() error { return p.Refund(ctx, p.admin, id, money) },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: ranking, third.ID: ranking}},
			{"correction", func() error { return p.CorrectPrice(ctx, p.admin, id, money) },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: ranking, third.ID: ranking}},
			{"test", func() error { return p.MarkTest(ctx, p.admin, id, true) },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: ranking, third.ID: ranking}},
			{"no test", func() error { return p.MarkTest(ctx, p.admin, id, false) },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: ranking, third.ID: ranking}},
			{"delete", func() error { _, err := p.DeleteStudent(ctx, p.admin, id); return err },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: ranking, third.ID: ranking}},
			{"restore", func() error { return p.RestoreStudent(ctx, p.admin, id, "") },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: ranking, third.ID: ranking}},
			{"transfer", func() error { return p.TransferStudent(ctx, p.admin, id, young.ID, false) },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: rows, third.ID: ranking}},
			{"transfer with the sale", func() error { return p.TransferStudent(ctx, p.admin, id, p.b.ID, true) },
				map[school.UserID]live.Change{p.a.ID: rows, p.b.ID: rows, young.ID: rows, third.ID: ranking}},
		} {
			clock.set(clock.now().Add(time.Hour))
			seen, streams := map[school.UserID]desk.Seen{}, map[school.UserID]*desk.Changes{}
			managers := []school.Actor{p.a, p.b, young, third}
			for _, m := range managers {
				seen[m.ID], streams[m.ID] = p.seen(t, m), p.watch(t, m, desk.Seen{})
			}
			clock.set(clock.now().Add(time.Minute))
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			clock.set(clock.now().Add(time.Minute))
			for _, m := range managers {
				missed := p.watch(t, m, seen[m.ID])
				if got := missed.Take(); got.Rows != step.want[m.ID].Rows || got.Ranking != step.want[m.ID].Ranking {
					t.Errorf("%s: a screen of %s has missed %+v, want %+v", step.name, m.Email, got, step.want[m.ID])
				}
				missed.Close()
			}
			for _, m := range managers {
				if got := told(t, streams[m.ID]); got.Rows != step.want[m.ID].Rows || got.Ranking != step.want[m.ID].Ranking {
					t.Errorf("%s: %s hears %+v, want %+v", step.name, m.Email, got, step.want[m.ID])
				}
				streams[m.ID].Close()
			}
			for _, m := range managers { // now that everybody has been told, nobody is told again
				fresh := p.watch(t, m, p.seen(t, m))
				if got := fresh.Take(); got != (live.Change{}) {
					t.Errorf("%s: a screen of %s made after it is told %+v", step.name, m.Email, got)
				}
				fresh.Close()
			}
		}
	})
}

// told answers the first change that comes.
func told(t *testing.T, c *desk.Changes) live.Change {
	t.Helper()
	select {
	case <-c.Ready():
		return c.Take()
	case <-time.After(20 * time.Second):
		t.Error("nothing is told")
		return live.Change{}
	}
}

// hearsOf waits for the next change.
func hearsOf(t *testing.T, what string, c *desk.Changes) (change live.Change) {
	t.Helper()
	patience := time.After(20 * time.Second)
	for change == (live.Change{}) {
		select {
		case <-c.Ready():
			change = c.Take()
		case <-patience:
			t.Fatalf("%s: nothing is told", what)
		}
	}
	return change
}

// TestEveryMoveOfALetterIsTold, also that of which the history has no line: an attempt
// that begins, and one that fails as the one before.
func TestEveryMoveOfALetterIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s1@example.com")
		r.admit(t, "s2@example.com")
		r.settle(t, r.claim(t), busy) // which has a line
		r.send(t, school.LetterWelcome)
		r.set(r.letters(t, id)[0].DueAt)
		owner, other := r.watch(t, r.a, r.seen(t, r.a)), r.watch(t, r.b, r.seen(t, r.b))
		lines := r.seen(t, r.admin).ID
		o := r.claim(t)
		if c := hearsOf(t, "an attempt begins", owner); !c.Rows {
			t.Errorf("an attempt begins: %+v", c)
		}
		made := r.seen(t, r.a) // a screen on which it is being sent
		r.settle(t, o, busy)
		if c := hearsOf(t, "it fails as the one before", owner); !c.Rows {
			t.Errorf("it fails as the one before: %+v", c)
		}
		if c := r.watch(t, r.a, made).Take(); !c.Rows {
			t.Errorf("a screen that was being made meanwhile is told %+v", c)
		}
		if c := r.watch(t, r.b, made).Take(); c.Rows {
			t.Errorf("another manager's is told %+v", c)
		}
		r.forward(time.Minute)
		if c := r.watch(t, r.a, r.seen(t, r.a)).Take(); c != (live.Change{}) {
			t.Errorf("a screen that was made later is told %+v", c)
		}
		if now := r.seen(t, r.admin).ID; now != lines {
			t.Fatalf("the history has lines of it: %d, then %d", lines, now)
		}
		r.student(t, r.b, "s3@example.com")
		mine := r.seen(t, r.b).ID
		if c := hearsOf(t, "one's own", other); c.ID != mine && c != (live.Change{Ranking: true}) {
			t.Errorf("another manager is told %+v", c)
		}
	})
}
