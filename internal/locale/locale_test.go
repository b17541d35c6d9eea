package locale

import (
	"testing"
	"time"

	"tripwire/internal/school"
)

var (
	almaty = time.FixedZone("Asia/Almaty", 5*3600)
	now    = time.Date(2026, 12, 14, 20, 30, 0, 0, time.UTC) // 15 December in Almaty
)

func printer(lang school.Language) Printer { return Printer{Lang: lang, Zone: almaty, Now: now} }

func TestPlurals(t *testing.T) {
	cases := []struct {
		lang school.Language
		n    int
		want string
	}{
		{school.Russian, 1, "1 модуль"}, {school.Russian, 3, "3 модуля"}, {school.Russian, 5, "5 модулей"},
		{school.Russian, 11, "11 модулей"}, {school.Russian, 21, "21 модуль"}, {school.Russian, 1112, "1\u00a0112 модулей"}, {school.Russian, 0, "0 модулей"},
		{school.Kazakh, 1, "1 модуль"}, {school.Kazakh, 5, "5 модуль"},
		{school.English, 1, "1 module"}, {school.English, 0, "0 modules"},
	}
	for _, c := range cases {
		if got := printer(c.lang).N("panel.modules", c.n); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.lang, c.n, got, c.want)
		}
	}
}

func TestMoney(t *testing.T) {
	cases := []struct {
		m    school.Money
		lang school.Language
		want string
	}{
		{school.Money{Minor: 500000, Currency: "KZT"}, school.Russian, "5\u00a0000\u00a0₸"},
		{school.Money{Minor: 500005, Currency: "KZT"}, school.Russian, "5\u00a0000,05\u00a0₸"},
		{school.Money{Minor: -50, Currency: "KZT"}, school.Russian, "−0,50\u00a0₸"},
		{school.Money{Minor: -123450, Currency: "KZT"}, school.English, "−1\u00a0234.50\u00a0₸"},
		{school.Money{Minor: 99, Currency: "USD"}, school.English, "0.99\u00a0$"},
		{school.Money{Minor: 1234567, Currency: "JPY"}, school.Russian, "1\u00a0234\u00a0567\u00a0JPY"},
		{school.Money{}, school.Russian, "0"},
	}
	for _, c := range cases {
		if got := printer(c.lang).Money(c.m); got != c.want {
			t.Errorf("%v: %q, want %q", c.m, got, c.want)
		}
	}
}

func TestAmountsOfTheHistory(t *testing.T) {
	for kept, want := range map[string]string{
		"5000 KZT": "5\u00a0000\u00a0₸", "1500.50 KZT": "1\u00a0500,50\u00a0₸", "": "", "much": "much", "5 x y": "5\u00a0x y", "-1 KZT": "-1 KZT",
	} {
		if got := printer(school.Russian).Amount(kept); got != want {
			t.Errorf("%q: %q, want %q", kept, got, want)
		}
	}
}

func TestRough(t *testing.T) {
	ru, en := printer(school.Russian), printer(school.English)
	cases := []struct{ got, want string }{
		{ru.Rough(0), "0"},
		{ru.Rough(7500), "7\u00a0500"},
		{ru.Rough(25_000), "25\u00a0тыс."},
		{ru.Rough(1_250_000), "1,25\u00a0млн"},
		{ru.Rough(2_500_000_000), "2,5\u00a0млрд"},
		{en.Rough(1_050_000), "1.05M"},
		{en.Rough(12_500), "12.5K"},
		{printer(school.Kazakh).Rough(300_000), "300\u00a0мың"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	p := printer(school.Russian)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	cases := []struct{ got, want string }{
		{p.Time(at(-time.Hour)), "сегодня, 00:30"},
		{p.Time(at(-2 * time.Hour)), "вчера, 23:30"},
		{p.Time(at(24 * time.Hour)), "завтра, 01:30"},
		{p.Time(at(-72 * time.Hour)), "12 дек"},
		{p.Time(at(-365 * 24 * time.Hour)), "15 дек 2025"},
		{p.Time(time.Time{}), "—"},
		{p.Moment(at(-72 * time.Hour)), "12 дек,\u00a001:30"},
		{p.Moment(at(-time.Hour)), "сегодня, 00:30"},
		{p.DateTime(now), "15 декабря 2026, 01:30"},
		{p.Clock(now), "01:30:00"},
		{printer(school.Kazakh).DateTime(now), "2026 жылғы 15 желтоқсан, 01:30"},
		{printer(school.Kazakh).Time(now), "бүгін, 01:30"},
		{printer(school.English).Date(now), "15 December 2026"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestValuesAreNotPlaceholders(t *testing.T) {
	got := printer(school.Russian).T("pager.range", "first", "{last}", "last", "{total}", "total", "9")
	if want := "{last}–{total} из 9"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestUnknownKeysShow(t *testing.T) {
	if got := printer(school.Russian).T("no.such"); got != "⟦no.such⟧" {
		t.Error(got)
	}
}

func TestErrorOfUnknownCodeIsOurs(t *testing.T) {
	p := printer(school.Russian)
	if p.Error("no_such", nil) != p.Error("internal", nil) {
		t.Error("an unknown code has a sentence of its own")
	}
	if got, want := p.Error("module_unreachable", nil), "К модулю «…» не ведёт ни одно правило. Проверьте правила открытия."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestActivity(t *testing.T) {
	p := printer(school.Russian)
	a := school.Activity{Action: school.StudentCreated, ActorName: "Вера К.", Subject: "Тест {actor}"}
	if got, want := p.Activity(a), "Вера К.: ученик добавлен — Тест {actor}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	a.ActorName, a.Door = "", school.DoorTerminal
	if got, want := p.Activity(a), "Терминал: ученик добавлен — Тест {actor}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMatch(t *testing.T) {
	cases := []struct {
		header string
		want   school.Language
		ok     bool
	}{
		{"kk-KZ,kk;q=0.9,ru;q=0.8", school.Kazakh, true},
		{"en-GB", school.English, true},
		{"ru", school.Russian, true},
		{"ja", "", false},
		{"", "", false},
		{";;;", "", false},
	}
	for _, c := range cases {
		if got, ok := Match(c.header); got != c.want || ok != c.ok {
			t.Errorf("%q: %q %v, want %q %v", c.header, got, ok, c.want, c.ok)
		}
	}
}

// TestDaysAreHeadings: near ones have a name, those of another year say which.
func TestDaysAreHeadings(t *testing.T) {
	zone := time.FixedZone("+05", 5*3600)
	now := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC) // the 25th there
	p := Printer{Lang: school.Russian, Zone: zone, Now: now}
	for at, want := range map[time.Time]string{
		now: "Сегодня", time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC): "Сегодня", time.Date(2026, 11, 24, 18, 59, 0, 0, time.UTC): "Вчера",
		now.AddDate(0, 0, -2): "23 ноября", now.AddDate(-1, 0, 0): "25 ноября 2025",
	} {
		if got := p.DayHeading(at); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
	if got := p.Minute(now); got != "01:00" {
		t.Errorf("%q", got)
	}
}
