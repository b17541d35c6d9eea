package page_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tripwire/internal/school"
)

var out = flag.String("out", "", "a folder to write the drawn pages to, for looking at them")

func TestPagesFullEmptyHostile(t *testing.T) {
	for _, k := range []kind{full, empty, hostile} {
		for _, lang := range school.Languages() {
			for name, component := range pages(k, lang) {
				t.Run(string(k)+"/"+string(lang)+"/"+name, func(t *testing.T) {
					var b strings.Builder
					if err := component.Render(t.Context(), &b); err != nil {
						t.Fatal(err)
					}
					keep(t, string(k)+"-"+string(lang)+"-"+name+".html", b.String())
					judge(t, b.String(), !strings.HasPrefix(name, "fragment"))
				})
			}
		}
	}
}

func keep(t *testing.T, name, page string) {
	if *out == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*out, name), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
}

// judge asserts what must hold for every page, whatever it shows.
func judge(t *testing.T, page string, whole bool) {
	t.Helper()
	if strings.Contains(page, script) {
		t.Error("a script of the data stands in the page")
	}
	if i := strings.IndexAny(page, "⟦⟧"); i >= 0 {
		t.Errorf("a sentence is missing: %s", page[i:min(len(page), i+60)])
	}
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	headings, ids := 0, map[string]bool{}
	var refs []string
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "h1" {
			headings++
		}
		if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
			t.Errorf("inline <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case (a.Key == "href" || a.Key == "action" || a.Key == "formaction") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") &&
				!strings.HasPrefix(a.Val, "https://wa.me/?text=") && !strings.HasPrefix(a.Val, "https://t.me/share/url?url="):
				t.Errorf("<%s %s=%q> leaves the site", n.Data, a.Key, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("id %q stands twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
				refs = append(refs, strings.Fields(a.Val)...)
			}
		}
	}
	for _, id := range refs {
		if !ids[id] {
			t.Errorf("something names id %q, which is not there", id)
		}
	}
	if whole && headings != 1 {
		t.Errorf("%d first headings, want 1", headings)
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
