package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// migrateTo makes the schema that a binary of an earlier release has left.
func migrateTo(t *testing.T, target storetest.Target, db *sql.DB, version int64) {
	t.Helper()
	dialect := goose.DialectSQLite3
	if target.Engine == "postgres" {
		dialect = goose.DialectPostgres
	} else if err := os.MkdirAll(strings.TrimSuffix(target.Options.File, "/tripwire.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if target.Engine == "postgres" { // as the program's own connection has it, which the functions remember
		run(t, db, "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', FALSE)")
	}
	p, err := goose.NewProvider(dialect, db, os.DirFS("migrations/"+target.Engine), goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = p.UpTo(context.Background(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// oldLetter is a letter before the outbox had states.
type oldLetter struct{ user, queued, sent string }

// oldSchool puts accounts with letters into a schema without states: 1 has been
// written to, 2 waits, 3 has been written to and waits for another, 4 waits twice, 5
// and 6 are deleted, 7 has got the later of two.
func oldSchool(t *testing.T, db *sql.DB) (user func(n int) string) {
	t.Helper()
	user = func(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-00000000010%d", n) }
	const day = "2026-02-0%d 10:00:00.000"
	run(t, db, "INSERT INTO courses (id, slug, title, price_minor, currency, created_at) VALUES (1, 'c', 'Course', 0, 'KZT', '2026-02-01 10:00:00.000')")
	for n := 1; n <= 7; n++ {
		email, former, deleted := fmt.Sprintf("'s%d@d%d.example'", n, n), "NULL", "NULL"
		if n == 5 || n == 6 {
			email, former, deleted = "NULL", email, "'2026-02-08 10:00:00.000'"
		}
		run(t, db, fmt.Sprintf(`INSERT INTO users (id, email, former_email, full_name, search_text, role, language, created_at, deleted_at)
			VALUES ('%s', %s, %s, 'S', 's', 'student', 'ru', '2026-02-01 10:00:00.000', %s)`, user(n), email, former, deleted))
	}
	for _, l := range []oldLetter{
		{user(1), fmt.Sprintf(day, 1), fmt.Sprintf(day, 2)},
		{user(2), fmt.Sprintf(day, 1), ""},
		{user(3), fmt.Sprintf(day, 1), fmt.Sprintf(day, 2)}, {user(3), fmt.Sprintf(day, 3), ""},
		{user(4), fmt.Sprintf(day, 1), ""}, {user(4), fmt.Sprintf(day, 3), ""},
		{user(5), fmt.Sprintf(day, 1), ""},
		{user(6), fmt.Sprintf(day, 1), fmt.Sprintf(day, 2)},
		{user(7), fmt.Sprintf(day, 1), ""}, {user(7), fmt.Sprintf(day, 3), fmt.Sprintf(day, 4)},
	} {
		sent := "NULL"
		if l.sent != "" {
			sent = "'" + l.sent + "'"
		}
		run(t, db, fmt.Sprintf("INSERT INTO letters (user_id, kind, queued_at, sent_at) VALUES ('%s', 'welcome', '%s', %s)", l.user, l.queued, sent))
	}
	for n := 1; n <= 7; n++ {
		email, deleted := fmt.Sprintf("'s%d@d%d.example'", n, n), "NULL"
		if n == 5 || n == 6 {
			email, deleted = "NULL", "'2026-02-08 10:00:00.000'"
		}
		run(t, db, fmt.Sprintf("INSERT INTO tripwire_users (user_id, course_id, email, granted_at, deleted_at) VALUES ('%s', 1, %s, '2026-02-01 10:00:00.000', %s)", user(n), email, deleted))
	}
	return user
}

// TestLettersOfAnEarlierReleaseKeepWhatIsTrueOfThem: what was sent is sent, what was
// waited for is waited for once, and the lists and counts agree.
func TestLettersOfAnEarlierReleaseKeepWhatIsTrueOfThem(t *testing.T) {
	eachEmpty(t, func(t *testing.T, target storetest.Target) {
		db := target.Raw(t)
		migrateTo(t, target, db, 6)
		user := oldSchool(t, db)
		s := target.Open(t, fixedClock)
		var all []string
		for id := int64(1); id <= 10; id++ {
			read(t, s, func(tx *store.Tx) error {
				l, err := tx.FindLetter(id)
				moment := func(t time.Time) string {
					if t.IsZero() {
						return "-"
					}
					return t.Format("2006-01-02")
				}
				all = append(all, fmt.Sprintf("%s %s %s due %s sent %s queued %s attempts %d %q", l.UserID[35:], l.Email, l.State, moment(l.DueAt), moment(l.SentAt), moment(l.QueuedAt), l.Attempts, l.MessageID))
				return err
			})
		}
		want := []string{
			`1 s1@d1.example accepted due - sent 2026-02-02 queued 2026-02-01 attempts 0 ""`,
			`2 s2@d2.example queued due 2026-02-01 sent - queued 2026-02-01 attempts 0 ""`,
			`3 s3@d3.example accepted due - sent 2026-02-02 queued 2026-02-01 attempts 0 ""`,
			`3 s3@d3.example queued due 2026-02-03 sent - queued 2026-02-03 attempts 0 ""`,
			`4 s4@d4.example cancelled due - sent - queued 2026-02-01 attempts 0 ""`,
			`4 s4@d4.example queued due 2026-02-03 sent - queued 2026-02-03 attempts 0 ""`,
			`5 s5@d5.example cancelled due - sent - queued 2026-02-01 attempts 0 ""`,
			`6 s6@d6.example accepted due - sent 2026-02-02 queued 2026-02-01 attempts 0 ""`,
			`7 s7@d7.example cancelled due - sent - queued 2026-02-01 attempts 0 ""`,
			`7 s7@d7.example accepted due - sent 2026-02-04 queued 2026-02-03 attempts 0 ""`,
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		if got := column(t, db, "SELECT domain FROM letters ORDER BY id"); !slices.Equal(got, []string{"d1.example", "d2.example", "d3.example", "d3.example", "d4.example", "d4.example", "d5.example", "d6.example", "d7.example", "d7.example"}) {
			t.Errorf("domains %q", got)
		}
		roster := column(t, db, "SELECT substr(CAST(user_id AS TEXT), 36) || ' ' || letter FROM roster ORDER BY user_id")
		if !slices.Equal(roster, []string{"1 sent", "2 waiting", "3 waiting", "4 waiting", "7 sent"}) {
			t.Errorf("the lists say %q", roster)
		}
		read(t, s, func(tx *store.Tx) error {
			wrong, err := tx.CheckRollUps(time.UTC)
			misfits, _, errMisfits := tx.ListMisfits(store.Misfit{}, 10)
			if len(wrong)+len(misfits) > 0 {
				t.Errorf("after the migration: %q, %+v", wrong, misfits)
			}
			return errors.Join(err, errMisfits)
		})
		// The next letter has a number of its own.
		write(t, s, func(tx *store.Tx) error {
			return tx.InsertLetter(school.UserID(user(1)), school.LetterWelcome, "s1@d1.example")
		})
		if got := column(t, db, "SELECT CAST(max(id) AS TEXT) FROM letters"); !slices.Equal(got, []string{"11"}) {
			t.Errorf("the next letter is %q", got)
		}
	})
}

// TestWhoWasDeletedBeforeTheOutboxIsWrittenToWhenRestored, as who is deleted since.
func TestWhoWasDeletedBeforeTheOutboxIsWrittenToWhenRestored(t *testing.T) {
	eachEmpty(t, func(t *testing.T, target storetest.Target) {
		db := target.Raw(t)
		migrateTo(t, target, db, 6)
		user := oldSchool(t, db)
		s := target.Open(t, fixedClock)
		write(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.RestoreStudent(school.UserID(user(5)), "S", "s5@d5.example"), tx.RestoreStudent(school.UserID(user(6)), "S", "s6@d6.example"))
		})
		if got := column(t, db, "SELECT email || ' ' || state FROM letters WHERE email IN ('s5@d5.example', 's6@d6.example') ORDER BY id"); !slices.Equal(got, []string{"s5@d5.example queued", "s6@d6.example accepted"}) {
			t.Errorf("their letters are %q", got)
		}
	})
}

// TestAClaimReadsWhatIsDueAlone, however long the outbox is: the statements of a worker
// are run on every engine as the worker runs them.
func TestAClaimReadsWhatIsDueAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var due, near, heads, rest string
		s := target.Open(t, fixedClock, func(o *store.Options) {
			o.BeforeStatement = func(sql string) error {
				switch {
				case strings.HasPrefix(sql, "SELECT id, domain FROM letters"):
					due = sql
				case strings.HasPrefix(sql, "SELECT domain FROM (SELECT"):
					near = sql
				case strings.HasPrefix(sql, "WITH RECURSIVE d"):
					heads = sql
				case strings.HasPrefix(sql, "SELECT attempted_at FROM letters"):
					rest = sql
				}
				return nil
			}
		})
		write(t, s, func(tx *store.Tx) error {
			for _, but := range [][]string{nil, {"a.example", "b.example"}} {
				if _, _, err := tx.FindDue(but); !errors.Is(err, school.ErrNotFound) {
					return err
				}
			}
			_, err := tx.FindDomainRest("a.example", 3)
			return err
		})
		if due == "" || near == "" || heads == "" || rest == "" {
			t.Fatal("no claim was seen")
		}
		moment := any(fixed)
		if target.Engine == "sqlite" {
			moment = fixed.Format("2006-01-02 15:04:05.000")
		}
		db := longTables(t, target)
		explained := func(query string, args ...any) string { return foreseen(t, target, db, query, args) }
		for query, want := range map[string]struct {
			args  []any
			index string
		}{
			due:   {[]any{moment}, "letters_due_at_idx"},
			near:  {[]any{moment, 100, "a.example", "b.example"}, "letters_due_at_idx"},
			heads: {nil, "letters_domain_due_at_idx"},
			rest:  {[]any{"a.example", moment, 2}, "letters_domain_attempted_at_idx"},
		} {
			plan := explained(query, want.args...)
			if !strings.Contains(plan, want.index) {
				t.Errorf("%s does not use %s:\n%s", query, want.index, plan)
			}
			for line := range strings.Lines(plan) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "SCAN letters") && !strings.Contains(line, "INDEX") || strings.Contains(line, "Seq Scan on letters") || strings.Contains(line, "TEMP B-TREE FOR ORDER BY") {
					t.Errorf("%s: %s\n%s", query, line, plan)
				}
			}
		}
		if plan := explained("SELECT min(due_at) FROM letters WHERE due_at IS NOT NULL"); !strings.Contains(plan, "letters_due_at_idx") {
			t.Errorf("the next due:\n%s", plan)
		}
	})
}

// longTables is a connection whose plans are those of long tables.
func longTables(t *testing.T, target storetest.Target) *sql.DB {
	t.Helper()
	db := target.Raw(t)
	db.SetMaxOpenConns(1)
	if target.Engine == "postgres" {
		run(t, db, "SET enable_seqscan = off")
	}
	return db
}

// foreseen is the plan of a query, which is not run.
func foreseen(t *testing.T, target storetest.Target, db *sql.DB, query string, args []any) string {
	t.Helper()
	if target.Engine == "sqlite" {
		return explain(t, target, db, query, args)
	}
	return strings.Join(column(t, db, "EXPLAIN "+query, args...), "\n")
}

// TestTheOutboxIsListedWithoutGoingThroughIt, by whatever it is narrowed.
func TestTheOutboxIsListedWithoutGoingThroughIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var listing string
		s := target.Open(t, fixedClock, func(o *store.Options) {
			o.BeforeStatement = func(sql string) error {
				if strings.HasPrefix(sql, "SELECT l.id, l.user_id") {
					listing = sql
				}
				return nil
			}
		})
		db := longTables(t, target)
		moment := any(fixed)
		if target.Engine == "sqlite" {
			moment = fixed.Format("2006-01-02 15:04:05.000")
		}
		for _, want := range []struct {
			filter school.LetterFilter
			args   []any
			index  string
		}{
			{school.LetterFilter{State: school.LetterDeferred}, []any{"deferred", 50}, "letters_deferred_idx"},
			{school.LetterFilter{State: school.LetterSending}, []any{"sending", moment, 50}, "attempted_at_idx"},
			{school.LetterFilter{State: school.LetterBounced}, []any{"bounced", 50}, "letters_failed_idx"},
			{school.LetterFilter{State: school.LetterCancelled}, []any{"cancelled", 50}, "letters_failed_idx"},
			{school.LetterFilter{Kind: school.LetterReminder}, []any{"reminder", 50}, "letters_kind_idx"},
			{school.LetterFilter{Kind: school.LetterReminder, Before: 1000}, []any{"reminder", 1000, 50}, "letters_kind_idx"},
			{school.LetterFilter{Query: "gone@d.example"}, []any{"gone@d.example", 50}, "letters_email_idx"},
			{school.LetterFilter{}, []any{50}, ""},
		} {
			write(t, s, func(tx *store.Tx) error {
				_, err := tx.ListLetters(want.filter, 50)
				return err
			})
			plan := foreseen(t, target, db, listing, want.args)
			few := want.filter.State == school.LetterSending || want.filter.Query != ""
			sorted := !few && (strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Sort"))
			if !strings.Contains(plan, want.index) || sorted || strings.Contains(plan, "Seq Scan on letters") {
				t.Errorf("%+v: want %q\n%s", want.filter, want.index, plan)
			}
		}
	})
}

// TestTheOldestWordsAreForgottenFirst, and those of nobody else.
func TestTheOldestWordsAreForgottenFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		now := fixed
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return now } })
		attend(t, s)
		said := school.LetterContent{Subject: "S", Text: "T", HTML: "H"}
		for id := int64(1); id <= 4; id++ {
			write(t, s, func(tx *store.Tx) error {
				return errors.Join(tx.InsertLetter(studentID, school.LetterTest, "s@d.example"), tx.UpsertLetterContent(id, said))
			})
			now = now.Add(time.Hour)
		}
		write(t, s, func(tx *store.Tx) error { return tx.UpsertLetterContent(1, said) }) // tried once more
		for i, want := range []struct {
			n    int64
			left []string
		}{{1, []string{"1", "3", "4"}}, {1, []string{"1", "4"}}, {0, []string{"1", "4"}}} {
			write(t, s, func(tx *store.Tx) error {
				n, err := tx.DeleteLetterContents(fixed.Add(3*time.Hour), 1)
				if n != want.n {
					t.Errorf("%d. forgot %d, want %d", i, n, want.n)
				}
				return err
			})
			if got := column(t, target.Raw(t), "SELECT CAST(letter_id AS TEXT) FROM letter_contents ORDER BY letter_id"); !slices.Equal(got, want.left) {
				t.Errorf("%d. left %q, want %q", i, got, want.left)
			}
		}
	})
}

// TestWordsOfAnEarlierReleaseAreKept, with the time of their last attempt.
func TestWordsOfAnEarlierReleaseAreKept(t *testing.T) {
	eachEmpty(t, func(t *testing.T, target storetest.Target) {
		db := target.Raw(t)
		migrateTo(t, target, db, 6)
		oldSchool(t, db)
		migrateTo(t, target, db, 7)
		run(t, db, "UPDATE letters SET attempted_at = '2026-02-20 10:00:00.000' WHERE id = 1", "INSERT INTO letter_contents (letter_id, subject, text, html) VALUES (1, 'S', 'T', 'H')")
		s := target.Open(t, fixedClock)
		write(t, s, func(tx *store.Tx) error {
			c, err := tx.FindLetterContent(1)
			if want := (school.LetterContent{Subject: "S", Text: "T", HTML: "H"}); c != want {
				t.Errorf("it said %+v", c)
			}
			early, errEarly := tx.DeleteLetterContents(time.Date(2026, 2, 20, 10, 0, 0, 0, time.UTC), 10)
			late, errLate := tx.DeleteLetterContents(time.Date(2026, 2, 20, 10, 0, 1, 0, time.UTC), 10)
			if early != 0 || late != 1 {
				t.Errorf("forgot %d, then %d", early, late)
			}
			return errors.Join(err, errEarly, errLate)
		})
	})
}

// TestAClaimTakesTheOldestFirst, within its limit, and leaves domains that are busy.
func TestAClaimTakesTheOldestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		now := fixed
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return now } })
		attend(t, s)
		for _, email := range []school.Email{"1@a.example", "2@b.example", "3@a.example", "4@c.example"} {
			write(t, s, func(tx *store.Tx) error { return tx.InsertLetter(studentID, school.LetterTest, email) })
			now = now.Add(time.Second)
		}
		claim := func(busy ...string) (got string) {
			t.Helper()
			nonce := school.NewToken()[:16]
			if err := s.Take(t.Context(), func(tx *store.Tx) error {
				id, _, err := tx.FindDue(busy)
				if got = ""; err != nil {
					return err
				}
				l, err := tx.ClaimLetter(id, nonce, "school.example")
				if got = string(l.Email); l.State != school.LetterSending || !strings.HasPrefix(l.MessageID, "<"+nonce+".") || !strings.HasSuffix(l.MessageID, "@school.example>") {
					t.Errorf("claimed %+v", l)
				}
				return err
			}); err != nil && !errors.Is(err, school.ErrNotFound) {
				t.Fatal(err)
			}
			return got
		}
		for i, c := range []struct {
			busy []string
			want string
		}{
			{[]string{"a.example", "b.example"}, "4@c.example"}, {nil, "1@a.example"}, {[]string{"a.example"}, "2@b.example"}, {[]string{"a.example"}, ""}, {nil, "3@a.example"}, {nil, ""},
		} {
			if got := claim(c.busy...); got != c.want {
				t.Errorf("%d. claimed %q, want %q", i, got, c.want)
			}
		}
		rest := func(perMinute int) (until time.Time) {
			t.Helper()
			write(t, s, func(tx *store.Tx) (err error) {
				until, err = tx.FindDomainRest("a.example", perMinute)
				return err
			})
			return until
		}
		claimed := now
		if until := rest(2); !until.Equal(claimed.Add(time.Minute)) {
			t.Errorf("after two letters of two the domain rests until %v", until)
		}
		if until := rest(3); !until.IsZero() {
			t.Errorf("after two letters of three the domain rests until %v", until)
		}
		if now = now.Add(time.Minute); !rest(2).IsZero() {
			t.Error("the domain rests for more than a minute")
		}
		write(t, s, func(tx *store.Tx) error { // more than are looked through
			for i := range 120 {
				if err := tx.InsertLetter(studentID, school.LetterTest, school.Email(fmt.Sprintf("%d@a.example", i))); err != nil {
					return err
				}
			}
			return nil
		})
		now = now.Add(time.Second)
		for _, email := range []school.Email{"1@c.example", "1@b.example"} {
			write(t, s, func(tx *store.Tx) error { return tx.InsertLetter(studentID, school.LetterTest, email) })
			now = now.Add(time.Second)
		}
		for _, want := range []string{"1@c.example", "1@b.example", ""} {
			if got := claim("a.example"); got != want {
				t.Errorf("behind a long queue claimed %q, want %q", got, want)
			}
		}
	})
}

// TestTheMigrationOfLettersReadsEachOnce: a school with a million letters waits for
// it in front of a closed door.
func TestTheMigrationOfLettersReadsEachOnce(t *testing.T) {
	eachEmpty(t, func(t *testing.T, target storetest.Target) {
		db := target.Raw(t)
		migrateTo(t, target, db, 6)
		uuid := map[string]string{"sqlite": "TEXT", "postgres": "UUID"}[target.Engine]
		run(t, db, `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000)
			INSERT INTO users (id, email, full_name, search_text, role, language, created_at)
			SELECT CAST('00000000-0000-7000-8000-' || CAST(n + 100000000000 AS TEXT) AS `+uuid+`), 's' || CAST(n AS TEXT) || '@d.example', 'S', 's', 'student', 'ru', '2026-02-01 10:00:00.000' FROM c`,
			"INSERT INTO letters (user_id, kind, queued_at) SELECT id, 'welcome', created_at FROM users")
		text, err := os.ReadFile("migrations/" + target.Engine + "/0007_letters.sql")
		if err != nil {
			t.Fatal(err)
		}
		var statements []string
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "--") {
				statements = append(statements, line)
			}
		}
		fills := map[string]string{"sqlite": "INSERT INTO letters ", "postgres": "UPDATE letters "}[target.Engine]
		for statement := range strings.SplitSeq(strings.Join(statements, ""), ";\n") {
			if statement = strings.TrimSpace(statement); !strings.HasPrefix(statement, fills) {
				run(t, db, statement)
				continue
			}
			prefix := map[string]string{"sqlite": "EXPLAIN QUERY PLAN ", "postgres": "EXPLAIN "}[target.Engine]
			rows, err := db.QueryContext(t.Context(), prefix+statement)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			var plan strings.Builder
			for rows.Next() {
				var id, parent, unused int
				var line string
				into := []any{&line}
				if target.Engine == "sqlite" {
					into = []any{&id, &parent, &unused, &line}
				}
				if err := rows.Scan(into...); err != nil {
					t.Fatal(err)
				}
				plan.WriteString(line + "\n")
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			// A search without an index reads all; so does a walk from the newest letter
			// back to the person's.
			p := plan.String()
			if strings.Contains(p, "SEARCH n\n") || strings.Contains(p, "SCAN n\n") || strings.Contains(p, "AUTOMATIC") || strings.Contains(p, "SubPlan") && (strings.Contains(p, "letters_pkey") || strings.Contains(p, "Seq Scan on letters n")) {
				t.Errorf("each letter reads:\n%s", p)
			}
			return
		}
		t.Error("the statement was not found")
	})
}
