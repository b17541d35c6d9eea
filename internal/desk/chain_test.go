package desk_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// A few dozen histories for each property, unless more are asked for.
func init() {
	if os.Getenv("RAPID_CHECKS") == "" {
		_ = flag.Set("rapid.checks", "25")
	}
}

// history is a course and what happens in it. Modules, lessons and rules are
// named by their places; places beyond the end begin anew.
type history struct {
	Modules [][]bool // the lessons of each: is it required
	Rules   []ruleSpec
	Steps   []step
}

type ruleSpec struct {
	Module, Source int
	Event          school.UnlockEvent
	Delay          int // minutes
	NotBefore      int // minutes after the beginning; 0: no date
}

// step is one thing that happens to one of two students, or to the course.
type step struct {
	Kind string
	Who  int
	N    int
	Rule ruleSpec
}

func drawRule(t *rapid.T, modules int, label string) ruleSpec {
	r := ruleSpec{
		Module: rapid.IntRange(0, modules-1).Draw(t, label+" target"),
		Source: rapid.IntRange(0, modules-1).Draw(t, label+" source"),
		Event:  rapid.SampledFrom([]school.UnlockEvent{school.EventEnrolled, school.EventCompleted, school.EventCompleted, school.EventGranted}).Draw(t, label),
		Delay:  rapid.SampledFrom([]int{0, 0, 1, 60, 61, 1440, 4000}).Draw(t, label+" delay"),
	}
	if rapid.IntRange(0, 3).Draw(t, label+" dated") == 0 {
		r.NotBefore = rapid.SampledFrom([]int{-100, 1, 60, 1441, 5000}).Draw(t, label+" not before")
	}
	return r
}

var histories = rapid.Custom(func(t *rapid.T) history {
	h := history{Modules: rapid.SliceOfN(rapid.SliceOfN(rapid.Bool(), 1, 3), 2, 5).Draw(t, "modules")}
	n := len(h.Modules)
	for m := range n { // a path to each module, as publishing demands
		r := drawRule(t, n, "rule")
		if r.Module = m; m == 0 {
			r.Event = school.EventEnrolled
		} else {
			r.Source %= m
		}
		h.Rules = append(h.Rules, r)
	}
	for range rapid.IntRange(0, 4).Draw(t, "more rules") {
		h.Rules = append(h.Rules, drawRule(t, n, "rule"))
	}
	kinds := []string{
		"next", "next", "next", "next", "next", "next", "next", "lesson", "lesson", "clock", "clock", "clock",
		"grant", "again", "add rule", "retire rule", "retire rule", "retire rule", "add lesson",
	}
	for range rapid.IntRange(20, 45).Draw(t, "steps") {
		s := step{
			Kind: rapid.SampledFrom(kinds).Draw(t, "step"),
			Who:  rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "who"),
			N:    rapid.IntRange(0, 14).Draw(t, "n"),
		}
		switch s.Kind {
		case "add rule":
			s.Rule = drawRule(t, n, "new rule")
		case "clock":
			s.N = rapid.SampledFrom([]int{0, 1, 59_999, 60_000, 61 * 60_000, 1440 * 60_000, 4001 * 60_000}).Draw(t, "milliseconds")
		}
		h.Steps = append(h.Steps, s)
	}
	return h
})

// model is what ought to be true of one student: the rules of automation.md in
// the fewest words.
type model struct {
	enrolled time.Time // zero: not yet
	lessons  map[int]bool
	unlocks  map[int]unlock
	done     map[int]time.Time
	finished time.Time
	open     map[int]bool // the modules seen open
}

type unlock struct {
	at     time.Time
	event  school.UnlockEvent
	source int
}

// run is one history on its way through a desk.
type run struct {
	place
	raw      *sql.DB
	clock    *atomic.Pointer[time.Time]
	began    time.Time
	course   school.CourseID
	modules  []school.ModuleID
	lessons  []lessonSpec
	rules    []liveRule
	students [2]school.Actor
	models   [2]model
}

type lessonSpec struct {
	id       school.LessonID
	module   int
	required bool
}

type liveRule struct {
	ruleSpec
	retired bool
}

// chain is a desk with a clock of its own for histories.
type chain struct {
	place
	raw   *sql.DB
	clock *atomic.Pointer[time.Time]
	runs  *atomic.Int64
}

func openChain(t *testing.T, target storetest.Target) chain {
	t.Helper()
	c := chain{clock: &atomic.Pointer[time.Time]{}, runs: &atomic.Int64{}, raw: target.Raw(t)}
	start := time.Date(2026, 2, 27, 21, 59, 30, 7_000_000, time.UTC)
	c.clock.Store(&start)
	c.place = open(t, target, func(o *store.Options) { o.Now = func() time.Time { return *c.clock.Load() } })
	return c
}

// begin makes the course of a history and admits the first student.
func (c chain) begin(h history) (*run, error) {
	r := &run{place: c.place, raw: c.raw, clock: c.clock, began: *c.clock.Load()}
	base := 1000 * c.runs.Add(1)
	course := school.Course{Slug: fmt.Sprintf("run-%d", base), Title: "Course", Price: school.Money{Currency: "KZT"}}
	for m, lessons := range h.Modules {
		module := school.Module{ID: school.ModuleID(base + int64(m)), Position: m + 1, Title: fmt.Sprintf("Module %d", m)}
		for _, required := range lessons {
			l := lessonSpec{id: school.LessonID(base + int64(len(r.lessons))), module: m, required: required}
			r.lessons = append(r.lessons, l)
			module.Lessons = append(module.Lessons, school.Lesson{ID: l.id, Position: len(module.Lessons) + 1, Title: "Lesson", Required: required})
		}
		r.modules, course.Modules = append(r.modules, module.ID), append(course.Modules, module)
	}
	for _, spec := range h.Rules {
		r.rules = append(r.rules, liveRule{ruleSpec: spec})
		course.Rules = append(course.Rules, r.rule(spec))
	}
	if err := c.CreateCourse(context.Background(), c.admin, course); err != nil {
		return nil, err
	}
	if err := c.raw.QueryRow("SELECT id FROM courses WHERE slug = $1", course.Slug).Scan(&r.course); err != nil {
		return nil, err
	}
	return r, r.enrol(0)
}

func (r *run) rule(s ruleSpec) school.UnlockRule {
	u := school.UnlockRule{ModuleID: r.modules[s.Module], Event: s.Event, DelayMinutes: s.Delay}
	if s.Event == school.EventCompleted {
		u.SourceModuleID = r.modules[s.Source]
	}
	if s.NotBefore != 0 {
		u.NotBefore = r.began.Add(time.Duration(s.NotBefore) * time.Minute)
	}
	return u
}

func (r *run) now() time.Time { return *r.clock.Load() }

// enrol admits a student, in the rows and in the model.
func (r *run) enrol(who int) error {
	m := &r.models[who]
	if !m.enrolled.IsZero() {
		return nil
	}
	*m = model{enrolled: r.now(), lessons: map[int]bool{}, unlocks: map[int]unlock{}, done: map[int]time.Time{}, open: map[int]bool{}}
	r.fire(m, school.EventEnrolled, 0, m.enrolled)
	var err error
	r.students[who], err = r.admit()
	return err
}

// admit makes an account and enrols it in the course of the run.
func (r *run) admit() (school.Actor, error) {
	id := school.NewUserID()
	email := school.Email(string(id) + "@example.com")
	return school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}, r.store.Write(context.Background(), func(tx *store.Tx) error {
		if err := tx.InsertUser(school.Account{ID: id, Email: email, FullName: "Student", Role: school.RoleStudent, Language: "ru"}); err != nil {
			return err
		}
		return tx.InsertEnrolment(store.Enrolment{UserID: id, CourseID: r.course, Email: email, GrantedBy: r.a.ID, Price: school.Money{Currency: "KZT"}, Source: "test"})
	})
}

// fire is the model of an event: the earliest of the rules that speak, and
// earlier than what was there.
func (r *run) fire(m *model, event school.UnlockEvent, source int, at time.Time) {
	for _, rule := range r.rules {
		if rule.retired || rule.Event != event || event == school.EventCompleted && rule.Source != source {
			continue
		}
		opens := at.Add(time.Duration(rule.Delay) * time.Minute)
		if date := r.began.Add(time.Duration(rule.NotBefore) * time.Minute); rule.NotBefore != 0 && date.After(opens) {
			opens = date
		}
		m.unlock(rule.Module, unlock{at: opens, event: event, source: source})
	}
}

func (m *model) unlock(module int, u unlock) {
	if have, ok := m.unlocks[module]; !ok || u.at.Before(have.at) {
		m.unlocks[module] = u
	}
}

func (m *model) opened(module int, now time.Time) bool {
	u, ok := m.unlocks[module]
	return ok && !u.at.After(now)
}

// complete is the model of a completed lesson.
func (r *run) complete(m *model, lesson int) error {
	module := r.lessons[lesson].module
	if !m.opened(module, r.now()) {
		return school.ErrLessonLocked
	}
	if m.lessons[lesson] {
		return nil
	}
	m.lessons[lesson] = true
	for i, l := range r.lessons {
		if l.module == module && l.required && !m.lessons[i] {
			return nil
		}
	}
	if _, before := m.done[module]; before {
		return nil
	}
	m.done[module] = r.now()
	r.fire(m, school.EventCompleted, module, r.now())
	for _, l := range r.lessons {
		if _, done := m.done[l.module]; l.required && !done {
			return nil
		}
	}
	if m.finished.IsZero() {
		m.finished = r.now()
	}
	return nil
}

// take does one step, in the rows and in the model, and answers where the two
// differ.
func (r *run) take(s step) error {
	ctx := context.Background()
	if s.Who == 1 {
		if err := r.enrol(1); err != nil {
			return err
		}
	}
	me, m := r.students[s.Who], &r.models[s.Who]
	switch s.Kind {
	case "lesson":
		n := s.N % len(r.lessons)
		want, got := r.complete(m, n), r.CompleteLesson(ctx, me, r.lessons[n].id)
		if !errors.Is(got, want) {
			return fmt.Errorf("lesson %d: %w, want %w", n, orNothing(got), orNothing(want))
		}
	case "next": // any lesson that is open and not done
		if open := r.toDo(m); len(open) > 0 {
			return r.take(step{Kind: "lesson", Who: s.Who, N: open[s.N%len(open)]})
		}
	case "again": // everything once more
		before, err := r.lines(me.ID)
		if err != nil {
			return err
		}
		for n := range maps.Keys(m.lessons) {
			if err := r.CompleteLesson(ctx, me, r.lessons[n].id); err != nil {
				return fmt.Errorf("lesson %d again: %w", n, err)
			}
		}
		if after, err := r.lines(me.ID); err != nil || after != before {
			return fmt.Errorf("repeating left %d lines in the history, %w", after-before, orNothing(err))
		}
	case "clock":
		later := r.now().Add(time.Duration(s.N) * time.Millisecond)
		r.clock.Store(&later)
	case "grant":
		n := s.N % len(r.modules)
		m.unlock(n, unlock{at: r.now(), event: school.EventGranted})
		if err := r.GrantModule(ctx, r.admin, me.ID, r.modules[n], "a reason"); err != nil {
			return err
		}
	case "add rule":
		r.rules = append(r.rules, liveRule{ruleSpec: s.Rule})
		return r.store.Write(ctx, func(tx *store.Tx) error { return tx.InsertRule(r.course, r.rule(s.Rule)) })
	case "retire rule":
		n := s.N % len(r.rules)
		r.rules[n].retired = true
		_, err := r.raw.Exec(`UPDATE unlock_rules SET retired_at = '2026-01-01 00:00:00.000'
			WHERE id = (SELECT id FROM unlock_rules WHERE course_id = $1 ORDER BY id LIMIT 1 OFFSET $2)`, r.course, n)
		return err
	case "add lesson":
		l := lessonSpec{id: r.lessons[0].id + school.LessonID(len(r.lessons)), module: s.N % len(r.modules), required: s.N%2 == 0}
		r.lessons = append(r.lessons, l)
		_, err := r.raw.Exec("INSERT INTO lessons (id, module_id, position, title, minutes, required) VALUES ($1, $2, 9, 'Later', 1, $3)",
			l.id, r.modules[l.module], l.required)
		return err
	}
	return nil
}

// toDo answers the lessons that are open to a student and not done.
func (r *run) toDo(m *model) (open []int) {
	for n, l := range r.lessons {
		if !m.lessons[n] && m.opened(l.module, r.now()) {
			open = append(open, n)
		}
	}
	return open
}

func orNothing(err error) error {
	if err == nil {
		return errors.New("nothing")
	}
	return err
}

func (r *run) lines(id school.UserID) (n int, err error) {
	return n, r.raw.QueryRow("SELECT count(*) FROM activity WHERE subject_id = $1", string(id)).Scan(&n)
}

// state is what the rows say of a student.
type state struct {
	student  school.Student
	progress []school.ModuleProgress
}

func (r *run) state(id school.UserID) (s state, err error) {
	return s, r.store.Read(context.Background(), func(tx *store.Tx) error {
		if s.student, err = tx.FindStudent(school.Scope{All: true}, id); err != nil {
			return err
		}
		s.progress, err = tx.ListProgress(id, r.course, tx.Now)
		return err
	})
}

// compare answers where the rows of a student are not what the model says.
func (r *run) compare(who int) error {
	m := &r.models[who]
	if m.enrolled.IsZero() {
		return nil
	}
	s, err := r.state(r.students[who].ID)
	if err != nil {
		return err
	}
	if !s.student.CompletedAt.Equal(m.finished) || s.student.ModulesDone != len(m.done) {
		return fmt.Errorf("student %d: completed at %v with %d modules, want %v with %d", who, s.student.CompletedAt, s.student.ModulesDone, m.finished, len(m.done))
	}
	for i, p := range s.progress {
		want := m.unlocks[i]
		cause := school.Cause{Event: want.event}
		if want.event == school.EventCompleted {
			cause.SourceModuleID = r.modules[want.source]
		}
		if !p.UnlockedAt.Equal(want.at) || p.Cause.Event != cause.Event || p.Cause.SourceModuleID != cause.SourceModuleID {
			return fmt.Errorf("student %d, module %d: opens at %v by %+v, want %v by %+v", who, i, p.UnlockedAt, p.Cause, want.at, cause)
		}
		if !p.CompletedAt.Equal(m.done[i]) {
			return fmt.Errorf("student %d, module %d: completed at %v, want %v", who, i, p.CompletedAt, m.done[i])
		}
		if m.open[i] && !p.OpenAt(r.now()) {
			return fmt.Errorf("student %d, module %d was open and is not", who, i)
		}
		m.open[i] = p.OpenAt(r.now())
	}
	return nil
}

// live runs a history and answers the first difference between rows and model.
func (c chain) live(h history) error {
	r, err := c.begin(h)
	if err != nil {
		return err
	}
	for n := -1; n < len(h.Steps); n++ {
		if n >= 0 {
			err = r.take(h.Steps[n])
		}
		if err = errors.Join(err, r.compare(0), r.compare(1)); err != nil {
			return fmt.Errorf("after step %d: %w", n, err)
		}
	}
	return nil
}

// TestTheChainIsWhatTheRulesSay: over random courses and histories, every unlock,
// its time and its cause, every completion and the end of the course are what a
// model of a few lines says; repeating changes nothing; open stays open, also
// when rules and lessons come and go; the other student is not concerned.
func TestTheChainIsWhatTheRulesSay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		c := openChain(t, target)
		rapid.Check(t, func(rt *rapid.T) {
			if err := c.live(histories.Draw(rt, "history")); err != nil {
				rt.Fatal(err)
			}
		})
	})
}

// deeds are what can be done to a student at one moment, in any order.
func (r *run) deeds(h history) (all []func(school.Actor) error) {
	for i, s := range h.Steps {
		switch s.Kind {
		case "grant":
			all = append(all, func(me school.Actor) error {
				return r.GrantModule(context.Background(), r.admin, me.ID, r.modules[s.N%len(r.modules)], fmt.Sprint("reason ", i))
			})
		case "lesson", "next":
			all = append(all, func(me school.Actor) error {
				return r.CompleteLesson(context.Background(), me, r.lessons[s.N%len(r.lessons)].id)
			})
		}
	}
	return all
}

// exhaust does the deeds in the given order, and what was locked again and again
// until nothing more opens.
func exhaust(me school.Actor, deeds []func(school.Actor) error, atOnce bool) error {
	for len(deeds) > 0 {
		outcomes := make([]error, len(deeds))
		var all sync.WaitGroup
		for i, do := range deeds {
			all.Go(func() { outcomes[i] = do(me) })
			if !atOnce {
				all.Wait()
			}
		}
		all.Wait()
		var locked, busy []func(school.Actor) error
		for i, err := range outcomes {
			switch {
			case errors.Is(err, school.ErrLessonLocked):
				locked = append(locked, deeds[i])
			case errors.Is(err, school.ErrUnavailable): // lost too many races: the same call may pass later
				busy = append(busy, deeds[i])
			case err != nil:
				return err
			}
		}
		if len(locked) == len(deeds) {
			return nil
		}
		deeds = append(locked, busy...)
	}
	return nil
}

// TestOrderDoesNotMatter: the same deeds of one moment, in one order, in another
// and all at once, end in the same rows.
func TestOrderDoesNotMatter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		c := openChain(t, target)
		rapid.Check(t, func(rt *rapid.T) {
			h := histories.Draw(rt, "history")
			r, err := c.begin(h)
			if err != nil {
				rt.Fatal(err)
			}
			deeds := r.deeds(h)
			var want string
			for n, order := range [][]func(school.Actor) error{deeds, rapid.Permutation(deeds).Draw(rt, "order"), deeds} {
				me, err := r.admit()
				if err == nil {
					err = exhaust(me, order, n == 2)
				}
				if err != nil {
					rt.Fatal(err)
				}
				s, err := r.state(me.ID)
				if err != nil {
					rt.Fatal(err)
				}
				got := fmt.Sprint("completed ", s.student.CompletedAt)
				for _, p := range s.progress {
					got += fmt.Sprintf("\nmodule %d: open %v, done %v, lessons %d", p.Module.ID, p.UnlockedAt, p.CompletedAt, lessonsDone(p))
				}
				if n == 0 {
					want = got
				}
				if got != want {
					rt.Fatalf("order %d ends in\n%s\nand not in\n%s", n, got, want)
				}
			}
		})
	})
}

// bodyEdit is an edit of a trigger's body that the property has to see.
type bodyEdit struct {
	name, trigger, function string
	sqlite, postgres        [2]string // old and new
}

var edits = []bodyEdit{
	{"no delay after a completion", "auto_unlock_next_module", "unlock_next_module", [2]string{"r.delay_minutes", "0"}, [2]string{"r.delay_minutes::int", "0"}},
	{"no delay after enrolment", "auto_unlock_first_module_on_user_creation", "auto_unlock_first_module", [2]string{"r.delay_minutes", "0"}, [2]string{"r.delay_minutes::int", "0"}},
	{"one rule only", "auto_unlock_next_module", "unlock_next_module", [2]string{"ORDER BY 3, 4", "ORDER BY 3, 4 LIMIT 1"}, [2]string{"ORDER BY r.module_id, opens_at, r.id", "ORDER BY r.module_id, opens_at, r.id LIMIT 1"}},
	{"dates are forgotten", "auto_unlock_first_module_on_user_creation", "auto_unlock_first_module", [2]string{"coalesce(r.not_before, '')", "''"}, [2]string{"r.not_before", "NULL"}},
	{"retired rules speak on", "auto_unlock_next_module", "unlock_next_module", [2]string{" AND r.retired_at IS NULL", ""}, [2]string{" AND r.retired_at IS NULL", ""}},
	{"the later time wins", "auto_unlock_next_module", "unlock_next_module", [2]string{"unlocked_at < module_unlocks", "unlocked_at > module_unlocks"}, [2]string{"unlocked_at < module_unlocks", "unlocked_at > module_unlocks"}},
	{"the first time stays", "unlock_granted_module", "unlock_granted", [2]string{"excluded.unlocked_at < module_unlocks.unlocked_at", "FALSE"}, [2]string{"excluded.unlocked_at < module_unlocks.unlocked_at", "FALSE"}},
	{"optional lessons are required", "complete_module_on_last_lesson", "complete_module", [2]string{"other.required AND ", ""}, [2]string{"other.required AND ", ""}},
	{"any lesson is enough", "complete_module_on_last_lesson", "complete_module", [2]string{"WHERE other.module_id", "WHERE FALSE AND other.module_id"}, [2]string{"WHERE other.module_id", "WHERE FALSE AND other.module_id"}},
	{"modules without required lessons count", "complete_course_on_last_module", "complete_course", [2]string{"AND l.required AND l.deleted_at IS NULL", ""}, [2]string{"AND l.required AND l.deleted_at IS NULL", ""}},
	{"the end moves", "complete_course_on_last_module", "complete_course", [2]string{" AND completed_at IS NULL", ""}, [2]string{" AND completed_at IS NULL", ""}},
}

// TestTheChainPropertySeesSabotage is the control of the property: with each of
// these edits in a trigger it goes red.
func TestTheChainPropertySeesSabotage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		c := openChain(t, target)
		for _, s := range edits {
			undo := s.plant(t, target.Engine, c.raw)
			seen := false
			for seed := 0; seed < 60 && !seen; seed++ {
				seen = c.live(histories.Example(seed)) != nil
			}
			if !seen {
				t.Errorf("%s: not seen", s.name)
			}
			undo()
		}
		for seed := range 5 {
			if err := c.live(histories.Example(seed)); err != nil {
				t.Errorf("put back, and still red: %v", err)
			}
		}
	})
}

func (s bodyEdit) plant(t *testing.T, engine string, db *sql.DB) (undo func()) {
	t.Helper()
	ask, edit := "SELECT sql FROM sqlite_master WHERE name = '"+s.trigger+"'", s.sqlite
	if engine == "postgres" {
		ask, edit = "SELECT pg_get_functiondef('"+s.function+"()'::regprocedure)", s.postgres
	}
	var text string
	if err := db.QueryRow(ask).Scan(&text); err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(text, edit[0], edit[1], 1)
	if edited == text {
		t.Fatalf("%s: there is no %q in\n%s", s.name, edit[0], text)
	}
	put := func(text string) {
		if engine == "sqlite" {
			text = "DROP TRIGGER " + s.trigger + ";" + text
		}
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	put(edited)
	return func() { put(text) }
}

// TestTwoLastLessonsAtOnceCompleteTheModuleOnce: neither sees the other's row, and
// still the module is completed, once, and the next one opens.
func TestTwoLastLessonsAtOnceCompleteTheModuleOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		c := openChain(t, target)
		r, err := c.begin(twoLessons)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			me, err := r.admit()
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for _, l := range r.lessons[:2] {
				for range 2 { // and each of them pressed twice
					all.Go(func() {
						if err := r.CompleteLesson(context.Background(), me, l.id); err != nil {
							t.Errorf("lesson %d: %v", l.id, err)
						}
					})
				}
			}
			all.Wait()
			s, err := r.state(me.ID)
			if err != nil || s.student.ModulesDone != 1 || lessonsDone(s.progress[0]) != 2 || s.progress[1].UnlockedAt.IsZero() || s.student.CompletedAt.IsZero() {
				t.Fatalf("%+v, %v", s, err)
			}
			if n, err := r.lines(me.ID); err != nil || n != 2 {
				t.Errorf("%d lines in the history, %v", n, err)
			}
		}
		for _, table := range []string{"module_completions", "module_unlocks"} {
			seen := map[string]bool{}
			for _, row := range target.Dump(t)[table] {
				key := strings.Join(strings.Split(row, "|")[1:3], "|")
				if seen[key] {
					t.Errorf("%s has %s twice", table, key)
				}
				seen[key] = true
			}
			if len(seen) < 40 {
				t.Errorf("%s has %d rows", table, len(seen))
			}
		}
	})
}

// twoLessons is a course whose first module has two required lessons, and whose
// second has none.
var twoLessons = history{
	Modules: [][]bool{{true, true}, {false}},
	Rules:   []ruleSpec{{Module: 0, Event: school.EventEnrolled}, {Module: 1, Event: school.EventCompleted, Source: 0}},
}

// TestTheTriggerWaitsForTheOtherLesson: even at the isolation that PostgreSQL gives
// who asks for nothing, because the body locks the enrolment. Without that line
// the module stays locked for ever, which the same steps show.
func TestTheTriggerWaitsForTheOtherLesson(t *testing.T) {
	t.Parallel()
	target := storetest.Postgres(t)
	c := openChain(t, target)
	r, err := c.begin(twoLessons)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	atOnce := func() int {
		me, err := r.admit()
		if err != nil {
			t.Fatal(err)
		}
		complete := func(on interface {
			ExecContext(context.Context, string, ...any) (sql.Result, error)
		}, lesson int) error {
			_, err := on.ExecContext(ctx, "INSERT INTO lesson_completions (user_id, lesson_id, completed_at) VALUES ($1, $2, now())", string(me.ID), int64(r.lessons[lesson].id))
			return err
		}
		first, err := c.raw.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := complete(first, 0); err != nil {
			t.Fatal(err)
		}
		second := make(chan error, 1)
		go func() { second <- complete(c.raw, 1) }()
		for waiting := 0; waiting == 0 && len(second) == 0; {
			if err := c.raw.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
				AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO lesson_completions%'`).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(first.Commit(), <-second); err != nil {
			t.Fatal(err)
		}
		s, err := r.state(me.ID)
		if err != nil {
			t.Fatal(err)
		}
		return s.student.ModulesDone
	}
	if n := atOnce(); n != 1 {
		t.Errorf("%d modules completed", n)
	}
	const lock = "PERFORM 1 FROM tripwire_users WHERE user_id = NEW.user_id FOR UPDATE;"
	undo := bodyEdit{name: "no lock", function: "complete_module", postgres: [2]string{lock, ""}}.plant(t, target.Engine, c.raw)
	if n := atOnce(); n != 0 {
		t.Errorf("without the lock %d modules were completed: the steps above prove nothing", n)
	}
	undo()
}

func lessonsDone(m school.ModuleProgress) int {
	done, _ := m.LessonsDone()
	return done
}
