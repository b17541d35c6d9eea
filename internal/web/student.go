package web

import (
	"errors"
	"net/http"
	"strconv"

	"tripwire/internal/desk"
	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// recentActivity is how many lines of history stand under the list.
const recentActivity = 8

// panel is the sales manager's page: the list, the form, what happened last.
func (h *Handler) panel(w http.ResponseWriter, r *http.Request) error {
	m := page.PanelPage{Form: h.blankForm(r)}
	c := h.chrome(r, "students", visitOf(r).printer.T("panel.title"))
	toast, err := h.toast(r)
	if err != nil {
		return err
	}
	c.Toast = toast
	return h.showPanel(w, r, c, m, http.StatusOK)
}

// showPanel fills in what the page lists.
func (h *Handler) showPanel(w http.ResponseWriter, r *http.Request, c page.Chrome, m page.PanelPage, status int) error {
	v := visitOf(r)
	h.follow(r, &c)
	course, err := h.desk.CourseOnSale(r.Context(), v.actor)
	switch {
	case errors.Is(err, school.ErrNoCourse): // the page says so
	case err != nil:
		return err
	default:
		m.CourseTitle, m.ModuleCount, m.Price = course.Title, len(course.Modules), course.Price
	}
	m.Form.CoursePrice = course.Price
	q := r.URL.Query()
	f, state, faulty := listFilter(q, v)
	m.Period = periodPicker(q, f, state, faulty)
	if faulty != nil {
		status = noteRefusal(r, faulty)
	}
	// A block that cannot be read says so; the rest of the page stays of use, and
	// so does an answer that shows a password this once.
	if refused := h.figures(r, &m, f, state); refused != 0 {
		status = refused
	}
	if m.List, err = h.studentList(r, f, state); err != nil {
		status, m.ListError = noteRefusal(r, err), trailOf(r.Context()).requestID
	}
	if m.Activity, err = h.desk.Activity(r.Context(), v.actor, recentActivity); err != nil {
		status, m.ActivityError = noteRefusal(r, err), trailOf(r.Context()).requestID
	}
	c.Query = f.Query
	return h.render(w, r, status, page.Panel(c, m))
}

func pageFrom(s string) school.Page {
	n, err := strconv.Atoi(s)
	if err != nil {
		n = 1
	}
	return school.Page{Number: n}.Clamp()
}

// toast tells what the last action did, from the address that it led to.
func (h *Handler) toast(r *http.Request) (*page.Toast, error) {
	q, v := r.URL.Query(), visitOf(r)
	for _, done := range []string{"deleted", "restored"} {
		if q.Get(done) == "" {
			continue
		}
		id, err := school.ParseUserID(q.Get(done))
		if err != nil {
			return nil, ignoreNotFound(err)
		}
		card, err := h.desk.Student(r.Context(), v.actor, id)
		if err != nil {
			return nil, ignoreNotFound(err)
		}
		deleted := card.Student.Status() == school.StatusDeleted
		switch {
		case done == "deleted" && deleted:
			return &page.Toast{
				Text:       v.printer.T("toast.deleted", "name", card.Student.FullName),
				UndoAction: cardPath(card.Student.ID) + "/restore?back=list",
			}, nil
		case done == "restored" && !deleted:
			return &page.Toast{Text: v.printer.T("toast.restored", "name", card.Student.FullName)}, nil
		}
	}
	return nil, nil //nolint:nilnil // nothing was done, and nothing is wrong
}

// ignoreNotFound is for addresses that mention somebody who is gone since.
func ignoreNotFound(err error) error {
	if errors.Is(err, school.ErrNotFound) {
		return nil
	}
	return err
}

// blankForm is a form that was never sent.
func (h *Handler) blankForm(r *http.Request) page.StudentForm {
	v := visitOf(r)
	limit := v.settings.PriceLimit(v.actor.Role)
	return page.StudentForm{
		Key: school.NewToken(), Access: string(school.AccessPassword), Language: string(v.settings.Language),
		MayChangePrice: limit.MinPercent < limit.MaxPercent,
	}
}

// newStudent is the form for browsers without script, and the way back to it
// with a password made by us.
func (h *Handler) newStudent(w http.ResponseWriter, r *http.Request) error {
	f := h.blankForm(r)
	if r.URL.Query().Has("generate") {
		f.Password = school.NewPassword()
	}
	if r.Header.Get("HX-Request") != "" {
		return h.showForm(w, r, f, http.StatusOK)
	}
	return h.showPanel(w, r, h.chrome(r, "students", visitOf(r).printer.T("student.new")), page.PanelPage{Form: f, OpenForm: true}, http.StatusOK)
}

func (h *Handler) showForm(w http.ResponseWriter, r *http.Request, f page.StudentForm, status int) error {
	course, err := h.desk.CourseOnSale(r.Context(), visitOf(r).actor)
	if err != nil && !errors.Is(err, school.ErrNoCourse) {
		return err
	}
	f.CoursePrice = course.Price
	return h.render(w, r, status, page.FormFragment(h.chrome(r, "students", ""), f))
}

// newPassword makes a password for the form; it is kept nowhere.
func (h *Handler) newPassword(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(school.NewPassword())) // the reader has left
	return nil
}

func (h *Handler) createStudent(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p := r.PostForm
	form := school.NewStudentForm{
		FullName: p.Get("full_name"), Email: p.Get("email"), Access: p.Get("access"), Password: p.Get("password"),
		Price: p.Get("price"), Language: p.Get("language"), Key: p.Get("form_key"),
	}
	created, err := h.desk.CreateStudent(r.Context(), visitOf(r).actor, form)
	if err != nil {
		return h.refuseForm(w, r, form, err)
	}
	return h.showCreated(w, r, created)
}

// showCreated answers with the success dialog. Where scripts run it is sent
// alone, and the page asks for its list itself.
func (h *Handler) showCreated(w http.ResponseWriter, r *http.Request, created school.Created) error {
	c := h.chrome(r, "students", visitOf(r).printer.T("created.title"))
	if r.Header.Get("HX-Request") != "" {
		return h.render(w, r, http.StatusOK, page.StudentCreated(c, created))
	}
	return h.showPanel(w, r, c, page.PanelPage{Form: h.blankForm(r), Created: &created}, http.StatusOK)
}

// refuseForm shows the form again as it was typed, with what is wrong.
func (h *Handler) refuseForm(w http.ResponseWriter, r *http.Request, form school.NewStudentForm, err error) error {
	if wantsJSON(r) {
		return err
	}
	status, shown := noteRefusal(r, err), problem.Shown(err)
	f := h.blankForm(r)
	f.FullName, f.Email, f.Password, f.Price, f.Access = form.FullName, form.Email, form.Password, form.Price, form.Access
	f.Fields, f.Params = shown.Fields, shown.Params
	if form.Language != "" {
		f.Language = form.Language
	}
	if form.Key != "" && !errors.Is(err, school.ErrFormKeyReused) && !errors.Is(err, school.ErrFormKeyInvalid) && !errors.Is(err, school.ErrAlreadyCreated) {
		f.Key = form.Key
	}
	if len(shown.Fields) == 0 {
		f.Error = shown.Code
	}
	if r.Header.Get("HX-Request") != "" {
		return h.showForm(w, r, f, status)
	}
	c := h.chrome(r, "students", visitOf(r).printer.T("student.new"))
	return h.showPanel(w, r, c, page.PanelPage{Form: f, OpenForm: true}, status)
}

// studentAction does one verb to the student of the address and leads on.
func (h *Handler) studentAction(w http.ResponseWriter, r *http.Request, verb func(id school.UserID) error, to func(id school.UserID) string) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if err := verb(id); err != nil {
		return err
	}
	http.Redirect(w, r, to(id), http.StatusSeeOther)
	return nil
}

func cardPath(id school.UserID) string { return "/integrator/students/" + string(id) }

func (h *Handler) blockStudent(w http.ResponseWriter, r *http.Request) error {
	return h.studentAction(w, r, func(id school.UserID) error {
		return h.desk.BlockStudent(r.Context(), visitOf(r).actor, id)
	}, cardPath)
}

func (h *Handler) unblockStudent(w http.ResponseWriter, r *http.Request) error {
	return h.studentAction(w, r, func(id school.UserID) error {
		return h.desk.UnblockStudent(r.Context(), visitOf(r).actor, id)
	}, cardPath)
}

func (h *Handler) deleteStudent(w http.ResponseWriter, r *http.Request) error {
	return h.studentAction(w, r, func(id school.UserID) error {
		_, err := h.desk.DeleteStudent(r.Context(), visitOf(r).actor, id)
		return err
	}, func(id school.UserID) string { return "/integrator/sales-manager?deleted=" + string(id) })
}

func (h *Handler) trash(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	p := pageFrom(r.URL.Query().Get("page"))
	l, err := h.desk.Trash(r.Context(), v.actor, p)
	if err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, page.Trash(h.chrome(r, "trash", v.printer.T("trash.title")), trashPage(v, l, p)))
}

func trashPage(v *visit, l desk.TrashList, p school.Page) page.TrashPage {
	return page.TrashPage{
		Days: v.settings.TrashDays,
		List: page.StudentList{
			Students: l.Students, Total: l.Total, Page: p.Number, Trash: true, ShowManager: v.actor.Role == school.RoleAdmin,
		},
	}
}
