package school

import "time"

// MoneyKind is what a money event was.
type MoneyKind string

// The kinds.
const (
	MoneySale       MoneyKind = "sale"
	MoneyRefund     MoneyKind = "refund"     // negative
	MoneyCorrection MoneyKind = "correction" // what the right price differs by
)

// MoneyEvent is money that came or went for one enrolment. Events are never
// changed; revenue is their sum.
type MoneyEvent struct {
	ID     int64
	Kind   MoneyKind
	At     time.Time
	Amount Money
	Reason string // empty for a sale
	// The student. For a reader who may not know them, see Masked.
	StudentID    UserID
	StudentName  string
	StudentEmail Email
	OwnerID      UserID // who has the student now
	SellerID     UserID // in whose figures it counts; empty: nobody's
	SellerName   string
	ActorName    string // empty: the terminal or the system
	CourseTitle  string
	// Counts: the figures count it, which those of deleted students and test
	// accounts they do not.
	Counts bool
}

// Masked is the event as its seller may see it after the student has gone to
// another manager: that it counts, and not who it is.
func (e MoneyEvent) Masked() MoneyEvent {
	e.StudentID, e.StudentName, e.StudentEmail, e.Reason, e.ActorName = "", "", "", "", ""
	return e
}

// MoneyForm is what staff type to refund a sale or to correct its price.
type MoneyForm struct {
	Amount string // what is given back; or the right price
	Reason string
	Key    string // makes the form safe to send twice; may be empty
}

// PriceNow is what an enrolment costs by its events: the sale and the corrections of
// its price. Refunds change what is paid, and not the price.
func PriceNow(events []MoneyEvent) (price Money) {
	for _, e := range events {
		if price.Currency = e.Amount.Currency; e.Kind != MoneyRefund {
			price.Minor += e.Amount.Minor
		}
	}
	return price
}
