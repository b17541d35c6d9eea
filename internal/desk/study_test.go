package desk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

func asStudent(id school.UserID) (a school.Actor) {
	return school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel, RequestID: "test"}
}

// classroom is a place with a clock, one student and a video in lesson 67.
type classroom struct {
	place
	*clock
	me school.Actor
}

const tenMinutes = 600

func study(t *testing.T, target storetest.Target) classroom {
	t.Helper()
	p, c := openAt(t, target)
	r := classroom{place: p, clock: c}
	r.me = asStudent(r.student(t, r.a, "test123@example.com").Student.ID)
	r.edit(t, 67, school.LessonForm{VideoSource: "mp4", VideoAddress: "https://cdn.example.com/a.mp4", VideoSeconds: "10:00", Rules: []string{"video"}})
	return r
}

func (r classroom) today() time.Time { return *r.now.Load() }

func (r classroom) edit(t *testing.T, lesson school.LessonID, f school.LessonForm) {
	t.Helper()
	f.Title, f.Minutes = fmt.Sprint("Lesson ", lesson), "10"
	if err := r.EditLesson(t.Context(), r.admin, lesson, f); err != nil {
		t.Fatal(err)
	}
}

func (r classroom) report(t *testing.T, ranges ...[2]float64) school.LessonProgress {
	t.Helper()
	l, err := r.ReportProgress(t.Context(), r.me, 67, school.PlayReport{Ranges: ranges, Duration: tenMinutes, Position: ranges[len(ranges)-1][1]})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (r classroom) lesson(t *testing.T, id school.LessonID) desk.LessonView {
	t.Helper()
	v, err := r.MyLesson(t.Context(), r.me, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// watchAll plays the whole video of lesson 67.
func (r classroom) watchAll(t *testing.T) {
	t.Helper()
	r.lesson(t, 67)
	r.forward(tenMinutes * time.Second)
	r.report(t, [2]float64{0, tenMinutes})
}

func param(err error, name string) string {
	if e, ok := errors.AsType[*school.Error](err); ok {
		return e.Params[name]
	}
	return ""
}

// TestOnlySecondsReallyPlayedCount: seeking earns nothing, the same twice earns
// nothing, and nobody plays faster than the clock allows.
func TestOnlySecondsReallyPlayedCount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		if l := r.report(t, [2]float64{0, tenMinutes}); l.PlayedMS() > 6000 { // never opened before
			t.Errorf("a report out of nowhere earned %d ms", l.PlayedMS())
		}
		r.forward(60 * time.Second)
		if l := r.report(t, [2]float64{0, 60}, [2]float64{590, 600}); l.PlayedMS() != 70_000 {
			t.Errorf("played 70 seconds, earned %d ms", l.PlayedMS())
		}
		if l := r.report(t, [2]float64{0, 60}, [2]float64{590, 600}); l.PlayedMS() != 70_000 {
			t.Errorf("the same twice: %d ms", l.PlayedMS())
		}
		r.forward(60 * time.Second)
		if l := r.report(t, [2]float64{60, 500}); l.PlayedMS() != 2*(120+3)*1000 {
			t.Errorf("500 seconds within two minutes: %d ms", l.PlayedMS())
		}
		err := r.CompleteLesson(t.Context(), r.me, 67)
		if codeOf(t, err) != "lesson_not_qualified" || param(err, "seconds") != "234" || param(err, "percent") != "80" {
			t.Errorf("not yet watched: %v, %q seconds of %q %%", err, param(err, "seconds"), param(err, "percent"))
		}
		r.forward(10 * time.Minute)
		if l := r.report(t, [2]float64{60, 500}); len(l.Missing()) != 0 {
			t.Errorf("watched: missing %+v", l.Missing())
		}
		if err := r.CompleteLesson(t.Context(), r.me, 67); err != nil {
			t.Errorf("watched: %v", err)
		}
		if _, err := r.MyLesson(t.Context(), r.me, 68); err != nil {
			t.Errorf("module 17 did not open: %v", err)
		}
	})
}

// TestHeartbeatsAreWrittenOnceInAWhile and lost never: the next page, the worker
// and a stop write what has waited.
func TestHeartbeatsAreWrittenOnceInAWhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.lesson(t, 67)
		plays := func() string { return strings.Join(target.DumpWithoutRefusals(t)["lesson_plays"], "\n") }
		r.forward(20 * time.Second)
		r.report(t, [2]float64{0, 20})
		before := plays()
		if !strings.Contains(before, "0-20000") {
			t.Fatalf("the first report was not written: %s", before)
		}
		for i := range 10 {
			r.forward(time.Second)
			if l := r.report(t, [2]float64{0, float64(21 + i)}); l.PlayedMS() != int64(21+i)*1000 {
				t.Errorf("answered %d ms after %d s", l.PlayedMS(), 21+i)
			}
		}
		if err := r.KeepProgress(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if now := plays(); now != before {
			t.Errorf("written within 15 seconds: %s", now)
		}
		if v := r.lesson(t, 67); v.Lesson.PlayedMS() != 30_000 || v.Lesson.PositionMS != 30_000 {
			t.Errorf("the next page says %d ms at %d", v.Lesson.PlayedMS(), v.Lesson.PositionMS)
		}
		r.forward(time.Second)
		r.report(t, [2]float64{0, 31})
		r.forward(15 * time.Second)
		if err := r.KeepProgress(t.Context(), false); err != nil || !strings.Contains(plays(), "0-31000") {
			t.Errorf("the worker wrote %s, %v", plays(), err)
		}
		r.forward(time.Second)
		r.report(t, [2]float64{0, 32})
		if err := r.KeepProgress(t.Context(), true); err != nil || !strings.Contains(plays(), "0-32000") {
			t.Errorf("at the stop stood %s, %v", plays(), err)
		}
	})
}

// TestFiftyCompleteAtOnce: one completion, one line of history, one next module.
func TestFiftyCompleteAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.watchAll(t)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if err := r.CompleteLesson(context.Background(), r.me, 67); err != nil {
					t.Errorf("one of fifty: %v", err)
				}
			})
		}
		all.Wait()
		dump := target.DumpWithoutRefusals(t)
		done := 0
		for _, line := range dump["activity"] {
			if strings.Contains(line, "lesson.completed") {
				done++
			}
		}
		if len(dump["lesson_completions"]) != 1 || len(dump["module_completions"]) != 1 || len(dump["module_unlocks"]) != 2 || done != 1 {
			t.Errorf("%d completions of the lesson, %d of the module, %d unlocks, %d lines", len(dump["lesson_completions"]), len(dump["module_completions"]), len(dump["module_unlocks"]), done)
		}
	})
}

// TestLockedLessonsSayWhy, on every verb: by what has to be done first, or by the
// date.
func TestLockedLessonsSayWhy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.edit(t, 68, school.LessonForm{Homework: "write", VideoSource: "mp4", VideoAddress: "https://cdn.example.com/b.mp4"})
		verbs := map[string]func() error{
			"lesson":   func() error { _, err := r.MyLesson(t.Context(), r.me, 68); return err },
			"complete": func() error { return r.CompleteLesson(t.Context(), r.me, 68) },
			"progress": func() error { _, err := r.ReportProgress(t.Context(), r.me, 68, school.PlayReport{}); return err },
			"draft":    func() error { return r.SaveDraft(t.Context(), r.me, 68, "x") },
			"hand in":  func() error { return r.HandIn(t.Context(), r.me, 68, "x") },
			"file": func() error {
				_, err := r.AddDraftFile(t.Context(), r.me, 68, "x.txt", strings.NewReader("x"))
				return err
			},
		}
		before := target.DumpWithoutRefusals(t)
		for name, verb := range verbs {
			if err := verb(); codeOf(t, err) != "lesson_locked" || param(err, "after") != "Введение" {
				t.Errorf("%s: %v, after %q", name, err, param(err, "after"))
			}
		}
		unchanged(t, target, before)
		if _, err := target.Raw(t).Exec("UPDATE unlock_rules SET delay_minutes = 60 WHERE source_module_id = 16"); err != nil {
			t.Fatal(err)
		}
		r.watchAll(t)
		if err := r.CompleteLesson(t.Context(), r.me, 67); err != nil {
			t.Fatal(err)
		}
		opens := r.today().Add(time.Hour).UTC().Format(time.RFC3339)
		for name, verb := range verbs {
			if err := verb(); codeOf(t, err) != "lesson_locked" || param(err, "opens") != opens {
				t.Errorf("%s: %v, opens %q, want %q", name, err, param(err, "opens"), opens)
			}
		}
		r.forward(time.Hour)
		r.lesson(t, 68)
		for _, other := range []school.LessonID{0, 70, -1} {
			if _, err := r.MyLesson(t.Context(), r.me, other); codeOf(t, err) != "not_found" {
				t.Errorf("lesson %d: %v", other, err)
			}
		}
	})
}

// TestACelebrationComesOnce, however often the page is shown.
func TestACelebrationComesOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.watchAll(t)
		if err := r.CompleteLesson(t.Context(), r.me, 67); err != nil {
			t.Fatal(err)
		}
		var seen atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				v, err := r.MyCourse(context.Background(), r.me, "integrator")
				if err != nil {
					t.Error(err)
				}
				all, err := r.Celebrate(context.Background(), r.me, v.Modules)
				if err != nil {
					t.Error(err)
				}
				seen.Add(int64(len(all)))
			})
		}
		all.Wait()
		if seen.Load() != 1 {
			t.Errorf("congratulated %d times", seen.Load())
		}
	})
}

// TestHomeworkGoesBackAndForth until it is accepted; each version stays.
func TestHomeworkGoesBackAndForth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.edit(t, 67, school.LessonForm{Homework: "Describe your **task**", Rules: []string{"accepted"}})
		ctx := t.Context()
		if err := r.HandIn(ctx, r.me, 67, " \n"); codeOf(t, err) != "homework_empty" {
			t.Errorf("nothing: %v", err)
		}
		if err := r.SaveDraft(ctx, r.me, 67, "half a thought"); err != nil {
			t.Fatal(err)
		}
		f, err := r.AddDraftFile(ctx, r.me, 67, `C:\answer.txt`, strings.NewReader("the answer"))
		if err != nil || f.Name != "answer.txt" {
			t.Fatalf("%+v, %v", f, err)
		}
		spare, err := r.AddDraftFile(ctx, r.me, 67, "spare.txt", strings.NewReader("not this"))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.RemoveDraftFile(ctx, r.me, 67, spare.ID); err != nil {
			t.Fatal(err)
		}
		if d := r.lesson(t, 67).Draft; d.Text != "half a thought" || len(d.Files) != 1 {
			t.Errorf("the draft is %+v", d)
		}
		if err := r.HandIn(ctx, r.me, 67, "first try"); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"again": r.HandIn(ctx, r.me, 67, "again"),
			"draft": r.SaveDraft(ctx, r.me, 67, "x"),
			"file":  r.RemoveDraftFile(ctx, r.me, 67, f.ID),
		} {
			if codeOf(t, err) != "homework_handed_in" {
				t.Errorf("%s while it waits: %v", name, err)
			}
		}
		if err := r.CompleteLesson(ctx, r.me, 67); codeOf(t, err) != "lesson_not_qualified" {
			t.Errorf("completed while it waits: %v", err)
		}
		q, err := r.Homework(ctx, r.a)
		if err != nil || q.Total != 1 || len(q.Waiting) != 1 || q.Waiting[0].Text != "first try" || len(q.Waiting[0].Files) != 1 || q.Waiting[0].Task != "Describe your **task**" {
			t.Fatalf("the queue is %+v, %v", q, err)
		}
		id := q.Waiting[0].ID
		if q, err := r.Homework(ctx, r.b); err != nil || q.Total != 0 || len(q.Waiting) != 0 {
			t.Errorf("the other manager sees %+v, %v", q, err)
		}
		if err := r.ReviewHomework(ctx, r.b, id, school.HomeworkAccepted, ""); codeOf(t, err) != "not_found" {
			t.Errorf("the other manager answers: %v", err)
		}
		if err := r.ReviewHomework(ctx, r.me, id, school.HomeworkAccepted, ""); codeOf(t, err) != "forbidden" {
			t.Errorf("the student accepts: %v", err)
		}
		if err := r.ReviewHomework(ctx, r.a, id, school.HomeworkReturned, " "); codeOf(t, err) != "invalid_input" {
			t.Errorf("returned without a word: %v", err)
		}
		if err := r.ReviewHomework(ctx, r.a, id, "perhaps", "x"); codeOf(t, err) != "invalid_input" {
			t.Errorf("perhaps: %v", err)
		}
		if err := r.ReviewHomework(ctx, r.a, id, school.HomeworkReturned, "more, please"); err != nil {
			t.Fatal(err)
		}
		if err := r.ReviewHomework(ctx, r.admin, id, school.HomeworkAccepted, ""); codeOf(t, err) != "homework_not_waiting" {
			t.Errorf("answered twice: %v", err)
		}
		if err := r.HandIn(ctx, r.me, 67, "second try"); err != nil {
			t.Fatal(err)
		}
		q, _ = r.Homework(ctx, r.admin)
		if err := r.ReviewHomework(ctx, r.admin, q.Waiting[0].ID, school.HomeworkAccepted, ""); err != nil {
			t.Fatal(err)
		}
		v := r.lesson(t, 67)
		if !v.Lesson.Completed() || len(v.Submissions) != 2 || v.Submissions[1].Comment != "more, please" || v.Submissions[1].ReviewedBy != r.a.Name || len(v.Submissions[1].Files) != 1 {
			t.Errorf("afterwards: completed %v, %+v", v.Lesson.Completed(), v.Submissions)
		}
		if _, err := r.MyLesson(ctx, r.me, 68); err != nil {
			t.Errorf("accepting did not open the next module: %v", err)
		}
	})
}

// TestHandingInTwiceAtOnceIsOneVersion.
func TestHandingInTwiceAtOnceIsOneVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.edit(t, 67, school.LessonForm{Homework: "x"})
		var ok atomic.Int64
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				switch err := r.HandIn(context.Background(), r.me, 67, "mine"); {
				case err == nil:
					ok.Add(1)
				case codeOf(t, err) != "homework_handed_in":
					t.Errorf("a loser was told %v", err)
				}
			})
		}
		all.Wait()
		if rows := target.DumpWithoutRefusals(t)["submissions"]; ok.Load() != 1 || len(rows) != 1 {
			t.Errorf("%d were told yes, %d rows", ok.Load(), len(rows))
		}
	})
}

func contents(t *testing.T, r classroom, actor school.Actor, id school.FileID) (string, error) {
	t.Helper()
	_, c, err := r.OpenFile(t.Context(), actor, id)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), errors.Join(err, c.Close())
}

// TestFilesAreForWhoMaySeeThem and for nobody else.
func TestFilesAreForWhoMaySeeThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		ctx := t.Context()
		r.edit(t, 67, school.LessonForm{Homework: "x"})
		if err := r.AddMaterial(ctx, r.admin, 68, "tables.txt", strings.NewReader("rows and columns")); err != nil {
			t.Fatal(err)
		}
		sheet, err := r.LessonSheet(ctx, r.admin, 68)
		if err != nil || len(sheet.Content.Materials) != 1 {
			t.Fatalf("%+v, %v", sheet.Content, err)
		}
		material := sheet.Content.Materials[0].ID
		answer, err := r.AddDraftFile(ctx, r.me, 67, "mine.txt", strings.NewReader("my own words"))
		if err != nil {
			t.Fatal(err)
		}
		other := asStudent(r.student(t, r.b, "other@example.com").Student.ID)
		for _, c := range []struct {
			who  string
			as   school.Actor
			file school.FileID
			want string
		}{
			{"the student, a locked lesson", r.me, material, "lesson_locked"},
			{"the administrator, a material", r.admin, material, "rows and columns"},
			{"another manager, a material", r.b, material, "rows and columns"},
			{"the student, their own work", r.me, answer.ID, "my own words"},
			{"their manager", r.a, answer.ID, "my own words"},
			{"the administrator", r.admin, answer.ID, "my own words"},
			{"another student", other, answer.ID, "not_found"},
			{"another manager", r.b, answer.ID, "not_found"},
			{"nobody", school.Actor{}, answer.ID, "not_logged_in"},
			{"a file that is none", r.admin, school.NewFileID(), "not_found"},
		} {
			got, err := contents(t, r, c.as, c.file)
			if err != nil {
				got = codeOf(t, err)
			}
			if got != c.want {
				t.Errorf("%s: %q, want %q", c.who, got, c.want)
			}
		}
		if err := r.AddMaterial(ctx, r.a, 68, "x.txt", strings.NewReader("x")); codeOf(t, err) != "forbidden" {
			t.Errorf("a manager edits a lesson: %v", err)
		}
	})
}

// TestWhatIsNotAcceptedLeavesNothing: neither a row nor a file.
func TestWhatIsNotAcceptedLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.edit(t, 67, school.LessonForm{Homework: "x"})
		for name, c := range map[string]struct {
			content string
			want    string
		}{
			"page.txt":  {"<!doctype html><html><script>alert(1)</script>", "file_type"},
			"tool.pdf":  {"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00", "file_type"},
			"empty.txt": {"", "file_empty"},
		} {
			if _, err := r.AddDraftFile(t.Context(), r.me, 67, name, strings.NewReader(c.content)); codeOf(t, err) != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		for i := range school.MaxHomeworkFiles {
			if _, err := r.AddDraftFile(t.Context(), r.me, 67, fmt.Sprint(i, ".txt"), strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.AddDraftFile(t.Context(), r.me, 67, "more.txt", strings.NewReader("x")); codeOf(t, err) != "too_many_files" {
			t.Errorf("one too many: %v", err)
		}
		if err := r.AddVideo(t.Context(), r.admin, 67, "film.mp4", strings.NewReader("this is a text"), 5); codeOf(t, err) != "file_type" {
			t.Errorf("a text as a video: %v", err)
		}
		if err := r.AddCaptions(t.Context(), r.admin, 67, school.Kazakh, "a.vtt", strings.NewReader("WEBVTT\n\n00:00.000 --> 00:01.000\nx\n")); err != nil {
			t.Errorf("captions: %v", err)
		}
		if rows := target.DumpWithoutRefusals(t)["files"]; len(rows) != school.MaxHomeworkFiles+1 {
			t.Errorf("%d rows of files", len(rows))
		}
	})
}

// TestFilesThatNothingUsesAreSweptAway after a day, and no others.
func TestFilesThatNothingUsesAreSweptAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.set(time.Now()) // the files of the system carry the system's time
		r.edit(t, 67, school.LessonForm{Homework: "x"})
		var ids []school.FileID
		for i := range 3 {
			f, err := r.AddDraftFile(t.Context(), r.me, 67, "x.txt", strings.NewReader(strings.Repeat("x", i+1)))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, f.ID)
		}
		if err := r.RemoveDraftFile(t.Context(), r.me, 67, ids[1]); err != nil { // goes at once
			t.Fatal(err)
		}
		if err := r.AddMaterial(t.Context(), r.admin, 67, "x.txt", strings.NewReader("old")); err != nil {
			t.Fatal(err)
		}
		sheet, err := r.LessonSheet(t.Context(), r.admin, 67)
		if err == nil {
			err = r.RemoveLessonFile(t.Context(), r.admin, 67, sheet.Content.Materials[0].ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n, err := r.SweepFiles(t.Context()); err != nil || n != 0 {
			t.Errorf("at once: %d, %v", n, err)
		}
		r.set(time.Now().Add(25 * time.Hour))
		if n, err := r.SweepFiles(t.Context()); err != nil || n != 1 {
			t.Errorf("a day later: %d, %v", n, err)
		}
		for i, want := range []string{"x", "not_found", "xxx"} {
			got, err := contents(t, r, r.me, ids[i])
			if err != nil {
				got = codeOf(t, err)
			}
			if got != want {
				t.Errorf("file %d: %q, want %q", i, got, want)
			}
		}
	})
}

// TestAPreviewWritesNothing, shows any date, and is for whom the student is.
func TestAPreviewWritesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		if _, err := target.Raw(t).Exec("UPDATE unlock_rules SET delay_minutes = 1440 WHERE source_module_id = 16"); err != nil {
			t.Fatal(err)
		}
		start := r.today()
		r.watchAll(t)
		if err := r.CompleteLesson(t.Context(), r.me, 67); err != nil {
			t.Fatal(err)
		}
		before := target.DumpWithoutRefusals(t)
		state := func(at time.Time) string {
			_, v, err := r.PreviewCourse(t.Context(), r.a, r.me.ID, at)
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, m := range v.Modules {
				switch {
				case m.Completed():
					text += "done "
				case m.OpenAt(v.Now):
					text += "open "
				default:
					text += "locked "
				}
			}
			return text + fmt.Sprint(school.CoursePercent(v.Modules))
		}
		for at, want := range map[time.Time]string{
			start.Add(time.Minute):            "open locked locked 0",
			{}:                                "done locked locked 33",
			r.today().Add(2 * time.Hour * 24): "done open locked 33",
		} {
			if got := state(at); got != want {
				t.Errorf("at %v: %s, want %s", at, got, want)
			}
		}
		if _, v, err := r.PreviewLesson(t.Context(), r.admin, r.me.ID, 67, time.Time{}); err != nil || !v.Lesson.Completed() {
			t.Errorf("lesson 67: %v", err)
		}
		if _, _, err := r.PreviewLesson(t.Context(), r.a, r.me.ID, 68, time.Time{}); codeOf(t, err) != "lesson_locked" {
			t.Errorf("lesson 68 today: %v", err)
		}
		if _, _, err := r.PreviewLesson(t.Context(), r.a, r.me.ID, 68, r.today().Add(48*time.Hour)); err != nil {
			t.Errorf("lesson 68 in two days: %v", err)
		}
		unchanged(t, target, before)
		if err := r.BlockStudent(t.Context(), r.a, r.me.ID); err != nil {
			t.Fatal(err)
		}
		before = target.DumpWithoutRefusals(t)
		if _, _, err := r.PreviewLesson(t.Context(), r.a, r.me.ID, 67, time.Time{}); err != nil {
			t.Errorf("of a blocked student: %v", err)
		}
		if _, err := r.MyLesson(t.Context(), r.me, 67); codeOf(t, err) != "not_found" {
			t.Errorf("a blocked student: %v", err)
		}
		for _, stranger := range []school.Actor{r.b, r.me, {}} {
			if _, _, err := r.PreviewCourse(t.Context(), stranger, r.me.ID, time.Time{}); err == nil {
				t.Errorf("%s %s previews", stranger.Role, stranger.Name)
			}
		}
		unchanged(t, target, before)
	})
}

// unchanged wants every row to be as before.
func unchanged(t *testing.T, target storetest.Target, before map[string][]string) {
	t.Helper()
	for table, rows := range target.DumpWithoutRefusals(t) {
		if !slices.Equal(rows, before[table]) {
			t.Errorf("table %s has changed", table)
		}
	}
}

// TestSeveralCourses: each has its own page, and what is not one's own is not
// there.
func TestSeveralCourses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.secondCourse(t, r.a)
		courses, err := r.MyCourses(t.Context(), r.me)
		if err != nil || len(courses) != 2 || courses[1].Slug != "second" {
			t.Fatalf("%+v, %v", courses, err)
		}
		if v, err := r.MyCourse(t.Context(), r.me, "second"); err != nil || len(v.Modules) != 1 || !v.Modules[0].OpenAt(v.Now) {
			t.Errorf("%+v, %v", v.Modules, err)
		}
		if err := r.CompleteLesson(t.Context(), r.me, 91); err != nil {
			t.Errorf("a lesson of the second course: %v", err)
		}
		if _, err := r.MyCourse(t.Context(), r.me, "third"); codeOf(t, err) != "not_found" {
			t.Errorf("a course of nobody: %v", err)
		}
	})
}

// secondCourse makes a second course and admits the student to it; it answers its
// lesson. A third course is nobody's.
func (r classroom) secondCourse(t *testing.T, by school.Actor) school.LessonID {
	t.Helper()
	for _, query := range []string{
		"INSERT INTO courses (slug, title, price_minor, currency, created_at) VALUES ('second', 'Second', 0, 'KZT', '2026-03-01 12:00:00.000'), ('third', 'Third', 0, 'KZT', '2026-03-01 12:00:00.000')",
		"INSERT INTO modules (id, course_id, position, title, summary) SELECT 31, id, 1, 'Other', '' FROM courses WHERE slug = 'second'",
		"INSERT INTO lessons (id, module_id, position, title, minutes, required) VALUES (91, 31, 1, 'Other', 1, TRUE)",
		"INSERT INTO unlock_rules (course_id, module_id, event) SELECT id, 31, 'enrolled' FROM courses WHERE slug = 'second'",
	} {
		if _, err := r.target.Raw(t).Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	err := r.store.Write(t.Context(), func(tx *store.Tx) error {
		courses, err := tx.ListCourseIDs()
		if err != nil {
			return err
		}
		return tx.InsertEnrolment(store.Enrolment{
			UserID: r.me.ID, CourseID: courses[1], Email: "test123@example.com", GrantedBy: by.ID, Price: school.Money{Currency: "KZT"}, Source: school.DoorPanel,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return 91
}

// TestEveryPageSaysTheSame over random histories: the list, the card, the course
// and the lesson derive their figures from the same facts.
func TestEveryPageSaysTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		lessons := []school.LessonID{67, 68, 69}
		r.edit(t, 68, school.LessonForm{Homework: "x", Rules: []string{"handed_in"}})
		r.edit(t, 69, school.LessonForm{Homework: "x", VideoSource: "mp4", VideoAddress: "https://cdn.example.com/b.mp4", VideoSeconds: "1:00", Rules: []string{"video", "accepted"}})
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			me := asStudent(r.student(t, r.a, fmt.Sprintf("s%d@example.com", n)).Student.ID)
			ctx := t.Context()
			for range rapid.IntRange(0, 14).Draw(rt, "steps") {
				lesson := rapid.SampledFrom(lessons).Draw(rt, "lesson")
				r.forward(time.Duration(rapid.IntRange(0, 400).Draw(rt, "seconds")) * time.Second)
				from := float64(rapid.IntRange(0, 500).Draw(rt, "from"))
				var err error
				switch rapid.IntRange(0, 5).Draw(rt, "step") {
				case 0:
					_, err = r.MyLesson(ctx, me, lesson)
				case 1:
					_, err = r.ReportProgress(ctx, me, lesson, school.PlayReport{Ranges: [][2]float64{{from, from + 300}}})
				case 2:
					err = r.HandIn(ctx, me, lesson, "x")
				case 3:
					var q desk.Queue
					if q, err = r.Homework(ctx, r.a); err == nil && q.Total > 0 {
						err = r.ReviewHomework(ctx, r.a, q.Waiting[0].ID, rapid.SampledFrom([]school.HomeworkState{school.HomeworkAccepted, school.HomeworkReturned}).Draw(rt, "verdict"), "x")
					}
				default:
					err = r.CompleteLesson(ctx, me, lesson)
				}
				if school.KindOf(err) == school.Internal && err != nil {
					rt.Fatal(err)
				}
			}
			r.sameEverywhere(rt, me)
		})
	})
}

func (r classroom) sameEverywhere(t *rapid.T, me school.Actor) {
	ctx := context.Background()
	card, err := r.Student(ctx, r.a, me.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, preview, err := r.PreviewCourse(ctx, r.admin, me.ID, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := r.Students(ctx, r.a, school.StudentFilter{Query: string(card.Student.Email)})
	if err != nil || len(list.Students) != 1 {
		t.Fatalf("%d in the list, %v", len(list.Students), err)
	}
	// The student's own page comes last: it writes what waits, and what staff see
	// must be right without that.
	course, err := r.MyCourse(ctx, me, "integrator")
	if err != nil {
		t.Fatal(err)
	}
	listed := list.Students[0]
	done, total := school.ModulesDone(course.Modules)
	if listed.ModulesDone != done || listed.ModulesTotal != total || card.Student.ModulesDone != done || card.Student.ModulesTotal != total {
		t.Fatalf("the list says %d/%d, the card %d/%d, the course %d/%d", listed.ModulesDone, listed.ModulesTotal, card.Student.ModulesDone, card.Student.ModulesTotal, done, total)
	}
	figures := map[string]string{"course": figuresOf(course.Modules), "card": figuresOf(card.Modules), "preview": figuresOf(preview.Modules)}
	if next, ok := school.NextLesson(course.Modules, course.Now); ok {
		lesson, err := r.MyLesson(ctx, me, next.Lesson.ID)
		if err != nil {
			t.Fatalf("“continue” leads to %v", err)
		}
		figures["lesson"] = figuresOf(lesson.Modules)
	}
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		if figures[name] != figures["course"] {
			t.Fatalf("%s says %s, the course %s", name, figures[name], figures["course"])
		}
	}
	finished := done == total
	if finished != !card.Student.CompletedAt.IsZero() || finished != (school.CoursePercent(course.Modules) == 100) {
		t.Fatalf("all done: %v, completed %v, %d %%", finished, card.Student.CompletedAt, school.CoursePercent(course.Modules))
	}
}

// figuresOf is everything that a page derives of a student's progress.
func figuresOf(modules []school.ModuleProgress) string {
	text := fmt.Sprint(school.CoursePercent(modules), " %")
	for _, m := range modules {
		done, total := m.LessonsDone()
		text += fmt.Sprintf(", module %d: %d %%, %d/%d", m.Module.ID, m.Percent(), done, total)
		for _, l := range m.Lessons {
			text += fmt.Sprint(" ", l.PlayedMS())
		}
	}
	return text
}

// TestStaffSeeWhatNoRowSaysYet: card and both previews, without writing it.
func TestStaffSeeWhatNoRowSaysYet(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.lesson(t, 67)
		for _, seconds := range []float64{10, 20} { // the first is written, the second waits
			r.forward(10 * time.Second)
			r.report(t, [2]float64{0, seconds})
		}
		before := target.DumpWithoutRefusals(t)
		_, lesson, err := r.PreviewLesson(t.Context(), r.a, r.me.ID, 67, time.Time{})
		if err != nil || lesson.Lesson.PlayedMS() != 20_000 {
			t.Errorf("the preview of the lesson: %d ms, %v", lesson.Lesson.PlayedMS(), err)
		}
		_, course, err := r.PreviewCourse(t.Context(), r.a, r.me.ID, time.Time{})
		if err != nil || course.Modules[0].Lessons[0].PlayedMS() != 20_000 {
			t.Errorf("the preview of the course: %+v, %v", course.Modules[0].Lessons, err)
		}
		card, err := r.Student(t.Context(), r.a, r.me.ID)
		if err != nil || card.Modules[0].Lessons[0].PlayedMS() != 20_000 {
			t.Errorf("the card: %+v, %v", card.Modules[0].Lessons, err)
		}
		unchanged(t, target, before)
	})
}

// TestManyReportsAtOnceEarnNoMoreThanOne: what can have been played is judged
// against all of them.
func TestManyReportsAtOnceEarnNoMoreThanOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.lesson(t, 67)
		r.forward(30 * time.Second)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				from := float64(i * 37)
				_, err := r.ReportProgress(context.Background(), r.me, 67, school.PlayReport{Ranges: [][2]float64{{from, from + 36}}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if ms := r.lesson(t, 67).Lesson.PlayedMS(); ms > 2*33*1000 {
			t.Errorf("%d ms earned within 30 seconds", ms)
		}
	})
}

// TestAnotherFilmHasNotBeenWatched: what was played belongs to the film.
func TestAnotherFilmHasNotBeenWatched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.watchAll(t)
		same := school.LessonForm{VideoSource: "mp4", VideoAddress: "https://cdn.example.com/a.mp4", VideoSeconds: "10:00", Rules: []string{"video"}, Body: "new words"}
		r.edit(t, 67, same)
		if l := r.lesson(t, 67).Lesson; l.PlayedPercent() != 100 {
			t.Errorf("new words, and %d %% are left", l.PlayedPercent())
		}
		same.VideoAddress = "https://cdn.example.com/b.mp4"
		r.edit(t, 67, same)
		if l := r.lesson(t, 67).Lesson; l.PlayedPercent() != 0 || l.OpenedAt.IsZero() {
			t.Errorf("another film, and %d %% are watched", l.PlayedPercent())
		}
	})
}

// TestTheLengthOfAFilmIsReadFromTheFile, and a film of unknown length cannot be
// watched by a share.
func TestTheLengthOfAFilmIsReadFromTheFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		film, err := os.ReadFile("../cli/demo_media/lesson-1.mp4")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.AddVideo(t.Context(), r.admin, 67, "film.mp4", bytes.NewReader(film), 9); err != nil {
			t.Fatal(err)
		}
		if l := r.lesson(t, 67).Lesson; l.Lesson.Video.Seconds != 20 || len(l.Missing()) != 1 {
			t.Errorf("%+v, missing %+v", l.Lesson.Video, l.Missing())
		}
		webm := append([]byte("\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"), make([]byte, 200)...)
		if err := r.AddVideo(t.Context(), r.admin, 67, "film.webm", bytes.NewReader(webm), 0); codeOf(t, err) != "rule_needs_length" {
			t.Errorf("a film of unknown length: %v", err)
		}
		if err := r.AddVideo(t.Context(), r.admin, 67, "film.webm", bytes.NewReader(webm), 61); err != nil {
			t.Errorf("a film whose length was told: %v", err)
		}
	})
}

// TestCoursesAreKeptApart: who sold one course reads and answers nothing of a
// student's other course.
func TestCoursesAreKeptApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.edit(t, 67, school.LessonForm{Homework: "x"})
		second := r.secondCourse(t, r.b)
		f, err := r.AddDraftFile(t.Context(), r.me, 67, "a.txt", strings.NewReader("x"))
		if err == nil {
			err = r.HandIn(t.Context(), r.me, 67, "mine")
		}
		if err != nil {
			t.Fatal(err)
		}
		q, err := r.Homework(t.Context(), r.a)
		if err != nil || len(q.Waiting) != 1 {
			t.Fatalf("%+v, %v", q, err)
		}
		for name, err := range map[string]error{
			"answer":  r.ReviewHomework(t.Context(), r.b, q.Waiting[0].ID, school.HomeworkAccepted, ""),
			"file":    func() error { _, err := contents(t, r, r.b, f.ID); return err }(),
			"preview": func() error { _, _, err := r.PreviewLesson(t.Context(), r.a, r.me.ID, second, time.Time{}); return err }(),
		} {
			if codeOf(t, err) != "not_found" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := r.CompleteLesson(t.Context(), r.me, 67); err != nil {
			t.Fatal(err)
		}
		other, err := r.MyCourse(t.Context(), r.me, "second")
		if err != nil {
			t.Fatal(err)
		}
		if all, err := r.Celebrate(t.Context(), r.me, other.Modules); err != nil || len(all) != 0 {
			t.Errorf("celebrated on the wrong page: %+v, %v", all, err)
		}
		mine, err := r.MyCourse(t.Context(), r.me, "integrator")
		if err != nil {
			t.Fatal(err)
		}
		if all, err := r.Celebrate(t.Context(), r.me, mine.Modules); err != nil || len(all) != 1 {
			t.Errorf("not celebrated on its own: %+v, %v", all, err)
		}
	})
}

// TestTheStudentsOwnWordIsTheStudents: accepted homework does not press the
// button of a lesson that the student marks done.
func TestTheStudentsOwnWordIsTheStudents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.edit(t, 67, school.LessonForm{Homework: "x", Rules: []string{"marked", "accepted"}})
		if err := r.HandIn(t.Context(), r.me, 67, "mine"); err != nil {
			t.Fatal(err)
		}
		q, _ := r.Homework(t.Context(), r.a)
		if err := r.ReviewHomework(t.Context(), r.a, q.Waiting[0].ID, school.HomeworkAccepted, ""); err != nil {
			t.Fatal(err)
		}
		if r.lesson(t, 67).Lesson.Completed() {
			t.Error("completed without the student")
		}
	})
}

// TestAModuleAddedLaterUnfinishesNobody: who has completed the course stays at
// 100 %, and the module is offered as new.
func TestAModuleAddedLaterUnfinishesNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := study(t, target)
		r.watchAll(t)
		for _, lesson := range []school.LessonID{67, 68, 69} {
			if err := r.CompleteLesson(t.Context(), r.me, lesson); err != nil {
				t.Fatal(err)
			}
		}
		for _, query := range []string{
			"INSERT INTO modules (id, course_id, position, title, summary) SELECT 19, course_id, 4, 'Later', '' FROM modules WHERE id = 18",
			"INSERT INTO lessons (id, module_id, position, title, minutes, required) VALUES (70, 19, 1, 'Later', 1, TRUE)",
			"INSERT INTO lessons (id, module_id, position, title, minutes, required) VALUES (71, 18, 2, 'Later', 1, TRUE)",
		} {
			if _, err := target.Raw(t).Exec(query); err != nil {
				t.Fatal(err)
			}
		}
		v, err := r.MyCourse(t.Context(), r.me, "integrator")
		if err != nil {
			t.Fatal(err)
		}
		done, total := school.ModulesDone(v.Modules)
		card, err := r.Student(t.Context(), r.a, r.me.ID)
		if err != nil || school.CoursePercent(v.Modules) != 100 || done != 3 || total != 3 || v.CompletedAt.IsZero() ||
			card.Student.ModulesTotal != 3 || card.Student.ModulesDone != 3 || card.Student.Status() != school.StatusCompleted {
			t.Errorf("%d %%, %d of %d, completed %v; the card: %+v, %v", school.CoursePercent(v.Modules), done, total, v.CompletedAt, card.Student, err)
		}
		if !v.Modules[3].New(v.Modules[3].Lessons[0]) || !v.Modules[2].New(v.Modules[2].Lessons[1]) {
			t.Error("what was added is not called new")
		}
	})
}

// TestAFileSurvivesAsItWas: what comes out is what went in, to the byte.
func TestAFileSurvivesAsItWas(t *testing.T) {
	t.Parallel()
	r := study(t, storetest.SQLite(t))
	r.edit(t, 67, school.LessonForm{Homework: "x"})
	content := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte{0, 255, 10, 13}, 300_000)...)
	f, err := r.AddDraftFile(t.Context(), r.me, 67, "work.pdf", bytes.NewReader(content))
	if err != nil || f.Size != int64(len(content)) || f.MediaType != "application/pdf" {
		t.Fatalf("%+v, %v", f, err)
	}
	if got, err := contents(t, r, r.me, f.ID); err != nil || got != string(content) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(content), err)
	}
}
