package store

import "tripwire/internal/school"

// FindSettings answers the choices of the school.
func (tx *Tx) FindSettings() (school.Settings, error) {
	s, err := one(tx, `SELECT name, time_zone, language, own_password, first_password_hours, link_hours, trash_days,
		session_idle_hours, session_max_hours FROM settings`,
		func(r row) (s school.Settings, err error) {
			return s, r.Scan(&s.Name, &s.TimeZone, text(&s.Language), &s.OwnPassword, &s.FirstPasswordHours, &s.LinkHours,
				&s.TrashDays, &s.SessionIdleHours, &s.SessionMaxHours)
		})
	if err != nil {
		return s, err
	}
	s.PriceLimits, err = list(tx, "SELECT role, min_percent, max_percent FROM price_limits ORDER BY role",
		func(r row) (l school.PriceLimit, err error) {
			return l, r.Scan(text(&l.Role), &l.MinPercent, &l.MaxPercent)
		})
	return s, err
}

// UpdateSettings keeps the choices of the school.
func (tx *Tx) UpdateSettings(s school.Settings) error {
	_, err := tx.exec(`UPDATE settings SET name = $1, time_zone = $2, language = $3, own_password = $4, first_password_hours = $5,
		link_hours = $6, trash_days = $7, session_idle_hours = $8, session_max_hours = $9`,
		s.Name, s.TimeZone, s.Language, s.OwnPassword, s.FirstPasswordHours, s.LinkHours, s.TrashDays, s.SessionIdleHours, s.SessionMaxHours)
	if err != nil {
		return err
	}
	for _, l := range s.PriceLimits {
		if _, err := tx.exec("UPDATE price_limits SET min_percent = $2, max_percent = $3 WHERE role = $1", l.Role, l.MinPercent, l.MaxPercent); err != nil {
			return err
		}
	}
	return nil
}
