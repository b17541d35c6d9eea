package roster

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// What Excel can hold
// (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3).
const (
	maxRows      = 1_048_576 // of a sheet
	maxCellUnits = 32_767    // UTF-16 code units of a cell
	maxSheetName = 31        // the same, of the name of a sheet
	maxExact     = 999_999_999_999_999
	usualWidth   = 16
)

// XLSXWriter writes a table as a workbook, straight into the zip: text as inline
// strings, since a table of shared ones would have to be kept until the end. Rows
// beyond what a sheet can hold go on in a further sheet.
type XLSXWriter struct {
	zip     *zip.Writer
	table   Table
	columns []string // A, B, …
	name    string
	maxRows int
	sheet   io.Writer // the part that is being written
	ended   []int     // the rows of the sheets before it
	rows    int       // of this sheet
	line    bytes.Buffer
	err     error
}

// NewXLSX begins a table on w.
func NewXLSX(w io.Writer, t Table) *XLSXWriter {
	x := &XLSXWriter{zip: zip.NewWriter(w), table: t, name: sheetName(t.Name), maxRows: maxRows, err: t.check()}
	for i := range t.Columns {
		x.columns = append(x.columns, columnName(i))
	}
	// Twice as fast as the usual level, and a tenth larger.
	x.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	x.part("_rels/.rels", packageRels)
	x.part("xl/styles.xml", styles)
	x.beginSheet()
	return x
}

func (x *XLSXWriter) Write(row []Cell) error {
	if x.err == nil && len(row) != len(x.columns) {
		x.err = errWidth
	}
	if x.err == nil && x.rows == x.maxRows {
		x.endSheet()
		x.beginSheet()
	}
	x.writeRow(row, false)
	return x.err
}

// Flush hands on what the compressor has let go of; it keeps some rows to itself.
func (x *XLSXWriter) Flush() error {
	if x.err == nil {
		x.err = x.zip.Flush()
	}
	return x.err
}

// Close writes what tells of the sheets, which a zip may have at its end.
func (x *XLSXWriter) Close() error {
	x.endSheet()
	if x.err != nil {
		return x.err
	}
	x.part("xl/workbook.xml", x.workbook())
	x.part("xl/_rels/workbook.xml.rels", x.workbookRels())
	x.part("[Content_Types].xml", x.contentTypes())
	if x.err != nil {
		return x.err
	}
	if err := x.zip.Close(); err != nil {
		x.err = err
		return err
	}
	x.err = errClosed
	return nil
}

func (x *XLSXWriter) part(name, content string) {
	x.begin(name)
	x.put(content)
}

func (x *XLSXWriter) begin(name string) {
	if x.err == nil {
		x.sheet, x.err = x.zip.Create(name)
	}
	x.put(xml.Header)
}

func (x *XLSXWriter) put(s string) {
	if x.err == nil {
		_, x.err = io.WriteString(x.sheet, s)
	}
}

func (x *XLSXWriter) beginSheet() {
	x.rows = 0
	x.begin(fmt.Sprintf("xl/worksheets/sheet%d.xml", len(x.ended)+1))
	var widths strings.Builder
	for i, c := range x.table.Columns {
		width := c.Width
		if width == 0 {
			width = usualWidth
		}
		fmt.Fprintf(&widths, `<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, width)
	}
	x.put(fmt.Sprintf(sheetHead, widths.String()))
	x.writeRow(x.table.titles(), true)
}

func (x *XLSXWriter) endSheet() {
	if x.err != nil {
		return
	}
	x.put(fmt.Sprintf(sheetFoot, x.columns[len(x.columns)-1], x.rows))
	x.ended = append(x.ended, x.rows)
}

// writeRow puts a row together before it is compressed: the compressor is not
// made for a few bytes at a time.
func (x *XLSXWriter) writeRow(row []Cell, head bool) {
	if x.err != nil {
		return
	}
	x.rows++
	number := strconv.Itoa(x.rows)
	x.line.Reset()
	x.line.WriteString(`<row r="` + number + `">`)
	for i, c := range row {
		x.writeCell(c, x.columns[i]+number, head)
	}
	x.line.WriteString(`</row>`)
	_, x.err = x.sheet.Write(x.line.Bytes())
}

func (x *XLSXWriter) writeCell(c Cell, at string, head bool) {
	value, style, ok := c.inSheet()
	switch {
	case c.kind == empty:
	case ok:
		x.line.WriteString(`<c r="` + at + `" s="` + style + `"><v>` + value + `</v></c>`)
	default:
		if style = styleText; head {
			style = styleHead
		}
		x.line.WriteString(`<c r="` + at + `" s="` + style + `" t="inlineStr"><is><t xml:space="preserve">`)
		_ = xml.EscapeText(&x.line, []byte(fit(c.plain('.')))) // a buffer takes everything
		x.line.WriteString(`</t></is></c>`)
	}
}

// inSheet answers the number of a cell that is one, and its style. Excel's numbers
// have fifteen digits and its days begin with March 1900 (before that it believes
// in a 29 February); whatever is beyond is text.
func (c Cell) inSheet() (value, style string, ok bool) {
	exact := -maxExact <= c.number && c.number <= maxExact
	switch c.kind {
	case number:
		return c.plain('.'), styleNumber, exact
	case amount:
		return c.plain('.'), amountStyle(c.digits), exact
	case moment, day:
		if style = styleMoment; c.kind == day {
			style = styleDay
		}
		return serial(c.at), style, !c.at.Before(firstSerial) && c.at.Year() <= 9999
	case empty, text:
	}
	return "", "", false
}

func amountStyle(digits int) string {
	if digits == 0 {
		return styleWhole
	}
	return styleAmount
}

var (
	zeroSerial  = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	firstSerial = time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC)
)

// serial is a moment as Excel counts: in days.
func serial(at time.Time) string {
	seconds := at.Unix() - zeroSerial.Unix() // a Duration ends in the year 2192
	return strconv.FormatFloat(float64(seconds)/86400, 'f', -1, 64)
}

// escaped is how the format writes characters that XML cannot hold; text that only
// looks so has to have its underscore written in that way (ECMA-376, ST_Xstring).
var escaped = regexp.MustCompile(`^_x[0-9A-Fa-f]{4}_`)

// fit is text as a cell can hold it.
func fit(s string) string {
	if len(s) > maxCellUnits { // no text has more units than bytes
		s = cut(s, maxCellUnits)
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		if s = s[i:]; escaped.MatchString(s) {
			b.WriteString("_x005F_")
		} else {
			b.WriteByte('_')
		}
		s = s[1:]
	}
}

// cut leaves so many UTF-16 code units, the last an ellipsis if any had to go.
func cut(s string, units int) string {
	n, end := 0, 0
	for i, r := range s {
		if n < units {
			end = i // what stands before i and the ellipsis have room
		}
		if n += utf16.RuneLen(r); n > units {
			return s[:end] + "…"
		}
	}
	return s
}

// sheetName makes a name that Excel takes: not empty, not too long, without
// []:*?/\, without apostrophes at its ends, and not its own word History.
func sheetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < ' ' {
			return ' '
		}
		return r
	}, clean(s))
	s = strings.Trim(cut(strings.Trim(s, "' "), maxSheetName), "' ")
	if s == "" || strings.EqualFold(s, "History") {
		return "Sheet"
	}
	return s
}

// sheets are the names of all sheets, the further ones numbered.
func (x *XLSXWriter) sheets() []string {
	names := []string{x.name}
	for i := 2; i <= len(x.ended); i++ {
		number := fmt.Sprintf(" (%d)", i)
		names = append(names, cut(x.name, maxSheetName-len(number))+number)
	}
	return names
}

// columnName counts A … Z, AA, AB, …
func columnName(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return columnName(i/26-1) + columnName(i%26)
}
