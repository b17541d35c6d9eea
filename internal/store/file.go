package store

import (
	"time"

	"tripwire/internal/school"
)

const fileColumns = "f.id, f.name, f.media_type, f.size, f.sha256, f.created_at"

// scanFile reads the columns of a file behind those that stand first.
func scanFile(r row, first ...any) (f school.File, err error) {
	return f, r.Scan(append(first, text(&f.ID), &f.Name, &f.MediaType, &f.Size, &f.SHA256, at(&f.CreatedAt))...)
}

func scanOneFile(r row) (school.File, error) { return scanFile(r) }

// InsertFile notes a file that is kept.
func (tx *Tx) InsertFile(f school.File, by school.UserID) error {
	_, err := tx.exec("INSERT INTO files (id, name, media_type, size, sha256, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		f.ID, f.Name, f.MediaType, f.Size, f.SHA256, tx.Now, by)
	return err
}

// FileUse is a file and what it is for: a lesson's, or a student's homework in a
// lesson.
type FileUse struct {
	File   school.File
	Lesson school.LessonID
	Owner  school.UserID // of homework
}

// FindFileUse answers a file that is in use. Errors: NotFound.
func (tx *Tx) FindFileUse(id school.FileID) (FileUse, error) {
	return one(tx, "SELECT coalesce(v.lesson_id, m.lesson_id, k.lesson_id, h.lesson_id), h.user_id, "+fileColumns+` FROM files f
		LEFT JOIN lesson_videos v ON v.file_id = f.id
		LEFT JOIN lesson_materials m ON m.file_id = f.id
		LEFT JOIN lesson_captions k ON k.file_id = f.id
		LEFT JOIN homework_files h ON h.file_id = f.id
		WHERE f.id = $1 AND coalesce(v.lesson_id, m.lesson_id, k.lesson_id, h.lesson_id) IS NOT NULL`,
		func(r row) (u FileUse, err error) {
			u.File, err = scanFile(r, integer(&u.Lesson), text(&u.Owner))
			return u, err
		}, id)
}

// DeleteUnusedFiles forgets files that nothing uses and that are older than
// before. It answers their ids, so that the contents can follow.
func (tx *Tx) DeleteUnusedFiles(before time.Time) ([]school.FileID, error) {
	return list(tx, `DELETE FROM files WHERE created_at < $1
		AND NOT EXISTS (SELECT 1 FROM lesson_videos v WHERE v.file_id = files.id)
		AND NOT EXISTS (SELECT 1 FROM lesson_materials m WHERE m.file_id = files.id)
		AND NOT EXISTS (SELECT 1 FROM lesson_captions k WHERE k.file_id = files.id)
		AND NOT EXISTS (SELECT 1 FROM homework_files h WHERE h.file_id = files.id)
		RETURNING id`,
		func(r row) (id school.FileID, err error) { return id, r.Scan(text(&id)) }, before)
}

// DeleteFile forgets a file that nothing uses.
func (tx *Tx) DeleteFile(id school.FileID) error {
	_, err := tx.exec("DELETE FROM files WHERE id = $1", id)
	return err
}

// FileExists reports whether a row tells of the file.
func (tx *Tx) FileExists(id school.FileID) (bool, error) {
	n, err := one(tx, "SELECT count(*) FROM files WHERE id = $1", scanInt, id)
	return n > 0, err
}
