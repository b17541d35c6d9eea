package store

import (
	"encoding/json"

	"tripwire/internal/school"
)

// InsertActivity adds a line to the history. It belongs to the history of whoever
// has the student it is about. details must hold no secret.
func (tx *Tx) InsertActivity(actor school.Actor, action school.Action, subject school.UserID, details map[string]string) error {
	return tx.insertActivity("(SELECT t.granted_by FROM tripwire_users t WHERE t.user_id = $8 ORDER BY t.granted_at LIMIT 1)",
		actor, action, subject, details, subject)
}

// InsertOwnActivity is InsertActivity for a student whom the actor has just
// admitted: it needs no look at whose the student is.
func (tx *Tx) InsertOwnActivity(actor school.Actor, action school.Action, subject school.UserID, details map[string]string) error {
	return tx.insertActivity("$8", actor, action, subject, details, actor.ID)
}

func (tx *Tx) insertActivity(owner string, actor school.Actor, action school.Action, subject school.UserID, details map[string]string, ownerArg school.UserID) error {
	if details == nil {
		details = map[string]string{}
	}
	encoded, err := json.Marshal(details)
	if err != nil {
		return err
	}
	tx.added = true
	return tx.later(`INSERT INTO activity (at, door, request_id, actor_id, subject_id, action, details, owner_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, `+owner+")",
		tx.Now, actor.Door, actor.RequestID, actor.ID, subject, action, string(encoded), ownerArg)
}

const activityQuery = `SELECT a.id, a.at, a.door, a.request_id, a.actor_id, actor.full_name, a.subject_id, subject.full_name, a.action, a.details
	FROM activity a
	LEFT JOIN users actor ON actor.id = a.actor_id
	LEFT JOIN users subject ON subject.id = a.subject_id `

func scanActivity(r row) (a school.Activity, err error) {
	var details string
	err = r.Scan(&a.ID, at(&a.At), text(&a.Door), &a.RequestID, text(&a.ActorID), text(&a.ActorName),
		text(&a.SubjectID), text(&a.Subject), text(&a.Action), &details)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(details), &a.Details)
}

// ListActivityOf answers the whole history of one person, the newest first.
func (tx *Tx) ListActivityOf(id school.UserID, limit int) ([]school.Activity, error) {
	return list(tx, activityQuery+"WHERE a.subject_id = $1 ORDER BY a.id DESC LIMIT $2", scanActivity, id, limit)
}

// ListActivity answers the newest lines about students within the scope; with
// Scope.All, about everything.
func (tx *Tx) ListActivity(scope school.Scope, limit int) ([]school.Activity, error) {
	if scope.All {
		return list(tx, activityQuery+"ORDER BY a.id DESC LIMIT $1", scanActivity, limit)
	}
	return list(tx, activityQuery+"WHERE a.owner_id = $1 ORDER BY a.id DESC LIMIT $2", scanActivity, scope.Owner, limit)
}
