package store

import "tripwire/internal/school"

// constraintErrors says which sentence stands for a refusal of the database.
// A constraint that is not here can only be met through a bug of ours, and is
// Internal.
var constraintErrors = map[string]*school.Error{
	"users_email_key":        school.ErrStudentExists,
	"form_keys_key_hash_key": ErrFormSent,

	"access_links_user_id_purpose_key": school.ErrUnavailable, // two links at the same moment: the second try has one before it

	"money_events_stay_above_zero": school.ErrRefundTooLarge,

	"submissions_user_id_lesson_id_key":         school.ErrHandedIn,
	"submissions_user_id_lesson_id_version_key": school.ErrHandedIn,
}

// ErrFormSent: a form with this key is in the rows already.
var ErrFormSent = &school.Error{Kind: school.Conflict, Code: "form_sent", Text: "this form has been sent before"}
