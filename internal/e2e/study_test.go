package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// film is a real video of twenty seconds.
const film = "../cli/demo_media/lesson-1.mp4"

// furnish puts a video, hostile words and homework into lesson 67, past the
// screen.
func (s *school) furnish() {
	s.t.Helper()
	content, err := os.ReadFile(film)
	if err != nil {
		s.t.Fatal(err)
	}
	const id = "abcdefghijklmnopqrstuvwxyz"
	s.keepFile(id, "video/mp4", content)
	s.exec("INSERT INTO lesson_videos (lesson_id, source, file_id, address, seconds) VALUES (67, 'file', $1, '', 20)", id)
	s.exec("INSERT INTO completion_rules (lesson_id, kind, percent) VALUES (67, 'video', 50), (67, 'accepted', 0)")
	s.exec("UPDATE lessons SET body = $1, homework = $1 WHERE id = 67", hostileText+strings.Repeat("Щ", 300)+"\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
}

// keepFile puts a file where the server keeps them, with its row.
func (s *school) keepFile(id, mediaType string, content []byte) {
	s.t.Helper()
	folder := filepath.Join(s.dir, "files", id[:2])
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, id), content, 0o600)); err != nil {
		s.t.Fatal(err)
	}
	s.exec(`INSERT INTO files (id, name, media_type, size, sha256, created_at)
		VALUES ($1, '<script>alert(10)</script>', $2, $3, $1, '2026-01-01 00:00:00.000')`, id, mediaType, len(content))
}

// send chooses a file in the form and sends it.
func (b *tab) send(form, path string, ready string) {
	b.t.Helper()
	absolute, err := filepath.Abs(path)
	b.do("find "+path, err)
	b.until("the field for a file", func() error {
		found, err := b.matching(form + " input[type=file]")
		if err != nil {
			return err
		}
		_, err = chromedp.Call(b.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{BackendNodeID: found[0], Files: []string{absolute}})
		return err
	})
	if ready != "" {
		b.holds(ready)
	}
	b.loading(func() { b.pressOn(form + " button[type=submit]") })
}

// furnishesLesson has the administrator send a video and say that half of it is
// enough.
func (s *school) furnishesLesson() {
	s.t.Helper()
	b := s.at(admin)
	b.follow("Курсы")
	b.loading(func() { b.pressOn("a[href='/integrator/lessons/67']") })
	b.send("form[action$='/67/video']", film, `document.querySelector("[data-seconds]").value > 19`)
	b.sees("Урок сохранён")
	b.pressOn("[name=rules][value=video]")
	b.fill("Доля видео, %", "50")
	b.follow("Сохранить")
	b.sees("Урок сохранён")
}

// reports counts the reports of the player that were answered.
func (b *tab) reports() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.answers {
		if strings.HasPrefix(a, "200 POST /lesson/") && strings.HasSuffix(a, "/progress") {
			n++
		}
	}
	return n
}

// watches plays a part of the video and waits until the server knows.
func (b *tab) watches(from, to float64, speed string) {
	b.t.Helper()
	before := b.reports()
	b.plays(from, to, speed)
	b.until("a report of the player", func() error {
		if b.reports() == before {
			return errors.New("there was none")
		}
		return nil
	})
}

// plays plays a part of the video.
func (b *tab) plays(from, to float64, speed string) {
	b.t.Helper()
	b.pressOn(fmt.Sprintf("[data-speed=%q]", speed))
	_, err := evaluate[bool](b, fmt.Sprintf(`(async () => {
		const v = document.querySelector("video");
		v.muted = true;
		v.currentTime = %f;
		await new Promise(done => v.addEventListener("seeked", done, {once: true}));
		await v.play();
		await new Promise(done => { const look = () => v.currentTime >= %f || v.ended ? done() : requestAnimationFrame(look); look(); });
		v.pause();
		return true;
	})()`, from, to), chromedp.EvalAwaitPromise)
	b.do("play", err)
}

// TestStudentStudies: acceptance case 3, with a real video in a real browser.
// Seeking earns nothing; twice the speed earns what was watched; a gap in the
// connection loses nothing; another device goes on where this one stopped; the
// next module opens and is celebrated once.
func TestStudentStudies(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		s.furnishesLesson()
		manager := s.at(vera)
		manager.create(testStudent)
		manager.finish()

		b := s.visitor("student")
		b.allow(403, 409, lost)
		b.open("/login")
		b.firstLogIn(testStudent)
		b.follow("Начать")
		b.at("/lesson/67")
		b.sees("урок засчитывается после 50% видео", "Просмотрено 0%")
		b.holds(`document.querySelector("video").readyState > 0`)

		// To the very end at once: nothing is earned.
		b.watches(19.2, 19.9, "1")
		b.follow("Завершить урок")
		b.at("/lesson/67/complete")
		if got := b.lastStatus(); got != 409 {
			t.Errorf("completing a lesson that was skipped: %d", got)
		}
		b.sees("урок засчитывается после 50% видео")
		s.closed(b, 68, 69)

		// At twice the speed, then through a gap in the connection.
		b.open("/lesson/67")
		b.holds(`document.querySelector("video").readyState > 0`)
		b.watches(0, 4, "2")
		b.holds(`parseInt(document.querySelector("#standing").innerText.match(/Просмотрено (\d+)%/)[1]) >= 20`)
		b.connected(false)
		b.plays(4, 7, "2")
		b.sees("Нет связи")
		b.connected(true)
		b.holds(`parseInt(document.querySelector("#standing").innerText.match(/Просмотрено (\d+)%/)[1]) >= 35`)
		b.sees("Связь вернулась")

		// Another device, the same part again: it goes on where this one stopped,
		// and earns nothing twice.
		second := s.visitor("second device")
		second.open("/login")
		second.logIn(testStudent.email, ownPassword)
		second.open("/lesson/67")
		second.holds(`Math.abs(document.querySelector("video").currentTime - 7) < 1.5`)
		before := s.earned()
		second.watches(0, 4, "2")
		second.reload()
		if now := s.earned(); now < before || now > before+700 { // where the parts meet
			t.Errorf("watching the same again: %d ms, before %d", now, before)
		}

		b.reload()
		b.holds(`document.querySelector("video").readyState > 0`)
		// Both play the same part at the same time: it counts once.
		second.holds(`document.querySelector("video").readyState > 0`)
		read[bool](second, `(() => {
			const v = document.querySelector("video");
			v.muted = true; v.playbackRate = 2; v.currentTime = 7;
			v.ontimeupdate = () => { if (v.currentTime >= 11) v.pause(); };
			v.play();
			return true;
		})()`)
		told := second.reports()
		b.watches(6.5, 11, "2")
		b.sees("Всё готово")
		second.until("its report", func() error {
			if second.reports() == told {
				return errors.New("there was none")
			}
			return nil
		})
		second.reload()
		if now := s.earned(); now > 13_000 { // 11.5 seconds, and 0.7 at the end
			t.Errorf("two at once earned %d ms", now)
		}
		b.follow("Завершить урок")
		b.at("/course/integrator")
		b.sees("Модуль «Введение» пройден!")
		b.seesModules(s.completedLine(b), "Открыт", "Откроется после модуля 17")
		b.reload()
		b.seesNot("Модуль «Введение» пройден!")

		// Lessons without a rule are marked done.
		for _, lesson := range []int{68, 69} {
			b.follow("Продолжить")
			b.at(fmt.Sprint("/lesson/", lesson))
			b.follow("Завершить урок")
			b.at("/course/integrator")
		}
		b.sees("Курс «Интегратор» пройден!", "100%")
		manager.reload()
		manager.sees("Завершили")
		if n := s.count("SELECT count(*) FROM tripwire_users WHERE email = $1 AND completed_at IS NOT NULL", testStudent.email); n != 1 {
			t.Error("the course is not completed in the rows")
		}
	})
}

// earned is how many milliseconds the rows say were played.
func (s *school) earned() (ms int) {
	s.t.Helper()
	var played string
	if err := s.raw(s.t).QueryRowContext(s.t.Context(), "SELECT played FROM lesson_plays").Scan(&played); err != nil {
		s.t.Fatal(err)
	}
	for part := range strings.SplitSeq(played, ",") {
		var from, to int
		if _, err := fmt.Sscanf(part, "%d-%d", &from, &to); err != nil {
			s.t.Fatalf("%q: %v", played, err)
		}
		ms += to - from
	}
	return ms
}

// closed checks that lessons are refused on every road, with the reason.
func (s *school) closed(b *tab, lessons ...int) {
	s.t.Helper()
	for _, lesson := range lessons {
		b.open(fmt.Sprint("/lesson/", lesson))
		b.sees("Этот урок ещё закрыт", "Откроется после модуля")
		if got := b.lastStatus(); got != 403 {
			s.t.Errorf("lesson %d: %d", lesson, got)
		}
		for _, road := range []string{"complete", "homework", "homework/draft"} {
			got := b.post(fmt.Sprintf("/lesson/%d/%s", lesson, road), nil, "application/json")
			var body struct{ Code, Title, Detail string }
			_ = json.Unmarshal([]byte(got.Text), &body)
			if got.Status != 403 || body.Code != "lesson_locked" || !strings.Contains(got.Text, "Откроется после модуля") {
				s.t.Errorf("lesson %d, %s: %d %s", lesson, road, got.Status, got.Text)
			}
		}
	}
}

// completedLine is what the first card says of its completion; it holds the time.
func (s *school) completedLine(b *tab) string {
	s.t.Helper()
	return read[string](b, `document.querySelector("#module-16 .module-foot").innerText.trim()`)
}

// TestHomeworkIsAnsweredFromTheKeyboard: a draft survives the closing of the page,
// a file goes with it, staff answer without the mouse.
func TestHomeworkIsAnsweredFromTheKeyboard(t *testing.T) {
	onEach(t, func(t *testing.T, s *school) {
		s.exec("UPDATE lessons SET homework = 'Опишите задачу' WHERE id = 67")
		s.exec("INSERT INTO completion_rules (lesson_id, kind, percent) VALUES (67, 'accepted', 0)")
		manager := s.at(vera)
		manager.create(testStudent)
		manager.finish()
		b := s.visitor("student")
		b.open("/login")
		b.firstLogIn(testStudent)
		b.open("/lesson/67")
		b.fill("Ваш ответ", "Первая мысль")
		b.sees("Черновик сохранён")
		b.reload()
		b.holds(`document.querySelector("#homework-text").value === "Первая мысль"`)
		b.send("form[action$='/homework/files']", "study_test.go", "")
		b.sees("study_test.go")
		b.follow("Отправить на проверку")
		b.sees("На проверке", "Первая мысль")

		manager.follow("Задания")
		manager.sees("1 работа ждёт проверки", "Первая мысль", "study_test.go")
		manager.holds(`document.activeElement.name === "comment"`)
		manager.fill("Комментарий ученику", "Добавьте пример")
		manager.loading(func() { manager.chord("Enter", altKey) })
		manager.sees("Всё проверено")
		b.reload()
		b.sees("Нужно доработать", "Добавьте пример")
		b.fill("Ваш ответ", "Мысль с примером")
		b.follow("Отправить на проверку")
		manager.reload()
		manager.sees("Мысль с примером")
		manager.holds(`document.activeElement.name === "comment"`)
		manager.loading(func() { manager.chord("Enter", controlKey) })
		manager.sees("Всё проверено")
		b.open("/")
		b.seesModules(s.completedLine(b), "Открыт", "Откроется после модуля 17")
	})
}

// TestAStreamPlays through hls.js, in a browser that cannot play streams by
// itself: Chromium is made to say that it is one.
func TestAStreamPlays(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	const list, pieces = "streamlist2345abcdefghijkl", "streampieces2345abcdefghij"
	playlist, err := os.ReadFile("testdata/film.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	s.keepFile(list, "application/vnd.apple.mpegurl", []byte(strings.ReplaceAll(string(playlist), "film.m4s", "/files/"+pieces)))
	film, err := os.ReadFile("testdata/film.m4s")
	if err != nil {
		t.Fatal(err)
	}
	s.keepFile(pieces, "video/mp4", film)
	s.exec("INSERT INTO lesson_materials (file_id, lesson_id, position) VALUES ($1, 67, 1), ($2, 67, 2)", list, pieces)
	s.exec("INSERT INTO lesson_videos (lesson_id, source, address, seconds) VALUES (67, 'hls', $1, 8)", s.base+"/files/"+list)
	s.exec("INSERT INTO completion_rules (lesson_id, kind, percent) VALUES (67, 'video', 20)")
	manager := s.at(vera)
	manager.create(testStudent)
	manager.finish()
	b := s.visitor("student")
	_, err = chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `HTMLMediaElement.prototype.canPlayType = () => ""`,
	})
	b.do("take the streams away", err)
	b.open("/login")
	b.firstLogIn(testStudent)
	b.open("/lesson/67")
	b.holds(`!!window.Hls && document.querySelector("video").readyState > 0`)
	b.watches(1, 4, "2")
	b.sees("Всё готово")
	b.follow("Завершить урок")
	b.at("/course/integrator")
}
