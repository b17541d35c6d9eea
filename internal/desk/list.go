package desk

import (
	"context"
	"iter"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// StudentList is one page of students with the size of the whole.
type StudentList struct {
	Students []school.Student
	// Next and Before are the places where the pages beside this one begin; zero
	// where there is none.
	Next, Before school.Cursor
	// Total is how many there are; -1: more than are counted.
	// Nobody knows a total that is not counted: a page that has one beside it shows
	// some of more.
	Total int
	// Counts are those within everything but the status; nil: too many to count.
	Counts *school.StudentCounts
	// Facets are the courses and, for who may see all, the managers by which the list
	// can be narrowed.
	Courses  []school.Facet
	Managers []school.Facet
	// FacetsCounted: the counts of the facets are those of the list that each leads
	// to.
	FacetsCounted bool
}

// maxCounted is how many students are looked at for a count that no roll-up has.
const maxCounted = 3000

// Students answers a page of the actor's students. Errors: Invalid page_invalid,
// Forbidden.
func (d *Desk) Students(ctx context.Context, actor school.Actor, f school.StudentFilter) (l StudentList, err error) {
	err = d.counting(ctx, actor, func(tx *store.Tx, scope school.Scope, zone *time.Location) error {
		roster, err := tx.NewRoster(scope, f, zone)
		if err != nil {
			return err
		}
		page, err := tx.ListRoster(roster)
		if err != nil {
			return err
		}
		l.Students = page.Students
		if n := len(page.Cursors); n > 0 && page.More {
			l.Next = page.Cursors[n-1]
		}
		if len(page.Cursors) > 0 && page.Less {
			l.Before = page.Cursors[0]
		}
		if l.Counts, err = count(tx, roster); err != nil {
			return err
		}
		l.Total = -1
		switch {
		case l.Counts != nil:
			l.Total = l.Counts.Of(f.Status)
		case !page.More && !page.Less:
			l.Total = len(page.Students)
		}
		l.Courses, l.Managers, err = tx.ListFacets(scope, f.Counted, f.Status)
		l.FacetsCounted = len(roster.Words) == 0 && f.Status != school.StatusStuck
		return err
	})
	return l, err
}

// count answers the counts of the chips: from the roll-ups where they have them,
// else by looking at each student, unless there are too many.
func count(tx *store.Tx, r store.Roster) (*school.StudentCounts, error) {
	n := r.Counts
	if len(r.Words) > 0 {
		if !r.Rare && n.All()+n.Test > maxCounted { // each is compared with the words
			return nil, nil //nolint:nilnil // not counted
		}
		n, err := tx.CountRoster(r)
		return &n, err
	}
	var err error
	switch period := r.Filter.Period; {
	case period.All(): // the sums have it
	case period.From > school.StuckSince(school.DayOf(tx.Now, r.Zone)):
		n.Stuck = 0 // nobody has been here for long enough
	case n.Active > maxCounted:
		n.Stuck = -1
	default:
		n.Stuck, err = tx.CountStuck(r)
	}
	return &n, err
}

// exportBatch is how many students are read at once for an export.
const exportBatch = 500

// NoteExport tells the history that the actor has taken a list of students out of
// the house. Errors: Forbidden.
func (d *Desk) NoteExport(ctx context.Context, actor school.Actor, format string) error {
	if err := actor.May(school.ViewStudents); err != nil {
		return err
	}
	return d.noteExport(ctx, actor, map[string]string{"format": format})
}

func (d *Desk) noteExport(ctx context.Context, actor school.Actor, details map[string]string) error {
	return d.store.Write(ctx, func(tx *store.Tx) error {
		return tx.InsertActivity(actor, school.StudentsExported, "", details)
	})
}

// EachStudent answers every student of the list, in its order, for as long as they
// are asked for. One batch is in memory at a time, and none keeps the database
// waiting while it is sent: a student who is moved meanwhile is met once or not at
// all, and everybody who stays is met once. Errors: Forbidden, and those of reading,
// at the end.
func (d *Desk) EachStudent(ctx context.Context, actor school.Actor, f school.StudentFilter) (iter.Seq2[school.Student, error], error) {
	if err := actor.May(school.ViewStudents); err != nil {
		return nil, err
	}
	f.After, f.Before, f.Size = school.Cursor{}, school.Cursor{}, exportBatch
	return func(yield func(school.Student, error) bool) {
		for {
			var page store.StudentPage
			err := d.counting(ctx, actor, func(tx *store.Tx, scope school.Scope, zone *time.Location) error {
				roster, err := tx.NewRoster(scope, f, zone)
				if err != nil {
					return err
				}
				page, err = tx.ListRoster(roster)
				return err
			})
			if err != nil {
				yield(school.Student{}, err)
				return
			}
			for _, s := range page.Students {
				if !yield(s, nil) {
					return
				}
			}
			if !page.More {
				return
			}
			f.After = page.Cursors[len(page.Cursors)-1]
		}
	}, nil
}
