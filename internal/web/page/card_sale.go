package page

import (
	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// MoneyForm refunds a sale or corrects its price, as typed.
type MoneyForm struct {
	Amount string
	Reason string
	Key    string
	Fields map[string]string
	Error  string
	Params map[string]string
	Open   bool
}

// TransferForm gives a student to another manager, as chosen.
type TransferForm struct {
	Managers []school.Manager
	To       school.UserID
	Sales    bool // what was sold goes along
	Fields   map[string]string
	Error    string
	Params   map[string]string
	Open     bool
}

// moneyFormView is a MoneyForm with its words.
type moneyFormView struct {
	MoneyForm
	verb, icon, title, amount, hint, submit string
}

func refundForm(c Chrome, m CardPage) moneyFormView {
	return moneyFormView{
		m.Refund, "refund", "refund", c.P.T("refund.title"), c.P.T("refund.amount"),
		c.P.T("refund.hint", "paid", c.P.Money(m.Student.Paid)), c.P.T("refund.submit"),
	}
}

func priceForm(c Chrome, m CardPage) moneyFormView {
	return moneyFormView{
		m.Price, "price", "tag", c.P.T("price.title"), c.P.T("price.amount"),
		c.P.T("price.hint", "price", c.P.Money(school.PriceNow(m.Money))), c.P.T("price.submit"),
	}
}

// sale is the first money event of an enrolment; zero where none is known.
func sale(events []school.MoneyEvent) school.MoneyEvent {
	for _, e := range events {
		if e.Kind == school.MoneySale {
			return e
		}
	}
	return school.MoneyEvent{}
}

// sinceSale are the events behind the sale itself, which stands above them.
func sinceSale(events []school.MoneyEvent) (since []school.MoneyEvent) {
	for _, e := range events {
		if e.Kind != school.MoneySale {
			since = append(since, e)
		}
	}
	return since
}

// soldBy names who made the sale, which may be another than who has the student
// now.
func soldBy(c Chrome, m CardPage) string { return actorName(c, sale(m.Money)) }

// countsFor names in whose figures the sale counts, when that is not who has the
// student.
func countsFor(c Chrome, m CardPage) string {
	s := sale(m.Money)
	switch {
	case s.ID == 0 || s.SellerID == m.Student.GrantedBy:
		return ""
	case s.SellerName == "":
		return c.P.T("sales.nobody")
	}
	return s.SellerName
}

func actorName(c Chrome, e school.MoneyEvent) string {
	if e.ActorName == "" {
		return c.P.T("door.system.actor")
	}
	return e.ActorName
}

// MoneyKind names what an event was.
func MoneyKind(p locale.Printer, k school.MoneyKind) string {
	switch k {
	case school.MoneyRefund:
		return p.T("money.refund")
	case school.MoneyCorrection:
		return p.T("money.correction")
	default:
		return p.T("money.sale")
	}
}

// signed is an amount that says whether it came or went, where that is not plain.
func signed(c Chrome, e school.MoneyEvent) string {
	if e.Kind == school.MoneyCorrection && e.Amount.Minor > 0 {
		return "+" + c.P.Money(e.Amount)
	}
	return c.P.Money(e.Amount)
}
