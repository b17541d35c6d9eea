package web

import (
	"errors"
	"net/http"
	"strconv"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// homeworkAction does one verb to the homework of the lesson and leads back to
// it; what was refused is shown in the lesson.
func (h *Handler) homeworkAction(w http.ResponseWriter, r *http.Request, field string, verb func(school.LessonID) error) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	err = verb(id)
	switch {
	case err == nil && wantsJSON(r):
		return writeJSON(w, http.StatusOK, map[string]bool{"saved": true})
	case err == nil:
		http.Redirect(w, r, lessonPath(id)+"#homework", http.StatusSeeOther)
		return nil
	case wantsJSON(r) || school.KindOf(err) != school.Invalid:
		return err
	}
	return h.showLesson(w, r, id, noteRefusal(r, err), func(m *page.LessonPage) {
		shown := problem.Shown(err)
		if m.Fields, m.Params = shown.Fields, shown.Params; len(m.Fields) == 0 {
			m.Fields = map[string]string{field: shown.Code}
		}
		if r.PostForm.Has("text") {
			typed := r.PostForm.Get("text")
			m.Typed = &typed
		}
	})
}

func (h *Handler) saveDraft(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return h.homeworkAction(w, r, "text", func(id school.LessonID) error {
		return h.desk.SaveDraft(r.Context(), visitOf(r).actor, id, r.PostForm.Get("text"))
	})
}

func (h *Handler) handIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return h.homeworkAction(w, r, "text", func(id school.LessonID) error {
		return h.desk.HandIn(r.Context(), visitOf(r).actor, id, r.PostForm.Get("text"))
	})
}

func (h *Handler) addDraftFile(w http.ResponseWriter, r *http.Request) error {
	return h.homeworkAction(w, r, "file", func(id school.LessonID) error {
		u, err := readUpload(w, r)
		if err != nil {
			return err
		}
		_, err = h.desk.AddDraftFile(r.Context(), visitOf(r).actor, id, u.name, u.file)
		return err
	})
}

func (h *Handler) removeDraftFile(w http.ResponseWriter, r *http.Request) error {
	return h.homeworkAction(w, r, "file", func(id school.LessonID) error {
		f, err := school.ParseFileID(r.PathValue("file"))
		if err != nil {
			return err
		}
		return h.desk.RemoveDraftFile(r.Context(), visitOf(r).actor, id, f)
	})
}

func (h *Handler) homeworkQueue(w http.ResponseWriter, r *http.Request) error {
	return h.showQueue(w, r, http.StatusOK, page.HomeworkPage{})
}

func (h *Handler) showQueue(w http.ResponseWriter, r *http.Request, status int, m page.HomeworkPage) error {
	v := visitOf(r)
	q, err := h.desk.Homework(r.Context(), v.actor)
	if err != nil {
		return err
	}
	m.Waiting, m.Total = q.Waiting, q.Total
	return h.render(w, r, status, page.HomeworkQueue(h.chrome(r, "homework", v.printer.T("queue.title")), m))
}

func (h *Handler) reviewHomework(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.ParseInt(r.PathValue("submission"), 10, 64)
	if err != nil {
		return school.ErrNotFound
	}
	if err := parseForm(r); err != nil {
		return err
	}
	id, comment := school.SubmissionID(n), r.PostForm.Get("comment")
	err = h.desk.ReviewHomework(r.Context(), visitOf(r).actor, id, school.HomeworkState(r.PostForm.Get("verdict")), comment)
	switch {
	case err == nil:
		http.Redirect(w, r, "/integrator/homework", http.StatusSeeOther)
		return nil
	case errors.Is(err, school.ErrNotWaiting) && !wantsJSON(r): // a colleague was faster
		return h.showQueue(w, r, noteRefusal(r, err), page.HomeworkPage{Error: school.ErrNotWaiting.Code})
	case school.KindOf(err) == school.Invalid && !wantsJSON(r):
		return h.showQueue(w, r, noteRefusal(r, err), page.HomeworkPage{Refused: id, Comment: comment, Fields: problem.Shown(err).Fields})
	default:
		return err
	}
}
