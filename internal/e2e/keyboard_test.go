package e2e_test

import "testing"

func TestKeysOpenCloseAndGiveTheFocusBack(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager := s.at(vera)
	const opened, shut = `!!document.querySelector("dialog:modal")`, `!document.querySelector("dialog:modal")`

	for _, n := range []string{"n", "т"} { // the same key on a Russian keyboard
		manager.key(n, "KeyN")
		manager.holds(opened)
		manager.holds(`document.activeElement.name === "full_name" && document.activeElement.value === ""`)
		manager.key("n", "KeyN") // in a field it is a letter
		manager.holds(`document.activeElement.name === "full_name" && document.activeElement.value === "n"`)
		manager.fill("ФИО", "")
		manager.key("Escape", "Escape")
		manager.holds(shut)
		manager.holds(`document.activeElement.matches("a, button") && document.activeElement.innerText.trim() === "Добавить ученика"`)
	}
	manager.key("?", "Slash")
	manager.holds(opened)
	manager.sees("Найти ученика", "Закрыть окно")
	manager.key("Escape", "Escape")
	manager.holds(shut)
	manager.holds(`document.activeElement.innerText.trim() === "Добавить ученика"`)
	manager.key("/", "Slash")
	manager.holds(`document.activeElement.name === "q" && document.activeElement.value === ""`)
	_, err := evaluate[any](manager, "void document.activeElement.blur()")
	manager.do("leave the search", err)

	manager.key("?", "Slash")
	manager.press("Включить клавиши / n ?")
	manager.key("Escape", "Escape")
	manager.holds(shut)
	manager.key("n", "KeyN")
	manager.key("/", "Slash")
	manager.holds(shut + ` && document.activeElement.name !== "q"`)
	manager.reload()
	manager.key("n", "KeyN")
	manager.holds(shut)
}
