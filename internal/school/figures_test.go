package school

import (
	"slices"
	"testing"
)

func TestEveryGroupingIsReadable(t *testing.T) {
	for _, days := range []int{1, 7, 13, 14, 31, 92, 100, 101, 366, 400, 401, 1500} {
		groups, usual := Offered(days)
		if !slices.Contains(groups, usual) {
			t.Fatalf("%d days: %q is not among %q", days, usual, groups)
		}
		for _, g := range groups {
			bars := g.Bars(Period{From: "2026-01-01", To: Day("2026-01-01").Add(days - 1)})
			if n := len(bars); n > 100 || n < 2 && days > 1 {
				t.Errorf("%d days by %s are %d bars", days, g, n)
			}
			for i, next := range bars[1:] {
				if bars[i].To.Add(1) != next.From {
					t.Errorf("%d days by %s: %s follows %s", days, g, next.From, bars[i].To)
				}
			}
		}
	}
}

func TestTiesShareAPlace(t *testing.T) {
	all := []Standing{
		{Manager: "c", Name: "В", Sales: Sales{Count: 2}}, {Sales: Sales{Count: 9}}, {Manager: "a", Name: "А", Sales: Sales{Count: 5}},
		{Manager: "d", Name: "Б", Sales: Sales{Count: 2}}, {Manager: "e", Name: "Г"}, {Manager: "f", Name: "Д"},
	}
	Rank(all)
	var got []int
	var order string
	for _, s := range all {
		got, order = append(got, s.Place), order+string(s.Manager)
	}
	if want := []int{1, 2, 2, 4, 4, 0}; !slices.Equal(got, want) || order != "adcef" {
		t.Errorf("places are %v, want %v, in the order %s", got, want, order)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		took map[int]int
		want float64
		ok   bool
	}{
		{nil, 0, false}, {map[int]int{3: 0}, 0, false}, {map[int]int{4: 1}, 4, true}, {map[int]int{1: 1, 2: 1}, 1.5, true},
		{map[int]int{1: 2, 9: 1}, 1, true}, {map[int]int{0: 1, 5: 1, 7: 1, 100: 1}, 6, true},
	} {
		if got, ok := Median(c.took); got != c.want || ok != c.ok {
			t.Errorf("%v: %v, %v", c.took, got, ok)
		}
	}
}

func TestCursorsAndSortsSurviveAnAddress(t *testing.T) {
	for _, c := range []Cursor{{}, {Keys: []string{"2026-11-24 10:00:00.000"}, ID: 7}, {Keys: []string{"әлия a@b.kz", "x"}, ID: 1 << 40}} {
		if back, err := ParseCursor(c.String()); err != nil || back.ID != c.ID || !slices.Equal(back.Keys, c.Keys) {
			t.Errorf("%+v comes back as %+v, %v", c, back, err)
		}
	}
	for _, s := range []string{"x", "!!", "e30", "eyJpIjotMX0", Cursor{Keys: []string{"a", "b", "c"}, ID: 1}.String()} {
		if c, err := ParseCursor(s); err == nil {
			t.Errorf("%q is the cursor %+v", s, c)
		}
	}
	for said, want := range map[string]Sort{
		"": NewestFirst, "added": {By: SortAdded}, "-added": NewestFirst, "name": {By: SortName}, "-manager": {SortManager, true}, "password_hash": NewestFirst, "-": NewestFirst,
	} {
		got := ParseSort(said)
		if got != want || ParseSort(got.String()) != want {
			t.Errorf("%q is %+v", said, got)
		}
	}
}
