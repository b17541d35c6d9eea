-- The history as people read it: by time, narrowed by person, action and student.

-- +goose Up
-- A refused attempt is told of once in a while, however often it is repeated: who
-- is refused the same thing at the same time has the same value here.
ALTER TABLE activity ADD COLUMN once TEXT;
CREATE UNIQUE INDEX activity_once_key ON activity (once) WHERE once IS NOT NULL;

-- The order is (at, id) everywhere, so that a period is one stretch of any of
-- these, whatever the clock has done.
CREATE INDEX activity_at_idx ON activity (at, id);
CREATE INDEX activity_subject_id_at_idx ON activity (subject_id, at, id);
CREATE INDEX activity_owner_id_at_idx ON activity (owner_id, at, id);
CREATE INDEX activity_actor_id_at_idx ON activity (actor_id, at, id);
CREATE INDEX activity_action_at_idx ON activity (action, at, id);
CREATE INDEX activity_owner_id_action_at_idx ON activity (owner_id, action, at, id);
CREATE INDEX activity_actor_id_action_at_idx ON activity (actor_id, action, at, id);
-- What students did themselves; what nobody with an account did.
CREATE INDEX activity_students_at_idx ON activity (at, id) WHERE actor_id = subject_id AND owner_id IS NOT NULL;
CREATE INDEX activity_students_owner_id_at_idx ON activity (owner_id, at, id) WHERE actor_id = subject_id;
CREATE INDEX activity_system_at_idx ON activity (at, id) WHERE actor_id IS NULL;
CREATE INDEX activity_system_owner_id_at_idx ON activity (owner_id, at, id) WHERE actor_id IS NULL;
DROP INDEX activity_subject_id_idx;
DROP INDEX activity_owner_id_idx;
