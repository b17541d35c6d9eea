package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// The checks, in the order in which an examination makes them.
const (
	checkSchema    = "schema"
	checkTriggers  = "triggers"
	checkIntegrity = "integrity"
	checkFirst     = "unlocks-on-enrolment"
	checkGranted   = "unlocks-granted"
	checkGround    = "unlock-causes"
	checkCompleted = "module-completions"
	checkNext      = "unlocks-on-completion"
	checkFinished  = "course-completions"
	checkEmail     = "e-mail"
	checkRoster    = "roster"
	checkFigures   = "figures"
	checkAdmin     = "administrator"
	checkSecret    = "secret-key"
)

// maxFindings bounds what one check tells; how many more there are is told too.
const maxFindings = 1000

// runFix is the remedy for whatever a repair puts right.
const runFix = "run: tripwire doctor --fix"

// Examine answers everything that is wrong with the database, one finding each;
// none for one in order. It changes nothing. When the database cannot be read to
// the end, the findings so far come with the error.
func (d *Desk) Examine(ctx context.Context) ([]school.Finding, error) {
	findings, err := d.examineSchema(ctx)
	if err != nil || len(findings) > 0 {
		return findings, err
	}
	if findings, err = d.examineTriggers(ctx); err != nil {
		return findings, err
	}
	err = d.readAll(ctx, func(tx *store.Tx) error {
		if findings, err = d.examineKey(tx, findings); err != nil {
			return err
		}
		for _, examine := range examinations {
			more, err := examine(tx)
			findings = append(findings, more...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return findings, err
}

// readAll is a Read that may take its time: it looks at every row.
func (d *Desk) readAll(ctx context.Context, fn func(*store.Tx) error) error {
	return d.store.Read(ctx, func(tx *store.Tx) error {
		if err := tx.TakeTime(); err != nil {
			return err
		}
		return fn(tx)
	})
}

// examinations are the checks of the rows, in order.
var examinations = []func(*store.Tx) ([]school.Finding, error){
	examineIntegrity,
	examineOwed(checkFirst, (*store.Tx).ListFirstOwed, "%s is enrolled, but %s has not opened"),
	examineOwed(checkGranted, (*store.Tx).ListGrantedOwed, "%s was granted %s, but it has not opened"),
	examineGround,
	examineOwed(checkCompleted, (*store.Tx).ListCompletedOwed, "%s has done every lesson of %s, but it does not count as completed"),
	examineOwed(checkNext, (*store.Tx).ListNextOwed, "%s has completed what comes before %s, but it has not opened"),
	examineOwed(checkFinished, (*store.Tx).ListFinishedOwed, "%s has completed every module of %s, but it does not count as completed"),
	examineDrift,
	examineRoster,
	examineFigures,
	examineAdmins,
}

func (d *Desk) examineSchema(ctx context.Context) ([]school.Finding, error) {
	have, want, err := d.store.SchemaVersions(ctx)
	f := school.Finding{Check: checkSchema}
	switch {
	case err != nil || have == want:
		return nil, err
	case have > want:
		f.Problem = fmt.Sprintf("the schema is version %d, and this Tripwire knows %d", have, want)
		f.Remedy = "start the newer Tripwire, or restore the copy made before its migration"
	case have == 0:
		f.Problem, f.Remedy = "the database is empty", "run: tripwire migrate"
	default:
		f.Problem = fmt.Sprintf("the schema is version %d, and this Tripwire works with %d", have, want)
		f.Remedy = "run: tripwire migrate"
	}
	return []school.Finding{f}, nil
}

func (d *Desk) examineTriggers(ctx context.Context) ([]school.Finding, error) {
	faults, err := d.store.TriggerFaults(ctx)
	var findings []school.Finding
	for _, f := range faults {
		if f.Foreign() {
			findings = append(findings, school.Finding{
				Check: checkTriggers, Problem: fmt.Sprintf("trigger or function %s is not one of ours", oneLine(f.Name)),
				Remedy: "find out who made it; if nobody needs it, drop it with a tool of the database",
			})
			continue
		}
		findings = append(findings, school.Finding{
			Check: checkTriggers, Problem: fmt.Sprintf("trigger %s is %s", f.Name, f.Fault), Remedy: runFix, Fixable: true,
		})
	}
	return findings, err
}

func examineIntegrity(tx *store.Tx) ([]school.Finding, error) {
	wrong, err := tx.CheckIntegrity()
	var findings []school.Finding
	for _, line := range wrong {
		findings = append(findings, school.Finding{
			Check: checkIntegrity, Problem: oneLine(line),
			Remedy: "keep a copy of the database as it is and restore the last good backup",
		})
	}
	return findings, err
}

// examineOwed makes the check for one kind of what triggers owe. sentence takes
// the student and the module or course.
func examineOwed(check string, list func(*store.Tx, int) ([]store.Owed, int, error), sentence string) func(*store.Tx) ([]school.Finding, error) {
	return func(tx *store.Tx) ([]school.Finding, error) {
		owed, total, err := list(tx, maxFindings)
		var findings []school.Finding
		for _, o := range owed {
			what := "the course " + oneLine(o.Title)
			if o.ModuleID != 0 {
				what = moduleName(o.ModuleID, o.Title)
			}
			findings = append(findings, school.Finding{
				Check: check, Problem: fmt.Sprintf(sentence, person(o.FullName, o.Email), what),
				Remedy: runFix, Subject: o.UserID, Fixable: true,
			})
		}
		return andMore(findings, total), err
	}
}

// examineGround finds unlocks that something other than the triggers has
// written. What is open stays open until a person has looked, so a repair leaves
// them.
func examineGround(tx *store.Tx) ([]school.Finding, error) {
	unlocks, total, err := tx.ListGroundless(maxFindings)
	var findings []school.Finding
	for _, g := range unlocks {
		findings = append(findings, school.Finding{
			Check:   checkGround,
			Problem: fmt.Sprintf("module %d is open to %s without a cause: %s", g.ModuleID, person(g.FullName, g.Email), whyGroundless(g)),
			Remedy: fmt.Sprintf("find out what has written row %d of module_unlocks; if it should not be, delete it in the database's own shell "+
				"(in PostgreSQL as a superuser, after SET session_replication_role = replica) and "+runFix, g.ID),
			Subject: g.UserID,
		})
	}
	return andMore(findings, total), err
}

func whyGroundless(g store.Groundless) string {
	switch {
	case g.GrantID != 0:
		return fmt.Sprintf("grant %d is not for this student and module", g.GrantID)
	case g.RuleModuleID == 0:
		return fmt.Sprintf("there is no rule %d", g.RuleID)
	case g.RuleModuleID != g.ModuleID:
		return fmt.Sprintf("rule %d opens module %d", g.RuleID, g.RuleModuleID)
	case g.Event == school.EventEnrolled:
		return fmt.Sprintf("rule %d opens it on enrolment, and there is no enrolment", g.RuleID)
	case g.Event == school.EventCompleted:
		return fmt.Sprintf("rule %d opens it after module %d, which is not completed", g.RuleID, g.SourceModuleID)
	default:
		return fmt.Sprintf("rule %d leaves it to grants", g.RuleID)
	}
}

func examineDrift(tx *store.Tx) ([]school.Finding, error) {
	drifted, total, err := tx.ListDrift(maxFindings)
	var findings []school.Finding
	for _, r := range drifted {
		f := school.Finding{Check: checkEmail, Subject: r.UserID}
		if r.Account == "" {
			f.Problem = fmt.Sprintf("%s is enrolled, but the account is deleted", person(r.FullName, r.Email))
			f.Remedy = "restore the last good backup, or set deleted_at of both rows alike in the database's own shell"
		} else {
			f.Problem = fmt.Sprintf("%s is enrolled as %s", person(r.FullName, r.Account), oneLine(string(r.Email)))
			f.Remedy, f.Fixable = runFix, true
		}
		findings = append(findings, f)
	}
	return andMore(findings, total), err
}

// examineAdmins leaves a fresh database in peace: nobody has been there yet.
func examineAdmins(tx *store.Tx) ([]school.Finding, error) {
	accounts, err := tx.CountAccounts()
	if err != nil || accounts == 0 {
		return nil, err
	}
	admins, err := tx.CountAdmins()
	if err != nil || admins > 0 {
		return nil, err
	}
	return []school.Finding{{
		Check: checkAdmin, Problem: "no administrator can log in",
		Remedy: "run: tripwire serve; it prints a link for the first administrator",
	}}, nil
}

// andMore says how many there are that are not told.
func andMore(findings []school.Finding, total int) []school.Finding {
	n := len(findings)
	if n == 0 || total <= n {
		return findings
	}
	last := findings[n-1]
	return append(findings, school.Finding{
		Check: last.Check, Problem: fmt.Sprintf("and %d more like these", total-n), Remedy: last.Remedy, Fixable: last.Fixable,
	})
}

func person(name string, email school.Email) string {
	return fmt.Sprintf("%s <%s>", oneLine(name), oneLine(string(email)))
}

func moduleName(id school.ModuleID, title string) string {
	return fmt.Sprintf("module %d (%s)", id, oneLine(title))
}

// oneLine keeps what stands in the rows from steering the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// Repair puts back the triggers, has them make up for what they missed, and
// gives enrolments the address of their account. It answers what it did, also
// when it could not do all; every line of it stands in the history as well. It
// may be run beside a working server, and again after it was interrupted.
func (d *Desk) Repair(ctx context.Context) ([]school.Finding, error) {
	if wrong, err := d.examineSchema(ctx); err != nil {
		return nil, err
	} else if len(wrong) > 0 {
		return nil, fmt.Errorf("%s; %s", wrong[0].Problem, wrong[0].Remedy)
	}
	done, err := d.repairTriggers(ctx)
	if err != nil {
		return done, err
	}
	for _, repair := range []func(context.Context) ([]school.Finding, error){d.repairKey, d.repairDrift, d.repairOwed, d.repairRoster, d.repairFigures} {
		more, err := repair(ctx)
		done = append(done, more...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (d *Desk) repairTriggers(ctx context.Context) ([]school.Finding, error) {
	faults, err := d.store.TriggerFaults(ctx)
	faults = slices.DeleteFunc(faults, store.TriggerFault.Foreign)
	if err != nil || len(faults) == 0 {
		return nil, err
	}
	var done []school.Finding
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
		done = append(done, school.Finding{Check: checkTriggers, Problem: fmt.Sprintf("put back trigger %s, which was %s", f.Name, f.Fault)})
	}
	err = d.store.RepairTriggers(ctx, faults, func(tx *store.Tx) error {
		return tx.InsertActivity(school.System(), school.DoctorRepaired, "", map[string]string{"triggers": strings.Join(names, ", ")})
	})
	if err != nil {
		return nil, err
	}
	// Nothing is made up for by triggers that are not ours.
	return done, d.store.CheckTriggers(ctx)
}

// repairBatch is how many students one transaction mends, so that a server at
// work is never kept waiting long.
const repairBatch = 100

// mend goes through what is wrong in batches. It looks for it outside the
// transactions that put it right: those touch a few students' rows and do not
// stand in anybody's way. list answers what comes after last.
func mend[T any](ctx context.Context, d *Desk, list func(tx *store.Tx, last T) ([]T, error), fix func(*store.Tx, T) ([]school.Finding, error)) (done []school.Finding, err error) {
	var last T
	for {
		var wrong []T
		err = d.readAll(ctx, func(tx *store.Tx) error {
			wrong, err = list(tx, last)
			return err
		})
		if err != nil || len(wrong) == 0 {
			return done, err
		}
		var batch []school.Finding
		err = d.store.Write(ctx, func(tx *store.Tx) error {
			batch = nil
			for _, w := range wrong {
				fixed, err := fix(tx, w)
				if err != nil {
					return err
				}
				batch = append(batch, fixed...)
			}
			return nil
		})
		if err != nil {
			return done, err
		}
		done, last = append(done, batch...), wrong[len(wrong)-1]
	}
}

func (d *Desk) repairDrift(ctx context.Context) ([]school.Finding, error) {
	return mend(ctx, d, func(tx *store.Tx, _ store.Drift) ([]store.Drift, error) {
		drifted, _, err := tx.ListDrift(repairBatch)
		for i, r := range drifted {
			if r.Account == "" { // these come last, and stay
				return drifted[:i], err
			}
		}
		return drifted, err
	}, giveAddressBack)
}

// giveAddressBack tells nothing for one that was mended in the meantime.
func giveAddressBack(tx *store.Tx, r store.Drift) ([]school.Finding, error) {
	if err := tx.UpdateDrifted(r); errors.Is(err, school.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	said := fmt.Sprintf("%s: enrolled under this address instead of %s", person(r.FullName, r.Account), oneLine(string(r.Email)))
	details := map[string]string{"old_email": string(r.Email), "new_email": string(r.Account)}
	return []school.Finding{{Check: checkEmail, Problem: said, Subject: r.UserID}},
		tx.InsertActivity(school.System(), school.DoctorRepaired, r.UserID, details)
}

func (d *Desk) repairOwed(ctx context.Context) ([]school.Finding, error) {
	return mend(ctx, d, func(tx *store.Tx, last store.Owed) ([]store.Owed, error) {
		return tx.ListOwing(last, repairBatch)
	}, recheck)
}

// recheck has the trigger make up for one enrolment and tells what came of it;
// nothing, for one that was deleted or mended in the meantime.
func recheck(tx *store.Tx, o store.Owed) ([]school.Finding, error) {
	before, err := tx.ListStanding(o.UserID, o.CourseID)
	if err != nil {
		return nil, err
	}
	if err := tx.Recheck(o.UserID, o.CourseID); errors.Is(err, school.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	after, err := tx.ListStanding(o.UserID, o.CourseID)
	if err != nil {
		return nil, err
	}
	gained := gainedBetween(before, after)
	if len(gained.sentences) == 0 {
		return nil, nil
	}
	said := person(o.FullName, o.Email) + ": " + strings.Join(gained.sentences, ", ")
	return []school.Finding{{Check: gained.check, Problem: said, Subject: o.UserID}},
		tx.InsertActivity(school.System(), school.DoctorRepaired, o.UserID, gained.details)
}

// gains are what a recheck has brought to one enrolment.
type gains struct {
	check     string
	sentences []string
	details   map[string]string
}

func gainedBetween(before, after []store.Standing) gains {
	had := map[school.ModuleID]store.Standing{}
	for _, s := range before {
		had[s.ModuleID] = s
	}
	g := gains{details: map[string]string{}}
	for _, s := range after {
		if s.Completed && !had[s.ModuleID].Completed {
			g.add(checkCompleted, "completed "+moduleName(s.ModuleID, s.Title))
			g.note("completed", s)
		}
	}
	for _, s := range after {
		if s.Unlocked && !had[s.ModuleID].Unlocked {
			g.add(checkFirst, "opened "+moduleName(s.ModuleID, s.Title))
			g.note("opened", s)
		}
	}
	if len(before) > 0 && len(after) > 0 && before[0].Finished.IsZero() && !after[0].Finished.IsZero() {
		g.add(checkFinished, "completed the course")
		g.details["finished_at"] = after[0].Finished.Format("2006-01-02T15:04:05Z07:00")
	}
	return g
}

func (g *gains) add(check, sentence string) {
	if g.check == "" {
		g.check = check
	}
	g.sentences = append(g.sentences, sentence)
}

// note keeps the module's title under key, and its id under key + "_ids".
func (g *gains) note(key string, s store.Standing) {
	for k, v := range map[string]string{key: s.Title, key + "_ids": strconv.FormatInt(int64(s.ModuleID), 10)} {
		if g.details[k] != "" {
			v = g.details[k] + ", " + v
		}
		g.details[k] = v
	}
}
