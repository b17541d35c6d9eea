package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestListOnPaper looks at the panel as a page of A4 shows it, to somebody whose
// screen is dark.
func TestListOnPaper(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager := s.at(vera)
	manager.admit("Айбек Мұратов", "aibek@example.com")
	manager.reload()
	manager.row("aibek@example.com")
	manager.look(718, "dark") // 190 mm
	_, err := chromedp.Call(manager.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	manager.do("look at the print", err)
	for _, theme := range []string{"", "dark"} {
		_, err := evaluate[any](manager, `void (document.documentElement.dataset.theme = "`+theme+`")`)
		manager.do("choose a theme", err)
		manager.holds(`getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)"`)
		manager.holds(`getComputedStyle(document.querySelector("#students .who b")).color === "rgb(0, 0, 0)"`)
	}
	manager.holds(`getComputedStyle(document.querySelector("#students thead")).display === "table-header-group"`)
	manager.holds(`getComputedStyle(document.querySelector("#students tbody tr")).breakInside === "avoid"`)
	manager.holds(`document.querySelector("#students .num").checkVisibility()`)
	for _, pressed := range []string{".topbar", ".tabs", ".filters", "#students .cell-actions", ".page-head .btn"} {
		manager.holds(`![...document.querySelectorAll("` + pressed + `")].some(e => e.checkVisibility())`)
	}
}
