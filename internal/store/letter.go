package store

import (
	"slices"
	"strings"
	"time"

	"tripwire/internal/school"
)

// The outbox. A row is written in the transaction of what it tells of, and is
// handed over later by whichever process claims it. docs/letters.md has its states.

const letterColumns = `l.id, l.user_id, u.full_name, u.language, l.kind, l.about, l.email, l.state, l.queued_at, l.due_at, l.attempts,
	l.earlier_attempts, l.attempted_at, coalesce(l.message_id, ''), l.cause, l.reply, l.sent_at`

const letterTables = " FROM letters l JOIN users u ON u.id = l.user_id "

func scanLetter(r row) (l school.Letter, err error) {
	return l, r.Scan(&l.ID, text(&l.UserID), &l.Name, text(&l.Language), text(&l.Kind), &l.About, text(&l.Email), text(&l.State), at(&l.QueuedAt), at(&l.DueAt), &l.Attempts,
		&l.EarlierAttempts, at(&l.AttemptedAt), &l.MessageID, &l.Cause, &l.Reply, at(&l.SentAt))
}

// InsertLetter queues a letter in the outbox. Watchers are told after the commit.
func (tx *Tx) InsertLetter(id school.UserID, kind school.LetterKind, email school.Email) error {
	tx.added = true
	return tx.later("INSERT INTO letters (user_id, kind, email, domain, queued_at, due_at) VALUES ($1, $2, $3, $4, $5, $5)",
		id, kind, email, email.Domain(), tx.Now)
}

// FindDue answers the letter that has been due the longest, but for those to some
// domains. On PostgreSQL it is locked, and those that others have locked are passed
// over. Errors: NotFound.
func (tx *Tx) FindDue(but []string) (id int64, domain string, err error) {
	c := condition{args: []any{tx.Now}}
	c.add("due_at <= $1")
	if len(but) > 0 { // a queue of letters to a domain that rests is not gone through
		if domain, err = tx.findDueDomain(but); err != nil {
			return 0, "", err
		}
		c.add("domain = " + c.arg(domain))
	}
	_, err = one(tx, "SELECT id, domain FROM letters"+c.where()+" ORDER BY due_at, id LIMIT 1"+tx.engine.skipLocked(), func(r row) (none struct{}, err error) {
		return none, r.Scan(&id, &domain)
	}, c.args...)
	return id, domain, err
}

// dueHead is how many letters are looked through for one to another domain before it
// is looked for from domain to domain.
const dueHead = 100

// findDueDomain answers the domain whose oldest letter has been due the longest, but
// for some. Where the head of the queue is all theirs, it goes from domain to domain by
// the index. Errors: NotFound.
func (tx *Tx) findDueDomain(but []string) (string, error) {
	c := condition{args: []any{tx.Now, dueHead}}
	near, err := one(tx, "SELECT domain FROM (SELECT id, domain, due_at FROM letters WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2) head WHERE domain NOT IN ("+argList(&c, but)+") ORDER BY due_at, id LIMIT 1", scanText, c.args...)
	if !isNotFound(err) {
		return near, err
	}
	return tx.findFarDomain(but)
}

// findFarDomain is findDueDomain from domain to domain, however long their queues are.
func (tx *Tx) findFarDomain(but []string) (string, error) {
	type head struct {
		domain string
		due    time.Time
	}
	all, err := list(tx, `WITH RECURSIVE d (domain) AS (
			SELECT min(domain) FROM letters WHERE due_at IS NOT NULL
			UNION ALL SELECT (SELECT min(l.domain) FROM letters l WHERE l.due_at IS NOT NULL AND l.domain > d.domain) FROM d WHERE d.domain IS NOT NULL)
		SELECT d.domain, (SELECT min(l.due_at) FROM letters l WHERE l.due_at IS NOT NULL AND l.domain = d.domain) FROM d WHERE d.domain IS NOT NULL`,
		func(r row) (h head, err error) { return h, r.Scan(&h.domain, at(&h.due)) })
	all = slices.DeleteFunc(all, func(h head) bool { return h.due.After(tx.Now) || slices.Contains(but, h.domain) })
	if err == nil && len(all) == 0 {
		err = school.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return slices.MinFunc(all, func(a, b head) int { return a.due.Compare(b.due) }).domain, nil
}

// FindDomainRest answers until when a domain has had its letters of a minute; zero:
// it may have another one. Until the end of the transaction nobody else is answered
// for the domain, so that what is claimed here is counted there.
func (tx *Tx) FindDomainRest(domain string, perMinute int) (time.Time, error) {
	if err := tx.engine.lock(tx.ctx, tx.q, "letters to "+domain); err != nil {
		return time.Time{}, err
	}
	last, err := one(tx, "SELECT attempted_at FROM letters WHERE domain = $1 AND attempted_at > $2 ORDER BY attempted_at DESC LIMIT 1 OFFSET $3",
		func(r row) (t time.Time, err error) { return t, r.Scan(at(&t)) }, domain, tx.Now.Add(-time.Minute), perMinute-1)
	if isNotFound(err) {
		return time.Time{}, nil
	}
	return last.Add(time.Minute), err
}

// ClaimLetter takes a letter that is due: nobody else gets it until the lease ends.
// It has its Message-ID, "<nonce.id@sender>", from the first claim on. Errors:
// NotFound when another was faster.
func (tx *Tx) ClaimLetter(id int64, nonce, sender string) (school.Letter, error) {
	tx.added = true // to what is shown of letters
	err := touched(tx.exec(`UPDATE letters SET state = 'sending', due_at = $2, attempts = attempts + 1, attempted_at = $1, message_id = coalesce(message_id, $3 || id || $4)
		WHERE id = $5 AND due_at <= $1`, tx.Now, tx.Now.Add(school.LetterLease), "<"+nonce+".", "@"+sender+">", id))
	if err != nil {
		return school.Letter{}, err
	}
	return tx.FindLetter(id)
}

// argList adds parameters and answers their names.
func argList[T any](c *condition, values []T) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = c.arg(v)
	}
	return strings.Join(names, ", ")
}

// UpdateLetterEmail has a letter go to another address.
func (tx *Tx) UpdateLetterEmail(id int64, email school.Email) error {
	_, err := tx.exec("UPDATE letters SET email = $2, domain = $3 WHERE id = $1", id, email, email.Domain())
	return err
}

// Outcome is what an attempt has come to.
type Outcome struct {
	State school.LetterState
	DueAt time.Time // of one that is deferred
	Cause string
	Reply string
}

// SettleLetter keeps the outcome of an attempt. It answers false, and keeps nothing,
// when the lease has ended meanwhile and another worker has the letter.
func (tx *Tx) SettleLetter(l school.Letter, o Outcome) (bool, error) {
	tx.added = true
	sent := time.Time{}
	if o.State == school.LetterAccepted {
		sent = tx.Now
	}
	n, err := tx.exec(`UPDATE letters SET state = $3, due_at = $4, cause = $5, reply = $6, sent_at = $7
		WHERE id = $1 AND attempts = $2 AND state = 'sending'`, l.ID, l.Attempts, o.State, o.DueAt, o.Cause, o.Reply, sent)
	return n > 0, err
}

// GiveUpLetters ends letters that were queued before a time and never tried, at most
// limit, and answers of them what the history tells.
func (tx *Tx) GiveUpLetters(cause string, before time.Time, limit int) ([]school.Letter, error) {
	return list(tx, `UPDATE letters SET state = 'given_up', due_at = NULL, cause = $1
		WHERE id IN (SELECT id FROM letters WHERE due_at < $2 AND queued_at < $2 AND attempts = 0 AND state = 'queued' ORDER BY due_at, id LIMIT $3`+tx.engine.skipLocked()+`)
		RETURNING id, user_id, kind, email`,
		func(r row) (l school.Letter, err error) {
			return l, r.Scan(&l.ID, text(&l.UserID), text(&l.Kind), text(&l.Email))
		}, cause, before, limit)
}

// UpsertLetterContent keeps what a letter said at its last attempt.
func (tx *Tx) UpsertLetterContent(id int64, c school.LetterContent) error {
	return tx.later(`INSERT INTO letter_contents (letter_id, subject, text, html, written_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (letter_id) DO UPDATE SET subject = excluded.subject, text = excluded.text, html = excluded.html, written_at = excluded.written_at`,
		id, c.Subject, c.Text, c.HTML, tx.Now)
}

// DeleteLetterContents forgets what letters said at attempts before a time, the
// oldest first, of at most limit letters. It answers of how many.
func (tx *Tx) DeleteLetterContents(before time.Time, limit int) (int64, error) {
	return tx.exec("DELETE FROM letter_contents WHERE letter_id IN (SELECT letter_id FROM letter_contents WHERE written_at < $1 ORDER BY written_at LIMIT $2)", before, limit)
}

// FindLetterContent answers what a letter said. Errors: NotFound before its first
// attempt, and when it has been forgotten.
func (tx *Tx) FindLetterContent(id int64) (school.LetterContent, error) {
	return one(tx, "SELECT subject, text, html FROM letter_contents WHERE letter_id = $1",
		func(r row) (c school.LetterContent, err error) { return c, r.Scan(&c.Subject, &c.Text, &c.HTML) }, id)
}

// FindNextDue answers when the next letter is due; zero: none waits.
func (tx *Tx) FindNextDue() (t time.Time, err error) {
	return one(tx, "SELECT min(due_at) FROM letters WHERE due_at IS NOT NULL", func(r row) (t time.Time, err error) { return t, r.Scan(at(&t)) })
}

// FindLetter answers one letter. Errors: NotFound.
func (tx *Tx) FindLetter(id int64) (school.Letter, error) {
	return one(tx, "SELECT "+letterColumns+letterTables+"WHERE l.id = $1", scanLetter, id)
}

// FindNewestLetter answers the latest letter of a kind to a person. Errors:
// NotFound.
func (tx *Tx) FindNewestLetter(id school.UserID, kind school.LetterKind) (school.Letter, error) {
	return one(tx, "SELECT "+letterColumns+letterTables+"WHERE l.user_id = $1 AND l.kind = $2 ORDER BY l.id DESC LIMIT 1", scanLetter, id, kind)
}

// ListLetters answers letters of the outbox, the newest first.
func (tx *Tx) ListLetters(f school.LetterFilter, limit int) ([]school.Letter, error) {
	var c condition
	if f.State != "" {
		c.add("l.state = " + c.arg(f.State))
	}
	switch { // by what the indexes of the rare ones can be known
	case f.State == school.LetterQueued:
		c.add("l.due_at IS NOT NULL")
	case f.State == school.LetterSending:
		c.add("l.id IN (SELECT s.id FROM letters s WHERE s.state = 'sending' AND s.attempted_at > " + c.arg(tx.Now.Add(-school.LetterPatience)) + ")")
	case f.State == school.LetterDeferred:
		c.add("l.state = 'deferred'")
	case f.State != "" && f.State != school.LetterAccepted:
		c.add("l.state IN ('refused', 'given_up', 'bounced', 'cancelled')")
	}
	if f.Kind != "" {
		c.add("l.kind = " + c.arg(f.Kind))
		if f.Kind != school.LetterWelcome {
			c.add("l.kind <> 'welcome'")
		}
	}
	if f.User != "" {
		c.add("l.user_id = " + c.arg(f.User))
	}
	if err := tx.ofQuery(&c, f.Query); err != nil {
		return nil, err
	}
	if f.Before > 0 {
		c.add("l.id < " + c.arg(f.Before))
	}
	return list(tx, "SELECT "+letterColumns+letterTables+c.where()+" ORDER BY l.id DESC LIMIT "+c.arg(limit), scanLetter, c.args...)
}

// manyPeople is from how many on people are not looked up one by one: their letters
// stand so close that a page of them is soon found.
const manyPeople = 300

// ofQuery bounds a query of letters to those to people with all of the words in name or
// address, and to those to exactly that address, whosever it was.
func (tx *Tx) ofQuery(c *condition, query string) error {
	words := strings.Fields(school.Fold(query))
	if len(words) == 0 {
		return nil
	}
	words = words[:min(len(words), maxWords)]
	ids, err := tx.findPeople(words)
	if err != nil {
		return err
	}
	var parts []string
	switch {
	case len(ids) >= manyPeople:
		parts = append(parts, c.hasWords("u.search_text", words))
	case len(ids) > 0:
		parts = append(parts, "l.user_id IN ("+argList(c, ids)+")")
	}
	if address, err := school.NewEmail(query); err == nil {
		parts = append(parts, "l.email = "+c.arg(address))
	}
	if len(parts) == 0 {
		parts = append(parts, "1 = 0")
	}
	c.add("(" + strings.Join(parts, " OR ") + ")")
	return nil
}

// findPeople answers students, deleted ones too, and staff with all of the words; of
// more than manyPeople living or deleted students, some.
func (tx *Tx) findPeople(words []string) ([]string, error) {
	var living condition
	tx.engine.matching(&living, words)
	living.add(living.hasWords("r.search_text", words))
	others := living.hasWords("u.search_text", words)
	limit := living.arg(manyPeople)
	return list(tx, "SELECT user_id FROM (SELECT r.user_id FROM roster r"+living.where()+" LIMIT "+limit+") living"+
		" UNION SELECT user_id FROM (SELECT t.user_id FROM tripwire_users t JOIN users u ON u.id = t.user_id WHERE t.deleted_at IS NOT NULL AND "+others+" LIMIT "+limit+") deleted"+
		" UNION SELECT u.id FROM users u WHERE u.role <> 'student' AND "+others, scanText, living.args...)
}

// hasWords is the condition that a column has each of the words.
func (c *condition) hasWords(column string, words []string) string {
	var parts []string
	for _, word := range words[:min(len(words), maxWords)] {
		parts = append(parts, having(c, column, word))
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

// FindMailTraffic answers what the outbox does.
func (tx *Tx) FindMailTraffic() (m school.MailTraffic, err error) {
	return one(tx, `SELECT (SELECT count(*) FROM (SELECT 1 FROM letters WHERE due_at IS NOT NULL AND queued_at <= $1 LIMIT $4) waiting),
			(SELECT count(*) FROM (SELECT 1 FROM letters WHERE state IN ('refused', 'given_up', 'bounced', 'cancelled') AND state <> 'cancelled' AND (attempted_at > $2 OR attempted_at IS NULL AND queued_at > $5) LIMIT $4) failed),
			(SELECT count(*) FROM (SELECT 1 FROM letters WHERE attempted_at > $3 AND state = 'accepted' LIMIT $4) sent),
			(SELECT min(queued_at) FROM letters WHERE due_at IS NOT NULL AND queued_at <= $1)`,
		func(r row) (m school.MailTraffic, err error) {
			return m, r.Scan(&m.Waiting, &m.Failed, &m.LastHour, at(&m.Oldest))
		}, tx.Now, tx.Now.AddDate(0, 0, -7), tx.Now.Add(-time.Hour), school.MaxCountedLetters, tx.Now.AddDate(0, 0, -7).Add(-school.LetterPatience))
}

// RequeueLetter has a letter tried at once, as if it were new, to the address that
// the account has now. Errors: NotFound for one that is gone or away.
func (tx *Tx) RequeueLetter(l school.Letter, email school.Email) error {
	tx.added = true
	return touched(tx.exec(`UPDATE letters SET state = 'queued', due_at = $2, queued_at = $2, email = $3, domain = $4, cause = '', reply = '', sent_at = NULL, earlier_attempts = attempts
		WHERE id = $1 AND state IN ('queued', 'deferred', 'refused', 'given_up', 'bounced', 'cancelled')`, l.ID, tx.Now, email, email.Domain()))
}

// RequeueHeldLetters has what was cancelled for a cause tried after all, as if it were
// new: the newest welcome letter and the news of modules, which are of use later, too.
func (tx *Tx) RequeueHeldLetters(id school.UserID, cause string) error {
	tx.added = true
	_, err := tx.exec(`UPDATE letters SET state = 'queued', due_at = $2, queued_at = $2, cause = '', earlier_attempts = attempts
		WHERE user_id = $1 AND state = 'cancelled' AND cause = $3
			AND (kind = 'module_opened' OR kind = 'welcome' AND id = (SELECT max(n.id) FROM letters n WHERE n.user_id = $1 AND n.kind = 'welcome'))`, id, tx.Now, cause)
	return err
}

// HurryLetters has everything that was put off tried at once.
func (tx *Tx) HurryLetters() error {
	tx.added = true
	_, err := tx.exec("UPDATE letters SET due_at = $1 WHERE state = 'deferred' AND due_at > $1", tx.Now)
	return err
}

// PutOffLetter has a letter that could not even be written tried later.
func (tx *Tx) PutOffLetter(id int64, until time.Time, cause string) error {
	_, err := tx.exec("UPDATE letters SET state = 'deferred', due_at = $2, attempts = attempts + 1, cause = $3, reply = '' WHERE id = $1 AND due_at <= $4", id, until, cause, tx.Now)
	return err
}

// CancelLetter takes a letter that waits out of the queue. Errors: NotFound for one
// that does not wait.
func (tx *Tx) CancelLetter(id int64) error {
	return touched(tx.exec("UPDATE letters SET state = 'cancelled', due_at = NULL, cause = 'by_hand' WHERE id = $1 AND state IN ('queued', 'deferred')", id))
}

// BounceLetter notes that a letter came back, and answers it; a report may come
// before the answer to the letter itself. recipient, where the report names one, keeps
// one about a former address from speaking of the present; of a letter that went to
// one address alone it may be where that one forwards to. Errors: NotFound for a
// letter that is not ours, or is not under way.
func (tx *Tx) BounceLetter(messageID string, recipient school.Email, reply string) (school.Letter, error) {
	id, err := one(tx, `UPDATE letters SET state = 'bounced', due_at = NULL, cause = 'bounced', reply = $2
		WHERE message_id = $1 AND state IN ('accepted', 'sending', 'deferred') AND ($3 = '' OR email = $3 OR earlier_attempts = 0) RETURNING id`, scanInt64, messageID, reply, string(recipient))
	if err != nil {
		return school.Letter{}, err
	}
	return tx.FindLetter(id)
}

// reminderWindow bounds who is reminded: a school that begins to remind does not
// write to everybody who left years ago.
const reminderWindow = 7 * 24 * time.Hour

// QueueReminders writes to the students who have not been here for so many days and
// have something left to do: once for each absence, at most limit at a time. It
// answers to how many.
func (tx *Tx) QueueReminders(days, limit int) (int, error) {
	type absent struct {
		id    school.UserID
		email school.Email
		since string
	}
	until := tx.Now.AddDate(0, 0, -days)
	all, err := list(tx, `SELECT u.id, u.email, CAST(u.last_visit_at AS TEXT)
		FROM users u WHERE u.role = 'student' AND u.deleted_at IS NULL AND u.last_visit_at BETWEEN $1 AND $2
			AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.last_seen_at > $2)
			AND NOT EXISTS (SELECT 1 FROM roster r WHERE r.user_id = u.id AND r.last_step_at > $2)
			AND EXISTS (SELECT 1 FROM tripwire_users t WHERE t.user_id = u.id AND t.deleted_at IS NULL AND t.blocked_at IS NULL AND t.completed_at IS NULL AND t.test_at IS NULL)
			AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.user_id = u.id AND l.kind = 'reminder' AND l.about = CAST(u.last_visit_at AS TEXT))
		LIMIT $3`, func(r row) (a absent, err error) { return a, r.Scan(text(&a.id), text(&a.email), &a.since) }, until.Add(-reminderWindow), until, limit)
	for _, a := range all {
		if err == nil {
			err = tx.insertLetterAbout(a.id, school.LetterReminder, a.email, a.since)
		}
	}
	return len(all), err
}

// insertLetterAbout queues a letter unless there is one of its kind about the same.
func (tx *Tx) insertLetterAbout(id school.UserID, kind school.LetterKind, email school.Email, about string) error {
	tx.added = true
	_, err := tx.exec(`INSERT INTO letters (user_id, kind, about, email, domain, queued_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
		ON CONFLICT (user_id, kind, about) WHERE about <> '' DO NOTHING`, id, kind, about, email, email.Domain(), tx.Now)
	return err
}

// InsertChangeNotice queues the notice to the old address. It is about this change to
// the new one, of which there may be others before it leaves.
func (tx *Tx) InsertChangeNotice(id school.UserID, old, now school.Email) error {
	return tx.insertLetterAbout(id, school.LetterEmailChanged, old, school.AboutChange(now, tx.Now))
}

// FindLastVisit answers when somebody was here last: by a login, a page or a step of
// the course; or was admitted.
func (tx *Tx) FindLastVisit(id school.UserID) (time.Time, error) {
	return one(tx, `SELECT max(v.at) FROM (SELECT last_visit_at AS at FROM users WHERE id = $1
			UNION ALL SELECT max(last_seen_at) FROM sessions WHERE user_id = $1
			UNION ALL SELECT max(last_step_at) FROM roster WHERE user_id = $1) v`,
		func(r row) (t time.Time, err error) { return t, r.Scan(at(&t)) }, id)
}

// LetterScene is what a letter to a student may mention.
type LetterScene struct {
	Course, Slug string
	Module       string // that opened, or the first that is open
	Manager      string
	Held         bool // the enrolment is blocked, or the module is not open
}

// FindLetterScene answers what surrounds a student; module 0: the first open one.
// Errors: NotFound for who has no live enrolment.
func (tx *Tx) FindLetterScene(id school.UserID, module school.ModuleID) (LetterScene, error) {
	return one(tx, `SELECT c.title, c.slug, coalesce((SELECT m.title FROM module_unlocks o JOIN modules m ON m.id = o.module_id
				WHERE o.user_id = t.user_id AND m.course_id = t.course_id AND m.deleted_at IS NULL AND (m.id = $3 AND o.unlocked_at <= $2 OR $3 = 0) ORDER BY o.unlocked_at > $2, m.position, m.id LIMIT 1), ''),
			coalesce(g.full_name, ''), t.blocked_at IS NOT NULL
		FROM tripwire_users t JOIN courses c ON c.id = t.course_id LEFT JOIN users g ON g.id = t.granted_by
		WHERE t.user_id = $1 AND t.deleted_at IS NULL ORDER BY t.granted_at, t.course_id LIMIT 1`,
		func(r row) (s LetterScene, err error) {
			err = r.Scan(&s.Course, &s.Slug, &s.Module, &s.Manager, &s.Held)
			s.Held = s.Held || module != 0 && s.Module == ""
			return s, err
		}, id, tx.Now, int64(module))
}

// FindLetterText answers the school's own wording. Errors: NotFound where the
// shipped one holds.
func (tx *Tx) FindLetterText(kind school.LetterKind, l school.Language) (school.LetterText, error) {
	return one(tx, letterTextQuery+" WHERE t.kind = $1 AND t.language = $2", scanLetterText, kind, l)
}

const letterTextQuery = "SELECT t.kind, t.language, t.subject, t.body, t.updated_at, coalesce(u.full_name, '') FROM letter_texts t LEFT JOIN users u ON u.id = t.updated_by"

func scanLetterText(r row) (t school.LetterText, err error) {
	t.Own = true
	return t, r.Scan(text(&t.Kind), text(&t.Language), &t.Subject, &t.Body, at(&t.UpdatedAt), &t.UpdatedBy)
}

// ListLetterTexts answers the school's own wordings.
func (tx *Tx) ListLetterTexts() ([]school.LetterText, error) {
	return list(tx, letterTextQuery+" ORDER BY t.kind, t.language", scanLetterText)
}

// UpsertLetterText keeps the school's own wording.
func (tx *Tx) UpsertLetterText(t school.LetterText, by school.UserID) error {
	_, err := tx.exec(`INSERT INTO letter_texts (kind, language, subject, body, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, language) DO UPDATE SET subject = excluded.subject, body = excluded.body, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		t.Kind, t.Language, t.Subject, t.Body, tx.Now, by)
	return err
}

// DeleteLetterText goes back to the shipped wording.
func (tx *Tx) DeleteLetterText(kind school.LetterKind, l school.Language) error {
	_, err := tx.exec("DELETE FROM letter_texts WHERE kind = $1 AND language = $2", kind, l)
	return err
}

// CancelEarlierLetters takes what waits of a kind to a person out of the queue: a newer
// one says the same.
func (tx *Tx) CancelEarlierLetters(id school.UserID, kind school.LetterKind) error {
	_, err := tx.exec("UPDATE letters SET state = 'cancelled', due_at = NULL, cause = 'newer' WHERE user_id = $1 AND kind = $2 AND state IN ('queued', 'deferred')", id, kind)
	return err
}
