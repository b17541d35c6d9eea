-- What the panel counts and lists: the money of a sale as events, and roll-ups
-- that triggers keep, so that no page reads every student. docs/figures.md says
-- what each figure means.

-- +goose Up
-- How far the school's zone is ahead of UTC, from when on: the triggers find the
-- day of a moment with it. Written at start from the zone that the settings name.
CREATE TABLE zone_offsets (
    starts_at TIMESTAMP NOT NULL PRIMARY KEY,
    seconds   INTEGER   NOT NULL
) WITHOUT ROWID;

-- Not a customer: out of every figure.
ALTER TABLE tripwire_users ADD COLUMN test_at TIMESTAMP;

-- The money of each enrolment, as it came and went. Nothing here is ever edited
-- but for whom it counts.
CREATE TABLE money_events (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id      TEXT      NOT NULL,
    course_id    INTEGER   NOT NULL,
    -- Who made the sale: in whose figures it counts.
    manager_id   TEXT      REFERENCES users (id),
    kind         TEXT      NOT NULL CONSTRAINT money_events_kind_check CHECK (kind IN ('sale', 'refund', 'correction')),
    amount_minor INTEGER   NOT NULL,
    currency     TEXT      NOT NULL,
    at           TIMESTAMP NOT NULL,
    actor_id     TEXT      REFERENCES users (id),
    reason       TEXT      NOT NULL,
    FOREIGN KEY (user_id, course_id) REFERENCES tripwire_users (user_id, course_id),
    CONSTRAINT money_events_amount_check CHECK (kind = 'sale' AND amount_minor >= 0 OR kind = 'refund' AND amount_minor < 0 OR kind = 'correction' AND amount_minor <> 0),
    CONSTRAINT money_events_reason_check CHECK ((kind = 'sale') = (reason = ''))
);
CREATE UNIQUE INDEX money_events_sale_key ON money_events (user_id, course_id) WHERE kind = 'sale';
CREATE INDEX money_events_user_id_idx ON money_events (user_id, course_id, id);
CREATE INDEX money_events_at_idx ON money_events (at, id);
CREATE INDEX money_events_manager_id_idx ON money_events (manager_id, at, id);

-- A student of the lists, with everything a list is chosen and sorted by. Only
-- the living have a row. Written by triggers only.
CREATE TABLE roster (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id      TEXT      NOT NULL,
    course_id    INTEGER   NOT NULL,
    -- All zeros where the student is nobody's.
    manager_id   TEXT      NOT NULL,
    status       TEXT      NOT NULL CONSTRAINT roster_status_check CHECK (status IN ('active', 'completed', 'blocked', 'test')),
    added_at     TIMESTAMP NOT NULL,
    completed_at TIMESTAMP,
    search_text  TEXT      NOT NULL,
    modules_done INTEGER   NOT NULL,
    letter       TEXT      NOT NULL CONSTRAINT roster_letter_check CHECK (letter IN ('none', 'waiting', 'sent')),
    logged_in    BOOLEAN   NOT NULL,
    -- The last time a lesson was opened or completed or homework handed in; before
    -- that, the enrolment.
    last_step_at TIMESTAMP NOT NULL,
    FOREIGN KEY (user_id, course_id) REFERENCES tripwire_users (user_id, course_id)
);
CREATE UNIQUE INDEX roster_user_id_course_id_key ON roster (user_id, course_id);
-- One index for each order of one manager's students; the order of everybody's is
-- merged from theirs.
CREATE INDEX roster_added_at_idx ON roster (manager_id, added_at, id);
CREATE INDEX roster_course_id_idx ON roster (manager_id, course_id, added_at, id);
CREATE INDEX roster_status_idx ON roster (manager_id, status, added_at, id);
CREATE INDEX roster_search_text_idx ON roster (manager_id, search_text, id);
CREATE INDEX roster_modules_done_idx ON roster (manager_id, status, modules_done, added_at, id);
CREATE INDEX roster_letter_idx ON roster (manager_id, letter, added_at, id);
CREATE INDEX roster_newcomers_idx ON roster (manager_id, added_at, id) WHERE NOT logged_in;
CREATE INDEX roster_last_step_at_idx ON roster (manager_id, status, last_step_at, id);
-- The trigrams of search_text, by id of the roster. Each word has two spaces before
-- it, so that one or two letters can be looked for at the beginning of a word.
CREATE VIRTUAL TABLE roster_search USING fts5 (text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1');

-- The roll-ups. A bucket is a day (2026-11-24) or its month (2026-11) of the
-- school's zone; a shard is a part of one figure, so that many can add to it at
-- once. Figures are sums over shards. Written by triggers only.
CREATE TABLE sale_counts (
    grain        TEXT    NOT NULL,
    bucket       TEXT    NOT NULL,
    manager_id   TEXT    NOT NULL,
    course_id    INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    shard        INTEGER NOT NULL,
    sales        INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    PRIMARY KEY (grain, bucket, manager_id, course_id, currency, shard)
) WITHOUT ROWID;
-- By the day on which the student was added.
CREATE TABLE student_counts (
    grain       TEXT    NOT NULL,
    bucket      TEXT    NOT NULL,
    manager_id  TEXT    NOT NULL,
    course_id   INTEGER NOT NULL,
    shard       INTEGER NOT NULL,
    active      INTEGER NOT NULL,
    completed   INTEGER NOT NULL,
    blocked     INTEGER NOT NULL,
    test        INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    newcomers   INTEGER NOT NULL,
    PRIMARY KEY (grain, bucket, manager_id, course_id, shard)
) WITHOUT ROWID;
-- Of the active, by the day of the last step.
CREATE TABLE step_counts (
    grain      TEXT    NOT NULL,
    bucket     TEXT    NOT NULL,
    manager_id TEXT    NOT NULL,
    course_id  INTEGER NOT NULL,
    shard      INTEGER NOT NULL,
    students   INTEGER NOT NULL,
    PRIMARY KEY (grain, bucket, manager_id, course_id, shard)
) WITHOUT ROWID;
-- Of those who completed, by the day on which they were added (or 'all' days) and
-- by how many days it took them.
CREATE TABLE completion_counts (
    grain      TEXT    NOT NULL,
    bucket     TEXT    NOT NULL,
    manager_id TEXT    NOT NULL,
    course_id  INTEGER NOT NULL,
    days       INTEGER NOT NULL,
    shard      INTEGER NOT NULL,
    students   INTEGER NOT NULL,
    PRIMARY KEY (grain, bucket, manager_id, course_id, days, shard)
) WITHOUT ROWID;
-- A row here counts every roll-up anew.
CREATE TABLE recounts (
    id INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    at TIMESTAMP NOT NULL
);

-- What lists and counts were read from until now.
DROP INDEX IF EXISTS tripwire_users_granted_by_idx;
DROP INDEX IF EXISTS tripwire_users_granted_at_idx;

-- What a person calls a state of the list.
CREATE TABLE saved_views (
    id         INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id    TEXT      NOT NULL REFERENCES users (id),
    name       TEXT      NOT NULL CONSTRAINT saved_views_name_check CHECK (name <> ''),
    query      TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX saved_views_user_id_name_key ON saved_views (user_id, name);

-- Kazakh letters are found by the Russian ones beside them.
UPDATE users SET search_text = replace(replace(replace(replace(replace(replace(replace(replace(replace(search_text, 'ә', 'а'), 'ғ', 'г'), 'қ', 'к'), 'ң', 'н'), 'ө', 'о'), 'ұ', 'у'), 'ү', 'у'), 'һ', 'х'), 'і', 'и');

-- Everybody who is here already.
INSERT INTO money_events (user_id, course_id, manager_id, kind, amount_minor, currency, at, actor_id, reason)
SELECT user_id, course_id, granted_by, 'sale', price_minor, currency, granted_at, granted_by, '' FROM tripwire_users ORDER BY granted_at, user_id;
INSERT INTO roster (user_id, course_id, manager_id, status, added_at, completed_at, search_text, modules_done, letter, logged_in, last_step_at)
SELECT t.user_id, t.course_id, coalesce(t.granted_by, '00000000-0000-0000-0000-000000000000'), CASE WHEN t.test_at IS NOT NULL THEN 'test' WHEN t.blocked_at IS NOT NULL THEN 'blocked' WHEN t.completed_at IS NOT NULL THEN 'completed' ELSE 'active' END,
       t.granted_at, t.completed_at, u.search_text,
       (SELECT count(*) FROM module_completions c JOIN modules m ON m.id = c.module_id
           WHERE c.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL),
       CASE WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = t.user_id AND l.sent_at IS NOT NULL) THEN 'sent'
            WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = t.user_id) THEN 'waiting' ELSE 'none' END,
       u.last_login_at IS NOT NULL,
       max(t.granted_at,
           coalesce((SELECT max(p.opened_at) FROM lesson_plays p JOIN lessons l ON l.id = p.lesson_id JOIN modules m ON m.id = l.module_id WHERE p.user_id = t.user_id AND m.course_id = t.course_id), ''),
           coalesce((SELECT max(c.completed_at) FROM lesson_completions c JOIN lessons l ON l.id = c.lesson_id JOIN modules m ON m.id = l.module_id WHERE c.user_id = t.user_id AND m.course_id = t.course_id), ''),
           coalesce((SELECT max(s.handed_in_at) FROM submissions s JOIN lessons l ON l.id = s.lesson_id JOIN modules m ON m.id = l.module_id WHERE s.user_id = t.user_id AND m.course_id = t.course_id), ''))
FROM tripwire_users t JOIN users u ON u.id = t.user_id
WHERE t.deleted_at IS NULL
ORDER BY t.granted_at, t.user_id;
INSERT INTO roster_search (rowid, text) SELECT id, replace(' ' || search_text, ' ', '  ') FROM roster;

-- +goose StatementBegin
CREATE TRIGGER record_sale_on_enrolment
AFTER INSERT ON tripwire_users FOR EACH ROW
BEGIN
    INSERT INTO money_events (user_id, course_id, manager_id, kind, amount_minor, currency, at, actor_id, reason)
    VALUES (NEW.user_id, NEW.course_id, NEW.granted_by, 'sale', NEW.price_minor, NEW.currency, NEW.granted_at, NEW.granted_by, '');
END;
-- +goose StatementEnd

-- Nobody is given back more than was paid.
-- +goose StatementBegin
CREATE TRIGGER money_events_stay_above_zero
BEFORE INSERT ON money_events FOR EACH ROW WHEN NEW.amount_minor < 0
BEGIN
    SELECT RAISE(ABORT, 'money_events_stay_above_zero')
    WHERE (SELECT coalesce(sum(m.amount_minor), 0) FROM money_events m WHERE m.user_id = NEW.user_id AND m.course_id = NEW.course_id) + NEW.amount_minor < 0;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER money_events_are_append_only_on_update
BEFORE UPDATE OF id, user_id, course_id, kind, amount_minor, currency, at, actor_id, reason ON money_events FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER money_events_are_append_only_on_delete
BEFORE DELETE ON money_events FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;
-- +goose StatementEnd

-- INSERT OR REPLACE deletes what is in its way without a word to the trigger above.
-- +goose StatementBegin
CREATE TRIGGER money_events_are_append_only_on_replace
BEFORE INSERT ON money_events FOR EACH ROW
WHEN EXISTS (SELECT 1 FROM money_events m WHERE m.id = NEW.id)
    OR NEW.kind = 'sale' AND EXISTS (SELECT 1 FROM money_events m WHERE m.user_id = NEW.user_id AND m.course_id = NEW.course_id AND m.kind = 'sale')
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER enter_roster_on_enrolment
AFTER INSERT ON tripwire_users FOR EACH ROW
BEGIN
    INSERT INTO roster (user_id, course_id, manager_id, status, added_at, completed_at, search_text, modules_done, letter, logged_in, last_step_at)
    SELECT t.user_id, t.course_id, coalesce(t.granted_by, '00000000-0000-0000-0000-000000000000'), CASE WHEN t.test_at IS NOT NULL THEN 'test' WHEN t.blocked_at IS NOT NULL THEN 'blocked' WHEN t.completed_at IS NOT NULL THEN 'completed' ELSE 'active' END,
           t.granted_at, t.completed_at, u.search_text,
           (SELECT count(*) FROM module_completions c JOIN modules m ON m.id = c.module_id
               WHERE c.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL),
           CASE WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = t.user_id AND l.sent_at IS NOT NULL) THEN 'sent'
                WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = t.user_id) THEN 'waiting' ELSE 'none' END,
           u.last_login_at IS NOT NULL,
           max(t.granted_at,
               coalesce((SELECT max(p.opened_at) FROM lesson_plays p JOIN lessons l ON l.id = p.lesson_id JOIN modules m ON m.id = l.module_id WHERE p.user_id = t.user_id AND m.course_id = t.course_id), ''),
               coalesce((SELECT max(c.completed_at) FROM lesson_completions c JOIN lessons l ON l.id = c.lesson_id JOIN modules m ON m.id = l.module_id WHERE c.user_id = t.user_id AND m.course_id = t.course_id), ''),
               coalesce((SELECT max(s.handed_in_at) FROM submissions s JOIN lessons l ON l.id = s.lesson_id JOIN modules m ON m.id = l.module_id WHERE s.user_id = t.user_id AND m.course_id = t.course_id), ''))
    FROM tripwire_users t JOIN users u ON u.id = t.user_id
    WHERE t.deleted_at IS NULL
      AND t.user_id = NEW.user_id AND t.course_id = NEW.course_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_enrolment_change
AFTER UPDATE OF granted_by, blocked_at, completed_at, test_at, deleted_at, rechecked_at ON tripwire_users FOR EACH ROW
BEGIN
    DELETE FROM roster
    WHERE user_id = NEW.user_id AND course_id = NEW.course_id AND (NEW.deleted_at IS NOT NULL OR NEW.rechecked_at IS NOT OLD.rechecked_at);
    UPDATE roster
    SET manager_id = coalesce(NEW.granted_by, '00000000-0000-0000-0000-000000000000'), completed_at = NEW.completed_at,
        status = CASE WHEN NEW.test_at IS NOT NULL THEN 'test' WHEN NEW.blocked_at IS NOT NULL THEN 'blocked' WHEN NEW.completed_at IS NOT NULL THEN 'completed' ELSE 'active' END
    WHERE user_id = NEW.user_id AND course_id = NEW.course_id;
    INSERT INTO roster (user_id, course_id, manager_id, status, added_at, completed_at, search_text, modules_done, letter, logged_in, last_step_at)
    SELECT t.user_id, t.course_id, coalesce(t.granted_by, '00000000-0000-0000-0000-000000000000'), CASE WHEN t.test_at IS NOT NULL THEN 'test' WHEN t.blocked_at IS NOT NULL THEN 'blocked' WHEN t.completed_at IS NOT NULL THEN 'completed' ELSE 'active' END,
           t.granted_at, t.completed_at, u.search_text,
           (SELECT count(*) FROM module_completions c JOIN modules m ON m.id = c.module_id
               WHERE c.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL),
           CASE WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = t.user_id AND l.sent_at IS NOT NULL) THEN 'sent'
                WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = t.user_id) THEN 'waiting' ELSE 'none' END,
           u.last_login_at IS NOT NULL,
           max(t.granted_at,
               coalesce((SELECT max(p.opened_at) FROM lesson_plays p JOIN lessons l ON l.id = p.lesson_id JOIN modules m ON m.id = l.module_id WHERE p.user_id = t.user_id AND m.course_id = t.course_id), ''),
               coalesce((SELECT max(c.completed_at) FROM lesson_completions c JOIN lessons l ON l.id = c.lesson_id JOIN modules m ON m.id = l.module_id WHERE c.user_id = t.user_id AND m.course_id = t.course_id), ''),
               coalesce((SELECT max(s.handed_in_at) FROM submissions s JOIN lessons l ON l.id = s.lesson_id JOIN modules m ON m.id = l.module_id WHERE s.user_id = t.user_id AND m.course_id = t.course_id), ''))
    FROM tripwire_users t JOIN users u ON u.id = t.user_id
    WHERE t.deleted_at IS NULL
      AND t.user_id = NEW.user_id AND t.course_id = NEW.course_id
    ON CONFLICT (user_id, course_id) DO NOTHING;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_account_change
AFTER UPDATE OF search_text, last_login_at ON users FOR EACH ROW
BEGIN
    UPDATE roster SET search_text = NEW.search_text, logged_in = NEW.last_login_at IS NOT NULL
    WHERE user_id = NEW.id AND (search_text <> NEW.search_text OR logged_in <> (NEW.last_login_at IS NOT NULL));
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_module_completion
AFTER INSERT ON module_completions FOR EACH ROW
BEGIN
    UPDATE roster SET modules_done = modules_done + 1
    WHERE user_id = NEW.user_id AND course_id = (SELECT m.course_id FROM modules m WHERE m.id = NEW.module_id AND m.deleted_at IS NULL);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_letter
AFTER INSERT ON letters FOR EACH ROW
BEGIN
    UPDATE roster SET letter = CASE WHEN NEW.sent_at IS NULL THEN 'waiting' ELSE 'sent' END
    WHERE user_id = NEW.user_id AND letter <> 'sent';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_letter_sent
AFTER UPDATE OF sent_at ON letters FOR EACH ROW
BEGIN
    UPDATE roster
    SET letter = CASE WHEN EXISTS (SELECT 1 FROM letters l WHERE l.user_id = NEW.user_id AND l.sent_at IS NOT NULL) THEN 'sent' ELSE 'waiting' END
    WHERE user_id = NEW.user_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_lesson_opened
AFTER INSERT ON lesson_plays FOR EACH ROW
BEGIN
    UPDATE roster SET last_step_at = NEW.opened_at
    WHERE user_id = NEW.user_id AND last_step_at < NEW.opened_at
      AND course_id = (SELECT m.course_id FROM lessons l JOIN modules m ON m.id = l.module_id WHERE l.id = NEW.lesson_id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_lesson_completed
AFTER INSERT ON lesson_completions FOR EACH ROW
BEGIN
    UPDATE roster SET last_step_at = NEW.completed_at
    WHERE user_id = NEW.user_id AND last_step_at < NEW.completed_at
      AND course_id = (SELECT m.course_id FROM lessons l JOIN modules m ON m.id = l.module_id WHERE l.id = NEW.lesson_id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_homework
AFTER INSERT ON submissions FOR EACH ROW
BEGIN
    UPDATE roster SET last_step_at = NEW.handed_in_at
    WHERE user_id = NEW.user_id AND last_step_at < NEW.handed_in_at
      AND course_id = (SELECT m.course_id FROM lessons l JOIN modules m ON m.id = l.module_id WHERE l.id = NEW.lesson_id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER follow_roster_on_insert
AFTER INSERT ON roster FOR EACH ROW
BEGIN
    INSERT INTO student_counts (grain, bucket, manager_id, course_id, shard, active, completed, blocked, test, undelivered, newcomers)
    SELECT g.grain, substr(d.day, 1, g.length), NEW.manager_id, NEW.course_id, 0, (NEW.status = 'active'), (NEW.status = 'completed'), (NEW.status = 'blocked'), (NEW.status = 'test'), (NEW.status <> 'test' AND NEW.letter <> 'sent'), (NEW.status <> 'test' AND NOT NEW.logged_in)
    FROM (SELECT date(NEW.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE TRUE
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE
    SET active = active + excluded.active, completed = completed + excluded.completed, blocked = blocked + excluded.blocked,
        test = test + excluded.test, undelivered = undelivered + excluded.undelivered, newcomers = newcomers + excluded.newcomers;
    INSERT INTO step_counts (grain, bucket, manager_id, course_id, shard, students)
    SELECT g.grain, substr(d.day, 1, g.length), NEW.manager_id, NEW.course_id, 0, 1
    FROM (SELECT date(NEW.last_step_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.last_step_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE NEW.status = 'active' AND TRUE
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE SET students = students + excluded.students;
    INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students)
    SELECT g.grain, CASE g.grain WHEN 'all' THEN 'all' ELSE substr(d.day, 1, g.length) END, NEW.manager_id, NEW.course_id, CAST(julianday(e.day) - julianday(d.day) AS INTEGER), 0, 1
    FROM (SELECT date(NEW.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT date(NEW.completed_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.completed_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) e, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7 UNION ALL SELECT 'all', 0) g
    WHERE NEW.status = 'completed' AND TRUE
    ON CONFLICT (grain, bucket, manager_id, course_id, days, shard) DO UPDATE SET students = students + excluded.students;
    INSERT INTO roster_search (rowid, text) VALUES (NEW.id, replace(' ' || NEW.search_text, ' ', '  '));
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER follow_roster_on_delete
AFTER DELETE ON roster FOR EACH ROW
BEGIN
    INSERT INTO student_counts (grain, bucket, manager_id, course_id, shard, active, completed, blocked, test, undelivered, newcomers)
    SELECT g.grain, substr(d.day, 1, g.length), OLD.manager_id, OLD.course_id, 0, -(OLD.status = 'active'), -(OLD.status = 'completed'), -(OLD.status = 'blocked'), -(OLD.status = 'test'), -(OLD.status <> 'test' AND OLD.letter <> 'sent'), -(OLD.status <> 'test' AND NOT OLD.logged_in)
    FROM (SELECT date(OLD.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE TRUE
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE
    SET active = active + excluded.active, completed = completed + excluded.completed, blocked = blocked + excluded.blocked,
        test = test + excluded.test, undelivered = undelivered + excluded.undelivered, newcomers = newcomers + excluded.newcomers;
    INSERT INTO step_counts (grain, bucket, manager_id, course_id, shard, students)
    SELECT g.grain, substr(d.day, 1, g.length), OLD.manager_id, OLD.course_id, 0, -1
    FROM (SELECT date(OLD.last_step_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.last_step_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE OLD.status = 'active' AND TRUE
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE SET students = students + excluded.students;
    INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students)
    SELECT g.grain, CASE g.grain WHEN 'all' THEN 'all' ELSE substr(d.day, 1, g.length) END, OLD.manager_id, OLD.course_id, CAST(julianday(e.day) - julianday(d.day) AS INTEGER), 0, -1
    FROM (SELECT date(OLD.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT date(OLD.completed_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.completed_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) e, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7 UNION ALL SELECT 'all', 0) g
    WHERE OLD.status = 'completed' AND TRUE
    ON CONFLICT (grain, bucket, manager_id, course_id, days, shard) DO UPDATE SET students = students + excluded.students;
    DELETE FROM roster_search WHERE rowid = OLD.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER follow_roster_on_update
AFTER UPDATE ON roster FOR EACH ROW
BEGIN
    INSERT INTO student_counts (grain, bucket, manager_id, course_id, shard, active, completed, blocked, test, undelivered, newcomers)
    SELECT g.grain, substr(d.day, 1, g.length), OLD.manager_id, OLD.course_id, 0, -(OLD.status = 'active'), -(OLD.status = 'completed'), -(OLD.status = 'blocked'), -(OLD.status = 'test'), -(OLD.status <> 'test' AND OLD.letter <> 'sent'), -(OLD.status <> 'test' AND NOT OLD.logged_in)
    FROM (SELECT date(OLD.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE (OLD.manager_id IS NOT NEW.manager_id OR OLD.status IS NOT NEW.status OR OLD.letter IS NOT NEW.letter OR OLD.logged_in IS NOT NEW.logged_in)
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE
    SET active = active + excluded.active, completed = completed + excluded.completed, blocked = blocked + excluded.blocked,
        test = test + excluded.test, undelivered = undelivered + excluded.undelivered, newcomers = newcomers + excluded.newcomers;
    INSERT INTO student_counts (grain, bucket, manager_id, course_id, shard, active, completed, blocked, test, undelivered, newcomers)
    SELECT g.grain, substr(d.day, 1, g.length), NEW.manager_id, NEW.course_id, 0, (NEW.status = 'active'), (NEW.status = 'completed'), (NEW.status = 'blocked'), (NEW.status = 'test'), (NEW.status <> 'test' AND NEW.letter <> 'sent'), (NEW.status <> 'test' AND NOT NEW.logged_in)
    FROM (SELECT date(NEW.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE (OLD.manager_id IS NOT NEW.manager_id OR OLD.status IS NOT NEW.status OR OLD.letter IS NOT NEW.letter OR OLD.logged_in IS NOT NEW.logged_in)
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE
    SET active = active + excluded.active, completed = completed + excluded.completed, blocked = blocked + excluded.blocked,
        test = test + excluded.test, undelivered = undelivered + excluded.undelivered, newcomers = newcomers + excluded.newcomers;
    INSERT INTO step_counts (grain, bucket, manager_id, course_id, shard, students)
    SELECT g.grain, substr(d.day, 1, g.length), OLD.manager_id, OLD.course_id, 0, -1
    FROM (SELECT date(OLD.last_step_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.last_step_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE OLD.status = 'active' AND (OLD.manager_id IS NOT NEW.manager_id OR OLD.status IS NOT NEW.status OR OLD.last_step_at IS NOT NEW.last_step_at)
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE SET students = students + excluded.students;
    INSERT INTO step_counts (grain, bucket, manager_id, course_id, shard, students)
    SELECT g.grain, substr(d.day, 1, g.length), NEW.manager_id, NEW.course_id, 0, 1
    FROM (SELECT date(NEW.last_step_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.last_step_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE NEW.status = 'active' AND (OLD.manager_id IS NOT NEW.manager_id OR OLD.status IS NOT NEW.status OR OLD.last_step_at IS NOT NEW.last_step_at)
    ON CONFLICT (grain, bucket, manager_id, course_id, shard) DO UPDATE SET students = students + excluded.students;
    INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students)
    SELECT g.grain, CASE g.grain WHEN 'all' THEN 'all' ELSE substr(d.day, 1, g.length) END, OLD.manager_id, OLD.course_id, CAST(julianday(e.day) - julianday(d.day) AS INTEGER), 0, -1
    FROM (SELECT date(OLD.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT date(OLD.completed_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= OLD.completed_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) e, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7 UNION ALL SELECT 'all', 0) g
    WHERE OLD.status = 'completed' AND (OLD.manager_id IS NOT NEW.manager_id OR OLD.status IS NOT NEW.status OR OLD.completed_at IS NOT NEW.completed_at)
    ON CONFLICT (grain, bucket, manager_id, course_id, days, shard) DO UPDATE SET students = students + excluded.students;
    INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students)
    SELECT g.grain, CASE g.grain WHEN 'all' THEN 'all' ELSE substr(d.day, 1, g.length) END, NEW.manager_id, NEW.course_id, CAST(julianday(e.day) - julianday(d.day) AS INTEGER), 0, 1
    FROM (SELECT date(NEW.added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) d, (SELECT date(NEW.completed_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= NEW.completed_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day) e, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7 UNION ALL SELECT 'all', 0) g
    WHERE NEW.status = 'completed' AND (OLD.manager_id IS NOT NEW.manager_id OR OLD.status IS NOT NEW.status OR OLD.completed_at IS NOT NEW.completed_at)
    ON CONFLICT (grain, bucket, manager_id, course_id, days, shard) DO UPDATE SET students = students + excluded.students;
    UPDATE roster_search SET text = replace(' ' || NEW.search_text, ' ', '  ') WHERE rowid = NEW.id AND OLD.search_text <> NEW.search_text;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER count_sale_on_event
AFTER INSERT ON money_events FOR EACH ROW
BEGIN
    INSERT INTO sale_counts (grain, bucket, manager_id, course_id, currency, shard, sales, amount_minor)
    SELECT g.grain, substr(m.day, 1, g.length), coalesce(m.manager_id, '00000000-0000-0000-0000-000000000000'), m.course_id, m.currency, 0, sum((m.kind = 'sale')), sum(m.amount_minor)
    FROM (SELECT *, date(at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM money_events) m, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE m.id = NEW.id AND EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = m.user_id AND t.course_id = m.course_id AND t.deleted_at IS NULL AND t.test_at IS NULL)
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (grain, bucket, manager_id, course_id, currency, shard) DO UPDATE
    SET sales = sales + excluded.sales, amount_minor = amount_minor + excluded.amount_minor;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER count_sale_on_attribution
AFTER UPDATE OF manager_id ON money_events FOR EACH ROW
BEGIN
    INSERT INTO sale_counts (grain, bucket, manager_id, course_id, currency, shard, sales, amount_minor)
    SELECT g.grain, substr(m.day, 1, g.length), coalesce(OLD.manager_id, '00000000-0000-0000-0000-000000000000'), m.course_id, m.currency, 0, sum(-(m.kind = 'sale')), sum(-m.amount_minor)
    FROM (SELECT *, date(at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM money_events) m, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE m.id = NEW.id AND EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = m.user_id AND t.course_id = m.course_id AND t.deleted_at IS NULL AND t.test_at IS NULL)
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (grain, bucket, manager_id, course_id, currency, shard) DO UPDATE
    SET sales = sales + excluded.sales, amount_minor = amount_minor + excluded.amount_minor;
    INSERT INTO sale_counts (grain, bucket, manager_id, course_id, currency, shard, sales, amount_minor)
    SELECT g.grain, substr(m.day, 1, g.length), coalesce(m.manager_id, '00000000-0000-0000-0000-000000000000'), m.course_id, m.currency, 0, sum((m.kind = 'sale')), sum(m.amount_minor)
    FROM (SELECT *, date(at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM money_events) m, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE m.id = NEW.id AND EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = m.user_id AND t.course_id = m.course_id AND t.deleted_at IS NULL AND t.test_at IS NULL)
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (grain, bucket, manager_id, course_id, currency, shard) DO UPDATE
    SET sales = sales + excluded.sales, amount_minor = amount_minor + excluded.amount_minor;
END;
-- +goose StatementEnd

-- The name is that of PostgreSQL, where names decide the order.
-- +goose StatementBegin
CREATE TRIGGER update_sale_counts_on_enrolment_change
AFTER UPDATE OF deleted_at, test_at ON tripwire_users FOR EACH ROW
WHEN (OLD.deleted_at IS NULL AND OLD.test_at IS NULL) <> (NEW.deleted_at IS NULL AND NEW.test_at IS NULL)
BEGIN
    INSERT INTO sale_counts (grain, bucket, manager_id, course_id, currency, shard, sales, amount_minor)
    SELECT g.grain, substr(m.day, 1, g.length), coalesce(m.manager_id, '00000000-0000-0000-0000-000000000000'), m.course_id, m.currency, 0, sum(CASE WHEN NEW.deleted_at IS NULL AND NEW.test_at IS NULL THEN 1 ELSE -1 END * (m.kind = 'sale')), sum(CASE WHEN NEW.deleted_at IS NULL AND NEW.test_at IS NULL THEN 1 ELSE -1 END * m.amount_minor)
    FROM (SELECT *, date(at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM money_events) m, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE m.user_id = NEW.user_id AND m.course_id = NEW.course_id
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (grain, bucket, manager_id, course_id, currency, shard) DO UPDATE
    SET sales = sales + excluded.sales, amount_minor = amount_minor + excluded.amount_minor;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER recount_on_request
AFTER INSERT ON recounts FOR EACH ROW
BEGIN
    DELETE FROM sale_counts;
    INSERT INTO sale_counts (grain, bucket, manager_id, course_id, currency, shard, sales, amount_minor)
    SELECT g.grain, substr(m.day, 1, g.length), coalesce(m.manager_id, '00000000-0000-0000-0000-000000000000'), m.course_id, m.currency, 0, sum(m.kind = 'sale'), sum(m.amount_minor)
    FROM (SELECT *, date(at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM money_events) m, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    WHERE EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = m.user_id AND t.course_id = m.course_id AND t.deleted_at IS NULL AND t.test_at IS NULL)
    GROUP BY 1, 2, 3, 4, 5;
    DELETE FROM student_counts;
    INSERT INTO student_counts (grain, bucket, manager_id, course_id, shard, active, completed, blocked, test, undelivered, newcomers)
    SELECT g.grain, substr(r.day, 1, g.length), r.manager_id, r.course_id, 0, sum(r.status = 'active'), sum(r.status = 'completed'), sum(r.status = 'blocked'), sum(r.status = 'test'), sum(r.status <> 'test' AND r.letter <> 'sent'), sum(r.status <> 'test' AND NOT r.logged_in)
    FROM (SELECT *, date(added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM roster) r, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    GROUP BY 1, 2, 3, 4;
    DELETE FROM step_counts;
    INSERT INTO step_counts (grain, bucket, manager_id, course_id, shard, students)
    SELECT g.grain, substr(r.day, 1, g.length), r.manager_id, r.course_id, 0, count(*)
    FROM (SELECT *, date(last_step_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= last_step_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day FROM roster WHERE status = 'active') r, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7) g
    GROUP BY 1, 2, 3, 4;
    DELETE FROM completion_counts;
    INSERT INTO completion_counts (grain, bucket, manager_id, course_id, days, shard, students)
    SELECT g.grain, CASE g.grain WHEN 'all' THEN 'all' ELSE substr(d.day, 1, g.length) END, d.manager_id, d.course_id, CAST(julianday(d.completed_day) - julianday(d.day) AS INTEGER), 0, count(*)
    FROM (SELECT *, date(added_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= added_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS day, date(completed_at, coalesce((SELECT z.seconds FROM zone_offsets z WHERE z.starts_at <= completed_at ORDER BY z.starts_at DESC LIMIT 1), 0) || ' seconds') AS completed_day FROM roster WHERE status = 'completed') d, (SELECT 'day' AS grain, 10 AS length UNION ALL SELECT 'month', 7 UNION ALL SELECT 'all', 0) g
    GROUP BY 1, 2, 3, 4, 5;
END;
-- +goose StatementEnd

INSERT INTO recounts (at) VALUES (strftime('%Y-%m-%d %H:%M:%f', 'now'));
