package page

import (
	"strconv"
	"strings"
	"unicode"

	"tripwire/internal/school"
)

// The addresses that several screens share.
const (
	panelPath    = "/integrator/sales-manager"
	studentsPath = "/integrator/students"
	newPath      = "/integrator/students/new"
	salesPath    = "/integrator/sales"
	trashPath    = "/integrator/trash"
	homeworkPath = "/integrator/homework"
	coursesPath  = "/integrator/courses"
)

func studentPath(id school.UserID, verb string) string {
	if verb == "" {
		return studentsPath + "/" + string(id)
	}
	return studentsPath + "/" + string(id) + "/" + verb
}

// initials are at most two letters for the round mark beside a name.
func initials(name string) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		for _, r := range word {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
		if len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "·"
	}
	return string(out)
}

// givenName guesses the name to greet by. Forms here are filled in as "surname
// given patronymic" as often as the other way round.
func givenName(full string) string {
	words := strings.Fields(full)
	switch {
	case len(words) == 0:
		return ""
	case len(words) == 3 && patronymic(words[2]), len(words) == 2 && surname(words[0]) && !surname(words[1]) && !patronymic(words[1]):
		return words[1]
	default:
		return words[0]
	}
}

func patronymic(word string) bool {
	return hasAnySuffix(word, "вич", "вна", "ична", "ұлы", "қызы", "улы", "кызы", "оглы")
}

func surname(word string) bool {
	return len([]rune(word)) >= 5 && hasAnySuffix(word, "ов", "ев", "ова", "ева", "ский", "ская", "енко")
}

func hasAnySuffix(word string, ends ...string) bool {
	word = strings.ToLower(word)
	for _, end := range ends {
		if strings.HasSuffix(word, end) {
			return true
		}
	}
	return false
}

// statusClass gives a status its colour; the word beside it says the same.
func statusClass(s school.Status) string {
	switch s {
	case school.StatusActive:
		return "ok"
	case school.StatusCompleted:
		return "done"
	case school.StatusBlocked, school.StatusDeleted:
		return "bad"
	case school.StatusTest:
		return "test"
	default:
		return ""
	}
}

// pip is one small bar of the progress in a row: on, open or neither.
func pips(s school.Student) []string {
	const most = 12 // more would not fit a row; the figures beside them always do
	total := min(s.ModulesTotal, most)
	marks := make([]string, total)
	for i := range marks {
		switch {
		case i < s.ModulesDone:
			marks[i] = "on"
		case i < s.ModulesDone+s.ModulesOpen:
			marks[i] = "open"
		}
	}
	return marks
}

func progress(s school.Student) string {
	return strconv.Itoa(s.ModulesDone) + "/" + strconv.Itoa(s.ModulesTotal)
}

// absolute puts the address of the site before a path.
func (c Chrome) absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return c.BaseURL + path
	}
	return path
}

// site is the address of the site as it is said aloud.
func (c Chrome) site() string {
	return strings.TrimPrefix(strings.TrimPrefix(c.BaseURL, "https://"), "http://")
}

func pressed(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// inTrash makes the links of the list lead to the trash.
func inTrash(l StudentList) StudentList {
	l.Trash = true
	return l
}
