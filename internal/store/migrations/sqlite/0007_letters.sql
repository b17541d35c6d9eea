-- The outbox: every letter with its true state, the links in it, the server that
-- takes it, and the school's own words. docs/letters.md says how it works.

-- +goose Up
-- Letters of more kinds, and what became of each. The table is made anew, because
-- its check of the kinds was part of it.
CREATE TABLE letters_before AS SELECT id, user_id, kind, queued_at, sent_at FROM letters;
CREATE INDEX letters_before_user_id_idx ON letters_before (user_id, id);
DROP TABLE letters;
CREATE TABLE letters (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id      TEXT      NOT NULL REFERENCES users (id),
    kind         TEXT      NOT NULL CONSTRAINT letters_kind_check CHECK (kind IN ('welcome', 'recovery', 'email_change', 'email_changed', 'module_opened', 'reminder', 'test')),
    -- What a letter of its kind is about, where one is enough: the id of the module
    -- that opened, the day on which an absence began.
    about        TEXT      NOT NULL DEFAULT '',
    -- To whom; what waits follows a corrected address.
    email        TEXT      NOT NULL,
    domain       TEXT      NOT NULL,
    state        TEXT      NOT NULL DEFAULT 'queued' CONSTRAINT letters_state_check CHECK (state IN ('queued', 'sending', 'deferred', 'accepted', 'refused', 'given_up', 'bounced', 'cancelled')),
    queued_at    TIMESTAMP NOT NULL,
    -- When a worker may take it; of one that is being sent, when its worker is taken
    -- for dead. Null: never again.
    due_at       TIMESTAMP,
    attempts     INTEGER   NOT NULL DEFAULT 0,
    attempted_at TIMESTAMP,
    -- Fixed before the first attempt, so that a copy can be told for one.
    message_id   TEXT,
    -- Why it is in its state: a code of ours, and the server's own words.
    cause        TEXT      NOT NULL DEFAULT '',
    reply        TEXT      NOT NULL DEFAULT '',
    -- When the server took it.
    sent_at      TIMESTAMP,
    CONSTRAINT letters_due_at_check CHECK ((due_at IS NOT NULL) = (state IN ('queued', 'sending', 'deferred')))
);
INSERT INTO letters (id, user_id, kind, email, domain, state, queued_at, due_at, sent_at, cause)
SELECT l.id, l.user_id, l.kind, coalesce(u.email, u.former_email), substr(coalesce(u.email, u.former_email), instr(coalesce(u.email, u.former_email), '@') + 1),
       CASE WHEN l.sent_at IS NOT NULL THEN 'accepted' WHEN u.deleted_at IS NULL AND l.id = (SELECT max(n.id) FROM letters_before n WHERE n.user_id = l.user_id) THEN 'queued' ELSE 'cancelled' END,
       l.queued_at, CASE WHEN l.sent_at IS NULL AND u.deleted_at IS NULL AND l.id = (SELECT max(n.id) FROM letters_before n WHERE n.user_id = l.user_id) THEN l.queued_at END, l.sent_at,
       CASE WHEN l.sent_at IS NOT NULL THEN '' WHEN u.deleted_at IS NOT NULL THEN 'account_deleted' WHEN l.id < (SELECT max(n.id) FROM letters_before n WHERE n.user_id = l.user_id) THEN 'newer' ELSE '' END
FROM letters_before l JOIN users u ON u.id = l.user_id;
DROP TABLE letters_before;
CREATE INDEX letters_user_id_idx ON letters (user_id, id);
CREATE UNIQUE INDEX letters_user_id_kind_about_key ON letters (user_id, kind, about) WHERE about <> '';
CREATE UNIQUE INDEX letters_message_id_key ON letters (message_id);
CREATE INDEX letters_due_at_idx ON letters (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX letters_domain_due_at_idx ON letters (domain, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX letters_queued_at_idx ON letters (queued_at) WHERE due_at IS NOT NULL;
CREATE INDEX letters_attempted_at_idx ON letters (attempted_at) WHERE attempted_at IS NOT NULL;
CREATE INDEX letters_domain_attempted_at_idx ON letters (domain, attempted_at) WHERE attempted_at IS NOT NULL;
CREATE INDEX letters_failed_idx ON letters (state, id) WHERE state IN ('refused', 'given_up', 'bounced', 'cancelled');

-- What a letter said, with its secrets masked: it is kept as it was sent.
CREATE TABLE letter_contents (
    letter_id INTEGER NOT NULL PRIMARY KEY REFERENCES letters (id),
    subject   TEXT NOT NULL,
    text      TEXT NOT NULL,
    html      TEXT NOT NULL
);

-- The school's own words in place of the shipped ones.
CREATE TABLE letter_texts (
    kind       TEXT      NOT NULL,
    language   TEXT      NOT NULL CONSTRAINT letter_texts_language_check CHECK (language IN ('ru', 'kk', 'en')),
    subject    TEXT      NOT NULL,
    body       TEXT      NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by TEXT      REFERENCES users (id),
    PRIMARY KEY (kind, language)
);

-- How letters leave, one row. An empty host: by the settings of the process, or not
-- at all.
CREATE TABLE mail_settings (
    id                INTEGER NOT NULL PRIMARY KEY CONSTRAINT mail_settings_one_row_check CHECK (id = 1),
    host              TEXT    NOT NULL DEFAULT '',
    port              INTEGER NOT NULL DEFAULT 587,
    security          TEXT    NOT NULL DEFAULT 'starttls' CONSTRAINT mail_settings_security_check CHECK (security IN ('starttls', 'tls', 'none')),
    username          TEXT    NOT NULL DEFAULT '',
    -- Sealed with the key that lies beside the data, never in the database.
    sealed_password   TEXT    NOT NULL DEFAULT '',
    from_name         TEXT    NOT NULL DEFAULT '',
    from_email        TEXT    NOT NULL DEFAULT '',
    reply_to          TEXT    NOT NULL DEFAULT '',
    -- Where bounces go; empty: to the sender.
    bounce_email      TEXT    NOT NULL DEFAULT '',
    -- How many letters a minute to the addresses of one domain; 0: any number.
    domain_per_minute INTEGER NOT NULL DEFAULT 300,
    -- Of the token with which a provider reports bounces; empty: there is none.
    hook_hash         TEXT    NOT NULL DEFAULT '',
    -- Letters on events, each a switch: 0 days is off.
    module_opened     BOOLEAN NOT NULL DEFAULT FALSE,
    reminder_days     INTEGER NOT NULL DEFAULT 0,
    -- What keeps all letters from leaving, since when; empty: nothing.
    fault             TEXT    NOT NULL DEFAULT '',
    fault_words       TEXT    NOT NULL DEFAULT '',
    fault_at          TIMESTAMP
);
INSERT INTO mail_settings (id) VALUES (1);

-- By what the key of the data folder is known again. The key itself is nowhere in
-- the database: links are derived from it, and the password above is sealed with it.
CREATE TABLE secret_key (
    id          INTEGER NOT NULL PRIMARY KEY CONSTRAINT secret_key_one_row_check CHECK (id = 1),
    fingerprint TEXT    NOT NULL
);

-- A link is derived from the key and its nonce; of an older one only the hash of the
-- token is known.
ALTER TABLE access_links ADD COLUMN nonce TEXT NOT NULL DEFAULT '';
ALTER TABLE access_links ADD COLUMN purpose TEXT NOT NULL DEFAULT 'access' CONSTRAINT access_links_purpose_check CHECK (purpose IN ('access', 'email'));
-- The address that the link confirms.
ALTER TABLE access_links ADD COLUMN new_email TEXT NOT NULL DEFAULT '';

CREATE UNIQUE INDEX access_links_user_id_purpose_key ON access_links (user_id, purpose) WHERE used_at IS NULL AND user_id IS NOT NULL;

-- Students by their last login, for the reminder.
CREATE INDEX users_last_visit_idx ON users (last_login_at, created_at) WHERE role = 'student' AND deleted_at IS NULL;

-- The list shows the newest welcome letter.
DROP TRIGGER enter_roster_on_enrolment;
-- +goose StatementBegin
CREATE TRIGGER enter_roster_on_enrolment
AFTER INSERT ON tripwire_users FOR EACH ROW
BEGIN
    INSERT INTO roster (user_id, course_id, manager_id, status, added_at, completed_at, search_text, modules_done, letter, logged_in, last_step_at)
    SELECT t.user_id, t.course_id, coalesce(t.granted_by, '00000000-0000-0000-0000-000000000000'), CASE WHEN t.test_at IS NOT NULL THEN 'test' WHEN t.blocked_at IS NOT NULL THEN 'blocked' WHEN t.completed_at IS NOT NULL THEN 'completed' ELSE 'active' END,
           t.granted_at, t.completed_at, u.search_text,
           (SELECT count(*) FROM module_completions c JOIN modules m ON m.id = c.module_id
               WHERE c.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL),
           coalesce((SELECT CASE l.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END FROM letters l
               WHERE l.user_id = t.user_id AND l.kind = 'welcome' ORDER BY l.id DESC LIMIT 1), 'none'),
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

DROP TRIGGER update_roster_on_enrolment_change;
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
           coalesce((SELECT CASE l.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END FROM letters l
               WHERE l.user_id = t.user_id AND l.kind = 'welcome' ORDER BY l.id DESC LIMIT 1), 'none'),
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
CREATE TRIGGER update_roster_on_letter
AFTER INSERT ON letters FOR EACH ROW WHEN NEW.kind = 'welcome'
BEGIN
    UPDATE roster SET letter = CASE NEW.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END
    WHERE user_id = NEW.user_id AND letter <> CASE NEW.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER update_roster_on_letter_sent
AFTER UPDATE OF state ON letters FOR EACH ROW WHEN NEW.kind = 'welcome' AND NEW.id = (SELECT max(l.id) FROM letters l WHERE l.user_id = NEW.user_id AND l.kind = 'welcome')
BEGIN
    UPDATE roster SET letter = CASE NEW.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END
    WHERE user_id = NEW.user_id AND letter <> CASE NEW.state WHEN 'accepted' THEN 'sent' ELSE 'waiting' END;
END;
-- +goose StatementEnd

-- Who had been written to and waits for another one since.
UPDATE letters SET state = state WHERE user_id IN (SELECT l.user_id FROM letters l GROUP BY l.user_id HAVING count(*) > 1);

-- What waits goes to the corrected address. Nobody is written to while the account
-- is deleted; who takes the deletion back gets what was not sent.
-- +goose StatementBegin
CREATE TRIGGER update_letters_on_address_change
AFTER UPDATE OF email ON users FOR EACH ROW WHEN OLD.email IS NOT NEW.email
BEGIN
    UPDATE letters SET state = 'cancelled', due_at = NULL, cause = 'account_deleted'
    WHERE user_id = NEW.id AND state IN ('queued', 'deferred') AND NEW.email IS NULL;
    UPDATE letters SET email = NEW.email, domain = substr(NEW.email, instr(NEW.email, '@') + 1)
    WHERE user_id = NEW.id AND state IN ('queued', 'deferred') AND email = OLD.email AND kind <> 'email_changed' AND NEW.email IS NOT NULL;
    UPDATE letters SET state = 'queued', due_at = queued_at, cause = '', email = NEW.email, domain = substr(NEW.email, instr(NEW.email, '@') + 1)
    WHERE user_id = NEW.id AND kind = 'welcome' AND state = 'cancelled' AND cause = 'account_deleted' AND OLD.email IS NULL;
END;
-- +goose StatementEnd

-- A module that opens later than the course is told of, where the school wants it.
-- +goose StatementBegin
CREATE TRIGGER queue_letter_on_unlock
AFTER INSERT ON module_unlocks FOR EACH ROW
BEGIN
    INSERT INTO letters (user_id, kind, about, email, domain, queued_at, due_at)
    SELECT t.user_id, 'module_opened', NEW.module_id, t.email, substr(t.email, instr(t.email, '@') + 1), NEW.unlocked_at, NEW.unlocked_at
    FROM mail_settings s JOIN modules m ON m.id = NEW.module_id
    JOIN tripwire_users t ON t.user_id = NEW.user_id AND t.course_id = m.course_id
    WHERE s.module_opened AND t.deleted_at IS NULL AND NEW.unlocked_at > t.granted_at
    ON CONFLICT (user_id, kind, about) WHERE about <> '' DO NOTHING;
END;
-- +goose StatementEnd

-- What opens sooner than planned is told of sooner.
-- +goose StatementBegin
CREATE TRIGGER update_letter_on_unlock_change
AFTER UPDATE OF unlocked_at ON module_unlocks FOR EACH ROW
BEGIN
    UPDATE letters SET queued_at = NEW.unlocked_at, due_at = NEW.unlocked_at
    WHERE user_id = NEW.user_id AND kind = 'module_opened' AND about = CAST(NEW.module_id AS TEXT) AND state = 'queued';
END;
-- +goose StatementEnd
