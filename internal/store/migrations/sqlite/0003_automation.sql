-- The automation: facts are inserted, triggers open what follows. These bodies
-- are the only writers of module_unlocks, module_completions and
-- tripwire_users.completed_at.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER auto_unlock_first_module_on_user_creation
AFTER INSERT ON tripwire_users FOR EACH ROW
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT NEW.user_id, r.module_id,
           max(strftime('%Y-%m-%d %H:%M:%f', NEW.granted_at, '+' || r.delay_minutes || ' minutes'), coalesce(r.not_before, '')),
           r.id
    FROM unlock_rules r
    WHERE r.course_id = NEW.course_id AND r.event = 'enrolled' AND r.retired_at IS NULL
    ORDER BY 3, 4
    ON CONFLICT (user_id, module_id) DO UPDATE
    SET unlocked_at = excluded.unlocked_at, rule_id = excluded.rule_id, grant_id = excluded.grant_id
    WHERE excluded.unlocked_at < module_unlocks.unlocked_at;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER complete_module_on_last_lesson
AFTER INSERT ON lesson_completions FOR EACH ROW
BEGIN
    INSERT INTO module_completions (user_id, module_id, completed_at)
    SELECT NEW.user_id, l.module_id, NEW.completed_at
    FROM lessons l
    WHERE l.id = NEW.lesson_id
      AND NOT EXISTS (
          SELECT 1 FROM lessons other
          WHERE other.module_id = l.module_id AND other.required AND other.deleted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM lesson_completions c WHERE c.user_id = NEW.user_id AND c.lesson_id = other.id))
    ON CONFLICT (user_id, module_id) DO NOTHING;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER auto_unlock_next_module
AFTER INSERT ON module_completions FOR EACH ROW
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT NEW.user_id, r.module_id,
           max(strftime('%Y-%m-%d %H:%M:%f', NEW.completed_at, '+' || r.delay_minutes || ' minutes'), coalesce(r.not_before, '')),
           r.id
    FROM unlock_rules r
    WHERE r.source_module_id = NEW.module_id AND r.event = 'completed' AND r.retired_at IS NULL
    ORDER BY 3, 4
    ON CONFLICT (user_id, module_id) DO UPDATE
    SET unlocked_at = excluded.unlocked_at, rule_id = excluded.rule_id, grant_id = excluded.grant_id
    WHERE excluded.unlocked_at < module_unlocks.unlocked_at;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER complete_course_on_last_module
AFTER INSERT ON module_completions FOR EACH ROW
BEGIN
    UPDATE tripwire_users SET completed_at = NEW.completed_at
    WHERE user_id = NEW.user_id AND completed_at IS NULL
      AND course_id = (SELECT m.course_id FROM modules m WHERE m.id = NEW.module_id)
      AND NOT EXISTS (
          SELECT 1 FROM modules m
          WHERE m.course_id = tripwire_users.course_id AND m.deleted_at IS NULL
            AND EXISTS (SELECT 1 FROM lessons l WHERE l.module_id = m.id AND l.required AND l.deleted_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM module_completions c WHERE c.user_id = NEW.user_id AND c.module_id = m.id));
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER unlock_granted_module
AFTER INSERT ON module_grants FOR EACH ROW
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, grant_id)
    VALUES (NEW.user_id, NEW.module_id, NEW.opens_at, NEW.id)
    ON CONFLICT (user_id, module_id) DO UPDATE
    SET unlocked_at = excluded.unlocked_at, rule_id = excluded.rule_id, grant_id = excluded.grant_id
    WHERE excluded.unlocked_at < module_unlocks.unlocked_at;
END;
-- +goose StatementEnd

-- A repair touches rechecked_at, and what the enrolment should have had is made
-- up for, at the times it should have had it.
-- +goose StatementBegin
CREATE TRIGGER auto_unlock_first_module_on_recheck
AFTER UPDATE OF rechecked_at ON tripwire_users FOR EACH ROW
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT NEW.user_id, r.module_id,
           max(strftime('%Y-%m-%d %H:%M:%f', NEW.granted_at, '+' || r.delay_minutes || ' minutes'), coalesce(r.not_before, '')),
           r.id
    FROM unlock_rules r
    WHERE r.course_id = NEW.course_id AND r.event = 'enrolled' AND r.retired_at IS NULL
    ORDER BY 3, 4
    ON CONFLICT (user_id, module_id) DO NOTHING;
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, grant_id)
    SELECT g.user_id, g.module_id, g.opens_at, g.id
    FROM module_grants g JOIN modules m ON m.id = g.module_id
    WHERE g.user_id = NEW.user_id AND m.course_id = NEW.course_id
    ORDER BY 3, 4
    ON CONFLICT (user_id, module_id) DO NOTHING;
    INSERT INTO module_completions (user_id, module_id, completed_at)
    SELECT NEW.user_id, l.module_id, max(c.completed_at)
    FROM modules m
    JOIN lessons l ON l.module_id = m.id AND l.required AND l.deleted_at IS NULL
    LEFT JOIN lesson_completions c ON c.user_id = NEW.user_id AND c.lesson_id = l.id
    WHERE m.course_id = NEW.course_id AND m.deleted_at IS NULL
    GROUP BY l.module_id
    HAVING count(*) = count(c.id)
    ON CONFLICT (user_id, module_id) DO NOTHING;
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT c.user_id, r.module_id,
           max(strftime('%Y-%m-%d %H:%M:%f', c.completed_at, '+' || r.delay_minutes || ' minutes'), coalesce(r.not_before, '')),
           r.id
    FROM module_completions c
    JOIN unlock_rules r ON r.source_module_id = c.module_id AND r.event = 'completed' AND r.retired_at IS NULL
    WHERE c.user_id = NEW.user_id AND r.course_id = NEW.course_id
    ORDER BY 3, 4
    ON CONFLICT (user_id, module_id) DO NOTHING;
    UPDATE tripwire_users
    SET completed_at = (SELECT max(c.completed_at) FROM module_completions c JOIN modules m ON m.id = c.module_id
                        WHERE c.user_id = NEW.user_id AND m.course_id = NEW.course_id)
    WHERE user_id = NEW.user_id AND course_id = NEW.course_id AND completed_at IS NULL
      AND NOT EXISTS (
          SELECT 1 FROM modules m
          WHERE m.course_id = NEW.course_id AND m.deleted_at IS NULL
            AND EXISTS (SELECT 1 FROM lessons l WHERE l.module_id = m.id AND l.required AND l.deleted_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM module_completions c WHERE c.user_id = NEW.user_id AND c.module_id = m.id));
END;
-- +goose StatementEnd

-- Nobody enters a course as one who has finished it.
-- +goose StatementBegin
CREATE TRIGGER guard_completed_at_on_insert
BEFORE INSERT ON tripwire_users FOR EACH ROW WHEN NEW.completed_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'single_writer');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER activity_is_append_only_on_update
BEFORE UPDATE ON activity FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER activity_is_append_only_on_delete
BEFORE DELETE ON activity FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;
-- +goose StatementEnd
