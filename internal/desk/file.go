package desk

import (
	"context"
	"errors"
	"io"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// OpenFile answers a file that the actor may see: a student those of open lessons
// and of their own homework, staff those of all lessons and of their students'
// homework. Errors: Forbidden lesson_locked with the reason, NotFound, Forbidden.
func (d *Desk) OpenFile(ctx context.Context, actor school.Actor, id school.FileID) (f school.File, content io.ReadSeekCloser, err error) {
	var use store.FileUse
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if use, err = tx.FindFileUse(id); err != nil {
			return err
		}
		return maySee(tx, actor, use)
	})
	if err != nil {
		err = d.notingForeign(ctx, actor, use.Owner, err)
		return f, nil, d.withReason(ctx, actor.ID, use.Lesson, err)
	}
	content, err = d.files.Open(id)
	return use.File, content, err
}

func maySee(tx *store.Tx, actor school.Actor, use store.FileUse) error {
	switch {
	case actor.Role.Staff() && use.Owner == "":
		return actor.May(school.ViewStudents)
	case actor.Role.Staff():
		scope, err := actor.Scope(school.ReviewHomework)
		if err != nil {
			return err
		}
		_, err = tx.FindStudentInLesson(scope, use.Owner, use.Lesson)
		return err
	}
	if err := actor.May(school.Study); err != nil {
		return err
	}
	if use.Owner != "" && use.Owner != actor.ID {
		return school.ErrNotFound
	}
	_, err := enter(tx, actor.ID, use.Lesson)
	return err
}

// unusedAfter is how long a file that nothing uses is kept: nobody is still
// sending it.
const unusedAfter = 24 * time.Hour

// SweepFiles deletes the files that nothing uses. It answers how many went.
func (d *Desk) SweepFiles(ctx context.Context) (n int64, err error) {
	before := d.store.Now().Add(-unusedAfter)
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.DeleteUnusedFiles(before)
		return err
	})
	if err != nil {
		return 0, err
	}
	err = d.files.Each(before, func(id school.FileID) error {
		var known bool
		if err := d.store.Look(ctx, func(tx *store.Tx) (err error) {
			known, err = tx.FileExists(id)
			return err
		}); err != nil || known {
			return err
		}
		n++
		return d.files.Delete(id)
	})
	return n, errors.Join(err, ctx.Err())
}
