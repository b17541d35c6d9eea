package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
)

// Bounce is the news that a letter which a server had taken did not arrive.
type Bounce struct {
	MessageID string // with angle brackets; empty: the report does not say
	Recipient string // as the report has it; empty: it does not say
	Permanent bool   // nobody is trying any more; false: somebody still is
	Words     string // why, one line of at most 500 characters
}

// MaxBounces is how many one report may have.
const MaxBounces = 1_000

// Why a report is not read.
var (
	ErrNoReport       = errors.New("mail: this is no report about letters")
	ErrTooManyBounces = errors.New("mail: the report has too many bounces")
)

// ParseBounces reads a report about letters: a delivery status notification
// (RFC 3464) as the whole mail, or as its body when contentType is the
// multipart/report of its head; the JSON that Mailgun, Amazon SES (in its SNS
// envelope or without) and SendGrid send; or JSON of our own, an object or an
// array of objects with message_id, recipient, permanent and words. The content
// decides between mail and JSON, for SNS sends JSON as plain text. News of
// something else than a bounce gives none. Errors: ErrNoReport,
// ErrTooManyBounces.
func ParseBounces(contentType string, body []byte) ([]Bounce, error) {
	all, err := parseReport(contentType, bytes.TrimSpace(body))
	if err == nil && len(all) > MaxBounces {
		err = ErrTooManyBounces
	}
	if err != nil {
		return nil, err
	}
	for i, b := range all {
		all[i] = Bounce{tidyID(b.MessageID), tidyRecipient(b.Recipient), b.Permanent, words(b.Words)}
	}
	return all, nil
}

func parseReport(contentType string, body []byte) ([]Bounce, error) {
	kind, parameters, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return nil, ErrNoReport
	case kind == "multipart/report":
		return notification(parameters["boundary"], "", bytes.NewReader(body))
	case body[0] == '{' || body[0] == '[':
		return webhook(body)
	default:
		return parseMail(body)
	}
}

// parseMail reads a whole mail; one that is no notification, a holiday reply for
// example, holds no bounce.
func parseMail(body []byte) ([]Bounce, error) {
	if bytes.HasPrefix(body, []byte("From ")) { // the first line of a mailbox file
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
	r := bufio.NewReader(bytes.NewReader(body))
	head, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil || head.Get("From")+head.Get("Date")+head.Get("Content-Type") == "" {
		return nil, ErrNoReport
	}
	kind, parameters, _ := mime.ParseMediaType(head.Get("Content-Type"))
	if kind != "multipart/report" {
		return nil, nil
	}
	return notification(parameters["boundary"], head.Get("In-Reply-To"), r)
}

// Limits of a notification; honest ones have three parts of a few kilobytes.
const (
	maxParts = 20
	maxPart  = 1 << 20 // octets
)

// notification reads the parts: for people, for programs, and what is left of the
// letter. Only the last has our Message-ID; replyTo is for servers that name it
// in their In-Reply-To instead.
func notification(boundary, replyTo string, body io.Reader) ([]Bounce, error) {
	if boundary == "" {
		return nil, ErrNoReport
	}
	var all []Bounce
	id, parts := "", multipart.NewReader(body, boundary)
	for range maxParts {
		part, err := parts.NextRawPart()
		if err != nil {
			break // the end, or the report was cut short: what it said until then counts
		}
		content := bufio.NewReader(io.LimitReader(decoded(part), maxPart))
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			all = append(all, statuses(content)...)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			head, _ := textproto.NewReader(content).ReadMIMEHeader() // returned letters are cut anywhere
			id = head.Get("Message-Id")
		}
	}
	if id == "" {
		id = replyTo
	}
	for i := range all {
		all[i].MessageID = id
	}
	return all, nil
}

func decoded(part *multipart.Part) io.Reader {
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, part)
	case "quoted-printable":
		return quotedprintable.NewReader(part)
	default:
		return part
	}
}

// statuses reads the groups of fields of RFC 3464 §2: one about the letter, then
// one for each recipient.
func statuses(content *bufio.Reader) []Bounce {
	var all []Bounce
	r := textproto.NewReader(content)
	for len(all) <= MaxBounces {
		fields, err := r.ReadMIMEHeader()
		if b, ok := status(fields); ok {
			all = append(all, b)
		}
		if err != nil {
			break
		}
	}
	return all
}

func status(fields textproto.MIMEHeader) (Bounce, bool) {
	action, _, _ := strings.Cut(strings.ToLower(fields.Get("Action")), " ") // comments may follow
	if action != "failed" && action != "delayed" {
		return Bounce{}, false
	}
	// The original recipient is whom we wrote to; the final one is where their
	// mail is forwarded.
	recipient := typed(fields.Get("Original-Recipient"))
	if recipient == "" {
		recipient = typed(fields.Get("Final-Recipient"))
	}
	why := typed(fields.Get("Diagnostic-Code"))
	if why == "" {
		why = fields.Get("Status")
	}
	return Bounce{Recipient: recipient, Permanent: action == "failed", Words: why}, true
}

// typed is the value of a field of the form type;value.
func typed(field string) string {
	if _, value, ok := strings.Cut(field, ";"); ok {
		return strings.TrimSpace(value)
	}
	return strings.TrimSpace(field)
}

// tidyID is a Message-ID in angle brackets, or nothing.
func tidyID(s string) string {
	s = oneLine(s)
	if _, inner, ok := strings.Cut(s, "<"); ok {
		s, _, _ = strings.Cut(inner, ">")
	}
	if s = strings.TrimSpace(s); s == "" || len(s) > maxMessageID || strings.ContainsAny(s, " <>") {
		return ""
	}
	return "<" + s + ">"
}

const maxRecipient = 254 // octets, RFC 5321 §4.5.3.1.3

func tidyRecipient(s string) string {
	s = oneLine(s)
	if _, inner, ok := strings.Cut(s, "<"); ok {
		s, _, _ = strings.Cut(inner, ">")
	}
	if len(s) > maxRecipient || strings.ContainsAny(s, " <>") {
		return ""
	}
	return s
}
