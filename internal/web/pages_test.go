package web

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

const script = `<script>alert("1")</script>`

// evil is as much as a name may be: 150 characters.
var evil = string([]rune(`"><script>alert("1")</script><img src=x onerror=alert(2)>' {name} {{.}} &amp; مرحبا ӘҒҚҢӨҰҮҺІ ` + strings.Repeat("Ұзынесім", 30))[:150])

// wantPage asserts what must hold for every page, whatever it shows.
func wantPage(t *testing.T, a answer, status int) {
	t.Helper()
	where := a.method + " " + a.path
	if a.status != status {
		t.Errorf("%s: %d, want %d: %s", where, a.status, status, a.text())
		return
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Content-Security-Policy": contentSecurityPolicy,
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := strings.Join(a.header.Values(name), ", "); got != want {
			t.Errorf("%s: %s is %q", where, name, got)
		}
	}
	if vary := strings.Join(a.header.Values("Vary"), ","); !strings.Contains(vary, "Cookie") || !strings.Contains(vary, "Accept-Encoding") {
		t.Errorf("%s: Vary is %q", where, vary)
	}
	if len(a.header.Get("X-Request-Id")) != 10 {
		t.Errorf("%s: request id %q", where, a.header.Get("X-Request-Id"))
	}
	wantTame(t, where, a)
}

func wantSeeOther(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusSeeOther {
		t.Fatalf("%s %s: %d %s", a.method, a.path, a.status, a.text())
	}
}

// wantTame looks for data that has become markup.
func wantTame(t *testing.T, where string, a answer) {
	t.Helper()
	if strings.Contains(a.body, script) || strings.Contains(a.body, "<img") {
		t.Errorf("%s: the data's markup stands in the page", where)
	}
	if i := strings.IndexAny(a.body, "⟦⟧"); i >= 0 {
		t.Errorf("%s: a sentence is missing: %s", where, a.body[i:min(len(a.body), i+60)])
	}
	for n := range a.doc(t).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
			t.Errorf("%s: inline <%s>", where, n.Data)
		}
		for _, attribute := range n.Attr {
			if attribute.Key == "style" || strings.HasPrefix(attribute.Key, "on") {
				t.Errorf("%s: <%s %s=%q>", where, n.Data, attribute.Key, attribute.Val)
			}
			if attribute.Key == "href" && !strings.HasPrefix(attribute.Val, "/") && !strings.HasPrefix(attribute.Val, "#") &&
				!strings.HasPrefix(attribute.Val, "https://wa.me/?text=") && !strings.HasPrefix(attribute.Val, "https://t.me/share/url?url=") {
				t.Errorf("%s: <%s href=%q> leaves the site", where, n.Data, attribute.Val)
			}
		}
	}
}

// hostileQueries are what people and robots put behind a question mark.
var hostileQueries = []string{
	"q=" + url.QueryEscape(evil), "q=" + url.QueryEscape(script), "q=%00", "q=a%00b", "q=%ff%fe", "q=%25", "q=_", "q=%5C", "q=%27%3B--",
	"q=" + url.QueryEscape("\u202eabc"), "q=" + strings.Repeat("a+", 300), "q=" + strings.Repeat("%D1%8F", 1500),
	"page=-1", "page=0", "page=2", "page=99999999999999999999", "page=1000000", "page=" + url.QueryEscape(script),
	"status=" + url.QueryEscape(script), "status=blocked", "status=completed&q=x", "status=deleted",
	"deleted=" + url.QueryEscape(script), "restored=" + nobodysID, "deleted=" + nobodysID, "%zz=%zz", "q=%zz", ";", "q=1;page=2",
}

func TestPagesEmpty(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		for _, email := range []string{"a@example.com", "admin@example.com"} {
			b := p.as(t, email, staffPassword)
			for _, path := range []string{"/integrator/sales-manager", "/integrator/students/new", "/integrator/students/new?generate=1", "/integrator/trash", "/integrator/sales", "/integrator/sales?period=today", "/account"} {
				wantPage(t, b.get(path), http.StatusOK)
			}
		}
		wantPage(t, p.browser(t).get("/login"), http.StatusOK)
		p.exec(t, "UPDATE courses SET published_at = NULL")
		b := p.as(t, "admin@example.com", staffPassword)
		wantPage(t, b.get("/integrator/sales-manager"), http.StatusOK)
		wantPage(t, b.get("/integrator/students/new"), http.StatusOK)
		form := goodForms["/integrator/students"]
		wantPage(t, b.post("/integrator/students", form), http.StatusConflict)
		if a := b.post("/integrator/students", form, asProgram...); a.code() != "no_course" {
			t.Errorf("without a course: %d %s", a.status, a.code())
		}
	})
}

// TestPagesFullAndHostile fills the school with the worst that it takes and
// opens every page in every language.
func TestPagesFullAndHostile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		admin := p.as(t, "admin@example.com", staffPassword)
		form := settingsForm()
		form.Set("name", evil)
		if a := admin.post("/integrator/settings", form); a.status != http.StatusSeeOther {
			t.Fatalf("settings: %d %s", a.status, a.text())
		}
		p.exec(t, "UPDATE users SET full_name = $1", evil)
		p.exec(t, "UPDATE courses SET title = $1", evil)
		p.exec(t, "UPDATE modules SET title = $1, summary = $1", evil)
		p.exec(t, "UPDATE lessons SET title = $1", evil)
		manager := p.as(t, "a@example.com", staffPassword)
		ids := map[string]string{}
		for i := range 60 { // more than a page
			email := fmt.Sprintf("hostile%d@example.com", i)
			c, err := p.CreateStudent(t.Context(), p.a, school.NewStudentForm{FullName: evil, Email: email, Access: "link"})
			if err != nil {
				t.Fatal(err)
			}
			ids[email] = string(c.Student.ID)
		}
		card := func(i int, more string) string {
			return "/integrator/students/" + ids[fmt.Sprintf("hostile%d@example.com", i)] + more
		}
		wantSeeOther(t, manager.post(card(0, "/grants"), url.Values{"module_id": {"18"}, "reason": {evil + evil}}))
		wantSeeOther(t, manager.post(card(1, "/block"), nil))
		wantSeeOther(t, manager.post(card(2, "/delete"), nil))
		wantPage(t, manager.post(card(3, "/link"), nil), http.StatusOK)
		wantPage(t, manager.post(card(4, "/grants"), url.Values{"module_id": {"17"}, "reason": {strings.Repeat(evil, 4)}}), http.StatusUnprocessableEntity)
		wantPage(t, manager.post(card(4, ""), url.Values{"full_name": {script}, "email": {script}}), http.StatusUnprocessableEntity)
		wantPage(t, manager.post(card(4, ""), url.Values{"full_name": {evil}, "email": {"hostile5@example.com"}}), http.StatusConflict)
		wantSeeOther(t, admin.post(card(3, "/refund"), url.Values{"amount": {"1000"}, "reason": {evil + evil}}))
		wantSeeOther(t, admin.post(card(3, "/price"), url.Values{"amount": {"6000"}, "reason": {script}}))
		wantPage(t, admin.post(card(3, "/refund"), url.Values{"amount": {evil}, "reason": {strings.Repeat(evil, 4)}, "form_key": {script}}), http.StatusUnprocessableEntity)
		wantPage(t, admin.post(card(3, "/refund"), url.Values{"amount": {evil}, "reason": {strings.Repeat(evil, 4)}}), http.StatusUnprocessableEntity)
		wantPage(t, admin.post(card(3, "/refund"), url.Values{"amount": {"5000,01"}, "reason": {evil}}), http.StatusConflict)
		wantPage(t, admin.post(card(3, "/price"), url.Values{"amount": {"6000"}, "reason": {evil}}), http.StatusConflict)
		wantPage(t, admin.post(card(3, "/transfer"), url.Values{"manager": {script}}), http.StatusUnprocessableEntity)
		wantSeeOther(t, admin.post(card(4, "/test"), nil))
		wantSeeOther(t, manager.post(card(3, "/letter"), nil))
		wantPage(t, manager.post(card(2, "/restore"), url.Values{"email": {script}}), http.StatusUnprocessableEntity)
		wantPage(t, manager.post(card(2, "/restore"), url.Values{"email": {"hostile6@example.com"}}), http.StatusConflict)
		hostile := url.Values{}
		for _, field := range []string{"full_name", "email", "access", "password", "price", "language", "form_key"} {
			hostile.Set(field, script+evil)
		}
		wantPage(t, manager.post("/integrator/students", hostile), http.StatusUnprocessableEntity)
		hostile.Del("form_key")
		wantPage(t, manager.post("/integrator/students", hostile), http.StatusUnprocessableEntity)
		wantPage(t, manager.post("/integrator/students", hostile, "HX-Request", "true", "HX-Current-URL", script), http.StatusUnprocessableEntity)
		created := url.Values{"full_name": {evil}, "email": {"created@example.com"}, "password": {script}}
		wantPage(t, manager.post("/integrator/students", created), http.StatusOK)
		created.Set("email", "created2@example.com")
		wantPage(t, manager.post("/integrator/students", created, "HX-Request", "true", "HX-Current-URL", p.url+"/integrator/sales-manager?q=%00"+url.QueryEscape(evil)), http.StatusOK)
		wantPage(t, admin.post("/integrator/settings", url.Values{"name": {script + strings.Repeat(evil, 2)}, "time_zone": {script}, "language": {script}, "link_hours": {script}}), http.StatusUnprocessableEntity)
		wantPage(t, p.browser(t).post("/login", login(script+evil, script)), http.StatusUnauthorized)

		student, _ := p.studentAs(t, p.a, "mine@example.com")
		p.exec(t, "UPDATE users SET full_name = $1 WHERE email = 'mine@example.com'", evil)
		for _, language := range school.Languages() {
			for _, b := range []*browser{admin, manager, student} {
				if a := b.post("/language", url.Values{"language": {string(language)}}); a.status != http.StatusSeeOther {
					t.Fatalf("language: %d", a.status)
				}
				b.cookies["theme"] = "dark"
				wantPage(t, b.get("/account?saved"), http.StatusOK)
				wantPage(t, b.get("/nothing?"+url.QueryEscape(script)), http.StatusNotFound)
			}
			wantPage(t, student.get("/"), http.StatusOK)
			wantPage(t, student.get("/integrator/sales-manager"), http.StatusForbidden)
			wantPage(t, admin.get("/integrator/settings?saved"), http.StatusOK)
			for _, b := range []*browser{admin, manager} {
				for i := range 5 {
					wantPage(t, b.get(card(i, "")), http.StatusOK)
				}
				for _, path := range []string{
					"/integrator/sales-manager", "/integrator/sales-manager?page=2", "/integrator/sales-manager?q=hostile", "/integrator/trash",
					"/integrator/students/new?full_name=" + url.QueryEscape(evil) + "&email=" + url.QueryEscape(script) + "&price=" + url.QueryEscape(script) + "&language=" + url.QueryEscape(script),
					"/integrator/sales", "/integrator/sales?period=month&manager=" + string(p.a.ID) + "&course=1", card(3, "?done=refund"), card(3, "?done="+url.QueryEscape(script)),
					"/integrator/sales-manager?deleted=" + ids["hostile2@example.com"], "/integrator/sales-manager?restored=" + ids["hostile3@example.com"],
				} {
					wantPage(t, b.get(path), http.StatusOK)
				}
			}
			visitor := p.browser(t)
			visitor.cookies["lang"] = string(language)
			wantPage(t, visitor.get("/login"), http.StatusOK)
			wantPage(t, visitor.get("/access/"+url.PathEscape(script)), http.StatusNotFound)
			wantPage(t, visitor.get("/setup/"+url.PathEscape(evil)), http.StatusNotFound)
		}
		for _, query := range hostileQueries {
			wantPage(t, manager.get("/integrator/sales-manager?"+query), http.StatusOK)
			wantPage(t, manager.get("/integrator/sales-manager?"+query, "HX-Request", "true"), http.StatusOK)
			wantPage(t, manager.get("/integrator/trash?"+query), http.StatusOK)
			wantPage(t, manager.get("/integrator/sales?"+query), http.StatusOK)
		}
	})
}

func TestHostileFormsAreNoFaultOfOurs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "admin@example.com", staffPassword)
		card := "/integrator/students/" + string(p.student(t, p.a, "test123@example.com").Student.ID)
		for _, value := range []string{"\x00", "a\x00b", "\xff\xfe", "\u202e", evil, strings.Repeat("9", 400), "9223372036854775807", "9999999999", "-1", "0x10", "\r\nSet-Cookie: a=b"} {
			for _, rt := range (&Handler{}).routes() {
				if rt.method == http.MethodGet || strings.HasPrefix(rt.pattern, "/log") || rt.pattern == "/language" {
					continue
				}
				for field := range goodForms[rt.pattern] {
					form := url.Values{}
					for name, good := range goodForms[rt.pattern] {
						form[name] = good
					}
					form.Set(field, value)
					path := strings.NewReplacer("/integrator/students/{id}", card, "{token}", "NOSUCHTOKEN").Replace(rt.pattern)
					if a := b.post(path, form); a.status >= http.StatusInternalServerError {
						t.Errorf("%s %s with %s = %q: %d", rt.method, rt.pattern, field, value, a.status)
					}
				}
			}
			for _, name := range []string{"period", "from", "to", "manager", "course", "after"} {
				for _, path := range []string{"/integrator/sales", "/integrator/sales.csv", "/integrator/sales.xlsx"} {
					if a := b.get(path + "?" + url.Values{name: {value}}.Encode()); a.status >= http.StatusInternalServerError {
						t.Errorf("%s with %s = %q: %d", path, name, value, a.status)
					}
				}
			}
			for _, path := range []string{"/login", "/language"} {
				if a := p.browser(t).post(path, url.Values{"email": {value}, "password": {value}, "language": {value}, "back": {value}}, "User-Agent", "x"); a.status >= http.StatusInternalServerError {
					t.Errorf("%s with %q: %d", path, value, a.status)
				}
				p.clock.pass(10 * time.Minute) // for the next attempt
			}
		}
	})
}

func TestAssetsAreKeptForEver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.browser(t)
		paths := map[string]bool{}
		for _, a := range []answer{b.get("/login"), p.as(t, "a@example.com", staffPassword).get("/integrator/sales-manager")} {
			for n := range a.doc(t).Descendants() {
				for _, at := range []string{attr(n, "src"), attr(n, "href")} {
					if strings.HasPrefix(at, "/assets/") {
						paths[at] = true
					}
				}
			}
		}
		for _, at := range regexp.MustCompile(`url\("(/assets/[^"]+)"\)`).FindAllStringSubmatch(styles(t, b, paths), -1) {
			paths[at[1]] = true
		}
		if len(paths) < 8 {
			t.Fatalf("only %v", paths)
		}
		types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
		hashed := regexp.MustCompile(`\.[0-9a-f]{12}(\.[a-z0-9]+)$`)
		for path := range paths {
			parts := hashed.FindStringSubmatch(path)
			if parts == nil {
				t.Errorf("%s carries no hash", path)
				continue
			}
			a := b.get(path)
			if a.status != http.StatusOK || a.header.Get("Content-Type") != types[parts[1]] || a.header.Get("Content-Type") == "" {
				t.Errorf("%s: %d %q", path, a.status, a.header.Get("Content-Type"))
			}
			if a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || len(a.header["Set-Cookie"]) > 0 {
				t.Errorf("%s: %q", path, a.header)
			}
		}
		for _, path := range []string{"/assets/app.css", "/assets/", "/assets/fonts/", "/assets/../web.go", "/assets/%2e%2e/web.go", "/assets/app.000000000000.css"} {
			if a := b.get(path); a.status != http.StatusNotFound && a.status != http.StatusMovedPermanently && a.status != http.StatusTemporaryRedirect || strings.Contains(a.header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d %q", path, a.status, a.header.Get("Cache-Control"))
			}
		}
	})
}

func styles(t *testing.T, b *browser, paths map[string]bool) string {
	t.Helper()
	for path := range paths {
		if strings.HasSuffix(path, ".css") {
			return b.get(path).body
		}
	}
	t.Fatal("no page has a style")
	return ""
}

func TestAnswersAreCompressed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.as(t, "a@example.com", staffPassword)
		for _, path := range []string{"/integrator/sales-manager", b.assetOf(t, ".css"), b.assetOf(t, ".js")} {
			plain, packed := b.get(path), b.get(path, "Accept-Encoding", "gzip")
			if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" {
				t.Errorf("%s: %q and %q", path, plain.header.Get("Content-Encoding"), packed.header.Get("Content-Encoding"))
				continue
			}
			if len(packed.body)*2 > len(plain.body) {
				t.Errorf("%s: %d bytes become %d", path, len(plain.body), len(packed.body))
			}
			unpacked, err := gzip.NewReader(strings.NewReader(packed.body))
			if err != nil {
				t.Fatal(err)
			}
			if all, err := io.ReadAll(unpacked); err != nil || strings.HasPrefix(path, "/assets/") && string(all) != plain.body {
				t.Errorf("%s: unpacked to something else, %v", path, err)
			}
			if !strings.Contains(strings.Join(packed.header.Values("Vary"), ","), "Accept-Encoding") {
				t.Errorf("%s: Vary %q", path, packed.header.Values("Vary"))
			}
		}
		if a := b.get("/livez", "Accept-Encoding", "gzip"); a.header.Get("Content-Encoding") != "" {
			t.Error("three bytes are compressed")
		}
	})
}

func (b *browser) assetOf(t *testing.T, ext string) string {
	t.Helper()
	n := element(b.get("/integrator/sales-manager").doc(t), func(n *html.Node) bool {
		return strings.HasSuffix(attr(n, "src")+attr(n, "href"), ext) && attr(n, "as") == ""
	})
	return attr(n, "src") + attr(n, "href")
}

// TestHeadAnswersLikeGet, without the page.
func TestHeadAnswersLikeGet(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		inside := p.as(t, "a@example.com", staffPassword)
		for _, b := range []*browser{p.browser(t), inside} {
			for _, path := range []string{"/", "/login", "/integrator/sales-manager", "/integrator/settings", "/nothing", "/livez", "/readyz", inside.assetOf(t, ".js"), "/access/none"} {
				get, head := b.get(path), b.do(b.request(http.MethodHead, path, nil))
				if head.status != get.status || head.header.Get("Location") != get.header.Get("Location") || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
					t.Errorf("%s: HEAD %d %q %q, GET %d %q %q", path, head.status, head.header.Get("Location"), head.header.Get("Content-Type"),
						get.status, get.header.Get("Location"), get.header.Get("Content-Type"))
				}
				if head.body != "" {
					t.Errorf("%s: HEAD has a body", path)
				}
			}
		}
	})
}

// TestAPanicIsAPlainPageAndALine: the visitor learns the number of the request,
// the log learns everything else, and the desk goes on.
func TestAPanicIsAPlainPageAndALine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var armed atomic.Bool
		p := open(t, target, setup{store: func(o *store.Options) {
			o.BeforeStatement = func(statement string) error {
				if strings.Contains(statement, "INTO letters") && armed.CompareAndSwap(true, false) {
					panic("the ceiling came down")
				}
				return nil
			}
		}})
		b := p.as(t, "a@example.com", staffPassword)
		form := goodForms["/integrator/students"]
		p.unchanged(t, "a panic", func() {
			armed.Store(true)
			a := b.post("/integrator/students", form)
			id := a.header.Get("X-Request-Id")
			if a.status != http.StatusInternalServerError || !strings.Contains(a.body, id) || strings.Contains(a.body, "ceiling") || strings.Contains(a.body, ".go") {
				t.Errorf("answered %d %s", a.status, a.body)
			}
			if a.header.Get("Content-Security-Policy") == "" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %q", a.header)
			}
			line := p.log.line(t, id)
			if told := fmt.Sprint(line["error"]); line["level"] != "ERROR" || !strings.Contains(told, "the ceiling came down") || !strings.Contains(told, "create.go") {
				t.Errorf("logged %v", line)
			}
		})
		for range 25 { // more than there are connections
			armed.Store(true)
			b.post("/integrator/students", form)
		}
		if a := b.post("/integrator/students", form); a.status != http.StatusOK {
			t.Errorf("the next one: %d %s", a.status, a.text())
		}
	})
}

// TestHalfAPageIsNoPage: a panic after the first bytes cuts the connection, so
// that nobody takes the half for the whole.
func TestHalfAPageIsNoPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		handler, log := p.broken(t, func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic("the ceiling came down")
		})
		server := httptest.NewServer(handler)
		defer server.Close()
		res, err := server.Client().Get(server.URL)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		if err == nil {
			t.Error("the half was taken for the whole")
		}
		server.Close()
		if !strings.Contains(log.String(), "the ceiling came down") {
			t.Error("the panic is not in the log")
		}
	})
}

// TestOurFaultsAreNotShown: what is wrong inside is told to the log, and the
// page says that it is our fault.
func TestOurFaultsAreNotShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		handler, log := p.broken(t, func(http.ResponseWriter, *http.Request) error { return errors.New("disk sda3 is on fire") })
		for _, accept := range []string{"text/html", "application/json"} {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/broken?q=secret", nil)
			r.Header.Set("Accept", accept)
			handler.ServeHTTP(w, r)
			id := w.Header().Get("X-Request-Id")
			if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "sda3") || !strings.Contains(w.Body.String(), id) {
				t.Errorf("%s: %d %s", accept, w.Code, w.Body)
			}
			line := log.line(t, id)
			if line["error"] != "disk sda3 is on fire" || line["level"] != "ERROR" || strings.Contains(fmt.Sprint(line), "secret") {
				t.Errorf("%s: logged %v", accept, line)
			}
		}
	})
}

func TestTheProbes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.browser(t)
		for _, path := range []string{"/livez", "/readyz"} {
			if a := b.get(path); a.status != http.StatusOK || a.body != "ok\n" {
				t.Errorf("%s: %d %q", path, a.status, a.body)
			}
		}
		if err := p.store.Close(); err != nil {
			t.Fatal(err)
		}
		if a := b.get("/livez"); a.status != http.StatusOK {
			t.Errorf("/livez without a database: %d", a.status)
		}
		if a := b.get("/readyz"); a.status != http.StatusServiceUnavailable {
			t.Errorf("/readyz without a database: %d", a.status)
		}
		a := b.get("/login")
		if a.status < http.StatusInternalServerError || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, a.header.Get("X-Request-Id")) {
			t.Errorf("a page without a database: %d %s", a.status, a.text())
		}
		wantTame(t, "a page without a database", a)
	})
}

// TestTheLanguage is the account's, else the cookie's, else the browser's, else
// the school's.
func TestTheLanguage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		spoken := func(a answer) string {
			return attr(element(a.doc(t), func(n *html.Node) bool { return n.Data == "html" }), "lang")
		}
		visitor := p.browser(t)
		want := func(how, language string, a answer) {
			t.Helper()
			if got := spoken(a); got != language {
				t.Errorf("%s: %q, want %q", how, got, language)
			}
		}
		want("nothing known", "ru", visitor.get("/login"))
		p.exec(t, "UPDATE settings SET language = 'kk'")
		want("the school's", "kk", visitor.get("/login"))
		want("one that we have not", "kk", visitor.get("/login", "Accept-Language", "de,fr;q=0.8"))
		want("nonsense", "kk", visitor.get("/login", "Accept-Language", "💥;;q=q,,"))
		want("the browser's", "en", visitor.get("/login", "Accept-Language", "de, en-GB;q=0.8, ru;q=0.1"))
		visitor.cookies["lang"] = "xx"
		want("a cookie that we did not make", "en", visitor.get("/login", "Accept-Language", "en"))
		if a := visitor.post("/language", url.Values{"language": {"ru"}, "back": {"/login?a=b"}}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/login?a=b" {
			t.Errorf("choose: %d to %q", a.status, a.header.Get("Location"))
		}
		want("the cookie's", "ru", visitor.get("/login", "Accept-Language", "en"))
		visitor.logIn("a@example.com", staffPassword)
		if a := visitor.post("/language", url.Values{"language": {"en"}}); a.header.Get("Location") != "/" {
			t.Errorf("choose inside: to %q", a.header.Get("Location"))
		}
		visitor.cookies["lang"] = "kk"
		want("the account's", "en", visitor.get("/account", "Accept-Language", "kk"))
		want("the account's elsewhere", "en", p.as(t, "a@example.com", staffPassword).get("/account", "Accept-Language", "kk"))
		if a := visitor.post("/language", url.Values{"language": {"de"}}, asProgram...); a.status != http.StatusUnprocessableEntity || a.code() != "language_unknown" {
			t.Errorf("one that we have not: %d %s", a.status, a.code())
		}
	})
}

// TestTheWayBackStaysOnThisSite: a form may not send people to another.
func TestTheWayBackStaysOnThisSite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.browser(t)
		for back, want := range map[string]string{
			"/integrator/sales-manager?q=a&page=2": "/integrator/sales-manager?q=a&page=2", "/": "/", "": "/",
			"https://evil.example/": "/", "//evil.example/": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/",
			"http:evil.example": "/", "javascript:alert(1)": "/", "evil.example": "/", "/\t/evil.example": "/", "/\r\nSet-Cookie: a=b": "/",
			"?q=1": "/", "#x": "/", "http://\x00": "/", " //evil.example": "/", "/%09/evil.example": "", "/%5cevil.example": "", "/..//evil.example": "", "/.//evil.example": "",
		} {
			a := b.post("/language", url.Values{"language": {"en"}, "back": {back}})
			location := a.header.Get("Location")
			if a.status != http.StatusSeeOther || want != "" && location != want {
				t.Errorf("back %q: %d to %q", back, a.status, location)
			}
			u, err := url.Parse(p.url)
			if err != nil {
				t.Fatal(err)
			}
			if to, err := u.Parse(location); err != nil || to.Host != u.Host || strings.HasPrefix(location, "//") || strings.Contains(location, `\`) {
				t.Errorf("back %q leads to %q", back, location)
			}
		}
	})
}

// TestForwardedForIsBelievedFromProxiesOnly: anybody can write that header.
func TestForwardedForIsBelievedFromProxiesOnly(t *testing.T) {
	t.Parallel()
	h := &Handler{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.7:1234", "", "203.0.113.7"},
		{"203.0.113.7:1234", "198.51.100.1", "203.0.113.7"},
		{"10.1.2.3:1234", "198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:1234", "", "10.1.2.3"},
		{"10.1.2.3:1234", "1.1.1.1, 198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:1234", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"},
		{"10.1.2.3:1234", "198.51.100.1, nonsense", "10.1.2.3"},
		{"[::1]:1234", "2001:db8::1", "2001:db8::1"},
		{"[::ffff:10.1.2.3]:1234", "198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:1234", "10.0.0.1, 10.0.0.2", "10.0.0.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := h.clientAddress(r); got != c.want {
			t.Errorf("%s for %q: %q, want %q", c.remote, c.forwarded, got, c.want)
		}
	}
}

// TestTooManyAttemptsSayWhenToComeBack, to programs and to people, and count by
// the address that really calls.
func TestTooManyAttemptsSayWhenToComeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b := p.browser(t)
		for range 5 {
			if a := b.post("/login", login("a@example.com", "wrong password"), asProgram...); a.code() != "wrong_credentials" {
				t.Fatalf("%d %s", a.status, a.code())
			}
		}
		b.post("/login", login("a@example.com", "wrong password"))
		for i, headers := range [][]string{asProgram, nil, {"X-Forwarded-For", "198.51.100.1"}} {
			a := b.post("/login", login("a@example.com", staffPassword), headers...)
			if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || a.header.Get("Retry-After") == "0" {
				t.Errorf("%d: %d, Retry-After %q", i, a.status, a.header.Get("Retry-After"))
			}
		}
		if a := b.post("/login", login("b@example.com", staffPassword)); a.status != http.StatusSeeOther {
			t.Errorf("somebody else at the same address: %d", a.status)
		}
		p.clock.pass(2 * time.Second)
		if a := b.post("/login", login("a@example.com", staffPassword)); a.status != http.StatusSeeOther {
			t.Errorf("after the wait: %d %s", a.status, a.text())
		}
	})
}

// TestTheLoginDoesNotTellWhoIsThere: an unknown address and a wrong password are
// answered alike, byte for byte.
func TestTheLoginDoesNotTellWhoIsThere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.student(t, p.a, "no-password@example.com")
		blocked := p.student(t, p.a, "blocked@example.com")
		if err := p.BlockStudent(t.Context(), p.a, blocked.Student.ID); err != nil {
			t.Fatal(err)
		}
		for _, headers := range [][]string{nil, asProgram} {
			seen := map[string][]string{}
			for _, email := range []string{"a@example.com", "unknown@example.com", "no-password@example.com", "blocked@example.com", "not an address", ""} {
				for range 7 { // past the free attempts
					a := p.browser(t).post("/login", login(email, "wrong password"), headers...)
					body := strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "ID")
					if email != "" {
						body = strings.ReplaceAll(body, `value="`+email+`"`, `value=""`)
					}
					body = strings.Replace(body, " autofocus", "", 1)
					a.header.Del("X-Request-Id")
					a.header.Del("Date")
					a.header.Del("Content-Length") // the address's own length
					seen[email] = append(seen[email], fmt.Sprintf("%d %v %s", a.status, a.header, body))
				}
			}
			for email, answers := range seen {
				for i, got := range answers {
					if want := seen["unknown@example.com"][i]; got != want {
						t.Errorf("attempt %d of %q is answered\n%s\nand an unknown address\n%s", i, email, got, want)
					}
				}
			}
			p.exec(t, "DELETE FROM login_failures")
		}
	})
}
