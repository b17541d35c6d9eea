package school

// Every error that a user can meet. The codes are part of the interface: they
// stand in the answers of all doors and in the catalogues of package locale.
var (
	ErrInvalidInput = &Error{Kind: Invalid, Code: "invalid_input", Text: "some fields need correcting"}

	ErrNameRequired   = &Error{Kind: Invalid, Code: "name_required", Text: "a name is needed"}
	ErrNameTooLong    = &Error{Kind: Invalid, Code: "name_too_long", Text: "the name is longer than 150 characters"}
	ErrNameCharacters = &Error{Kind: Invalid, Code: "name_characters", Text: "the name has characters that cannot be shown"}

	ErrEmailRequired  = &Error{Kind: Invalid, Code: "email_required", Text: "an e-mail address is needed"}
	ErrEmailTooLong   = &Error{Kind: Invalid, Code: "email_too_long", Text: "the e-mail address is longer than 254 characters"}
	ErrEmailInvalid   = &Error{Kind: Invalid, Code: "email_invalid", Text: "this is not an e-mail address"}
	ErrEmailNotLatin  = &Error{Kind: Invalid, Code: "email_not_latin", Text: "the part before @ has letters that are neither Latin nor of the script of the domain"}
	ErrEmailPlain     = &Error{Kind: Invalid, Code: "email_plain", Text: "the part before @ has letters that are not Latin"}
	ErrEmailBadDomain = &Error{Kind: Invalid, Code: "email_bad_domain", Text: "no letter can be delivered to this domain"}

	ErrPasswordRequired = &Error{Kind: Invalid, Code: "password_required", Text: "a password is needed"}
	ErrPasswordTooShort = &Error{Kind: Invalid, Code: "password_too_short", Text: "the password is shorter than 8 characters"}
	ErrPasswordTooLong  = &Error{Kind: Invalid, Code: "password_too_long", Text: "the password is longer than 128 characters"}
	ErrPasswordIsEmail  = &Error{Kind: Invalid, Code: "password_is_email", Text: "the password is the e-mail address"}
	ErrPasswordSame     = &Error{Kind: Invalid, Code: "password_same", Text: "the new password is the old one"}
	ErrPasswordWrong    = &Error{Kind: Invalid, Code: "password_wrong", Text: "the current password is not right"}

	ErrPriceInvalid      = &Error{Kind: Invalid, Code: "price_invalid", Text: "this is not an amount of money"}
	ErrPriceOutOfRange   = &Error{Kind: Invalid, Code: "price_out_of_range", Text: "the price is outside what this role may give"}
	ErrLanguageUnknown   = &Error{Kind: Invalid, Code: "language_unknown", Text: "the language is not one of ru, kk, en"}
	ErrAccessUnknown     = &Error{Kind: Invalid, Code: "access_unknown", Text: "access is given by password or by link"}
	ErrRoleUnknown       = &Error{Kind: Invalid, Code: "role_unknown", Text: "the role is not one of admin, sales"}
	ErrReasonRequired    = &Error{Kind: Invalid, Code: "reason_required", Text: "a reason is needed"}
	ErrReasonTooLong     = &Error{Kind: Invalid, Code: "reason_too_long", Text: "the reason is longer than 500 characters"}
	ErrTimeZoneUnknown   = &Error{Kind: Invalid, Code: "time_zone_unknown", Text: "the time zone is not in the IANA list"}
	ErrOutOfRange        = &Error{Kind: Invalid, Code: "out_of_range", Text: "the number is outside its range"}
	ErrProgressInvalid   = &Error{Kind: Invalid, Code: "progress_invalid", Text: "this is no report of a player"}
	ErrTextTooLong       = &Error{Kind: Invalid, Code: "text_too_long", Text: "the text is too long"}
	ErrTextCharacters    = &Error{Kind: Invalid, Code: "text_characters", Text: "the text has characters that cannot be kept"}
	ErrHomeworkEmpty     = &Error{Kind: Invalid, Code: "homework_empty", Text: "write an answer or add a file"}
	ErrCommentRequired   = &Error{Kind: Invalid, Code: "comment_required", Text: "say what is to be changed"}
	ErrFileType          = &Error{Kind: Invalid, Code: "file_type", Text: "files of this kind are not accepted"}
	ErrFileTooLarge      = &Error{Kind: Invalid, Code: "file_too_large", Text: "the file is too large"}
	ErrFileEmpty         = &Error{Kind: Invalid, Code: "file_empty", Text: "the file is empty"}
	ErrTooManyFiles      = &Error{Kind: Invalid, Code: "too_many_files", Text: "there are too many files"}
	ErrVideoRequired     = &Error{Kind: Invalid, Code: "video_required", Text: "send the video file first"}
	ErrVideoAddress      = &Error{Kind: Invalid, Code: "video_address", Text: "this is not the address of a video of that kind"}
	ErrRuleNeedsVideo    = &Error{Kind: Invalid, Code: "rule_needs_video", Text: "the player of this video does not tell what was watched; choose another rule"}
	ErrRuleNeedsLength   = &Error{Kind: Invalid, Code: "rule_needs_length", Text: "the length of the video is needed to ask for a share of it"}
	ErrRuleNeedsHomework = &Error{Kind: Invalid, Code: "rule_needs_homework", Text: "the lesson has no homework to hand in"}
	ErrDateInvalid       = &Error{Kind: Invalid, Code: "date_invalid", Text: "this is not a day between 2000 and 2099"}
	ErrRangeBackwards    = &Error{Kind: Invalid, Code: "range_backwards", Text: "the range ends before it begins"}
	ErrPeriodUnknown     = &Error{Kind: Invalid, Code: "period_unknown", Text: "the period is not one of today, yesterday, week, month, all, range"}
	ErrPageInvalid       = &Error{Kind: Invalid, Code: "page_invalid", Text: "this is not a place in the list"}
	ErrBulkNobody        = &Error{Kind: Invalid, Code: "bulk_nobody", Text: "choose at least one student"}
	ErrBulkTooMany       = &Error{Kind: Invalid, Code: "bulk_too_many", Text: "these are too many students at once"}
	ErrBulkUnknown       = &Error{Kind: Invalid, Code: "bulk_unknown", Text: "this cannot be done to many students"}
	ErrHostInvalid       = &Error{Kind: Invalid, Code: "host_invalid", Text: "this is not the name of a server"}
	ErrSecurityUnknown   = &Error{Kind: Invalid, Code: "security_unknown", Text: "the security is not one of starttls, tls, none"}
	ErrPasswordInClear   = &Error{Kind: Invalid, Code: "password_in_clear", Text: "a password is not sent over a line without encryption"}
	ErrVariableUnknown   = &Error{Kind: Invalid, Code: "variable_unknown", Text: "the text mentions something that this letter does not know"}
	ErrVariableNeeded    = &Error{Kind: Invalid, Code: "variable_needed", Text: "without its link the letter is of no use"}
	ErrBraces            = &Error{Kind: Invalid, Code: "braces", Text: "a brace is not closed"}
	ErrTextRequired      = &Error{Kind: Invalid, Code: "text_required", Text: "a text is needed"}
	ErrBounceInvalid     = &Error{Kind: Invalid, Code: "bounce_invalid", Text: "this is no report of a bounce that we understand"}
	ErrFormKeyInvalid    = &Error{Kind: Invalid, Code: "form_key_invalid", Text: "the key of the form is not one of ours"}

	ErrStudentExists  = &Error{Kind: Conflict, Code: "student_exists", Text: "there is an account with this e-mail already", Fields: map[string]string{"email": "student_exists"}}
	ErrStaffExists    = &Error{Kind: Conflict, Code: "staff_exists", Text: "there is an account with this e-mail already", Fields: map[string]string{"email": "staff_exists"}}
	ErrEmailTaken     = &Error{Kind: Conflict, Code: "email_taken", Text: "the e-mail has been given to another account since", Fields: map[string]string{"email": "email_taken"}}
	ErrFormKeyReused  = &Error{Kind: Conflict, Code: "form_key_reused", Text: "this form was sent before with other contents"}
	ErrAlreadyCreated = &Error{Kind: Conflict, Code: "already_created", Text: "this form has made a student already, and what it showed is no longer valid"}
	ErrAlreadySetUp   = &Error{Kind: Conflict, Code: "already_set_up", Text: "an administrator exists already"}
	ErrLastAdmin      = &Error{Kind: Conflict, Code: "last_admin", Text: "this is the last administrator"}
	ErrTrashExpired   = &Error{Kind: Conflict, Code: "trash_expired", Text: "the time for restoring has passed"}
	ErrNoCourse       = &Error{Kind: Conflict, Code: "no_course", Text: "there is no published course to enrol in"}
	ErrRefundTooLarge = &Error{Kind: Conflict, Code: "refund_too_large", Text: "more than was paid cannot be given back", Fields: map[string]string{"amount": "refund_too_large"}}
	// ErrPriceRefunded: a correction would leave less than has been given back.
	ErrPriceRefunded  = &Error{Kind: Conflict, Code: "price_refunded", Text: "more than this price has been given back", Fields: map[string]string{"amount": "price_refunded"}}
	ErrPriceSame      = &Error{Kind: Conflict, Code: "price_same", Text: "this is the price already", Fields: map[string]string{"amount": "price_same"}}
	ErrSameManager    = &Error{Kind: Conflict, Code: "same_manager", Text: "this manager has the student already", Fields: map[string]string{"manager": "same_manager"}}
	ErrManagerUnknown = &Error{Kind: Invalid, Code: "manager_unknown", Text: "this is nobody who can have students", Fields: map[string]string{"manager": "manager_unknown"}}
	ErrTooManyViews   = &Error{Kind: Conflict, Code: "too_many_views", Text: "delete a saved view first; there is no room for more", Fields: map[string]string{"name": "too_many_views"}}
	ErrNotQualified   = &Error{Kind: Conflict, Code: "lesson_not_qualified", Text: "something of the lesson is still to be done"}
	ErrNotWaiting     = &Error{Kind: Conflict, Code: "homework_not_waiting", Text: "this homework has been answered already"}
	ErrHandedIn       = &Error{Kind: Conflict, Code: "homework_handed_in", Text: "this homework is handed in and not returned"}
	ErrNoHomework     = &Error{Kind: Conflict, Code: "no_homework", Text: "this lesson has no homework"}
	ErrUnreachable    = &Error{Kind: Conflict, Code: "module_unreachable", Text: "no path of unlock rules reaches a module of the course"}

	ErrLetterAway = &Error{Kind: Conflict, Code: "letter_away", Text: "nothing can be done with the letter now: look at its state"}
	ErrMailOff    = &Error{Kind: Conflict, Code: "mail_off", Text: "no mail server is set up"}
	ErrMailSealed = &Error{Kind: Conflict, Code: "mail_sealed", Text: "the kept password of the mail server cannot be opened"}
	ErrEmailSame  = &Error{Kind: Conflict, Code: "email_same", Text: "this is the address already", Fields: map[string]string{"email": "email_same"}}

	ErrNotLoggedIn       = &Error{Kind: Unauthenticated, Code: "not_logged_in", Text: "log in first"}
	ErrWrongCredentials  = &Error{Kind: Unauthenticated, Code: "wrong_credentials", Text: "the e-mail or the password is wrong"}
	ErrAccountBlocked    = &Error{Kind: Forbidden, Code: "account_blocked", Text: "access is blocked"}
	ErrPasswordExpired   = &Error{Kind: Forbidden, Code: "password_expired", Text: "the first password has expired"}
	ErrTooManyAttempts   = &Error{Kind: Limited, Code: "too_many_attempts", Text: "too many attempts, wait a little"}
	ErrLetterJustSent    = &Error{Kind: Limited, Code: "letter_just_sent", Text: "a letter has just been sent; wait a moment"}
	ErrHookRefused       = &Error{Kind: Unauthenticated, Code: "hook_refused", Text: "the token of the report is not right"}
	ErrTooManyStreams    = &Error{Kind: Limited, Code: "too_many_streams", Text: "too many windows of yours are kept up to date at once"}
	ErrLinkInvalid       = &Error{Kind: NotFound, Code: "link_invalid", Text: "the link has been used, has expired or never was"}
	ErrForbidden         = &Error{Kind: Forbidden, Code: "forbidden", Text: "this role may not do that"}
	ErrCrossOrigin       = &Error{Kind: Forbidden, Code: "cross_origin", Text: "the form was sent from another site"}
	ErrOwnPasswordNeeded = &Error{Kind: Forbidden, Code: "own_password_needed", Text: "choose an own password first"}
	ErrLessonLocked      = &Error{Kind: Forbidden, Code: "lesson_locked", Text: "the module of this lesson is not open yet"}

	ErrNotFound    = &Error{Kind: NotFound, Code: "not_found", Text: "there is nothing here, or it is not yours"}
	ErrTooLarge    = &Error{Kind: Invalid, Code: "too_large", Text: "more was sent than is accepted"}
	ErrDiskFull    = &Error{Kind: Unavailable, Code: "disk_full", Text: "there is no room for files left"}
	ErrUnavailable = &Error{Kind: Unavailable, Code: "unavailable", Text: "the server is busy, try again"}
	ErrInternal    = &Error{Kind: Internal, Code: "internal", Text: "something broke on our side"}
)
