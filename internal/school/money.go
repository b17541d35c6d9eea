package school

import (
	"strconv"
	"strings"
)

// Money is an amount in minor units (tiyn, cents) with its ISO 4217 currency.
type Money struct {
	Minor    int64
	Currency string
}

// String is the amount as a number and its currency, for the history.
func (m Money) String() string {
	unit := int64(1)
	for range MinorDigits(m.Currency) {
		unit *= 10
	}
	s := strconv.FormatInt(m.Minor/unit, 10)
	if rest := m.Minor % unit; rest != 0 {
		s += "." + strconv.FormatInt(unit+rest, 10)[1:]
	}
	return s + " " + m.Currency
}

// minorDigits gives the digits after the point for the currencies we sell in
// (ISO 4217, list one). Others are taken to have two.
var minorDigits = map[string]int{"JPY": 0, "KRW": 0, "VND": 0}

// MinorDigits is how many digits the currency has after the point.
func MinorDigits(currency string) int {
	if n, ok := minorDigits[currency]; ok {
		return n
	}
	return 2
}

// maxMinor keeps sums of millions of sales far from the end of an int64.
const maxMinor = 1_000_000_000_00

// ParseMoney reads an amount as people type it: "5000", "5 000,50". Errors:
// Invalid, code price_invalid.
func ParseMoney(typed, currency string) (Money, error) {
	s := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".", "₸", "").Replace(strings.TrimSpace(typed))
	whole, fraction, _ := strings.Cut(s, ".")
	digits := MinorDigits(currency)
	if whole == "" || len(whole) > 12 || len(fraction) > digits || strings.Trim(whole+fraction, "0123456789") != "" {
		return Money{}, ErrPriceInvalid
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil || minor > maxMinor {
		return Money{}, ErrPriceInvalid
	}
	return Money{Minor: minor, Currency: currency}, nil
}

// PriceLimit is what a role may change a course's price to, in percent of it.
type PriceLimit struct {
	Role       Role
	MinPercent int
	MaxPercent int
}

// Allows reports whether price keeps to the limit for a course that costs full.
func (l PriceLimit) Allows(price, full Money) bool {
	return price.Currency == full.Currency &&
		price.Minor*100 >= full.Minor*int64(l.MinPercent) &&
		price.Minor*100 <= full.Minor*int64(l.MaxPercent)
}
