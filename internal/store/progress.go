package store

import (
	"time"

	"tripwire/internal/school"
)

// ListProgress answers the living modules of a course as one student stood to
// them at a time, in order.
func (tx *Tx) ListProgress(id school.UserID, course school.CourseID, asOf time.Time) ([]school.ModuleProgress, error) {
	modules, err := tx.listModules(course)
	if err != nil {
		return nil, err
	}
	rules, err := tx.ListRules(course)
	if err != nil {
		return nil, err
	}
	facts, err := tx.listModuleFacts(id, course, asOf)
	if err != nil {
		return nil, err
	}
	lessons, err := tx.listLessonFacts(id, course, asOf)
	if err != nil {
		return nil, err
	}
	completed, err := tx.FindCourseCompletion(id, course, asOf)
	if err != nil {
		return nil, err
	}
	progress := make([]school.ModuleProgress, len(modules))
	for i, m := range modules {
		progress[i] = facts[m.ID]
		progress[i].Module = m
		progress[i].Later = !completed.IsZero() && !progress[i].Completed()
		for _, l := range m.Lessons {
			p := lessons[l.ID]
			p.Lesson = l
			progress[i].Lessons = append(progress[i].Lessons, p)
		}
		for _, r := range rules {
			if r.ModuleID == m.ID {
				progress[i].Opens = append(progress[i].Opens, r)
			}
		}
	}
	return progress, nil
}

// FindCourseCompletion answers when a student had completed a course; zero for
// not by then.
func (tx *Tx) FindCourseCompletion(id school.UserID, course school.CourseID, asOf time.Time) (time.Time, error) {
	t, err := one(tx, "SELECT completed_at FROM tripwire_users WHERE user_id = $1 AND course_id = $2 AND completed_at <= $3",
		func(r row) (t time.Time, err error) { return t, r.Scan(at(&t)) }, id, course, asOf)
	if isNotFound(err) {
		err = nil
	}
	return t, err
}

func (tx *Tx) listModuleFacts(id school.UserID, course school.CourseID, asOf time.Time) (map[school.ModuleID]school.ModuleProgress, error) {
	all, err := list(tx, `SELECT m.id, o.unlocked_at, r.event, r.source_module_id, g.reason, granter.full_name, c.completed_at
		FROM modules m
		LEFT JOIN module_unlocks o ON o.module_id = m.id AND o.user_id = $1
		LEFT JOIN unlock_rules r ON r.id = o.rule_id
		LEFT JOIN module_grants g ON g.id = o.grant_id
		LEFT JOIN users granter ON granter.id = g.granted_by
		LEFT JOIN module_completions c ON c.module_id = m.id AND c.user_id = $1 AND c.completed_at <= $3
		WHERE m.course_id = $2`,
		func(r row) (p school.ModuleProgress, err error) {
			err = r.Scan(&p.Module.ID, at(&p.UnlockedAt), text(&p.Cause.Event), integer(&p.Cause.SourceModuleID), text(&p.Cause.Reason),
				text(&p.Cause.GrantedBy), at(&p.CompletedAt))
			if p.Cause.Reason != "" {
				p.Cause.Event = school.EventGranted
			}
			return p, err
		}, id, course, asOf)
	facts := map[school.ModuleID]school.ModuleProgress{}
	for _, p := range all {
		facts[p.Module.ID] = p
	}
	return facts, err
}

// listLessonFacts answers what a student had done in the living lessons of a
// course. What was played is kept as it stands now, so a time before the last
// report knows nothing of it.
func (tx *Tx) listLessonFacts(id school.UserID, course school.CourseID, asOf time.Time) (map[school.LessonID]school.LessonProgress, error) {
	all, err := list(tx, `SELECT l.id, p.opened_at, CASE WHEN p.reported_at <= $3 THEN p.played END, p.position_ms, c.completed_at,
		(SELECT CASE WHEN s.reviewed_at <= $3 THEN s.verdict ELSE 'waiting' END FROM submissions s
			WHERE s.user_id = $1 AND s.lesson_id = l.id AND s.handed_in_at <= $3 ORDER BY s.version DESC LIMIT 1)
		FROM lessons l JOIN modules m ON m.id = l.module_id
		LEFT JOIN lesson_plays p ON p.user_id = $1 AND p.lesson_id = l.id AND p.opened_at <= $3
		LEFT JOIN lesson_completions c ON c.user_id = $1 AND c.lesson_id = l.id AND c.completed_at <= $3
		WHERE m.course_id = $2 AND l.deleted_at IS NULL`,
		func(r row) (l school.LessonProgress, err error) {
			return l, r.Scan(&l.Lesson.ID, at(&l.OpenedAt), playedScanner{&l.Played}, integer(&l.PositionMS), at(&l.CompletedAt), text(&l.Homework))
		}, id, course, asOf)
	facts := map[school.LessonID]school.LessonProgress{}
	for _, l := range all {
		facts[l.Lesson.ID] = l
	}
	return facts, err
}

// ListUnlocked answers what the triggers have opened for a student.
func (tx *Tx) ListUnlocked(id school.UserID) ([]school.ModuleProgress, error) {
	return list(tx, `SELECT m.id, m.position, m.title, o.unlocked_at FROM module_unlocks o JOIN modules m ON m.id = o.module_id
		WHERE o.user_id = $1 ORDER BY m.position, m.id`,
		func(r row) (p school.ModuleProgress, err error) {
			return p, r.Scan(&p.Module.ID, &p.Module.Position, &p.Module.Title, at(&p.UnlockedAt))
		}, id)
}

// InsertGrant opens one module to one student for a reason. Errors: NotFound for
// a module that is not in the student's course.
func (tx *Tx) InsertGrant(id school.UserID, module school.ModuleID, by school.UserID, opens time.Time, reason string) error {
	return touched(tx.exec(`INSERT INTO module_grants (user_id, module_id, granted_by, granted_at, opens_at, reason)
		SELECT t.user_id, m.id, $3, $4, $5, $6 FROM tripwire_users t JOIN modules m ON m.course_id = t.course_id
		WHERE t.user_id = $1 AND m.id = $2 AND m.deleted_at IS NULL AND t.deleted_at IS NULL`,
		id, module, by, tx.Now, opens, reason))
}

// Place is where a lesson stands for one student.
type Place struct {
	Course     school.Course // without its parts
	Lesson     school.Lesson // without its rules
	UnlockedAt time.Time     // of its module; zero: no unlock
	Blocked    bool          // the student may not enter for now
}

// OpenAt reports whether the student may enter the lesson at t.
func (p Place) OpenAt(t time.Time) bool { return !p.UnlockedAt.IsZero() && !p.UnlockedAt.After(t) }

// FindPlace answers a living lesson of a course to which the student is admitted.
// Errors: NotFound.
func (tx *Tx) FindPlace(id school.UserID, lesson school.LessonID) (p Place, err error) {
	return one(tx, "SELECT "+lessonColumns+", "+courseColumns+`, o.unlocked_at, t.blocked_at IS NOT NULL
		FROM lessons l JOIN modules m ON m.id = l.module_id JOIN courses c ON c.id = m.course_id
		JOIN tripwire_users t ON t.course_id = c.id AND t.user_id = $1 AND t.deleted_at IS NULL
		LEFT JOIN module_unlocks o ON o.user_id = $1 AND o.module_id = m.id
		LEFT JOIN lesson_videos v ON v.lesson_id = l.id
		WHERE l.id = $2 AND l.deleted_at IS NULL AND m.deleted_at IS NULL`,
		func(r row) (p Place, err error) {
			c := &p.Course
			p.Lesson, err = scanLesson(r, &c.ID, &c.Slug, &c.Title, &c.Price.Minor, &c.Price.Currency, at(&c.PublishedAt), at(&p.UnlockedAt), &p.Blocked)
			return p, err
		}, id, lesson)
}

// FindLessonProgress answers a living lesson as one student stands to it now, with
// its completion rules. Errors: NotFound.
func (tx *Tx) FindLessonProgress(id school.UserID, lesson school.LessonID) (school.LessonProgress, error) {
	l, err := one(tx, "SELECT "+lessonColumns+`, p.opened_at, p.played, p.position_ms, c.completed_at,
		(SELECT coalesce(s.verdict, 'waiting') FROM submissions s WHERE s.user_id = $1 AND s.lesson_id = l.id ORDER BY s.version DESC LIMIT 1)
		FROM lessons l
		LEFT JOIN lesson_videos v ON v.lesson_id = l.id
		LEFT JOIN lesson_plays p ON p.user_id = $1 AND p.lesson_id = l.id
		LEFT JOIN lesson_completions c ON c.user_id = $1 AND c.lesson_id = l.id
		WHERE l.id = $2 AND l.deleted_at IS NULL`,
		func(r row) (l school.LessonProgress, err error) {
			l.Lesson, err = scanLesson(r, at(&l.OpenedAt), playedScanner{&l.Played}, integer(&l.PositionMS), at(&l.CompletedAt), text(&l.Homework))
			return l, err
		}, id, lesson)
	if err != nil {
		return l, err
	}
	l.Lesson.Rules, err = list(tx, "SELECT kind, percent FROM completion_rules WHERE lesson_id = $1 ORDER BY percent DESC, kind DESC",
		func(r row) (c school.CompletionRule, err error) { return c, r.Scan(text(&c.Kind), &c.Percent) }, lesson)
	return l, err
}

// InsertLessonCompletion notes that a student has completed a lesson; the
// triggers draw the consequences. A lesson completed before stays as it was, and
// done is false.
func (tx *Tx) InsertLessonCompletion(id school.UserID, lesson school.LessonID) (done bool, err error) {
	n, err := tx.exec(`INSERT INTO lesson_completions (user_id, lesson_id, completed_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, lesson_id) DO NOTHING`, id, lesson, tx.Now)
	return n > 0, err
}

// InsertOpening notes that a student has opened a lesson; only the first time
// counts.
func (tx *Tx) InsertOpening(id school.UserID, lesson school.LessonID) error {
	_, err := tx.exec(`INSERT INTO lesson_plays (user_id, lesson_id, opened_at, played, position_ms) VALUES ($1, $2, $3, '', 0)
		ON CONFLICT (user_id, lesson_id) DO NOTHING`, id, lesson, tx.Now)
	return err
}

// Play is what a row keeps of the playing of one lesson.
type Play struct {
	OpenedAt   time.Time
	Played     school.Played
	ReportedAt time.Time // zero: never
}

// FindPlay answers what was played of a lesson. Errors: NotFound for a lesson
// that was never opened.
func (tx *Tx) FindPlay(id school.UserID, lesson school.LessonID) (Play, error) {
	return one(tx, "SELECT opened_at, played, reported_at FROM lesson_plays WHERE user_id = $1 AND lesson_id = $2",
		func(r row) (p Play, err error) {
			return p, r.Scan(at(&p.OpenedAt), playedScanner{&p.Played}, at(&p.ReportedAt))
		}, id, lesson)
}

// playedScanner reads what a row keeps of the playing of a video; NULL is nothing.
type playedScanner struct{ dest *school.Played }

// Scan is sql.Scanner's.
func (s playedScanner) Scan(src any) (err error) {
	var kept string
	if err = text(&kept).Scan(src); err == nil {
		*s.dest, err = school.ParsePlayed(kept)
	}
	return err
}

// UpdatePlay keeps what was played, and where to go on.
func (tx *Tx) UpdatePlay(id school.UserID, lesson school.LessonID, played school.Played, positionMS int64) error {
	return touched(tx.exec("UPDATE lesson_plays SET played = $3, position_ms = $4, reported_at = $5 WHERE user_id = $1 AND lesson_id = $2",
		id, lesson, played.String(), positionMS, tx.Now))
}

// ForgetPlayed forgets what anybody has played of a lesson's video; that they
// have opened the lesson stays.
func (tx *Tx) ForgetPlayed(lesson school.LessonID) error {
	_, err := tx.exec("UPDATE lesson_plays SET played = '', position_ms = 0 WHERE lesson_id = $1 AND played <> ''", lesson)
	return err
}

// InsertCelebration notes that a student has been congratulated on a module. It
// answers false for a module that was celebrated before.
func (tx *Tx) InsertCelebration(id school.UserID, module school.ModuleID) (first bool, err error) {
	n, err := tx.exec(`INSERT INTO celebrations (user_id, module_id, celebrated_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, module_id) DO NOTHING`, id, module, tx.Now)
	return n > 0, err
}

// ListUncelebrated answers the modules that a student has completed since a time
// without having been congratulated.
func (tx *Tx) ListUncelebrated(id school.UserID, since time.Time) ([]school.ModuleID, error) {
	return list(tx, `SELECT c.module_id FROM module_completions c WHERE c.user_id = $1 AND c.completed_at > $2
		AND NOT EXISTS (SELECT 1 FROM celebrations b WHERE b.user_id = c.user_id AND b.module_id = c.module_id)
		ORDER BY c.completed_at, c.id`,
		func(r row) (m school.ModuleID, err error) { return m, r.Scan(&m) }, id, since)
}

// ListEnrolments answers the courses to which a student is admitted and not
// blocked, the oldest first.
func (tx *Tx) ListEnrolments(id school.UserID) ([]school.Course, error) {
	return list(tx, "SELECT "+courseColumns+` FROM tripwire_users t JOIN courses c ON c.id = t.course_id
		WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.blocked_at IS NULL ORDER BY t.granted_at, t.course_id`,
		func(r row) (school.Course, error) { return scanCourse(r) }, id)
}
