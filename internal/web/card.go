package web

import (
	"errors"
	"net/http"
	"strconv"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// card is everything about one student.
func (h *Handler) card(w http.ResponseWriter, r *http.Request) error {
	return h.showCard(w, r, http.StatusOK, func(*page.CardPage) {})
}

// showCard reads the card and lets change add what just happened to it.
func (h *Handler) showCard(w http.ResponseWriter, r *http.Request, status int, change func(*page.CardPage)) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	c := h.chrome(r, "students", "")
	h.follow(r, &c) // before the rows are read
	card, err := h.desk.Student(r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	m := page.CardPage{
		Student: card.Student, Modules: card.Modules, Activity: card.Activity,
		Edit:     page.EditForm{FullName: card.Student.FullName, Email: string(card.Student.Email)},
		MayGrant: v.actor.May(school.GrantModules) == nil, Money: card.Money,
	}
	if err := h.addMoney(r, &m); err != nil {
		return err
	}
	if !card.Student.DeletedAt.IsZero() {
		m.RestoreUntil = card.Student.DeletedAt.AddDate(0, 0, v.settings.TrashDays)
	}
	change(&m)
	c.Title = card.Student.FullName
	c.Toast = cardToast(v.printer, r.URL.Query())
	return h.render(w, r, status, page.StudentCard(c, m))
}

// refuseOnCard shows the card with what is wrong, for errors that a person can
// mend there.
func (h *Handler) refuseOnCard(w http.ResponseWriter, r *http.Request, err error, change func(*page.CardPage, *school.Error)) error {
	kind := school.KindOf(err)
	if wantsJSON(r) || kind != school.Invalid && kind != school.Conflict {
		return err
	}
	return h.showCard(w, r, noteRefusal(r, err), func(m *page.CardPage) { change(m, problem.Shown(err)) })
}

func (h *Handler) editStudent(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	name, email := r.PostForm.Get("full_name"), r.PostForm.Get("email")
	if err := h.desk.EditStudent(r.Context(), visitOf(r).actor, id, name, email, r.PostForm.Get("resend") != ""); err != nil {
		return h.refuseOnCard(w, r, err, func(m *page.CardPage, e *school.Error) {
			m.Edit = page.EditForm{FullName: name, Email: email, Fields: e.Fields, Params: e.Params, Open: true}
			if len(e.Fields) == 0 {
				m.Edit.Error = e.Code
			}
		})
	}
	http.Redirect(w, r, cardPath(id), http.StatusSeeOther)
	return nil
}

func (h *Handler) restoreStudent(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	email := r.PostForm.Get("email")
	if err := h.desk.RestoreStudent(r.Context(), visitOf(r).actor, id, email); err != nil {
		return h.refuseOnCard(w, r, err, func(m *page.CardPage, e *school.Error) {
			m.RestoreParams, m.RestoreEmail, m.RestoreFields = e.Params, email, e.Fields
			if !errors.Is(e, school.ErrInvalidInput) {
				m.RestoreError = e.Code
			}
		})
	}
	to := cardPath(id)
	if r.URL.Query().Get("back") == "list" {
		to = "/integrator/sales-manager?restored=" + string(id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// issueLink shows the new link on the card, this once: it answers the post
// itself, because a link cannot be kept to be shown after a redirect.
func (h *Handler) issueLink(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	path, ends, err := h.desk.IssueLink(r.Context(), visitOf(r).actor, id)
	if err != nil {
		return err
	}
	return h.showCard(w, r, http.StatusOK, func(m *page.CardPage) {
		m.Link = &page.LinkShown{URL: h.baseURL + path, Ends: ends}
	})
}

func (h *Handler) grantModule(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	module, err := strconv.ParseInt(r.PostForm.Get("module_id"), 10, 64)
	if err != nil {
		return school.ErrNotFound
	}
	reason := r.PostForm.Get("reason")
	if err := h.desk.GrantModule(r.Context(), visitOf(r).actor, id, school.ModuleID(module), reason); err != nil {
		return h.refuseOnCard(w, r, err, func(m *page.CardPage, e *school.Error) {
			m.GrantModule, m.GrantFields, m.GrantReason = school.ModuleID(module), e.Fields, reason
		})
	}
	http.Redirect(w, r, cardPath(id), http.StatusSeeOther)
	return nil
}
