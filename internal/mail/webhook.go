package mail

import (
	"encoding/json"
	"strconv"
	"strings"
)

// webhook reads JSON: one item or an array of them.
func webhook(body []byte) ([]Bounce, error) {
	items := []json.RawMessage{body}
	if body[0] == '[' {
		items = nil
		if err := json.Unmarshal(body, &items); err != nil {
			return nil, ErrNoReport
		}
	}
	var all []Bounce
	for _, raw := range items {
		found, err := readItem(raw, true)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) > MaxBounces {
			return nil, ErrTooManyBounces
		}
	}
	return all, nil
}

// item has what tells the senders apart, and the fields of the short ones.
type item struct {
	// our own
	MessageID *string `json:"message_id"`
	Recipient string  `json:"recipient"`
	Permanent bool    `json:"permanent"`
	Words     string  `json:"words"`
	// SendGrid
	Event  string `json:"event"`
	Email  string `json:"email"`
	SMTPID string `json:"smtp-id"`
	Type   string `json:"type"` // SNS has a Type too, and json takes either case
	Reason string `json:"reason"`
	// Amazon
	Message          string     `json:"Message"` // of SNS: JSON in a string
	NotificationType string     `json:"notificationType"`
	EventType        string     `json:"eventType"`
	Bounce           sesBounce  `json:"bounce"`
	Mail             sesMail    `json:"mail"`
	EventData        *mailgunIs `json:"event-data"`
}

func readItem(raw json.RawMessage, outside bool) ([]Bounce, error) {
	var i item
	if err := json.Unmarshal(raw, &i); err != nil {
		return nil, ErrNoReport
	}
	switch {
	case i.EventData != nil:
		return i.EventData.bounces(), nil
	case i.NotificationType != "" || i.EventType != "":
		return i.ses(), nil
	case i.Type == "Notification" && outside:
		return i.sns()
	case i.Type == "SubscriptionConfirmation", i.Type == "UnsubscribeConfirmation":
		return nil, nil
	case i.Event != "":
		return i.sendGrid(), nil
	case i.MessageID != nil:
		return []Bounce{{*i.MessageID, i.Recipient, i.Permanent, i.Words}}, nil
	default:
		return nil, ErrNoReport
	}
}

// sns opens the envelope in which Amazon's notification service puts what SES
// says. Other text in it, the greeting of a new subscription, is not for us.
func (i item) sns() ([]Bounce, error) {
	if !strings.HasPrefix(strings.TrimSpace(i.Message), "{") {
		return nil, nil
	}
	return readItem(json.RawMessage(i.Message), false)
}

// sesBounce and sesMail are of "Amazon SNS notification contents for Amazon SES".
type sesBounce struct {
	Type       string `json:"bounceType"`
	Recipients []struct {
		Email      string `json:"emailAddress"`
		Status     string `json:"status"`
		Diagnostic string `json:"diagnosticCode"`
	} `json:"bouncedRecipients"`
}

// sesMail: its own messageId is the one that SES has given, not ours.
type sesMail struct {
	Common struct {
		MessageID string `json:"messageId"`
	} `json:"commonHeaders"`
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
}

func (i item) ses() []Bounce {
	if i.NotificationType != "Bounce" && i.EventType != "Bounce" {
		return nil
	}
	id := i.Mail.Common.MessageID
	for _, h := range i.Mail.Headers {
		if strings.EqualFold(h.Name, "Message-ID") { // closer to the letter than SES's summary
			id = h.Value
		}
	}
	var all []Bounce
	for _, r := range i.Bounce.Recipients {
		all = append(all, Bounce{id, r.Email, true, firstOf(strings.TrimPrefix(r.Diagnostic, "smtp;"), r.Status, i.Bounce.Type)})
	}
	return all
}

// mailgunIs is the event-data of "Mailgun webhooks".
type mailgunIs struct {
	Event     string `json:"event"`
	Severity  string `json:"severity"`
	Reason    string `json:"reason"`
	Recipient string `json:"recipient"`
	Message   struct {
		Headers struct {
			MessageID string `json:"message-id"`
		} `json:"headers"`
	} `json:"message"`
	Status struct {
		Code        int    `json:"code"`
		Message     string `json:"message"`
		Description string `json:"description"`
	} `json:"delivery-status"`
}

func (m mailgunIs) bounces() []Bounce {
	if m.Event != "failed" {
		return nil
	}
	why := firstOf(m.Status.Message, m.Status.Description, m.Reason)
	if code := strconv.Itoa(m.Status.Code); m.Status.Code != 0 && !strings.HasPrefix(why, code) {
		why = code + " " + why
	}
	return []Bounce{{m.Message.Headers.MessageID, m.Recipient, m.Severity == "permanent", why}}
}

// sendGrid: neither a bounce, of whichever type, nor what was dropped is tried again.
func (i item) sendGrid() []Bounce {
	if i.Event != "bounce" && i.Event != "dropped" {
		return nil
	}
	return []Bounce{{i.SMTPID, i.Email, true, firstOf(i.Reason, i.Event)}}
}

func firstOf(all ...string) string {
	for _, s := range all {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}
