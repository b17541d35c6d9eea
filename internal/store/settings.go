package store

import "tripwire/internal/school"

// FindSettings answers the choices of the school.
func (tx *Tx) FindSettings() (school.Settings, error) {
	return one(tx, `SELECT s.name, s.time_zone, s.language, s.own_password, s.first_password_hours, s.link_hours,
		s.trash_days, s.session_idle_hours, s.session_max_hours, a.min_percent, a.max_percent, m.min_percent, m.max_percent
		FROM settings s JOIN price_limits a ON a.role = 'admin' JOIN price_limits m ON m.role = 'sales' WHERE s.id = 1`,
		func(r row) (s school.Settings, err error) {
			admin, sales := school.PriceLimit{Role: school.RoleAdmin}, school.PriceLimit{Role: school.RoleSales}
			err = r.Scan(&s.Name, &s.TimeZone, text(&s.Language), &s.OwnPassword, &s.FirstPasswordHours, &s.LinkHours,
				&s.TrashDays, &s.SessionIdleHours, &s.SessionMaxHours,
				&admin.MinPercent, &admin.MaxPercent, &sales.MinPercent, &sales.MaxPercent)
			s.PriceLimits = []school.PriceLimit{admin, sales}
			return s, err
		})
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
