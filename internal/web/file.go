package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"tripwire/internal/school"
)

// file sends what people have sent us, to who may see it. The desk decides.
func (h *Handler) file(w http.ResponseWriter, r *http.Request) error {
	id, err := school.ParseFileID(r.PathValue("file"))
	if err != nil {
		return err
	}
	f, content, err := h.desk.OpenFile(r.Context(), visitOf(r).actor, id)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	header := w.Header()
	header.Set(gzhttp.HeaderNoCompression, "1") // ranges are of the file itself
	header.Set("Content-Type", f.MediaType)
	header.Set("Content-Disposition", disposition(f))
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", `"`+f.SHA256+`"`)
	http.ServeContent(&patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}, r, "", f.CreatedAt, content)
	return nil
}

// disposition shows in the page what cannot run there, and has everything else
// saved.
func disposition(f school.File) string {
	how := "attachment"
	switch kind, _, _ := strings.Cut(f.MediaType, "/"); {
	case kind == "video", kind == "audio", strings.HasPrefix(f.MediaType, "text/vtt"),
		f.MediaType == "image/png", f.MediaType == "image/jpeg", f.MediaType == "image/webp", f.MediaType == "image/gif":
		how = "inline"
	}
	return mime.FormatMediaType(how, map[string]string{"filename": f.Name})
}

// stall is how long a sender or a receiver of a file may stand still.
const stall = 30 * time.Second

// patientWriter gives a slow reader time for as long as something moves; the
// server's own limit is for pages.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) Write(p []byte) (int, error) {
	if err := w.wait(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}

// flush sends what waits to be sent.
func (w *patientWriter) flush() error {
	if err := w.wait(); err != nil {
		return err
	}
	return w.control.Flush()
}

// wait gives time from now on.
func (w *patientWriter) wait() error { return w.control.SetWriteDeadline(time.Now().Add(stall)) }

// patientReader is the same for who sends.
type patientReader struct {
	io.Reader
	control *http.ResponseController
}

func (r *patientReader) Read(p []byte) (int, error) {
	until := time.Now().Add(stall)
	if err := errors.Join(r.control.SetReadDeadline(until), r.control.SetWriteDeadline(until)); err != nil { // the answer comes after it
		return 0, err
	}
	n, err := r.Reader.Read(p)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		err = school.ErrTooLarge
	}
	return n, err
}

// upload is the file of a form, and the fields that stand before it.
type upload struct {
	name   string
	file   io.Reader
	fields map[string]string
}

// maxField bounds the fields of a form with a file.
const maxField = 1000

// readUpload finds the file of a form without keeping it in memory. Errors:
// Invalid file_empty, invalid_input.
func readUpload(w http.ResponseWriter, r *http.Request) (u upload, err error) {
	control := http.NewResponseController(w)
	parts, err := r.MultipartReader()
	if err != nil {
		return u, school.ErrInvalidInput
	}
	u.fields = map[string]string{}
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return u, school.ErrFileEmpty
		case err != nil:
			return u, school.ErrInvalidInput
		case part.FormName() == "file":
			u.name, u.file = part.FileName(), &patientReader{Reader: part, control: control}
			return u, nil
		}
		if err := readField(part, u.fields); err != nil {
			return u, err
		}
	}
}

func readField(part *multipart.Part, fields map[string]string) error {
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil || len(value) > maxField {
		return school.ErrInvalidInput
	}
	fields[part.FormName()] = string(value)
	return nil
}
