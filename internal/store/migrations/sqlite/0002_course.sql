-- What is sold, who is admitted to it, and the facts of studying.

-- +goose Up
CREATE TABLE courses (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    slug         TEXT      NOT NULL,
    title        TEXT      NOT NULL,
    price_minor  INTEGER   NOT NULL CONSTRAINT courses_price_minor_check CHECK (price_minor >= 0),
    currency     TEXT      NOT NULL CONSTRAINT courses_currency_check CHECK (length(currency) = 3),
    created_at   TIMESTAMP NOT NULL,
    published_at TIMESTAMP
);
CREATE UNIQUE INDEX courses_slug_key ON courses (slug);

CREATE TABLE modules (
    id         INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    course_id  INTEGER   NOT NULL REFERENCES courses (id),
    position   INTEGER   NOT NULL,
    title      TEXT      NOT NULL,
    summary    TEXT      NOT NULL,
    deleted_at TIMESTAMP
);
CREATE INDEX modules_course_id_idx ON modules (course_id, position);

CREATE TABLE lessons (
    id         INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    module_id  INTEGER   NOT NULL REFERENCES modules (id),
    position   INTEGER   NOT NULL,
    title      TEXT      NOT NULL,
    minutes    INTEGER   NOT NULL,
    required   BOOLEAN   NOT NULL,
    deleted_at TIMESTAMP
);
CREATE INDEX lessons_module_id_idx ON lessons (module_id, position);

-- Which module opens when. A rule that was used is retired, never deleted:
-- unlocks name it as their cause.
CREATE TABLE unlock_rules (
    id               INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    course_id        INTEGER   NOT NULL REFERENCES courses (id),
    module_id        INTEGER   NOT NULL REFERENCES modules (id),
    event            TEXT      NOT NULL CONSTRAINT unlock_rules_event_check CHECK (event IN ('enrolled', 'completed', 'granted')),
    source_module_id INTEGER   REFERENCES modules (id),
    delay_minutes    INTEGER   NOT NULL DEFAULT 0 CONSTRAINT unlock_rules_delay_minutes_check CHECK (delay_minutes >= 0),
    not_before       TIMESTAMP,
    retired_at       TIMESTAMP,
    CONSTRAINT unlock_rules_source_check CHECK ((event = 'completed') = (source_module_id IS NOT NULL))
);
CREATE INDEX unlock_rules_course_id_idx ON unlock_rules (course_id, event);
CREATE INDEX unlock_rules_source_module_id_idx ON unlock_rules (source_module_id);

-- One row per student admitted to a course: the sale.
CREATE TABLE tripwire_users (
    user_id      TEXT      NOT NULL,
    course_id    INTEGER   NOT NULL REFERENCES courses (id),
    -- The account's address; the foreign key keeps the two equal.
    email        TEXT,
    granted_by   TEXT      REFERENCES users (id),
    granted_at   TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    price_minor  INTEGER   NOT NULL DEFAULT 0 CONSTRAINT tripwire_users_price_minor_check CHECK (price_minor >= 0),
    currency     TEXT      NOT NULL DEFAULT 'KZT',
    source       TEXT      NOT NULL DEFAULT 'system',
    blocked_at   TIMESTAMP,
    completed_at TIMESTAMP,
    deleted_at   TIMESTAMP,
    -- Touched by a repair to run the enrolment's triggers once more.
    rechecked_at TIMESTAMP,
    PRIMARY KEY (user_id, course_id),
    FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT tripwire_users_email_fkey FOREIGN KEY (user_id, email) REFERENCES users (id, email) ON UPDATE CASCADE,
    CONSTRAINT tripwire_users_email_of_the_living_check CHECK ((deleted_at IS NULL) = (email IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX tripwire_users_email_idx ON tripwire_users (email);
-- The lists of the panel, and their counts without a look at the rows.
CREATE INDEX tripwire_users_granted_by_idx ON tripwire_users (granted_by, granted_at, user_id, deleted_at, blocked_at, completed_at);
CREATE INDEX tripwire_users_granted_at_idx ON tripwire_users (granted_at, user_id, deleted_at, blocked_at, completed_at);
CREATE INDEX tripwire_users_deleted_at_idx ON tripwire_users (deleted_at) WHERE deleted_at IS NOT NULL;

-- A member of staff opens one module to one student.
CREATE TABLE module_grants (
    id         INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id    TEXT      NOT NULL REFERENCES users (id),
    module_id  INTEGER   NOT NULL REFERENCES modules (id),
    granted_by TEXT      REFERENCES users (id),
    granted_at TIMESTAMP NOT NULL,
    opens_at   TIMESTAMP NOT NULL,
    reason     TEXT      NOT NULL CONSTRAINT module_grants_reason_check CHECK (reason <> '')
);
CREATE INDEX module_grants_user_id_idx ON module_grants (user_id);

-- Written by triggers only. A module is open when unlocked_at is not after now.
CREATE TABLE module_unlocks (
    id          INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id     TEXT      NOT NULL REFERENCES users (id),
    module_id   INTEGER   NOT NULL REFERENCES modules (id),
    unlocked_at TIMESTAMP NOT NULL,
    rule_id     INTEGER   REFERENCES unlock_rules (id),
    grant_id    INTEGER   REFERENCES module_grants (id),
    CONSTRAINT module_unlocks_cause_check CHECK ((rule_id IS NULL) <> (grant_id IS NULL))
);
CREATE UNIQUE INDEX module_unlocks_user_id_module_id_key ON module_unlocks (user_id, module_id);

CREATE TABLE lesson_completions (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id      TEXT      NOT NULL REFERENCES users (id),
    lesson_id    INTEGER   NOT NULL REFERENCES lessons (id),
    completed_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX lesson_completions_user_id_lesson_id_key ON lesson_completions (user_id, lesson_id);

-- Written by triggers only.
CREATE TABLE module_completions (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id      TEXT      NOT NULL REFERENCES users (id),
    module_id    INTEGER   NOT NULL REFERENCES modules (id),
    completed_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX module_completions_user_id_module_id_key ON module_completions (user_id, module_id);

-- The outbox of letters: a row here is a promise, not a letter sent.
CREATE TABLE letters (
    id         INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id    TEXT      NOT NULL REFERENCES users (id),
    kind       TEXT      NOT NULL CONSTRAINT letters_kind_check CHECK (kind IN ('welcome')),
    queued_at  TIMESTAMP NOT NULL,
    sent_at    TIMESTAMP
);
CREATE INDEX letters_user_id_idx ON letters (user_id);

-- Who did what to whom, when, by which door. Append-only.
CREATE TABLE activity (
    id         INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    at         TIMESTAMP NOT NULL,
    door       TEXT      NOT NULL,
    request_id TEXT      NOT NULL,
    actor_id   TEXT      REFERENCES users (id),
    subject_id TEXT      REFERENCES users (id),
    -- Whose student it was about when it happened: the lines of a manager's own
    -- history stand together.
    owner_id   TEXT      REFERENCES users (id),
    action     TEXT      NOT NULL,
    details    TEXT      NOT NULL
);
CREATE INDEX activity_subject_id_idx ON activity (subject_id, id);
CREATE INDEX activity_owner_id_idx ON activity (owner_id, id);
