package store

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tripwire/internal/school"
)

// nobody is the manager of the students whom nobody has, in the roster and the
// roll-ups.
const nobody = string(school.Nobody)

// StudentPage is one page of a list.
type StudentPage struct {
	Students []school.Student
	Cursors  []school.Cursor // of each
	More     bool            // there are students behind the page
	Less     bool            // and in front of it
}

// orders are those of the list: one of the indexes of the roster has each, for each
// manager.
var orders = map[school.SortColumn]order{
	school.SortAdded:   {keys: []string{"added_at"}, times: []string{"added_at"}},
	school.SortManager: {keys: []string{"added_at"}, times: []string{"added_at"}},
	school.SortName:    {keys: []string{"search_text"}},
	school.SortStatus:  {keys: []string{"status", "added_at"}, times: []string{"added_at"}},
	school.SortModules: {keys: []string{"modules_done", "added_at"}, times: []string{"added_at"}, numbers: []string{"modules_done"}},
	school.SortLetter:  {keys: []string{"letter", "added_at"}, times: []string{"added_at"}},
}

// chosen says each choice of a list in columns of the roster, whose names stand in
// brackets; see school.StudentCounts.
var chosen = map[school.Status]string{
	"":                       "[status] <> 'test'",
	school.StatusActive:      "[status] = 'active'",
	school.StatusCompleted:   "[status] = 'completed'",
	school.StatusBlocked:     "[status] = 'blocked'",
	school.StatusTest:        "[status] = 'test'",
	school.StatusUndelivered: "[letter] IN ('none', 'waiting') AND [status] <> 'test'",
	school.StatusNewcomer:    "NOT [logged_in] AND [status] <> 'test'",
	school.StatusStuck:       "[status] = 'active'", // and the last step: see choose
}

var bracketed = regexp.MustCompile(`\[(\w+)\]`)

// plainly says a choice in the columns themselves.
func plainly(said string) string { return bracketed.ReplaceAllString(said, "r.$1") }

// statuses are those of the roster that a list can have.
func statuses(s school.Status) []string {
	switch s {
	case school.StatusActive, school.StatusCompleted, school.StatusBlocked, school.StatusTest:
		return []string{string(s)}
	case school.StatusStuck:
		return []string{"active"}
	default:
		return []string{"active", "completed", "blocked"}
	}
}

// Roster is a list of students: what was asked for, and what has to be known to
// find it.
type Roster struct {
	Filter   school.StudentFilter
	Zone     *time.Location
	Managers []school.UserID // whose students, in the order of their names; the empty id: nobody's
	// Words are what each student of the list has in name or address.
	Words []string
	// Rare: so few students have the words that they are looked up by them. Else the
	// list is walked in its order until a page is full.
	Rare bool
	// Few: so few are chosen, by status, course or period, that they are looked up by
	// that and sorted. Else the list is walked in its order.
	Few bool
	// ByCourse: the course leaves fewer than the status does.
	ByCourse bool
	// Counts are the sums of everything but status and words; of the stuck only where
	// the period is all time.
	Counts school.StudentCounts
	// Nobody: there is nobody to look for.
	Nobody bool
}

// NewRoster finds out whose students the list can have, and how they are best
// found.
func (tx *Tx) NewRoster(scope school.Scope, f school.StudentFilter, zone *time.Location) (Roster, error) {
	l := Roster{Filter: f, Zone: zone, Words: strings.Fields(school.Fold(f.Query))}
	l.Words = l.Words[:min(len(l.Words), maxWords)]
	var err error
	var place school.UserID // whose students are listed where the page begins
	if from := cmp.Or(strings.Join(f.After.Keys, "\n"), strings.Join(f.Before.Keys, "\n")); f.Sort.By == school.SortManager && from != "" {
		first, _, _ := strings.Cut(from, "\n")
		place, _ = school.ParseUserID(first) // what is no id is nobody's place
	}
	if l.Managers, err = tx.managersWithin(scope, f.Manager, place); err != nil {
		return l, err
	}
	if l.Counts, err = tx.SumStudents(scope, f.Counted, zone); err != nil {
		return l, err
	}
	most := l.Counts.Of(f.Status)
	if f.Status == school.StatusStuck && !f.Period.All() {
		most = l.Counts.Active // the sums know nothing closer
	}
	l.Nobody = most == 0 // the list would be walked to its end for nobody
	l.Few = most <= RareMatches && !l.inOrder()
	if l.ByCourse = f.Course != 0 && f.Status == ""; l.Few && f.Course != 0 && f.Status != "" {
		anyCourse := f.Counted
		anyCourse.Course = 0
		n, err := tx.SumStudents(scope, anyCourse, zone)
		if err != nil {
			return l, err
		}
		l.ByCourse = l.Counts.All()+l.Counts.Test < n.Of(f.Status)
	}
	if len(l.Words) == 0 || l.Nobody {
		return l, nil
	}
	matches, err := tx.CountMatches(l.Words, RareMatches+1)
	l.Rare = matches <= RareMatches
	return l, err
}

// inOrder reports whether an index has what is chosen in the order of the list.
func (l Roster) inOrder() bool {
	f := l.Filter
	exact := len(statuses(f.Status)) == 1 && f.Status != school.StatusStuck
	switch f.Sort.By {
	case "", school.SortAdded, school.SortManager:
		return f.Course == 0 && f.Status != school.StatusStuck || f.Status == ""
	case school.SortStatus, school.SortModules:
		return f.Course == 0 && f.Period.All() && (exact || f.Status == "")
	default:
		return f.Course == 0 && f.Period.All() && f.Status == ""
	}
}

// managersWithin answers who may have the students of the scope: of everybody only
// those who have any, and the one at whom a page begins.
func (tx *Tx) managersWithin(scope school.Scope, manager, place school.UserID) ([]school.UserID, error) {
	switch {
	case !scope.All && (scope.Owner == "" || manager != "" && manager != scope.Owner):
		return nil, nil // nobody to see
	case !scope.All:
		return []school.UserID{scope.Owner}, nil
	case manager == school.Nobody:
		return []school.UserID{""}, nil
	case manager != "":
		return []school.UserID{manager}, nil
	}
	// The order is that of an index, which finds the first of each manager at once.
	staff, err := list(tx, `SELECT u.id FROM users u WHERE u.role <> 'student'
		AND ((SELECT r.id FROM roster r WHERE r.manager_id = u.id ORDER BY r.added_at, r.id LIMIT 1) IS NOT NULL OR u.id = $1) ORDER BY u.search_text, u.id`,
		func(r row) (id school.UserID, err error) { return id, r.Scan(text(&id)) }, place)
	return append(staff, ""), err
}

// RareMatches is how many students can be fetched and sorted for one page.
const RareMatches = 2000

// having is the condition that a text has the word: anywhere in it, or, for one or
// two letters, at the beginning of a word. So short a piece is in half of all names,
// and in no index.
func having(c *condition, text, word string) string {
	escaped := likeEscaper.Replace(word)
	if utf8.RuneCountInString(word) > 2 {
		return text + " LIKE '%' || " + c.arg(escaped) + ` || '%' ESCAPE '\'`
	}
	begin := c.arg(escaped)
	return "(" + text + " LIKE " + begin + ` || '%' ESCAPE '\' OR ` + text + " LIKE '% ' || " + begin + ` || '%' ESCAPE '\')`
}

// CountMatches answers how many students, of everybody, may have the words; at
// most limit.
func (tx *Tx) CountMatches(words []string, limit int) (int, error) {
	var c condition
	source, known := tx.engine.matches(&c, words)
	if !known {
		return limit, nil
	}
	return one(tx, "SELECT count(*) FROM (SELECT 1 FROM "+source+c.where()+" LIMIT "+c.arg(limit)+") matches", scanInt, c.args...)
}

// ListRoster answers a page of the list.
func (tx *Tx) ListRoster(l Roster) (p StudentPage, err error) {
	if l.Nobody {
		return p, nil
	}
	f := l.Filter
	size := school.ParseSize(f.Size)
	if f.Size > 0 {
		size = f.Size
	}
	from := f.After
	backwards := !f.Before.IsZero()
	if backwards {
		from = f.Before
	}
	for _, part := range l.parts(from, backwards) {
		more, err := tx.listPart(l, part, size+1-len(p.Students), backwards)
		if err != nil {
			return p, err
		}
		p.Students, p.Cursors = append(p.Students, more.Students...), append(p.Cursors, more.Cursors...)
		if len(p.Students) > size {
			break
		}
	}
	further := len(p.Students) > size
	p.Students, p.Cursors = p.Students[:min(size, len(p.Students))], p.Cursors[:min(size, len(p.Cursors))]
	p.More, p.Less = further, !from.IsZero()
	if backwards {
		slices.Reverse(p.Students)
		slices.Reverse(p.Cursors)
		p.More, p.Less = true, further
	}
	return p, nil
}

// part is a run of a list that one query can answer: some managers' students from
// a place on.
type part struct {
	managers []school.UserID
	from     school.Cursor
}

// parts answers the runs of the list, in order. There is one, unless the list is
// sorted by manager: then each has one.
func (l Roster) parts(from school.Cursor, backwards bool) []part {
	if l.Filter.Sort.By != school.SortManager {
		return []part{{l.Managers, from}}
	}
	managers := slices.Clone(l.Managers)
	if l.Filter.Sort.Desc != backwards {
		slices.Reverse(managers)
	}
	var all []part
	for _, m := range managers {
		all = append(all, part{managers: []school.UserID{m}})
	}
	if from.IsZero() || len(from.Keys) == 0 {
		return all
	}
	at := slices.Index(managers, school.UserID(from.Keys[0]))
	if at < 0 {
		return nil
	}
	all = all[at:]
	all[0].from = school.Cursor{Keys: from.Keys[1:], ID: from.ID}
	return all
}

// listPart answers at most limit students of a run. The inner queries find them by
// keys alone, each manager's in the order of an index; nothing is derived for
// those who are not on the page.
func (tx *Tx) listPart(l Roster, p part, limit int, backwards bool) (StudentPage, error) {
	if len(p.managers) == 0 {
		return StudentPage{}, nil
	}
	o := orders[l.Filter.Sort.By]
	if l.Filter.Sort.By == "" {
		l.Filter.Sort, o = school.NewestFirst, orders[school.SortAdded]
	}
	// Within one manager the newest come first, whichever way the managers go.
	desc := l.Filter.Sort.Desc || l.Filter.Sort.By == school.SortManager
	if backwards {
		desc = !desc
	}
	c := condition{args: []any{tx.Now}}
	inner, err := l.inner(tx, &c, p, o, desc, c.arg(limit))
	if err != nil {
		return StudentPage{}, err
	}
	query := studentColumns + ", " + o.columns("page") + ", page.id" + studentTables +
		" JOIN (" + inner + ") page ON page.user_id = t.user_id AND page.course_id = t.course_id ORDER BY " + o.orderBy("page", desc) + " LIMIT $2"
	var found StudentPage
	found.Students, err = list(tx, query, func(r row) (school.Student, error) {
		cursor := school.Cursor{Keys: make([]string, len(o.keys))}
		s, err := scanStudent(r, append(o.scan(cursor.Keys), &cursor.ID)...)
		if l.Filter.Sort.By == school.SortManager {
			cursor.Keys = append([]string{string(s.GrantedBy)}, cursor.Keys...)
		}
		found.Cursors = append(found.Cursors, cursor)
		return s, err
	}, c.args...)
	return found, err
}

// inner is the query of the keys: a union of one query for each run that an index
// has in the order of the list, or, where the students are looked up and sorted,
// one for all of them.
func (l Roster) inner(tx *Tx, c *condition, p part, o order, desc bool, limit string) (string, error) {
	l.choose(tx, c)
	l.bound(tx, c)
	if !p.from.IsZero() {
		if err := o.from(c, p.from, desc); err != nil {
			return "", err
		}
	}
	query := "SELECT r.user_id, r.course_id, r.id, " + o.columns("r") + " FROM roster r"
	tail := " ORDER BY " + o.orderBy("r", desc) + " LIMIT " + limit
	if l.Few || l.Rare { // on its own, so that the order suggests no index
		c.add(l.managedBy(c, p.managers))
		return "WITH few AS MATERIALIZED (" + query + c.where() + ") SELECT * FROM few r" + tail, nil
	}
	runs := l.runs(c, p.managers)
	if len(runs) == 1 {
		c.add(runs[0])
		return query + c.where() + tail, nil
	}
	where := c.where()
	for i, run := range runs {
		runs[i] = query + where + " AND " + run
	}
	inOrder := o.orderBy("", desc)
	var merged []string
	for chunk := range slices.Chunk(runs, maxMerged) {
		merged = append(merged, tx.engine.merged(chunk, o.orderBy("r", desc), inOrder+" LIMIT "+limit, limit))
	}
	if len(merged) == 1 {
		return merged[0], nil
	}
	for i, m := range merged {
		merged[i] = "SELECT * FROM (" + m + ") part"
	}
	return tx.engine.merged(merged, inOrder, inOrder+" LIMIT "+limit, limit), nil
}

// runs are the conditions of the stretches of an index that are each in the order
// of the list: one for each manager and, where modules are sorted by, for each
// status; where those without a letter are chosen, for each state of a letter.
func (l Roster) runs(c *condition, managers []school.UserID) (all []string) {
	for _, m := range managers {
		run := "r.manager_id = " + c.arg(orNobody(m))
		switch by := l.Filter.Sort.By; {
		case by == school.SortModules:
			for _, status := range statuses(l.Filter.Status) {
				all = append(all, run+" AND r.status = '"+status+"'")
			}
		case l.Filter.Status == school.StatusUndelivered && (by == "" || by == school.SortAdded || by == school.SortManager):
			all = append(all, run+" AND r.letter = 'none'", run+" AND r.letter = 'waiting'")
		default:
			all = append(all, run)
		}
	}
	return all
}

// maxMerged is how many queries are merged by one: SQLite merges at most 500.
const maxMerged = 200

// column is a column of the roster in a condition. What the way to the students
// has no use for is said as a value, which no index has: the planner of SQLite would
// rather read all of another index and sort.
func (l Roster) column(name string) string {
	if slices.Contains(l.indexed(), name) {
		return "r." + name
	}
	return "coalesce(r." + name + ", r." + name + ")"
}

// indexed are the columns by which the students are found.
func (l Roster) indexed() []string {
	switch by := l.Filter.Sort.By; {
	case l.Rare: // by their words alone
		return nil
	case l.Few && l.ByCourse:
		return []string{"manager_id", "course_id", "added_at"}
	case l.Few:
		return []string{"manager_id", "status", "logged_in", "letter", "last_step_at", "added_at"}
	case by == "" || by == school.SortAdded || by == school.SortManager:
		if l.Filter.Status == "" {
			return []string{"manager_id", "course_id", "added_at"}
		}
		return []string{"manager_id", "status", "logged_in", "letter", "added_at"}
	case by == school.SortStatus:
		return []string{"manager_id", "status", "added_at"}
	case by == school.SortModules:
		return []string{"manager_id", "status"}
	default:
		return []string{"manager_id"}
	}
}

// choose bounds the query to the status of the list.
func (l Roster) choose(tx *Tx, c *condition) {
	choice, known := chosen[l.Filter.Status]
	if !known {
		choice = "1 = 0" // nobody has a status that is none
	}
	c.add(bracketed.ReplaceAllStringFunc(choice, func(name string) string { return l.column(strings.Trim(name, "[]")) }))
	if l.Filter.Status == school.StatusStuck {
		before := c.arg(l.stuckBefore(tx))
		c.add(l.column("last_step_at") + " < " + before)
		if !l.Few { // so were they added before it, and those who came since need not be looked at
			c.add(l.column("added_at") + " < " + before)
		}
	}
}

// stuckBefore is the moment before which the last step of the stuck lies.
func (l Roster) stuckBefore(tx *Tx) time.Time {
	return school.StuckSince(school.DayOf(tx.Now, l.Zone)).Add(1).Start(l.Zone)
}

// bound bounds the query to the rest of what the list is chosen by, but for whose
// the students are.
func (l Roster) bound(tx *Tx, c *condition) {
	if from, until := l.Filter.Period.Span(l.Zone); !until.IsZero() {
		c.add(l.column("added_at") + " >= " + c.arg(from))
		c.add(l.column("added_at") + " < " + c.arg(until))
	}
	if l.Filter.Course != 0 {
		c.add(l.column("course_id") + " = " + c.arg(int64(l.Filter.Course)))
	}
	if l.Rare {
		tx.engine.matching(c, l.Words)
	}
	// As a value, which no index has: PostgreSQL's plan for any word would ask the
	// trigrams of one that is too short for them, or that half of the school has.
	for _, word := range l.Words {
		c.add(having(c, "r.search_text || ''", word))
	}
}

func (l Roster) managedBy(c *condition, managers []school.UserID) string {
	names := make([]string, len(managers))
	for i, m := range managers {
		names[i] = c.arg(orNobody(m))
	}
	return l.column("manager_id") + " IN (" + strings.Join(names, ", ") + ")"
}

func orNobody(id school.UserID) string {
	if id == "" {
		return nobody
	}
	return string(id)
}

// CountRoster counts the students of the list, by what they can be chosen by. It
// looks at each of them: for lists that are bounded, by rare words or a period.
func (tx *Tx) CountRoster(l Roster) (counts school.StudentCounts, err error) {
	if len(l.Managers) == 0 {
		return counts, nil
	}
	l.Few, l.ByCourse = true, l.Filter.Course != 0 // no order is wanted, nor one status
	c := condition{args: []any{l.stuckBefore(tx)}}
	c.add(l.managedBy(&c, l.Managers))
	l.bound(tx, &c)
	var columns []string
	for _, s := range school.Chosen()[1:] {
		said := plainly(chosen[s])
		if s == school.StatusStuck {
			said += " AND r.last_step_at < $1"
		}
		columns = append(columns, "count(*) FILTER (WHERE "+said+")")
	}
	return one(tx, "SELECT "+strings.Join(columns, ", ")+" FROM roster r"+c.where(), func(r row) (n school.StudentCounts, err error) {
		return n, r.Scan(&n.Active, &n.Completed, &n.Blocked, &n.Undelivered, &n.Newcomers, &n.Stuck, &n.Test)
	}, c.args...)
}

// CountStuck counts the stuck of the list, whatever its status and words. It looks
// at each of the active.
func (tx *Tx) CountStuck(l Roster) (int, error) {
	if len(l.Managers) == 0 {
		return 0, nil
	}
	l.Few, l.Rare, l.Words, l.Filter.Status = true, false, nil, school.StatusStuck
	var c condition
	c.add(l.managedBy(&c, l.Managers))
	l.choose(tx, &c)
	l.bound(tx, &c)
	return one(tx, "SELECT count(*) FROM roster r"+c.where(), scanInt, c.args...)
}
