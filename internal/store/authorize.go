package store

import (
	"slices"
	"strings"

	sqlitedriver "modernc.org/sqlite"
)

// guardName stands for every refusal of the single-writer guard, on both
// engines.
const guardName = "single_writer"

// guarded are the tables that only triggers write, with the triggers that may.
// The map is the rule on SQLite; on PostgreSQL the guard_* triggers and the
// missing grants say the same.
var guarded = map[string][]string{
	"module_unlocks": {
		"auto_unlock_first_module_on_user_creation", "auto_unlock_next_module",
		"unlock_granted_module", "auto_unlock_first_module_on_recheck",
	},
	"module_completions": {"complete_module_on_last_lesson", "auto_unlock_first_module_on_recheck"},

	"roster": {
		"enter_roster_on_enrolment", "update_roster_on_enrolment_change", "update_roster_on_account_change",
		"update_roster_on_module_completion", "update_roster_on_letter", "update_roster_on_letter_sent",
		"update_roster_on_lesson_opened", "update_roster_on_lesson_completed", "update_roster_on_homework",
	},
	"roster_search":     rosterFollowers,
	"student_counts":    append([]string{"recount_on_request"}, rosterFollowers...),
	"step_counts":       append([]string{"recount_on_request"}, rosterFollowers...),
	"completion_counts": append([]string{"recount_on_request"}, rosterFollowers...),
	"sale_counts":       {"count_sale_on_event", "count_sale_on_attribution", "update_sale_counts_on_enrolment_change", "recount_on_request"},
}

var rosterFollowers = []string{"follow_roster_on_insert", "follow_roster_on_update", "follow_roster_on_delete"}

// completedAt may be set by these triggers only.
var completedAtWriters = []string{"complete_course_on_last_module", "auto_unlock_first_module_on_recheck"}

// authorize is asked about everything a statement would do, while SQLite
// compiles it. It refuses writes to the guarded tables outside our triggers, and
// every change of the schema: those belong to migrations.
func authorize(action sqlitedriver.AuthorizerActionCode, arg1, arg2, _, trigger string) sqlitedriver.AuthorizerReturnCode {
	switch action {
	case sqlitedriver.AuthInsert, sqlitedriver.AuthDelete:
		return allowIf(writes(guarded, arg1, trigger))
	case sqlitedriver.AuthUpdate:
		if strings.EqualFold(arg1, "tripwire_users") && strings.EqualFold(arg2, "completed_at") {
			return allowIf(slices.Contains(completedAtWriters, trigger))
		}
		return allowIf(writes(guarded, arg1, trigger))
	case sqlitedriver.AuthSelect, sqlitedriver.AuthRead, sqlitedriver.AuthFunction,
		sqlitedriver.AuthTransaction, sqlitedriver.AuthSavepoint, sqlitedriver.AuthRecursive:
		return sqlitedriver.AuthorizerOK
	case sqlitedriver.AuthPragma:
		return allowIf(harmlessPragma[strings.ToLower(arg1)])
	default: // CREATE, DROP, ALTER, ATTACH, REINDEX, …
		return sqlitedriver.AuthorizerDeny
	}
}

// harmlessPragma are the pragmas that a checked connection runs: the integrity
// checks, and what the search index asks. The settings of the connection are made before it is checked.
var harmlessPragma = map[string]bool{"integrity_check": true, "foreign_key_check": true, "wal_checkpoint": true, "data_version": true}

func writes(rule map[string][]string, table, trigger string) bool {
	writers, isGuarded := rule[strings.ToLower(table)]
	if !isGuarded {
		return !strings.HasPrefix(strings.ToLower(table), "sqlite_")
	}
	return slices.Contains(writers, trigger)
}

func allowIf(ok bool) sqlitedriver.AuthorizerReturnCode {
	if ok {
		return sqlitedriver.AuthorizerOK
	}
	return sqlitedriver.AuthorizerDeny
}
