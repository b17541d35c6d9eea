package mail

import (
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// grammar is what the school may use. What is left out stays the text that it is:
// HTML, code that begins with spaces (people indent their paragraphs), and
// headings underlined with dashes (people draw lines).
var grammar = parser.NewParser(
	parser.WithBlockParsers(
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewBlockquoteParser(), 800),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	),
	parser.WithInlineParsers(
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(parser.NewLinkParser(), 200),
		util.Prioritized(parser.NewAutoLinkParser(), 300),
		util.Prioritized(parser.NewEmphasisParser(), 500),
	),
)

// block is a part of a letter that begins on a new line. Kind says which of the
// fields it has.
type block struct {
	Kind    string // heading, paragraph, button, list, quote, rule
	Level   int    // of a heading: 1 to 3
	Ordered bool   // of a list
	Start   int    // of an ordered list
	Spans   []span // of a heading, a paragraph, a button
	URL     string // of a button
	Items   [][]block
	Blocks  []block // of a quote
	Tight   bool    // it stands in a list or a quote, closer to the next
}

// span is a part of a line.
type span struct {
	Kind  string // text, code, break, strong, em, link
	Text  string // of text and code
	URL   string // of a link: http, https or mailto
	Spans []span // of strong, em and link
}

// firstMark begins the private characters that stand for the variables while the
// Markdown is read, one each. A mark is no letter of the grammar, so that a value
// that is put in its place afterwards cannot be Markdown.
const firstMark = '\U000f0000'

// reader turns Markdown with marks into blocks with values.
type reader struct {
	source []byte
	values []string // by mark
}

// read answers the blocks of a body whose variables have all got values.
func read(body string, values map[string]string) []block {
	r := reader{}
	marked, _ := fill(strings.ReplaceAll(body, "\r\n", "\n"), func(name string) string {
		r.values = append(r.values, harmless(values[name]))
		return string(firstMark + rune(len(r.values)-1))
	})
	r.source = []byte(marked)
	return r.blocks(grammar.Parse(text.NewReader(r.source)))
}

func (r reader) blocks(parent ast.Node) []block {
	var all []block
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b := r.block(n)
		b.Tight = parent.Kind() != ast.KindDocument
		all = append(all, b)
	}
	return all
}

func (r reader) block(n ast.Node) block {
	switch n := n.(type) {
	case *ast.Heading:
		return block{Kind: "heading", Level: min(n.Level, 3), Spans: r.spans(n)}
	case *ast.List:
		b := block{Kind: "list", Ordered: n.IsOrdered(), Start: n.Start}
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			b.Items = append(b.Items, r.blocks(item))
		}
		return b
	case *ast.Blockquote:
		return block{Kind: "quote", Blocks: r.blocks(n)}
	case *ast.ThematicBreak:
		return block{Kind: "rule"}
	default:
		return r.paragraph(n)
	}
}

// paragraph: one that is a link and nothing else, and stands in nothing else, is
// a button.
func (r reader) paragraph(n ast.Node) block {
	spans := r.spans(n)
	if len(spans) == 1 && spans[0].Kind == "link" && n.Parent().Kind() == ast.KindDocument {
		return block{Kind: "button", Spans: spans[0].Spans, URL: spans[0].URL}
	}
	return block{Kind: "paragraph", Spans: spans}
}

func (r reader) spans(parent ast.Node) []span {
	var all []span
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		all = append(all, r.inline(n)...)
	}
	return all
}

func (r reader) inline(n ast.Node) []span {
	switch n := n.(type) {
	case *ast.Text:
		return r.words(n)
	case *ast.CodeSpan:
		return []span{{Kind: "code", Text: r.code(n)}}
	case *ast.Emphasis:
		kind := "em"
		if n.Level > 1 {
			kind = "strong"
		}
		return []span{{Kind: kind, Spans: r.spans(n)}}
	case *ast.Link:
		return link(r.address(plain(n.Destination)), r.spans(n))
	case *ast.AutoLink:
		return r.autoLink(n)
	default: // of a picture, what it is called
		return r.spans(n)
	}
}

func (r reader) autoLink(n *ast.AutoLink) []span {
	address := string(n.URL(r.source))
	if n.AutoLinkType == ast.AutoLinkEmail {
		address = "mailto:" + address
	}
	return link(r.address(address), []span{{Kind: "text", Text: r.valued(string(n.Label(r.source)))}})
}

// words: whoever begins a new line in a letter means one, so that a soft break is
// a break here, unlike in Markdown.
func (r reader) words(n *ast.Text) []span {
	all := []span{{Kind: "text", Text: r.valued(plain(n.Segment.Value(r.source)))}}
	if n.SoftLineBreak() || n.HardLineBreak() {
		all = append(all, span{Kind: "break"})
	}
	return all
}

func (r reader) code(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok {
			b.Write(t.Segment.Value(r.source))
		}
	}
	return strings.ReplaceAll(r.valued(b.String()), "\n", " ")
}

// link answers its label alone when the address is none that may be followed.
func link(address string, label []span) []span {
	if address == "" || !slices.ContainsFunc(label, shows) {
		return label
	}
	return []span{{Kind: "link", URL: address, Spans: label}}
}

func shows(s span) bool {
	return strings.TrimSpace(s.Text) != "" || slices.ContainsFunc(s.Spans, shows)
}

// plain resolves what Markdown writes in another way: \* and &amp;.
func plain(source []byte) string {
	return string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(source))))
}

// valued answers s with the values in the places of their marks.
func (r reader) valued(s string) string {
	return r.replace(s, func(_ int, value string) string { return value })
}

// address answers a link's destination with its values, or nothing when it may not
// be followed. A value at its beginning is an address, or the beginning of one;
// anywhere else it is data and is encoded, so that it can change no part of it.
func (r reader) address(destination string) string {
	filled := r.replace(destination, func(at int, value string) string {
		if at == 0 {
			return strings.TrimSpace(value)
		}
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	})
	u, err := url.Parse(filled)
	switch {
	case err != nil:
		return ""
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", u.Scheme == "mailto" && u.Opaque != "":
		return u.String()
	default:
		return ""
	}
}

func (r reader) replace(s string, value func(at int, value string) string) string {
	var b strings.Builder
	for at, c := range s {
		i := int(c - firstMark)
		switch {
		case i < 0:
			b.WriteRune(c)
		case i < len(r.values):
			b.WriteString(value(at, r.values[i]))
		} // else it came from a numeric reference and is nothing
	}
	return b.String()
}
