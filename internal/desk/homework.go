package desk

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// homework runs fn on the actor's homework of a lesson that is open, has homework
// and is neither waiting nor accepted.
func (d *Desk) homework(ctx context.Context, actor school.Actor, lesson school.LessonID, fn func(*store.Tx) error) error {
	if err := actor.May(school.Study); err != nil {
		return err
	}
	err := d.store.Write(ctx, func(tx *store.Tx) error {
		if err := mayWriteHomework(tx, actor.ID, lesson); err != nil {
			return err
		}
		return fn(tx)
	})
	return d.withReason(ctx, actor.ID, lesson, err)
}

func mayWriteHomework(tx *store.Tx, id school.UserID, lesson school.LessonID) error {
	if _, err := enter(tx, id, lesson); err != nil {
		return err
	}
	content, err := tx.FindLessonContent(lesson)
	if err != nil {
		return err
	}
	if content.Homework == "" {
		return school.ErrNoHomework
	}
	l, err := tx.FindLessonProgress(id, lesson)
	if err == nil && (l.Homework == school.HomeworkWaiting || l.Homework == school.HomeworkAccepted) {
		err = school.ErrHandedIn
	}
	return err
}

// SaveDraft keeps the text of the actor's homework. Errors: Invalid with the
// field, Conflict homework_handed_in or no_homework, Forbidden lesson_locked,
// NotFound.
func (d *Desk) SaveDraft(ctx context.Context, actor school.Actor, lesson school.LessonID, typed string) error {
	text, err := homeworkText(typed)
	if err != nil {
		return err
	}
	return d.homework(ctx, actor, lesson, func(tx *store.Tx) error { return tx.UpsertDraft(actor.ID, lesson, text) })
}

func homeworkText(typed string) (string, error) {
	faults := school.Faults{}
	text, err := school.NewHomeworkText(typed)
	faults.Add("text", err)
	return text, faults.Err()
}

// AddDraftFile lays a file at the actor's homework. Errors: as SaveDraft, and
// Invalid file_type, file_too_large, file_empty, too_many_files; Unavailable
// disk_full.
func (d *Desk) AddDraftFile(ctx context.Context, actor school.Actor, lesson school.LessonID, name string, r io.Reader) (f school.File, err error) {
	if err := d.homework(ctx, actor, lesson, func(tx *store.Tx) error { // before anything is sent
		draft, err := tx.FindDraft(actor.ID, lesson)
		if err == nil && len(draft.Files) >= school.MaxHomeworkFiles {
			err = school.ErrTooManyFiles
		}
		return err
	}); err != nil {
		return f, err
	}
	return d.keepFile(ctx, actor, name, r, school.UploadHomework, func(f school.File) error {
		return d.homework(ctx, actor, lesson, func(tx *store.Tx) error {
			if err := tx.InsertFile(f, actor.ID); err != nil {
				return err
			}
			return tx.InsertDraftFile(actor.ID, lesson, f.ID, school.MaxHomeworkFiles)
		})
	})
}

// keepFile keeps the contents first and the rows after them: a file without a row
// is swept away, a row without a file would be a promise broken.
func (d *Desk) keepFile(ctx context.Context, actor school.Actor, name string, r io.Reader, want school.Upload, rows func(school.File) error) (school.File, error) {
	f, err := d.files.Put(ctx, r, name, want)
	if err != nil {
		return f, err
	}
	err = rows(f)
	if kind := school.KindOf(err); err != nil && kind != school.Internal && kind != school.Unavailable {
		return f, errors.Join(err, d.files.Delete(f.ID)) // refused: there is no row; after any other error there may be
	}
	return f, err
}

// RemoveDraftFile takes a file from the actor's homework. Errors: as SaveDraft.
func (d *Desk) RemoveDraftFile(ctx context.Context, actor school.Actor, lesson school.LessonID, f school.FileID) error {
	return d.homework(ctx, actor, lesson, func(tx *store.Tx) error {
		if err := tx.DeleteDraftFile(actor.ID, lesson, f); err != nil {
			return err
		}
		tx.AfterCommit(func() { _ = d.files.Delete(f) }) // what is left of it is swept
		return tx.DeleteFile(f)
	})
}

// HandIn hands the actor's homework in: this text, with the files of the draft.
// Errors: as SaveDraft, and Invalid homework_empty.
func (d *Desk) HandIn(ctx context.Context, actor school.Actor, lesson school.LessonID, typed string) error {
	text, err := homeworkText(typed)
	if err != nil {
		return err
	}
	return d.homework(ctx, actor, lesson, func(tx *store.Tx) error {
		draft, err := tx.FindDraft(actor.ID, lesson)
		if err != nil {
			return err
		}
		if text == "" && len(draft.Files) == 0 {
			return school.ErrHomeworkEmpty
		}
		if _, err := tx.InsertSubmission(actor.ID, lesson, text); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.HandedIn, actor.ID, lessonDetails(lesson))
	})
}

func lessonDetails(lesson school.LessonID) map[string]string {
	return map[string]string{"lesson": strconv.FormatInt(int64(lesson), 10)}
}

// Queue is the homework that waits for the actor.
type Queue struct {
	Waiting []school.Submission // the oldest first
	Total   int
}

// maxQueue is how much of the queue a page shows.
const maxQueue = 20

// Homework answers what waits for the actor, the oldest first. Errors: Forbidden.
func (d *Desk) Homework(ctx context.Context, actor school.Actor) (q Queue, err error) {
	scope, err := actor.Scope(school.ReviewHomework)
	if err != nil {
		return q, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if q.Waiting, err = tx.ListWaiting(scope, maxQueue); err != nil {
			return err
		}
		for i, s := range q.Waiting {
			if s.Version == 1 {
				continue
			}
			all, err := tx.ListSubmissions(s.UserID, s.LessonID)
			if err != nil {
				return err
			}
			q.Waiting[i].Earlier = slices.DeleteFunc(all, func(other school.Submission) bool { return other.Version >= s.Version })
		}
		q.Total, err = tx.CountWaiting(scope)
		return err
	})
	return q, err
}

// ReviewHomework accepts homework or returns it with a comment. Accepting
// completes a lesson of which nothing else is missing. Errors: Invalid with the
// field, Conflict homework_not_waiting, NotFound, Forbidden.
func (d *Desk) ReviewHomework(ctx context.Context, actor school.Actor, id school.SubmissionID, verdict school.HomeworkState, typed string) error {
	scope, err := actor.Scope(school.ReviewHomework)
	if err != nil {
		return err
	}
	faults := school.Faults{}
	comment, err := school.NewComment(typed)
	faults.Add("comment", err)
	if verdict != school.HomeworkAccepted && verdict != school.HomeworkReturned {
		faults.Add("verdict", school.ErrInvalidInput)
	}
	if verdict == school.HomeworkReturned && comment == "" {
		faults.Add("comment", school.ErrCommentRequired)
	}
	if err := faults.Err(); err != nil {
		return err
	}
	var s school.Submission
	if err := d.store.Look(ctx, func(tx *store.Tx) error {
		s, err = tx.FindSubmission(id)
		return err
	}); err != nil {
		return err
	}
	if err := d.keepBeats(ctx, s.UserID); err != nil { // accepting may complete the lesson
		return err
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		s, err := tx.FindSubmission(id)
		if err != nil {
			return err
		}
		if _, err := tx.FindStudentInLesson(scope, s.UserID, s.LessonID); err != nil {
			return err
		}
		if err := tx.ReviewSubmission(id, verdict, comment, actor.ID); err != nil {
			return err
		}
		action := school.WorkReturned
		if verdict == school.HomeworkAccepted {
			action = school.WorkAccepted
		}
		if err := tx.InsertActivity(actor, action, s.UserID, lessonDetails(s.LessonID)); err != nil {
			return err
		}
		if verdict == school.HomeworkAccepted {
			return completeIfAsked(tx, actor, s.UserID, s.LessonID)
		}
		return nil
	})
	return d.notingForeign(ctx, actor, s.UserID, err)
}

// completeIfAsked completes a lesson that waited for nothing but its homework to
// be accepted: its student need not come back to press a button.
func completeIfAsked(tx *store.Tx, actor school.Actor, student school.UserID, lesson school.LessonID) error {
	l, err := tx.FindLessonProgress(student, lesson)
	if err != nil || l.Completed() || len(l.Missing()) > 0 {
		return err
	}
	asked := false
	for _, r := range l.Lesson.Rules {
		if r.Kind == school.RuleMarked { // the student's own word
			return nil
		}
		asked = asked || r.Kind == school.RuleAccepted
	}
	if !asked {
		return nil
	}
	return completeLesson(tx, actor, student, lesson)
}
