package mail_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"tripwire/internal/mail"
)

const (
	welcome = `# {name}, доступ к курсу открыт

Первый модуль «Введение» уже ждёт вас: **один урок**, 24 минуты. Придумайте пароль — и можно начинать.

[Придумать пароль и начать]({link})

Вход: {email}. Ссылка работает один раз и до 21 декабря.
`
	everything = `# Первый заголовок, {name}

## Второй
### Третий

Жирное **слово {name}**, *косое*, ***оба***, ` + "`код {name}`" + ` и [ссылка на {school}](https://school.example/курс?q={name}).
Новая строка и ещё <https://school.example/a?b=c&d=e>, почта <help@school.example>.

[Открыть курс]({link})

- первое
- второе, **жирное**

  продолжение
- третье
  1. внутри
  2. ещё

7. седьмое
8. восьмое

> Цитата *с косым*
>
> и второй абзац

---

![Картинка](https://elsewhere.example/pixel.gif) и <b onclick="x()">HTML</b> и &amp; \*звёздочки\*

[Плохая](javascript:alert(1)) и [пустая]() ссылки
`
)

func values() map[string]string {
	return map[string]string{
		"name": "Әйгерім", "school": "Школа", "link": "https://school.example/access/0198f0c47d557f6a9b1e0a6d9c1c2b3a?from=letter&x=1", "email": "student@example.com",
	}
}

func schoolFrame() mail.Frame {
	return mail.Frame{School: "Тілдер мектебі «Сөйле»", Language: "ru", Foot: []string{
		"Вопросы — просто ответьте на это письмо. Мы никогда не присылаем и не спрашиваем пароли.", "ТОО «Сөйле», Алматы, ул. Абая, 1",
	}}
}

func compose(t fataler, body string, v map[string]string) mail.Content {
	t.Helper()
	c, err := mail.Compose(mail.Template{Subject: "{name}, доступ открыт", Body: body}, v, schoolFrame())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// document is the HTML of a letter, as another program reads it.
func document(t fataler, source string) *html.Node {
	t.Helper()
	n, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func elements(n *html.Node, name string) []*html.Node {
	var all []*html.Node
	for e := range n.Descendants() {
		if e.Type == html.ElementNode && e.Data == name {
			all = append(all, e)
		}
	}
	return all
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for e := range n.Descendants() {
		if e.Type == html.TextNode && e.Parent.Data != "style" && e.Parent.Data != "title" {
			b.WriteString(e.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestTheWelcomeAsText(t *testing.T) {
	t.Parallel()
	c := compose(t, welcome, values())
	want := `Әйгерім, доступ к курсу открыт

Первый модуль «Введение» уже ждёт вас: один урок, 24 минуты. Придумайте
пароль — и можно начинать.

Придумать пароль и начать:
https://school.example/access/0198f0c47d557f6a9b1e0a6d9c1c2b3a?from=letter&x=1

Вход: student@example.com. Ссылка работает один раз и до 21 декабря.

———

Вопросы — просто ответьте на это письмо. Мы никогда не присылаем и не
спрашиваем пароли.

ТОО «Сөйле», Алматы, ул. Абая, 1
`
	if c.Text != want {
		t.Errorf("%s", c.Text)
	}
	if c.Subject != "Әйгерім, доступ открыт" {
		t.Errorf("subject %q", c.Subject)
	}
}

func TestEverythingAsText(t *testing.T) {
	t.Parallel()
	c := compose(t, everything, values())
	want := `Первый заголовок, Әйгерім

Второй

Третий

Жирное слово Әйгерім, косое, оба, код Әйгерім и ссылка на Школа
(https://school.example/%D0%BA%D1%83%D1%80%D1%81?q=%D3%98%D0%B9%D0%B3%D0%B5%D1%80%D1%96%D0%BC).
Новая строка и ещё https://school.example/a?b=c&d=e, почта
help@school.example.

Открыть курс:
https://school.example/access/0198f0c47d557f6a9b1e0a6d9c1c2b3a?from=letter&x=1

• первое
• второе, жирное
  продолжение
• третье
  1. внутри
  2. ещё

7. седьмое
8. восьмое

    Цитата с косым

    и второй абзац

———

Картинка и <b onclick="x()">HTML</b> и & *звёздочки*

Плохая и пустая ссылки

———
`
	if !strings.HasPrefix(c.Text, want) {
		t.Errorf("%s", c.Text)
	}
}

// TestEverythingAsHTML looks at the structure, not at the letters of the source.
func TestEverythingAsHTML(t *testing.T) {
	t.Parallel()
	root := document(t, compose(t, everything, values()).HTML)
	for name, want := range map[string][]string{
		"h1": {"Первый заголовок, Әйгерім"}, "h2": {"Второй"}, "h3": {"Третий"}, "strong": {"слово Әйгерім", "оба", "жирное"},
		"em": {"косое", "оба", "с косым"}, "code": {"код Әйгерім"}, "blockquote": {"Цитата с косым и второй абзац"},
		"a":  {"ссылка на Школа", "https://school.example/a?b=c&d=e", "help@school.example", "Открыть курс"},
		"ol": {"внутриещё", "седьмоевосьмое"}, "hr": {""}, "img": nil, "script": nil, "b": nil, "link": nil, "iframe": nil, "form": nil,
	} {
		var got []string
		for _, e := range elements(root, name) {
			got = append(got, textOf(e))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var addresses []string
	for _, a := range elements(root, "a") {
		addresses = append(addresses, attribute(a, "href"))
	}
	if want := []string{
		"https://school.example/%D0%BA%D1%83%D1%80%D1%81?q=%D3%98%D0%B9%D0%B3%D0%B5%D1%80%D1%96%D0%BC", "https://school.example/a?b=c&d=e",
		"mailto:help@school.example", values()["link"],
	}; !slices.Equal(addresses, want) {
		t.Errorf("addresses %q, want %q", addresses, want)
	}
	if start := attribute(elements(root, "ol")[1], "start"); start != "7" {
		t.Errorf("the list begins at %q", start)
	}
	if br := len(elements(root, "br")); br != 1 {
		t.Errorf("%d line breaks", br)
	}
}

// TestOnlyALinkOnItsOwnIsAButton.
func TestOnlyALinkOnItsOwnIsAButton(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"[a]({link})": 1, "[**a** {name}]({link})": 1, "[a]({link})\n\n[b]({link})": 2, "<https://school.example>": 1,
		"x [a]({link})": 0, "[a]({link})\n[b]({link})": 0, "- [a]({link})": 0, "> [a]({link})": 0, "**[a]({link})**": 0, "[a]({name})": 0,
		"[{empty}]({link})": 0, "[a]({empty})": 0,
	} {
		v := values()
		v["empty"] = ""
		root := document(t, compose(t, body, v).HTML)
		buttons := 0
		for _, td := range elements(root, "td") {
			if attribute(td, "class") == "button" {
				buttons++
			}
		}
		if buttons != want {
			t.Errorf("%q: %d buttons", body, buttons)
		}
	}
}

// TestAValueIsNeverMarkup: whatever a value holds, the letter has the same
// elements and addresses, and says the value.
func TestAValueIsNeverMarkup(t *testing.T) {
	t.Parallel()
	shape := func(c mail.Content) []string {
		var all []string
		for e := range document(failing{t}, c.HTML).Descendants() {
			if e.Type == html.ElementNode {
				all = append(all, e.Data)
				for _, a := range e.Attr {
					if a.Key != "href" {
						all = append(all, a.Key+"="+a.Val)
					}
				}
			}
		}
		return all
	}
	want := shape(compose(t, everything, values()))
	hostile := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"**bold**", "a*b_c`d", "[x](https://evil.example)", "<script>alert(1)</script>", "\n\n# Heading\n\n- list", "\r\n> quote", "{link}", "{{name}}", "}", "&lt;b&gt;",
		"\"><img src=x>", "' onclick='x", "\u202egnp.exe\u2066", "\U000f0000\U000f0001", "</style><style>*{}", "<!-- ", "`", "```\n", "\xff", "<https://evil.example>", "![x](y)", `\`, "\u2028",
	}))
	rapid.Check(t, func(rt *rapid.T) {
		v := values()
		v["name"] = "x" + hostile.Draw(rt, "name")
		v["school"] = "x" + hostile.Draw(rt, "school")
		c := compose(rt, everything, v)
		if got := shape(c); !slices.Equal(got, want) {
			rt.Fatalf("%q changed the letter: %q", v, got)
		}
		root := document(rt, c.HTML)
		for _, a := range elements(root, "a") {
			href := attribute(a, "href")
			if !strings.HasPrefix(href, "https://school.example/") && href != "mailto:help@school.example" {
				rt.Fatalf("%q leads to %q", v, href)
			}
		}
		said := strings.Join(strings.Fields(shown(v["name"])), " ")
		if got := textOf(elements(root, "h1")[0]); got != strings.TrimSpace("Первый заголовок, "+said) {
			rt.Fatalf("%q: %q, want %q", v, got, said)
		}
		if strings.ContainsFunc(c.Subject+strings.ReplaceAll(c.Text, "\n", ""), func(r rune) bool { return r < ' ' || r == '\u202e' || r == 0x7f }) || !utf8.ValidString(c.Text) {
			rt.Fatalf("%q: %q", v, c.Text)
		}
		if !strings.Contains(strings.Join(strings.Fields(c.Text), " "), said) {
			rt.Fatalf("%q is not said: %s", said, c.Text)
		}
	})
}

// failing lets a helper of the property be used outside it.
type failing struct{ *testing.T }

// shown is what can be seen of a value.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029':
			return ' '
		case r >= 0xf0000, r == '\u061c', r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// TestAValueCannotLeadElsewhere: at the beginning of an address it is one, if it
// may be followed; anywhere else it is data.
func TestAValueCannotLeadElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ template, value, want string }{
		{"{v}", "https://a.example/x?y=1&z=ä#f", "https://a.example/x?y=1&z=%c3%a4#f"},
		{"{v}", "mailto:a@example.com", "mailto:a@example.com"},
		{"{v}/course", "https://a.example", "https://a.example/course"},
		{"{v}", "javascript:alert(1)", ""}, {"{v}", "JavaScript://x/%0aalert(1)", ""}, {"{v}", "data:text/html,x", ""}, {"{v}", "//evil.example", ""},
		{"{v}", "/path", ""}, {"{v}", "https://", ""}, {"{v}", "file:///etc/passwd", ""}, {"{v}", "java\nscript:x", ""}, {"{v}", "", ""},
		{"https://a.example/{v}", "../b?c=d&e#f", "https://a.example/..%2Fb%3Fc%3Dd%26e%23f"},
		{"https://a.example/?q={v}", "a b&c=d", "https://a.example/?q=a%20b%26c%3Dd"},
		{"https://{v}", "evil.example", "https://evil.example"},
		{"java{v}", "script:alert(1)", ""},
	} {
		root := document(t, compose(t, "x [label]("+c.template+")", map[string]string{"v": c.value, "name": ""}).HTML)
		got := ""
		if a := elements(root, "a"); len(a) == 1 {
			got = attribute(a[0], "href")
		}
		if got != c.want || !strings.Contains(textOf(root), "label") {
			t.Errorf("%s with %q: %q, want %q", c.template, c.value, got, c.want)
		}
	}
}

func TestTemplatesAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject, body string
		want          mail.TemplateError
	}{
		{"Hello {name}", "{ name }, {last_name}\r\n\tand [so]({link})", mail.TemplateError{}},
		{strings.Repeat("ұ", 200), strings.Repeat("ұ", 5000), mail.TemplateError{}},
		{"", "x", mail.TemplateError{"subject", mail.ProblemEmpty, ""}},
		{"x", " \n\t", mail.TemplateError{"body", mail.ProblemEmpty, ""}},
		{strings.Repeat("ұ", 201), "x", mail.TemplateError{"subject", mail.ProblemTooLong, ""}},
		{"x", strings.Repeat("ұ", 5001), mail.TemplateError{"body", mail.ProblemTooLong, ""}},
		{"a\nb", "x", mail.TemplateError{"subject", mail.ProblemCharacters, ""}},
		{"x", "a\x00", mail.TemplateError{"body", mail.ProblemCharacters, ""}},
		{"x", "a\u202eb", mail.TemplateError{"body", mail.ProblemCharacters, ""}},
		{"x", "a\U000f0001b", mail.TemplateError{"body", mail.ProblemCharacters, ""}},
		{"x", "a\xff", mail.TemplateError{"body", mail.ProblemCharacters, ""}},
		{"{nme}", "{foo}", mail.TemplateError{"subject", mail.ProblemVariable, "nme"}},
		{"x", "{name} {foo bar} {baz}", mail.TemplateError{"body", mail.ProblemVariable, "foo bar"}},
		{"x", "{}", mail.TemplateError{"body", mail.ProblemVariable, ""}},
		{"x", "a { b", mail.TemplateError{"body", mail.ProblemBraces, ""}},
		{"x", "a } b", mail.TemplateError{"body", mail.ProblemBraces, ""}},
		{"x", "{name", mail.TemplateError{"body", mail.ProblemBraces, ""}},
		{"x", "{na\nme}", mail.TemplateError{"body", mail.ProblemBraces, ""}},
		{"x", "{{name}}", mail.TemplateError{"body", mail.ProblemBraces, ""}},
		{"x", "{foo} {", mail.TemplateError{"body", mail.ProblemBraces, ""}},
	} {
		template := mail.Template{Subject: c.subject, Body: c.body}
		var got mail.TemplateError
		if e, ok := errors.AsType[*mail.TemplateError](template.Check([]string{"name", "last_name", "link"})); ok {
			got = *e
		}
		if got != c.want {
			t.Errorf("%.40q, %.40q: %v, want %v", c.subject, c.body, got, c.want)
		}
		if _, err := mail.Compose(template, map[string]string{"name": "", "last_name": "", "link": ""}, mail.Frame{}); (err != nil) != (c.want != mail.TemplateError{}) {
			t.Errorf("%.40q, %.40q: composed with %v", c.subject, c.body, err)
		}
	}
}

// TestVariablesMayStandAnywhere, beside every sign of Markdown.
func TestVariablesMayStandAnywhere(t *testing.T) {
	t.Parallel()
	v := map[string]string{"last_name": "Л", "first_name": "П", "name": ""}
	for body, want := range map[string]string{
		"**{last_name}** {first_name}": "Л П", "_{last_name}_{first_name}": "_Л_П", "*{last_name}*{first_name}": "ЛП", "a{last_name}b": "aЛb",
		"`{last_name}`": "Л", "# {last_name}": "Л", "{last_name}. {first_name}": "Л. П", "- {last_name}": "• Л", "> {last_name}\n{first_name}": "    Л\n    П",
		"\\*{last_name}\\*": "*Л*", "&lt;{last_name}&gt; &#983040;&#983045;": "<Л> Л",
	} {
		text, _, _ := strings.Cut(compose(t, body, v).Text, "\n\n———")
		if text != want && text != strings.TrimSpace(want) {
			t.Errorf("%q: %q, want %q", body, text, want)
		}
	}
}

// TestAnAddressIsNeverBroken, nor is a line wider than it has to be.
func TestAnAddressIsNeverBroken(t *testing.T) {
	t.Parallel()
	v := values()
	v["link"] = "https://school.example/" + strings.Repeat("a", 300)
	c := compose(t, strings.Repeat("слово ", 50)+"[сюда]({link}) "+strings.Repeat("слово ", 50), v)
	if !strings.Contains(c.Text, "("+v["link"]+")") {
		t.Error(c.Text)
	}
	for line := range strings.SplitSeq(c.Text, "\n") {
		if utf8.RuneCountInString(line) > 72 && strings.Contains(line, " ") {
			t.Errorf("a line of %d characters: %q", utf8.RuneCountInString(line), line)
		}
	}
}

// TestTheFrame: what every client needs, and nothing from elsewhere.
func TestTheFrame(t *testing.T) {
	t.Parallel()
	c := compose(t, welcome, values())
	root := document(t, c.HTML)
	if len(c.HTML) > 12_000 {
		t.Errorf("%d octets", len(c.HTML))
	}
	if lang := attribute(elements(root, "html")[0], "lang"); lang != "ru" {
		t.Errorf("lang %q", lang)
	}
	for _, table := range elements(root, "table") {
		if attribute(table, "role") != "presentation" {
			t.Errorf("a table without its role: %q", table.Attr)
		}
	}
	metas := map[string]string{}
	for _, m := range elements(root, "meta") {
		metas[attribute(m, "name")] = attribute(m, "content")
	}
	if metas["color-scheme"] != "light dark" || metas["supported-color-schemes"] != "light dark" {
		t.Errorf("%q", metas)
	}
	for _, outside := range []string{"src=", "url(", "@import", "<img", "<link", "<script", "background=", "http-equiv"} {
		if strings.Contains(c.HTML, outside) {
			t.Errorf("there is %q", outside)
		}
	}
	preview := elements(root, "div")[0]
	if got := textOf(preview); !strings.HasPrefix(got, "Первый модуль «Введение» уже ждёт вас: один урок") || !strings.Contains(attribute(preview, "style"), "display:none") {
		t.Errorf("preview %q", got)
	}
	text := textOf(root)
	for _, part := range []string{schoolFrame().School, schoolFrame().Foot[0], schoolFrame().Foot[1], "Придумать пароль и начать"} {
		if strings.Count(text, part) != 1 {
			t.Errorf("%q stands %d times", part, strings.Count(text, part))
		}
	}
	bare, err := mail.Compose(mail.Template{Subject: "x", Body: "y"}, nil, mail.Frame{})
	if err != nil || bare.Text != "y\n" || strings.Contains(bare.HTML, `class="foot"`) {
		t.Errorf("without a frame: %q, %v", bare.Text, err)
	}
	largest := compose(t, strings.Repeat("**ұ** ", 800), values())
	if len(largest.HTML) > 100_000 { // Gmail cuts at 102 kB
		t.Errorf("%d octets", len(largest.HTML))
	}
}

// TestOutlookReadsALetterOfItsWidth: Word's renderer, which it has, knows no largest
// width and reads what stands between its conditions.
func TestOutlookReadsALetterOfItsWidth(t *testing.T) {
	t.Parallel()
	source := compose(t, welcome, values()).HTML
	card := func(source string) (widths []string, fonts bool) {
		t.Helper()
		root := document(t, source)
		for _, table := range elements(root, "table") {
			if attribute(table, "class") != "card" {
				continue
			}
			for n := table.Parent; n != nil; n = n.Parent {
				if n.Type == html.ElementNode && n.Data == "table" {
					widths = append(widths, attribute(n, "width"))
				}
			}
		}
		for _, style := range elements(root, "style") {
			fonts = fonts || strings.HasPrefix(style.FirstChild.Data, "body, table") && strings.Contains(style.FirstChild.Data, "Arial")
		}
		return widths, fonts
	}
	word := strings.NewReplacer("<!--[if mso]>", "", "<![endif]-->", "").Replace(source)
	if widths, fonts := card(word); !slices.Equal(widths, []string{"560", "100%"}) || !fonts || strings.Count(word, "<table") != strings.Count(word, "</table>") {
		t.Errorf("in Outlook the card stands in tables of %q, fonts %v", widths, fonts)
	}
	if widths, fonts := card(source); !slices.Equal(widths, []string{"100%"}) || fonts {
		t.Errorf("elsewhere the card stands in tables of %q, fonts %v", widths, fonts)
	}
}

// TestTheColoursCanBeRead: WCAG's AA, 4.5 to 1, for every text in both schemes.
func TestTheColoursCanBeRead(t *testing.T) {
	t.Parallel()
	source := compose(t, everything, values()).HTML
	_, sheet, _ := strings.Cut(source, "(prefers-color-scheme: dark)")
	dark := map[string]string{} // class and property to colour
	for _, rule := range regexp.MustCompile(`\.(\w+) \{ (color|background): (#\w+) !important`).FindAllStringSubmatch(sheet, -1) {
		dark[rule[1]+" "+rule[2]] = rule[3]
	}
	inline := regexp.MustCompile(`(?:^|;)(color|background):(#\w+)`)
	// colour is what the nearest element around says.
	colour := func(n *html.Node, property string, scheme map[string]string) string {
		for ; n != nil; n = n.Parent {
			if c := scheme[attribute(n, "class")+" "+property]; c != "" {
				return c
			}
			for _, m := range inline.FindAllStringSubmatch(attribute(n, "style"), -1) {
				if m[1] == property {
					return m[2]
				}
			}
		}
		return ""
	}
	texts := 0
	for n := range document(t, source).Descendants() {
		if n.Type != html.TextNode || strings.TrimSpace(n.Data) == "" || n.Parent.Data == "style" || n.Parent.Data == "title" ||
			strings.Contains(attribute(n.Parent, "style"), "display:none") {
			continue
		}
		texts++
		for name, scheme := range map[string]map[string]string{"light": nil, "dark": dark} {
			ink, paper := colour(n, "color", scheme), colour(n, "background", scheme)
			if got := contrast(t, ink, paper); got < 4.5 {
				t.Errorf("%s: %q, %s on %s: %.1f", name, n.Data, ink, paper, got)
			}
		}
	}
	if texts < 20 || len(dark) < 8 {
		t.Errorf("%d texts, %d colours of the dark", texts, len(dark))
	}
}

// contrast is that of WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(c string) float64 {
		rgb, err := strconv.ParseUint(strings.TrimPrefix(c, "#"), 16, 32)
		if err != nil || len(c) != 7 {
			t.Fatalf("colour %q: %v", c, err)
		}
		l := 0.0
		for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
			v := float64(rgb>>(8*i)&255) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			l += weight * v
		}
		return l
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// samples are the letters that are looked at.
func samples() map[string]mail.Content {
	long := values()
	long["name"] = string([]rune(strings.Repeat("Әбдіғаппарұлы Қожахмет ", 7))[:150])
	all := map[string]mail.Content{}
	for name, c := range map[string]struct {
		body   string
		values map[string]string
	}{"welcome": {welcome, values()}, "long-name": {welcome, long}, "everything": {everything, values()}} {
		content, err := mail.Compose(mail.Template{Subject: "{name}, доступ открыт", Body: c.body}, c.values, schoolFrame())
		if err != nil {
			panic(err)
		}
		all[name] = content
	}
	return all
}

// TestLettersToLookAt writes them as files into the folder that
// TRIPWIRE_TEST_SCREENSHOTS names.
func TestLettersToLookAt(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("TRIPWIRE_TEST_SCREENSHOTS")
	if folder == "" {
		t.Skip("TRIPWIRE_TEST_SCREENSHOTS names no folder")
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, c := range samples() {
		for ending, content := range map[string]string{".html": c.HTML, ".txt": c.Text} {
			if err := os.WriteFile(filepath.Join(folder, "letter-"+name+ending), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
