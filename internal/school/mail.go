package school

import (
	"strings"
	"time"
)

// MailSettings are how letters leave the school, one row in the database.
type MailSettings struct {
	Host     string // empty: no server is set up here
	Port     int
	Security string // "starttls", "tls" or "none"
	Username string
	// Password is what was typed; it is kept sealed, and empty where it was not
	// changed.
	Password       string
	SealedPassword string
	// CarriedPassword is what was typed before, sealed for the page that asks again.
	CarriedPassword string

	FromName    string // empty: the school's
	FromEmail   Email
	ReplyTo     Email // empty: none
	BounceEmail Email // empty: the sender's
	// DomainPerMinute is how many letters a minute go to the addresses of one domain;
	// 0: any number.
	DomainPerMinute int
	// ContentDays is for how many days after its last attempt is kept what a letter
	// said.
	ContentDays int
	HookHash    string // of the token with which a provider reports bounces

	// Letters on events. ReminderDays 0 is off.
	ModuleOpened bool
	ReminderDays int

	// What keeps all letters from leaving, since when; empty: nothing.
	Fault      string
	FaultWords string
	FaultAt    time.Time
}

// mailLimits bound the numbers of the mail settings.
var mailLimits = map[string][2]int{
	"port":              {1, 65535},
	"domain_per_minute": {0, 100_000},
	"content_days":      {1, 3650},
	"reminder_days":     {0, 365},
}

// maxHost is the longest name that the domain name system has.
const maxHost = 253

// Check judges the settings as edited. Errors: Invalid, every faulty field named at
// once.
func (s MailSettings) Check() error {
	faults := Faults{}
	number := func(field string, n int) {
		if limit := mailLimits[field]; n < limit[0] || n > limit[1] {
			faults.Add(field, ErrOutOfRange)
		}
	}
	if len(s.Host) > maxHost || strings.ContainsFunc(s.Host, notInHost) {
		faults.Add("host", ErrHostInvalid)
	}
	number("port", s.Port)
	if s.Security != "starttls" && s.Security != "tls" && s.Security != "none" {
		faults.Add("security", ErrSecurityUnknown)
	}
	if s.Security == "none" && (s.Username != "" || s.Password != "") {
		faults.Add("security", ErrPasswordInClear)
	}
	if len(s.Username) > 250 || strings.ContainsFunc(s.Username, control) {
		faults.Add("username", ErrTextCharacters)
	}
	if len(s.Password) > 1000 || strings.ContainsFunc(s.Password, control) {
		faults.Add("password", ErrTextCharacters)
	}
	if s.FromName != "" {
		_, err := NewFullName(s.FromName)
		faults.Add("from_name", err)
	}
	address := func(field string, e Email, needed bool) {
		if e == "" && !needed {
			return
		}
		_, err := NewPlainEmail(string(e))
		faults.Add(field, err)
	}
	address("from_email", s.FromEmail, s.Host != "")
	address("reply_to", s.ReplyTo, false)
	address("bounce_email", s.BounceEmail, false)
	number("domain_per_minute", s.DomainPerMinute)
	number("content_days", s.ContentDays)
	number("reminder_days", s.ReminderDays)
	return faults.Err()
}

func notInHost(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`/@:?#\"<>`, r)
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
