package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tripwire/internal/school"
)

// required are the plural forms that CLDR gives each language for whole
// numbers.
var required = map[school.Language][]string{
	school.Russian: {"one", "few", "many"},
	school.Kazakh:  {"one", "other"},
	school.English: {"one", "other"},
}

func TestCataloguesAgree(t *testing.T) {
	base := catalogues[school.Russian]
	for _, lang := range school.Languages() {
		c := catalogues[lang]
		for key := range base {
			if _, ok := c[key]; !ok {
				t.Errorf("%s lacks %q", lang, key)
			}
		}
		for key, m := range c {
			want, ok := base[key]
			if !ok {
				t.Errorf("%s has %q, which Russian lacks", lang, key)
				continue
			}
			if (m.forms == nil) != (want.forms == nil) {
				t.Errorf("%s: %q counts in one language and not in the other", lang, key)
				continue
			}
			checkMessage(t, lang, key, m, want)
		}
	}
}

func checkMessage(t *testing.T, lang school.Language, key string, m, want message) {
	t.Helper()
	if m.forms == nil {
		if strings.TrimSpace(m.text) == "" {
			t.Errorf("%s: %q is empty", lang, key)
		}
		if got, want := placeholders(m.text), placeholders(want.text); !slices.Equal(got, want) {
			t.Errorf("%s: %q has placeholders %v, Russian %v", lang, key, got, want)
		}
		return
	}
	for _, form := range required[lang] {
		if m.forms[form] == "" {
			t.Errorf("%s: %q lacks the form %s", lang, key, form)
		}
	}
	for form, text := range m.forms {
		if got, want := placeholders(text), placeholders(want.forms["one"]); !slices.Equal(got, want) {
			t.Errorf("%s: %q, form %s, has placeholders %v, Russian %v", lang, key, form, got, want)
		}
	}
}

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// TestEveryErrorHasASentence reads the codes from the source, so that a new
// one cannot be forgotten.
func TestEveryErrorHasASentence(t *testing.T) {
	codes := errorCodes(t)
	if len(codes) < 30 {
		t.Fatalf("found only %d codes", len(codes))
	}
	for _, code := range codes {
		for _, lang := range school.Languages() {
			if _, ok := catalogues[lang]["error."+code]; !ok {
				t.Errorf("%s has no sentence for the error %q", lang, code)
			}
		}
	}
	for key := range catalogues[school.Russian] {
		if code, ok := strings.CutPrefix(key, "error."); ok && !slices.Contains(codes, code) {
			t.Errorf("%q is the sentence of no error", key)
		}
	}
}

func errorCodes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../school/codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Code" {
			code, err := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	return codes
}

func TestEveryActionHasASentence(t *testing.T) {
	for _, a := range school.Actions() {
		for _, lang := range school.Languages() {
			if _, ok := catalogues[lang]["activity."+string(a)]; !ok {
				t.Errorf("%s has no sentence for the action %q", lang, a)
			}
			if _, ok := catalogues[lang]["history.action."+string(a)]; !ok {
				t.Errorf("%s has no name for the action %q", lang, a)
			}
		}
	}
}

// TestEveryActionIsInOneGroup: the source tells which there are, so that a new one
// cannot be forgotten in the choice of actions.
func TestEveryActionIsInOneGroup(t *testing.T) {
	source, err := os.ReadFile("../school/activity.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`Action = "([a-z_.]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) < 30 {
		t.Fatalf("found only %d actions", len(declared))
	}
	grouped := map[string]int{}
	for _, g := range school.ActionGroups() {
		for _, lang := range school.Languages() {
			if _, ok := catalogues[lang]["history.group."+g.Name]; !ok {
				t.Errorf("%s has no name for the group %q", lang, g.Name)
			}
		}
		for _, a := range g.Actions {
			grouped[string(a)]++
		}
	}
	for _, m := range declared {
		if grouped[m[1]] != 1 {
			t.Errorf("the action %q stands in %d groups", m[1], grouped[m[1]])
		}
	}
}

// composed are keys that the code puts together from parts.
var composed = []string{
	"error.", "activity.", "cause.", "cause_later.", "month.", "status.", "chip.", "nothing.", "detail.", "door.",
	"settings.", "theme.", "editor.rule_", "period.", "chart.", "history.action.", "history.group.", "history.period_", "bulk.done_",
	"letter_state.", "letter.told.", "letters.variable_", "letters.part_", "letters.subject", "letters.body", "letter_cause.", "mail_cause.", "mail.",
}

var (
	call    = regexp.MustCompile(`\.(T|N)\(\s*"([^"]+)"(\s*\+)?`)
	literal = regexp.MustCompile(`"([a-z_]+(?:\.[a-z0-9_]+)+)"`)
)

// TestKeysAreUsedAndThere compares the catalogues with the sources: a key that
// is asked for must be there, one that nobody asks for must go.
func TestKeysAreUsedAndThere(t *testing.T) {
	asked, mentioned := keysInSources(t)
	for key, where := range asked {
		if _, ok := catalogues[school.Russian][key]; !ok {
			t.Errorf("%s asks for %q, which is in no catalogue", where, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(catalogues[school.Russian])) {
		prefixed := slices.ContainsFunc(composed, func(p string) bool { return strings.HasPrefix(key, p) })
		if !prefixed && !mentioned[key] {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

func keysInSources(t *testing.T) (asked map[string]string, mentioned map[string]bool) {
	t.Helper()
	asked, mentioned = map[string]string{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
			return err
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".templ" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range call.FindAllStringSubmatch(string(b), -1) {
			if m[3] == "" {
				asked[m[2]], mentioned[m[2]] = path, true
			}
		}
		for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
			mentioned[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return asked, mentioned
}
