package roster

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/gabriel-vasile/mimetype"
	"pgregory.net/rapid"

	"tripwire/internal/school"
)

// parts opens a workbook and wants every part to be XML.
func parts(t *testing.T, content []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(part)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
		all[f.Name] = string(part)
	}
	return all
}

type cellXML struct {
	At    string `xml:"r,attr"`
	Style string `xml:"s,attr"`
	Type  string `xml:"t,attr"`
	Value string `xml:"v"`
	Text  string `xml:"is>t"`
}

func cellsOf(t *testing.T, sheet string) (all []cellXML) {
	t.Helper()
	var s struct {
		Rows []struct {
			Cells []cellXML `xml:"c"`
		} `xml:"sheetData>row"`
	}
	if err := xml.Unmarshal([]byte(sheet), &s); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Rows {
		all = append(all, r.Cells...)
	}
	return all
}

func TestXLSXCells(t *testing.T) {
	t.Parallel()
	utc := time.UTC
	row := []Cell{
		Text("=1+1"), Number(-5000), Number(1 << 60), Money(school.Money{Minor: -123405, Currency: "KZT"}), Money(school.Money{Minor: 700, Currency: "JPY"}),
		Time(time.Date(2026, 3, 1, 6, 0, 0, 0, utc), utc), Time(time.Date(1899, 12, 31, 0, 0, 0, 0, utc), utc), Day("2026-03-01"), Empty(),
		Text("_x0041_x0042_ _x"), Text(" <&> \r\n"), Text("007"),
	}
	head := columns("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
	all := parts(t, write(t, XLSX, Table{Name: "S", Columns: head}, row))
	got := cellsOf(t, all["xl/worksheets/sheet1.xml"])[len(head):]
	want := []cellXML{
		{"A2", styleText, "inlineStr", "", "=1+1"},
		{"B2", styleNumber, "", "-5000", ""},
		{"C2", styleText, "inlineStr", "", "1152921504606846976"},
		{"D2", styleAmount, "", "-1234.05", ""},
		{"E2", styleWhole, "", "700", ""},
		{"F2", styleMoment, "", "46082.25", ""},
		{"G2", styleText, "inlineStr", "", "1899-12-31 00:00:00"},
		{"H2", styleDay, "", "46082", ""},
		{"J2", styleText, "inlineStr", "", "_x005F_x0041_x005F_x0042_ _x"},
		{"K2", styleText, "inlineStr", "", " <&> \n"},
		{"L2", styleText, "inlineStr", "", "007"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestXLSXGoesOnInAFurtherSheet(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	x := NewXLSX(&b, Table{Name: "A'b & <c>", Columns: columns("n")})
	x.maxRows = 3 // the head and two more
	for i := range 5 {
		if err := x.Write([]Cell{Number(int64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	all := parts(t, b.Bytes())
	var rows []string
	for _, name := range []string{"1", "2", "3"} {
		for _, c := range cellsOf(t, all["xl/worksheets/sheet"+name+".xml"]) {
			rows = append(rows, c.At+c.Value+c.Text)
		}
		if !strings.Contains(all["[Content_Types].xml"], "sheet"+name) || !strings.Contains(all["xl/_rels/workbook.xml.rels"], "sheet"+name) {
			t.Errorf("sheet %s is told of nowhere", name)
		}
	}
	if want := []string{"A1n", "A20", "A31", "A1n", "A22", "A33", "A1n", "A24"}; !slices.Equal(rows, want) {
		t.Errorf("%q, want %q", rows, want)
	}
	for _, want := range []string{`name="A&#39;b &amp; &lt;c&gt; (3)"`, `&#39;A&#39;&#39;b &amp; &lt;c&gt; (2)&#39;!$A$1:$A$3<`} {
		if !strings.Contains(all["xl/workbook.xml"], want) {
			t.Errorf("the workbook has no %s: %s", want, all["xl/workbook.xml"])
		}
	}
}

func TestSheetNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Студенты": "Студенты", "": "Sheet", "history": "Sheet", "'a'": "a", "a/b:[c]*?\\": "a b  c", "\x00": "\ufffd", "''": "Sheet",
		strings.Repeat("Ә", 40): strings.Repeat("Ә", 30) + "…", strings.Repeat("🙂", 16): strings.Repeat("🙂", 15) + "…",
	} {
		if got := sheetName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	x := NewXLSX(io.Discard, Table{Name: strings.Repeat("n", 31), Columns: columns("a")})
	x.ended = []int{1, 1}
	if got := x.sheets()[1]; len(utf16.Encode([]rune(got))) != maxSheetName || !strings.HasSuffix(got, "… (2)") {
		t.Errorf("the second sheet is %q", got)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, units := rapid.String().Draw(t, "s"), rapid.IntRange(1, 20).Draw(t, "units")
		got := cut(s, units)
		long := len(utf16.Encode([]rune(s)))
		switch n := len(utf16.Encode([]rune(got))); {
		case long <= units && got != s:
			t.Fatalf("%q became %q", s, got)
		case long > units && (n > units || n < units-1 || !strings.HasPrefix(s, strings.TrimSuffix(got, "…"))):
			t.Fatalf("%q cut to %d units is %q", s, units, got)
		}
	})
	if got := fit(strings.Repeat("ы", 40_000)); len([]rune(got)) != maxCellUnits {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

func TestColumnNames(t *testing.T) {
	t.Parallel()
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := columnName(i); got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}

// TestXLSXIsKnownByItsFirstBytes asks a library that looks for what a file is.
func TestXLSXIsKnownByItsFirstBytes(t *testing.T) {
	t.Parallel()
	if got := mimetype.Detect(write(t, XLSX, Table{Columns: columns("a")})); got.String() != XLSX.MediaType() {
		t.Errorf("it is taken for %s", got)
	}
}
