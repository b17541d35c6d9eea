package live_test

import (
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tripwire/internal/live"
	"tripwire/internal/school"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAnEventIsToldToWhomItConcerns: the owner and who sees all learn the line;
// another manager learns of a sale that there was one, and of the rest nothing.
func TestAnEventIsToldToWhomItConcerns(t *testing.T) {
	t.Parallel()
	sale, lesson, nobodys := live.Event{ID: 7, Owner: "a", Ranks: true}, live.Event{ID: 8, Owner: "a"}, live.Event{ID: 9}
	for _, c := range []struct {
		name  string
		scope school.Scope
		event live.Event
		want  live.Change
	}{
		{"who sees all, a sale", school.Scope{All: true}, sale, live.Change{ID: 7, Rows: true, Ranking: true}},
		{"who sees all, nobody's", school.Scope{All: true}, nobodys, live.Change{ID: 9, Rows: true, Ranking: true}},
		{"the owner, a sale", school.Scope{Owner: "a"}, sale, live.Change{ID: 7, Rows: true, Ranking: true}},
		{"the owner, a lesson", school.Scope{Owner: "a"}, lesson, live.Change{ID: 8, Rows: true, Ranking: true}},
		{"another, a sale", school.Scope{Owner: "b"}, sale, live.Change{Ranking: true}},
		{"another, a lesson", school.Scope{Owner: "b"}, lesson, live.Change{}},
		{"another, nobody's", school.Scope{Owner: "b"}, nobodys, live.Change{}},
		{"no scope, a sale", school.Scope{}, sale, live.Change{}},
		{"no scope, nobody's", school.Scope{}, nobodys, live.Change{}},
	} {
		if got := live.Of(c.scope, c.event); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestASlowReaderIsToldEverythingAtOnce, and the writer never waits for it.
func TestASlowReaderIsToldEverythingAtOnce(t *testing.T) {
	t.Parallel()
	h := live.NewHub()
	w := h.Subscribe(school.Scope{Owner: "a"})
	defer w.Close()
	for i := range 10_000 {
		h.Publish(live.Event{ID: int64(i), Owner: "a"}, live.Event{ID: int64(20_000 + i), Owner: "b", Ranks: true})
	}
	<-w.Ready()
	if got, want := w.Take(), (live.Change{ID: 9_999, Rows: true, Ranking: true}); got != want {
		t.Errorf("taken %+v, want %+v", got, want)
	}
	select {
	case <-w.Ready():
		t.Error("told twice of what was taken once")
	default:
	}
	if got := w.Take(); got != (live.Change{}) {
		t.Errorf("taken again: %+v", got)
	}
}

func TestWhoHasLeftIsToldNothing(t *testing.T) {
	t.Parallel()
	h := live.NewHub()
	w := h.Subscribe(school.Scope{All: true})
	w.Close()
	w.Close()
	h.Publish(live.Event{ID: 1})
	if got := w.Take(); got != (live.Change{}) {
		t.Errorf("told %+v", got)
	}
}

// TestNothingIsLostBetweenTakes: whatever is published while others come, read
// and go, the last id arrives.
func TestNothingIsLostBetweenTakes(t *testing.T) {
	t.Parallel()
	const last = 2_000
	h := live.NewHub()
	var all sync.WaitGroup
	for range 8 {
		w := h.Subscribe(school.Scope{All: true})
		all.Go(func() {
			defer w.Close()
			var seen live.Change
			for seen.ID < last {
				<-w.Ready()
				seen = seen.With(w.Take())
			}
		})
	}
	for range 4 {
		all.Go(func() {
			for range 200 {
				h.Subscribe(school.Scope{Owner: "a"}).Close()
			}
		})
	}
	for id := range int64(last) {
		h.Publish(live.Event{ID: id + 1})
	}
	all.Wait()
}
