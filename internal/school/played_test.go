package school_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/school"
)

// marks is the same as Played, kept in the dullest way: one mark for each
// millisecond.
type marks map[int64]bool

func (m marks) add(p school.Played) {
	for _, s := range p {
		for ms := s.From; ms < s.To; ms++ {
			m[ms] = true
		}
	}
}

func anySpans(t *rapid.T, label string) school.PlayReport {
	var r school.PlayReport
	for range rapid.IntRange(0, 8).Draw(t, label) {
		from := rapid.IntRange(0, 400).Draw(t, "from")
		r.Ranges = append(r.Ranges, [2]float64{float64(from) / 1000, float64(from+rapid.IntRange(0, 120).Draw(t, "length")) / 1000})
	}
	return r
}

func played(t *rapid.T, label string) school.Played {
	p, _, err := anySpans(t, label).Check()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTheUnionIsWhatWasPlayedInEither, whatever the order and the overlaps, and
// it survives being kept.
func TestTheUnionIsWhatWasPlayedInEither(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := played(t, "a"), played(t, "b")
		want := marks{}
		want.add(a)
		want.add(b)
		u := a.Union(b)
		got := marks{}
		got.add(u)
		if int(u.MS()) != len(want) || len(got) != len(want) {
			t.Fatalf("%v and %v: %v is %d ms, want %d", a, b, u, u.MS(), len(want))
		}
		for i, s := range u {
			if s.From >= s.To || i > 0 && s.From <= u[i-1].To {
				t.Fatalf("not in order: %v", u)
			}
		}
		if other := b.Union(a); other.String() != u.String() {
			t.Fatalf("%v one way, %v the other", u, other)
		}
		if again := u.Union(b); again.String() != u.String() {
			t.Fatalf("the same report twice: %v, then %v", u, again)
		}
		back, err := school.ParsePlayed(u.String())
		if err != nil || back.String() != u.String() {
			t.Fatalf("kept %v, read %v, %v", u, back, err)
		}
	})
}

// TestNobodyEarnsMoreThanCanHavePassed, and who reports no more than that loses
// nothing.
func TestNobodyEarnsMoreThanCanHavePassed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var p school.Played
		all := marks{}
		passed := time.Duration(0)
		for range rapid.IntRange(1, 6).Draw(t, "reports") {
			passed += time.Duration(rapid.IntRange(0, 60_000).Draw(t, "ms")) * time.Millisecond
			from := float64(rapid.IntRange(0, 600).Draw(t, "from"))
			report, _, err := school.PlayReport{Ranges: [][2]float64{{from, from + float64(rapid.IntRange(0, 200).Draw(t, "length"))}}}.Check()
			if err != nil {
				t.Fatal(err)
			}
			before := p
			possible := int64((passed+3*time.Second)/time.Millisecond) * school.MaxSpeed
			wanted := p.Union(report)
			p = p.Earn(report, passed)
			if p.MS() > max(possible, before.MS()) {
				t.Fatalf("%v of %d ms after %s, in which only %d are possible", p, p.MS(), passed, possible)
			}
			if wanted.MS() <= possible && p.String() != wanted.String() {
				t.Fatalf("%d ms in %s is possible, but of %v only %v was kept", wanted.MS(), passed, wanted, p)
			}
			if p.Union(before).String() != p.String() {
				t.Fatalf("what was earned is lost: %v, then %v", before, p)
			}
			all.add(report)
		}
		if int64(len(all)) < p.MS() {
			t.Fatalf("%d ms earned of %d played", p.MS(), len(all))
		}
	})
}

// TestSeekingToTheEndEarnsNothing: the furthest point is not the progress.
func TestSeekingToTheEndEarnsNothing(t *testing.T) {
	t.Parallel()
	report, _, err := school.PlayReport{Ranges: [][2]float64{{0, 2}, {598, 600}}, Duration: 600, Position: 600}.Check()
	if err != nil {
		t.Fatal(err)
	}
	l := school.LessonProgress{
		Lesson: school.Lesson{Video: school.Video{Source: school.VideoFile, Seconds: 600}, Rules: []school.CompletionRule{{Kind: school.RuleVideo, Percent: 80}}},
		Played: school.Played(nil).Earn(report, time.Hour),
	}
	missing := l.Missing()
	if len(missing) != 1 || missing[0].Seconds != 476 || l.PlayedPercent() != 0 {
		t.Errorf("%d %%, missing %+v", l.PlayedPercent(), missing)
	}
}

func TestReportsThatAreNone(t *testing.T) {
	t.Parallel()
	many := make([][2]float64, school.MaxReportedRanges+1)
	for name, r := range map[string]school.PlayReport{
		"backwards":    {Ranges: [][2]float64{{5, 4}}},
		"before zero":  {Ranges: [][2]float64{{-1, 4}}},
		"not a number": {Ranges: [][2]float64{{0, math.NaN()}}},
		"for ever":     {Ranges: [][2]float64{{0, math.Inf(1)}}},
		"too long":     {Ranges: [][2]float64{{0, 1e9}}},
		"too many":     {Ranges: many},
		"duration":     {Duration: -1},
		"position":     {Position: math.NaN()},
	} {
		if _, _, err := r.Check(); school.KindOf(err) != school.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatARowKeepsIsBounded: thousands of tiny jumps do not make it grow for
// ever, and the longest parts stay.
func TestWhatARowKeepsIsBounded(t *testing.T) {
	t.Parallel()
	var p school.Played
	for i := range 30 {
		var r school.PlayReport
		for j := range 100 {
			at := float64(i*1000+j*10) / 1
			r.Ranges = append(r.Ranges, [2]float64{at, at + 0.5})
		}
		report, _, err := r.Check()
		if err != nil {
			t.Fatal(err)
		}
		p = p.Earn(report, 24*time.Hour)
	}
	long, _, _ := school.PlayReport{Ranges: [][2]float64{{40_000, 40_060}}}.Check()
	p = p.Earn(long, 24*time.Hour)
	if len(p) > 500 || p.Union(long).String() != p.String() || len(p.String()) > 16_000 {
		t.Errorf("%d parts, %d bytes", len(p), len(p.String()))
	}
}

// TestAnUnreadableRowIsAnError and not an empty history.
func TestAnUnreadableRowIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "1", "1-", "-", "1-x", "0-5,"} {
		if p, err := school.ParsePlayed(text); err == nil {
			t.Errorf("%q: %v", text, p)
		}
	}
}
