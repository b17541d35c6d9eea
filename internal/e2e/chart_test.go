package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"tripwire/internal/locale"
	entity "tripwire/internal/school"
	"tripwire/internal/web/page"
	"tripwire/internal/web/static"
)

// figuresPage serves the blocks of figures by themselves, so that they can be met
// with any number of days: with the assets of the binary and under the policy that
// it sends. The query says what is shown: days, zero, lang, managers.
func figuresPage(t *testing.T) *httptest.Server {
	t.Helper()
	policy := policyOf(t, emptySQLite(t).serve(t).base)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(static.Files)))
	mux.HandleFunc("GET /figures", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := figures(r).Render(r.Context(), w); err != nil {
			t.Errorf("draw the page: %v", err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func policyOf(t *testing.T, base string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/login", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	policy := answer.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "style-src 'self'") {
		t.Fatalf("the policy of the binary is %q", policy)
	}
	return policy
}

// figures are made up, but always the same.
func figures(r *http.Request) templ.Component {
	ask := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(r.FormValue(name)); err == nil {
			return n
		}
		return otherwise
	}
	lang := entity.Language(r.FormValue("lang"))
	if lang == "" {
		lang = entity.Russian
	}
	c := page.Chrome{
		P:     locale.Printer{Lang: lang, Zone: time.UTC, Now: time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)},
		Actor: entity.Actor{ID: "0193", Role: entity.RoleAdmin, Name: "Вера Ким", Email: "vera@example.com"}, Section: "students", Title: "Figures",
	}
	days := ask("days", 31)
	period := entity.Period{Name: entity.PeriodRange, From: entity.Day("2026-12-31").Add(1 - days), To: "2026-12-31"}
	before, _ := period.Before()
	choice := page.Period{Current: period, Compared: before, URL: func(n entity.PeriodName) string { return "/figures?period=" + string(n) }, Action: "/figures", Hidden: []page.Pair{{Name: "lang", Value: string(lang)}}}
	if r.FormValue("month") != "" {
		choice.Current = entity.Period{Name: entity.PeriodMonth, From: "2026-12-01", To: "2026-12-31"}
	}
	if r.FormValue("wrong") != "" {
		choice.From, choice.To, choice.Fields = "2026-12-31", "2026-12-01", map[string]string{"to": "range_backwards"}
	}
	parts := []templ.Component{
		templ.Raw(`<div class="page-head"><div><h1>`), templ.Raw(c.P.T("panel.title")), templ.Raw(`</h1><p class="muted">Курс «Интегратор»</p></div><span class="spacer"></span>`),
		page.PeriodPicker(c, choice), templ.Raw(`</div>`), page.Figures(c, madeUpStats(c.P)), templ.Raw(`<div class="cols">`),
		page.SalesChart(c, madeUpChart(c.P, period, before, ask("zero", 0) == 0, ask("more", 0))), page.ManagerRanking(c, madeUpRanking(c.P.Days(period.From, period.To), ask("managers", 5))),
		templ.Raw(`</div>`), page.ChartScripts(c),
	}
	body := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error { return templ.Join(parts...).Render(ctx, w) })
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return page.Layout(c).Render(templ.WithChildren(ctx, body), w)
	})
}

func madeUpChart(p locale.Printer, period, before entity.Period, sold bool, more int) page.Chart {
	pattern := []int{2, 2, 1, 4, 5, 1, 1, 1, 0, 4, 2, 0, 7, 3, 2, 1, 1, 2, 2, 0, 2, 2, 2, 1, 8, 2, 3, 1, 3, 4, 6}
	bars := entity.ByDay.Bars(period)
	for i := range bars {
		if sold {
			n := pattern[i%len(pattern)] + more
			bars[i].Sales.Add(n, entity.Money{Minor: int64(n) * 500000, Currency: "KZT"})
		}
	}
	m := page.Chart{Period: page.PeriodText(p, period), Compared: p.Days(before.From, before.To), Group: entity.ByDay, Currency: "KZT"}
	m.Points = page.PointsOf(p, m.Group, bars)
	m.Change, _ = page.ChangePart(p, 82, 69, entity.Period{From: "2026-11-01", To: "2026-11-14"})
	groups, _ := entity.Offered(period.Days())
	for _, g := range groups {
		m.Groups = append(m.Groups, page.GroupLink{Group: g, URL: "/figures?group=" + string(g)})
	}
	return m
}

func madeUpStats(p locale.Printer) []page.Stat {
	change, _ := page.ChangePart(p, 41, 35, entity.Period{From: "2026-11-01", To: "2026-11-14"})
	tenge := func(minor int64) page.Part {
		return page.Part{Text: p.Money(entity.Money{Minor: minor, Currency: "KZT"})}
	}
	return []page.Stat{
		{Label: "Всего продаж", Value: "128", Sub: []page.Part{tenge(64000000)}, Trend: []int{2, 4, 3, 5, 7, 6, 8, 11}, URL: "/figures?a"},
		{Label: "Активных", Value: "119", Sub: []page.Part{{Text: "93% от всех"}}, Trend: []int{2, 3, 3, 4, 5, 6, 7, 8}, Tone: "info", URL: "/figures?b"},
		{Label: "Завершили курс", Value: "9", Sub: []page.Part{{Text: "в среднем за 4 дня"}}, Trend: []int{0, 0, 1, 1, 2, 2, 3, 4}, Tone: "warn", URL: "/figures?c"},
		{Label: "Этот месяц", Value: "41", Sub: []page.Part{change, tenge(20500000)}, Trend: []int{1, 3, 2, 5, 4, 7, 8, 10}, URL: "/figures?d"},
	}
}

func madeUpRanking(period string, managers int) page.Ranking {
	names := []string{"Борис Нуртаев", "Вера Ким", "Дана Оспанова", "Глеб Л.", "Әйгерім Құдайбергенқызы-Константинопольская", "مرحبا بالعالم"}
	m := page.Ranking{Period: period}
	for i := range managers {
		n := max(57-i*14, 1)
		m.Rows = append(m.Rows, page.RankRow{
			Name: names[i%len(names)], You: i == 1 && managers < 10 || i == 20, Disabled: i == 3, Active: max(n-i%3, 0), Completed: i % 3 * 2,
			Sales: n, Month: n/4 - i%2*100, Revenue: []entity.Money{{Minor: int64(n) * 500000, Currency: "KZT"}}, URL: "/figures?manager=" + strconv.Itoa(i),
		})
	}
	m.Rows = append(m.Rows, page.RankRow{Nobody: true, Sales: 2, Active: 2, Month: 0, Revenue: []entity.Money{{Minor: 1000000, Currency: "KZT"}}})
	for i := range m.Rows[:managers] {
		m.Rows[i].Place = i + 1
	}
	return m
}

// table is the chart as its table says it: what is in the rows, as a machine reads
// it and as people do.
const table = `[...document.querySelectorAll("#chart tbody tr")]`

// bars measures what is drawn: how high each bar stands, as a share of the scale,
// seen in the pixels of the canvas. The line of revenue, which is blue, is not one.
const bars = `(() => {
	const canvas = document.querySelector("#chart canvas"), over = document.querySelector("#chart .u-over");
	if (!canvas || !over) return [];
	const pen = canvas.getContext("2d"), whole = canvas.getBoundingClientRect(), area = over.getBoundingClientRect(), scale = canvas.width / whole.width;
	const rows = ` + table + `, bottom = Math.round((area.bottom - whole.top) * scale) - 2, high = Math.round(area.height * scale);
	return rows.map((_, i) => {
		const x = Math.round((area.left - whole.left + (i + .5) / rows.length * area.width) * scale);
		const pixels = pen.getImageData(x, bottom - high, 1, high).data;
		let top = 0;
		for (let y = high - 1; y >= 0; y--) {
			const [r, g, b, a] = pixels.slice(y * 4, y * 4 + 4);
			if (a > 140 && g > b && g - r > 60) top = high - y + 2;
		}
		return top / high;
	});
})()`

// drawnAsTold compares the picture with the table.
func (b *tab) drawnAsTold(days int) {
	b.t.Helper()
	b.until("the picture to be what the table says", func() error {
		told, err := evaluate[[]float64](b, table+".map(row => row.dataset.sales / (document.querySelector('[data-chart]').dataset.steps * document.querySelector('[data-chart]').dataset.saleStep))")
		if err != nil {
			return err
		}
		seen, err := evaluate[[]float64](b, bars)
		if err != nil {
			return err
		}
		if len(told) != days || len(seen) != days {
			return fmt.Errorf("%d rows and %d bars, want %d", len(told), len(seen), days)
		}
		for i := range told {
			if d := told[i] - seen[i]; d > 0.03 || d < -0.03 {
				return fmt.Errorf("bar %d stands at %.2f and the table says %.2f", i, seen[i], told[i])
			}
		}
		return nil
	})
	b.eachRowSaysItsFigures()
}

// eachRowSaysItsFigures: what is for people in a row is what is for the script.
func (b *tab) eachRowSaysItsFigures() {
	b.t.Helper()
	wrong := read[[]string](b, `(() => { let total = 0; return `+table+`.flatMap(row => {
		const figure = cell => Number(cell.textContent.replace(/[^\d]/g, "")), [sales, revenue, sum] = row.querySelectorAll("td");
		total += Number(row.dataset.revenue);
		return figure(sales) === Number(row.dataset.sales) && figure(revenue) * 100 === Number(row.dataset.revenue) && figure(sum) * 100 === Number(row.dataset.total)
			&& total === Number(row.dataset.total) && row.dataset.figures.endsWith(revenue.textContent) ? [] : [row.outerHTML];
	}) })()`)
	for _, row := range wrong {
		b.t.Errorf("a row does not agree with itself: %s", row)
	}
}

// readOut is what the tip beside the bar says.
const readOut = `(() => { const tip = document.querySelector("#chart .tip"); return !tip || tip.hidden ? "" : [...tip.children].map(e => e.textContent).join(" · ") })()`

// reads waits for the read-out of a day, on the screen and, after a key, aloud.
func (b *tab) reads(want string, aloud bool) {
	b.t.Helper()
	want = strings.ReplaceAll(want, "_", "\u00a0")
	b.holds(readOut + fmt.Sprintf(" === %q", want))
	if said := read[string](b, `document.querySelector("[data-chart-said]").textContent`); aloud && said != want {
		b.t.Errorf("%s hears %q, want %q", b.name, said, want)
	}
}

func (b *tab) point(x, y float64) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y})
	b.do("move the mouse", err)
}

func TestChart(t *testing.T) {
	t.Parallel()
	server, browsing := figuresPage(t), startChromium(t)
	visit := func(t *testing.T, path string) *tab {
		t.Helper()
		b := sit(t, browsing, "reader", server.URL)
		b.open(path)
		return b
	}

	t.Run("draws what the table says", func(t *testing.T) {
		for _, days := range []int{1, 7, 31, 92} {
			b := visit(t, fmt.Sprintf("/figures?days=%d", days))
			b.drawnAsTold(days)
			b.look(390, "dark")
			b.drawnAsTold(days)
			b.leave()
		}
	})

	t.Run("nothing sold is said, not hidden", func(t *testing.T) {
		b := visit(t, "/figures?days=7&zero=1")
		b.drawnAsTold(7)
		b.sees("За эти дни продаж не было")
	})

	t.Run("keys", func(t *testing.T) {
		b := visit(t, "/figures")
		b.drawnAsTold(31)
		read[bool](b, `document.querySelector("[data-chart]").focus() ?? true`)
		b.reads("31 декабря · 6 продаж · 30_000_₸", true)
		b.key("Home", "Home")
		b.reads("1 декабря · 2 продажи · 10_000_₸", true)
		b.key("ArrowLeft", "ArrowLeft")
		b.key("ArrowRight", "ArrowRight")
		b.key("ArrowRight", "ArrowRight")
		b.reads("3 декабря · 1 продажа · 5_000_₸", true)
		b.key("End", "End")
		b.key("ArrowLeft", "ArrowLeft")
		b.reads("30 декабря · 4 продажи · 20_000_₸", true)
		b.key("Escape", "Escape")
		b.holds(readOut + ` === ""`)
	})

	t.Run("mouse", func(t *testing.T) {
		b := visit(t, "/figures")
		b.drawnAsTold(31)
		area := read[[]float64](b, `(r => [r.left, r.top, r.width, r.height])(document.querySelector("#chart .u-over").getBoundingClientRect())`)
		b.point(area[0]+area[2]*24.5/31, area[1]+area[3]/2)
		b.reads("25 декабря · 8 продаж · 40_000_₸", false)
		b.point(area[0]+area[2]*.2/31, area[1]+area[3]/2)
		b.reads("1 декабря · 2 продажи · 10_000_₸", false)
		b.point(5, 5)
		b.holds(readOut + ` === ""`)
	})

	t.Run("follows the theme", func(t *testing.T) {
		b := visit(t, "/figures")
		b.drawnAsTold(31)
		ink := `document.querySelector("#chart canvas").toDataURL()`
		light := read[string](b, ink)
		read[bool](b, `document.querySelector("[data-theme-set=dark]").click() ?? true`)
		b.holds(ink + fmt.Sprintf(" !== %q", light))
		dark := read[string](b, ink)
		read[bool](b, `document.querySelector("[data-theme-set='']").click() ?? true`)
		b.holds(ink + fmt.Sprintf(" === %q", light))
		b.look(1280, "dark")
		b.holds(ink + fmt.Sprintf(" === %q", dark))
	})

	t.Run("lives on when its block is replaced", func(t *testing.T) {
		b := visit(t, "/figures")
		b.drawnAsTold(31)
		read[bool](b, `document.querySelector("[data-chart]").focus() ?? true`)
		b.key("ArrowLeft", "ArrowLeft")
		b.reads("30 декабря · 4 продажи · 20_000_₸", true)
		read[bool](b, `(document.querySelector("#chart details").open = true)`)
		_, err := evaluate[bool](b, `fetch("/figures?more=1").then(r => r.text()).then(text => {
			const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("#chart");
			document.querySelector("#chart").replaceWith(document.adoptNode(fresh));
			document.dispatchEvent(new Event("live:swapped"));
			return true;
		})`, chromedp.EvalAwaitPromise)
		b.do("replace the block", err)
		b.drawnAsTold(31)
		b.holds(readOut + ` === "30 декабря · 5 продаж · 25\u00a0000\u00a0₸"`)
		b.holds(`document.activeElement.matches("[data-chart]") && document.querySelector("#chart details").open && document.querySelectorAll("canvas").length === 1`)
		b.key("ArrowRight", "ArrowRight")
		b.reads("31 декабря · 7 продаж · 35_000_₸", true)
	})

	t.Run("own dates fold up and are sent with the rest of the address", func(t *testing.T) {
		b := visit(t, "/figures?wrong=1")
		b.sees("Конец раньше начала")
		b.holds(`document.querySelector("#period-to").getAttribute("aria-invalid") === "true"`)
		folded := `!document.querySelector(".range").open`
		b.pressOn("h1")
		b.holds(folded)
		b.press("1–31 декабря")
		b.holds("!(" + folded + ")")
		read[bool](b, `document.querySelector("#period-to").focus() ?? true`)
		b.key("Escape", "Escape")
		b.holds(folded + ` && document.activeElement.matches(".range summary")`)
		b.press("1–31 декабря")
		read[bool](b, `!!(document.querySelector("#period-from").value = "2026-12-05")`)
		b.follow("Показать")
		if got, want := b.place(), "/figures?lang=ru&period=range&from=2026-12-05&to=2026-12-01"; got != want {
			t.Errorf("the address is %s, want %s", got, want)
		}
	})

	t.Run("is a table without script", func(t *testing.T) {
		b := sit(t, browsing, "reader", server.URL)
		b.withoutScript()
		b.open("/figures")
		b.sees("25 декабря 8 40 000 ₸")
		b.holds(`!document.querySelector("[data-chart]").checkVisibility()`)
	})

	t.Run("is accessible and fits", func(t *testing.T) {
		axe, err := os.ReadFile("testdata/axe.min.js")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/figures", "/figures?managers=30&lang=kk&days=92", "/figures?wrong=1&zero=1&lang=en"} {
			b := visit(t, path)
			b.holds(`!!document.querySelector("#chart canvas")`)
			read[bool](b, `document.querySelectorAll("#chart details, #ranking details").forEach(d => d.open = true) ?? true`)
			b.fits(path)
			b.hasContrast(path, string(axe), "dark")
			b.isAccessible(path, string(axe), audit)
			b.leave()
		}
	})
}

// TestChartScreenshots is for people to look at: see TestScreenshots.
func TestChartScreenshots(t *testing.T) {
	dir := os.Getenv("TRIPWIRE_TEST_SCREENSHOTS")
	if dir == "" {
		return // nobody asked; it checks nothing
	}
	b := sit(t, startChromium(t), "photographer", figuresPage(t).URL)
	for name, path := range map[string]string{"month": "/figures?month=1", "one": "/figures?days=1&managers=1", "week": "/figures?days=7&managers=30", "quarter": "/figures?days=92&managers=9&lang=kk", "zero": "/figures?zero=1", "wrong": "/figures?wrong=1", "open": "/figures?days=7&managers=30"} {
		b.open(path)
		b.holds(`!!document.querySelector("#chart canvas")`)
		if name == "open" {
			read[bool](b, `document.querySelectorAll("#chart details, #ranking details").forEach(d => d.open = true) ?? true`)
		}
		if name == "month" {
			read[bool](b, `document.querySelector("[data-chart]").focus() ?? true`)
			for range 6 {
				b.key("ArrowLeft", "ArrowLeft")
			}
		}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 390} {
				b.look(width, scheme)
				b.holds("document.fonts.status === 'loaded'")
				picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
				b.do("take a picture of "+name, err)
				b.do("keep a picture", os.WriteFile(filepath.Join(dir, fmt.Sprintf("figures-%s-%d-%s.png", name, width, scheme)), picture, 0o600))
			}
		}
	}
}
