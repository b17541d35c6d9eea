package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestTheDemoIsARealSchool: the logins that it prints work, its figures agree
// with its rows, every student went through the trigger, and nothing of it is
// left behind.
func TestTheDemoIsARealSchool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := place{}.start(t, "demo", "--students=30")
	found := regexp.MustCompile(`(?m)^  (administrator|sales manager|student|password) +(\S+)$`).FindAllStringSubmatch(s.said, -1)
	if len(found) != 5 || !strings.Contains(s.said, "A school of 30 students is ready") {
		t.Fatalf("printed\n%s", s.said)
	}
	word := found[4][2]
	for _, login := range found[:4] {
		if code := s.logIn(t, login[2], word); code != http.StatusSeeOther {
			t.Errorf("log in as the %s %s: %d", login[1], login[2], code)
		}
		want := http.StatusOK
		if login[1] == "student" {
			want = http.StatusForbidden
		}
		if code, _ := s.request(t, http.MethodGet, "/integrator/sales-manager", nil); code != want {
			t.Errorf("the panel for the %s: %d", login[1], code)
		}
	}
	if code, page := s.request(t, http.MethodGet, "/", nil); code != http.StatusOK || strings.Count(page, `class="no"`) != 3 {
		t.Errorf("the student's course: %d", code)
	}

	folders, err := filepath.Glob(filepath.Join(dir, "tripwire-demo-*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("%v, %v", folders, err)
	}
	if r := (place{}).run(t, "", "doctor", "--data="+folders[0]); r.code != 0 {
		t.Errorf("doctor: %+v", r)
	}
	target := storetest.Target{Engine: "sqlite", Options: store.Options{File: filepath.Join(folders[0], "tripwire.db")}}
	db := target.Raw(t)
	for query, want := range map[string]int{
		"SELECT count(*) FROM tripwire_users":                                                 30,
		"SELECT count(*) FROM users WHERE role = 'student'":                                   30,
		"SELECT count(*) FROM module_unlocks WHERE module_id = 16":                            30,
		"SELECT count(*) FROM letters":                                                        30,
		"SELECT count(*) FROM activity WHERE action = 'student.created'":                      30,
		"SELECT count(*) FROM module_unlocks WHERE unlocked_at > datetime('now', '1 minute')": 0,
		"SELECT count(*) FROM tripwire_users WHERE granted_at > datetime('now', '1 minute')":  0,
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d, want %d, %v", query, n, want, err)
		}
	}
	_ = db.Close()

	s.stop(t)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
