package web

import (
	"net/http"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// previewLayout is what <input type=datetime-local> sends.
const previewLayout = "2006-01-02T15:04"

// previewAt reads the time of a preview, in the school's zone; what cannot be
// read is now.
func previewAt(r *http.Request, s school.Settings) (at time.Time, typed string) {
	typed = r.URL.Query().Get("at")
	at, err := time.ParseInLocation(previewLayout, typed, s.Location())
	if err != nil {
		return time.Time{}, ""
	}
	return at.UTC(), typed
}

func (h *Handler) previewCourse(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	at, typed := previewAt(r, v.settings)
	student, course, err := h.desk.PreviewCourse(r.Context(), v.actor, id, at)
	if err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, page.CourseHome(h.chrome(r, "students", v.printer.T("preview.label")),
		coursePage(course, &page.Preview{Student: student, Path: r.URL.Path, At: typed})))
}

func (h *Handler) previewLesson(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	lessonOf, err := lessonID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	at, typed := previewAt(r, v.settings)
	student, lesson, err := h.desk.PreviewLesson(r.Context(), v.actor, id, lessonOf, at)
	if err != nil {
		return err
	}
	return h.renderLesson(w, r, http.StatusOK, lessonPage(lesson, &page.Preview{Student: student, Path: r.URL.Path, At: typed}))
}
