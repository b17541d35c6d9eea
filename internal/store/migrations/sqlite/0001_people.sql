-- People and what they may do: accounts, sessions, one-time links, settings.

-- +goose Up
CREATE TABLE users (
    id                  TEXT      NOT NULL PRIMARY KEY CONSTRAINT users_id_check CHECK (length(id) = 36),
    email               TEXT,
    -- The address that a deleted account had, so that it can be given back.
    former_email        TEXT,
    full_name           TEXT      NOT NULL CONSTRAINT users_full_name_check CHECK (full_name <> ''),
    -- Name and address folded for searching.
    search_text         TEXT      NOT NULL,
    role                TEXT      NOT NULL CONSTRAINT users_role_check CHECK (role IN ('admin', 'sales', 'student')),
    language            TEXT      NOT NULL CONSTRAINT users_language_check CHECK (language IN ('ru', 'kk', 'en')),
    password_hash       TEXT      CONSTRAINT users_password_hash_check CHECK (password_hash LIKE '$argon2id$%'),
    must_change         BOOLEAN   NOT NULL DEFAULT FALSE,
    password_expires_at TIMESTAMP,
    created_at          TIMESTAMP NOT NULL,
    last_login_at       TIMESTAMP,
    disabled_at         TIMESTAMP,
    deleted_at          TIMESTAMP,
    -- The living have an address, the deleted have none: it is free again.
    CONSTRAINT users_email_of_the_living_check CHECK ((deleted_at IS NULL) = (email IS NOT NULL))
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_email_key ON users (email);
CREATE UNIQUE INDEX users_id_email_key ON users (id, email);
CREATE INDEX users_role_idx ON users (role) WHERE role <> 'student';

CREATE TABLE sessions (
    token_hash   TEXT      NOT NULL PRIMARY KEY,
    user_id      TEXT      NOT NULL REFERENCES users (id),
    device       TEXT      NOT NULL,
    data         BLOB      NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_last_seen_at_idx ON sessions (last_seen_at);

-- user_id is null for the link that makes the first administrator.
CREATE TABLE access_links (
    token_hash TEXT      NOT NULL PRIMARY KEY,
    user_id    TEXT      REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at    TIMESTAMP
) WITHOUT ROWID;
CREATE INDEX access_links_user_id_idx ON access_links (user_id);
CREATE INDEX access_links_expires_at_idx ON access_links (expires_at);

-- Failed logins since the last success, by account and by network address.
CREATE TABLE login_failures (
    scope         TEXT     NOT NULL CONSTRAINT login_failures_scope_check CHECK (scope IN ('account', 'address')),
    subject       TEXT     NOT NULL,
    failures      INTEGER   NOT NULL,
    blocked_until TIMESTAMP NOT NULL,
    last_at       TIMESTAMP NOT NULL,
    PRIMARY KEY (scope, subject)
) WITHOUT ROWID;
CREATE INDEX login_failures_last_at_idx ON login_failures (last_at);

-- Forms that were sent, by the hash of their key, so that a form sent twice is
-- answered twice and done once.
CREATE TABLE form_keys (
    key_hash   TEXT      NOT NULL CONSTRAINT form_keys_key_hash_key PRIMARY KEY,
    actor_id   TEXT      NOT NULL,
    digest     TEXT      NOT NULL,
    result_id  TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX form_keys_created_at_idx ON form_keys (created_at);

CREATE TABLE settings (
    id                   INTEGER NOT NULL PRIMARY KEY CONSTRAINT settings_one_row_check CHECK (id = 1),
    name                 TEXT    NOT NULL,
    time_zone            TEXT    NOT NULL,
    language             TEXT    NOT NULL CONSTRAINT settings_language_check CHECK (language IN ('ru', 'kk', 'en')),
    own_password         BOOLEAN NOT NULL,
    first_password_hours INTEGER NOT NULL,
    link_hours           INTEGER NOT NULL,
    trash_days           INTEGER NOT NULL,
    session_idle_hours   INTEGER NOT NULL,
    session_max_hours    INTEGER NOT NULL
);
CREATE TABLE price_limits (
    role        TEXT    NOT NULL PRIMARY KEY CONSTRAINT price_limits_role_check CHECK (role IN ('admin', 'sales')),
    min_percent INTEGER NOT NULL,
    max_percent INTEGER NOT NULL,
    CONSTRAINT price_limits_range_check CHECK (0 <= min_percent AND min_percent <= max_percent)
);
INSERT INTO settings VALUES (1, 'Tripwire', 'Asia/Almaty', 'ru', TRUE, 168, 72, 30, 72, 720);
INSERT INTO price_limits VALUES ('admin', 0, 1000), ('sales', 50, 100);
