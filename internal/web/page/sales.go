package page

import (
	"net/url"
	"strings"

	"tripwire/internal/school"
)

// SalesPage is the ledger with what chose it.
type SalesPage struct {
	Filter    SalesFilter
	Period    Period
	Events    []school.MoneyEvent
	Sum       school.Sales // of all pages
	Next      string       // the place where the next page begins; empty: there is none
	Continued bool         // newer events stand on another page
	// ShowManager adds the column of who made the sale.
	ShowManager bool
	Managers    []school.Facet
	Courses     []school.Facet
	Fault       string // the code of what is wrong with the address
	Error       string // the request id of a read that failed
}

// SalesFilter is what the address asks for, as it says it.
type SalesFilter struct{ Period, From, To, Manager, Course string }

// in is the filter for another period.
func (f SalesFilter) in(name school.PeriodName) SalesFilter {
	f.Period, f.From, f.To = string(name), "", ""
	if name == school.PeriodAll {
		f.Period = ""
	}
	return f
}

// PeriodOf is the choice of days of the ledger.
func (f SalesFilter) PeriodOf(current school.Period) Period {
	m := Period{Current: current, Action: salesPath, From: f.From, To: f.To, URL: func(name school.PeriodName) string { return f.in(name).url(salesPath, "") }}
	for _, pair := range []Pair{{"manager", f.Manager}, {"course", f.Course}} {
		if pair.Value != "" {
			m.Hidden = append(m.Hidden, pair)
		}
	}
	return m
}

func (f SalesFilter) narrowed() bool {
	return f.Period != "" && f.Period != string(school.PeriodAll) || f.From != "" || f.To != "" || f.Manager != "" || f.Course != ""
}

// url is the address of the filter, from a place on.
func (f SalesFilter) url(path, after string) string {
	v := url.Values{}
	for _, p := range []struct{ name, value string }{
		{"period", f.Period}, {"from", f.From}, {"to", f.To}, {"manager", f.Manager}, {"course", f.Course}, {"after", after},
	} {
		if p.value != "" {
			v.Set(p.name, p.value)
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// fault is what is wrong with the address and stands at no field.
func (m SalesPage) fault(c Chrome) string {
	if m.Fault == "" || len(m.Period.Fields) > 0 {
		return ""
	}
	return c.P.Error(m.Fault, nil)
}

func (m SalesPage) columns() string {
	if m.ShowManager {
		return "5"
	}
	return "4"
}

// revenue is the sum of each currency.
func revenue(c Chrome, s school.Sales) string {
	all := make([]string, len(s.Revenue))
	for i, m := range s.Revenue {
		all[i] = c.P.Money(m)
	}
	return strings.Join(all, " · ")
}

// sellerName is in whose figures an event counts.
func sellerName(c Chrome, e school.MoneyEvent) string {
	if e.SellerName == "" {
		return c.P.T("sales.nobody")
	}
	return e.SellerName
}

// moneyClass gives a kind its colour; the word beside it says the same.
func moneyClass(k school.MoneyKind) string {
	switch k {
	case school.MoneyRefund:
		return "bad"
	case school.MoneyCorrection:
		return "wait"
	default:
		return "ok"
	}
}
