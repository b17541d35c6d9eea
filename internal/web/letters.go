package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// letters is the outbox.
func (h *Handler) letters(w http.ResponseWriter, r *http.Request) error {
	v, f := visitOf(r), letterFilter(r.URL.Query())
	c := h.chrome(r, "letters", v.printer.T("nav.letters"))
	h.follow(r, &c) // before the rows are read
	l, err := h.desk.Letters(r.Context(), v.actor, f)
	if err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, page.Letters(c, page.LettersPage{
		Filter: f, Letters: l.Letters, More: l.More, Traffic: l.Mail.Traffic, Server: l.Mail.Server, Settings: l.Mail.Settings,
	}))
}

// letterFilter reads what an address asks of the outbox; what means nothing is not
// asked.
func letterFilter(q url.Values) school.LetterFilter {
	query := []rune(q.Get("q"))
	f := school.LetterFilter{State: school.ParseLetterState(q.Get("state")), Query: string(query[:min(len(query), school.MaxQuery)])}
	if kind, err := school.ParseLetterKind(q.Get("kind")); err == nil {
		f.Kind = kind
	}
	if before, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && before > 0 {
		f.Before = before
	}
	return f
}

func letterID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("letter"), 10, 64)
	if err != nil || id < 1 {
		return 0, school.ErrNotFound
	}
	return id, nil
}

// letter is one letter as it was sent.
func (h *Handler) letter(w http.ResponseWriter, r *http.Request) error {
	id, err := letterID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	c := h.chrome(r, "letters", v.printer.T("nav.letters"))
	h.follow(r, &c)
	m := page.LetterPage{}
	l, err := h.desk.Letter(r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	m.Letter, m.Content, m.Forgotten = l.Letter, l.Content, l.Forgotten
	if _, err := h.desk.Student(r.Context(), v.actor, m.Letter.UserID); err == nil {
		m.Card = cardPath(m.Letter.UserID)
	} else if !errors.Is(err, school.ErrNotFound) {
		return err
	}
	framing(w)
	return h.render(w, r, http.StatusOK, page.Letter(c, m))
}

// letterBody is the letter's own HTML, for a frame on our page.
func (h *Handler) letterBody(w http.ResponseWriter, r *http.Request) error {
	id, err := letterID(r)
	if err != nil {
		return err
	}
	l, err := h.desk.Letter(r.Context(), visitOf(r).actor, id)
	switch {
	case err != nil:
		return err
	case l.Content.HTML == "":
		return school.ErrNotFound
	}
	return sendFramed(w, http.StatusOK, l.Content.HTML)
}

// framing lets our own page show our own frames.
func framing(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", contentSecurityPolicy+"; frame-src 'self'")
}

// sendFramed answers HTML that is shown in a frame: it may have styles of its own,
// and nothing else.
func sendFramed(w http.ResponseWriter, status int, html string) error {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox")
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html)) //nolint:gosec // what package mail has composed, escaped, and in a sandbox; the reader may have left
	return nil
}

// letterAction does one verb to the letter of the address and shows it.
func (h *Handler) letterAction(verb func(r *http.Request, id int64) error) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := letterID(r)
		if err != nil {
			return err
		}
		if err := parseForm(r); err != nil {
			return err
		}
		if err := verb(r, id); err != nil {
			return err
		}
		http.Redirect(w, r, "/integrator/letters/"+strconv.FormatInt(id, 10), http.StatusSeeOther)
		return nil
	}
}

func (h *Handler) retryLetter(r *http.Request, id int64) error {
	return h.desk.RetryLetter(r.Context(), visitOf(r).actor, id)
}

func (h *Handler) withdrawLetter(r *http.Request, id int64) error {
	return h.desk.WithdrawLetter(r.Context(), visitOf(r).actor, id)
}

// letterTexts lists the wordings.
func (h *Handler) letterTexts(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	l, err := school.ParseLanguage(r.URL.Query().Get("language"))
	if err != nil {
		l = v.settings.Language
	}
	texts, err := h.desk.LetterTexts(r.Context(), v.actor, l)
	if err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, page.LetterTexts(h.chrome(r, "letters", v.printer.T("letters.part_texts")), page.LetterTextsPage{Language: l, Texts: texts}))
}

// textAsked reads which wording an address means. Errors: NotFound.
func textAsked(r *http.Request) (school.LetterKind, school.Language, error) {
	kind, err := school.ParseLetterKind(r.PathValue("kind"))
	if err != nil {
		return "", "", err
	}
	l, err := school.ParseLanguage(r.PathValue("language"))
	if err != nil {
		return "", "", school.ErrNotFound
	}
	return kind, l, nil
}

func (h *Handler) letterText(w http.ResponseWriter, r *http.Request) error {
	return h.showLetterText(w, r, http.StatusOK, func(m *page.LetterTextPage) { m.Saved = r.URL.Query().Has("saved") })
}

func (h *Handler) showLetterText(w http.ResponseWriter, r *http.Request, status int, change func(*page.LetterTextPage)) error {
	kind, l, err := textAsked(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	m := page.LetterTextPage{}
	if m.Text, err = h.desk.LetterText(r.Context(), v.actor, kind, l); err != nil {
		return err
	}
	change(&m)
	framing(w)
	return h.render(w, r, status, page.LetterTextEditor(h.chrome(r, "letters", v.printer.T("detail.kind."+string(kind))), m))
}

// typedText reads the form of a wording.
func typedText(r *http.Request) (t school.LetterText, err error) {
	if t.Kind, t.Language, err = textAsked(r); err != nil {
		return t, err
	}
	if err := parseForm(r); err != nil {
		return t, err
	}
	t.Subject, t.Body = r.PostForm.Get("subject"), r.PostForm.Get("body")
	return t, nil
}

func (h *Handler) editLetterText(w http.ResponseWriter, r *http.Request) error {
	t, err := typedText(r)
	if err != nil {
		return err
	}
	if err := h.desk.EditLetterText(r.Context(), visitOf(r).actor, t); err != nil {
		return h.refuseLetterText(w, r, t, err)
	}
	http.Redirect(w, r, textAt(t)+"?saved", http.StatusSeeOther)
	return nil
}

// refuseLetterText shows the wording again as it was typed, with what is wrong.
func (h *Handler) refuseLetterText(w http.ResponseWriter, r *http.Request, t school.LetterText, err error) error {
	if kind := school.KindOf(err); wantsJSON(r) || kind != school.Invalid && kind != school.Conflict {
		return err
	}
	shown := problem.Shown(err)
	return h.showLetterText(w, r, noteRefusal(r, err), func(m *page.LetterTextPage) {
		m.Text.Subject, m.Text.Body, m.Fields, m.Params = t.Subject, t.Body, shown.Fields, shown.Params
		if len(shown.Fields) == 0 {
			m.Error = shown.Code
		}
	})
}

// tryLetterText sends what is typed to the reader.
func (h *Handler) tryLetterText(w http.ResponseWriter, r *http.Request) error {
	t, err := typedText(r)
	if err != nil {
		return err
	}
	trial, err := h.desk.TryLetterText(r.Context(), visitOf(r).actor, t, h.baseURL)
	if err != nil {
		return h.refuseLetterText(w, r, t, err)
	}
	return h.showLetterText(w, r, http.StatusOK, func(m *page.LetterTextPage) {
		m.Text.Subject, m.Text.Body, m.Trial = t.Subject, t.Body, &page.MailTrial{Cause: trial.Cause, Words: trial.Words}
	})
}

func textAt(t school.LetterText) string {
	return "/integrator/letter-texts/" + string(t.Kind) + "/" + string(t.Language)
}

// resetLetterText goes back to the shipped wording, and offers the one that it took
// away.
func (h *Handler) resetLetterText(w http.ResponseWriter, r *http.Request) error {
	t, err := typedText(r)
	if err != nil {
		return err
	}
	own, err := h.desk.ResetLetterText(r.Context(), visitOf(r).actor, t.Kind, t.Language)
	if errors.Is(err, school.ErrNotFound) { // the shipped one holds already
		http.Redirect(w, r, textAt(t), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return h.showLetterText(w, r, http.StatusOK, func(m *page.LetterTextPage) { m.TakenAway = &own })
}

// keptPreview is the wording that is kept, as a letter.
func (h *Handler) keptPreview(w http.ResponseWriter, r *http.Request) error {
	kind, l, err := textAsked(r)
	if err != nil {
		return err
	}
	t, err := h.desk.LetterText(r.Context(), visitOf(r).actor, kind, l)
	if err != nil {
		return err
	}
	return h.preview(w, r, t)
}

// typedPreview is the wording that is being typed, as a letter.
func (h *Handler) typedPreview(w http.ResponseWriter, r *http.Request) error {
	t, err := typedText(r)
	if err != nil {
		return err
	}
	return h.preview(w, r, t)
}

func (h *Handler) preview(w http.ResponseWriter, r *http.Request, t school.LetterText) error {
	v := visitOf(r)
	content, err := h.desk.PreviewLetter(r.Context(), v.actor, t, h.baseURL)
	if err != nil {
		if wantsJSON(r) || school.KindOf(err) != school.Invalid {
			return err
		}
		status, shown := noteRefusal(r, err), problem.Shown(err)
		return sendFramed(w, status, page.PreviewFault(v.printer, shown.Fields, shown.Params))
	}
	return sendFramed(w, http.StatusOK, content.HTML)
}
