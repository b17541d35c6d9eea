package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// mailSetup is how letters leave.
func (h *Handler) mailSetup(w http.ResponseWriter, r *http.Request) error {
	return h.showMail(w, r, http.StatusOK, func(m *page.MailPage) { m.Saved = r.URL.Query().Has("saved") })
}

func (h *Handler) showMail(w http.ResponseWriter, r *http.Request, status int, change func(*page.MailPage)) error {
	v := visitOf(r)
	state, err := h.desk.Mail(r.Context(), v.actor)
	if err != nil {
		return err
	}
	m := page.MailPage{S: state.Settings, Fixed: state.Fixed, Server: state.Server, HasPass: state.HasPassword, Hooked: state.Settings.HookHash != ""}
	change(&m)
	return h.render(w, r, status, page.Mail(h.chrome(r, "letters", v.printer.T("letters.part_mail")), m))
}

// editMail keeps the settings, or only tries them.
func (h *Handler) editMail(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, s := visitOf(r), mailFrom(r.PostForm)
	if r.PostForm.Get("try") != "" {
		return h.tryMail(w, r, s)
	}
	if err := h.desk.EditMail(r.Context(), v.actor, s); err != nil {
		return h.refuseMail(w, r, s, err)
	}
	http.Redirect(w, r, "/integrator/mail?saved", http.StatusSeeOther)
	return nil
}

func (h *Handler) tryMail(w http.ResponseWriter, r *http.Request, s school.MailSettings) error {
	trial, err := h.desk.TryMail(r.Context(), visitOf(r).actor, s)
	if err != nil {
		return h.refuseMail(w, r, s, err)
	}
	if s, err = h.carried(r, s); err != nil {
		return err
	}
	return h.showMail(w, r, http.StatusOK, func(m *page.MailPage) {
		m.S = s
		m.Trial = &page.MailTrial{Cause: trial.Cause, Words: trial.Words}
	})
}

// refuseMail shows the form again as it was typed.
func (h *Handler) refuseMail(w http.ResponseWriter, r *http.Request, s school.MailSettings, err error) error {
	if kind := school.KindOf(err); wantsJSON(r) || kind != school.Invalid && kind != school.Conflict {
		return err
	}
	s, carryErr := h.carried(r, s)
	if carryErr != nil {
		return carryErr
	}
	shown := problem.Shown(err)
	return h.showMail(w, r, noteRefusal(r, err), func(m *page.MailPage) {
		m.S = s
		if m.Fields, m.Params = shown.Fields, shown.Params; len(shown.Fields) == 0 {
			m.Error = shown.Code
		}
	})
}

// carried are the settings as they were typed, their password sealed.
func (h *Handler) carried(r *http.Request, s school.MailSettings) (school.MailSettings, error) {
	sealed, err := h.desk.CarryPassword(visitOf(r).actor, s)
	s.Password, s.CarriedPassword = "", sealed
	return s, err
}

// mailFrom reads the form.
func mailFrom(p url.Values) school.MailSettings {
	text := func(name string) string { return strings.TrimSpace(p.Get(name)) }
	number := func(name string) int { return numberIn(p, name) }
	s := school.MailSettings{
		Host: text("host"), Port: 587, Security: "starttls", Username: text("username"), Password: p.Get("password"), CarriedPassword: p.Get("carried_password"),
		FromName: text("from_name"), FromEmail: address(text("from_email")), ReplyTo: address(text("reply_to")), BounceEmail: address(text("bounce_email")),
		DomainPerMinute: number("domain_per_minute"), ContentDays: number("content_days"), ModuleOpened: p.Get("module_opened") != "", ReminderDays: number("reminder_days"),
	}
	if p.Has("port") { // not where the process's settings name the server
		s.Port, s.Security = number("port"), p.Get("security")
	}
	return s
}

// address is an address as it is kept; one that is faulty stays as it was typed.
func address(typed string) school.Email {
	if e, err := school.NewEmail(typed); err == nil {
		return e
	}
	return school.Email(typed)
}

// sendTest queues a letter to the reader and shows what becomes of it.
func (h *Handler) sendTest(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, err := h.desk.SendTestLetter(r.Context(), visitOf(r).actor)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/integrator/letters/"+strconv.FormatInt(id, 10), http.StatusSeeOther)
	return nil
}

// replaceHook makes the token for providers, and shows it this once.
func (h *Handler) replaceHook(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	token, err := h.desk.ReplaceHook(r.Context(), visitOf(r).actor)
	if err != nil {
		return err
	}
	return h.showMail(w, r, http.StatusOK, func(m *page.MailPage) { m.HookToken, m.Hooked = token, true })
}

// maxReport is the longest report of bounces that is read.
const maxReport = 1 << 20

// reportBounces is for providers: they show the token as a bearer, or as the
// password of any user.
func (h *Handler) reportBounces(w http.ResponseWriter, r *http.Request) error {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		_, token, _ = r.BasicAuth()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return school.ErrTooLarge
	}
	if err != nil {
		return school.ErrBounceInvalid
	}
	n, err := h.desk.ReportBounces(r.Context(), token, r.Header.Get("Content-Type"), body)
	if errors.Is(err, school.ErrHookRefused) { // Amazon shows the password when it is asked for it, and not before
		w.Header().Set("WWW-Authenticate", `Basic realm="bounces", charset="UTF-8"`)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int{"noted": n}) // the reader has left
	return nil
}
