package locale

import (
	"strconv"
	"strings"
	"time"

	"tripwire/internal/school"
)

const nbsp = "\u00a0"

// Number groups thousands with a no-break space in every language.
func (p Printer) Number(n int) string { return group(strconv.Itoa(n)) }

func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + nbsp + digits[i:]
	}
	return sign + digits
}

// Percent is a whole share of a hundred.
func (p Printer) Percent(n int) string { return p.T("number.percent", "n", p.Number(n)) }

// Size is how large a file is, in the largest unit that fits it.
func (p Printer) Size(bytes int64) string {
	units := []string{"size.bytes", "size.kilobytes", "size.megabytes", "size.gigabytes"}
	value, unit := float64(bytes), 0
	for value >= 1000 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	if whole, fraction, _ := strings.Cut(text, "."); fraction == "0" || value >= 10 {
		text = group(strconv.FormatInt(int64(value+0.5), 10))
	} else {
		text = whole + p.T("number.point") + fraction
	}
	return p.T(units[unit], "n", text)
}

var symbols = map[string]string{"KZT": "₸", "RUB": "₽", "USD": "$", "EUR": "€"}

// Money is the amount and then the symbol, or the code where we have none. A
// fraction of zero is not said.
func (p Printer) Money(m school.Money) string {
	unit := int64(1)
	digits := school.MinorDigits(m.Currency)
	for range digits {
		unit *= 10
	}
	minor, sign := m.Minor, ""
	if minor < 0 { // said apart: −0,50 has a whole of 0
		minor, sign = -minor, "−"
	}
	s := sign + group(strconv.FormatInt(minor/unit, 10))
	if rest := minor % unit; rest != 0 {
		fraction := strconv.FormatInt(rest, 10)
		s += p.T("number.point") + strings.Repeat("0", digits-len(fraction)) + fraction
	}
	symbol, ok := symbols[m.Currency]
	if !ok {
		symbol = m.Currency
	}
	if symbol == "" {
		return s
	}
	return s + nbsp + symbol
}

// Amount says an amount as the history keeps it, "5000.50 KZT", as Money does. What
// is none stays as it is.
func (p Printer) Amount(kept string) string {
	number, currency, _ := strings.Cut(kept, " ")
	m, err := school.ParseMoney(number, currency)
	if err != nil || currency == "" {
		return kept
	}
	return p.Money(m)
}

func (p Printer) in(t time.Time) time.Time {
	if p.Zone == nil {
		return t.UTC()
	}
	return t.In(p.Zone)
}

// Time is short and near: «сегодня, 14:02», «вчера, 18:25», «14 дек», and with
// the year if it is another one. The zero time is a dash.
func (p Printer) Time(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	local, now := p.in(t), p.in(p.Now)
	clock := local.Format("15:04")
	switch day := startOfDay(local); {
	case day.Equal(startOfDay(now)):
		return p.T("time.today", "clock", clock)
	case day.Equal(startOfDay(now.AddDate(0, 0, -1))):
		return p.T("time.yesterday", "clock", clock)
	case day.Equal(startOfDay(now.AddDate(0, 0, 1))):
		return p.T("time.tomorrow", "clock", clock)
	case local.Year() == now.Year():
		return p.date(local, "date.short", "month.short.")
	default:
		return p.date(local, "date.short_year", "month.short.")
	}
}

// Moment is Time with the hour always said: «14 дек, 11:20».
func (p Printer) Moment(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	short := p.Time(t)
	if clock := p.in(t).Format("15:04"); !strings.Contains(short, clock) {
		return short + "," + nbsp + clock
	}
	return short
}

// DateTime is the full moment: «14 декабря 2026, 11:20».
func (p Printer) DateTime(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return p.Date(t) + ", " + p.in(t).Format("15:04")
}

// Date is the full day: «14 декабря 2026».
func (p Printer) Date(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return p.date(p.in(t), "date.full", "month.")
}

// DayHeading is the day as a heading: «Сегодня», «Вчера», «24 ноября», and with the year if
// it is another one.
func (p Printer) DayHeading(t time.Time) string {
	local, now := p.in(t), p.in(p.Now)
	switch day := startOfDay(local); {
	case day.Equal(startOfDay(now)):
		return p.T("time.day_today")
	case day.Equal(startOfDay(now.AddDate(0, 0, -1))):
		return p.T("time.day_yesterday")
	case local.Year() == now.Year():
		return p.date(local, "date.short", "month.")
	default:
		return p.date(local, "date.full", "month.")
	}
}

// Minute is the time of day.
func (p Printer) Minute(t time.Time) string { return p.in(t).Format("15:04") }

// Clock is the time of day to the second.
func (p Printer) Clock(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return p.in(t).Format("15:04:05")
}

func (p Printer) date(t time.Time, key, months string) string {
	return p.T(key,
		"day", strconv.Itoa(t.Day()),
		"month", p.T(months+strconv.Itoa(int(t.Month()))),
		"year", strconv.Itoa(t.Year()))
}

func startOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// Rough is a number for the axis of a chart: whole up to 9 999, then «25 тыс.»,
// «1,25 млн». Figures beyond the second after the point are cut off.
func (p Printer) Rough(n int64) string {
	units := []struct {
		size int64
		key  string
	}{{1e9, "number.billion"}, {1e6, "number.million"}, {1e3, "number.thousand"}}
	for _, unit := range units {
		if n < 10_000 || n < unit.size {
			continue
		}
		text := group(strconv.FormatInt(n/unit.size, 10))
		if rest := n % unit.size * 100 / unit.size; rest != 0 {
			text += p.T("number.point") + strings.TrimRight(strconv.FormatInt(100+rest, 10)[1:], "0")
		}
		return p.T(unit.key, "n", text)
	}
	return p.Number(int(n))
}
