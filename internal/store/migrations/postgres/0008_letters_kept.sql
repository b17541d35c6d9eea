-- What a letter said is kept for so many days; a retry by hand begins its pauses
-- anew; the outbox is listed by state and by kind without going through it; when
-- somebody was here last is kept.

-- +goose Up
ALTER TABLE mail_settings ADD COLUMN content_days INTEGER NOT NULL DEFAULT 90;

ALTER TABLE letter_contents ADD COLUMN written_at TIMESTAMPTZ;
UPDATE letter_contents c SET written_at = coalesce(l.attempted_at, l.queued_at) FROM letters l WHERE l.id = c.letter_id;
ALTER TABLE letter_contents ALTER COLUMN written_at SET NOT NULL;
CREATE INDEX letter_contents_written_at_idx ON letter_contents (written_at);

-- How many of the attempts were made before somebody had the letter tried again.
ALTER TABLE letters ADD COLUMN earlier_attempts BIGINT NOT NULL DEFAULT 0;

-- To find what went to an address that nobody has any more.
CREATE INDEX letters_email_idx ON letters (email);

-- A letter that is taken at its first attempt is in neither: each index that it passes
-- through costs letters a second.
CREATE INDEX letters_deferred_idx ON letters (id) WHERE state = 'deferred';
CREATE INDEX letters_kind_idx ON letters (kind, id) WHERE kind <> 'welcome';

-- When somebody was here last, to the hour, or was admitted: who studies in one session for weeks does
-- not log in, and the rows of ended sessions go.
ALTER TABLE users ADD COLUMN last_visit_at TIMESTAMPTZ;
UPDATE users SET last_visit_at = coalesce((SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = users.id), last_login_at, created_at);
DROP INDEX users_last_visit_idx;
CREATE INDEX users_last_visit_idx ON users (last_visit_at) WHERE role = 'student' AND deleted_at IS NULL;
