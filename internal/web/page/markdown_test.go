package page

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func rendered(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := markdown(text).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdownIsWritten(t *testing.T) {
	t.Parallel()
	got := rendered(t, "**Ғылым**\n\n- a\n- [b](https://example.com)\n\n![схема](/files/abc)\n\n![там](https://example.com/a.png)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
	for _, want := range []string{
		"<strong>Ғылым</strong>", "<li>a</li>", `<a href="https://example.com">b</a>`, `<img src="/files/abc" alt="схема">`,
		`<a href="https://example.com/a.png">там</a>`, "<td>2</td>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

// TestHostileMarkdownStaysInert: nothing in it can run or reach out.
func TestHostileMarkdownStaysInert(t *testing.T) {
	t.Parallel()
	live := regexp.MustCompile(`(?i)<(script|iframe|object|embed|svg|style|link|meta|base|form|input[^>]*onf)|(href|src)="(javascript|vbscript|data):|<\w+(\s+[\w-]+="[^"]*")*\s+on\w+=|<img src="(https?:|//)`)
	for _, text := range []string{
		"<script>alert(1)</script>", "a <script src=//evil.example></script> b", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
		"[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java\nscript:alert(1))", "[x](&#106;avascript:alert(1))", "[x](vbscript:x)",
		"![x](javascript:alert(1))", "![x](data:text/html;base64,PHNjcmlwdD4=)", `![x" onerror="alert(1)](/files/a)`, `![x](/files/a"onerror="alert(1))`,
		"![x](//evil.example/a.png)", "![x](https://evil.example/a.png)", "<javascript:alert(1)>", "[x]: javascript:alert(1)\n\n[x]", "<iframe src=https://evil.example></iframe>",
		"<style>*{display:none}</style>", "<base href=//evil.example>", "<form action=//evil.example><input name=password></form>", "[a](https://x\" onclick=\"alert(1))",
		"```\"><script>alert(1)</script>\nx\n```", "`<script>`", "<a href='x' onclick=alert(1)>", "| <script> |\n|---|\n| <img onerror=1> |",
	} {
		if got := rendered(t, text); live.MatchString(got) {
			t.Errorf("%q became %s", text, got)
		}
	}
}
