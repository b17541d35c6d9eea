package e2e_test

import (
	"strings"
	"testing"
	"time"
)

func TestDeleteUndoDeleteAndCreateAnew(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		manager := s.at(vera)
		manager.create(testStudent)
		manager.finish()
		old := s.idOf(testStudent.email)

		manager.remove(testStudent)
		manager.follow("Вернуть")
		manager.sees("Ученик восстановлен: Test Student")
		manager.row(testStudent.email)
		if s.idOf(testStudent.email) != old {
			t.Error("Undo has made somebody else")
		}
		manager.remove(testStudent)

		before := time.Now()
		manager.create(testStudent)
		manager.finish()
		manager.row(testStudent.email)
		s.opensModule16(before)
		fresh := s.idOf(testStudent.email)
		if fresh == old {
			t.Error("the old account was taken for the new one")
		}
		manager.restoreElsewhere(old)
		if s.idOf("restored@example.com") != old || s.idOf(testStudent.email) != fresh {
			t.Error("the addresses were mixed up")
		}

		manager.tells(students+"/"+old, map[string]int{
			"ученик добавлен": 1, "ученик удалён": 2, "ученик восстановлен": 2, "restored@example.com": 1,
		})
		manager.tells(students+"/"+fresh, map[string]int{"ученик добавлен": 1, "ученик удалён": 0, "ученик восстановлен": 0})
		if n := s.count("SELECT count(*) FROM module_unlocks WHERE module_id = 16"); n != 2 {
			t.Errorf("two students have module 16 open %d times", n)
		}
	})
}

// remove deletes a student from the menu of the row.
func (b *tab) remove(p person) {
	b.t.Helper()
	b.press("Действия: " + p.name)
	b.follow("Удалить")
	b.at(panel)
	b.sees("Ученик удалён: " + p.name)
	b.noRow(p.email)
}

// restoreElsewhere brings the student of the trash back, whose address belongs
// to somebody else by now.
func (b *tab) restoreElsewhere(id string) {
	b.t.Helper()
	b.open(trash)
	b.allow(409)
	b.follow("Восстановить: " + testStudent.name)
	b.sees("Этот email теперь у другого ученика. Укажите другой или откройте его карточку.")
	b.fill("Другой email для этого ученика", "restored@example.com")
	b.follow("Восстановить")
	b.at(students + "/" + id)
	b.sees("restored@example.com", "Активен")
	b.open(trash)
	b.sees("Корзина пуста")
}

// tells counts what the history of a card says.
func (b *tab) tells(card string, want map[string]int) {
	b.t.Helper()
	b.open(card)
	history := b.text("#activity")
	for words, n := range want {
		if got := strings.Count(history, words); got != n {
			b.t.Errorf("the history of %s says %q %d times, want %d: %s", card, words, got, n, history)
		}
	}
}
