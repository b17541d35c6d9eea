package school

import (
	"time"
)

// VideoSource is where a lesson's video comes from.
type VideoSource string

// The sources. A file is kept by us; mp4 and hls are addresses that the player
// plays; the others are embedded players, which tell us nothing.
const (
	VideoFile      VideoSource = "file"
	VideoMP4       VideoSource = "mp4"
	VideoHLS       VideoSource = "hls"
	VideoYouTube   VideoSource = "youtube"
	VideoVimeo     VideoSource = "vimeo"
	VideoKinescope VideoSource = "kinescope"
	VideoBunny     VideoSource = "bunny"
)

// Tells reports whether the player tells which seconds were played.
func (s VideoSource) Tells() bool { return s == VideoFile || s == VideoMP4 || s == VideoHLS }

// Video of a lesson. The zero value is none.
type Video struct {
	Source  VideoSource
	FileID  FileID // of VideoFile
	Address string // of all others: an https address
	Seconds int    // its length; 0: not known
}

// RuleKind is one thing that completing a lesson may take.
type RuleKind string

// The kinds of completion rules.
const (
	RuleVideo    RuleKind = "video"     // a share of the video was played
	RuleOpened   RuleKind = "opened"    // the lesson was opened
	RuleMarked   RuleKind = "marked"    // the student says so
	RuleHandedIn RuleKind = "handed_in" // homework was handed in
	RuleAccepted RuleKind = "accepted"  // homework was accepted
)

// DefaultVideoPercent is the share of a video that a new rule asks for.
const DefaultVideoPercent = 80

// CompletionRule is one condition of completing a lesson. A lesson without any
// is marked done by the student.
type CompletionRule struct {
	Kind    RuleKind
	Percent int // of RuleVideo
}

// LessonProgress is one lesson as one student stands to it.
type LessonProgress struct {
	Lesson      Lesson
	OpenedAt    time.Time // zero: never
	CompletedAt time.Time // zero: not yet
	Played      Played
	PositionMS  int64
	Homework    HomeworkState
}

// Completed reports whether the student has completed the lesson.
func (l LessonProgress) Completed() bool { return !l.CompletedAt.IsZero() }

// PlayedMS is how much of the video was played; what lies behind its end does not
// count.
func (l LessonProgress) PlayedMS() int64 {
	return l.Played.Until(int64(l.Lesson.Video.Seconds) * 1000).MS()
}

// PlayedPercent is the share of the video that was played, rounded down.
func (l LessonProgress) PlayedPercent() int {
	if l.Lesson.Video.Seconds == 0 {
		return 0
	}
	return int(l.PlayedMS() / (int64(l.Lesson.Video.Seconds) * 10))
}

// Percent is how far the student has come in the lesson.
func (l LessonProgress) Percent() int {
	if l.Completed() {
		return 100
	}
	return min(l.PlayedPercent(), 99)
}

// Missing is one thing that still stands between a student and the completion of
// a lesson.
type Missing struct {
	Kind    RuleKind
	Percent int // of RuleVideo: what is asked for
	Seconds int // of RuleVideo: what is still to be played, rounded up
}

// Missing lists what is still to be done, in the order of the rules.
func (l LessonProgress) Missing() (all []Missing) {
	for _, r := range l.Lesson.Rules {
		switch r.Kind {
		case RuleVideo:
			need := int64(l.Lesson.Video.Seconds) * 10 * int64(r.Percent)
			if left := need - l.PlayedMS(); left > 0 || need == 0 { // a share of what is not known cannot be reached
				all = append(all, Missing{Kind: r.Kind, Percent: r.Percent, Seconds: int((left + 999) / 1000)})
			}
		case RuleOpened:
			if l.OpenedAt.IsZero() {
				all = append(all, Missing{Kind: r.Kind})
			}
		case RuleHandedIn:
			if l.Homework != HomeworkWaiting && l.Homework != HomeworkAccepted {
				all = append(all, Missing{Kind: r.Kind})
			}
		case RuleAccepted:
			if l.Homework != HomeworkAccepted {
				all = append(all, Missing{Kind: r.Kind})
			}
		case RuleMarked: // pressing the button is all
		}
	}
	return all
}

// required are the lessons that count for the student: of a completed module,
// those that were completed; of a module added after the course was completed,
// none. What was added later is new, and un-finishes nobody.
func (m ModuleProgress) required() (all []LessonProgress) {
	for _, l := range m.Lessons {
		if l.Lesson.Required && !m.Later && (l.Completed() || !m.Completed()) {
			all = append(all, l)
		}
	}
	return all
}

// Completed reports whether the student has completed the module.
func (m ModuleProgress) Completed() bool { return !m.CompletedAt.IsZero() }

// LessonsDone is how many of the lessons that count are completed, and how many
// count.
func (m ModuleProgress) LessonsDone() (done, total int) {
	for _, l := range m.required() {
		if total++; l.Completed() {
			done++
		}
	}
	return done, total
}

// Percent is how far the student has come in the module.
func (m ModuleProgress) Percent() int {
	if m.Completed() {
		return 100
	}
	return percentOf(m.required())
}

// New reports whether the lesson was added after the student had completed its
// module: it is offered, and asked of nobody.
func (m ModuleProgress) New(l LessonProgress) bool {
	return (m.Completed() || m.Later) && !l.Completed()
}

// CoursePercent is how far a student has come in a course. 100 is only for who
// has completed every lesson that counts.
func CoursePercent(modules []ModuleProgress) int {
	var all []LessonProgress
	for _, m := range modules {
		all = append(all, m.required()...)
	}
	return percentOf(all)
}

func percentOf(lessons []LessonProgress) int {
	if len(lessons) == 0 {
		return 0
	}
	sum := 0
	for _, l := range lessons {
		sum += l.Percent()
	}
	return sum / len(lessons)
}

// ModulesDone is how many modules are completed, and how many count.
func ModulesDone(modules []ModuleProgress) (done, total int) {
	for _, m := range modules {
		if m.Completed() {
			done++
		}
		if !m.Later {
			total++
		}
	}
	return done, total
}

// NextLesson is where the student goes on at t: the first lesson of an open
// module that counts and is not completed. ok is false when there is none.
func NextLesson(modules []ModuleProgress, t time.Time) (next LessonProgress, ok bool) {
	for _, m := range modules {
		if !m.OpenAt(t) || m.Completed() {
			continue
		}
		for _, l := range m.required() {
			if !l.Completed() {
				return l, true
			}
		}
	}
	return LessonProgress{}, false
}
