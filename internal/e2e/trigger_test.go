package e2e_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

const firstTrigger = "auto_unlock_first_module_on_user_creation"

func TestMissingTriggerStopsTheStartAndDoctorMends(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		s.stop(t)
		s.exec(map[string]string{
			"sqlite":   "DROP TRIGGER " + firstTrigger,
			"postgres": "DROP TRIGGER " + firstTrigger + " ON tripwire_users",
		}[s.engine])
		id := s.enrolPastTheDesk("Опоздавший Ученик", "late@example.com")

		if got := s.run(t, "", "serve", "--addr", "127.0.0.1:0"); got.code != 1 || !strings.Contains(got.err, firstTrigger) || got.out != "" {
			t.Errorf("serve without the trigger: exit %d, printed %q, said %q", got.code, got.out, got.err)
		}
		got := s.run(t, "", "doctor")
		if got.code != 1 || !strings.Contains(got.out, firstTrigger) || !strings.Contains(got.out, "late@example.com") || !strings.Contains(got.out, "doctor --fix") {
			t.Errorf("doctor: exit %d: %s%s", got.code, got.out, got.err)
		}
		got = s.run(t, "", "doctor", "--fix")
		for _, words := range []string{firstTrigger, "Опоздавший Ученик <late@example.com>", "module 16"} {
			if !strings.Contains(got.out, words) {
				t.Errorf("doctor --fix does not say %q", words)
			}
		}
		if got.code != 0 || t.Failed() {
			t.Errorf("doctor --fix: exit %d: %s%s", got.code, got.out, got.err)
		}
		if n := s.count("SELECT count(*) FROM module_unlocks WHERE user_id = $1 AND module_id = 16", id); n != 1 {
			t.Errorf("module 16 is open %d times", n)
		}
		if got := s.run(t, "", "doctor"); got.code != 0 || strings.Contains(got.out, "WRONG") {
			t.Errorf("doctor afterwards: exit %d: %s%s", got.code, got.out, got.err)
		}

		again := &school{server: s.serve(t), t: t}
		manager := again.at(vera)
		manager.row("late@example.com")
		manager.open(students + "/" + id)
		manager.sees("открыт при зачислении")
		manager.open(panel)
		manager.create(testStudent)
		if n := again.count("SELECT count(*) FROM module_unlocks WHERE user_id = $1 AND module_id = 16", again.idOf(testStudent.email)); n != 1 {
			t.Errorf("the trigger that was put back opens module 16 %d times", n)
		}
	})
}

// exec changes the database from outside.
func (s *school) exec(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.raw(s.t).ExecContext(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// enrolPastTheDesk writes a student's rows by hand.
func (s *school) enrolPastTheDesk(name, email string) (id string) {
	s.t.Helper()
	id = uuid.NewString()
	now := map[string]string{"sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')", "postgres": "now()"}[s.engine]
	s.exec("INSERT INTO users (id, email, full_name, search_text, role, language, created_at) VALUES ($1, $2, $3, $3, 'student', 'ru', "+now+")", id, email, name)
	s.exec(`INSERT INTO tripwire_users (user_id, course_id, email, granted_by, granted_at)
		SELECT $1, c.id, $2, m.id, `+now+` FROM courses c, users m WHERE m.email = $3`, id, email, vera.email)
	return id
}
