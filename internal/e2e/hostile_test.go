package e2e_test

import "strings"

// hostile are students whose names and addresses try the pages.
var hostile = []person{
	{name: strings.Repeat("Ы", 150), email: strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 59)+".", 3) + "example"},
	{name: "<script>alert(1)</script>", email: "script@example.com"},
	{name: `"><img src=x onerror=alert(2)>`, email: "image'quote@example.com"},
	{name: "עומר בן־יוסף أحمد", email: "rtl@example.com"},
	{name: `O'Neil "Bob" & <b>Sons</b>`, email: "quotes@example.com"},
	{name: "Әбілқайыр Ғұмарұлы Қасым-Жомартқызы Һәмидуллаева", email: "kazakh@example.com"},
	{name: "Ә", email: "o@example.com"},
	{name: "{{.}} ${alert(3)} %s %00 javascript:alert(4)", email: "template@example.com"},
}
