package e2e_test

import (
	"regexp"
	"strings"
	"testing"
)

const ownPassword = "мой собственный пароль"

func TestOneTimeLinkGivesAccessOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.press("Добавить ученика")
		manager.fill("ФИО", testStudent.name)
		manager.fill("Email", testStudent.email)
		manager.pressOn("dialog input[name=access][value=link]")
		manager.press("Создать")
		manager.sees("Ученик создан", "Передайте ссылку — она показана один раз")
		link := regexp.MustCompile(regexp.QuoteMeta(s.base) + `(/access/[\w-]+)`).FindStringSubmatch(manager.text("dialog:modal"))
		if link == nil {
			t.Fatalf("there is no link in %s", manager.text("dialog:modal"))
		}
		manager.finish()
		manager.forgets(link[1])

		student := s.visitor("student")
		student.open(link[1])
		student.sees("Придумайте свой пароль")
		student.fill("Новый пароль", "коротко")
		student.allow(422)
		student.follow("Сохранить пароль")
		student.sees("Пароль короче 8 символов")
		student.fill("Новый пароль", ownPassword)
		student.follow("Сохранить пароль")
		student.at("/")
		student.seesModules("Открыт", "Откроется после модуля 16", "Откроется после модуля 17")

		second := s.visitor("second")
		second.allow(404)
		second.open(link[1])
		second.sees("Ссылка больше не действует", "ею уже воспользовались")
		if strings.Contains(s.err.String(), link[1]) {
			t.Error("the link stands in the log")
		}
		second.follow("Перейти ко входу")
		second.logIn(testStudent.email, ownPassword)
		second.at("/")
	})
}

func TestFirstStartOffersOneAdministrator(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(*testing.T) database{"sqlite": emptySQLite, "postgres": emptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &school{server: empty(t).serve(t), t: t}
			link := regexp.MustCompile(regexp.QuoteMeta(s.base) + `(/setup/[\w-]+)`).FindStringSubmatch(s.out.String())
			if link == nil {
				t.Fatalf("no link is printed: %s", s.out)
			}
			first := s.visitor("first")
			first.open(link[1])
			first.fill("ФИО", admin.name)
			first.fill("Email", admin.email)
			first.fill("Пароль", admin.password)
			first.follow("Создать и войти")
			first.at(panel)
			first.sees("Настройки")

			second := s.visitor("second")
			second.allow(404)
			second.open(link[1])
			second.sees("Ссылка больше не действует")
			if n := s.count("SELECT count(*) FROM users"); n != 1 {
				t.Errorf("there are %d accounts", n)
			}
			first.leave()
			second.leave()
			s.stop(t)
			again := s.serve(t)
			if strings.Contains(again.out.String(), "/setup/") || strings.Contains(s.err.String(), link[1]) {
				t.Errorf("the link is offered again or stands in the log: %s", again.out)
			}
		})
	}
}
