package roster

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tripwire/internal/school"
)

// Cell is one value of a row. The zero Cell is empty.
type Cell struct {
	kind   kind
	digits int // after the point, of an amount
	number int64
	text   string
	at     time.Time // the clock on the wall, as if it stood in UTC
}

type kind uint8

const (
	empty kind = iota
	text
	number
	amount
	moment
	day
)

// Empty is a cell with nothing in it.
func Empty() Cell { return Cell{} }

// Text is text, whatever it looks like: no spreadsheet computes it.
func Text(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{kind: text, text: clean(s)}
}

// Number is a whole number.
func Number(n int64) Cell { return Cell{kind: number, number: n} }

// Money is an amount to compute with, with the digits of its currency. The
// currency is text and wants a column of its own.
func Money(m school.Money) Cell {
	return Cell{kind: amount, number: m.Minor, digits: school.MinorDigits(m.Currency)}
}

// Time is a moment by the clock of the zone, to the second; spreadsheets know no
// zones. The zero time is an empty cell.
func Time(t time.Time, zone *time.Location) Cell {
	if t.IsZero() {
		return Cell{}
	}
	t = t.In(zone)
	year, month, date := t.Date()
	hour, minute, second := t.Clock()
	return Cell{kind: moment, at: time.Date(year, month, date, hour, minute, second, 0, time.UTC)}
}

// Day is a calendar day. No day is an empty cell; what is not a day is text.
func Day(d school.Day) Cell {
	at, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return Text(string(d))
	}
	return Cell{kind: day, at: at}
}

// plain is the cell in characters; the point of an amount is the reader's.
func (c Cell) plain(point byte) string {
	switch c.kind {
	case text:
		return c.text
	case number:
		return strconv.FormatInt(c.number, 10)
	case amount:
		return decimal(c.number, c.digits, point)
	case moment:
		return c.at.Format(time.DateTime)
	case day:
		return c.at.Format(time.DateOnly)
	case empty:
	}
	return ""
}

// decimal puts the point into a number of minor units: -1234 with two digits is
// -12.34.
func decimal(minor int64, digits int, point byte) string {
	s := strconv.FormatInt(minor, 10)
	if digits == 0 {
		return s
	}
	sign := ""
	if minor < 0 {
		sign, s = "-", s[1:]
	}
	if missing := digits + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	return sign + s[:len(s)-digits] + string(point) + s[len(s)-digits:]
}

// clean leaves only what a text file and XML 1.0 can both carry. Lines end in \n;
// what cannot be shown becomes U+FFFD, so that it is seen that something was there.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return strings.Map(func(r rune) rune {
		if allowed(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

func isClean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !allowed(r) || r == '\r' {
			return false
		}
	}
	return true
}

// allowed are tabs, ends of lines, and what is neither a control character nor a
// noncharacter. XML 1.0 forbids U+FFFE and U+FFFF of the latter.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || !unicode.IsControl(r) && r&0xFFFE != 0xFFFE
}
