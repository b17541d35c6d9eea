package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

var errOfFn = errors.New("the caller has changed its mind")

// person is the n-th of many accounts.
func person(n int) school.Account {
	id := school.UserID(fmt.Sprintf("00000000-0000-7000-8000-%012d", n))
	return school.Account{ID: id, Email: school.Email(fmt.Sprintf("p%d@example.com", n)), FullName: "Person", Role: school.RoleSales, Language: "ru"}
}

func insert(s *store.Store, n int) error {
	return s.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertUser(person(n)) })
}

// users answers which of the numbered accounts are there.
func users(t *testing.T, target storetest.Target) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, row := range target.Dump(t)["users"] {
		found[strings.Split(row, "|")[1]] = true
	}
	return found
}

func wantUsers(t *testing.T, target storetest.Target, numbers ...int) {
	t.Helper()
	found := users(t, target)
	for _, n := range numbers {
		if !found[string(person(n).Email)] {
			t.Errorf("account %d is missing", n)
		}
	}
	if len(found) != len(numbers) {
		t.Errorf("%d accounts, want %d: %v", len(found), len(numbers), found)
	}
}

// line is writers that wait in a known order behind one that holds the writer of
// a SQLite store, so that all of them are one group.
type line struct {
	t    *testing.T
	s    *store.Store
	go_  chan struct{}
	wait sync.WaitGroup
	n    int

	front error // what the one in front was told
}

// hold occupies the writer; outcome is what the one in front answers.
func hold(t *testing.T, s *store.Store, outcome error) *line {
	t.Helper()
	l := &line{t: t, s: s, go_: make(chan struct{})}
	held := make(chan struct{})
	var once sync.Once
	l.wait.Go(func() {
		l.front = s.Write(context.Background(), func(*store.Tx) error {
			once.Do(func() { close(held) })
			<-l.go_
			return outcome
		})
	})
	<-held
	return l
}

// join puts a writer at the end of the line and answers where its error will be.
func (l *line) join(ctx context.Context, fn func(*store.Tx) error) *error {
	l.t.Helper()
	outcome := new(error)
	l.wait.Go(func() { *outcome = l.s.Write(ctx, fn) })
	for l.n++; l.s.Queued() < l.n; {
		runtime.Gosched()
	}
	return outcome
}

func (l *line) insert(n int) *error {
	l.t.Helper()
	return l.join(context.Background(), func(tx *store.Tx) error { return tx.InsertUser(person(n)) })
}

// release lets the line go and waits for everybody's answer.
func (l *line) release() {
	close(l.go_)
	l.wait.Wait()
}

func told(t *testing.T, outcomes ...*error) {
	t.Helper()
	for i, err := range outcomes {
		if *err != nil {
			t.Errorf("writer %d: %v", i, *err)
		}
	}
}

// TestAGroupIsOneCommit: what waits is made durable together, and the switch that
// turns that off works.
func TestAGroupIsOneCommit(t *testing.T) {
	t.Parallel()
	for single, want := range map[bool]int64{false: 1, true: 21} {
		target := storetest.SQLite(t)
		s := target.Open(t, func(o *store.Options) { o.SingleCommits = single })
		var commits atomic.Int64
		s.OnCommit(t, func() bool { commits.Add(1); return false })
		l := hold(t, s, nil)
		var outcomes []*error
		var numbers []int
		for n := range 20 {
			outcomes, numbers = append(outcomes, l.insert(n)), append(numbers, n)
		}
		l.release()
		told(t, append(outcomes, &l.front)...)
		wantUsers(t, target, numbers...)
		if commits.Load() != want {
			t.Errorf("single commits %v: %d commits for 21 writers", single, commits.Load())
		}
	}
}

// TestAFailingWriterTakesNobodyWithIt: of a group, only those are refused who are
// to be refused, and nothing of theirs is left.
func TestAFailingWriterTakesNobodyWithIt(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t)
	l := hold(t, s, nil)
	first := l.insert(1)
	changed := l.join(context.Background(), func(tx *store.Tx) error {
		return errors.Join(tx.InsertUser(person(2)), errOfFn)
	})
	second := l.insert(3)
	again := l.insert(1) // the same address once more
	broken := l.join(context.Background(), func(tx *store.Tx) error {
		if err := tx.InsertUser(person(4)); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO nowhere VALUES (1)")
		return err
	})
	third := l.insert(5)
	l.release()
	told(t, first, second, third, &l.front)
	if !errors.Is(*changed, errOfFn) || *again == nil || *broken == nil || school.KindOf(*broken) != school.Internal {
		t.Errorf("refused with %v, %v, %v", *changed, *again, *broken)
	}
	wantUsers(t, target, 1, 3, 5)
}

// TestARefusalIsToldWithTheRowThatRefused: whoever hears that an address is taken
// can read whose it is; the row may be another member's of the same group.
func TestARefusalIsToldWithTheRowThatRefused(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t)
	l := hold(t, s, nil)
	first := l.insert(1)
	var early, late atomic.Bool
	l.wait.Go(func() {
		again := person(3)
		again.Email = person(1).Email
		err := s.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertUser(again) })
		late.Store(true)
		if !errors.Is(err, school.ErrStudentExists) {
			t.Errorf("refused with %v", err)
		}
		read(t, s, func(tx *store.Tx) error { _, err := tx.FindAccountByEmail(person(1).Email); return err })
	})
	for l.n++; s.Queued() < l.n; {
		runtime.Gosched()
	}
	last := l.join(context.Background(), func(tx *store.Tx) error {
		for range 10_000 {
			runtime.Gosched()
		}
		early.Store(late.Load())
		return tx.InsertUser(person(2))
	})
	l.release()
	told(t, first, last, &l.front)
	if early.Load() {
		t.Error("told before the row was there")
	}
	wantUsers(t, target, 1, 2)
}

// TestAFnThatFailsLeavesNothing on either engine, and its error comes back as it
// is.
func TestAFnThatFailsLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		after := false
		for _, want := range []error{errOfFn, school.ErrForbidden.With("x", "y")} {
			err := s.Write(context.Background(), func(tx *store.Tx) error {
				tx.AfterCommit(func() { after = true })
				return errors.Join(tx.InsertUser(person(1)), want)
			})
			if !errors.Is(err, want) {
				t.Errorf("%v became %v", want, err)
			}
		}
		if after {
			t.Error("AfterCommit ran without a commit")
		}
		wantUsers(t, target)
		if err := insert(s, 1); err != nil {
			t.Fatal(err)
		}
		if err := insert(s, 2); err != nil {
			t.Fatal(err)
		}
		err := s.Write(context.Background(), func(tx *store.Tx) error {
			a := person(3)
			a.Email = person(1).Email
			return tx.InsertUser(a)
		})
		if !errors.Is(err, school.ErrStudentExists) {
			t.Errorf("a taken address: %v", err)
		}
	})
}

// TestAPanicReachesItsCallerAndNobodyElse: the writer lives on, and the group is
// written.
func TestAPanicReachesItsCallerAndNobodyElse(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t)
	l := hold(t, s, nil)
	first := l.insert(1)
	var caught any
	l.wait.Go(func() {
		defer func() { caught = recover() }()
		_ = s.Write(context.Background(), func(tx *store.Tx) error {
			if err := tx.InsertUser(person(2)); err != nil {
				return err
			}
			panic("the roof is on fire")
		})
	})
	for l.n++; s.Queued() < l.n; {
		runtime.Gosched()
	}
	last := l.insert(3)
	l.release()
	told(t, first, last, &l.front)
	if text := fmt.Sprint(caught); !strings.Contains(text, "the roof is on fire") || !strings.Contains(text, "group_test.go") {
		t.Errorf("the caller caught %.200q", text)
	}
	if err := insert(s, 4); err != nil {
		t.Fatal(err)
	}
	wantUsers(t, target, 1, 3, 4)
}

// TestPanicsKeepNoConnection: more panics than there are connections leave a
// store that reads and writes.
func TestPanicsKeepNoConnection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		caught := 0
		in := func(door func(context.Context, func(*store.Tx) error) error) {
			defer func() {
				if recover() != nil {
					caught++
				}
			}()
			_ = door(context.Background(), func(tx *store.Tx) error {
				if _, err := tx.Count("SELECT count(*) FROM users"); err != nil {
					return err
				}
				panic("again")
			})
		}
		for range s.Readers() + 1 {
			in(s.Read)
			in(s.Write)
		}
		if want := 2 * (s.Readers() + 1); caught != want {
			t.Errorf("%d panics arrived, want %d", caught, want)
		}
		ctx, cancel := context.WithCancel(context.Background())
		if target.Engine == "postgres" && s.Stats().InUse > 0 { // the next caller would wait for ever
			t.Errorf("%d connections are lost", s.Stats().InUse)
			cancel()
		}
		defer cancel()
		for range s.Readers() + 1 {
			if err := s.Read(ctx, func(tx *store.Tx) error { _, err := tx.Count("SELECT count(*) FROM users"); return err }); err != nil {
				t.Fatalf("read: %v", err)
			}
		}
		if err := s.Write(ctx, func(tx *store.Tx) error { return tx.InsertUser(person(1)) }); err != nil {
			t.Fatalf("write: %v", err)
		}
		wantUsers(t, target, 1)
	})
}

// TestWhoLeavesBeforeTheTurnIsSkipped and nothing of theirs is written.
func TestWhoLeavesBeforeTheTurnIsSkipped(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t)
	l := hold(t, s, nil)
	ctx, leave := context.WithCancel(context.Background())
	ran := false
	gone := l.join(ctx, func(tx *store.Tx) error { ran = true; return tx.InsertUser(person(1)) })
	stays := l.insert(2)
	leave()
	l.release()
	told(t, stays, &l.front)
	if !errors.Is(*gone, context.Canceled) || ran {
		t.Errorf("the one who left: %v, ran %v", *gone, ran)
	}
	if err := s.Write(ctx, func(*store.Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("who comes having left: %v, ran %v", err, ran)
	}
	wantUsers(t, target, 2)
}

// TestWhoLeavesMidwayIsToldTheTruth: an error means no row, no error means a row.
func TestWhoLeavesMidwayIsToldTheTruth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		var want []int
		for n := range 20 {
			ctx, leave := context.WithCancel(context.Background())
			err := s.Write(ctx, func(tx *store.Tx) error {
				if n%2 == 0 {
					leave()
				}
				err := tx.InsertUser(person(n))
				leave()
				return err
			})
			if err == nil {
				want = append(want, n)
			}
			_ = s.Read(ctx, func(tx *store.Tx) error { _, err := tx.Count("SELECT count(*) FROM users"); return err })
		}
		wantUsers(t, target, want...)
		if target.Engine == "sqlite" && len(want) != 20 {
			t.Errorf("the group was stopped by one of its callers: %d of 20 written", len(want))
		}
	})
}

// TestReadersWhoLeaveLeaveTheConnectionWhole: a reader that is cancelled at any
// point does not spoil the connection for the next.
func TestReadersWhoLeaveLeaveTheConnectionWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		var all sync.WaitGroup
		for i := range 200 {
			ctx, leave := context.WithCancel(context.Background())
			all.Go(func() {
				_ = s.Read(ctx, func(tx *store.Tx) error {
					if i%3 == 0 {
						leave()
					}
					_, err := tx.Count("SELECT count(*) FROM users")
					return err
				})
			})
			if i%3 != 0 {
				all.Go(leave)
			}
		}
		all.Wait()
		for range s.Readers() + 1 {
			if err := s.Read(context.Background(), func(tx *store.Tx) error { _, err := tx.Count("SELECT count(*) FROM users"); return err }); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestACommitThatFailsIsTriedForEachAlone: one bad commit costs nobody anything.
func TestACommitThatFailsIsTriedForEachAlone(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t)
	var commits, after atomic.Int64
	s.OnCommit(t, func() bool { return commits.Add(1) <= 2 }) // those of the group
	l := hold(t, s, nil)
	var outcomes []*error
	for n := range 5 {
		outcomes = append(outcomes, l.join(context.Background(), func(tx *store.Tx) error {
			tx.AfterCommit(func() { after.Add(1) })
			return tx.InsertUser(person(n))
		}))
	}
	l.release()
	told(t, append(outcomes, &l.front)...)
	wantUsers(t, target, 0, 1, 2, 3, 4)
	if commits.Load() != 8 || after.Load() != 5 { // the group, the group in savepoints, six alone
		t.Errorf("%d commits, AfterCommit %d times", commits.Load(), after.Load())
	}
}

// TestCommitsThatKeepFailingAreToldToAll, and nothing is there.
func TestCommitsThatKeepFailingAreToldToAll(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s := target.Open(t)
	l := hold(t, s, nil)
	var broken atomic.Bool
	broken.Store(true)
	s.OnCommit(t, broken.Load)
	outcomes := []*error{&l.front, l.insert(1), l.insert(2), l.insert(3)}
	l.release()
	for i, err := range outcomes {
		if *err == nil || school.KindOf(*err) != school.Internal {
			t.Errorf("writer %d: %v", i, *err)
		}
	}
	if err := insert(s, 4); err == nil {
		t.Error("one alone was told that all is well")
	}
	wantUsers(t, target)
	broken.Store(false)
	if err := insert(s, 5); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	wantUsers(t, target, 5)
}

// TestALostTransactionFailsOnlyWhoLostIt: a statement that rolled everything
// back, as SQLite does when the disk is full, costs the others nothing. Wherever
// in the group it happens, and whether or not its caller saw an error.
func TestALostTransactionFailsOnlyWhoLostIt(t *testing.T) {
	t.Parallel()
	for _, front := range []error{nil, errOfFn} {
		for _, outcome := range []error{nil, errOfFn} {
			for place := range 3 {
				for companions := range 3 {
					loseATransaction(t, front, outcome, place, companions)
				}
			}
		}
	}
}

func loseATransaction(t *testing.T, front, outcome error, place, companions int) {
	t.Helper()
	target := storetest.SQLite(t)
	s := target.Open(t)
	l := hold(t, s, front)
	var others []*error
	var numbers []int
	var culprit *error
	for n := range companions + 1 {
		if n == min(place, companions) {
			culprit = l.join(context.Background(), func(tx *store.Tx) error {
				if err := tx.InsertUser(person(50)); err != nil {
					return err
				}
				if _, err := tx.Exec("INSERT OR ROLLBACK INTO users SELECT * FROM users"); err == nil {
					t.Error("the transaction was not lost")
				}
				return outcome
			})
			continue
		}
		others, numbers = append(others, l.insert(n)), append(numbers, n)
	}
	l.release()
	told(t, others...)
	if !errors.Is(l.front, front) {
		t.Errorf("the one in front was told %v", l.front)
	}
	if *culprit == nil || outcome != nil && !errors.Is(*culprit, outcome) {
		t.Errorf("the culprit was told %v", *culprit)
	}
	wantUsers(t, target, numbers...)
	if err := insert(s, 99); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestCloseWritesWhatWaits: nobody in the line is turned away at closing time, and
// who comes later is told so, however often it is closed.
func TestCloseWritesWhatWaits(t *testing.T) {
	t.Parallel()
	target := storetest.SQLite(t)
	s, err := store.Open(context.Background(), target.Options)
	if err != nil {
		t.Fatal(err)
	}
	l := hold(t, s, nil)
	var outcomes []*error
	for n := range 5 {
		outcomes = append(outcomes, l.insert(n))
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	close(l.go_)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	l.wait.Wait()
	told(t, append(outcomes, &l.front)...)
	if err := insert(s, 9); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	for range s.Readers() + 1 {
		if err := s.Read(context.Background(), func(*store.Tx) error { return nil }); err == nil {
			t.Fatal("a closed store reads")
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	wantUsers(t, target, 0, 1, 2, 3, 4)
}

// TestManyWritersAllFindTheirRows on both engines.
func TestManyWritersAllFindTheirRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		var numbers []int
		var all sync.WaitGroup
		for w := range 16 {
			for i := range 25 {
				numbers = append(numbers, w*100+i)
			}
			all.Go(func() {
				for i := range 25 {
					if err := insert(s, w*100+i); err != nil {
						t.Errorf("writer %d: %v", w, err)
					}
				}
			})
		}
		all.Wait()
		wantUsers(t, target, numbers...)
	})
}

// TestNoUpdateIsLost: what is read in a Write is still so when it is written.
func TestNoUpdateIsLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		var counted atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					err := s.Write(context.Background(), func(tx *store.Tx) error {
						f, err := tx.FindLoginFailures("account", "x")
						if err != nil {
							return err
						}
						f.Failures++
						f.LastAt, f.BlockedUntil = tx.Now, tx.Now
						return tx.UpsertLoginFailures("account", "x", f)
					})
					switch {
					case err == nil:
						counted.Add(1)
					case !errors.Is(err, school.ErrUnavailable): // a loser of many races is told to come again
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		read(t, s, func(tx *store.Tx) error {
			f, err := tx.FindLoginFailures("account", "x")
			if int64(f.Failures) != counted.Load() || counted.Load() == 0 {
				t.Errorf("%d counted, %d written", counted.Load(), f.Failures)
			}
			return err
		})
	})
}

// TestALostRaceIsRunAgain: PostgreSQL tells the loser of a race, and the store
// runs it again; its AfterCommit is that of the last run.
func TestALostRaceIsRunAgain(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	s := target.Open(t)
	const lose = "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$"
	runs, after := 0, 0
	err := s.Write(context.Background(), func(tx *store.Tx) error {
		runs++
		tx.AfterCommit(func() { after++ })
		if err := tx.InsertUser(person(1)); err != nil || runs == 3 {
			return err
		}
		_, err := tx.Exec(lose)
		return err
	})
	if err != nil || runs != 3 || after != 1 {
		t.Errorf("%d runs, AfterCommit %d times, %v", runs, after, err)
	}
	wantUsers(t, target, 1)
	err = s.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(lose); return err })
	if !errors.Is(err, school.ErrUnavailable) || school.KindOf(err) != school.Unavailable {
		t.Errorf("who always loses: %v", err)
	}
}
