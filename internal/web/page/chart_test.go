package page

import "testing"

func TestAxesEndJustAboveTheHighestBar(t *testing.T) {
	cases := []struct {
		most  int64
		count int
		step  int64
	}{
		{0, 1, 1}, {1, 1, 1}, {2, 2, 1}, {3, 3, 1}, {4, 4, 1}, {5, 5, 1}, {6, 3, 2}, {7, 4, 2}, {8, 4, 2}, {9, 5, 2}, {11, 3, 5},
		{17, 4, 5}, {41, 5, 10}, {100, 4, 25}, {1234, 5, 250},
	}
	for _, c := range cases {
		if count, step := steps(c.most); count != c.count || step != c.step {
			t.Errorf("up to %d: %d steps of %d, want %d of %d", c.most, count, step, c.count, c.step)
		}
	}
	for most := range int64(3000) {
		count, step := steps(most)
		if top := int64(count) * step; top < most || most > 3 && top > 2*most {
			t.Errorf("up to %d the axis ends at %d", most, top)
		}
	}
}

func TestSparks(t *testing.T) {
	cases := []struct {
		trend []int
		want  string
	}{
		{[]int{0, 10}, "M0.0 42L100.0 8"},
		{[]int{5, 5, 5}, "M0.0 42L50.0 42L100.0 42"}, // nothing has changed
		{[]int{-1, 0, 1}, "M0.0 42L50.0 25L100.0 8"},
	}
	for _, c := range cases {
		if got := spark(c.trend); got != c.want {
			t.Errorf("%v is %q, want %q", c.trend, got, c.want)
		}
	}
}
