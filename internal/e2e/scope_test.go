package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestAnotherManagersStudentIsNobody(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		owner := s.at(vera)
		owner.create(testStudent)
		owner.finish()
		id := s.idOf(testStudent.email)

		other := s.at(boris)
		other.allow(404, 409)
		other.hasNobody(panel)
		s.refuses(other, id)
		owner.remove(testStudent)
		other.hasNobody(trash)
		s.refuses(other, id)
		owner.open(trash)
		owner.follow("Восстановить: Test Student")
		s.tellsNothing(other)

		boss := s.at(admin)
		boss.row(testStudent.email)
		boss.open(students + "/" + id)
		boss.press("Изменить имя или email")
		boss.fill("ФИО", "Тест Ученик")
		boss.follow("Сохранить")
		boss.sees("Тест Ученик", vera.name)
		boss.follow("Удалить")
		boss.open(trash)
		boss.follow("Восстановить: Тест Ученик")
		boss.at(students + "/" + id)
		owner.open(panel)
		owner.sees("Тест Ученик")
	})
}

// hasNobody checks a list, its counts and its search.
func (b *tab) hasNobody(list string) {
	b.t.Helper()
	for _, address := range []string{list, list + "?q=test123", list + "?q=student", list + "?page=2", list + "?status=active"} {
		b.open(address)
		b.seesNot(testStudent.name, testStudent.email)
		header := strings.ReplaceAll(b.text("#students header"), "Застряли на 7 дней", "Застряли")
		if digits := strings.Trim(header, "0 "); strings.ContainsAny(digits, "123456789") {
			b.t.Errorf("%s counts somebody: %s", address, digits)
		}
	}
}

// refuses tries every address of a student, and looks whether anything has
// changed.
func (s *school) refuses(other *tab, id string) {
	s.t.Helper()
	state := "SELECT count(*) FROM tripwire_users WHERE user_id = $1 AND blocked_at IS NULL AND deleted_at IS NULL"
	before, alive := s.everything(), s.count(state, id)
	card := students + "/" + id
	other.open(card)
	if status := other.lastStatus(); status != 404 {
		s.t.Errorf("the card answers %d", status)
	}
	other.seesNot(testStudent.name, testStudent.email)
	forms := map[string]url.Values{
		"": {"full_name": {"Чужой"}, "email": {"mine@example.com"}}, "/block": {}, "/unblock": {}, "/delete": {}, "/restore": {},
		"/restore?back=list": {"email": {"mine@example.com"}}, "/link": {}, "/grants": {"module_id": {"17"}, "reason": {"моя причина"}},
	}
	for verb, form := range forms {
		for _, accept := range []string{"text/html", "application/json"} {
			got := other.post(card+verb, form, accept)
			if got.Status != 404 || strings.Contains(got.Text, testStudent.name) || strings.Contains(got.Text, testStudent.email) {
				s.t.Errorf("POST %s as %s: %d %s", verb, accept, got.Status, got.Text)
			}
		}
	}
	s.unchanged(before)
	if s.count(state, id) != alive {
		s.t.Error("the student's state has changed")
	}
}

// tellsNothing creates the same e-mail as another manager, who may learn that it
// is taken, but not by whom.
func (s *school) tellsNothing(other *tab) {
	s.t.Helper()
	other.open(panel)
	other.press("Добавить ученика")
	other.fill("ФИО", "Другой Человек")
	other.fill("Email", testStudent.email)
	other.fill("Пароль", "another-1234")
	other.press("Создать")
	other.sees("Такой ученик уже есть")
	other.seesNot(testStudent.name)
	if found, err := other.named("Открыть карточку", pressable); err == nil {
		s.t.Errorf("another manager is led to the card: %v", found)
	}
	got := other.post(students, url.Values{"full_name": {"Другой"}, "email": {testStudent.email}, "access": {"link"}}, "application/json")
	if got.Status != 409 || strings.Contains(got.Text, testStudent.name) || strings.Contains(got.Text, "student_id") {
		s.t.Errorf("another manager learns %d %s", got.Status, got.Text)
	}
}
