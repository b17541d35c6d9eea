-- What a lesson is made of, and what a student does in it.

-- +goose Up
-- What is kept in the file folder, under the same id.
CREATE TABLE files (
    id         TEXT      NOT NULL PRIMARY KEY,
    -- As shown to people; never a path.
    name       TEXT      NOT NULL,
    media_type TEXT      NOT NULL,
    size       INTEGER   NOT NULL CONSTRAINT files_size_check CHECK (size >= 0),
    sha256     TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT      REFERENCES users (id)
) WITHOUT ROWID;

ALTER TABLE lessons ADD COLUMN body TEXT NOT NULL DEFAULT '';
-- The task; empty: the lesson has no homework.
ALTER TABLE lessons ADD COLUMN homework TEXT NOT NULL DEFAULT '';

CREATE TABLE lesson_videos (
    lesson_id INTEGER NOT NULL PRIMARY KEY REFERENCES lessons (id),
    source    TEXT    NOT NULL CONSTRAINT lesson_videos_source_check CHECK (source IN ('file', 'mp4', 'hls', 'youtube', 'vimeo', 'kinescope', 'bunny')),
    file_id   TEXT    REFERENCES files (id),
    address   TEXT    NOT NULL,
    -- 0: not known.
    seconds   INTEGER NOT NULL CONSTRAINT lesson_videos_seconds_check CHECK (seconds >= 0),
    CONSTRAINT lesson_videos_file_check CHECK ((source = 'file') = (file_id IS NOT NULL)),
    CONSTRAINT lesson_videos_address_check CHECK ((source = 'file') = (address = ''))
);
CREATE UNIQUE INDEX lesson_videos_file_id_key ON lesson_videos (file_id);

CREATE TABLE lesson_captions (
    lesson_id INTEGER NOT NULL REFERENCES lessons (id),
    language  TEXT    NOT NULL,
    file_id   TEXT    NOT NULL REFERENCES files (id),
    PRIMARY KEY (lesson_id, language)
) WITHOUT ROWID;
CREATE UNIQUE INDEX lesson_captions_file_id_key ON lesson_captions (file_id);

CREATE TABLE lesson_materials (
    file_id   TEXT    NOT NULL PRIMARY KEY REFERENCES files (id),
    lesson_id INTEGER NOT NULL REFERENCES lessons (id),
    position  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX lesson_materials_lesson_id_idx ON lesson_materials (lesson_id, position);

-- What it takes to complete a lesson: all of its rows. Without any, the student
-- marks it done.
CREATE TABLE completion_rules (
    lesson_id INTEGER NOT NULL REFERENCES lessons (id),
    kind      TEXT    NOT NULL CONSTRAINT completion_rules_kind_check CHECK (kind IN ('video', 'opened', 'marked', 'handed_in', 'accepted')),
    -- Of the video; 0 for the other kinds.
    percent   INTEGER NOT NULL CONSTRAINT completion_rules_percent_check CHECK (percent BETWEEN 0 AND 100),
    CONSTRAINT completion_rules_video_check CHECK ((kind = 'video') = (percent > 0)),
    PRIMARY KEY (lesson_id, kind)
) WITHOUT ROWID;

-- A student has opened a lesson, and played these parts of its video.
CREATE TABLE lesson_plays (
    user_id     TEXT      NOT NULL REFERENCES users (id),
    lesson_id   INTEGER   NOT NULL REFERENCES lessons (id),
    opened_at   TIMESTAMP NOT NULL,
    -- The union of what was played, in milliseconds: 0-12500,30000-61000
    played      TEXT      NOT NULL,
    position_ms INTEGER   NOT NULL CONSTRAINT lesson_plays_position_ms_check CHECK (position_ms >= 0),
    reported_at TIMESTAMP,
    PRIMARY KEY (user_id, lesson_id)
) WITHOUT ROWID;

-- Homework in the making.
CREATE TABLE homework_drafts (
    user_id   TEXT      NOT NULL REFERENCES users (id),
    lesson_id INTEGER   NOT NULL REFERENCES lessons (id),
    text      TEXT      NOT NULL,
    saved_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, lesson_id)
) WITHOUT ROWID;

-- Homework handed in. Every version stays.
CREATE TABLE submissions (
    id           INTEGER   NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id      TEXT      NOT NULL REFERENCES users (id),
    lesson_id    INTEGER   NOT NULL REFERENCES lessons (id),
    version      INTEGER   NOT NULL,
    text         TEXT      NOT NULL,
    handed_in_at TIMESTAMP NOT NULL,
    verdict      TEXT      CONSTRAINT submissions_verdict_check CHECK (verdict IN ('returned', 'accepted')),
    comment      TEXT      NOT NULL DEFAULT '',
    reviewed_by  TEXT      REFERENCES users (id),
    reviewed_at  TIMESTAMP,
    CONSTRAINT submissions_review_check CHECK ((verdict IS NULL) = (reviewed_at IS NULL))
);
CREATE UNIQUE INDEX submissions_user_id_lesson_id_version_key ON submissions (user_id, lesson_id, version);
-- One version waits or is accepted; behind returned ones comes another.
CREATE UNIQUE INDEX submissions_user_id_lesson_id_key ON submissions (user_id, lesson_id) WHERE verdict IS NULL OR verdict = 'accepted';
CREATE INDEX submissions_waiting_idx ON submissions (handed_in_at, id) WHERE verdict IS NULL;

-- Files of a student's homework; without a submission they lie at the draft.
CREATE TABLE homework_files (
    file_id       TEXT    NOT NULL PRIMARY KEY REFERENCES files (id),
    user_id       TEXT    NOT NULL REFERENCES users (id),
    lesson_id     INTEGER NOT NULL REFERENCES lessons (id),
    submission_id INTEGER REFERENCES submissions (id)
) WITHOUT ROWID;
CREATE INDEX homework_files_user_id_idx ON homework_files (user_id, lesson_id, submission_id);

-- The student has been congratulated on completing a module.
CREATE TABLE celebrations (
    user_id       TEXT      NOT NULL REFERENCES users (id),
    module_id     INTEGER   NOT NULL REFERENCES modules (id),
    celebrated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, module_id)
) WITHOUT ROWID;
