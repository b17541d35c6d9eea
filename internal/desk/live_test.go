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
		if err := p.BlockStudent(ctx, p.admin, id); err != nil { // no sale; whoever did it
			t.Fatal(err)
		}
		line = p.seen(t, p.a).ID
		if got, want := hears(t, owner, line), (live.Change{ID: line, Rows: true}); got != want {
			t.Errorf("the owner hears of a block %+v, want %+v", got, want)
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

// TestAnotherManagersBlockIsSilence: what is no sale is not even told as ranking.
func TestAnotherManagersBlockIsSilence(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		theirs, mine := p.student(t, p.a, "s1@example.com").Student.ID, p.student(t, p.b, "s2@example.com").Student.ID
		other := p.watch(t, p.b, desk.Seen{})
		for _, id := range []school.UserID{theirs, mine} {
			if err := p.BlockStudent(context.Background(), p.admin, id); err != nil {
				t.Fatal(err)
			}
		}
		line := p.seen(t, p.b).ID
		if got, want := hears(t, other, line), (live.Change{ID: line, Rows: true}); got != want {
			t.Errorf("another manager hears %+v, want %+v", got, want)
		}
	})
}

// TestAScreenIsToldWhatItMissed between its making and its stream, and nothing
// that it shows already.
func TestAScreenIsToldWhatItMissed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		past := time.Now().Add(-time.Hour)
		c := past
		p := open(t, target, func(o *store.Options) { o.Now = func() time.Time { return c } })
		p.student(t, p.a, "s1@example.com")
		c = past.Add(time.Minute)
		mine, others := p.seen(t, p.a), p.seen(t, p.b)
		if got := p.watch(t, p.a, mine).Take(); got != (live.Change{}) {
			t.Errorf("a fresh screen is told %+v", got)
		}
		c = past.Add(2 * time.Minute)
		p.student(t, p.a, "s2@example.com")
		line := p.seen(t, p.a).ID
		c = past.Add(3 * time.Minute)
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
