package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// ErrNotAmazon: the address at which a subscription wants to be confirmed is none of
// Amazon's notification service.
var ErrNotAmazon = errors.New("mail: the subscription does not come from Amazon")

// ParseSubscription answers where Amazon's notification service wants its
// subscription confirmed, before it reports anything; asks is false for a report of
// another kind. The format is that of "Amazon SNS HTTP/HTTPS subscription
// confirmation JSON format". Errors: ErrNotAmazon.
func ParseSubscription(report []byte) (confirmAt string, asks bool, err error) {
	var s struct {
		Type         string
		SubscribeURL string
	}
	_ = json.Unmarshal(report, &s) // a mail, or JSON of another shape, asks nothing
	if s.Type != "SubscriptionConfirmation" {
		return "", false, nil
	}
	at, err := url.Parse(s.SubscribeURL)
	if err != nil || at.Scheme != "https" || at.User != nil || !amazonHost.MatchString(at.Host) {
		return "", true, ErrNotAmazon
	}
	return at.String(), true, nil
}

// amazonHost is of "Amazon SNS endpoints"; no port is among them.
var amazonHost = regexp.MustCompile(`^sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?$`)

const (
	confirmTimeout = 10 * time.Second
	maxConfirmed   = 64 << 10 // octets of the answer that are read
)

// ConfirmSubscription tells Amazon that its reports are welcome. by is the way there;
// nil: the usual one. It follows no redirect.
func ConfirmSubscription(ctx context.Context, by http.RoundTripper, confirmAt string) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, confirmAt, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: by, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if failure, ok := errors.AsType[*url.Error](err); ok { // which repeats the address with its token
		err = failure.Err
	}
	if err != nil {
		return fmt.Errorf("mail: ask Amazon: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxConfirmed))
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("mail: Amazon answered the confirmation with %s", answer.Status)
	}
	return nil
}
