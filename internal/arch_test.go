// Package internal_test keeps the shape of the program: who may import whom,
// where SQL stands, and who writes what only triggers may write.
package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file that is part of the program; tests are not.
type source struct {
	pkg  string // "internal/store/storetest"
	name string
	tree *ast.File
}

func (s source) imports() []string {
	var paths []string
	for _, i := range s.tree.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// texts are the string literals; neighbours in a sum are joined, as SQL often is.
func (s source) texts() []string {
	var all []string
	ast.Inspect(s.tree, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.BasicLit, *ast.BinaryExpr:
			if text, ok := textOf(n); ok {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(n.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, okLeft := textOf(n.X)
		right, okRight := textOf(n.Y)
		return left + right, n.Op == token.ADD && (okLeft || okRight)
	}
	return "", false
}

func parseSource(t *testing.T, pkg, name string, content any) source {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{pkg: pkg, name: name, tree: tree}
}

func program(t *testing.T) []source {
	t.Helper()
	var all []source
	root := os.DirFS("..")
	for _, top := range []string{"cmd", "internal"} {
		err := fs.WalkDir(root, top, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return err
			}
			all = append(all, parseSource(t, path.Dir(file), filepath.Join("..", filepath.FromSlash(file)), nil))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 40 {
		t.Fatalf("found only %d files", len(all))
	}
	return all
}

// layers gives every package its height; it may import only what is lower. A
// folder speaks for the folders below it, and may import those.
var layers = map[string]int{
	"cmd/tripwire":             60,
	"internal/bench":           60,
	"internal/cli":             50,
	"internal/web":             40,
	"internal/api":             40,
	"internal/worker":          40,
	"internal/server":          40,
	"internal/seed":            40,
	"internal/desk":            30,
	"internal/problem":         20,
	"internal/locale":          20,
	"internal/mail":            20,
	"internal/roster":          20,
	"internal/diploma":         20,
	"internal/live":            20,
	"internal/store/storetest": 25,
	"internal/store":           20,
	"internal/files":           10,
	"internal/password":        10,
	"internal/secret":          10,
	"internal/school":          0,
}

// notBelow lists what height alone would allow and the design does not.
var notBelow = map[string][]string{
	"internal/web":    {"internal/store", "internal/password", "internal/secret", "internal/mail"},
	"internal/api":    {"internal/store", "internal/password", "internal/secret", "internal/mail"},
	"internal/worker": {"internal/store", "internal/password", "internal/secret"},
	"internal/server": {"internal/store", "internal/desk", "internal/password"},
	"internal/roster": {"internal/files", "internal/password"},
	"internal/live":   {"internal/files", "internal/password", "internal/secret"},
	"internal/mail":   {"internal/files", "internal/password", "internal/secret"},
}

// schoolMay is all that the nouns may import beside the standard library.
var schoolMay = []string{"github.com/google/uuid", "golang.org/x/text/", "golang.org/x/net/idna", "golang.org/x/net/publicsuffix"}

// reachOut are the parts of the standard library that touch more than memory.
var reachOut = []string{"database/sql", "net", "os", "log", "log/slog", "syscall", "io/ioutil", "testing", "embed"}

// apart are not part of the product: the program that measures it, down to the
// bare database, and the tool of the tests. They construct and speak SQL too.
var apart = []string{"internal/bench", "internal/store/storetest"}

// drivers are the packages that speak SQL.
var drivers = regexp.MustCompile(`^(database/sql(/.*)?|modernc\.org/sqlite.*|github\.com/jackc/.*|github\.com/pressly/goose.*)$`)

// layerOf answers the listed folder that speaks for a package.
func layerOf(pkg string) (string, bool) {
	for p := pkg; p != "." && p != "/"; p = path.Dir(p) {
		if _, ok := layers[p]; ok {
			return p, true
		}
	}
	return "", false
}

func checkImports(s source) (faults []string) {
	from, ok := layerOf(s.pkg)
	if !ok {
		return []string{s.pkg + " stands in no layer: say in this test where it belongs"}
	}
	fault := func(imported, why string) { faults = append(faults, s.pkg+" imports "+imported+": "+why) }
	for _, imported := range s.imports() {
		inner, ours := strings.CutPrefix(imported, "tripwire/")
		to, known := layerOf(inner)
		switch {
		case ours && !known:
			fault(imported, "it stands in no layer")
		case ours && to != from && layers[to] >= layers[from]:
			fault(imported, "only what is lower may be imported")
		case ours && slices.Contains(notBelow[from], to):
			fault(imported, "the desk stands between")
		case !ours && drivers.MatchString(imported) && from != "internal/store" && !slices.Contains(apart, from):
			fault(imported, "only the store speaks SQL")
		case !ours && from == "internal/desk" && (imported == "net" || strings.HasPrefix(imported, "net/")):
			fault(imported, "the desk knows no network")
		case !ours && from == "internal/school" && !schoolImport(imported):
			fault(imported, "the nouns need nothing else")
		case !ours && from == "internal/roster" && !standard(imported):
			fault(imported, "tables need no library (ADR 13)")
		}
	}
	return faults
}

func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func schoolImport(imported string) bool {
	if standard(imported) {
		return imported == "net/url" || !slices.ContainsFunc(reachOut, func(p string) bool { return imported == p || strings.HasPrefix(imported, p+"/") })
	}
	return slices.ContainsFunc(schoolMay, func(p string) bool {
		return imported == p || strings.HasSuffix(p, "/") && strings.HasPrefix(imported, p)
	})
}

// constructors make the parts that only the terminal door puts together.
var constructors = map[string][]string{
	"tripwire/internal/store":    {"Open", "Connect"},
	"tripwire/internal/desk":     {"New"},
	"tripwire/internal/web":      {"New"},
	"tripwire/internal/api":      {"New"},
	"tripwire/internal/server":   {"New"},
	"tripwire/internal/password": {"NewHasher"},
}

func checkConstruction(s source) (faults []string) {
	if s.pkg == "internal/cli" || slices.Contains(apart, s.pkg) {
		return nil
	}
	names := map[string]string{}
	for _, i := range s.tree.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = p
	}
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(constructors[names[x.Name]], sel.Sel.Name) {
				faults = append(faults, fmt.Sprintf("%s constructs %s.%s: only internal/cli does", s.pkg, x.Name, sel.Sel.Name))
			}
		}
		return true
	})
	return faults
}

const guardedTables = `"?(module_unlocks|module_completions)\b`

var (
	sqlText = regexp.MustCompile(`(?is)\b(insert\s+into\s+\w+|delete\s+from\s+\w+|update\s+\w+\s+set|select\s.+\sfrom\s+\w+|create\s+(table|trigger|index|unique)|drop\s+(table|trigger|index))\b`)
	// forbiddenSQL would write what only triggers write, or could override the
	// conflict clause inside them.
	forbiddenSQL = []*regexp.Regexp{
		regexp.MustCompile(`(?is)\b(insert(\s+or\s+\w+)?\s+into|replace\s+into|update(\s+or\s+\w+)?|delete\s+from|merge\s+into|copy|truncate(\s+table)?)\s+(only\s+)?(\w+\.)?` + guardedTables),
		regexp.MustCompile(`(?is)\b(insert|update)\s+or\s+(replace|ignore|abort|fail|rollback)\b`),
		regexp.MustCompile(`(?is)\breplace\s+into\b`),
		regexp.MustCompile(`(?is)\bupdate\s+(\w+\.)?tripwire_users\b[^;]*\bset\b[^;]*\bcompleted_at\s*=`),
		regexp.MustCompile(`(?is)\binsert\s+into\s+(\w+\.)?tripwire_users\s*\([^)]*\bcompleted_at\b`),
		regexp.MustCompile(`(?is)\bon\s+conflict\b[^;]*\bdo\s+update\b[^;]*\bcompleted_at\s*=`),
	}
)

// checkHashing: what is weak for the sake of tests has no call in the program.
func checkHashing(s source) (faults []string) {
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "NewWeakHasher" {
			faults = append(faults, s.name+" hashes weakly: only tests do")
		}
		return true
	})
	return faults
}

func checkSQL(s source) (faults []string) {
	maySpeak := s.pkg == "internal/store" || slices.Contains(apart, s.pkg)
	for _, text := range s.texts() {
		if sqlText.MatchString(text) && !maySpeak {
			faults = append(faults, fmt.Sprintf("%s holds SQL: %.80q", s.name, text))
		}
		for _, f := range forbiddenSQL {
			if f.MatchString(text) {
				faults = append(faults, fmt.Sprintf("%s writes what only triggers write: %.80q", s.name, text))
			}
		}
	}
	return faults
}

func TestTheShapeOfTheProgram(t *testing.T) {
	t.Parallel()
	for _, s := range program(t) {
		for _, check := range []func(source) []string{checkImports, checkConstruction, checkSQL, checkHashing} {
			for _, fault := range check(s) {
				t.Error(fault)
			}
		}
	}
}

// TestTheShapeChecksSeeFaults plants each fault and wants it seen.
func TestTheShapeChecksSeeFaults(t *testing.T) {
	t.Parallel()
	imports := func(p string) string { return "package x\nimport _ \"" + p + "\"" }
	says := func(sql string) string { return "package x\nconst q = `" + sql + "`" }
	for _, c := range []struct {
		pkg, content string
		check        func(source) []string
		faulty       bool
	}{
		{"internal/school", imports("net/http"), checkImports, true},
		{"internal/school", imports("golang.org/x/net/html"), checkImports, true},
		{"internal/school", imports("tripwire/internal/locale"), checkImports, true},
		{"internal/school", imports("golang.org/x/text/unicode/norm"), checkImports, false},
		{"internal/desk", imports("net/http"), checkImports, true},
		{"internal/desk", imports("database/sql"), checkImports, true},
		{"internal/desk", imports("tripwire/internal/web"), checkImports, true},
		{"internal/desk", imports("tripwire/internal/store"), checkImports, false},
		{"internal/web", imports("tripwire/internal/store"), checkImports, true},
		{"internal/web/page", imports("tripwire/internal/store"), checkImports, true},
		{"internal/web", imports("tripwire/internal/api"), checkImports, true},
		{"internal/web", imports("tripwire/internal/web/page"), checkImports, false},
		{"internal/api", imports("tripwire/internal/web/page"), checkImports, true},
		{"internal/worker", imports("tripwire/internal/web"), checkImports, true},
		{"internal/store", imports("tripwire/internal/desk"), checkImports, true},
		{"internal/desk", imports("tripwire/internal/roster"), checkImports, false},
		{"internal/web", imports("tripwire/internal/roster"), checkImports, false},
		{"internal/roster", imports("tripwire/internal/school"), checkImports, false},
		{"internal/roster", imports("tripwire/internal/locale"), checkImports, true},
		{"internal/roster", imports("tripwire/internal/files"), checkImports, true},
		{"internal/roster", imports("github.com/xuri/excelize/v2"), checkImports, true},
		{"internal/store", imports("tripwire/internal/live"), checkImports, true},
		{"internal/live", imports("tripwire/internal/store"), checkImports, true},
		{"internal/live", imports("tripwire/internal/files"), checkImports, true},
		{"internal/live", imports("tripwire/internal/school"), checkImports, false},
		{"internal/cli", imports("github.com/jackc/pgx/v5"), checkImports, true},
		{"internal/util", imports("fmt"), checkImports, true},
		{"internal/web", "package web\nimport \"tripwire/internal/desk\"\nvar d = desk.New(nil, nil)", checkConstruction, true},
		{"internal/worker", "package worker\nimport rows \"tripwire/internal/store\"\nvar open = rows.Open", checkConstruction, true},
		{"internal/cli", "package cli\nimport \"tripwire/internal/desk\"\nvar d = desk.New(nil, nil)", checkConstruction, false},
		{"internal/store", says("INSERT INTO module_unlocks (user_id) VALUES ($1)"), checkSQL, true},
		{"internal/store", says("insert or ignore into Module_Completions VALUES (1)"), checkSQL, true},
		{"internal/store", says("DELETE FROM\n\tmodule_unlocks"), checkSQL, true},
		{"internal/store", says("UPDATE public.module_unlocks SET unlocked_at = $1"), checkSQL, true},
		{"internal/store", says("UPDATE tripwire_users SET blocked_at = NULL, completed_at = $1"), checkSQL, true},
		{"internal/store", says("INSERT INTO tripwire_users (user_id, completed_at) VALUES ($1, $2)"), checkSQL, true},
		{"internal/store", says("INSERT OR REPLACE INTO tripwire_users (user_id) VALUES ($1)"), checkSQL, true},
		{"internal/store", "package store\nvar table string\nvar q = \"INSERT INTO \" + \"module_unlocks VALUES (\" + table", checkSQL, true},
		{"internal/store", says("SELECT o.unlocked_at FROM module_unlocks o"), checkSQL, false},
		{"internal/store", says("INSERT INTO lesson_completions (user_id, lesson_id, completed_at) VALUES ($1, $2, $3)"), checkSQL, false},
		{"internal/desk", says("SELECT count(*) FROM users"), checkSQL, true},
		{"internal/desk", says("select a module from the list"), checkSQL, true}, // prose of that shape has to be worded otherwise
		{"internal/desk", says("update the settings"), checkSQL, false},
		{"internal/cli", "package cli\nimport \"tripwire/internal/password\"\nvar h = password.NewWeakHasher()", checkHashing, true},
		{"internal/cli", "package cli\nimport \"tripwire/internal/password\"\nvar h = password.NewHasher(0)", checkHashing, false},
	} {
		faults := c.check(parseSource(t, c.pkg, "planted.go", c.content))
		if (len(faults) > 0) != c.faulty {
			t.Errorf("%s: %q: faults %q", c.pkg, c.content, faults)
		}
	}
}

// TestGuardedWritesStandInTriggersOnly reads the migrations: outside the bodies
// of triggers they too leave the guarded tables alone.
func TestGuardedWritesStandInTriggersOnly(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile(`(?s)-- \+goose StatementBegin\n.*?-- \+goose StatementEnd`)
	body := regexp.MustCompile(`(?s)^-- \+goose StatementBegin\nCREATE (TRIGGER|FUNCTION \w+\(\) RETURNS trigger)\s`)
	files, err := filepath.Glob("store/migrations/*/*.sql")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	writers := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rest := block.ReplaceAllStringFunc(string(text), func(statement string) string {
			if !body.MatchString(statement) {
				return statement
			}
			if forbiddenSQL[0].MatchString(statement) {
				writers++
			}
			return ""
		})
		if found := forbiddenSQL[0].FindString(rest); found != "" {
			t.Errorf("%s: %q stands outside a trigger", file, found)
		}
	}
	if writers != 10 { // five bodies on each engine
		t.Errorf("%d trigger bodies write the guarded tables", writers)
	}
}
