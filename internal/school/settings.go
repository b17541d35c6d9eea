package school

import "time"

// Settings are the choices of the school, one row in the database, edited in
// the panel.
type Settings struct {
	Name     string
	TimeZone string // IANA name
	Language Language
	// OwnPassword: a student must replace the password that staff know at the
	// first login.
	OwnPassword bool
	// FirstPasswordHours is how long that first password works; 0: for ever.
	FirstPasswordHours int
	LinkHours          int // how long a one-time link works
	TrashDays          int
	SessionIdleHours   int // a session unused for so long ends
	SessionMaxHours    int // a session ends after so long in any case
	PriceLimits        []PriceLimit
	// MailHost is the mail server of the MailSettings, and MailFault what keeps all
	// letters from leaving; neither is edited with these settings.
	MailHost, MailFault string
}

// Location answers the school's time zone; UTC if the machine does not know it.
func (s Settings) Location() *time.Location {
	if loc, err := time.LoadLocation(s.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}

// PriceLimit answers what the role may do to the price; a role without a row
// may not change it.
func (s Settings) PriceLimit(r Role) PriceLimit {
	for _, l := range s.PriceLimits {
		if l.Role == r {
			return l
		}
	}
	return PriceLimit{Role: r, MinPercent: 100, MaxPercent: 100}
}

// settingLimits bound the numbers of the settings.
var settingLimits = map[string][2]int{
	"first_password_hours": {0, 24 * 365},
	"link_hours":           {1, 24 * 30},
	"trash_days":           {1, 365},
	"session_idle_hours":   {1, 24 * 30},
	"session_max_hours":    {1, 24 * 90},
	"price_min_percent":    {0, 100},
	"price_max_percent":    {100, 1000},
}

// Check judges the settings as edited. Errors: Invalid, every faulty field
// named at once.
func (s Settings) Check() error {
	faults := Faults{}
	if _, err := NewFullName(s.Name); err != nil {
		faults.Add("name", err)
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		faults.Add("time_zone", ErrTimeZoneUnknown)
	}
	if _, err := ParseLanguage(string(s.Language)); err != nil {
		faults.Add("language", err)
	}
	number := func(field string, n int) {
		if limit := settingLimits[field]; n < limit[0] || n > limit[1] {
			faults.Add(field, ErrOutOfRange)
		}
	}
	number("first_password_hours", s.FirstPasswordHours)
	number("link_hours", s.LinkHours)
	number("trash_days", s.TrashDays)
	number("session_idle_hours", s.SessionIdleHours)
	number("session_max_hours", s.SessionMaxHours)
	sales := s.PriceLimit(RoleSales)
	number("price_min_percent", sales.MinPercent)
	number("price_max_percent", sales.MaxPercent)
	return faults.Err()
}
