package desk

import (
	"context"
	"slices"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// PreviewCourse answers the course of a student as the student sees it at a time;
// the zero time is now. Nothing is written. Errors: NotFound, Forbidden.
func (d *Desk) PreviewCourse(ctx context.Context, actor school.Actor, id school.UserID, at time.Time) (s school.Student, v CourseView, err error) {
	err = d.preview(ctx, actor, id, at, func(tx *store.Tx, _ school.Scope, found school.Student, at time.Time) error {
		s = found
		course, err := tx.FindCourse(found.CourseID)
		if err != nil {
			return err
		}
		v, err = d.courseView(tx, id, course, at)
		return err
	})
	return s, v, err
}

// PreviewLesson answers a lesson as a student sees it at a time. Nothing is
// written. Errors: NotFound, Forbidden lesson_locked with the reason, Forbidden.
func (d *Desk) PreviewLesson(ctx context.Context, actor school.Actor, id school.UserID, lesson school.LessonID, at time.Time) (s school.Student, v LessonView, err error) {
	err = d.preview(ctx, actor, id, at, func(tx *store.Tx, scope school.Scope, found school.Student, at time.Time) error {
		if s, err = tx.FindStudentInLesson(scope, found.ID, lesson); err != nil {
			return err
		}
		v, err = d.lessonView(tx, id, lesson, at)
		v.Submissions = slices.DeleteFunc(v.Submissions, func(s school.Submission) bool { return s.HandedInAt.After(at) })
		return err
	})
	return s, v, err
}

func (d *Desk) preview(ctx context.Context, actor school.Actor, id school.UserID, at time.Time, fn func(*store.Tx, school.Scope, school.Student, time.Time) error) error {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		s, err := tx.FindStudent(scope, id)
		if err != nil {
			return err
		}
		if at.IsZero() {
			at = tx.Now
		}
		return fn(tx, scope, s, at)
	})
	return d.notingForeign(ctx, actor, id, err)
}
