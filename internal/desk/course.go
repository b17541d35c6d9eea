package desk

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// CreateCourse adds a course and publishes it. Errors: Conflict
// module_unreachable for a course with a module that no rule opens, Forbidden.
func (d *Desk) CreateCourse(ctx context.Context, actor school.Actor, c school.Course) error {
	if err := actor.May(school.ManageSchool); err != nil {
		return err
	}
	if err := c.CheckReachable(); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		return createCourse(tx, actor, c)
	})
}

func createCourse(tx *store.Tx, actor school.Actor, c school.Course) error {
	c.PublishedAt = tx.Now
	if _, err := tx.InsertCourse(c); err != nil {
		return err
	}
	return tx.InsertActivity(actor, school.CourseCreated, "", map[string]string{"course": c.Title})
}

// defaultCourse is the course of a fresh school: ordinary data, edited and
// deleted like any other.
//
//go:embed default_course.json
var defaultCourse []byte

// PrepareSchool gives the database the days of the school's zone, and a school
// without any course the default one. It is safe to
// call at every start, from several servers at once. Errors: ErrOtherKey.
func (d *Desk) PrepareSchool(ctx context.Context) error {
	var c school.Course
	if err := json.Unmarshal(defaultCourse, &c); err != nil {
		return fmt.Errorf("the default course: %w", err)
	}
	if err := c.CheckReachable(); err != nil {
		return fmt.Errorf("the default course: %w", err)
	}
	return d.aligning(ctx, func(tx *store.Tx) error {
		if err := d.checkKey(tx); err != nil {
			return err
		}
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		if _, err := alignZone(tx, settings.Location()); err != nil {
			return err
		}
		n, err := tx.CountCourses()
		if err != nil || n > 0 {
			return err
		}
		return createCourse(tx, school.System(), c)
	})
}

// CourseOnSale answers the course that new students enter, with its modules.
// Errors: Conflict no_course, Forbidden.
func (d *Desk) CourseOnSale(ctx context.Context, actor school.Actor) (c school.Course, err error) {
	if err := actor.May(school.CreateStudents); err != nil {
		return c, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if c, _, err = tx.FindCourseOnSale(); err != nil {
			return err
		}
		c, err = tx.FindCourse(c.ID)
		return err
	})
	return c, err
}
