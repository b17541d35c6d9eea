package school_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tripwire/internal/school"
)

func TestMoneyIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed, currency string
		minor           int64
	}{
		{"5000", "KZT", 500000},
		{" 5 000,50 ", "KZT", 500050},
		{"5\u00a0000\u202f₸", "KZT", 500000},
		{"0", "KZT", 0},
		{"0.05", "USD", 5},
		{"7.5", "USD", 750},
		{"12.", "USD", 1200},
		{"1500", "JPY", 1500},
		{"1000000000", "KZT", 100_000_000_000},
		{"000005", "KZT", 500},
	} {
		got, err := school.ParseMoney(c.typed, c.currency)
		if want := (school.Money{Minor: c.minor, Currency: c.currency}); err != nil || got != want {
			t.Errorf("%q %s: %+v, %v", c.typed, c.currency, got, err)
		}
	}
	for _, c := range [][2]string{
		{"", "KZT"}, {" ", "KZT"}, {".5", "KZT"}, {"-5", "KZT"}, {"+5", "KZT"}, {"1e3", "KZT"}, {"0x10", "KZT"}, {"5.005", "KZT"},
		{"1,000.50", "KZT"}, {"5..", "KZT"}, {"пять", "KZT"}, {"5000тг", "KZT"}, {"５０００", "KZT"}, {"٥", "KZT"}, {"NaN", "KZT"},
		{"1.5", "JPY"}, {"1000000000.01", "KZT"}, {strings.Repeat("9", 30), "KZT"}, {"5\t5", "KZT"},
	} {
		if got, err := school.ParseMoney(c[0], c[1]); !errors.Is(err, school.ErrPriceInvalid) || got != (school.Money{}) {
			t.Errorf("%q %s: %+v, %v", c[0], c[1], got, err)
		}
	}
}

func TestPriceLimitIsJudgedInTheCurrencyOfTheCourse(t *testing.T) {
	t.Parallel()
	full := school.Money{Minor: 333_33, Currency: "KZT"}
	half := school.PriceLimit{Role: school.RoleSales, MinPercent: 50, MaxPercent: 100}
	for _, c := range []struct {
		price school.Money
		want  bool
	}{
		{full, true},
		{school.Money{Minor: 166_67, Currency: "KZT"}, true},
		{school.Money{Minor: 166_66, Currency: "KZT"}, false}, // 49.997 percent
		{school.Money{Minor: 333_34, Currency: "KZT"}, false},
		{school.Money{Minor: 333_33, Currency: "USD"}, false},
		{school.Money{}, false},
	} {
		if got := half.Allows(c.price, full); got != c.want {
			t.Errorf("%+v: %v", c.price, got)
		}
	}
	dearest := school.Money{Minor: 100_000_000_000, Currency: "KZT"}
	if l := (school.PriceLimit{MaxPercent: 1000}); !l.Allows(dearest, dearest) {
		t.Error("the dearest course at its own price is refused")
	}
	if l := (school.Settings{}).PriceLimit(school.RoleSales); l.Allows(school.Money{Minor: 1, Currency: "KZT"}, full) || !l.Allows(full, full) {
		t.Error("a role without a limit must keep to the price")
	}
}

// FuzzParseMoney: an accepted amount is never negative, never beyond the limit,
// and says the same when printed and read again.
func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"5000", "5 000,50", "0.1", "-1", "99999999999999999999", "1.2.3", "₸", "1000000000"} {
		f.Add(seed, "KZT")
		f.Add(seed, "JPY")
	}
	f.Fuzz(func(t *testing.T, typed, currency string) {
		m, err := school.ParseMoney(typed, currency)
		if err != nil {
			if m != (school.Money{}) || !errors.Is(err, school.ErrPriceInvalid) {
				t.Fatalf("%q: %+v with %v", typed, m, err)
			}
			return
		}
		if m.Minor < 0 || m.Minor > 100_000_000_000 || m.Currency != currency {
			t.Fatalf("%q: %+v", typed, m)
		}
		printed := fmt.Sprint(m.Minor)
		if school.MinorDigits(currency) == 2 {
			printed = fmt.Sprintf("%d,%02d", m.Minor/100, m.Minor%100)
		}
		if again, err := school.ParseMoney(printed, currency); err != nil || again != m {
			t.Fatalf("%q is %+v, but %q is %+v, %v", typed, m, printed, again, err)
		}
	})
}
