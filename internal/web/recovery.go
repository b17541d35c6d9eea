package web

import (
	"errors"
	"net/http"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// recoverForm asks for the address to which a link for a new password goes.
func (h *Handler) recoverForm(w http.ResponseWriter, r *http.Request) error {
	return h.showRecover(w, r, http.StatusOK, page.RecoverForm{Email: r.URL.Query().Get("email"), Sent: r.URL.Query().Has("sent")})
}

func (h *Handler) showRecover(w http.ResponseWriter, r *http.Request, status int, m page.RecoverForm) error {
	return h.render(w, r, status, page.Recover(h.chrome(r, "", visitOf(r).printer.T("recover.title")), m))
}

// recoverAccess answers alike for addresses that somebody has and that nobody has.
func (h *Handler) recoverAccess(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	typed := r.PostForm.Get("email")
	err := h.desk.RequestRecovery(r.Context(), h.visitor(r), typed)
	if err == nil {
		http.Redirect(w, r, "/recover?sent", http.StatusSeeOther)
		return nil
	}
	if kind := school.KindOf(err); wantsJSON(r) || kind != school.Invalid && kind != school.Limited {
		return err
	}
	shown := problem.Shown(err)
	m := page.RecoverForm{Email: typed, Fields: shown.Fields, Params: shown.Params}
	if len(shown.Fields) == 0 {
		m.Error = shown.Code
		w.Header().Set("Retry-After", shown.Params["seconds"])
	}
	return h.showRecover(w, r, noteRefusal(r, err), m)
}

// requestEmail sends the link that confirms a new address.
func (h *Handler) requestEmail(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	typed := r.PostForm.Get("email")
	err := h.desk.RequestEmailChange(r.Context(), visitOf(r).actor, typed, r.PostForm.Get("current_password"))
	if err == nil {
		http.Redirect(w, r, "/account?asked", http.StatusSeeOther)
		return nil
	}
	if kind := school.KindOf(err); wantsJSON(r) || kind == school.Internal || kind == school.Unauthenticated {
		return err
	}
	shown := problem.Shown(err)
	m := page.AccountPage{Change: page.EmailForm{Email: typed, Fields: shown.Fields, Params: shown.Params}}
	if len(shown.Fields) == 0 {
		m.Change.Error = shown.Code
	}
	return h.showAccount(w, r, noteRefusal(r, err), m)
}

// showConfirm asks for the one press that a machine which opens links does not make.
func (h *Handler) showConfirm(w http.ResponseWriter, r *http.Request) error {
	a, to, err := h.desk.EmailLink(r.Context(), r.PathValue("token"))
	if errors.Is(err, school.ErrLinkInvalid) {
		return h.refuseLink(w, r)
	}
	if err != nil {
		return err
	}
	m := page.ConfirmForm{Action: r.URL.Path, Old: string(a.Email), New: string(to)}
	return h.render(w, r, http.StatusOK, page.ConfirmEmail(h.chrome(r, "", visitOf(r).printer.T("confirm.title")), m))
}

// confirmEmail spends the link of a new address. Whoever is logged in here as that
// account stays so; all other sessions end.
func (h *Handler) confirmEmail(w http.ResponseWriter, r *http.Request) error {
	a, err := h.desk.ConfirmEmail(r.Context(), h.visitor(r), r.PathValue("token"))
	switch {
	case err == nil && visitOf(r).actor.ID == a.ID:
		return h.enterAt(w, r, a, "/account?changed")
	case err == nil:
		http.Redirect(w, r, "/login?changed", http.StatusSeeOther)
		return nil
	case wantsJSON(r):
		return err
	case errors.Is(err, school.ErrLinkInvalid):
		return h.refuseLink(w, r)
	case errors.Is(err, school.ErrEmailTaken):
		return h.render(w, r, noteRefusal(r, err), page.ConfirmEmail(h.chrome(r, "", visitOf(r).printer.T("confirm.title")), page.ConfirmForm{Taken: true}))
	default:
		return err
	}
}
