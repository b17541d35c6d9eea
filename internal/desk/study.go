package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// CourseView is a course as a student sees it.
type CourseView struct {
	Course  school.Course // without its parts
	Modules []school.ModuleProgress
	Now     time.Time // of what is shown; in a preview any time
	// CompletedAt is when the student completed the course; zero: not yet.
	CompletedAt time.Time
}

// LessonView is a lesson as a student sees it.
type LessonView struct {
	CourseView
	Module      school.ModuleProgress
	Lesson      school.LessonProgress
	Content     school.LessonContent
	Draft       school.Draft
	Submissions []school.Submission // the newest first
}

// MyCourses answers the courses of the actor. They take no id: there is no way to
// ask for another's. Errors: Forbidden.
func (d *Desk) MyCourses(ctx context.Context, actor school.Actor) (all []school.Course, err error) {
	if err := actor.May(school.Study); err != nil {
		return nil, err
	}
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		all, err = tx.ListEnrolments(actor.ID)
		return err
	})
	return all, err
}

// MyCourse answers one course of the actor. Errors: NotFound, Forbidden.
func (d *Desk) MyCourse(ctx context.Context, actor school.Actor, slug string) (v CourseView, err error) {
	if err := actor.May(school.Study); err != nil {
		return v, err
	}
	if err := d.keepBeats(ctx, actor.ID); err != nil {
		return v, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.ListEnrolments(actor.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(c school.Course) bool { return c.Slug == slug })
		if i < 0 {
			return school.ErrNotFound
		}
		v, err = d.courseView(tx, actor.ID, all[i], tx.Now)
		return err
	})
	return v, err
}

// progress answers how a student stood to a course at a time, and with it what
// players have told and no row says yet.
func (d *Desk) progress(tx *store.Tx, id school.UserID, course school.CourseID, at time.Time) ([]school.ModuleProgress, error) {
	modules, err := tx.ListProgress(id, course, at)
	if !at.Before(tx.Now) {
		d.beats.seen(id, modules)
	}
	return modules, err
}

func (d *Desk) courseView(tx *store.Tx, id school.UserID, c school.Course, at time.Time) (v CourseView, err error) {
	v.Course, v.Now = c, at
	if v.Modules, err = d.progress(tx, id, c.ID, at); err != nil {
		return v, err
	}
	v.CompletedAt, err = tx.FindCourseCompletion(id, c.ID, at)
	return v, err
}

// MyLesson answers a lesson of an open module of the actor, and notes that it was
// opened. Errors: NotFound, Forbidden lesson_locked with the reason.
func (d *Desk) MyLesson(ctx context.Context, actor school.Actor, lesson school.LessonID) (v LessonView, err error) {
	if err := actor.May(school.Study); err != nil {
		return v, err
	}
	if err := d.keepBeats(ctx, actor.ID); err != nil {
		return v, err
	}
	show := func() error {
		return d.store.Read(ctx, func(tx *store.Tx) error {
			if _, err := enter(tx, actor.ID, lesson); err != nil {
				return err
			}
			v, err = d.lessonView(tx, actor.ID, lesson, tx.Now)
			return err
		})
	}
	if err = show(); errors.Is(err, school.ErrLessonLocked) {
		return v, d.withReason(ctx, actor.ID, lesson, err)
	}
	if err == nil && v.Lesson.OpenedAt.IsZero() {
		err = d.store.Write(ctx, func(tx *store.Tx) error { return tx.InsertOpening(actor.ID, lesson) })
		err = cmp.Or(err, show())
	}
	return v, err
}

// lessonView reads a lesson as it stood to a student at a time.
func (d *Desk) lessonView(tx *store.Tx, id school.UserID, lesson school.LessonID, at time.Time) (v LessonView, err error) {
	place, err := tx.FindPlace(id, lesson)
	if err != nil {
		return v, err
	}
	if v.CourseView, err = d.courseView(tx, id, place.Course, at); err != nil {
		return v, err
	}
	for _, m := range v.Modules {
		for _, l := range m.Lessons {
			if l.Lesson.ID == lesson {
				v.Module, v.Lesson = m, l
			}
		}
	}
	if !place.OpenAt(at) {
		return v, lockedBecause(v.Modules, v.Module)
	}
	if v.Content, err = tx.FindLessonContent(lesson); err != nil || v.Content.Homework == "" {
		return v, err
	}
	if v.Draft, err = tx.FindDraft(id, lesson); err != nil {
		return v, err
	}
	v.Submissions, err = tx.ListSubmissions(id, lesson)
	return v, err
}

// lockedBecause is lesson_locked with its reason: "opens" is the time at which the
// module opens, "after" the title of the module that has to be completed first.
func lockedBecause(modules []school.ModuleProgress, m school.ModuleProgress) error {
	if !m.UnlockedAt.IsZero() {
		return school.ErrLessonLocked.With("opens", m.UnlockedAt.UTC().Format(time.RFC3339))
	}
	for _, r := range m.Opens {
		for _, source := range modules {
			if r.Event == school.EventCompleted && source.Module.ID == r.SourceModuleID {
				return school.ErrLessonLocked.With("after", source.Module.Title)
			}
		}
	}
	return school.ErrLessonLocked
}

// celebrateWithin is how long after the completion of a module a student is still
// congratulated on it.
const celebrateWithin = 30 * 24 * time.Hour

// Celebrate answers those of the modules on which the actor has not been
// congratulated yet, and notes that they are now: this once. Errors: Forbidden.
func (d *Desk) Celebrate(ctx context.Context, actor school.Actor, modules []school.ModuleProgress) (all []school.Module, err error) {
	if err := actor.May(school.Study); err != nil {
		return nil, err
	}
	var waiting []school.ModuleID
	err = d.store.Look(ctx, func(tx *store.Tx) error {
		waiting, err = tx.ListUncelebrated(actor.ID, tx.Now.Add(-celebrateWithin))
		return err
	})
	if err != nil {
		return nil, err
	}
	shown := map[school.ModuleID]school.Module{}
	for _, m := range modules {
		shown[m.Module.ID] = m.Module
	}
	waiting = slices.DeleteFunc(waiting, func(id school.ModuleID) bool { _, ok := shown[id]; return !ok })
	if len(waiting) == 0 {
		return nil, nil
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		all = nil
		for _, id := range waiting {
			first, err := tx.InsertCelebration(actor.ID, id)
			if err != nil {
				return err
			}
			if first {
				all = append(all, shown[id])
			}
		}
		return nil
	})
	return all, err
}

// enter checks that a student may be in a lesson now. Errors: NotFound, Forbidden
// lesson_locked.
func enter(tx *store.Tx, id school.UserID, lesson school.LessonID) (store.Place, error) {
	place, err := tx.FindPlace(id, lesson)
	switch {
	case err != nil:
		return place, err
	case place.Blocked:
		return place, school.ErrNotFound
	case !place.OpenAt(tx.Now):
		return place, school.ErrLessonLocked
	}
	return place, nil
}

// withReason adds to lesson_locked why.
func (d *Desk) withReason(ctx context.Context, id school.UserID, lesson school.LessonID, err error) error {
	if !errors.Is(err, school.ErrLessonLocked) {
		return err
	}
	return cmp.Or(d.store.Read(ctx, func(tx *store.Tx) error {
		_, err := d.lessonView(tx, id, lesson, tx.Now)
		return err
	}), err)
}

// CompleteLesson notes that the actor has completed a lesson; the triggers open
// what follows. Completing twice is completing once. Errors: Conflict
// lesson_not_qualified with what is missing, Forbidden lesson_locked with the
// reason, NotFound.
func (d *Desk) CompleteLesson(ctx context.Context, actor school.Actor, lesson school.LessonID) error {
	if err := actor.May(school.Study); err != nil {
		return err
	}
	if err := d.keepBeats(ctx, actor.ID); err != nil {
		return err
	}
	err := d.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := enter(tx, actor.ID, lesson); err != nil {
			return err
		}
		l, err := tx.FindLessonProgress(actor.ID, lesson)
		if err != nil || l.Completed() {
			return err
		}
		if missing := l.Missing(); len(missing) > 0 {
			return notQualified(missing)
		}
		return completeLesson(tx, actor, actor.ID, lesson)
	})
	return d.withReason(ctx, actor.ID, lesson, err)
}

// Ahead is where a student goes after a lesson.
type Ahead struct {
	Course school.Course
	// Next is the next lesson of the same module; 0 when the module is completed or
	// nothing of it is left: then the course is the place.
	Next school.LessonID
}

// AfterLesson answers where the actor goes from a lesson. Errors: NotFound,
// Forbidden.
func (d *Desk) AfterLesson(ctx context.Context, actor school.Actor, lesson school.LessonID) (a Ahead, err error) {
	if err := actor.May(school.Study); err != nil {
		return a, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		v, err := d.lessonView(tx, actor.ID, lesson, tx.Now)
		if err != nil {
			return err
		}
		a.Course = v.Course
		if next, ok := school.NextLesson([]school.ModuleProgress{v.Module}, v.Now); ok {
			a.Next = next.Lesson.ID
		}
		return nil
	})
	return a, err
}

func completeLesson(tx *store.Tx, actor school.Actor, student school.UserID, lesson school.LessonID) error {
	done, err := tx.InsertLessonCompletion(student, lesson)
	if err != nil || !done {
		return err
	}
	return tx.InsertActivity(actor, school.LessonCompleted, student, lessonDetails(lesson))
}

// notQualified says what is missing: the kinds as fields, what is left of the
// video as parameters.
func notQualified(missing []school.Missing) error {
	e := *school.ErrNotQualified
	e.Fields = map[string]string{}
	for _, m := range missing {
		e.Fields[string(m.Kind)] = "missing_" + string(m.Kind)
		if m.Kind == school.RuleVideo {
			e = *e.With("seconds", strconv.Itoa(m.Seconds)).With("percent", strconv.Itoa(m.Percent))
		}
	}
	return &e
}
