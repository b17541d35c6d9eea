package web

import (
	"context"
	"iter"
	"mime"
	"net"
	"net/http"
	"strings"
	"unicode"

	"github.com/klauspost/compress/gzhttp"

	"tripwire/internal/roster"
)

// download is a table to be saved.
type download struct {
	name   string // of the file, in the reader's language, without its ending
	format roster.Format
	table  roster.Table
	rows   iter.Seq2[[]roster.Cell, error] // stops reading when it is told that nobody wants more
}

// sendTable sends a table while it is read, so that its size is nobody's concern.
// An error before the first byte is returned, and is a page like any other; after
// it the connection is cut off, since half a table must not look whole.
func (h *Handler) sendTable(w http.ResponseWriter, r *http.Request, d download) error {
	out := &downloadWriter{patientWriter: patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}, download: d}
	if r.Method == http.MethodHead {
		out.begin()
		return out.wait()
	}
	err := copyRows(r.Context(), out, d)
	if err == nil {
		return nil
	}
	if !out.begun {
		_ = out.wait() // for the page; rows may have been looked for for long
		return err
	}
	noteRefusal(r, err)
	cutOff(out.control, r)
	return nil
}

// flushEvery is how many rows may wait for each other on their way.
const flushEvery = 500

func copyRows(ctx context.Context, out *downloadWriter, d download) error {
	table := roster.New(d.format, out, d.table)
	n := 0
	for row, err := range d.rows {
		if err == nil {
			err = ctx.Err() // the reader may have left
		}
		if err == nil {
			err = table.Write(row)
		}
		if n++; err == nil && n%flushEvery == 0 {
			if err = table.Flush(); err == nil {
				err = out.flush()
			}
		}
		if err != nil {
			return err
		}
	}
	return table.Close()
}

// cutOff ends an answer so that everybody sees that it is not whole. HTTP/1.0, which
// some proxies speak to us, has no other mark of an end than that of the
// connection: there the connection is reset.
func cutOff(control *http.ResponseController, r *http.Request) {
	if !r.ProtoAtLeast(1, 1) {
		if conn, _, err := control.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // without it the connection would end in good order
			}
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}

// downloadWriter leaves the headers alone until the first byte: until then the
// answer may still be another one.
type downloadWriter struct {
	patientWriter
	download download
	begun    bool
}

func (w *downloadWriter) begin() {
	header := w.Header()
	header.Set("Content-Type", w.download.format.MediaType())
	header.Set("Content-Disposition", attachment(w.download.name+"."+string(w.download.format)))
	if w.download.format == roster.XLSX {
		header.Set(gzhttp.HeaderNoCompression, "1") // it is compressed
	}
	w.begun = true
}

func (w *downloadWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begin()
	}
	return w.patientWriter.Write(p)
}

// attachment names a file to be saved, and once more in ASCII for programs that
// cannot read the other name.
func attachment(name string) string {
	name = fileName(name)
	ascii := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '_'
		}
		return r
	}, name)
	value := mime.FormatMediaType("attachment", map[string]string{"filename": ascii})
	if ascii != name {
		_, extended, _ := strings.Cut(mime.FormatMediaType("attachment", map[string]string{"filename": name}), "; ")
		value += "; " + extended
	}
	return value
}

// fileName replaces what no system or some system refuses in a name, and what is
// not seen, such as marks that turn an ending around.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|%`, r) || r != ' ' && !unicode.IsPrint(r) {
			return '-'
		}
		return r
	}, s)
	return strings.TrimLeft(s, ". ")
}
