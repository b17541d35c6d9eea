package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// startChromium runs a browser with a fresh profile folder for one test. As
// root it goes without its sandbox, which does not start there.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium), chromedp.Headless, chromedp.NoFirstRun, chromedp.Flag("disable-gpu", true),
	}
	for _, flag := range []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocated, release := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(func() { end(); release() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// tab is one person's browser: cookies, storage and cache of its own.
type tab struct {
	t    *testing.T
	name string
	base string
	ctx  context.Context
	// leave closes the window; the end of the test does so at the latest.
	leave func()

	mu          sync.Mutex
	faults      []string
	allowed     []int // statuses of refusals that the test is about
	loads       int   // pages that have loaded
	navigations int   // documents that have come
	status      int   // of the last document
	received    float64
	requests    map[network.RequestID]string
	pending     map[network.RequestID]cdp.LoaderID // with the document that asked
	answers     []string
}

// sit opens a window for one person. Motion is reduced, so that what is pressed
// stands still.
func sit(t *testing.T, browsing context.Context, name, base string) *tab {
	t.Helper()
	b := &tab{t: t, name: name, base: base, requests: map[network.RequestID]string{}, pending: map[network.RequestID]cdp.LoaderID{}}
	var end context.CancelFunc
	b.ctx, end = chromedp.NewContext(browsing, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	b.leave = sync.OnceFunc(func() { b.report(); end() })
	t.Cleanup(b.leave)
	b.do("open a window", chromedp.Do(b.ctx))
	b.look(1280, "light")
	b.speak("ru-RU,ru;q=0.9")
	_, err := chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.do("focus the window", err)
	for _, permission := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: permission}, Setting: browser.PermissionSettingGranted,
			Origin: base, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
		})
		b.do("permit "+permission, err)
	}
	return b
}

func (b *tab) do(what string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %s: %v", b.name, what, err)
	}
}

// look sets the width of the window and the scheme of the system.
func (b *tab) look(width int64, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 900, DeviceScaleFactor: 1,
	})
	b.do("set the width", err)
	_, err = chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: scheme},
	}})
	b.do("set the scheme", err)
}

// speak sets the languages that the browser asks for.
func (b *tab) speak(languages string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": languages},
	})
	b.do("set the language", err)
}

// withoutScript switches the page's scripts off.
func (b *tab) withoutScript() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do("switch scripts off", err)
}

// lost stands among the allowed statuses for requests that get no answer.
const lost = 0

// connected switches the network of this window on and off.
func (b *tab) connected(on bool) {
	b.t.Helper()
	rules := []*network.Conditions{}
	if !on {
		rules = append(rules, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	_, err := chromedp.Call(b.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: rules})
	b.do("switch the network", err)
	_, err = chromedp.Call(b.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1})
	b.do("tell the page of the network", err)
}

// allow says which refusals the test is about; any other is a fault.
func (b *tab) allow(statuses ...int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, statuses...)
}

func (b *tab) counts() (loads, navigations int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.loads, b.navigations
}

// settles waits until nothing is being fetched any more.
func (b *tab) settles() {
	b.t.Helper()
	b.until("the network to be quiet", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.pending) > 0 {
			return fmt.Errorf("%d requests are on their way", len(b.pending))
		}
		return nil
	})
}

func (b *tab) lastStatus() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// hear notes what the browser tells. Whatever is wrong fails the test at its
// end.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			b.fault("console: %s", saidOnConsole(e.Args))
		}
	case *runtime.EventExceptionThrown:
		b.fault("uncaught: %s", thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		b.hearLog(e.Entry)
	case *page.EventJavascriptDialogOpening:
		b.fault("a dialog of scripts opened: %q", e.Message)
		go func() { // the page stands still until it is answered
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
		}()
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			b.navigations++
			// Of what the page before still asked for nobody tells the end.
			maps.DeleteFunc(b.pending, func(_ network.RequestID, document cdp.LoaderID) bool { return document != e.Frame.LoaderID })
		}
	case *page.EventLoadEventFired:
		b.loads++
	default:
		b.hearNetwork(event)
	}
}

// hearLog leaves failed requests to hearNetwork, which knows the expected ones.
func (b *tab) hearLog(e *log.Entry) {
	if slices.Contains(b.allowed, lost) && strings.Contains(e.Text, "net::ERR_") {
		return
	}
	if e.Level == log.EntryLevelError && !strings.HasPrefix(e.Text, "Failed to load resource: the server responded with a status of") {
		b.fault("%s: %s %s", e.Source, e.Text, e.URL)
	}
}

func (b *tab) hearNetwork(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypeEventSource { // which has no end
			b.pending[e.RequestID] = e.LoaderID
		}
		b.requests[e.RequestID] = e.Request.Method + " " + strings.TrimPrefix(e.Request.URL, b.base)
		if !strings.HasPrefix(e.Request.URL, b.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "blob:"+b.base+"/") {
			b.fault("a request leaves the site: %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			b.status = int(e.Response.Status)
		}
		b.answers = append(b.answers, fmt.Sprintf("%d %s", e.Response.Status, b.requests[e.RequestID]))
		if e.Response.Status >= 400 && !slices.Contains(b.allowed, int(e.Response.Status)) {
			b.fault("%s was answered with %d", b.requests[e.RequestID], e.Response.Status)
		}
	case *network.EventLoadingFinished:
		b.received += e.EncodedDataLength
		delete(b.pending, e.RequestID)
	case *network.EventLoadingFailed:
		delete(b.pending, e.RequestID)
		if !e.Canceled && !slices.Contains(b.allowed, lost) {
			b.fault("%s failed: %s", b.requests[e.RequestID], e.ErrorText)
		}
	}
}

func (b *tab) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

func saidOnConsole(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		words = append(words, a.Description+string(a.Value))
	}
	return strings.Join(words, " ")
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description + string(d.Exception.Value)
	}
	return d.Text
}

// report tells what was wrong and keeps a picture of a failed test.
func (b *tab) report() {
	b.mu.Lock()
	for _, fault := range b.faults {
		b.t.Errorf("%s: %s", b.name, fault)
	}
	answers := strings.Join(b.answers, "\n")
	b.mu.Unlock()
	if !b.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100)); err == nil {
		keep(b.t, b.name+".png", picture)
	}
	html, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.documentElement.outerHTML"))
	keep(b.t, b.name+".txt", []byte(html+"\n\n"+answers))
}
