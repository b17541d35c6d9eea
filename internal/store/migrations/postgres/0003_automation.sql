-- The automation: facts are inserted, triggers open what follows. These bodies
-- are the only writers of module_unlocks, module_completions and
-- tripwire_users.completed_at. They run as the owner of the tables, so that the
-- role of the application needs no right to write there.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION auto_unlock_first_module() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT DISTINCT ON (r.module_id) NEW.user_id, r.module_id,
           greatest(NEW.granted_at + make_interval(mins => r.delay_minutes::int), r.not_before) AS opens_at,
           r.id
    FROM unlock_rules r
    WHERE r.course_id = NEW.course_id AND r.event = 'enrolled' AND r.retired_at IS NULL
    ORDER BY r.module_id, opens_at, r.id
    ON CONFLICT (user_id, module_id) DO UPDATE
    SET unlocked_at = excluded.unlocked_at, rule_id = excluded.rule_id, grant_id = excluded.grant_id
    WHERE excluded.unlocked_at < module_unlocks.unlocked_at;
    RETURN NULL;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER auto_unlock_first_module_on_user_creation AFTER INSERT ON tripwire_users FOR EACH ROW EXECUTE FUNCTION auto_unlock_first_module();
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION complete_module() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    -- Two last lessons at once: the second waits here and then sees the first.
    PERFORM 1 FROM tripwire_users WHERE user_id = NEW.user_id FOR UPDATE;
    INSERT INTO module_completions (user_id, module_id, completed_at)
    SELECT NEW.user_id, l.module_id, NEW.completed_at
    FROM lessons l
    WHERE l.id = NEW.lesson_id
      AND NOT EXISTS (
          SELECT 1 FROM lessons other
          WHERE other.module_id = l.module_id AND other.required AND other.deleted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM lesson_completions c WHERE c.user_id = NEW.user_id AND c.lesson_id = other.id))
    ON CONFLICT (user_id, module_id) DO NOTHING;
    RETURN NULL;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER complete_module_on_last_lesson AFTER INSERT ON lesson_completions FOR EACH ROW EXECUTE FUNCTION complete_module();
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION unlock_next_module() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT DISTINCT ON (r.module_id) NEW.user_id, r.module_id,
           greatest(NEW.completed_at + make_interval(mins => r.delay_minutes::int), r.not_before) AS opens_at,
           r.id
    FROM unlock_rules r
    WHERE r.source_module_id = NEW.module_id AND r.event = 'completed' AND r.retired_at IS NULL
    ORDER BY r.module_id, opens_at, r.id
    ON CONFLICT (user_id, module_id) DO UPDATE
    SET unlocked_at = excluded.unlocked_at, rule_id = excluded.rule_id, grant_id = excluded.grant_id
    WHERE excluded.unlocked_at < module_unlocks.unlocked_at;
    RETURN NULL;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER auto_unlock_next_module AFTER INSERT ON module_completions FOR EACH ROW EXECUTE FUNCTION unlock_next_module();
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION complete_course() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    UPDATE tripwire_users SET completed_at = NEW.completed_at
    WHERE user_id = NEW.user_id AND completed_at IS NULL
      AND course_id = (SELECT m.course_id FROM modules m WHERE m.id = NEW.module_id)
      AND NOT EXISTS (
          SELECT 1 FROM modules m
          WHERE m.course_id = tripwire_users.course_id AND m.deleted_at IS NULL
            AND EXISTS (SELECT 1 FROM lessons l WHERE l.module_id = m.id AND l.required AND l.deleted_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM module_completions c WHERE c.user_id = NEW.user_id AND c.module_id = m.id));
    RETURN NULL;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER complete_course_on_last_module AFTER INSERT ON module_completions FOR EACH ROW EXECUTE FUNCTION complete_course();
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION unlock_granted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, grant_id)
    VALUES (NEW.user_id, NEW.module_id, NEW.opens_at, NEW.id)
    ON CONFLICT (user_id, module_id) DO UPDATE
    SET unlocked_at = excluded.unlocked_at, rule_id = excluded.rule_id, grant_id = excluded.grant_id
    WHERE excluded.unlocked_at < module_unlocks.unlocked_at;
    RETURN NULL;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER unlock_granted_module AFTER INSERT ON module_grants FOR EACH ROW EXECUTE FUNCTION unlock_granted();
-- +goose StatementEnd

-- A repair touches rechecked_at, and what the enrolment should have had is made
-- up for, at the times it should have had it.
-- +goose StatementBegin
CREATE FUNCTION make_up_for_missed_unlocks() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, rule_id)
    SELECT DISTINCT ON (r.module_id) NEW.user_id, r.module_id,
           greatest(NEW.granted_at + make_interval(mins => r.delay_minutes::int), r.not_before) AS opens_at,
           r.id
    FROM unlock_rules r
    WHERE r.course_id = NEW.course_id AND r.event = 'enrolled' AND r.retired_at IS NULL
    ORDER BY r.module_id, opens_at, r.id
    ON CONFLICT (user_id, module_id) DO NOTHING;
    INSERT INTO module_unlocks (user_id, module_id, unlocked_at, grant_id)
    SELECT DISTINCT ON (g.module_id) g.user_id, g.module_id, g.opens_at, g.id
    FROM module_grants g JOIN modules m ON m.id = g.module_id
    WHERE g.user_id = NEW.user_id AND m.course_id = NEW.course_id
    ORDER BY g.module_id, g.opens_at, g.id
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
    SELECT DISTINCT ON (r.module_id) c.user_id, r.module_id,
           greatest(c.completed_at + make_interval(mins => r.delay_minutes::int), r.not_before) AS opens_at,
           r.id
    FROM module_completions c
    JOIN unlock_rules r ON r.source_module_id = c.module_id AND r.event = 'completed' AND r.retired_at IS NULL
    WHERE c.user_id = NEW.user_id AND r.course_id = NEW.course_id
    ORDER BY r.module_id, opens_at, r.id
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
    RETURN NULL;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER auto_unlock_first_module_on_recheck AFTER UPDATE OF rechecked_at ON tripwire_users FOR EACH ROW EXECUTE FUNCTION make_up_for_missed_unlocks();
-- +goose StatementEnd

-- The guards. A statement of the application meets them at depth 1; the bodies
-- above meet them at depth 2.
-- +goose StatementBegin
CREATE FUNCTION refuse_outside_trigger() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'single_writer' USING ERRCODE = 'insufficient_privilege', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER guard_module_unlocks BEFORE INSERT OR DELETE OR UPDATE ON module_unlocks FOR EACH ROW EXECUTE FUNCTION refuse_outside_trigger();
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER guard_module_unlocks_truncate BEFORE TRUNCATE ON module_unlocks FOR EACH STATEMENT EXECUTE FUNCTION refuse_outside_trigger();
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER guard_module_completions BEFORE INSERT OR DELETE OR UPDATE ON module_completions FOR EACH ROW EXECUTE FUNCTION refuse_outside_trigger();
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER guard_module_completions_truncate BEFORE TRUNCATE ON module_completions FOR EACH STATEMENT EXECUTE FUNCTION refuse_outside_trigger();
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER guard_completed_at_on_update BEFORE UPDATE OF completed_at ON tripwire_users FOR EACH ROW EXECUTE FUNCTION refuse_outside_trigger();
-- +goose StatementEnd

-- Nobody enters a course as one who has finished it.
-- +goose StatementBegin
CREATE TRIGGER guard_completed_at_on_insert BEFORE INSERT ON tripwire_users FOR EACH ROW WHEN ((new.completed_at IS NOT NULL)) EXECUTE FUNCTION refuse_outside_trigger();
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'append_only' USING ERRCODE = 'insufficient_privilege', TABLE = TG_TABLE_NAME;
END
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER activity_is_append_only_on_update BEFORE UPDATE ON activity FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER activity_is_append_only_on_delete BEFORE DELETE ON activity FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER activity_is_append_only_on_truncate BEFORE TRUNCATE ON activity FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- +goose StatementEnd
