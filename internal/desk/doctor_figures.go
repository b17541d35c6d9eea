package desk

import (
	"context"
	"errors"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// The part of an examination and of a repair that proves the lists and the figures.

// examineRoster finds students who would be missing in a list, or stand in it as
// something they are not.
func examineRoster(tx *store.Tx) ([]school.Finding, error) {
	misfits, total, err := tx.ListMisfits(store.Misfit{}, maxFindings)
	var findings []school.Finding
	for _, m := range misfits {
		problem := "stands in the lists as something else than the facts say"
		switch {
		case m.Missing:
			problem = "is missing in the lists"
		case m.Deleted:
			problem = "is deleted and still stands in the lists"
		}
		findings = append(findings, school.Finding{
			Check: checkRoster, Problem: person(m.FullName, m.Email) + " " + problem, Remedy: runFix, Subject: m.UserID, Fixable: true,
		})
	}
	return andMore(findings, total), err
}

// examineFigures proves every roll-up equal to a recount.
func examineFigures(tx *store.Tx) ([]school.Finding, error) {
	settings, err := tx.FindSettings()
	if err != nil {
		return nil, err
	}
	wrong, err := tx.CheckRollUps(settings.Location())
	var findings []school.Finding
	for _, problem := range wrong {
		findings = append(findings, school.Finding{Check: checkFigures, Problem: problem, Remedy: runFix, Fixable: true})
	}
	return findings, err
}

// repairRoster has a trigger write the rows of the roster anew that are wrong.
func (d *Desk) repairRoster(ctx context.Context) ([]school.Finding, error) {
	return mend(ctx, d, func(tx *store.Tx, last store.Misfit) ([]store.Misfit, error) {
		misfits, _, err := tx.ListMisfits(last, repairBatch)
		return misfits, err
	}, func(tx *store.Tx, m store.Misfit) ([]school.Finding, error) {
		if err := tx.RefreshRoster(m); errors.Is(err, school.ErrNotFound) {
			return nil, nil // deleted in the meantime
		} else if err != nil {
			return nil, err
		}
		return []school.Finding{{Check: checkRoster, Problem: person(m.FullName, m.Email) + ": stands in the lists as the facts say", Subject: m.UserID}},
			tx.InsertActivity(school.System(), school.DoctorRepaired, m.UserID, map[string]string{"roster": "refreshed"})
	})
}

// repairFigures has a trigger count the roll-ups anew, if any of them is wrong.
func (d *Desk) repairFigures(ctx context.Context) (done []school.Finding, err error) {
	var wrong []school.Finding
	err = d.readAll(ctx, func(tx *store.Tx) error {
		wrong, err = examineFigures(tx)
		return err
	})
	if err != nil || len(wrong) == 0 {
		return nil, err
	}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.BeginRecount(); err != nil {
			return err
		}
		settings, err := tx.FindSettings()
		if err != nil {
			return err
		}
		recounted, err := alignZone(tx, settings.Location())
		if err == nil && !recounted {
			err = tx.Recount()
		}
		if err != nil {
			return err
		}
		return tx.InsertActivity(school.System(), school.DoctorRepaired, "", map[string]string{"figures": "recounted"})
	})
	if err != nil {
		return nil, err
	}
	for _, w := range wrong {
		done = append(done, school.Finding{Check: checkFigures, Problem: "counted anew: " + w.Problem})
	}
	return done, nil
}
