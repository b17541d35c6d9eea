package web

import (
	"errors"
	"net/http"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// homeOf is the place of each role.
func homeOf(a school.Actor) string {
	switch {
	case a.MustChangePassword:
		return "/password"
	case a.Role.Staff():
		return "/integrator/sales-manager"
	default:
		return "/"
	}
}

func (h *Handler) toPanel(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/integrator/sales-manager", http.StatusSeeOther)
	return nil
}

func (h *Handler) loginForm(w http.ResponseWriter, r *http.Request) error {
	if a := visitOf(r).actor; a.Role != "" {
		http.Redirect(w, r, homeOf(a), http.StatusSeeOther)
		return nil
	}
	return h.showLogin(w, r, page.LoginForm{Next: localPath(r.URL.Query().Get("next")), Changed: r.URL.Query().Has("changed")}, http.StatusOK)
}

func (h *Handler) showLogin(w http.ResponseWriter, r *http.Request, m page.LoginForm, status int) error {
	return h.render(w, r, status, page.Login(h.chrome(r, "", visitOf(r).printer.T("login.title")), m))
}

func (h *Handler) logIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	email := r.PostForm.Get("email")
	a, err := h.desk.LogIn(r.Context(), h.visitor(r), email, r.PostForm.Get("password"))
	if err != nil {
		return h.refuseLogin(w, r, email, err)
	}
	return h.enterAt(w, r, a, localPath(r.PostForm.Get("next")))
}

// enter opens the session and leads to the person's place.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request, a school.Account) error {
	return h.enterAt(w, r, a, "/")
}

// enterAt is enter for who had asked for a page before; "/" is the person's own
// place.
func (h *Handler) enterAt(w http.ResponseWriter, r *http.Request, a school.Account, next string) error {
	if err := h.begin(r, a); err != nil {
		return err
	}
	if next == "/" || a.MustChange {
		next = homeOf(school.Actor{Role: a.Role, MustChangePassword: a.MustChange})
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (h *Handler) refuseLogin(w http.ResponseWriter, r *http.Request, email string, err error) error {
	if wantsJSON(r) || school.KindOf(err) == school.Internal {
		return err
	}
	shown := problem.Shown(err)
	if seconds := shown.Params["seconds"]; seconds != "" {
		w.Header().Set("Retry-After", seconds)
	}
	return h.showLogin(w, r, page.LoginForm{Email: email, Next: localPath(r.PostForm.Get("next")), Error: shown.Code, Params: shown.Params}, noteRefusal(r, err))
}

func (h *Handler) logOut(w http.ResponseWriter, r *http.Request) error {
	if err := h.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

func (h *Handler) logOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	if err := h.desk.EndMySessions(r.Context(), visitOf(r).actor); err != nil {
		return err
	}
	return h.logOut(w, r)
}

func (h *Handler) ownPasswordForm(w http.ResponseWriter, r *http.Request) error {
	if a := visitOf(r).actor; !a.MustChangePassword {
		http.Redirect(w, r, homeOf(a), http.StatusSeeOther)
		return nil
	}
	return h.showOwnPassword(w, r, page.PasswordForm{}, http.StatusOK)
}

func (h *Handler) showOwnPassword(w http.ResponseWriter, r *http.Request, m page.PasswordForm, status int) error {
	v := visitOf(r)
	m.Action, m.Required, m.Email = "/password", true, string(v.actor.Email)
	return h.render(w, r, status, page.OwnPassword(h.chrome(r, "", v.printer.T("password.title")), m))
}

func (h *Handler) setOwnPassword(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	actor := visitOf(r).actor
	err := h.desk.SetOwnPassword(r.Context(), actor, r.PostForm.Get("password"))
	if school.KindOf(err) == school.Invalid && err != nil && !wantsJSON(r) {
		shown := problem.Shown(err)
		return h.showOwnPassword(w, r, page.PasswordForm{Fields: shown.Fields}, noteRefusal(r, err))
	}
	if err != nil {
		return err
	}
	return h.enter(w, r, school.Account{ID: actor.ID, Role: actor.Role})
}

func (h *Handler) linkForm(w http.ResponseWriter, r *http.Request) error {
	owner, err := h.desk.LinkOwner(r.Context(), r.PathValue("token"))
	if errors.Is(err, school.ErrLinkInvalid) || err == nil && owner.ID == "" {
		return h.showConfirm(w, r) // it may be of the other kind
	}
	if err != nil {
		return err
	}
	return h.showLink(w, r, owner, page.PasswordForm{}, http.StatusOK)
}

func (h *Handler) refuseLink(w http.ResponseWriter, r *http.Request) error {
	status := noteRefusal(r, school.ErrLinkInvalid)
	return h.render(w, r, status, page.LinkInvalid(h.chrome(r, "", visitOf(r).printer.T("link_invalid.title"))))
}

func (h *Handler) showLink(w http.ResponseWriter, r *http.Request, owner school.Account, m page.PasswordForm, status int) error {
	m.Action, m.Email = r.URL.Path, string(owner.Email)
	return h.render(w, r, status, page.OwnPassword(h.chrome(r, "", visitOf(r).printer.T("password.title")), m))
}

func (h *Handler) useLink(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if r.PostForm.Has("confirm") {
		return h.confirmEmail(w, r)
	}
	a, err := h.desk.UseLink(r.Context(), h.visitor(r), r.PathValue("token"), r.PostForm.Get("password"))
	switch {
	case err == nil:
		return h.enter(w, r, a)
	case wantsJSON(r):
		return err
	case errors.Is(err, school.ErrLinkInvalid):
		return h.refuseLink(w, r)
	case school.KindOf(err) == school.Invalid:
		return h.showLink(w, r, a, page.PasswordForm{Fields: problem.Shown(err).Fields}, noteRefusal(r, err))
	default:
		return err
	}
}

func (h *Handler) setupForm(w http.ResponseWriter, r *http.Request) error {
	owner, err := h.desk.LinkOwner(r.Context(), r.PathValue("token"))
	if errors.Is(err, school.ErrLinkInvalid) || err == nil && owner.ID != "" {
		return h.refuseLink(w, r)
	}
	if err != nil {
		return err
	}
	return h.showSetup(w, r, page.SetupForm{}, http.StatusOK)
}

func (h *Handler) showSetup(w http.ResponseWriter, r *http.Request, m page.SetupForm, status int) error {
	m.Action = r.URL.Path
	return h.render(w, r, status, page.Setup(h.chrome(r, "", visitOf(r).printer.T("setup.title")), m))
}

func (h *Handler) setUp(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	n := school.NewStaff{
		FullName: r.PostForm.Get("full_name"), Email: r.PostForm.Get("email"), Password: r.PostForm.Get("password"),
		Language: string(visitOf(r).printer.Lang),
	}
	a, err := h.desk.SetUp(r.Context(), h.visitor(r), r.PathValue("token"), n)
	switch {
	case err == nil:
		return h.enter(w, r, a)
	case wantsJSON(r):
		return err
	case errors.Is(err, school.ErrLinkInvalid) || errors.Is(err, school.ErrAlreadySetUp):
		return h.refuseLink(w, r)
	case school.KindOf(err) == school.Invalid || school.KindOf(err) == school.Conflict:
		return h.showSetup(w, r, page.SetupForm{FullName: n.FullName, Email: n.Email, Fields: problem.Shown(err).Fields}, noteRefusal(r, err))
	default:
		return err
	}
}
