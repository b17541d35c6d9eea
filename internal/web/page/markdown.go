package page

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// markdowns turns what people write into HTML. Raw HTML in it is left out and
// addresses that run scripts are dropped: that is goldmark's default.
var markdowns = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify, extension.TaskList),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(pictures{}, 100))),
)

func markdown(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b bytes.Buffer
		if err := markdowns.Convert([]byte(text), &b); err != nil {
			return err
		}
		_, err := w.Write(b.Bytes())
		return err
	})
}

// pictures shows the pictures that we keep, and makes those of other sites into
// links: our Content-Security-Policy does not let them in.
type pictures struct{}

// RegisterFuncs is called by goldmark.
func (pictures) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindImage, picture)
}

func picture(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n, ok := node.(*ast.Image)
	if !ok || !entering {
		return ast.WalkContinue, nil
	}
	address := string(util.EscapeHTML(util.URLEscape(n.Destination, true)))
	alt := string(util.EscapeHTML(words(n, source)))
	switch {
	case html.IsDangerousURL(n.Destination):
		_, _ = w.WriteString(alt)
	case strings.HasPrefix(address, "/files/"):
		_, _ = w.WriteString(`<img src="` + address + `" alt="` + alt + `">`)
	default:
		_, _ = w.WriteString(`<a href="` + address + `">` + alt + `</a>`)
	}
	return ast.WalkSkipChildren, nil
}

// words are the letters within a node.
func words(n ast.Node, source []byte) []byte {
	var b bytes.Buffer
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(source))
			continue
		}
		b.Write(words(c, source))
	}
	return b.Bytes()
}
