package desk

import (
	"context"
	"io"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// LessonSheet is a lesson as its editor sees it.
type LessonSheet struct {
	Course  school.Course
	Lesson  school.Lesson
	Content school.LessonContent
}

// Courses answers every course with its modules and lessons. Errors: Forbidden.
func (d *Desk) Courses(ctx context.Context, actor school.Actor) (all []school.Course, err error) {
	if err := actor.May(school.EditCourses); err != nil {
		return nil, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		ids, err := tx.ListCourseIDs()
		if err != nil {
			return err
		}
		all = make([]school.Course, len(ids))
		for i, id := range ids {
			if all[i], err = tx.FindCourse(id); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// LessonSheet answers a lesson for its editor. Errors: NotFound, Forbidden.
func (d *Desk) LessonSheet(ctx context.Context, actor school.Actor, id school.LessonID) (s LessonSheet, err error) {
	if err := actor.May(school.EditCourses); err != nil {
		return s, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		course, err := tx.FindCourseOfLesson(id)
		if err != nil {
			return err
		}
		if s.Course, err = tx.FindCourse(course); err != nil {
			return err
		}
		for _, m := range s.Course.Modules {
			for _, l := range m.Lessons {
				if l.ID == id {
					s.Lesson = l
				}
			}
		}
		if s.Lesson.ID == 0 {
			return school.ErrNotFound
		}
		s.Content, err = tx.FindLessonContent(id)
		return err
	})
	return s, err
}

// EditLesson keeps text, video and completion rules of a lesson. What students
// have completed stays completed. Errors: Invalid with the faulty fields,
// NotFound, Forbidden.
func (d *Desk) EditLesson(ctx context.Context, actor school.Actor, id school.LessonID, f school.LessonForm) error {
	return d.editLesson(ctx, actor, id, func(tx *store.Tx) error {
		now, err := tx.FindVideo(id)
		if err != nil {
			return err
		}
		e, err := school.NewLessonEdit(f, now)
		if err != nil {
			return err
		}
		if err := tx.UpdateLesson(id, e.Title, e.Minutes, e.Body, e.Homework); err != nil {
			return err
		}
		if err := replaceVideo(tx, id, e.Video); err != nil {
			return err
		}
		return tx.ReplaceCompletionRules(id, e.Rules)
	})
}

func (d *Desk) editLesson(ctx context.Context, actor school.Actor, id school.LessonID, fn func(*store.Tx) error) error {
	if err := actor.May(school.EditCourses); err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.FindCourseOfLesson(id); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		return tx.InsertActivity(actor, school.LessonEdited, "", lessonDetails(id))
	})
}

// AddVideo keeps a file as the video of a lesson. Its length is read from the
// file; where it does not say, seconds is believed, 0 being not known. Errors:
// Invalid file_type, file_too_large, file_empty, rule_needs_length; Unavailable
// disk_full; NotFound; Forbidden.
func (d *Desk) AddVideo(ctx context.Context, actor school.Actor, id school.LessonID, name string, r io.Reader, seconds int) error {
	return d.addLessonFile(ctx, actor, id, name, r, school.UploadVideo, func(tx *store.Tx, f school.FileID) error {
		length, err := d.files.VideoSeconds(f)
		if err != nil {
			return err
		}
		if length == 0 {
			length = min(max(seconds, 0), school.MaxVideoSeconds)
		}
		l, err := tx.FindLessonProgress("", id)
		if err != nil {
			return err
		}
		for _, rule := range l.Lesson.Rules {
			if rule.Kind == school.RuleVideo && length == 0 {
				return school.ErrRuleNeedsLength
			}
		}
		return replaceVideo(tx, id, school.Video{Source: school.VideoFile, FileID: f, Seconds: length})
	})
}

// replaceVideo keeps another video in the place of one before. What was played of
// that one is nothing of this one.
func replaceVideo(tx *store.Tx, id school.LessonID, v school.Video) error {
	old, err := tx.FindVideo(id)
	if err != nil {
		return err
	}
	if err := tx.ReplaceVideo(id, v); err != nil || old.FileID == v.FileID && old.Address == v.Address {
		return err
	}
	return tx.ForgetPlayed(id)
}

// AddMaterial keeps a file for the students of a lesson to download. Errors: as
// AddVideo.
func (d *Desk) AddMaterial(ctx context.Context, actor school.Actor, id school.LessonID, name string, r io.Reader) error {
	return d.addLessonFile(ctx, actor, id, name, r, school.UploadMaterial, func(tx *store.Tx, f school.FileID) error {
		return tx.InsertMaterial(id, f)
	})
}

// AddCaptions keeps the captions of a lesson's video in one language, as WebVTT.
// Errors: as AddVideo.
func (d *Desk) AddCaptions(ctx context.Context, actor school.Actor, id school.LessonID, l school.Language, name string, r io.Reader) error {
	return d.addLessonFile(ctx, actor, id, name, r, school.UploadCaptions, func(tx *store.Tx, f school.FileID) error {
		return tx.ReplaceCaptions(id, l, f)
	})
}

func (d *Desk) addLessonFile(ctx context.Context, actor school.Actor, id school.LessonID, name string, r io.Reader, want school.Upload, use func(*store.Tx, school.FileID) error) error {
	if err := actor.May(school.EditCourses); err != nil { // before anything is sent
		return err
	}
	_, err := d.keepFile(ctx, actor, name, r, want, func(f school.File) error {
		return d.editLesson(ctx, actor, id, func(tx *store.Tx) error {
			if err := tx.InsertFile(f, actor.ID); err != nil {
				return err
			}
			return use(tx, f.ID)
		})
	})
	return err
}

// RemoveLessonFile takes a material or captions from a lesson. Errors: NotFound,
// Forbidden.
func (d *Desk) RemoveLessonFile(ctx context.Context, actor school.Actor, id school.LessonID, f school.FileID) error {
	return d.editLesson(ctx, actor, id, func(tx *store.Tx) error { return tx.DeleteLessonFile(id, f) })
}
