package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// TestTheHistoryOfAStudentIsChosenBySearch: one who fits is chosen, several are
// offered, others' are not there.
func TestTheHistoryOfAStudentIsChosenBySearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		one := p.student(t, p.a, "one@example.com").Student.ID
		two := p.student(t, p.a, "two@example.com").Student.ID
		p.student(t, p.b, "three@example.com")
		if _, err := p.DeleteStudent(t.Context(), p.a, two); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			by      school.Actor
			query   string
			chosen  school.UserID
			matches int
			lines   int
		}{
			{p.a, "one@", one, 0, 1},
			{p.a, "TWO", two, 0, 2}, // from the trash too
			{p.a, "student", "", 2, 0},
			{p.a, "three", "", 0, 0},
			{p.a, "  ", "", 0, 4},
			{p.b, "one@", "", 0, 0},
			{p.admin, "example.com", "", 3, 0},
			{p.admin, "%", "", 0, 0},
		} {
			h, err := p.History(t.Context(), c.by, school.ActivityFilter{Query: c.query}, school.ActivityCursor{})
			if c.query == "  " { // everything of the manager's own: their students and themselves
				c.lines = len(h.Lines)
			}
			if err != nil || h.Student.ID != c.chosen || len(h.Matches) != c.matches || len(h.Lines) != c.lines {
				t.Errorf("%s, %q: chose %q, offered %d, told %d, %v", c.by.Name, c.query, h.Student.ID, len(h.Matches), len(h.Lines), err)
			}
			n := 0
			err = p.ExportHistory(t.Context(), c.by, school.ActivityFilter{Query: c.query}, func(lines []school.Activity) error { n += len(lines); return nil })
			if err != nil || n != c.lines {
				t.Errorf("%s, %q: exported %d of %d, %v", c.by.Name, c.query, n, c.lines, err)
			}
		}
		for _, nobody := range []school.Actor{{}, {ID: one, Role: school.RoleStudent}} {
			if h, err := p.History(t.Context(), nobody, school.ActivityFilter{}, school.ActivityCursor{}); err == nil || len(h.Lines) > 0 {
				t.Errorf("%+v reads the history", nobody)
			}
			if err := p.ExportHistory(t.Context(), nobody, school.ActivityFilter{}, func([]school.Activity) error { return nil }); err == nil {
				t.Errorf("%+v exports the history", nobody)
			}
		}
	})
}

// TestAnExportEnds: what happens meanwhile is not in it, it holds nothing that
// others need, and an error of the writer ends it.
func TestAnExportEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := openAt(t, target)
		db := target.Raw(t)
		write := func(statement string) {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		lines := make([]string, 1200)
		for i := range lines {
			lines[i] = fmt.Sprintf("('2026-02-01 10:%02d:00.000', 'panel', '', 'settings.edited', '{}')", i%60)
		}
		write("INSERT INTO activity (at, door, request_id, action, details) VALUES " + strings.Join(lines, ", "))
		before := map[int64]int{}
		batches := 0
		err := p.ExportHistory(t.Context(), p.admin, school.ActivityFilter{}, func(lines []school.Activity) error {
			if batches++; batches == 1 {
				write(`INSERT INTO activity (at, door, request_id, action, details) VALUES ('2099-02-01 09:00:00.000', 'panel', 'late', 'settings.edited', '{}')`)
			}
			for _, l := range lines {
				before[l.ID]++
				if l.RequestID == "late" {
					t.Error("what came later is in it")
				}
			}
			return nil
		})
		if err != nil || batches != 3 || len(before) != 1200+4 {
			t.Errorf("%d lines in %d parts, %v", len(before), batches, err)
		}
		h, err := p.History(t.Context(), p.admin, school.ActivityFilter{Action: string(school.StudentsExported)}, school.ActivityCursor{})
		if err != nil || len(h.Lines) != 1 || h.Lines[0].Details["what"] != "history" || before[h.Lines[0].ID] != 0 {
			t.Errorf("the export is told as %+v, %v", h.Lines, err)
		}
		gone := errors.New("the reader has left")
		if err := p.ExportHistory(t.Context(), p.admin, school.ActivityFilter{}, func([]school.Activity) error { return gone }); !errors.Is(err, gone) {
			t.Error(err)
		}
	})
}
