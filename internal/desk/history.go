package desk

import (
	"context"
	"strings"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// HistoryPageSize is how many lines of the history a page has.
const HistoryPageSize = 50

// History is a page of the history.
type History struct {
	Lines []school.Activity
	More  bool // there are older ones
	// Student is whom the filter has chosen; zero: nobody, or nobody whom the actor
	// may know of.
	Student school.Student
	// Matches are the students whom the search text fits, where it does not choose
	// one of them.
	Matches []school.Student
	Staff   []school.Account // to choose from; empty for who sees their own only
}

// maxMatches bounds the students among whom a search has to be narrowed.
const maxMatches = 12

// History answers the lines behind the cursor that the filter lets through, the
// newest first. Errors: Forbidden; NotFound for a student who does not exist or whom
// the actor may not know of, with a History without lines to show all the same.
func (d *Desk) History(ctx context.Context, actor school.Actor, f school.ActivityFilter, after school.ActivityCursor) (h History, err error) {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return h, err
	}
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		if scope.All {
			if h.Staff, err = tx.ListStaff(); err != nil {
				return err
			}
		}
		if chosen, err := choose(tx, scope, &f, &h); err != nil || !chosen {
			return err
		}
		h.Lines, err = tx.ListHistory(scope, f, after, HistoryPageSize+1)
		if h.More = len(h.Lines) > HistoryPageSize; h.More {
			h.Lines = h.Lines[:HistoryPageSize]
		}
		return err
	})
	return h, d.notingForeign(ctx, actor, f.Student, err)
}

// choose finds the student whom the filter means, if any; false: the search text
// fits nobody, or several. Errors: NotFound.
func choose(tx *store.Tx, scope school.Scope, f *school.ActivityFilter, h *History) (bool, error) {
	if f.Student != "" {
		var err error
		h.Student, err = tx.FindStudent(scope, f.Student)
		return true, err
	}
	if f.Query = strings.TrimSpace(f.Query); f.Query == "" {
		return true, nil
	}
	for _, status := range []school.Status{"", school.StatusTest} {
		roster, err := tx.NewRoster(scope, school.StudentFilter{Query: f.Query, Status: status}, time.UTC)
		if err != nil {
			return false, err
		}
		found, err := tx.ListRoster(roster)
		if err != nil {
			return false, err
		}
		h.Matches = append(h.Matches, found.Students...)
	}
	deleted, err := tx.ListDeleted(scope, f.Query, school.PageSize)
	if err != nil {
		return false, err
	}
	h.Matches = append(h.Matches, deleted...)
	if len(h.Matches) != 1 {
		h.Matches = h.Matches[:min(len(h.Matches), maxMatches)]
		return false, nil
	}
	h.Student, h.Matches = h.Matches[0], nil
	f.Student = h.Student.ID
	return true, nil
}

// historyBatch is how many lines an export holds in memory.
const historyBatch = 500

// ExportHistory calls write with all the lines that the filter lets through, the
// newest first, some at a time, and tells the history of it. Nothing is held while write sends them, however
// slow its reader is; lines of history do not change, and those that come meanwhile
// are newer than where it has begun. When it answers an error, what was written is
// not the whole; NotFound, as History, comes before anything is written. Errors:
// Forbidden, those of write.
func (d *Desk) ExportHistory(ctx context.Context, actor school.Actor, f school.ActivityFilter, write func([]school.Activity) error) error {
	scope, err := actor.Scope(school.ViewStudents)
	if err != nil {
		return err
	}
	var after school.ActivityCursor
	for {
		var lines []school.Activity
		err := d.store.Read(ctx, func(tx *store.Tx) error {
			var h History
			chosen, err := choose(tx, scope, &f, &h)
			if err != nil || !chosen {
				return err
			}
			lines, err = tx.ListHistory(scope, f, after, historyBatch)
			return err
		})
		if err != nil {
			return d.notingForeign(ctx, actor, f.Student, err)
		}
		if after == (school.ActivityCursor{}) {
			if err := d.noteExport(ctx, actor, map[string]string{"format": "csv", "what": "history"}); err != nil {
				return err
			}
		}
		if err := write(lines); err != nil || len(lines) < historyBatch {
			return err
		}
		after = lines[len(lines)-1].Cursor()
	}
}
