package page_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tripwire/internal/locale"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// figures is a page of everything that counts: the days, the cards, the chart and
// the ranking, as they stand on the panel.
func figures(c page.Chrome, period page.Period, stats []page.Stat, chart page.Chart, ranking page.Ranking) templ.Component {
	body := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		parts := []any{
			`<div class="page-head"><div><h1>`, templ.Raw(templ.EscapeString(c.P.T("panel.title"))), `</h1></div><span class="spacer"></span>`,
			page.PeriodPicker(c, period), `</div>`, page.Figures(c, stats),
			`<div class="cols">`, page.SalesChart(c, chart), page.ManagerRanking(c, ranking), `</div>`, page.ChartScripts(c),
		}
		for _, part := range parts {
			component, ok := part.(templ.Component)
			if !ok {
				component = templ.Raw(part.(string))
			}
			if err := component.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return page.Layout(c).Render(templ.WithChildren(ctx, body), w)
	})
}

func periodOf(k kind) page.Period {
	m := page.Period{
		Current: school.Period{Name: school.PeriodMonth, From: "2026-12-01", To: "2026-12-14"},
		URL:     func(name school.PeriodName) string { return "/integrator/sales-manager?period=" + string(name) },
		Hidden:  []page.Pair{{Name: "q", Value: k.text("нұрлан")}},
	}
	m.Compared, _ = m.Current.Before()
	switch k {
	case full:
	case empty:
		m.Current, m.Compared = school.Period{}, school.Period{}
	case hostile:
		m.From, m.To = evil, evil
		m.Fields = map[string]string{"from": "date_invalid", "to": "range_backwards", "period": "period_unknown"}
	}
	return m
}

func stats(k kind, p locale.Printer) []page.Stat {
	if k == empty {
		return nil
	}
	change, _ := page.ChangePart(p, 41, 35, school.Period{From: "2026-11-01", To: "2026-11-14"})
	return []page.Stat{
		{Label: k.text("Всего продаж"), Value: k.text("128"), Sub: []page.Part{{Text: k.text("640 000 ₸")}}, Trend: []int{1, 4, 2, 8}, URL: "/x"},
		{Label: k.text("Активных"), Value: k.text("119"), Trend: []int{0, 0, 0}, Tone: "info", URL: "/x?status=active"},
		{Label: k.text("Завершили курс"), Error: k.text("7F3K-21")},
		{Label: k.text("Этот месяц"), Value: k.text("41"), Sub: []page.Part{change, {Text: k.text("12%"), Trend: -12}}, Trend: []int{3}},
	}
}

func chart(k kind, p locale.Printer) page.Chart {
	m := page.Chart{Period: k.text("1–14 декабря"), Group: school.ByDay, Groups: []page.GroupLink{{school.ByDay, "/x?group=day"}, {school.ByWeek, "/x?group=week"}}}
	if k == empty {
		return m
	}
	bars := school.ByDay.Bars(school.Period{From: "2026-12-01", To: "2026-12-14"})
	bars[1].Sales.Add(3, school.Money{Minor: 1500000, Currency: "KZT"})
	bars[8].Sales.Add(8, school.Money{Minor: 4000000, Currency: "KZT"})
	bars[8].Sales.Add(0, school.Money{Minor: 9900, Currency: "USD"})
	m.Points, m.Compared = page.PointsOf(p, school.ByDay, bars), k.text("1–14 ноября")
	m.Change, _ = page.ChangePart(p, 11, 20, school.Period{From: "2026-11-01", To: "2026-11-14"})
	if k == hostile {
		for i := range m.Points {
			m.Points[i].Label, m.Points[i].Long = evil, evil
		}
	}
	return m
}

func ranking(k kind) page.Ranking {
	if k == empty {
		return page.Ranking{}
	}
	m := page.Ranking{AllURL: "/x"}
	for i := range 12 {
		m.Rows = append(m.Rows, page.RankRow{
			Place: max(i, 1), Name: k.text(fmt.Sprintf("Менеджер %d", i)), You: i == 9, Disabled: i%3 == 0, Active: i, Completed: i % 2, Chosen: i == 10,
			Sales: 30 - i, Revenue: []school.Money{{Minor: int64(30-i) * 500000, Currency: "KZT"}}, Month: 2 - i, URL: "/x?manager=1",
		})
	}
	m.Rows = append(m.Rows, page.RankRow{Nobody: true, Sales: 2, Month: -1})
	return m
}

// failed is the page when nothing could be read.
func failed(c page.Chrome, k kind) templ.Component {
	id := "7F3K-21" + k.text("")
	return figures(c, periodOf(full), []page.Stat{{Label: "Всего продаж", Error: id}}, page.Chart{Error: id}, page.Ranking{Error: id})
}

func TestAFailedReadIsNoZero(t *testing.T) {
	c := chrome(full, school.Russian, school.RoleSales)
	var b strings.Builder
	if err := failed(c, full).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{"data-chart", "<table", "stat-value", "board-row", "0 продаж"} {
		if strings.Contains(b.String(), unwanted) {
			t.Errorf("a page of failed reads has %q", unwanted)
		}
	}
	if n := strings.Count(b.String(), "7F3K-21"); n < 3 {
		t.Errorf("the request id stands %d times, want it at each of three blocks", n)
	}
}

func TestPointsAreNamedByTheirDays(t *testing.T) {
	p := locale.Printer{Lang: school.Russian, Zone: time.UTC, Now: now}
	for _, c := range []struct {
		group    school.Grouping
		from, to school.Day
		want     []string
	}{
		{school.ByDay, "2026-12-13", "2026-12-14", []string{"13 декабря", "14 декабря"}},
		{school.ByWeek, "2026-12-01", "2026-12-20", []string{"1–6 декабря", "7–13 декабря", "14–20 декабря"}},
		{school.ByMonth, "2026-11-30", "2026-12-31", []string{"30 ноября", "декабрь"}},
	} {
		var got []string
		for _, point := range page.PointsOf(p, c.group, c.group.Bars(school.Period{From: c.from, To: c.to})) {
			got = append(got, point.Long)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.group, got, c.want)
		}
	}
}

func TestChangeIsSaidOnlyOfSomething(t *testing.T) {
	p := locale.Printer{Lang: school.Russian, Now: now}
	if part, ok := page.ChangePart(p, 5, 0, school.Period{From: "2026-11-01", To: "2026-11-14"}); ok {
		t.Errorf("a change from nothing is %v", part)
	}
	if part, _ := page.ChangePart(p, 59, 50, school.Period{From: "2026-11-01", To: "2026-11-14"}); part.Text != "18% к 1–14 ноября" || part.Trend <= 0 {
		t.Errorf("59 after 50 is %v", part)
	}
	if part, _ := page.ChangePart(p, 25, 50, school.Period{From: "2026-11-01", To: "2026-11-14"}); part.Text != "50% к 1–14 ноября" || part.Trend >= 0 {
		t.Errorf("25 after 50 is %v", part)
	}
}

// TestOwnPlaceIsSeen: a long ranking folds, the reader's own row does not.
func TestOwnPlaceIsSeen(t *testing.T) {
	c := chrome(full, school.Russian, school.RoleSales)
	var b strings.Builder
	if err := page.ManagerRanking(c, ranking(full)).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	seen, folded, _ := strings.Cut(b.String(), "<details")
	if !strings.Contains(seen, "Менеджер 9") || !strings.Contains(seen, "Менеджер 10") || strings.Contains(seen, "Менеджер 8") {
		t.Errorf("the reader's own row, the chosen one and no other should be seen: %s", seen)
	}
	if !strings.Contains(folded, "Менеджер 8") {
		t.Error("the others are lost")
	}
}
