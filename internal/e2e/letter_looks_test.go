package e2e_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	nouns "tripwire/internal/school"
)

// TestEveryLetterFitsAndCanBeRead: every shipped text in every language, to a person
// with the longest name, in narrow windows and wide, light and dark.
func TestEveryLetterFitsAndCanBeRead(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	s := staffed(t, emptySQLite(t))
	name := strings.Repeat("Щ", 75) + " " + strings.Repeat("ұ", 74)
	b := s.at(admin)
	s.exec("UPDATE users SET full_name = $1 WHERE email = $2", name, admin.email)
	for _, language := range nouns.Languages() {
		for _, kind := range nouns.LetterKinds() {
			letter := string(kind) + " in " + string(language)
			b.open("/integrator/letter-texts/" + string(kind) + "/" + string(language) + "/preview")
			if said := b.text("body"); !strings.Contains(said, strings.Repeat("ұ", 74)) || strings.ContainsAny(said, "{}⟦⟧") {
				t.Errorf("%s says %s", letter, said)
			}
			html := read[string](b, "document.documentElement.outerHTML")
			b.loading(func() { // out of its sandbox, in which axe cannot work
				_, err := chromedp.Call(b.ctx, page.Navigate, page.NavigateParams{URL: "data:text/html;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte("<!doctype html>"+html))})
				b.do("open "+letter, err)
			})
			b.fits(letter)
			for _, scheme := range []string{"light", "dark"} {
				b.hasContrast(letter, string(axe), scheme)
			}
		}
	}
}
