package store

import (
	"tripwire/internal/school"
)

const courseColumns = "c.id, c.slug, c.title, c.price_minor, c.currency, c.published_at"

// scanCourse reads the columns of a course behind those that stand first.
func scanCourse(r row, first ...any) (c school.Course, err error) {
	return c, r.Scan(append(first, &c.ID, &c.Slug, &c.Title, &c.Price.Minor, &c.Price.Currency, at(&c.PublishedAt))...)
}

// FindCourseOnSale answers the published course that new students enter, which
// is the one published first, and the settings of the school, which say on which
// terms. Errors: Conflict no_course.
func (tx *Tx) FindCourseOnSale() (c school.Course, s school.Settings, err error) {
	c, err = one(tx, "SELECT "+settingsColumns+", "+courseColumns+" FROM courses c CROSS JOIN "+settingsTables+`
		WHERE c.published_at IS NOT NULL ORDER BY c.published_at, c.id LIMIT 1`,
		func(r row) (school.Course, error) { return scanCourse(r, scanSettings(&s)...) })
	if isNotFound(err) {
		err = school.ErrNoCourse
	}
	return c, s, err
}

// FindCourse answers a course with its living modules, lessons and rules.
// Errors: NotFound.
func (tx *Tx) FindCourse(id school.CourseID) (school.Course, error) {
	c, err := one(tx, "SELECT "+courseColumns+" FROM courses c WHERE c.id = $1",
		func(r row) (school.Course, error) { return scanCourse(r) }, id)
	if err != nil {
		return c, err
	}
	if c.Modules, err = tx.listModules(id); err != nil {
		return c, err
	}
	c.Rules, err = tx.ListRules(id)
	return c, err
}

func (tx *Tx) listModules(id school.CourseID) ([]school.Module, error) {
	modules, err := list(tx, `SELECT id, course_id, position, title, summary FROM modules
		WHERE course_id = $1 AND deleted_at IS NULL ORDER BY position, id`,
		func(r row) (m school.Module, err error) {
			return m, r.Scan(&m.ID, &m.CourseID, &m.Position, &m.Title, &m.Summary)
		}, id)
	if err != nil {
		return nil, err
	}
	lessons, err := tx.listLessons(id)
	for i := range modules {
		for _, l := range lessons {
			if l.ModuleID == modules[i].ID {
				modules[i].Lessons = append(modules[i].Lessons, l)
			}
		}
	}
	return modules, err
}

// ListRules answers the live unlock rules of a course.
func (tx *Tx) ListRules(id school.CourseID) ([]school.UnlockRule, error) {
	return list(tx, `SELECT id, module_id, event, source_module_id, delay_minutes, not_before FROM unlock_rules
		WHERE course_id = $1 AND retired_at IS NULL ORDER BY id`,
		func(r row) (u school.UnlockRule, err error) {
			return u, r.Scan(&u.ID, &u.ModuleID, text(&u.Event), integer(&u.SourceModuleID), &u.DelayMinutes, at(&u.NotBefore))
		}, id)
}

// ListCourseIDs answers every course, the oldest first.
func (tx *Tx) ListCourseIDs() ([]school.CourseID, error) {
	return list(tx, "SELECT id FROM courses ORDER BY id", func(r row) (c school.CourseID, err error) { return c, r.Scan(&c) })
}

// CountCourses answers how many courses there are.
func (tx *Tx) CountCourses() (int, error) { return one(tx, "SELECT count(*) FROM courses", scanInt) }

// InsertCourse adds a course with its modules, lessons and rules, under the ids
// that they bring, and answers its id. Ids given later by the database are
// larger.
func (tx *Tx) InsertCourse(c school.Course) (school.CourseID, error) {
	id, err := one(tx, `INSERT INTO courses (slug, title, price_minor, currency, created_at, published_at)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`, scanInt, c.Slug, c.Title, c.Price.Minor, c.Price.Currency, tx.Now, c.PublishedAt)
	if err != nil {
		return 0, err
	}
	for _, m := range c.Modules {
		if _, err := tx.exec("INSERT INTO modules (id, course_id, position, title, summary) VALUES ($1, $2, $3, $4, $5)",
			m.ID, id, m.Position, m.Title, m.Summary); err != nil {
			return 0, err
		}
		for _, l := range m.Lessons {
			if _, err := tx.exec("INSERT INTO lessons (id, module_id, position, title, minutes, required) VALUES ($1, $2, $3, $4, $5, $6)",
				l.ID, m.ID, l.Position, l.Title, l.Minutes, l.Required); err != nil {
				return 0, err
			}
		}
	}
	for _, r := range c.Rules {
		if err := tx.InsertRule(school.CourseID(id), r); err != nil {
			return 0, err
		}
	}
	for _, table := range []string{"modules", "lessons"} {
		if err := tx.engine.advanceIdentity(tx.ctx, tx.q, table); err != nil {
			return 0, err
		}
	}
	return school.CourseID(id), nil
}

// InsertRule adds an unlock rule. The triggers follow it from the next fact on;
// for facts of before, the enrolments have to be rechecked, with tripwire_users
// locked (docs/adr/0009).
func (tx *Tx) InsertRule(id school.CourseID, r school.UnlockRule) error {
	_, err := tx.exec(`INSERT INTO unlock_rules (course_id, module_id, event, source_module_id, delay_minutes, not_before)
		VALUES ($1, $2, $3, $4, $5, $6)`, id, r.ModuleID, r.Event, r.SourceModuleID, r.DelayMinutes, r.NotBefore)
	return err
}

// scanLesson reads the columns of a lesson and of its video.
func scanLesson(r row, more ...any) (l school.Lesson, err error) {
	return l, r.Scan(append([]any{
		&l.ID, &l.ModuleID, &l.Position, &l.Title, &l.Minutes, &l.Required,
		text(&l.Video.Source), text(&l.Video.FileID), text(&l.Video.Address), integer(&l.Video.Seconds),
	}, more...)...)
}

const lessonColumns = `l.id, l.module_id, l.position, l.title, l.minutes, l.required, v.source, v.file_id, v.address, v.seconds`

// listLessons answers the living lessons of a course with their videos and
// completion rules.
func (tx *Tx) listLessons(id school.CourseID) ([]school.Lesson, error) {
	lessons, err := list(tx, "SELECT "+lessonColumns+` FROM lessons l JOIN modules m ON m.id = l.module_id
		LEFT JOIN lesson_videos v ON v.lesson_id = l.id
		WHERE m.course_id = $1 AND l.deleted_at IS NULL ORDER BY l.module_id, l.position, l.id`,
		func(r row) (school.Lesson, error) { return scanLesson(r) }, id)
	if err != nil {
		return nil, err
	}
	type rule struct {
		lesson school.LessonID
		school.CompletionRule
	}
	rules, err := list(tx, `SELECT r.lesson_id, r.kind, r.percent FROM completion_rules r
		JOIN lessons l ON l.id = r.lesson_id JOIN modules m ON m.id = l.module_id
		WHERE m.course_id = $1 ORDER BY r.lesson_id, r.percent DESC, r.kind DESC`,
		func(r row) (c rule, err error) { return c, r.Scan(&c.lesson, text(&c.Kind), &c.Percent) }, id)
	for i := range lessons {
		for _, r := range rules {
			if r.lesson == lessons[i].ID {
				lessons[i].Rules = append(lessons[i].Rules, r.CompletionRule)
			}
		}
	}
	return lessons, err
}

// FindModuleTitle answers the title of a module of the course. Errors: NotFound.
func (tx *Tx) FindModuleTitle(course school.CourseID, id school.ModuleID) (string, error) {
	return one(tx, "SELECT title FROM modules WHERE course_id = $1 AND id = $2",
		func(r row) (title string, err error) { return title, r.Scan(&title) }, course, id)
}
