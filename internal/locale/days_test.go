package locale

import (
	"testing"

	"tripwire/internal/school"
)

// TestDays is told on 15 December 2026.
func TestDays(t *testing.T) {
	cases := []struct {
		from, to   school.Day
		ru, kk, en string
	}{
		{"2026-10-01", "2026-10-24", "1–24 октября", "1–24 қазан", "1–24 October"},
		{"2026-12-25", "2026-12-25", "25 декабря", "25 желтоқсан", "25 December"},
		{"2026-10-28", "2026-11-03", "28 окт – 3 ноя", "28 қаз – 3 қар", "28 Oct – 3 Nov"},
		{"2025-10-28", "2025-11-03", "28 окт – 3 ноя 2025", "2025 ж. 28 қаз – 3 қар", "28 Oct – 3 Nov 2025"},
		{"2025-10-01", "2025-10-24", "1–24 октября 2025", "2025 жылғы 1–24 қазан", "1–24 October 2025"},
		{"2025-12-29", "2026-01-04", "29 дек 2025 – 4 янв 2026", "2025 ж. 29 жел – 2026 ж. 4 қаң", "29 Dec 2025 – 4 Jan 2026"},
		{"2025-05-09", "2025-05-09", "9 мая 2025", "2025 жылғы 9 мамыр", "9 May 2025"},
		{"2027-01-01", "2027-01-02", "1–2 января 2027", "2027 жылғы 1–2 қаңтар", "1–2 January 2027"},
	}
	for _, c := range cases {
		for lang, want := range map[school.Language]string{school.Russian: c.ru, school.Kazakh: c.kk, school.English: c.en} {
			if got := printer(lang).Days(c.from, c.to); got != want {
				t.Errorf("%s: %s to %s is %q, want %q", lang, c.from, c.to, got, want)
			}
		}
	}
}

func TestDayAndMonthByThemselves(t *testing.T) {
	ru, kk, en := printer(school.Russian), printer(school.Kazakh), printer(school.English)
	cases := []struct{ got, want string }{
		{ru.Day("2026-12-25"), "25 дек"},
		{ru.Day("2025-12-25"), "25 дек 2025"},
		{ru.FullDay("2026-05-01"), "1 мая"},
		{kk.Day("2025-12-25"), "2025 ж. 25 жел"},
		{ru.Month("2026-05-01"), "май"},
		{ru.Month("2025-05-01"), "май 2025"},
		{kk.Month("2025-09-01"), "2025 ж. қыркүйек"},
		{en.Month("2026-09-01"), "September"},
		{ru.ShortMonth("2026-05-01"), "май"},
		{ru.ShortMonth("2025-11-01"), "ноя\u00a02025"},
		{kk.ShortMonth("2026-11-01"), "қар"},
		{en.ShortMonth("2026-09-01"), "Sep"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
