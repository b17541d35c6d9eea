package page

import "strconv"

// zones are offered while one types; any name of the IANA list is accepted.
var zones = []string{
	"Asia/Almaty", "Asia/Aqtau", "Asia/Aqtobe", "Asia/Atyrau", "Asia/Oral", "Asia/Qostanay", "Asia/Qyzylorda",
	"Asia/Bishkek", "Asia/Dushanbe", "Asia/Samarkand", "Asia/Tashkent",
	"Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Novosibirsk",
	"Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Europe/Minsk", "Europe/Berlin", "Europe/London", "UTC",
}

// digits is a number as an input of type number wants it: no spaces.
func digits(n int) string { return strconv.Itoa(n) }
