package web

import (
	"net/http"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

func (h *Handler) account(w http.ResponseWriter, r *http.Request) error {
	return h.showAccount(w, r, http.StatusOK, page.AccountPage{
		Saved: r.URL.Query().Has("saved"), Asked: r.URL.Query().Has("asked"), Changed: r.URL.Query().Has("changed"),
	})
}

func (h *Handler) showAccount(w http.ResponseWriter, r *http.Request, status int, m page.AccountPage) error {
	v := visitOf(r)
	sessions, err := h.desk.MySessions(r.Context(), v.actor)
	if err != nil {
		return err
	}
	m.Email, m.Sessions, m.CurrentHash = string(v.actor.Email), sessions, h.tokenHash(r)
	m.Password.Email = m.Email
	return h.render(w, r, status, page.Account(h.chrome(r, "account", v.printer.T("nav.account")), m))
}

func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	actor := visitOf(r).actor
	err := h.desk.ChangePassword(r.Context(), actor, r.PostForm.Get("current_password"), r.PostForm.Get("password"))
	if err != nil && school.KindOf(err) == school.Invalid && !wantsJSON(r) {
		return h.showAccount(w, r, noteRefusal(r, err), page.AccountPage{Password: page.PasswordForm{Fields: problem.Shown(err).Fields}})
	}
	if err != nil {
		return err
	}
	if err := h.begin(r, school.Account{ID: actor.ID}); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?saved", http.StatusSeeOther)
	return nil
}
