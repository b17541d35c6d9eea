package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestStudentIsEditedAndBlocked(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.create(testStudent)
		manager.follow("Открыть карточку")
		id := s.idOf(testStudent.email)
		manager.at(students + "/" + id)

		manager.press("Изменить имя или email")
		manager.fill("Email", "nobody")
		manager.allow(422)
		manager.follow("Сохранить")
		manager.sees("Похоже, в email опечатка")
		manager.fill("ФИО", "Әлия Нұрланқызы")
		manager.fill("Email", "Aliya@Example.com")
		manager.follow("Сохранить")
		manager.sees("Әлия Нұрланқызы", "aliya@example.com", "Email: test123@example.com → aliya@example.com")
		if s.idOf("aliya@example.com") != id {
			t.Error("the enrolment has not followed the account's e-mail")
		}

		student, phone := s.visitor("student"), s.visitor("phone")
		for _, device := range []*tab{student, phone} {
			device.open("/login")
			device.logIn("aliya@example.com", testStudent.password)
			device.at("/password")
		}
		manager.follow("Заблокировать")
		manager.sees("Заблокирован")
		student.open("/password")
		student.at("/login")
		student.allow(403)
		student.logIn("aliya@example.com", testStudent.password)
		student.sees("Доступ закрыт. Напишите, пожалуйста, своему менеджеру.")
		manager.follow("Разблокировать")
		manager.sees("Активен")
		phone.open("/password")
		phone.at("/login") // what has ended does not come back
		student.logIn("aliya@example.com", testStudent.password)
		student.at("/password")
		manager.tells(students+"/"+id, map[string]int{"доступ закрыт": 1, "доступ снова открыт": 1, "данные изменены": 1, "первый вход": 1})
	})
}

func TestModuleIsGrantedWithAReason(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		const reason = "перенос из прошлого потока"
		manager := s.at(vera)
		manager.create(testStudent)
		manager.follow("Открыть карточку")
		id := s.idOf(testStudent.email)
		manager.press("Открыть вручную 17")
		manager.fill("Причина", reason)
		manager.follow("Открыть модуль 17")
		manager.sees("вручную, сегодня", vera.name+": "+reason, "модуль открыт вручную")
		if n := s.count("SELECT count(*) FROM module_unlocks WHERE user_id = $1 AND module_id = 17 AND grant_id IS NOT NULL", id); n != 1 {
			t.Errorf("the grant has opened module 17 %d times", n)
		}
		manager.allow(422)
		got := manager.post(students+"/"+id+"/grants", url.Values{"module_id": {"18"}, "reason": {"  "}}, "application/json")
		if got.Status != 422 || !strings.Contains(got.Text, "reason_required") {
			t.Errorf("without a reason: %d %s", got.Status, got.Text)
		}

		student := s.visitor("student")
		student.open("/login")
		student.firstLogIn(testStudent)
		student.at("/")
		student.seesModules("Открыт", "Открыт", "Откроется после модуля 17")
	})
}
