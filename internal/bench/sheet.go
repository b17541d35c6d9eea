package main

import (
	"cmp"
	"slices"
	"time"
)

// point is one measurement. What has no rate or no spread leaves it zero.
type point struct {
	Rate  float64       `json:"rate,omitempty"` // a second
	P50   time.Duration `json:"p50_ns,omitempty"`
	P99   time.Duration `json:"p99_ns,omitempty"`
	Bytes float64       `json:"bytes,omitempty"`
	Cores float64       `json:"cores,omitempty"` // that the load would keep busy
}

// sheet keeps every measurement under its name; each round adds one.
type sheet struct{ points map[string][]point }

func (s *sheet) add(name string, p point) {
	if s.points == nil {
		s.points = map[string][]point{}
	}
	s.points[name] = append(s.points[name], p)
}

// median answers the median of each figure; the zero point where nothing was
// measured.
func (s *sheet) median(name string) point {
	all := s.points[name]
	if len(all) == 0 {
		return point{}
	}
	return point{
		Rate:  middle(all, func(p point) float64 { return p.Rate }),
		P50:   middle(all, func(p point) time.Duration { return p.P50 }),
		P99:   middle(all, func(p point) time.Duration { return p.P99 }),
		Bytes: middle(all, func(p point) float64 { return p.Bytes }),
		Cores: middle(all, func(p point) float64 { return p.Cores }),
	}
}

// ratio answers how many times faster one was than the other, in the median
// round: what slows the machine down slows both of a round. 0 where one was not
// measured.
func (s *sheet) ratio(name, to string) float64 {
	mine, other := s.points[name], s.points[to]
	var rounds []point
	for i := range min(len(mine), len(other)) {
		rounds = append(rounds, point{Rate: mine[i].Rate / other[i].Rate})
	}
	if len(rounds) == 0 {
		return 0
	}
	return middle(rounds, func(p point) float64 { return p.Rate })
}

func middle[T cmp.Ordered](all []point, of func(point) T) T {
	values := make([]T, len(all))
	for i, p := range all {
		values[i] = of(p)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
