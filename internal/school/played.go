package school

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Span is a part of a video, in milliseconds from its beginning: From included,
// To not.
type Span struct{ From, To int64 }

// Played are the parts of a video that were really played: in order, without
// overlaps or gaps of nothing. The zero value is nothing.
type Played []Span

// Limits of what a report may say and a row may keep. No video is longer than
// MaxVideoSeconds.
const (
	MaxReportedRanges = 500
	maxSpans          = 500
	MaxVideoSeconds   = 24 * 60 * 60
)

// MaxSpeed is the fastest playing that counts: in one second that passes no more
// seconds of video than this can be earned.
const MaxSpeed = 2

// reportSlack forgives clocks and buffers.
const reportSlack = 3 * time.Second

// PlayReport is what a player tells, in seconds.
type PlayReport struct {
	Ranges   [][2]float64
	Duration float64
	Position float64
}

// Check answers the report in milliseconds. Errors: Invalid progress_invalid.
func (r PlayReport) Check() (played Played, positionMS int64, err error) {
	second := func(v float64) bool { return v >= 0 && v <= MaxVideoSeconds } // NaN is neither
	if len(r.Ranges) > MaxReportedRanges || !second(r.Duration) || !second(r.Position) {
		return nil, 0, ErrProgressInvalid
	}
	for _, v := range r.Ranges {
		if !second(v[0]) || !second(v[1]) || v[1] < v[0] {
			return nil, 0, ErrProgressInvalid
		}
		played = append(played, Span{From: int64(math.Round(v[0] * 1000)), To: int64(math.Round(v[1] * 1000))})
	}
	return played.tidy(), int64(math.Round(r.Position * 1000)), nil
}

// tidy puts spans of any order and overlap into the form of Played.
func (p Played) tidy() Played {
	sorted := slices.Clone(p)
	slices.SortFunc(sorted, func(a, b Span) int { return int(a.From - b.From) })
	var out Played
	for _, s := range sorted {
		switch last := len(out) - 1; {
		case s.To <= s.From:
		case last >= 0 && s.From <= out[last].To:
			out[last].To = max(out[last].To, s.To)
		default:
			out = append(out, s)
		}
	}
	return out
}

// Union is what was played in either.
func (p Played) Union(other Played) Played { return append(slices.Clone(p), other...).tidy() }

// without answers the parts of p that are not in other.
func (p Played) without(other Played) Played {
	var out Played
	for _, s := range p {
		for _, o := range other {
			if o.To <= s.From || o.From >= s.To {
				continue
			}
			if o.From > s.From {
				out = append(out, Span{s.From, o.From})
			}
			s.From = min(o.To, s.To)
		}
		if s.From < s.To {
			out = append(out, s)
		}
	}
	return out
}

// Until answers the parts before a moment of the video.
func (p Played) Until(ms int64) Played {
	var out Played
	for _, s := range p {
		if s.From < ms {
			out = append(out, Span{s.From, min(s.To, ms)})
		}
	}
	return out
}

// MS is how many milliseconds were played.
func (p Played) MS() (n int64) {
	for _, s := range p {
		n += s.To - s.From
	}
	return n
}

// first answers the first so many milliseconds of what was played.
func (p Played) first(ms int64) Played {
	var out Played
	for _, s := range p {
		if ms <= 0 {
			break
		}
		s.To = min(s.To, s.From+ms)
		ms -= s.To - s.From
		out = append(out, s)
	}
	return out
}

// Earn adds a report to what was played. What is new is cut to what can have been
// played since the lesson was first opened: nobody watches faster than MaxSpeed.
func (p Played) Earn(report Played, sinceOpened time.Duration) Played {
	possible := int64((sinceOpened + reportSlack) / time.Millisecond * MaxSpeed)
	fresh := report.without(p).first(possible - p.MS())
	return p.Union(fresh).longest(maxSpans)
}

// longest bounds how many spans a row keeps. Only who has jumped hundreds of times
// without ever closing a gap loses anything: the shortest spans.
func (p Played) longest(n int) Played {
	if len(p) <= n {
		return p
	}
	kept := slices.Clone(p)
	slices.SortFunc(kept, func(a, b Span) int { return int((b.To - b.From) - (a.To - a.From)) })
	return kept[:n].tidy()
}

// String is the form in which a row keeps it: "0-12500,30000-61000".
func (p Played) String() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(s.From, 10))
		b.WriteByte('-')
		b.WriteString(strconv.FormatInt(s.To, 10))
	}
	return b.String()
}

// ParsePlayed reads what String wrote. Errors: for anything else.
func ParsePlayed(text string) (p Played, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, _ := strings.Cut(part, "-")
		var s Span
		if s.From, err = strconv.ParseInt(from, 10, 64); err != nil {
			return nil, err
		}
		if s.To, err = strconv.ParseInt(to, 10, 64); err != nil {
			return nil, err
		}
		p = append(p, s)
	}
	return p.tidy(), nil
}
