package store

import (
	"tripwire/internal/school"
)

// FindDraft answers a student's homework in the making; the zero Draft when
// there is none.
func (tx *Tx) FindDraft(id school.UserID, lesson school.LessonID) (school.Draft, error) {
	d, err := one(tx, "SELECT text, saved_at FROM homework_drafts WHERE user_id = $1 AND lesson_id = $2",
		func(r row) (d school.Draft, err error) { return d, r.Scan(&d.Text, at(&d.SavedAt)) }, id, lesson)
	if err != nil && !isNotFound(err) {
		return d, err
	}
	d.Files, err = list(tx, "SELECT "+fileColumns+` FROM homework_files h JOIN files f ON f.id = h.file_id
		WHERE h.user_id = $1 AND h.lesson_id = $2 AND h.submission_id IS NULL ORDER BY f.created_at, f.id`, scanOneFile, id, lesson)
	return d, err
}

// UpsertDraft keeps the text of a draft.
func (tx *Tx) UpsertDraft(id school.UserID, lesson school.LessonID, text string) error {
	_, err := tx.exec(`INSERT INTO homework_drafts (user_id, lesson_id, text, saved_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, lesson_id) DO UPDATE SET text = excluded.text, saved_at = excluded.saved_at`, id, lesson, text, tx.Now)
	return err
}

// InsertDraftFile lays a file at a student's draft, if there are fewer than most.
// Errors: Invalid too_many_files.
func (tx *Tx) InsertDraftFile(id school.UserID, lesson school.LessonID, f school.FileID, most int) error {
	n, err := tx.exec(`INSERT INTO homework_files (file_id, user_id, lesson_id)
		SELECT $3, $1, $2 WHERE (SELECT count(*) FROM homework_files WHERE user_id = $1 AND lesson_id = $2 AND submission_id IS NULL) < $4`,
		id, lesson, f, most)
	if err == nil && n == 0 {
		err = school.ErrTooManyFiles
	}
	return err
}

// DeleteDraftFile takes a file from a student's draft. Errors: NotFound.
func (tx *Tx) DeleteDraftFile(id school.UserID, lesson school.LessonID, f school.FileID) error {
	return touched(tx.exec("DELETE FROM homework_files WHERE user_id = $1 AND lesson_id = $2 AND file_id = $3 AND submission_id IS NULL", id, lesson, f))
}

// InsertSubmission hands a draft in: its text becomes the next version and its
// files go with it. Errors: Conflict homework_handed_in.
func (tx *Tx) InsertSubmission(id school.UserID, lesson school.LessonID, text string) (school.SubmissionID, error) {
	n, err := one(tx, `INSERT INTO submissions (user_id, lesson_id, version, text, handed_in_at)
		SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4 FROM submissions WHERE user_id = $1 AND lesson_id = $2 RETURNING id`,
		scanInt, id, lesson, text, tx.Now)
	if err != nil {
		return 0, err
	}
	if _, err := tx.exec("UPDATE homework_files SET submission_id = $3 WHERE user_id = $1 AND lesson_id = $2 AND submission_id IS NULL", id, lesson, n); err != nil {
		return 0, err
	}
	_, err = tx.exec("DELETE FROM homework_drafts WHERE user_id = $1 AND lesson_id = $2", id, lesson)
	return school.SubmissionID(n), err
}

const submissionQuery = `SELECT s.id, s.user_id, s.lesson_id, s.version, s.text, s.handed_in_at, coalesce(s.verdict, 'waiting'), s.comment,
	reviewer.full_name, s.reviewed_at, u.full_name, l.title, l.homework
	FROM submissions s JOIN users u ON u.id = s.user_id JOIN lessons l ON l.id = s.lesson_id
	LEFT JOIN users reviewer ON reviewer.id = s.reviewed_by `

func scanSubmission(r row) (s school.Submission, err error) {
	return s, r.Scan(&s.ID, text(&s.UserID), &s.LessonID, &s.Version, &s.Text, at(&s.HandedInAt), text(&s.Verdict), &s.Comment,
		text(&s.ReviewedBy), at(&s.ReviewedAt), &s.StudentName, &s.LessonTitle, &s.Task)
}

// ListSubmissions answers every version of a student's homework in a lesson, the
// newest first.
func (tx *Tx) ListSubmissions(id school.UserID, lesson school.LessonID) ([]school.Submission, error) {
	all, err := list(tx, submissionQuery+"WHERE s.user_id = $1 AND s.lesson_id = $2 ORDER BY s.version DESC", scanSubmission, id, lesson)
	if err != nil {
		return nil, err
	}
	return all, tx.addFiles(all)
}

// addFiles adds to each submission the files that were handed in with it.
func (tx *Tx) addFiles(all []school.Submission) (err error) {
	for i := range all {
		if all[i].Files, err = list(tx, "SELECT "+fileColumns+` FROM homework_files h JOIN files f ON f.id = h.file_id
			WHERE h.user_id = $1 AND h.lesson_id = $2 AND h.submission_id = $3 ORDER BY f.created_at, f.id`,
			scanOneFile, all[i].UserID, all[i].LessonID, all[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// waitingWithin bounds submissions to those that wait for staff with this scope.
func waitingWithin(scope school.Scope) condition {
	var c condition
	c.add("s.verdict IS NULL")
	enrolled := "t.user_id = s.user_id AND t.deleted_at IS NULL AND t.course_id = (SELECT m.course_id FROM modules m JOIN lessons x ON x.module_id = m.id WHERE x.id = s.lesson_id)"
	switch {
	case scope.All:
	case scope.Owner == "":
		enrolled += " AND 1 = 0"
	default:
		enrolled += " AND t.granted_by = " + c.arg(scope.Owner)
	}
	c.add("EXISTS (SELECT 1 FROM tripwire_users t WHERE " + enrolled + ")")
	return c
}

// ListWaiting answers the homework that waits for staff with this scope, the
// oldest first.
func (tx *Tx) ListWaiting(scope school.Scope, limit int) ([]school.Submission, error) {
	c := waitingWithin(scope)
	all, err := list(tx, submissionQuery+c.where()+" ORDER BY s.handed_in_at, s.id LIMIT "+c.arg(limit), scanSubmission, c.args...)
	if err != nil {
		return nil, err
	}
	return all, tx.addFiles(all)
}

// CountWaiting answers how much homework waits for staff with this scope.
func (tx *Tx) CountWaiting(scope school.Scope) (int, error) {
	c := waitingWithin(scope)
	return one(tx, "SELECT count(*) FROM submissions s"+c.where(), scanInt, c.args...)
}

// FindSubmission answers one version of the homework of a student. Errors:
// NotFound.
func (tx *Tx) FindSubmission(id school.SubmissionID) (school.Submission, error) {
	return one(tx, submissionQuery+"WHERE s.id = $1", scanSubmission, id)
}

// ReviewSubmission answers homework that waits. Errors: Conflict
// homework_not_waiting.
func (tx *Tx) ReviewSubmission(id school.SubmissionID, verdict school.HomeworkState, comment string, by school.UserID) error {
	n, err := tx.exec("UPDATE submissions SET verdict = $2, comment = $3, reviewed_by = $4, reviewed_at = $5 WHERE id = $1 AND verdict IS NULL",
		id, verdict, comment, by, tx.Now)
	if err == nil && n == 0 {
		err = school.ErrNotWaiting
	}
	return err
}
