package store

import "tripwire/internal/school"

// FindLessonContent answers what stands in a living lesson. Errors: NotFound.
func (tx *Tx) FindLessonContent(id school.LessonID) (school.LessonContent, error) {
	c, err := one(tx, "SELECT body, homework FROM lessons WHERE id = $1 AND deleted_at IS NULL",
		func(r row) (c school.LessonContent, err error) { return c, r.Scan(&c.Body, &c.Homework) }, id)
	if err != nil {
		return c, err
	}
	if c.Materials, err = list(tx, "SELECT "+fileColumns+` FROM lesson_materials m JOIN files f ON f.id = m.file_id
		WHERE m.lesson_id = $1 ORDER BY m.position, f.name, f.id`, scanOneFile, id); err != nil {
		return c, err
	}
	c.Captions, err = list(tx, "SELECT k.language, "+fileColumns+` FROM lesson_captions k JOIN files f ON f.id = k.file_id
		WHERE k.lesson_id = $1 ORDER BY k.language`,
		func(r row) (k school.Captions, err error) {
			k.File, err = scanFile(r, text(&k.Language))
			return k, err
		}, id)
	return c, err
}

// UpdateLesson keeps the text of a lesson. Errors: NotFound.
func (tx *Tx) UpdateLesson(id school.LessonID, title string, minutes int, body, homework string) error {
	return touched(tx.exec("UPDATE lessons SET title = $2, minutes = $3, body = $4, homework = $5 WHERE id = $1 AND deleted_at IS NULL",
		id, title, minutes, body, homework))
}

// ReplaceVideo keeps the video of a lesson in place of the one before; the zero
// Video is none.
func (tx *Tx) ReplaceVideo(id school.LessonID, v school.Video) error {
	if _, err := tx.exec("DELETE FROM lesson_videos WHERE lesson_id = $1", id); err != nil || v.Source == "" {
		return err
	}
	_, err := tx.exec("INSERT INTO lesson_videos (lesson_id, source, file_id, address, seconds) VALUES ($1, $2, $3, $4, $5)",
		id, v.Source, nullable(string(v.FileID)), v.Address, v.Seconds)
	return err
}

// ReplaceCompletionRules keeps what completing a lesson takes.
func (tx *Tx) ReplaceCompletionRules(id school.LessonID, rules []school.CompletionRule) error {
	if _, err := tx.exec("DELETE FROM completion_rules WHERE lesson_id = $1", id); err != nil {
		return err
	}
	for _, r := range rules {
		if _, err := tx.exec("INSERT INTO completion_rules (lesson_id, kind, percent) VALUES ($1, $2, $3)", id, r.Kind, r.Percent); err != nil {
			return err
		}
	}
	return nil
}

// InsertMaterial adds a file to a lesson, behind the others.
func (tx *Tx) InsertMaterial(id school.LessonID, f school.FileID) error {
	_, err := tx.exec(`INSERT INTO lesson_materials (file_id, lesson_id, position)
		SELECT $2, $1, coalesce(max(position), 0) + 1 FROM lesson_materials WHERE lesson_id = $1`, id, f)
	return err
}

// DeleteLessonFile takes a material or captions from a lesson. Errors: NotFound.
func (tx *Tx) DeleteLessonFile(id school.LessonID, f school.FileID) error {
	n, err := tx.exec("DELETE FROM lesson_materials WHERE lesson_id = $1 AND file_id = $2", id, f)
	if err != nil || n > 0 {
		return err
	}
	return touched(tx.exec("DELETE FROM lesson_captions WHERE lesson_id = $1 AND file_id = $2", id, f))
}

// FindVideo answers the video of a lesson; the zero Video when it has none.
func (tx *Tx) FindVideo(id school.LessonID) (school.Video, error) {
	v, err := one(tx, "SELECT source, file_id, address, seconds FROM lesson_videos WHERE lesson_id = $1",
		func(r row) (v school.Video, err error) {
			return v, r.Scan(text(&v.Source), text(&v.FileID), &v.Address, &v.Seconds)
		}, id)
	if isNotFound(err) {
		err = nil
	}
	return v, err
}

// FindCourseOfLesson answers the course in which a living lesson stands. Errors:
// NotFound.
func (tx *Tx) FindCourseOfLesson(id school.LessonID) (school.CourseID, error) {
	return one(tx, `SELECT m.course_id FROM lessons l JOIN modules m ON m.id = l.module_id
		WHERE l.id = $1 AND l.deleted_at IS NULL AND m.deleted_at IS NULL`,
		func(r row) (c school.CourseID, err error) { return c, r.Scan(&c) }, id)
}

// ReplaceCaptions keeps the captions of a lesson in one language; an empty file
// is none.
func (tx *Tx) ReplaceCaptions(id school.LessonID, l school.Language, f school.FileID) error {
	if _, err := tx.exec("DELETE FROM lesson_captions WHERE lesson_id = $1 AND language = $2", id, l); err != nil || f == "" {
		return err
	}
	_, err := tx.exec("INSERT INTO lesson_captions (lesson_id, language, file_id) VALUES ($1, $2, $3)", id, l, f)
	return err
}
