package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"tripwire/internal/locale"
	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// addMoney fills in what the reader may do about the sale on a card.
func (h *Handler) addMoney(r *http.Request, m *page.CardPage) error {
	v := visitOf(r)
	m.MayCorrect, m.MayTransfer = v.actor.May(school.CorrectSales) == nil, v.actor.May(school.TransferStudents) == nil
	m.Refund.Key, m.Price.Key = school.NewToken(), school.NewToken()
	if !m.MayTransfer || !m.Student.DeletedAt.IsZero() {
		return nil
	}
	var err error
	m.Transfer.Managers, err = h.desk.Managers(r.Context(), v.actor)
	return err
}

// refundStudent gives money back.
func (h *Handler) refundStudent(w http.ResponseWriter, r *http.Request) error {
	return h.changeSale(w, r, "refund", h.desk.Refund, func(m *page.CardPage) *page.MoneyForm { return &m.Refund })
}

// correctPrice says what the sale should have cost.
func (h *Handler) correctPrice(w http.ResponseWriter, r *http.Request) error {
	return h.changeSale(w, r, "price", h.desk.CorrectPrice, func(m *page.CardPage) *page.MoneyForm { return &m.Price })
}

type saleVerb func(context.Context, school.Actor, school.UserID, school.MoneyForm) error

// changeSale does one of the verbs that change a sale, and shows its form again
// with what is wrong.
func (h *Handler) changeSale(w http.ResponseWriter, r *http.Request, done string, verb saleVerb, formOf func(*page.CardPage) *page.MoneyForm) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	p := r.PostForm
	form := school.MoneyForm{Amount: p.Get("amount"), Reason: p.Get("reason"), Key: p.Get("form_key")}
	if err := verb(r.Context(), visitOf(r).actor, id, form); err != nil {
		return h.refuseOnCard(w, r, err, func(m *page.CardPage, e *school.Error) {
			shown := formOf(m)
			if form.Key == "" || errors.Is(e, school.ErrFormKeyReused) || errors.Is(e, school.ErrFormKeyInvalid) {
				form.Key = shown.Key // a fresh one
			}
			*shown = page.MoneyForm{Amount: form.Amount, Reason: form.Reason, Key: form.Key, Fields: e.Fields, Params: e.Params, Open: true}
			if len(e.Fields) == 0 {
				shown.Error = e.Code
			}
		})
	}
	http.Redirect(w, r, cardDone(id, done)+"#sale", http.StatusSeeOther)
	return nil
}

// transferStudent gives a student to another manager.
func (h *Handler) transferStudent(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	sales := r.PostForm.Has("sales")
	to, err := school.ParseUserID(r.PostForm.Get("manager"))
	if err != nil {
		to = "" // nobody's id, as an empty choice is
	}
	if err := h.desk.TransferStudent(r.Context(), visitOf(r).actor, id, to, sales); err != nil {
		return h.refuseOnCard(w, r, err, func(m *page.CardPage, e *school.Error) {
			m.Transfer = page.TransferForm{Managers: m.Transfer.Managers, To: to, Sales: sales, Fields: e.Fields, Params: e.Params, Open: true}
		})
	}
	http.Redirect(w, r, cardDone(id, "transfer"), http.StatusSeeOther)
	return nil
}

func (h *Handler) markTest(w http.ResponseWriter, r *http.Request) error {
	return h.studentAction(w, r, func(id school.UserID) error {
		return h.desk.MarkTest(r.Context(), visitOf(r).actor, id, true)
	}, func(id school.UserID) string { return cardDone(id, "test") + "#sale" })
}

func (h *Handler) unmarkTest(w http.ResponseWriter, r *http.Request) error {
	return h.studentAction(w, r, func(id school.UserID) error {
		return h.desk.MarkTest(r.Context(), visitOf(r).actor, id, false)
	}, func(id school.UserID) string { return cardDone(id, "untest") + "#sale" })
}

func (h *Handler) resendLetter(w http.ResponseWriter, r *http.Request) error {
	id, err := studentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	err = h.desk.ResendLetter(r.Context(), visitOf(r).actor, id)
	switch {
	case err == nil:
		http.Redirect(w, r, cardDone(id, "letter"), http.StatusSeeOther)
		return nil
	case wantsJSON(r) || !errors.Is(err, school.ErrLetterJustSent):
		return err
	}
	shown := problem.Shown(err)
	w.Header().Set("Retry-After", shown.Params["seconds"])
	return h.showCard(w, r, noteRefusal(r, err), func(m *page.CardPage) { m.LetterError, m.LetterParams = shown.Code, shown.Params })
}

// cardDone is the card with a word about what was done.
func cardDone(id school.UserID, done string) string { return cardPath(id) + "?done=" + done }

// cardToast says what the last action did, from the address that it led to.
func cardToast(p locale.Printer, q url.Values) *page.Toast {
	keys := map[string]string{
		"refund": "toast.refund", "price": "toast.price", "transfer": "toast.transfer",
		"test": "toast.test", "untest": "toast.untest", "letter": "toast.letter",
	}
	if key := keys[q.Get("done")]; key != "" {
		return &page.Toast{Text: p.T(key)}
	}
	return nil
}
