package e2e_test

import "testing"

func TestDeskWorksWithoutScript(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.visitor("vera")
		manager.withoutScript()
		manager.open("/login")
		manager.logIn(vera.email, vera.password)
		manager.at(panel)

		manager.follow("Добавить ученика")
		manager.at(students + "/new")
		manager.allow(409, 422)
		manager.fill("ФИО", testStudent.name)
		manager.fill("Email", testStudent.email)
		manager.fill("Пароль", "short")
		manager.follow("Создать")
		manager.sees("Пароль короче 8 символов")
		manager.fill("Пароль", testStudent.password)
		manager.follow("Создать")
		manager.sees("Ученик создан", testStudent.email, testStudent.password)
		if _, err := manager.named("Скопировать всё", pressable); err == nil {
			t.Error("a button stands there that needs script")
		}
		manager.follow("Закрыть")
		manager.at(panel)
		manager.row(testStudent.email)
		manager.forgets(testStudent.password)

		manager.remove(testStudent)
		manager.follow("Вернуть")
		manager.row(testStudent.email)

		manager.follow("Добавить ученика")
		manager.fill("ФИО", "Другой Человек")
		manager.fill("Email", testStudent.email)
		manager.fill("Пароль", testStudent.password)
		manager.follow("Создать")
		manager.sees("Такой ученик уже есть: Test Student.")
		manager.follow("Открыть карточку")
		manager.at(students + "/" + s.idOf(testStudent.email))
		manager.open(panel)
		manager.fill("Найти ученика", "test123")
		manager.loading(func() { manager.key("Enter", "Enter") })
		manager.row(testStudent.email)
		manager.logOut(vera.name)
		manager.open(panel)
		manager.at("/login")
	})
}
