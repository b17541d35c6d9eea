package roster

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tripwire/internal/school"
)

// hostile are texts that a spreadsheet might take for something else.
var hostile = []string{
	"Anna", "=1+1", "+1", "-1", "@SUM(A1)", `=HYPERLINK("https://example.com";"click")`, "=cmd|' /C calc'!A0", "\t=1+1", "\r=1+1", "\n=1+1",
	"  =1+1", "\u200b=1+1", "\ufeff=1+1", "＝1＋1", "＠SUM(A1)", "x;=1+1", "x,=1+1", "x\n=1+1", "x\t=1+1", `x;"=1+1"`, "{=1+1}", "'=1+1",
	"Әйгерім Нұрланқызы ҒҚҢӨҰҮҺІ", "🙂👩‍👩‍👧", "مرحبا \u202eabc", strings.Repeat("Ұзын", 75), `"quoted" 'too'`, "two\nlines", "a\x00b\x07c",
	"<b>&amp;</b>", "_x0041_", "007", "1e5", "2026-03-01", "TRUE", "1/2", "  spaces   around  ", "]]>", "5,5", "5.5",
}

// TestForeignReader opens what we write with LibreOffice, which computes whatever
// looks like a formula to it.
func TestForeignReader(t *testing.T) {
	t.Parallel()
	zone := almaty(t)
	table := Table{Name: "Студенты", Columns: columns("text", "number", "amount", "currency", "moment", "day")}
	var rows [][]Cell
	for i, s := range hostile {
		rows = append(rows, []Cell{
			Text(s), Number(int64(-5000 - i)), Money(school.Money{Minor: int64(-100*i - 50), Currency: "KZT"}), Text("KZT"),
			Time(time.Date(2026, 2, 28, 20, 30, i, 0, time.UTC), zone), Day(school.Day("2026-03-01").Add(i)),
		})
	}
	comma := table
	comma.Separator = ','
	table.Separator = ';'
	dir := t.TempDir()
	save := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("comma.csv", write(t, CSV, comma, rows...))
	save("semicolon.csv", write(t, CSV, table, rows...))
	save("book.xlsx", write(t, XLSX, table, rows...))
	save("planted.csv", []byte("\ufefftext\r\n=1+1\r\n"))
	// Comma, quotes, UTF-8; quoted cells are not text for being quoted, and what
	// looks like a date is one.
	convert(t, dir, "Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false", "comma.csv", "semicolon.csv", "planted.csv")
	convert(t, dir, "", "book.xlsx")

	if got := readFods(t, dir, "planted"); got[1][0].formula == "" {
		t.Fatal("LibreOffice does not compute what is planted: this test would see nothing")
	}
	for _, row := range readFods(t, dir, "semicolon") {
		for _, c := range row {
			if c.formula != "" {
				t.Errorf("read with another separator there is the formula %s", c.formula)
			}
		}
	}
	wantRows(t, readFods(t, dir, "comma"), func(s string) string { return disarm(clean(s)) }, map[string]bool{
		// A CSV has no types: these are a reader's guess, and harmless.
		"007": true, "1e5": true, "2026-03-01": true, "TRUE": true, "1/2": true, "5,5": true, "5.5": true,
	})
	wantRows(t, readFods(t, dir, "book"), clean, nil)
}

// wantRows compares every cell, but for texts that may be guessed at.
func wantRows(t *testing.T, got [][]odsCell, shown func(string) string, guessed map[string]bool) {
	t.Helper()
	if len(got) != len(hostile)+1 {
		t.Fatalf("%d rows", len(got))
	}
	for i, s := range hostile {
		moment := time.Date(2026, 3, 1, 1, 30, i, 0, time.UTC).Format("2006-01-02T15:04:05")
		want := []odsCell{
			{kind: "string", text: shown(s)},
			{kind: "float", value: strconv.Itoa(-5000 - i)},
			{kind: "float", value: strings.TrimSuffix(decimal(int64(-100*i-50), 2, '.'), "0")},
			{kind: "string", text: "KZT"},
			{kind: "date", value: moment},
			{kind: "date", value: string(school.Day("2026-03-01").Add(i))},
		}
		row := got[i+1]
		if len(row) < len(want) {
			t.Errorf("%q: %d cells", s, len(row))
			continue
		}
		for j, c := range row[:len(want)] { // after them stands what fills the sheet
			if j == 0 && guessed[s] && c.formula == "" {
				continue
			}
			if c.kind != "string" {
				c.text = "" // the value says it without the format
			}
			if c != want[j] {
				t.Errorf("%q, column %d: %+v", s, j, c)
			}
		}
	}
}

// convert has LibreOffice read files with one import filter; options of a filter
// hold for all files of a start.
func convert(t *testing.T, dir, filter string, names ...string) {
	t.Helper()
	args := []string{
		"-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--headless", "--norestore", "--convert-to", "fods", "--outdir", dir,
	}
	if filter != "" {
		args = append(args, "--infilter="+filter)
	}
	for _, name := range names {
		args = append(args, filepath.Join(dir, name))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "soffice", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"} // not the user's own settings
	// soffice is a script; what it starts has to end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("LibreOffice (scripts/install-tools installs it): %v\n%s", err, out)
	}
}

// odsCell is one cell as LibreOffice understood it.
type odsCell struct{ kind, value, formula, text string }

// readFods answers the rows of the only sheet of a converted file.
func readFods(t *testing.T, dir, name string) (rows [][]odsCell) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, name+".fods"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for d := xml.NewDecoder(file); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "table-row":
				rows = append(rows, nil)
			case "table-cell":
				last := len(rows) - 1
				rows[last] = append(rows[last], readCell(t, d, e))
			}
		}
	}
}

func readCell(t *testing.T, d *xml.Decoder, start xml.StartElement) odsCell {
	t.Helper()
	c := odsCell{kind: attr(start, "value-type"), value: attr(start, "value") + attr(start, "date-value"), formula: attr(start, "formula")}
	var lines []string
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "p":
				lines = append(lines, "")
			case "s":
				n, _ := strconv.Atoi(attr(e, "c"))
				lines[len(lines)-1] += strings.Repeat(" ", max(n, 1))
			case "tab":
				lines[len(lines)-1] += "\t"
			}
		case xml.CharData:
			if len(lines) > 0 && strings.Trim(string(e), "\n ") != "" || len(lines) > 0 && string(e) == " " {
				lines[len(lines)-1] += string(e)
			}
		case xml.EndElement:
			if e.Name == start.Name {
				c.text = strings.Join(lines, "\n")
				return c
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && !strings.HasSuffix(a.Name.Space, "calcext:1.0") {
			return a.Value
		}
	}
	return ""
}
