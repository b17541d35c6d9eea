package e2e_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// open goes to a path as if it had been typed.
func (b *tab) open(path string) {
	b.t.Helper()
	b.loading(func() {
		_, err := chromedp.Call(b.ctx, page.Navigate, page.NavigateParams{URL: b.base + path})
		b.do("open "+path, err)
	})
}

// reload loads the page anew.
func (b *tab) reload() {
	b.t.Helper()
	b.loading(func() {
		_, err := chromedp.Call(b.ctx, page.Reload, page.ReloadParams{})
		b.do("reload", err)
	})
}

// loading does what leads to another page and waits for it.
func (b *tab) loading(act func()) {
	b.t.Helper()
	before, _ := b.counts()
	act()
	b.until("a page to load", func() error {
		if now, _ := b.counts(); now == before {
			return errors.New("none did")
		}
		return nil
	})
}

// Roles of what can be pressed and of what can be filled in.
var (
	pressable = []string{"button", "link", "DisclosureTriangle", "radio", "checkbox", "menuitem"}
	fillable  = []string{"textbox", "searchbox", "spinbutton", "combobox"}
)

// named finds what assistive technology would find: nothing hidden, nothing
// behind a dialog.
func (b *tab) named(name string, roles []string) (found []cdp.BackendNodeID, err error) {
	document, err := evaluate[*runtime.RemoteObject](b, "document")
	if err != nil {
		return nil, err
	}
	all, err := chromedp.Call(b.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{
		ObjectID: document.ObjectID, AccessibleName: name,
	})
	if err != nil {
		return nil, err
	}
	for _, n := range all.Nodes {
		if !n.Ignored && n.Role != nil && slices.Contains(roles, strings.Trim(string(n.Role.Value), `"`)) {
			found = append(found, n.BackendDOMNodeID)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("there is none")
	}
	return found, nil
}

// matching finds the first element of a selector.
func (b *tab) matching(css string) ([]cdp.BackendNodeID, error) {
	element, err := evaluate[*runtime.RemoteObject](b, fmt.Sprintf("document.querySelector(%q)", css))
	if err != nil {
		return nil, err
	}
	if element == nil || element.ObjectID == "" {
		return nil, errors.New("there is none")
	}
	node, err := chromedp.Call(b.ctx, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: element.ObjectID})
	if err != nil {
		return nil, err
	}
	return []cdp.BackendNodeID{node.Node.BackendNodeID}, nil
}

// press presses the button, link or choice of this name.
func (b *tab) press(name string) {
	b.t.Helper()
	b.until("“"+name+"” to press", func() error {
		found, err := b.named(name, pressable)
		if err != nil {
			return err
		}
		return b.click(found[0])
	})
}

// follow presses what leads to another page.
func (b *tab) follow(name string) {
	b.t.Helper()
	b.loading(func() { b.press(name) })
}

// pressOn presses the element of a selector, for screens in any language.
func (b *tab) pressOn(css string) {
	b.t.Helper()
	b.until(css+" to press", func() error {
		found, err := b.matching(css)
		if err != nil {
			return err
		}
		return b.click(found[0])
	})
}

// click moves the mouse to the middle of an element and presses it, if a person
// could.
func (b *tab) click(id cdp.BackendNodeID) error {
	if _, err := chromedp.Call(b.ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id}); err != nil {
		return err
	}
	shape, err := chromedp.Call(b.ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id})
	if err != nil {
		return err
	}
	if len(shape.Quads) == 0 {
		return errors.New("it has no shape")
	}
	q := shape.Quads[0]
	x, y := (q[0]+q[4])/2, (q[1]+q[5])/2
	reached, err := call[string](b, id, `function(x, y) {
		const hit = document.elementFromPoint(x, y);
		if (this.disabled) return "it is disabled";
		return hit && (this.contains(hit) || hit.closest("label")?.control === this) ? "" : "it is covered by " + hit?.outerHTML.slice(0, 100);
	}`, x, y)
	if err != nil {
		return err
	}
	if reached != "" {
		return errors.New(reached)
	}
	return chromedp.Do(b.ctx, chromedp.MouseClickXY(x, y))
}

// call calls a function on an element.
func call[T any](b *tab, id cdp.BackendNodeID, function string, args ...any) (answer T, err error) {
	resolved, err := chromedp.Call(b.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id})
	if err != nil {
		return answer, err
	}
	return chromedp.Run(b.ctx, chromedp.CallFunctionOn[T](function, func(p *runtime.CallFunctionOnParams) {
		p.ObjectID = resolved.Object.ObjectID
	}, args...))
}

// fill replaces what stands in the field with this label.
func (b *tab) fill(label, value string) {
	b.t.Helper()
	b.until("the field “"+label+"”", func() error {
		found, err := b.named(label, fillable)
		if err != nil {
			return err
		}
		return b.enter(found[0], value)
	})
}

// fillIn replaces what stands in the field of a selector.
func (b *tab) fillIn(css, value string) {
	b.t.Helper()
	b.until("the field "+css, func() error {
		found, err := b.matching(css)
		if err != nil {
			return err
		}
		return b.enter(found[0], value)
	})
}

func (b *tab) enter(id cdp.BackendNodeID, value string) error {
	if err := b.click(id); err != nil {
		return err
	}
	if _, err := call[bool](b, id, "function() { this.select(); return true }"); err != nil {
		return err
	}
	_, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: value})
	return err
}

// key presses one key, named as in KeyboardEvent.key and .code.
func (b *tab) key(key, code string) {
	b.t.Helper()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: code}
	switch { // what closes a dialog and what sends a form go by the old codes
	case key == "Escape":
		down.WindowsVirtualKeyCode = 27
	case key == "Enter":
		down.WindowsVirtualKeyCode, down.Text = 13, "\r"
	case len([]rune(key)) == 1:
		down.Text = key
	}
	up := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code, WindowsVirtualKeyCode: down.WindowsVirtualKeyCode}
	for _, event := range []input.DispatchKeyEventParams{down, up} {
		_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, event)
		b.do("press "+key, err)
	}
}

// The keys that are held with another.
const (
	altKey     = 1
	controlKey = 2
)

// chord presses a key while another is held.
func (b *tab) chord(key string, held int64) {
	b.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: kind, Key: key, Code: key, WindowsVirtualKeyCode: 13, Modifiers: held,
		})
		b.do("press "+key, err)
	}
}
