package desk

import (
	"context"
	"strconv"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// CourseView is a course as its student sees it.
type CourseView struct {
	Course  school.Course
	Student school.Student
	Modules []school.ModuleProgress
}

// MyCourse answers the actor's own course. It takes no id: there is no way to
// ask for another's. Errors: NotFound, Forbidden.
func (d *Desk) MyCourse(ctx context.Context, actor school.Actor) (v CourseView, err error) {
	if err := actor.May(school.Study); err != nil {
		return v, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if v.Student, err = tx.FindStudent(school.Scope{All: true}, actor.ID); err != nil {
			return err
		}
		if v.Course, err = tx.FindCourse(v.Student.CourseID); err != nil {
			return err
		}
		v.Modules, err = tx.ListProgress(actor.ID, v.Student.CourseID)
		return err
	})
	return v, err
}

// CompleteLesson notes that the actor has completed a lesson; the triggers open
// what follows. Completing twice is completing once. Errors: Forbidden
// lesson_locked, NotFound.
func (d *Desk) CompleteLesson(ctx context.Context, actor school.Actor, lesson school.LessonID) error {
	if err := actor.May(school.Study); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.InsertLessonCompletion(actor.ID, lesson)
		if err != nil || !done {
			return err
		}
		return tx.InsertActivity(actor, school.LessonCompleted, actor.ID, map[string]string{"lesson": strconv.FormatInt(int64(lesson), 10)})
	})
}
