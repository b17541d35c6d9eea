package store

import "tripwire/internal/school"

// InsertView keeps a state of the list under a name; a view of this name is
// replaced.
func (tx *Tx) InsertView(id school.UserID, v school.SavedView) error {
	_, err := tx.exec(`INSERT INTO saved_views (user_id, name, query, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query`, id, v.Name, v.Query, tx.Now)
	return err
}

// ListViews answers a person's views, by name.
func (tx *Tx) ListViews(id school.UserID) ([]school.SavedView, error) {
	return list(tx, "SELECT id, name, query FROM saved_views WHERE user_id = $1 ORDER BY name, id",
		func(r row) (v school.SavedView, err error) { return v, r.Scan(&v.ID, &v.Name, &v.Query) }, id)
}

// DeleteView deletes a view of the person. Errors: NotFound, for another's too.
func (tx *Tx) DeleteView(id school.UserID, view int64) error {
	return touched(tx.exec("DELETE FROM saved_views WHERE user_id = $1 AND id = $2", id, view))
}
