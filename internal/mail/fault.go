package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"syscall"
	"unicode"
)

// Stage is how far a letter came.
type Stage string

// The stages, in their order.
const (
	StageResolve   Stage = "resolve"   // finding the address of the server
	StageConnect   Stage = "connect"   // reaching it
	StageGreeting  Stage = "greeting"  // its first words, and EHLO
	StageTLS       Stage = "tls"       // STARTTLS, the certificate
	StageLogin     Stage = "login"     // user and password
	StageSender    Stage = "sender"    // MAIL FROM
	StageRecipient Stage = "recipient" // RCPT TO
	StageContent   Stage = "content"   // DATA, and the answer to it
)

// Fault is why a letter was not handed over.
type Fault struct {
	Stage Stage
	Code  int // of the server's reply; 0: there was none
	// Words are the server's own, code first, or those of the network error: one
	// line without control characters, at most 500 characters.
	Words string
	// Permanent: this letter will never be taken, however often it is tried. What
	// is wrong with the set-up and can be mended is not: the letter waits.
	Permanent bool
	// Lost: the whole letter was sent and the answer did not arrive. It may have
	// been taken; trying again may make it two.
	Lost bool
	Err  error
}

// Error says where, and the server's words.
func (f *Fault) Error() string { return "mail: " + string(f.Stage) + ": " + f.Words }

// Unwrap answers what lies below, for errors.Is with the context's errors.
func (f *Fault) Unwrap() error { return f.Err }

// The reasons of our own for a Fault, beside those of the server and the network.
var (
	errNoSTARTTLS   = errors.New("the server does not offer STARTTLS")
	errNoLogin      = errors.New("the server offers no login that we know")
	errLoginMissing = errors.New("the server wants a login and none is set")
	errLimit        = errors.New("the server takes no more letters of this account for now")
	errChatter      = errors.New("the server talks without end")
	errNotSMTP      = errors.New("what answers is no mail server")
	errSilent       = errors.New("the server says nothing")
	errScript       = errors.New("the server takes no addresses in other scripts (SMTPUTF8)")
	errLetter       = errors.New("the letter cannot be sent")
)

// The causes: what people are told, in their language. They are stable.
const (
	causeNameNotFound      = "name_not_found"
	causePortClosed        = "port_closed"
	causePortBlocked       = "port_blocked"
	causeUnreachable       = "unreachable"
	causeNotSMTP           = "not_smtp"
	causeSilent            = "silent"
	causeGreetingRefused   = "greeting_refused"
	causeNoTLS             = "no_tls"
	causeTLSNeeded         = "tls_needed"
	causeTLSFailed         = "tls_failed"
	causeCertificate       = "certificate"
	causeUnknownAuthority  = "certificate_unknown"
	causeNoLogin           = "no_login"
	causeLoginNeeded       = "login_needed"
	causeLoginRefused      = "login_refused"
	causeSenderRefused     = "sender_refused"
	causeSendingLimit      = "sending_limit"
	causeRecipientScript   = "recipient_script"
	causeRecipientRefused  = "recipient_refused"  // the address
	causeRecipientRejected = "recipient_rejected" // for a reason of the recipient's server
	causeRecipientDeferred = "recipient_deferred"
	causeContentRefused    = "content_refused"
	causeServerBusy        = "server_busy"
	causeConnectionLost    = "connection_lost"
	causeTimeout           = "timeout"
	causeStopped           = "stopped"
	causeSetup             = "setup_invalid"
)

// Causes answers everything that Fault.Cause may answer: each needs a sentence in
// every language.
func Causes() []string {
	return []string{
		causeNameNotFound, causePortClosed, causePortBlocked, causeUnreachable, causeNotSMTP, causeSilent, causeGreetingRefused,
		causeNoTLS, causeTLSNeeded, causeTLSFailed, causeCertificate, causeUnknownAuthority, causeNoLogin, causeLoginNeeded, causeLoginRefused,
		causeSenderRefused, causeSendingLimit, causeRecipientScript, causeRecipientRefused, causeRecipientRejected, causeRecipientDeferred, causeContentRefused, causeServerBusy,
		causeConnectionLost, causeTimeout, causeStopped, causeSetup,
	}
}

// Cause answers the one stable code, of Causes, for what people should look at.
func (f *Fault) Cause() string {
	switch {
	case errors.Is(f.Err, errLoginMissing):
		return causeLoginNeeded
	case errors.Is(f.Err, errLimit):
		return causeSendingLimit
	case errors.Is(f.Err, errScript):
		return causeRecipientScript
	case f.Code != 0:
		return f.replyCause()
	case errors.Is(f.Err, errLetter):
		return refusedAt[f.Stage]
	case errors.Is(f.Err, context.Canceled):
		return causeStopped
	case timeout(f.Err):
		return f.timeoutCause()
	default:
		return f.silentCause()
	}
}

func (f *Fault) timeoutCause() string {
	switch {
	case f.Stage == StageConnect:
		return causePortBlocked
	case errors.Is(f.Err, errSilent):
		return causeSilent
	default:
		return causeTimeout
	}
}

var refusedAt = map[Stage]string{
	StageGreeting:  causeGreetingRefused,
	StageTLS:       causeTLSFailed,
	StageLogin:     causeLoginRefused,
	StageSender:    causeSenderRefused,
	StageRecipient: causeRecipientRefused,
	StageContent:   causeContentRefused,
}

// replyCause: the server has answered, with something else than yes.
func (f *Fault) replyCause() string {
	switch {
	case f.Code == 530 && strings.Contains(strings.ToUpper(f.Words), "STARTTLS"): // RFC 3207 §4
		return causeTLSNeeded
	case f.Code == 530: // RFC 4954 §6
		return causeLoginNeeded
	case f.Code < 400, f.Code > 599:
		return causeNotSMTP
	case f.Stage == StageRecipient && f.Code > 499 && otherReply.MatchString(f.Words):
		return causeRecipientRejected
	case f.Code > 499 || f.Stage == StageGreeting:
		return refusedAt[f.Stage]
	case f.Stage == StageRecipient:
		return causeRecipientDeferred
	default:
		return causeServerBusy
	}
}

// silentCause: there was no answer, or none that SMTP knows.
func (f *Fault) silentCause() string {
	switch {
	case setupError(f.Err):
		return causeSetup
	case f.Stage == StageResolve:
		return causeNameNotFound
	case errors.Is(f.Err, syscall.ECONNREFUSED):
		return causePortClosed
	case f.Stage == StageConnect:
		return causeUnreachable
	case is[textproto.ProtocolError](f.Err), errors.Is(f.Err, errChatter), errors.Is(f.Err, errNotSMTP):
		return causeNotSMTP
	case is[x509.UnknownAuthorityError](f.Err):
		return causeUnknownAuthority
	case is[*tls.CertificateVerificationError](f.Err):
		return causeCertificate
	case errors.Is(f.Err, errNoSTARTTLS), is[tls.RecordHeaderError](f.Err):
		return causeNoTLS
	case errors.Is(f.Err, errNoLogin):
		return causeNoLogin
	case gone(f.Err) || refusedAt[f.Stage] == "":
		return causeConnectionLost
	default: // TLS or the login has come to nothing, with everybody still there
		return refusedAt[f.Stage]
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func setupError(err error) bool {
	return errors.Is(err, ErrServerHost) || errors.Is(err, ErrServerPort) || errors.Is(err, ErrServerSecurity) ||
		errors.Is(err, ErrServerLogin) || errors.Is(err, ErrOpenPassword)
}

// gone: the connection has ended. Package tls puts its alerts into a net.OpError
// too, under other names.
func gone(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		ok && op.Op != "remote error" && op.Op != "local error"
}

func timeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && n.Timeout()
}

// loginReply is an answer about who may send through the server (RFC 3463 §3.8), not
// about the mailbox.
var loginReply = regexp.MustCompile(`(?is)^5\.7\.\d.*(relay|authenti)`)

// otherReply is about something else than the address: the mailbox, the way there, a
// policy (RFC 3463 §3.3 to §3.8).
var otherReply = regexp.MustCompile(`^\d+ 5\.[2-7]\.`)

// What servers say of the sender and of its account when they answer to something
// that comes later: Postfix of a sender that is not the login's, Exchange of one that
// may not be used, Gmail and Exchange of those who have sent enough for a day.
var (
	senderReply = regexp.MustCompile(`(?i)sender address rejected|^5\.7\.60\b|not owned by user|permissions? to send as`)
	limitReply  = regexp.MustCompile(`(?i)^5\.4\.5\b|sending (limit|quota)|^5\.1\.90\b`)
)

// mailboxReply is about the recipient's address or mailbox (RFC 3463 §3.2 and §3.3).
var mailboxReply = regexp.MustCompile(`^5\.(1\.([12346]|10)|2\.[012])\b`)

// fault answers the Fault for an error at a stage. A reply of the server says more
// than that the time was over when it came.
func (s *Sender) fault(ctx context.Context, stage Stage, err error) *Fault {
	f := &Fault{Stage: stage, Err: err}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f.Code, f.Words = reply.Code, words(s.withoutPassword(fmt.Sprintf("%d %s", reply.Code, reply.Msg)))
		// Servers put off every refusal until the recipient, so that "who are you?"
		// arrives there too. Without a login it is that and not the mailbox.
		if stage == StageRecipient && s.server.User == "" && reply.Code/100 == 5 && loginReply.MatchString(reply.Msg) {
			f.Err = errors.Join(errLoginMissing, err)
		}
		if reply.Code/100 == 5 && limitReply.MatchString(reply.Msg) {
			f.Err = errors.Join(errLimit, err)
		} else if reply.Code/100 == 5 && senderReply.MatchString(reply.Msg) && (stage == StageRecipient || stage == StageContent) {
			stage, f.Stage = StageSender, StageSender
		} else if stage == StageContent && reply.Code/100 == 5 && mailboxReply.MatchString(reply.Msg) { // after the whole letter, as Exchange does
			stage, f.Stage = StageRecipient, StageRecipient
		}
		theLetters := stage == StageRecipient || stage == StageContent
		f.Permanent = theLetters && reply.Code/100 == 5 && !f.OfSetUp()
		return f
	}
	if stage == StageConnect && (is[*net.DNSError](err) || is[*net.AddrError](err)) { // one dial does both
		f.Stage = StageResolve
	}
	f.Words, f.Permanent = words(err.Error()), errors.Is(err, errScript)
	if ended := ctx.Err(); ended != nil { // and so we have closed the connection, which is all that err knows
		f.Err, f.Words = fmt.Errorf("%w: %w", ended, err), words(ended.Error())
	}
	return f
}

// unsendable answers the Fault for what is wrong with a letter before anything
// was said to a server.
func unsendable(stage Stage, why string) *Fault {
	err := fmt.Errorf("%w: %s", errLetter, why)
	return &Fault{Stage: stage, Words: words(err.Error()), Permanent: stage != StageSender, Err: err}
}

const maxWords = 500 // characters

// words makes one clean line of what a server has said.
func words(s string) string {
	line := []rune(oneLine(s))
	if len(line) > maxWords {
		line = append(line[:maxWords-1], '…')
	}
	return string(line)
}

// oneLine is s without control characters, line breaks and doubled spaces.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

// withoutPassword keeps a server that repeats the password from having it kept.
func (s *Sender) withoutPassword(text string) string {
	if s.server.Password == "" {
		return text
	}
	return strings.ReplaceAll(text, s.server.Password, "••••")
}
