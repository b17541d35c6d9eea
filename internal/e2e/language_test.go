package e2e_test

import (
	"encoding/json"
	"os"
	"testing"
)

// words is the catalogue of a language; plural forms are left out.
func words(t *testing.T, language string) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../locale/" + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	all, texts := map[string]any{}, map[string]string{}
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	for key, value := range all {
		if text, ok := value.(string); ok {
			texts[key] = text
		}
	}
	return texts
}

func TestLanguageIsTheReaders(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		stranger := s.visitor("stranger")
		for asked, want := range map[string]string{"kk-KZ,kk;q=0.9,ru;q=0.5": "kk", "en-GB,en": "en", "ru": "ru", "de-DE,de": "ru"} {
			stranger.speak(asked)
			stranger.open("/login")
			stranger.in(want)
			stranger.sees(words(t, want)["login.lead"])
		}

		manager := s.at(vera)
		for _, language := range []string{"kk", "en"} {
			w := words(t, language)
			manager.pressOn("button[popovertarget=person]")
			manager.loading(func() { manager.pressOn(`#person button[value=` + language + `]`) })
			manager.at(panel) // the choice leads back to where it was made
			manager.in(language)
			manager.sees(w["panel.title"], w["list.mine"])

			elsewhere := s.visitor("elsewhere-" + language) // asks for Russian
			elsewhere.open("/login")
			elsewhere.logIn(vera.email, vera.password)
			elsewhere.at(panel)
			elsewhere.in(language)
			elsewhere.sees(w["panel.title"])
		}
	})
}

// in waits for the page's language.
func (b *tab) in(language string) {
	b.t.Helper()
	b.holds(`document.readyState === "complete" && document.documentElement.lang === "` + language + `"`)
}
