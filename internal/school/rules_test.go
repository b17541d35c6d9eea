package school_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/school"
)

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	const email = school.Email("long.address@example.com")
	for typed, want := range map[string]*school.Error{
		"":                             school.ErrPasswordRequired,
		"1234567":                      school.ErrPasswordTooShort,
		"пароль7":                      school.ErrPasswordTooShort, // characters, not bytes
		"e\u0301e\u0301e\u0301e\u0301": school.ErrPasswordTooShort,
		strings.Repeat("я", 129):       school.ErrPasswordTooLong,
		"long.address@example.com":     school.ErrPasswordIsEmail,
		"Long.Address@Example.com":     school.ErrPasswordIsEmail,
	} {
		if got, err := school.CheckPassword(typed, email); !errors.Is(err, want) || got != "" {
			t.Errorf("%q: %q, %v; want %s", typed, got, err, want.Code)
		}
	}
	for typed, want := range map[string]string{
		"test1234":               "test1234",
		"        ":               "        ", // spaces are characters, and are kept
		" mind the spaces ":      " mind the spaces ",
		strings.Repeat("я", 128): strings.Repeat("я", 128),
		"cafe\u0301-au-lait":     "caf\u00e9-au-lait",
	} {
		if got, err := school.CheckPassword(typed, email); err != nil || got != want {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
}

func TestMadePasswordsAndTokensAreValidAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 500 {
		p := school.NewPassword()
		if len(p) != 14 || p[4] != '-' || p[9] != '-' || strings.ContainsAny(p, "ilo01") || p != strings.ToLower(p) {
			t.Fatalf("password %q", p)
		}
		if _, err := school.CheckPassword(p, "a@example.com"); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		token := school.NewToken()
		if len(token) < 43 || len(token) != len(school.NewToken()) || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Fatalf("token %q", token)
		}
		if seen[p] || seen[token] {
			t.Fatal("made twice")
		}
		seen[p], seen[token] = true, true
	}
}

func TestUserIDHasOneSpelling(t *testing.T) {
	t.Parallel()
	id := school.NewUserID()
	for _, typed := range []string{string(id), strings.ToUpper(string(id))} {
		if got, err := school.ParseUserID(typed); err != nil || got != id {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "16", "urn:uuid:" + string(id), "{" + string(id) + "}", strings.ReplaceAll(string(id), "-", ""), string(id) + " ", "' OR 1=1 --"} {
		if got, err := school.ParseUserID(typed); !errors.Is(err, school.ErrNotFound) || got != "" {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	if a, b := school.NewUserID(), school.NewUserID(); a >= b {
		t.Errorf("ids do not grow: %s, %s", a, b)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	for _, l := range school.Languages() {
		if got, err := school.ParseLanguage(string(l)); err != nil || got != l {
			t.Errorf("%s: %v", l, err)
		}
	}
	for _, s := range []string{"", "RU", "de", "ru-RU"} {
		if _, err := school.ParseLanguage(s); !errors.Is(err, school.ErrLanguageUnknown) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestEveryModuleMustBeReachable(t *testing.T) {
	t.Parallel()
	enrolled := func(m school.ModuleID) school.UnlockRule {
		return school.UnlockRule{ModuleID: m, Event: school.EventEnrolled}
	}
	completed := func(m, source school.ModuleID) school.UnlockRule {
		return school.UnlockRule{ModuleID: m, Event: school.EventCompleted, SourceModuleID: source}
	}
	for name, c := range map[string]struct {
		rules   []school.UnlockRule
		blocked string // the module that nothing reaches
	}{
		"a chain":                       {[]school.UnlockRule{enrolled(1), completed(2, 1), completed(3, 2)}, ""},
		"a chain written backwards":     {[]school.UnlockRule{completed(3, 2), completed(2, 1), enrolled(1)}, ""},
		"all at once":                   {[]school.UnlockRule{enrolled(1), enrolled(2), enrolled(3)}, ""},
		"opened by staff only":          {[]school.UnlockRule{enrolled(1), completed(2, 1), {ModuleID: 3, Event: school.EventGranted}}, ""},
		"no rules":                      {nil, "One"},
		"no beginning":                  {[]school.UnlockRule{completed(1, 3), completed(2, 1), completed(3, 2)}, "One"},
		"a circle beside the beginning": {[]school.UnlockRule{enrolled(1), completed(2, 3), completed(3, 2)}, "Two"},
		"a module that opens itself":    {[]school.UnlockRule{enrolled(1), enrolled(2), completed(3, 3)}, "Three"},
		"a source that is nowhere":      {[]school.UnlockRule{enrolled(1), enrolled(2), completed(3, 9)}, "Three"},
		"one dead path, one living":     {[]school.UnlockRule{enrolled(1), enrolled(2), completed(3, 9), completed(3, 2)}, ""},
	} {
		course := school.Course{Rules: c.rules, Modules: []school.Module{{ID: 1, Title: "One"}, {ID: 2, Title: "Two"}, {ID: 3, Title: "Three"}}}
		err := course.CheckReachable()
		var e *school.Error
		switch {
		case c.blocked == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.blocked != "" && (!errors.As(err, &e) || e.Code != "module_unreachable" || e.Params["module"] != c.blocked):
			t.Errorf("%s: %v, want %s", name, err, c.blocked)
		}
	}
}

func TestNewStudentNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	course := school.Course{Price: school.Money{Minor: 500000, Currency: "KZT"}}
	limit := school.PriceLimit{MinPercent: 50, MaxPercent: 100}
	settings := school.Settings{Language: school.Kazakh}
	_, err := school.NewStudentFrom(school.NewStudentForm{
		FullName: " ", Email: "тест@example.com", Password: "short", Price: "1", Language: "xx",
	}, course, limit, settings)
	var e *school.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := map[string]string{
		"full_name": "name_required", "email": "email_not_latin", "password": "password_too_short",
		"price": "price_out_of_range", "language": "language_unknown",
	}
	if diff := cmp.Diff(want, e.Fields); diff != "" || e.Code != "invalid_input" || e.Kind != school.Invalid {
		t.Fatalf("%v\n%s", e, diff)
	}
	if len(school.ErrInvalidInput.Fields) != 0 {
		t.Fatal("the shared error was written to")
	}
	got, err := school.NewStudentFrom(school.NewStudentForm{FullName: "A", Email: "A@example.com", Access: "link", Price: "2 500"}, course, limit, settings)
	wantStudent := school.NewStudent{
		FullName: "A", Email: "a@example.com", Access: school.AccessLink, Language: school.Kazakh,
		Price: school.Money{Minor: 250000, Currency: "KZT"},
	}
	if diff := cmp.Diff(wantStudent, got); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	if _, err := school.NewStudentFrom(school.NewStudentForm{FullName: "A", Email: "a@example.com", Access: "magic"}, course, limit, settings); err == nil {
		t.Fatal("an unknown way in was accepted")
	}
}

func TestStatusIsDerivedInThisOrder(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for want, s := range map[school.Status]school.Student{
		school.StatusActive:    {},
		school.StatusCompleted: {CompletedAt: now},
		school.StatusBlocked:   {CompletedAt: now, BlockedAt: now},
		school.StatusDeleted:   {CompletedAt: now, BlockedAt: now, DeletedAt: now},
	} {
		if s.Status() != want {
			t.Errorf("%+v is %s", s, s.Status())
		}
	}
}

func TestModuleIsOpenFromItsTimeOn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := school.ModuleProgress{UnlockedAt: at}
	if m.OpenAt(at.Add(-time.Millisecond)) || !m.OpenAt(at) || !m.OpenAt(at.Add(time.Hour)) || (school.ModuleProgress{}).OpenAt(at) {
		t.Fatal("open at the wrong time")
	}
}

func TestSettingsNameEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	good := school.Settings{
		Name: "School", TimeZone: "Asia/Almaty", Language: school.Russian, LinkHours: 72, TrashDays: 30,
		SessionIdleHours: 72, SessionMaxHours: 720,
	}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	bad := school.Settings{
		TimeZone: "Local", Language: "xx", FirstPasswordHours: -1, LinkHours: 0, TrashDays: 366, SessionIdleHours: 0, SessionMaxHours: 24*90 + 1,
		PriceLimits: []school.PriceLimit{{Role: school.RoleSales, MinPercent: 101, MaxPercent: 99}},
	}
	want := map[string]string{
		"name": "name_required", "time_zone": "time_zone_unknown", "language": "language_unknown",
		"first_password_hours": "out_of_range", "link_hours": "out_of_range", "trash_days": "out_of_range",
		"session_idle_hours": "out_of_range", "session_max_hours": "out_of_range",
		"price_min_percent": "out_of_range", "price_max_percent": "out_of_range",
	}
	var e *school.Error
	if err := bad.Check(); !errors.As(err, &e) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, e.Fields); diff != "" {
		t.Fatal(diff)
	}
	for _, zone := range []string{"", "Mars/Olympus", "../etc/passwd", "asia/almaty "} {
		s := good
		s.TimeZone = zone
		if s.Check() == nil {
			t.Errorf("time zone %q was accepted", zone)
		}
	}
}

func TestPageNumbersFromAnAddressAreHarmless(t *testing.T) {
	t.Parallel()
	const maxInt = int(^uint(0) >> 1)
	for number, want := range map[int]int{-maxInt: 0, -1: 0, 0: 0, 1: 0, 2: school.PageSize, 3: 2 * school.PageSize} {
		if got := (school.Page{Number: number}).Offset(); got != want {
			t.Errorf("page %d begins at %d", number, got)
		}
	}
	if got := (school.Page{Number: maxInt}).Offset(); got < 0 {
		t.Errorf("the last page begins at %d", got)
	}
}

// TestErrorsKeepWhatTheyCarry: an error with a parameter is still the error that
// callers name, and the named one stays clean.
func TestErrorsKeepWhatTheyCarry(t *testing.T) {
	t.Parallel()
	e := school.ErrStudentExists.With("student_id", "1").With("student_name", "A")
	if !errors.Is(e, school.ErrStudentExists) || errors.Is(e, school.ErrStaffExists) || len(school.ErrStudentExists.Params) != 0 ||
		e.Params["student_id"] != "1" || e.Params["student_name"] != "A" || e.Fields["email"] != "student_exists" {
		t.Fatalf("%+v", e)
	}
	if school.KindOf(errors.Join(errors.New("x"), e)) != school.Conflict || school.KindOf(errors.New("x")) != school.Internal || school.KindOf(nil) != school.Internal {
		t.Fatal("kinds are lost")
	}
}

// TestEveryErrorAndActionIsListedOnce reads the declarations: a code that means
// two things, or an action that the catalogues are not asked about, is a fault.
func TestEveryErrorAndActionIsListedOnce(t *testing.T) {
	t.Parallel()
	codes, used := map[string]int{}, map[string]bool{}
	eachNode(t, "codes.go", func(n ast.Node) {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		value, isText := kv.Value.(*ast.BasicLit)
		if !isText {
			return
		}
		text, _ := strconv.Unquote(value.Value)
		switch key := kv.Key.(type) {
		case *ast.Ident:
			if key.Name == "Code" {
				codes[text]++
			}
		case *ast.BasicLit:
			used[text] = true
		}
	})
	if len(codes) < 40 {
		t.Fatalf("read only %d codes", len(codes))
	}
	for code, n := range codes {
		if n > 1 || code != strings.ToLower(code) {
			t.Errorf("%s is declared %d times", code, n)
		}
	}
	for code := range used {
		if codes[code] == 0 {
			t.Errorf("a field carries %s, which is no error", code)
		}
	}
	listed := map[school.Action]bool{}
	for _, a := range school.Actions() {
		listed[a] = true
	}
	declared := 0
	eachNode(t, "activity.go", func(n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Action" {
			return
		}
		declared++
		text, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if !listed[school.Action(text)] {
			t.Errorf("Actions does not list %s", text)
		}
	})
	if declared != len(school.Actions()) {
		t.Errorf("%d actions are declared, %d listed", declared, len(school.Actions()))
	}
}

func eachNode(t *testing.T, file string, f func(ast.Node)) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if n != nil {
			f(n)
		}
		return true
	})
}
