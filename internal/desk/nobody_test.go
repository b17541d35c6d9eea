package desk_test

import (
	"context"
	"testing"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// TestWhatNobodyHasCanBeChosen: the cards, the list, the ledger and the ranking
// agree; and an id that nobody has chooses nothing.
func TestWhatNobodyHasCanBeChosen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		p.student(t, p.a, "somebodys@example.com")
		for _, email := range []string{"n1@example.com", "n2@example.com"} {
			c := p.student(t, p.a, email)
			db := target.Raw(t)
			for _, statement := range []string{"UPDATE tripwire_users SET granted_by = NULL WHERE email = '" + email + "'", "UPDATE money_events SET manager_id = NULL WHERE user_id = '" + string(c.Student.ID) + "'"} {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			_ = db.Close()
		}
		for _, of := range []struct {
			by      school.Actor
			manager school.UserID
			want    int
		}{
			{p.admin, school.Nobody, 2}, {p.admin, "", 3}, {p.admin, p.a.ID, 1}, {p.a, school.Nobody, 0},
			{p.admin, "ffffffff-ffff-ffff-ffff-ffffffffffff", 0}, {p.a, "ffffffff-ffff-ffff-ffff-ffffffffffff", 0},
		} {
			f := school.Counted{Manager: of.manager}
			cards, err := p.Figures(ctx, of.by, f, "")
			if err != nil || cards.Sales.Count != of.want || cards.Students.All() != of.want {
				t.Errorf("%+v: the cards have %d sales, %d students, %v", of, cards.Sales.Count, cards.Students.All(), err)
			}
			l, err := p.Students(ctx, of.by, school.StudentFilter{Counted: f})
			if err != nil || len(l.Students) != of.want || l.Total != of.want {
				t.Errorf("%+v: the list has %d, of %d, %v", of, len(l.Students), l.Total, err)
			}
			m, err := p.Money(ctx, of.by, f, school.Cursor{}, 10)
			if err != nil || len(m.Events) != of.want || m.Sum.Count != of.want {
				t.Errorf("%+v: the ledger has %d, of %d, %v", of, len(m.Events), m.Sum.Count, err)
			}
			if of.by.ID == p.admin.ID && (facet(l.Managers) != 2 || facet(m.Managers) != 2) {
				t.Errorf("%+v: to choose are %+v and %+v", of, l.Managers, m.Managers)
			}
		}
		ranking, err := p.Ranking(ctx, p.admin, school.Counted{})
		if last := ranking[len(ranking)-1]; err != nil || last.Manager != "" || last.Sales.Count != 2 || last.Active != 2 {
			t.Errorf("the ranking ends with %+v, %v", last, err)
		}
	})
}

func facet(all []school.Facet) int {
	for _, f := range all {
		if f.ID == string(school.Nobody) {
			return f.Count
		}
	}
	return 0
}
