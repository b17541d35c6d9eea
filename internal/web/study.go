package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"tripwire/internal/desk"
	"tripwire/internal/locale"
	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// home leads everybody to their own place: staff to the panel, a student to the
// course, or to a choice among several.
func (h *Handler) home(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	if v.actor.Role.Staff() {
		return h.toPanel(w, r)
	}
	courses, err := h.desk.MyCourses(r.Context(), v.actor)
	switch {
	case err != nil:
		return err
	case len(courses) == 0:
		return school.ErrNotFound
	case len(courses) == 1:
		return h.showCourse(w, r, courses[0].Slug)
	}
	return h.render(w, r, http.StatusOK, page.Courses(h.chrome(r, "course", v.printer.T("courses.lead")), courses))
}

func (h *Handler) course(w http.ResponseWriter, r *http.Request) error {
	return h.showCourse(w, r, r.PathValue("slug"))
}

func (h *Handler) showCourse(w http.ResponseWriter, r *http.Request, slug string) error {
	course, err := h.desk.MyCourse(r.Context(), visitOf(r).actor, slug)
	if err != nil {
		return err
	}
	m := coursePage(course, nil)
	if m.Celebrate, err = h.desk.Celebrate(r.Context(), visitOf(r).actor, m.Modules); err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, page.CourseHome(h.chrome(r, "course", course.Course.Title), m))
}

func coursePage(v desk.CourseView, p *page.Preview) page.CoursePage {
	return page.CoursePage{Course: v.Course, Modules: v.Modules, Now: v.Now, CompletedAt: v.CompletedAt, Preview: p}
}

func lessonPage(v desk.LessonView, p *page.Preview) page.LessonPage {
	m := page.LessonPage{
		CoursePage: coursePage(v.CourseView, p), Module: v.Module, Lesson: v.Lesson, Content: v.Content,
		Draft: v.Draft, Submissions: v.Submissions,
	}
	m.Current = v.Lesson.Lesson.ID
	return m
}

func lessonID(r *http.Request) (school.LessonID, error) {
	n, err := strconv.ParseInt(r.PathValue("lesson"), 10, 64)
	if err != nil {
		return 0, school.ErrNotFound
	}
	return school.LessonID(n), nil
}

func lessonPath(id school.LessonID) string { return "/lesson/" + strconv.FormatInt(int64(id), 10) }

func (h *Handler) lesson(w http.ResponseWriter, r *http.Request) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	return h.showLesson(w, r, id, http.StatusOK, func(*page.LessonPage) {})
}

// showLesson renders the lesson of the actor after change has had its say.
func (h *Handler) showLesson(w http.ResponseWriter, r *http.Request, id school.LessonID, status int, change func(*page.LessonPage)) error {
	v, err := h.desk.MyLesson(r.Context(), visitOf(r).actor, id)
	if err != nil {
		return err
	}
	m := lessonPage(v, nil)
	if m.Celebrate, err = h.desk.Celebrate(r.Context(), visitOf(r).actor, m.Modules); err != nil {
		return err
	}
	change(&m)
	return h.renderLesson(w, r, status, m)
}

func (h *Handler) renderLesson(w http.ResponseWriter, r *http.Request, status int, m page.LessonPage) error {
	w.Header().Set("Content-Security-Policy", policyWithVideo(m.Lesson.Lesson.Video))
	return h.render(w, r, status, page.Lesson(h.chrome(r, "course", m.Lesson.Lesson.Title), m))
}

// policyWithVideo lets in what this one video needs: of an embedded player its
// site, of an address any film, of a file nothing.
func policyWithVideo(v school.Video) string {
	origin := v.Origin()
	switch {
	case v.Source == school.VideoFile:
		return contentSecurityPolicy + "; media-src 'self'"
	case v.Source == school.VideoMP4: // a film often lies elsewhere than its address says
		return contentSecurityPolicy + "; media-src 'self' https:"
	case v.Source == school.VideoHLS: // hls.js fetches the pieces, from anywhere, and feeds them to the player as a blob
		return contentSecurityPolicy + " https:; media-src 'self' blob: https:"
	case origin != "":
		return contentSecurityPolicy + "; frame-src " + origin
	}
	return contentSecurityPolicy
}

// standing is how a lesson stands, for the player and for programs.
type standing struct {
	Completed bool     `json:"completed"`
	Percent   int      `json:"percent"`  // of the video
	Position  float64  `json:"position"` // in seconds
	Missing   []string `json:"missing"`  // kinds of completion rules
	Note      string   `json:"note"`     // the same as a sentence
}

func standingOf(p locale.Printer, l school.LessonProgress) standing {
	s := standing{
		Completed: l.Completed(), Percent: l.PlayedPercent(), Position: float64(l.PositionMS) / 1000,
		Missing: []string{}, Note: page.Standing(p, l),
	}
	for _, m := range l.Missing() {
		s.Missing = append(s.Missing, string(m.Kind))
	}
	return s
}

func (h *Handler) reportProgress(w http.ResponseWriter, r *http.Request) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	var report struct {
		Ranges   [][2]float64 `json:"ranges"`
		Duration float64      `json:"duration"`
		Position float64      `json:"position"`
	}
	if err := readJSON(r, &report); err != nil {
		return err
	}
	v := visitOf(r)
	l, err := h.desk.ReportProgress(r.Context(), v.actor, id, school.PlayReport(report))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, standingOf(v.printer, l))
}

func readJSON(r *http.Request, into any) error {
	return refusedBody(json.NewDecoder(r.Body).Decode(into))
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // the reader has left
	return nil
}

// completeLesson leads on: to what comes next, or to the course when a module was
// completed, which is celebrated there.
func (h *Handler) completeLesson(w http.ResponseWriter, r *http.Request) error {
	id, err := lessonID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	err = h.desk.CompleteLesson(r.Context(), v.actor, id)
	if errors.Is(err, school.ErrNotQualified) {
		return h.refuseCompletion(w, r, id, err)
	}
	if err != nil {
		return err
	}
	if wantsJSON(r) {
		return writeJSON(w, http.StatusOK, map[string]bool{"completed": true})
	}
	to, err := h.desk.AfterLesson(r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	path := "/course/" + to.Course.Slug
	if to.Next != 0 {
		path = lessonPath(to.Next)
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

func (h *Handler) refuseCompletion(w http.ResponseWriter, r *http.Request, id school.LessonID, err error) error {
	lesson, readErr := h.desk.MyLesson(r.Context(), visitOf(r).actor, id)
	if readErr != nil {
		return readErr
	}
	if wantsJSON(r) {
		e := problem.Shown(err)
		return e.With("missing", page.Standing(visitOf(r).printer, lesson.Lesson))
	}
	m := lessonPage(lesson, nil)
	m.Error = school.ErrNotQualified.Code
	return h.renderLesson(w, r, noteRefusal(r, err), m)
}
