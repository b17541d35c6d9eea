package desk

import (
	"context"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// examineKey finds that the data folder has another key than the database was made
// with.
func (d *Desk) examineKey(tx *store.Tx, findings []school.Finding) ([]school.Finding, error) {
	known, err := tx.FindFingerprint()
	if err != nil || known == "" || known == d.key.Fingerprint() {
		return findings, err
	}
	return append(findings, school.Finding{
		Check: checkSecret, Problem: ErrOtherKey.Error(), Remedy: "put back the key that belongs to this database, or " + runFix, Fixable: true,
	}), nil
}

// repairKey works with the key that is there: what was sealed with the lost one
// cannot be opened by anybody.
func (d *Desk) repairKey(ctx context.Context) (done []school.Finding, err error) {
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		done = nil
		known, err := tx.FindFingerprint()
		if err != nil || known == "" || known == d.key.Fingerprint() {
			return err
		}
		if err := tx.ReplaceFingerprint(d.key.Fingerprint()); err != nil {
			return err
		}
		done = []school.Finding{{Check: checkSecret, Problem: "took the key of the data folder for the right one; the password of the mail server has to be typed again"}}
		return tx.InsertActivity(school.System(), school.DoctorRepaired, "", map[string]string{"key": "replaced"})
	})
	return done, err
}
