package store

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

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

const (
	activityColumns = "SELECT a.id, a.at, a.door, a.request_id, a.actor_id, actor.full_name, a.subject_id, subject.full_name, a.action, a.details "
	activityNames   = ` LEFT JOIN users actor ON actor.id = a.actor_id LEFT JOIN users subject ON subject.id = a.subject_id`
)

func scanActivity(r row) (a school.Activity, err error) {
	var details string
	err = r.Scan(&a.ID, at(&a.At), text(&a.Door), &a.RequestID, text(&a.ActorID), text(&a.ActorName),
		text(&a.SubjectID), text(&a.Subject), text(&a.Action), &details)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(details), &a.Details)
}

// InsertRefusal adds a line about a refused attempt. It belongs to nobody's own
// history. Lines with the same once are one: what comes later changes nothing.
func (tx *Tx) InsertRefusal(actor school.Actor, action school.Action, subject school.UserID, details map[string]string, once string) error {
	encoded, err := json.Marshal(details)
	if err != nil {
		return err
	}
	tx.added = true
	return tx.later(`INSERT INTO activity (at, door, request_id, actor_id, subject_id, action, details, once)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (once) WHERE once IS NOT NULL DO NOTHING`,
		tx.Now, actor.Door, actor.RequestID, actor.ID, subject, action, string(encoded), once)
}

// RefusalNoted reports whether there is a line with this once.
func (tx *Tx) RefusalNoted(once string) (bool, error) {
	n, err := one(tx, "SELECT count(*) FROM activity WHERE once = $1", scanInt, once)
	return n > 0, err
}

// ListActivity answers the newest lines that the scope may see.
func (tx *Tx) ListActivity(scope school.Scope, limit int) ([]school.Activity, error) {
	return tx.ListHistory(scope, school.ActivityFilter{}, school.ActivityCursor{}, limit)
}

// ListHistory answers the lines behind the cursor, the newest first. An owner sees
// the lines about students who were theirs at the time and are theirs now, the
// whole story of a student who is theirs now, and what they have done themselves,
// but for what names a student who has gone to another; refused attempts are for
// who sees all. f.Query is not looked at.
func (tx *Tx) ListHistory(scope school.Scope, f school.ActivityFilter, after school.ActivityCursor, limit int) ([]school.Activity, error) {
	query, args := historyQuery(scope, f, after, limit)
	if query == "" {
		return nil, nil
	}
	return list(tx, query, scanActivity, args...)
}

// historyQuery answers the query of ListHistory; empty: nothing can fit.
func historyQuery(scope school.Scope, f school.ActivityFilter, after school.ActivityCursor, limit int) (string, []any) {
	var c condition
	walks := c.walks(scope, f)
	if len(walks) == 0 {
		return "", nil
	}
	if !scope.All && f.Student == "" { // who has gone to another manager is that one's to know
		// One value for each line, which is looked up by the student's key alone: of an
		// EXISTS, PostgreSQL would first gather all students of the school.
		c.add("(SELECT coalesce(max(CASE WHEN o.granted_by = " + c.arg(scope.Owner) + " THEN 1 ELSE 0 END), 1) FROM tripwire_users o" +
			" WHERE o.user_id = a.subject_id) = 1")
	}
	if !f.From.IsZero() || !f.Until.IsZero() {
		c.add("a.at >= " + c.arg(f.From) + " AND a.at < " + c.arg(f.Until))
	}
	if after.ID != 0 {
		c.add("(a.at, a.id) < (" + c.arg(after.At) + ", " + c.arg(after.ID) + ")")
	}
	const order = " ORDER BY a.at DESC, a.id DESC LIMIT "
	most := c.arg(limit)
	queries := make([]string, len(walks))
	for i, w := range walks {
		whole := condition{parts: append(w, c.parts...)}
		queries[i] = "SELECT id FROM (SELECT a.id FROM activity a" + whole.where() + order + most + ") walk" + strconv.Itoa(i)
	}
	// CROSS JOIN keeps SQLite from walking all lines to find these in their order.
	return activityColumns + "FROM (" + strings.Join(queries, " UNION ") + ") page CROSS JOIN activity a" + activityNames +
		" WHERE a.id = page.id" + order + most, c.args
}

// walk is a set of conditions that a single index answers, in the order of the
// history.
type walk []string

// walks splits what a filter asks for, so that each part reads no more lines than
// it shows: no index has the lines of an owner and those of an actor in one order,
// nor those of several actions.
func (c *condition) walks(scope school.Scope, f school.ActivityFilter) (all []walk) {
	if !scope.All && scope.Owner == "" {
		return nil
	}
	by, known := c.by(scope, f.Actor)
	if !known {
		return nil
	}
	var whose []walk
	switch {
	case f.Student != "":
		id := c.arg(f.Student)
		story := walk{"a.subject_id = " + id}
		if !scope.All {
			story = append(story, "(SELECT count(*) FROM tripwire_users t WHERE t.user_id = "+id+" AND coalesce(t.granted_by, t.granted_by) = "+c.arg(scope.Owner)+") > 0")
		}
		whose = []walk{story}
	case scope.All, f.Actor == string(scope.Owner):
		whose = []walk{{}}
	case f.Actor == "":
		whose = []walk{{"a.owner_id = " + c.arg(scope.Owner)}, {"a.actor_id = " + c.arg(scope.Owner)}}
	default:
		whose = []walk{{"a.owner_id = " + c.arg(scope.Owner)}}
	}
	for _, w := range whose {
		all = append(all, c.doing(append(w, by...), scope, f)...)
	}
	return all
}

// by answers the conditions for who did it; false: nobody whom the scope knows.
func (c *condition) by(scope school.Scope, actor string) (walk, bool) {
	switch actor {
	case "":
		return nil, true
	case school.ByStudents:
		return walk{"a.actor_id = a.subject_id", "a.owner_id IS NOT NULL"}, true
	case school.BySystem:
		return walk{"a.actor_id IS NULL"}, true
	}
	id, err := school.ParseUserID(actor)
	if err != nil || !scope.All && id != scope.Owner {
		return nil, false
	}
	return walk{"a.actor_id = " + c.arg(id)}, true
}

// doing narrows a walk to the actions.
func (c *condition) doing(base walk, scope school.Scope, f school.ActivityFilter) (all []walk) {
	if f.Action == "" {
		if !scope.All {
			base = append(base, "a.action NOT IN ("+c.texts(school.Refusals())+")")
		}
		return []walk{base}
	}
	actions := slices.Clone(school.ActionsNamed(f.Action))
	if !scope.All {
		actions = slices.DeleteFunc(actions, func(a school.Action) bool { return slices.Contains(school.Refusals(), a) })
	}
	if len(actions) > 0 && f.Student != "" { // nobody's story is so long
		return []walk{append(base, "a.action IN ("+c.texts(actions)+")")}
	}
	for _, a := range actions {
		all = append(all, append(slices.Clone(base), "a.action = "+c.arg(a)))
	}
	return all
}

func (c *condition) texts(actions []school.Action) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = c.arg(a)
	}
	return strings.Join(names, ", ")
}
