package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/school"
)

func almaty(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func columns(titles ...string) []Column {
	var all []Column
	for _, title := range titles {
		all = append(all, Column{Title: title})
	}
	return all
}

// write makes a whole table.
func write(t testing.TB, f Format, table Table, rows ...[]Cell) []byte {
	t.Helper()
	var b bytes.Buffer
	w := New(f, &b, table)
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCSVIsWhatExcelExpects(t *testing.T) {
	t.Parallel()
	zone := almaty(t)
	row := []Cell{
		Text("Әйгерім"), Number(-5000), Money(school.Money{Minor: -123405, Currency: "KZT"}), Money(school.Money{Minor: 700, Currency: "JPY"}),
		Text("KZT"), Time(time.Date(2026, 2, 28, 20, 30, 1, 999, time.UTC), zone), Day("2026-03-01"), Empty(), Time(time.Time{}, zone), Day(""),
	}
	head := columns("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	for separator, want := range map[rune]string{
		0:   "Әйгерім,-5000,-1234.05,700,KZT,2026-03-01 01:30:01,2026-03-01,,,\r\n",
		',': "Әйгерім,-5000,-1234.05,700,KZT,2026-03-01 01:30:01,2026-03-01,,,\r\n",
		';': "Әйгерім;-5000;-1234,05;700;KZT;2026-03-01 01:30:01;2026-03-01;;;\r\n",
	} {
		got := string(write(t, CSV, Table{Columns: head, Separator: separator}, row))
		_, body, _ := strings.Cut(got, "\r\n")
		if !strings.HasPrefix(got, "\ufeffa") || body != want {
			t.Errorf("%q: %q, want %q", separator, got, want)
		}
	}
	if SeparatorFor(school.Russian) != ';' || SeparatorFor(school.Kazakh) != ';' || SeparatorFor(school.English) != ',' {
		t.Error("the separators are not those of the regions")
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		minor  int64
		digits int
	}{
		"0.00": {0, 2}, "0.05": {5, 2}, "-0.05": {-5, 2}, "12.34": {1234, 2}, "-12.34": {-1234, 2}, "7": {7, 0},
		"-92233720368547758.08": {-1 << 63, 2},
	} {
		if got := decimal(c.minor, c.digits, '.'); got != want {
			t.Errorf("%d: %s, want %s", c.minor, got, want)
		}
	}
}

func TestFormulasAreDisarmed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"Anna":                   "Anna",
		"O'Neill-Smith +1":       "O'Neill-Smith +1",
		"a=b":                    "a=b",
		"=1+1":                   "'=1+1",
		"+77011234567":           "'+77011234567",
		"-5000":                  "'-5000",
		"@SUM(A1)":               "'@SUM(A1)",
		"=cmd|' /C calc'!A0":     "'=cmd|' /C calc'!A0",
		" \u00a0=1":              " \u00a0'=1",
		"\u200b=1":               "\u200b'=1",
		"\ufeff\u2060=1":         "\ufeff\u2060'=1",
		"\u202e=1":               "\u202e'=1",
		"\x00=1":                 "\ufffd'=1",
		"\x1b+1":                 "\ufffd'+1",
		"\tx":                    "'\tx",
		"\rx":                    "'\nx",
		"\nx":                    "'\nx",
		"\t=1":                   "'\t'=1",
		"＝1＋1":                   "'＝1＋1",
		"＋1":                     "'＋1",
		"－1":                     "'－1",
		"＠a":                     "'＠a",
		"﹦1":                     "'﹦1",
		`"=1"`:                   `"'=1"`,
		"x;=1":                   "x;'=1",
		"x, @a":                  "x, '@a",
		"x\n=1":                  "x\n'=1",
		"x\r\n-1":                "x\n'-1",
		"x\t+1":                  "x\t'+1",
		"=HYPERLINK(\"h\",-1)":   "'=HYPERLINK(\"h\",'-1)",
		"'=1":                    "'=1",
		"nul\x00bell\x07\u0085!": "nul\ufffdbell\ufffd\ufffd!",
		"bad \xff utf":           "bad \ufffd utf",
		"\ufffe\uffff":           "\ufffd\ufffd",
	} {
		if got := disarm(Text(in).plain('.')); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// anyText leans towards what hurts.
var anyText = rapid.OneOf(
	rapid.String(),
	rapid.StringOf(rapid.RuneFrom([]rune("=+-@＝\t\r\n\x00 \u200b'\",;|ӘғA1é🙂مر"))),
)

// TestCSVComesBack reads what was written, with the same separator, and with the
// other one looks for a cell that would be computed.
func TestCSVComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		separator := rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(t, "separator")
		rows := rapid.SliceOf(rapid.SliceOfN(anyText, 3, 3)).Draw(t, "rows")
		var b bytes.Buffer
		w := NewCSV(&b, Table{Columns: columns("one", "two", "three"), Separator: separator})
		for _, row := range rows {
			if err := w.Write([]Cell{Text(row[0]), Text(row[1]), Text(row[2])}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		content := strings.TrimPrefix(b.String(), "\ufeff")
		r := csv.NewReader(strings.NewReader(content))
		r.Comma = separator
		got, err := r.ReadAll()
		if err != nil || len(got) != len(rows)+1 {
			t.Fatalf("%d rows came back, %v", len(got), err)
		}
		for i, row := range rows {
			for j, s := range row {
				if strings.ReplaceAll(got[i+1][j], "'", "") != strings.ReplaceAll(clean(s), "'", "") {
					t.Fatalf("%q came back as %q", s, got[i+1][j])
				}
			}
		}
		for _, other := range []string{",", ";", "\t"} {
			for line := range strings.Lines(content) {
				for cell := range strings.SplitSeq(line, other) {
					if first := strings.TrimLeftFunc(cell, unseen); first != "" && strings.ContainsRune(triggers, []rune(first)[0]) {
						t.Fatalf("separated by %q there is %q in %q", other, cell, line)
					}
				}
			}
		}
	})
}

func TestWhatIsWrongIsFinal(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	for _, f := range []Format{CSV, XLSX} {
		if err := New(f, io.Discard, Table{}).Close(); !errors.Is(err, errNoColumns) {
			t.Errorf("%s: without columns: %v", f, err)
		}
		w := New(f, io.Discard, Table{Columns: columns("a", "b")})
		if err := w.Write([]Cell{Number(1)}); !errors.Is(err, errWidth) {
			t.Errorf("%s: a narrow row: %v", f, err)
		}
		if err := w.Close(); !errors.Is(err, errWidth) {
			t.Errorf("%s: close after it: %v", f, err)
		}
		w = New(f, io.Discard, Table{Columns: columns("a")})
		if err := errors.Join(w.Write([]Cell{Number(1)}), w.Flush(), w.Close()); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		for _, err := range []error{w.Write([]Cell{Number(1)}), w.Flush(), w.Close()} {
			if !errors.Is(err, errClosed) {
				t.Errorf("%s: after the end: %v", f, err)
			}
		}
		w = New(f, failing{full}, Table{Columns: columns("a")})
		var err error
		for i := range 100_000 {
			if err = w.Write([]Cell{Text(fmt.Sprint("row ", i))}); err != nil {
				break
			}
		}
		if !errors.Is(err, full) || !errors.Is(w.Close(), full) {
			t.Errorf("%s: nowhere to write to: %v", f, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestNothingIsOutBeforeItHasTo keeps the way open for an error page.
func TestNothingIsOutBeforeItHasTo(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{CSV, XLSX} {
		var b bytes.Buffer
		w := New(f, &b, Table{Columns: columns("a")})
		if err := w.Write([]Cell{Text("x")}); err != nil || b.Len() > 0 {
			t.Errorf("%s: %d bytes, %v", f, b.Len(), err)
		}
		if err := w.Flush(); err != nil || b.Len() == 0 {
			t.Errorf("%s: flushed: %d bytes, %v", f, b.Len(), err)
		}
	}
}

// table14 is about what the list of students is; row is its i-th row.
var table14 = Table{Name: "Студенты", Columns: columns("Имя", "Почта", "Статус", "Курс", "Модуль", "Менеджер", "Цена", "Валюта", "Создан",
	"День", "Модулей", "Уроков", "Заметка", "Номер")}

func row14(i int, zone *time.Location) []Cell {
	n := fmt.Sprint(i)
	at := time.Date(2026, 1, 1, 0, 0, i%86400, 0, time.UTC)
	return []Cell{
		Text("Әйгерім Нұрланқызы " + n), Text("student" + n + "@example.com"), Text("active"), Text("Python"), Text("Модуль " + n),
		Text("Айдос Серікұлы"), Money(school.Money{Minor: int64(i) * 100, Currency: "KZT"}), Text("KZT"), Time(at, zone),
		Day(school.DayOf(at, zone)), Number(int64(i % 10)), Number(int64(i)), Text("+7 701 " + n), Number(int64(i)),
	}
}

// heapAfter answers the live heap at the last of so many rows.
func heapAfter(t *testing.T, f Format, rows int) uint64 {
	zone := almaty(t)
	w := New(f, io.Discard, table14)
	for i := range rows {
		if err := w.Write(row14(i, zone)); err != nil {
			t.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return m.HeapAlloc
}

// TestMemoryDoesNotGrowWithTheRows does not run beside others: the heap is
// everybody's. A hundred bytes kept of each row would be three megabytes.
func TestMemoryDoesNotGrowWithTheRows(t *testing.T) {
	for _, f := range []Format{CSV, XLSX} {
		few, many := heapAfter(t, f, 1000), heapAfter(t, f, 30_000)
		if many > few+1<<20 {
			t.Errorf("%s: %d bytes are live after 1,000 rows and %d after 30,000", f, few, many)
		}
	}
}

// BenchmarkMillionRows tells the time to the first byte, the size, and the peak
// of the memory that is live or not yet collected, looked at every 10,000 rows.
func BenchmarkMillionRows(b *testing.B) {
	zone := almaty(b)
	for _, f := range []Format{CSV, XLSX} {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				out, peak := &meter{start: time.Now()}, uint64(0)
				w := New(f, out, table14)
				for i := range 1_000_000 {
					if err := w.Write(row14(i, zone)); err != nil {
						b.Fatal(err)
					}
					if i%10_000 == 0 {
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						peak = max(peak, m.HeapInuse)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(peak)/1e6, "peak-MB")
				b.ReportMetric(float64(out.bytes)/1e6, "MB")
				b.ReportMetric(float64(out.first.Microseconds())/1e3, "first-byte-ms")
			}
		})
	}
}

type meter struct {
	start time.Time
	first time.Duration
	bytes int64
}

func (m *meter) Write(p []byte) (int, error) {
	if m.bytes == 0 {
		m.first = time.Since(m.start)
	}
	m.bytes += int64(len(p))
	return len(p), nil
}
