package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// sendFile posts a file as a form does, and answers what came of it.
func (b *browser) sendFile(path, name string, content io.Reader, fields ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = io.Copy(part, content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.postBody(path, &body, form.FormDataContentType())
}

// postBody posts something that is no form.
func (b *browser) postBody(path string, body io.Reader, contentType string) answer {
	b.t.Helper()
	r := b.request(http.MethodPost, path, nil, "Content-Type", contentType)
	r.Body, r.ContentLength = io.NopCloser(body), -1
	return b.do(r)
}

func film(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile("../cli/demo_media/lesson-1.mp4")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// filmed is a place whose lessons 67 and 68 have a video of ours.
func filmed(t *testing.T, target storetest.Target) (p place, videos [2]string) {
	t.Helper()
	p = open(t, target)
	for i, lesson := range []school.LessonID{67, 68} {
		if err := p.AddVideo(t.Context(), p.admin, lesson, "film.mp4", bytes.NewReader(film(t)), 20); err != nil {
			t.Fatal(err)
		}
		sheet, err := p.LessonSheet(t.Context(), p.admin, lesson)
		if err != nil {
			t.Fatal(err)
		}
		videos[i] = "/files/" + string(sheet.Lesson.Video.FileID)
	}
	return p, videos
}

// TestAVideoIsSentInRanges with the right type, to who may see it and to nobody
// else.
func TestAVideoIsSentInRanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, videos := filmed(t, target)
		b, id := p.studentAs(t, p.a, "student@example.com")
		content := string(film(t))
		whole := b.get(videos[0])
		if whole.status != http.StatusOK || whole.body != content {
			t.Fatalf("the whole file: %d, %d bytes of %d", whole.status, len(whole.body), len(content))
		}
		for name, want := range map[string]string{
			"Content-Type": "video/mp4", "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
			"Cache-Control": "private, no-cache", "Content-Disposition": "inline; filename=film.mp4", "Content-Encoding": "",
		} {
			if got := whole.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		part := b.get(videos[0], "Range", "bytes=1000-1999", "Accept-Encoding", "gzip")
		if part.status != http.StatusPartialContent || part.body != content[1000:2000] || part.header.Get("Content-Range") != fmt.Sprintf("bytes 1000-1999/%d", len(content)) {
			t.Errorf("a range: %d, %d bytes, %s", part.status, len(part.body), part.header.Get("Content-Range"))
		}
		if again := b.get(videos[0], "If-None-Match", whole.header.Get("ETag")); again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("what the browser has: %d, %d bytes", again.status, len(again.body))
		}
		for name, c := range map[string]struct {
			as     *browser
			path   string
			status int
			code   string
		}{
			"a locked lesson":           {b, videos[1], http.StatusForbidden, "lesson_locked"},
			"nobody":                    {p.browser(t), videos[0], http.StatusUnauthorized, "not_logged_in"},
			"a file that is none":       {b, "/files/" + string(school.NewFileID()), http.StatusNotFound, "not_found"},
			"a path":                    {b, "/files/..%2f..%2ftripwire.db", http.StatusNotFound, "not_found"},
			"an id in capitals":         {b, strings.ToUpper(videos[0]), http.StatusNotFound, "not_found"},
			"the other manager, a film": {p.as(t, "b@example.com", staffPassword), videos[1], http.StatusOK, ""},
		} {
			if a := c.as.get(c.path, asProgram...); a.status != c.status || c.code != "" && a.code() != c.code {
				t.Errorf("%s: %d %s, want %d %s", name, a.status, a.code(), c.status, c.code)
			}
		}
		if err := p.BlockStudent(t.Context(), p.a, id); err != nil {
			t.Fatal(err)
		}
		if a := b.get(videos[0], asProgram...); a.status == http.StatusOK {
			t.Error("a blocked student still gets the film")
		}
	})
}

// TestAPageLetsInOnlyItsOwnVideo: the policy follows the source, and no page
// without one is opened for it.
func TestAPageLetsInOnlyItsOwnVideo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b, _ := p.studentAs(t, p.a, "student@example.com")
		for source, c := range map[string]struct{ address, want string }{
			"":          {"", ""},
			"mp4":       {"https://cdn.example.com/a.mp4", "media-src 'self' https:"},
			"hls":       {"https://cdn.example.com/a.m3u8", "connect-src 'self' https:; media-src 'self' blob: https:"},
			"youtube":   {"https://youtu.be/dQw4w9WgXcQ", "frame-src https://www.youtube-nocookie.com"},
			"vimeo":     {"https://vimeo.com/76979871", "frame-src https://player.vimeo.com"},
			"kinescope": {"https://kinescope.io/201234567", "frame-src https://kinescope.io"},
			"bunny":     {"https://iframe.mediadelivery.net/embed/1/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f", "frame-src https://iframe.mediadelivery.net"},
		} {
			if err := p.EditLesson(t.Context(), p.admin, 67, school.LessonForm{Title: "Film", Minutes: "1", VideoSource: source, VideoAddress: c.address}); err != nil {
				t.Fatal(err)
			}
			a := b.get("/lesson/67")
			policy := a.header.Get("Content-Security-Policy")
			if a.status != http.StatusOK || !strings.HasPrefix(policy, contentSecurityPolicy) || !strings.HasSuffix(policy, c.want) {
				t.Errorf("%s: %d, %s", source, a.status, policy)
			}
			if source == "" && policy != contentSecurityPolicy {
				t.Errorf("no video, but %s", policy)
			}
			if site, embedded := strings.CutPrefix(c.want, "frame-src "); embedded && !strings.Contains(a.body, `<iframe src="`+site+"/") {
				t.Errorf("%s is let in, but not shown", site)
			}
		}
		if got := b.get("/").header.Get("Content-Security-Policy"); got != contentSecurityPolicy {
			t.Errorf("the course page has %s", got)
		}
	})
}

// TestProgramsAreToldWhatIsMissing in codes and in words.
func TestProgramsAreToldWhatIsMissing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p, _ := filmed(t, target)
		if err := p.EditLesson(t.Context(), p.admin, 67, school.LessonForm{Title: "Film", Minutes: "1", VideoSource: "file", Rules: []string{"video"}}); err != nil {
			t.Fatal(err)
		}
		b, _ := p.studentAs(t, p.a, "student@example.com")
		b.get("/lesson/67")
		report := func(body string) answer {
			return b.postBody("/lesson/67/progress", strings.NewReader(body), "application/json")
		}
		if a := b.post("/lesson/67/complete", nil, asProgram...); a.status != http.StatusConflict || a.code() != "lesson_not_qualified" ||
			!strings.Contains(a.body, `"missing_video"`) || !strings.Contains(a.body, "16") {
			t.Errorf("too soon: %d %s", a.status, a.body)
		}
		if a := b.post("/lesson/67/complete", nil); a.status != http.StatusConflict || !strings.Contains(a.body, `data-code="lesson_not_qualified"`) {
			t.Errorf("too soon, in a browser: %d", a.status)
		}
		for _, bad := range []string{"", "{", `{"ranges":[[5,1]]}`, `{"ranges":"all"}`, `{"ranges":[[0,1e300]]}`, "[]", `{"ranges":[[-1,5]]}`} {
			if a := report(bad); a.status != http.StatusUnprocessableEntity || a.code() == "" {
				t.Errorf("%s: %d %s", bad, a.status, a.body)
			}
		}
		if a := report(`{"ranges":[` + strings.Repeat("[0,1],", 20_000) + `[0,1]]}`); a.code() != "too_large" {
			t.Errorf("a report without end: %d %s", a.status, a.code())
		}
		p.clock.set(p.clock.now().Add(10 * time.Second))
		if a := report(`{"ranges":[[0,10]],"duration":20,"position":10}`); a.status != http.StatusOK || !strings.Contains(a.body, `"percent":50`) || !strings.Contains(a.body, `"missing":["video"]`) {
			t.Errorf("half of it: %d %s", a.status, a.body)
		}
		p.clock.set(p.clock.now().Add(10 * time.Second))
		if a := report(`{"ranges":[[10,17]],"duration":20,"position":17}`); !strings.Contains(a.body, `"missing":[]`) {
			t.Errorf("enough of it: %d %s", a.status, a.body)
		}
		for range 2 {
			if a := b.post("/lesson/67/complete", nil); a.status != http.StatusSeeOther || a.header.Get("Location") != "/course/integrator" {
				t.Errorf("completed: %d to %s", a.status, a.header.Get("Location"))
			}
		}
	})
}

// TestWhatIsSentIsBounded before it is kept.
func TestWhatIsSentIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		if err := p.EditLesson(t.Context(), p.admin, 67, school.LessonForm{Title: "Write", Minutes: "1", Homework: "x"}); err != nil {
			t.Fatal(err)
		}
		b, _ := p.studentAs(t, p.a, "student@example.com")
		if a := b.sendFile("/lesson/67/homework/files", `C:\Мой ответ.txt`, strings.NewReader("words")); a.status != http.StatusSeeOther {
			t.Fatalf("a small file: %d %s", a.status, a.text())
		}
		page := b.get("/lesson/67").body
		if !strings.Contains(page, "Мой ответ.txt") {
			t.Error("the file is not on the page")
		}
		large := io.LimitReader(zeros{}, school.MaxHomeworkFileMB<<20+5)
		if a := b.sendFile("/lesson/67/homework/files", "large.txt", io.MultiReader(strings.NewReader("a text with "), large)); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a large file: %d", a.status)
		}
		if a := b.sendFile("/lesson/67/homework/files", "page.html", strings.NewReader("<html><script>alert(1)</script></html>")); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "homework-file-error") {
			t.Errorf("a page: %d", a.status)
		}
		if a := b.post("/lesson/67/homework/files", nil); a.status != http.StatusUnprocessableEntity {
			t.Errorf("no file at all: %d", a.status)
		}
		if n := p.count(t, "SELECT count(*) FROM files"); n != 1 {
			t.Errorf("%d files are kept", n)
		}
		admin := p.as(t, "admin@example.com", staffPassword)
		if a := admin.sendFile("/integrator/lessons/67/video", "film.mp4", bytes.NewReader(film(t)), "seconds", "19.99"); a.status != http.StatusSeeOther {
			t.Errorf("a film: %d %s", a.status, a.text())
		}
		if a := admin.sendFile("/integrator/lessons/67/captions", "a.vtt", strings.NewReader("WEBVTT\n\n00:00.000 --> 00:01.000\nx\n"), "language", "kk"); a.status != http.StatusSeeOther {
			t.Errorf("captions: %d %s", a.status, a.text())
		}
		if n := p.count(t, "SELECT count(*) FROM lesson_videos v JOIN lesson_captions k ON k.lesson_id = v.lesson_id WHERE v.seconds = 20"); n != 1 {
			t.Error("film and captions are not where they belong")
		}
	})
}

// zeros is a reader of letters without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// slowly gives a little at a time, as a phone in a bus sends.
type slowly struct {
	io.Reader
	pause time.Duration
}

func (r slowly) Read(p []byte) (int, error) {
	<-time.After(r.pause)
	return r.Reader.Read(p[:min(len(p), 1000)])
}

// TestASlowSenderIsAnswered: as long as something comes, the limits of pages do
// not count.
func TestASlowSenderIsAnswered(t *testing.T) {
	t.Parallel()
	p := open(t, storetest.SQLite(t), setup{server: func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = 3*time.Second, 3*time.Second }})
	if err := p.EditLesson(t.Context(), p.admin, 67, school.LessonForm{Title: "Write", Minutes: "1", Homework: "x"}); err != nil {
		t.Fatal(err)
	}
	b, _ := p.studentAs(t, p.a, "student@example.com")
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	part, err := parts.CreateFormFile("file", "a.txt")
	if err == nil {
		_, err = io.WriteString(part, strings.Repeat("words ", 2000))
	}
	if err := errors.Join(err, parts.Close()); err != nil {
		t.Fatal(err)
	}
	if a := b.postBody("/lesson/67/homework/files", slowly{&form, 350 * time.Millisecond}, parts.FormDataContentType()); a.status != http.StatusSeeOther {
		t.Errorf("answered with %d %s", a.status, a.text())
	}
	if n := p.count(t, "SELECT count(*) FROM homework_files"); n != 1 {
		t.Errorf("%d files are kept", n)
	}
}

// TestSeveralCoursesAreAChoice: the start page lists them, and each leads to its
// own.
func TestSeveralCoursesAreAChoice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		b, id := p.studentAs(t, p.a, "student@example.com")
		if a := b.get("/"); a.status != http.StatusOK || !strings.Contains(a.body, `href="/lesson/67"`) {
			t.Errorf("one course is not shown at once: %d", a.status)
		}
		p.exec(t, "INSERT INTO courses (slug, title, price_minor, currency, created_at) VALUES ('second', 'Second <b>', 0, 'KZT', '2026-03-01 12:00:00.000')")
		p.exec(t, `INSERT INTO tripwire_users (user_id, course_id, email, granted_by, granted_at, price_minor, currency, source)
			SELECT t.user_id, c.id, t.email, t.granted_by, t.granted_at, 0, 'KZT', 'panel' FROM tripwire_users t CROSS JOIN courses c
			WHERE t.user_id = $1 AND c.slug = 'second'`, string(id))
		home := b.get("/")
		for _, slug := range []string{"integrator", "second"} {
			if !strings.Contains(home.body, `href="/course/`+slug+`"`) {
				t.Errorf("%s is no choice", slug)
			}
			if a := b.get("/course/" + slug); a.status != http.StatusOK {
				t.Errorf("%s: %d", slug, a.status)
			}
		}
		if strings.Contains(home.body, "Second <b>") {
			t.Error("a title is not escaped")
		}
	})
}
