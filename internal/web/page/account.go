package page

import "strings"

func accountPassword(m AccountPage) PasswordForm {
	f := m.Password
	if f.Action == "" {
		f.Action = "/account/password"
	}
	f.Email = m.Email
	return f
}

// device shortens a browser's description of itself to browser and system.
func device(c Chrome, agent string) string {
	browser := firstIn(agent, [][2]string{
		{"YaBrowser/", "Яндекс Браузер"}, {"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	})
	system := firstIn(agent, [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"},
		{"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	case strings.TrimSpace(agent) == "":
		return c.P.T("account.unknown_device")
	}
	if r := []rune(agent); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return agent
}

// firstIn answers the name beside the first mark that stands in s.
func firstIn(s string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(s, m[0]) {
			return m[1]
		}
	}
	return ""
}
