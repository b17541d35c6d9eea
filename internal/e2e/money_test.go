package e2e_test

import (
	"strings"
	"testing"
)

const sales = "/integrator/sales"

func TestRefundAndCorrectionChangeTheCardAndTheLedger(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.create(testStudent)
		manager.finish()
		id := s.idOf(testStudent.email)
		card := students + "/" + id
		manager.open(card)
		manager.sees("Продажа", "5 000 ₸")
		manager.seesNot("Исправить цену", "Передать другому менеджеру")

		boss := s.at(admin)
		boss.open(card)
		boss.press("Возврат")
		boss.fill("Сколько вернуть", "6000")
		boss.allow(409, 422)
		boss.follow("Записать возврат")
		boss.sees("Напишите причину") // what was typed is still there
		boss.holds(`document.querySelector("#refund-amount").value === "6000"`)
		boss.fillIn("#refund-reason", "передумал")
		boss.follow("Записать возврат")
		boss.sees("Вернуть можно не больше, чем было оплачено.")
		boss.holds(`document.querySelector("#refund-reason").value === "передумал"`)
		boss.fill("Сколько вернуть", "1500,50")
		boss.follow("Записать возврат")
		boss.at(card)
		boss.sees("Возврат записан", "−1 500,50 ₸", "передумал", admin.name, "Оплачено 3 499,50 ₸")

		boss.press("Исправить цену")
		boss.fill("Правильная цена", "4000")
		boss.fillIn("#price-reason", "опечатка")
		boss.follow("Сохранить цену")
		boss.sees("Исправление цены", "−1 000 ₸", "Оплачено 2 499,50 ₸")
		boss.tells(card, map[string]int{"деньги возвращены": 1, "Сумма: 1 500,50 ₸": 1, "цена исправлена": 1})

		for who, b := range map[string]*tab{vera.name: manager, "all": boss} {
			b.open(sales)
			b.sees("1 продажа", "2 499,50 ₸", "−1 500,50 ₸", "−1 000 ₸", "передумал", "опечатка", testStudent.email)
			if n := read[int](b, `document.querySelectorAll("#sales tbody tr").length`); n != 3 {
				t.Errorf("%s sees %d events", who, n)
			}
		}
		manager.follow(testStudent.name + " " + testStudent.email)
		manager.at(card)
		other := s.at(boris)
		other.open(sales)
		other.sees("Продаж пока нет")
	})
}

func TestTransferMovesTheStudentAndMasksTheSale(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		old := s.at(vera)
		old.create(testStudent)
		old.finish()
		id := s.idOf(testStudent.email)
		young, boss := s.at(boris), s.at(admin)
		young.seesNot(testStudent.email)

		boss.open(students + "/" + id)
		boss.press("Передать другому менеджеру")
		boss.allow(422)
		boss.follow("Передать")
		boss.sees("Выберите менеджера.")
		boss.choose("manager", s.staffID(boris))
		boss.follow("Передать")
		boss.sees("Ученик передан другому менеджеру", "В показателях продажа засчитана: "+vera.name)

		young.open(panel)
		young.row(testStudent.email)
		old.open(panel)
		if list := old.text("#students"); strings.Contains(list, testStudent.name) || strings.Contains(list, testStudent.email) {
			t.Errorf("the old manager's list: %s", list)
		}
		old.allow(404)
		old.open(students + "/" + id)
		old.seesNot(testStudent.name, testStudent.email)
		old.open(sales)
		old.sees("1 продажа", "передан другому менеджеру", "5 000 ₸")
		old.seesNot(testStudent.name, testStudent.email)
		young.open(sales)
		young.sees("Продаж пока нет")

		boss.open(students + "/" + id)
		boss.press("Передать другому менеджеру")
		boss.choose("manager", s.staffID(boris))
		boss.pressOn("[name=sales]")
		boss.follow("Передать")
		young.open(sales)
		young.sees("1 продажа", testStudent.email)
		old.open(sales)
		old.sees("Продаж пока нет")
	})
}

func TestTestAccountIsInNoFigure(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.create(testStudent)
		manager.finish()
		card := students + "/" + s.idOf(testStudent.email)
		boss := s.at(admin)
		boss.open(card)
		boss.follow("Отметить как тестовый")
		boss.sees("Тестовый", "Тестовый аккаунт: в показателях его нет.")
		manager.open(sales)
		manager.sees("Продаж пока нет")
		boss.follow("Учитывать в показателях")
		manager.open(card)
		manager.follow("Отправить письмо ещё раз")
		manager.sees("Письмо поставлено в очередь", "Активен")
		manager.open(sales)
		manager.sees("1 продажа")
	})
}

// TestLedgerIsReadOn: the next page is put behind this one, and is a page of its
// own without script.
func TestLedgerIsReadOn(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		for i := range 60 {
			manager.admit("Ученик", string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.com")
		}
		manager.open(sales)
		manager.sees("60 продаж", "300 000 ₸")
		_, pages := manager.counts()
		next := read[string](manager, `document.querySelector(".ledger-more a").getAttribute("href")`)
		manager.press("Показать ещё")
		manager.holds(`document.querySelectorAll("#sales tbody tr").length === 60 && !document.querySelector(".ledger-more")`)
		if _, now := manager.counts(); now != pages {
			t.Errorf("reading on needed %d pages to be loaded anew", now-pages)
		}
		manager.open(next)
		manager.sees("60 продаж", "К новым")
		manager.holds(`document.querySelectorAll("#sales tbody tr").length === 10`)
		manager.follow("К новым")
		manager.follow("Вчера")
		manager.sees("продаж нет")
		manager.follow("Сегодня")
		manager.sees("60 продаж")
	})
}

// staffID is the id of a member of staff.
func (s *school) staffID(p person) (id string) {
	s.t.Helper()
	if err := s.raw(s.t).QueryRowContext(s.t.Context(), "SELECT id FROM users WHERE email = $1", p.email).Scan(&id); err != nil {
		s.t.Fatalf("find %s: %v", p.email, err)
	}
	return id
}
