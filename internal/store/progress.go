package store

import (
	"time"

	"tripwire/internal/school"
)

// ListProgress answers the living modules of a course as one student stands to
// them, in order.
func (tx *Tx) ListProgress(id school.UserID, course school.CourseID) ([]school.ModuleProgress, error) {
	modules, err := tx.listModules(course)
	if err != nil {
		return nil, err
	}
	rules, err := tx.ListRules(course)
	if err != nil {
		return nil, err
	}
	facts, err := tx.listModuleFacts(id, course)
	if err != nil {
		return nil, err
	}
	progress := make([]school.ModuleProgress, len(modules))
	for i, m := range modules {
		progress[i] = facts[m.ID]
		progress[i].Module = m
		for _, r := range rules {
			if r.ModuleID == m.ID {
				progress[i].Opens = append(progress[i].Opens, r)
			}
		}
	}
	return progress, nil
}

func (tx *Tx) listModuleFacts(id school.UserID, course school.CourseID) (map[school.ModuleID]school.ModuleProgress, error) {
	all, err := list(tx, `SELECT m.id, o.unlocked_at, r.event, r.source_module_id, g.reason, granter.full_name, c.completed_at,
		(SELECT count(*) FROM lesson_completions lc JOIN lessons l ON l.id = lc.lesson_id
			WHERE lc.user_id = $1 AND l.module_id = m.id AND l.deleted_at IS NULL)
		FROM modules m
		LEFT JOIN module_unlocks o ON o.module_id = m.id AND o.user_id = $1
		LEFT JOIN unlock_rules r ON r.id = o.rule_id
		LEFT JOIN module_grants g ON g.id = o.grant_id
		LEFT JOIN users granter ON granter.id = g.granted_by
		LEFT JOIN module_completions c ON c.module_id = m.id AND c.user_id = $1
		WHERE m.course_id = $2`,
		func(r row) (p school.ModuleProgress, err error) {
			err = r.Scan(&p.Module.ID, at(&p.UnlockedAt), text(&p.Cause.Event), integer(&p.Cause.SourceModuleID), text(&p.Cause.Reason),
				text(&p.Cause.GrantedBy), at(&p.CompletedAt), &p.LessonsDone)
			if p.Cause.Reason != "" {
				p.Cause.Event = school.EventGranted
			}
			return p, err
		}, id, course)
	facts := map[school.ModuleID]school.ModuleProgress{}
	for _, p := range all {
		facts[p.Module.ID] = p
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

// InsertLessonCompletion notes that a student has completed a lesson of an open
// module; the triggers draw the consequences. A lesson completed before stays as
// it was, and done is false. Errors: Forbidden lesson_locked, NotFound.
func (tx *Tx) InsertLessonCompletion(id school.UserID, lesson school.LessonID) (done bool, err error) {
	open, err := one(tx, `SELECT EXISTS (SELECT 1 FROM module_unlocks o WHERE o.user_id = $1 AND o.module_id = l.module_id AND o.unlocked_at <= $3)
		FROM lessons l JOIN modules m ON m.id = l.module_id JOIN tripwire_users t ON t.course_id = m.course_id
		WHERE l.id = $2 AND l.deleted_at IS NULL AND m.deleted_at IS NULL
		AND t.user_id = $1 AND t.deleted_at IS NULL AND t.blocked_at IS NULL`,
		func(r row) (open bool, err error) { return open, r.Scan(&open) }, id, lesson, tx.Now)
	if err != nil {
		return false, err
	}
	if !open {
		return false, school.ErrLessonLocked
	}
	n, err := tx.exec(`INSERT INTO lesson_completions (user_id, lesson_id, completed_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, lesson_id) DO NOTHING`, id, lesson, tx.Now)
	return n > 0, err
}
