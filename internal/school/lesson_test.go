package school_test

import (
	"strings"
	"testing"
	"time"

	"tripwire/internal/school"
)

func TestVideoAddresses(t *testing.T) {
	t.Parallel()
	good := map[string]struct{ source, want string }{
		"https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3s":                                      {"youtube", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"},
		"https://youtu.be/dQw4w9WgXcQ?si=x":                                                     {"youtube", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"},
		"https://vimeo.com/76979871":                                                            {"vimeo", "https://player.vimeo.com/video/76979871"},
		"https://kinescope.io/201234567":                                                        {"kinescope", "https://kinescope.io/embed/201234567"},
		"https://iframe.mediadelivery.net/embed/12345/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f?x=1": {"bunny", "https://iframe.mediadelivery.net/embed/12345/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"},
		"https://cdn.example.com/a/b.mp4?token=1":                                               {"mp4", "https://cdn.example.com/a/b.mp4?token=1"},
		"https://cdn.example.com/a/master.m3u8":                                                 {"hls", "https://cdn.example.com/a/master.m3u8"},
	}
	for typed, v := range good {
		e, err := school.NewLessonEdit(school.LessonForm{Title: "x", Minutes: "1", VideoSource: v.source, VideoAddress: typed}, school.Video{})
		if err != nil || e.Video.Address != v.want {
			t.Errorf("%s: %q, %v", typed, e.Video.Address, err)
		}
	}
	for _, bad := range []struct{ source, typed string }{
		{"youtube", "https://evil.example/watch?v=dQw4w9WgXcQ"}, {"youtube", "javascript:alert(1)"}, {"youtube", "https://www.youtube.com/watch?v=short"},
		{"vimeo", "https://vimeo.com/76979871/../../x"}, {"kinescope", "https://kinescope.io.evil.example/201234567"},
		{"bunny", "https://iframe.mediadelivery.net/embed/12345/"}, {"mp4", "http://cdn.example.com/a.mp4"}, {"mp4", "/files/x"}, {"mp4", "//cdn.example.com/a.mp4"},
		{"mp4", "https://cdn.example.com/a.mp4; script-src *"}, {"hls", "https://user:pass@cdn.example.com/a.m3u8"}, {"hls", "data:video/mp4,x"},
		{"file", ""}, {"dailymotion", "https://dailymotion.com/x"}, {"mp4", "https://cdn.example.com/" + strings.Repeat("a", 3000)},
	} {
		if e, err := school.NewLessonEdit(school.LessonForm{Title: "x", Minutes: "1", VideoSource: bad.source, VideoAddress: bad.typed}, school.Video{}); err == nil {
			t.Errorf("%s %.80s was taken as %+v", bad.source, bad.typed, e.Video)
		}
	}
}

// TestRulesThatNobodyCanMeetAreRefused when the lesson is edited, not when a
// student stands before it.
func TestRulesThatNobodyCanMeetAreRefused(t *testing.T) {
	t.Parallel()
	form := func(change func(*school.LessonForm)) error {
		f := school.LessonForm{Title: "x", Minutes: "1", VideoSource: "mp4", VideoAddress: "https://cdn.example.com/a.mp4", VideoSeconds: "1:30", Homework: "do it"}
		change(&f)
		_, err := school.NewLessonEdit(f, school.Video{})
		return err
	}
	if err := form(func(f *school.LessonForm) {
		f.Rules, f.VideoPercent = []string{"video", "accepted", "handed_in", "opened", "marked"}, "100"
	}); err != nil {
		t.Errorf("all rules: %v", err)
	}
	for name, change := range map[string]func(*school.LessonForm){
		"a share of what does not tell": func(f *school.LessonForm) {
			f.VideoSource, f.VideoAddress, f.Rules = "youtube", "https://youtu.be/dQw4w9WgXcQ", []string{"video"}
		},
		"a share of no video":            func(f *school.LessonForm) { f.VideoSource, f.Rules = "", []string{"video"} },
		"a share of an unknown length":   func(f *school.LessonForm) { f.VideoSeconds, f.Rules = "", []string{"video"} },
		"a share of nothing":             func(f *school.LessonForm) { f.VideoPercent, f.Rules = "0", []string{"video"} },
		"more than all":                  func(f *school.LessonForm) { f.VideoPercent, f.Rules = "101", []string{"video"} },
		"homework that there is not":     func(f *school.LessonForm) { f.Homework, f.Rules = " ", []string{"handed_in"} },
		"accepted homework without task": func(f *school.LessonForm) { f.Homework, f.Rules = "", []string{"accepted"} },
		"a rule that is none":            func(f *school.LessonForm) { f.Rules = []string{"guessed"} },
	} {
		if err := form(change); school.KindOf(err) != school.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func lessonDone(id school.LessonID, required bool, at time.Time) school.LessonProgress {
	return school.LessonProgress{Lesson: school.Lesson{ID: id, Required: required}, CompletedAt: at}
}

// TestALessonAddedLaterUnfinishesNobody: it is new, and counts for nothing.
func TestALessonAddedLaterUnfinishesNobody(t *testing.T) {
	t.Parallel()
	then := time.Date(2026, 5, 14, 9, 0, 0, 0, time.UTC)
	m := school.ModuleProgress{UnlockedAt: then, CompletedAt: then, Lessons: []school.LessonProgress{lessonDone(1, true, then), lessonDone(2, true, time.Time{})}}
	done, total := m.LessonsDone()
	if done != 1 || total != 1 || m.Percent() != 100 || school.CoursePercent([]school.ModuleProgress{m}) != 100 {
		t.Errorf("%d of %d, %d %%, course %d %%", done, total, m.Percent(), school.CoursePercent([]school.ModuleProgress{m}))
	}
	if m.New(m.Lessons[0]) || !m.New(m.Lessons[1]) {
		t.Error("the wrong lesson is called new")
	}
	if next, ok := school.NextLesson([]school.ModuleProgress{m}, then.Add(time.Hour)); ok {
		t.Errorf("sent back to %+v", next)
	}
}

// TestAlmostIsNotAll: 100 % is said of nobody who has not completed everything.
func TestAlmostIsNotAll(t *testing.T) {
	t.Parallel()
	whole, _, _ := school.PlayReport{Ranges: [][2]float64{{0, 700}}}.Check()
	l := school.LessonProgress{Lesson: school.Lesson{Required: true, Video: school.Video{Source: school.VideoFile, Seconds: 600}}, Played: whole}
	m := school.ModuleProgress{UnlockedAt: time.Unix(1, 0), Lessons: []school.LessonProgress{l}}
	if l.PlayedPercent() != 100 || l.Percent() != 99 || school.CoursePercent([]school.ModuleProgress{m}) != 99 {
		t.Errorf("played %d, lesson %d, course %d", l.PlayedPercent(), l.Percent(), school.CoursePercent([]school.ModuleProgress{m}))
	}
}

func TestFileNamesAreForPeople(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Рабочая тетрадь.pdf": "Рабочая тетрадь.pdf", `C:\Users\me\answer.docx`: "answer.docx", "../../etc/passwd": "passwd",
		"a\x00b\nc.txt": "abc.txt", "": "file", "..": "file", "/": "file", `"<script>.html`: "script.html", "\u202egpj.exe": "gpj.exe",
	} {
		if got := school.NewFileName(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if got := []rune(school.NewFileName(strings.Repeat("ы", 500) + ".pdf")); len(got) != 120 || string(got[116:]) != ".pdf" {
		t.Errorf("%d characters: %s", len(got), string(got))
	}
}
