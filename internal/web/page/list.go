package page

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// ListState is what the address of the panel says, without a place in the list.
type ListState struct{ values url.Values }

// Set changes one parameter; an empty value takes it out.
func (s *ListState) Set(name, value string) {
	if s.values == nil {
		s.values = url.Values{}
	}
	if value == "" {
		s.values.Del(name)
		return
	}
	s.values.Set(name, value)
}

// Get answers a parameter; empty where there is none.
func (s ListState) Get(name string) string { return s.values.Get(name) }

// Query is the state as an address carries it, the parameters by name.
func (s ListState) Query() string { return s.values.Encode() }

// With answers the address of the panel with some parameters changed: names and
// values in turn. It begins at the head of the list.
func (s ListState) With(pairs ...string) string { return s.at(panelPath, pairs...) }

func (s ListState) at(path string, pairs ...string) string {
	changed := ListState{url.Values{}}
	maps.Copy(changed.values, s.values)
	for i := 0; i+1 < len(pairs); i += 2 {
		changed.Set(pairs[i], pairs[i+1])
	}
	if len(changed.values) == 0 {
		return path
	}
	return path + "?" + changed.Query()
}

// Pairs answers the parameters for a form that has some of them itself.
func (s ListState) Pairs(but ...string) []Pair {
	var all []Pair
	for name, values := range s.values {
		if !slices.Contains(but, name) && len(values) > 0 {
			all = append(all, Pair{name, values[0]})
		}
	}
	slices.SortFunc(all, func(a, b Pair) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// StudentList is one page of students, with what chose it.
type StudentList struct {
	Students []school.Student
	Total    int // of all pages, as filtered; -1: more than are counted
	Counts   *school.StudentCounts
	State    ListState
	Sort     school.Sort
	Period   school.Period
	// Next and Before are the places where the neighbouring pages begin; empty: none.
	Next, Before string
	Courses      []school.Facet
	Managers     []school.Facet
	// FacetsCounted: the numbers at courses and managers are those of the list.
	FacetsCounted bool
	Views         []school.SavedView
	// MayTransfer offers to give the marked students to another manager.
	MayTransfer bool
	TransferTo  []school.Manager
	// ShowManager adds the column of who has the student.
	ShowManager bool
	// Trash is the list of the deleted, in numbered pages.
	Trash bool
	Page  int
}

func (l StudentList) query() string { return l.State.Get("q") }

func (l StudentList) status() school.Status { return school.Status(l.State.Get("status")) }

// narrowed: something was chosen, so that nobody found is not nobody there.
func (l StudentList) narrowed() bool {
	for _, name := range []string{"q", "status", "period", "from", "to", "manager", "course"} {
		if l.State.Get(name) != "" {
			return true
		}
	}
	return l.Next != "" || l.Before != "" || l.page() > 1
}

// empty: there is nobody at all, as opposed to nobody who fits.
func (l StudentList) empty() bool { return len(l.Students) == 0 && !l.narrowed() && !l.beyond() }

// beyond: the page begins behind the last of those who fit; there were more.
func (l StudentList) beyond() bool { return len(l.Students) == 0 && l.Total > 0 }

// total is how many fit, in words.
func (l StudentList) total(p locale.Printer) string {
	if l.Total < 0 {
		return p.T("list.many", "n", p.Number(len(l.Students)))
	}
	return p.Number(l.Total)
}

func (l StudentList) chip(p locale.Printer, status school.Status) string {
	key := "chip.all"
	if status != "" {
		key = "chip." + string(status)
	}
	if l.Counts == nil || l.Counts.Of(status) < 0 {
		return p.T(key)
	}
	return p.T(key) + " " + p.Number(l.Counts.Of(status))
}

// chips are the choices of the list. Test accounts are offered where there are any.
func (l StudentList) chips() []school.Status {
	return slices.DeleteFunc(school.Chosen(), func(s school.Status) bool {
		return s == school.StatusTest && l.status() != s && (l.Counts == nil || l.Counts.Test == 0)
	})
}

// sortURL leads to the list sorted by a column: the other way round if it is so
// already.
func (l StudentList) sortURL(by school.SortColumn) string {
	s := school.Sort{By: by, Desc: by == school.SortAdded || by == school.SortModules}
	if l.sort().By == by {
		s.Desc = !l.sort().Desc
	}
	return l.State.With("sort", s.String())
}

func (l StudentList) sort() school.Sort {
	if l.Sort.By == "" {
		return school.NewestFirst
	}
	return l.Sort
}

func (l StudentList) ariaSort(by school.SortColumn) string {
	switch {
	case l.sort().By != by:
		return "none"
	case l.sort().Desc:
		return "descending"
	default:
		return "ascending"
	}
}

// live lets a link of the list change the list alone where scripts run. Everywhere
// else it is a plain link.
func live(to string) templ.Attributes {
	return templ.Attributes{
		"hx-get": to, "hx-target": "#students", "hx-select": "#students",
		"hx-swap": "outerHTML show:none", "hx-push-url": "true",
	}
}

// The pages of the trash are numbered.
func (l StudentList) page() int { return max(l.Page, 1) }

func (l StudentList) first() int { return (l.page()-1)*school.PageSize + 1 }

func (l StudentList) last() int { return l.first() + len(l.Students) - 1 }

func (l StudentList) more() bool { return l.page()*school.PageSize < l.Total }

// nothingText says who was looked for and where.
func nothingText(p locale.Printer, l StudentList) string {
	switch {
	case l.Trash, l.beyond():
		return p.T("nothing.page")
	case l.query() != "" && l.status() != "":
		return p.T("nothing.query_chosen", "query", l.query())
	case l.query() != "":
		return p.T("nothing.query", "query", l.query())
	case l.narrowed():
		return p.T("nothing.chosen")
	default:
		return p.T("nothing.page")
	}
}
