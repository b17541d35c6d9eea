package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	netmail "net/mail"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"tripwire/internal/school"
)

// Address is a mailbox and whose it is. The domain may be in any script, and of a
// recipient what stands before it, too.
type Address struct {
	Name  string
	Email string
}

// Message is one letter to one person.
type Message struct {
	ID       string // the Message-ID with its angle brackets, the same at every attempt
	From     Address
	To       Address
	ReplyTo  string // an address; empty: From
	Bounce   string // the address that returned letters go to; empty: From
	Subject  string
	Text     string
	HTML     string    // empty: the letter is plain text only
	Language string    // of the text, as in BCP 47
	At       time.Time // when it was written
}

// envelope is a letter as SMTP wants it: two addresses and the octets.
type envelope struct {
	from, to string
	content  []byte
	utf8     bool // to is of another script: RFC 6531
}

// messageID is what RFC 5322 §3.6.4 allows, without its quoted and folded forms.
var messageID = regexp.MustCompile(`^<[!#-;=?A-~]+@[!#-;=?A-~]+>$`)

const maxMessageID = 250 // octets

// seal writes the letter. The same message gives the same octets at every attempt.
func (m Message) seal() (envelope, error) {
	to, err := school.NewEmail(m.To.Email)
	if err != nil {
		return envelope{}, unsendable(StageRecipient, "the recipient is not an address")
	}
	from, err := school.NewPlainEmail(m.From.Email)
	if err != nil {
		return envelope{}, unsendable(StageSender, "the sender is not an address")
	}
	bounce, errBounce := school.NewPlainEmail(either(m.Bounce, m.From.Email))
	reply, errReply := school.NewPlainEmail(either(m.ReplyTo, m.From.Email))
	switch {
	case errBounce != nil:
		return envelope{}, unsendable(StageSender, "the address for returned letters is not one")
	case errReply != nil:
		return envelope{}, unsendable(StageSender, "the address for replies is not one")
	case len(m.ID) > maxMessageID || !messageID.MatchString(m.ID):
		return envelope{}, unsendable(StageContent, "the Message-ID is not one")
	case strings.TrimSpace(m.Text) == "" || oneLine(m.Subject) == "" || m.At.IsZero():
		return envelope{}, unsendable(StageContent, "there is no subject, text or time")
	}
	letter := m.header(from, to)
	if m.ReplyTo != "" {
		letter.ReplyToMailAddress(&netmail.Address{Address: string(reply)})
	}
	var b bytes.Buffer
	if _, err := letter.WriteTo(&b); err != nil {
		return envelope{}, unsendable(StageContent, err.Error())
	}
	return envelope{from: string(bounce), to: string(to), content: b.Bytes(), utf8: !to.Plain()}, nil
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// header is the letter with all that stands in its head but the address for
// replies.
func (m Message) header(from, to school.Email) *gomail.Msg {
	// Versions of programs are nobody's business.
	g := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	g.FromMailAddress(&netmail.Address{Name: personText(m.From.Name), Address: string(from)})
	g.ToMailAddress(&netmail.Address{Name: personText(m.To.Name), Address: string(to)})
	g.Subject(headerText(m.Subject))
	g.SetDateWithValue(m.At)
	// Not SetMessageIDWithValue, which would add brackets to ours.
	g.SetGenHeader(gomail.HeaderMessageID, m.ID)
	g.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no holiday replies, please
	g.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	if language := headerText(m.Language); language != "" {
		g.SetGenHeader(gomail.HeaderContentLang, language)
	}
	g.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(m.Text, "\ufffd"))
	if m.HTML != "" {
		g.AddAlternativeString(gomail.TypeTextHTML, strings.ToValidUTF8(m.HTML, "\ufffd"))
		g.SetBoundary(boundary(m.ID))
	}
	return g
}

// headerText is one line; what looks like an encoded word of RFC 2047 stays what
// it looks like and is not decoded by the reader.
func headerText(s string) string {
	return strings.ReplaceAll(oneLine(s), "=?", "= ?")
}

// personText is a name before an address. net/mail leaves a backslash as it is in
// an encoded word, where RFC 2047 §5 forbids it and the address cannot be read.
func personText(s string) string {
	return strings.ReplaceAll(headerText(s), `\`, "/")
}

// boundary stands between the parts. It is the letter's own, where the library
// would draw lots, so that a second attempt is the same letter.
func boundary(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:20])
}
