package store

import "tripwire/internal/school"

// Every request reads the settings, so they can be asked for together with what
// else it needs.
const (
	settingsColumns = `o.name, o.time_zone, o.language, o.own_password, o.first_password_hours, o.link_hours,
		o.trash_days, o.session_idle_hours, o.session_max_hours, pa.min_percent, pa.max_percent, ps.min_percent, ps.max_percent, ms.host, ms.fault`
	settingsTables = `settings o JOIN price_limits pa ON o.id = 1 AND pa.role = 'admin' JOIN price_limits ps ON ps.role = 'sales' JOIN mail_settings ms ON ms.id = o.id`
)

// scanSettings answers where the columns of the settings go.
func scanSettings(s *school.Settings) []any {
	s.PriceLimits = []school.PriceLimit{{Role: school.RoleAdmin}, {Role: school.RoleSales}}
	admin, sales := &s.PriceLimits[0], &s.PriceLimits[1]
	return []any{
		&s.Name, &s.TimeZone, text(&s.Language), &s.OwnPassword, &s.FirstPasswordHours, &s.LinkHours,
		&s.TrashDays, &s.SessionIdleHours, &s.SessionMaxHours, &admin.MinPercent, &admin.MaxPercent, &sales.MinPercent, &sales.MaxPercent, &s.MailHost, &s.MailFault,
	}
}

// FindSettings answers the choices of the school.
func (tx *Tx) FindSettings() (school.Settings, error) {
	return one(tx, "SELECT "+settingsColumns+" FROM "+settingsTables,
		func(r row) (s school.Settings, err error) { return s, r.Scan(scanSettings(&s)...) })
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
