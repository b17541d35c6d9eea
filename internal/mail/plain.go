package mail

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// width of a line of plain text, in characters: RFC 3676 §4.2 advises at most 78.
const width = 72

// rule is drawn between the letter and its foot. Not "-- ": some programs hide
// what follows.
const rule = "———"

// plainText writes the blocks for readers without HTML. No sign of Markdown
// remains: only what a typist would write.
func plainText(blocks []block) string {
	var parts []string
	for _, b := range blocks {
		parts = append(parts, plainBlock(b))
	}
	return strings.Join(parts, "\n\n")
}

func plainBlock(b block) string {
	switch b.Kind {
	case "list":
		return plainList(b)
	case "quote":
		return indent(plainText(b.Blocks), "    ", "    ")
	case "rule":
		return rule
	case "button":
		return strings.TrimSuffix(wrap(plainSpans(b.Spans)), ":") + ":\n" + b.URL
	default:
		return wrap(plainSpans(b.Spans))
	}
}

func plainList(b block) string {
	var items []string
	for i, item := range b.Items {
		sign := "• "
		if b.Ordered {
			sign = fmt.Sprintf("%d. ", b.Start+i)
		}
		var parts []string
		for _, inner := range item {
			parts = append(parts, plainBlock(inner))
		}
		items = append(items, indent(strings.Join(parts, "\n"), sign, strings.Repeat(" ", utf8.RuneCountInString(sign))))
	}
	return strings.Join(items, "\n")
}

// indent puts first before the first line and rest before the others that are not
// empty.
func indent(s, first, rest string) string {
	return first + strings.ReplaceAll(strings.ReplaceAll(s, "\n", "\n"+rest), "\n"+rest+"\n", "\n\n")
}

func plainSpans(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s.Kind {
		case "break":
			b.WriteByte('\n')
		case "link":
			b.WriteString(plainLink(s))
		default:
			b.WriteString(s.Text + plainSpans(s.Spans))
		}
	}
	return b.String()
}

// plainLink does not say the same address twice.
func plainLink(s span) string {
	label := plainSpans(s.Spans)
	if label == s.URL || "mailto:"+label == s.URL {
		return label
	}
	return label + " (" + s.URL + ")"
}

// wrap breaks lines between words, never in one: half an address opens nothing.
func wrap(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, wrapLine(line)...)
	}
	return strings.Join(lines, "\n")
}

func wrapLine(s string) (lines []string) {
	if utf8.RuneCountInString(s) <= width {
		return []string{strings.TrimSpace(s)}
	}
	var line string
	for word := range strings.FieldsSeq(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
