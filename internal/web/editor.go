package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

func (h *Handler) courses(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	all, err := h.desk.Courses(r.Context(), v.actor)
	if err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, page.CourseList(h.chrome(r, "courses", v.printer.T("editor.courses")), all))
}

func (h *Handler) lessonEditor(w http.ResponseWriter, r *http.Request) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	return h.showEditor(w, r, id, http.StatusOK, func(m *page.EditorPage) { m.Saved = r.URL.Query().Has("saved") })
}

// showEditor renders a lesson for its editor after change has had its say.
func (h *Handler) showEditor(w http.ResponseWriter, r *http.Request, id school.LessonID, status int, change func(*page.EditorPage)) error {
	sheet, err := h.desk.LessonSheet(r.Context(), visitOf(r).actor, id)
	if err != nil {
		return err
	}
	m := page.EditorPage{Lesson: sheet.Lesson, Content: sheet.Content, Form: formOf(sheet.Lesson, sheet.Content)}
	change(&m)
	w.Header().Set("Content-Security-Policy", contentSecurityPolicy+"; media-src 'self' blob:")
	return h.render(w, r, status, page.LessonEditor(h.chrome(r, "courses", sheet.Lesson.Title), m))
}

func formOf(l school.Lesson, c school.LessonContent) school.LessonForm {
	f := school.LessonForm{
		Title: l.Title, Minutes: strconv.Itoa(l.Minutes), Body: c.Body, Homework: c.Homework,
		VideoSource: string(l.Video.Source), VideoAddress: l.Video.Address, VideoPercent: strconv.Itoa(school.DefaultVideoPercent),
	}
	if s := l.Video.Seconds; s > 0 {
		f.VideoSeconds = fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	for _, r := range l.Rules {
		f.Rules = append(f.Rules, string(r.Kind))
		if r.Kind == school.RuleVideo {
			f.VideoPercent = strconv.Itoa(r.Percent)
		}
	}
	return f
}

func (h *Handler) editLesson(w http.ResponseWriter, r *http.Request) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	p := r.PostForm
	form := school.LessonForm{
		Title: p.Get("title"), Minutes: p.Get("minutes"), Body: p.Get("body"), Homework: p.Get("homework"),
		VideoSource: p.Get("video"), VideoAddress: p.Get("video_address"), VideoSeconds: p.Get("video_seconds"),
		Rules: p["rules"], VideoPercent: p.Get("percent"),
	}
	err = h.desk.EditLesson(r.Context(), visitOf(r).actor, id, form)
	return h.editorAnswer(w, r, id, err, func(m *page.EditorPage, e *school.Error) {
		m.Form, m.Fields, m.Error = form, e.Fields, e.Code
	})
}

// editorAnswer leads back to the editor, or shows it with what is wrong.
func (h *Handler) editorAnswer(w http.ResponseWriter, r *http.Request, id school.LessonID, err error, change func(*page.EditorPage, *school.Error)) error {
	switch {
	case err == nil:
		http.Redirect(w, r, "/integrator/lessons/"+strconv.FormatInt(int64(id), 10)+"?saved", http.StatusSeeOther)
		return nil
	case wantsJSON(r) || school.KindOf(err) != school.Invalid:
		return err
	}
	return h.showEditor(w, r, id, noteRefusal(r, err), func(m *page.EditorPage) { change(m, problem.Shown(err)) })
}

// sendToLesson keeps a file that an administrator sends for a lesson.
func (h *Handler) sendToLesson(kind string, keep func(*http.Request, school.LessonID, upload) error) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := lessonID(r)
		if err != nil {
			return err
		}
		u, err := readUpload(w, r)
		if err == nil {
			err = keep(r, id, u)
		}
		return h.editorAnswer(w, r, id, err, func(m *page.EditorPage, e *school.Error) {
			m.Fields, m.Params = map[string]string{kind: e.Code}, e.Params
		})
	}
}

func (h *Handler) sendVideo(r *http.Request, id school.LessonID, u upload) error {
	seconds, err := strconv.ParseFloat(u.fields["seconds"], 64) // the browser has looked; without script nobody has
	if err != nil {
		seconds = 0
	}
	return h.desk.AddVideo(r.Context(), visitOf(r).actor, id, u.name, u.file, int(math.Round(seconds)))
}

func (h *Handler) sendMaterial(r *http.Request, id school.LessonID, u upload) error {
	return h.desk.AddMaterial(r.Context(), visitOf(r).actor, id, u.name, u.file)
}

func (h *Handler) sendCaptions(r *http.Request, id school.LessonID, u upload) error {
	l, err := school.ParseLanguage(u.fields["language"])
	if err != nil {
		return err
	}
	return h.desk.AddCaptions(r.Context(), visitOf(r).actor, id, l, u.name, u.file)
}

func (h *Handler) removeLessonFile(w http.ResponseWriter, r *http.Request) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	f, err := school.ParseFileID(r.PathValue("file"))
	if err != nil {
		return err
	}
	err = h.desk.RemoveLessonFile(r.Context(), visitOf(r).actor, id, f)
	return h.editorAnswer(w, r, id, err, func(*page.EditorPage, *school.Error) {})
}
