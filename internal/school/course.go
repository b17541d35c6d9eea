package school

import "time"

// Course is what is sold: modules in order, each with lessons in order.
type Course struct {
	ID          CourseID
	Slug        string
	Title       string
	Price       Money
	PublishedAt time.Time
	Modules     []Module
	Rules       []UnlockRule
}

// Module is a part of a course that opens and is completed as a whole.
type Module struct {
	ID       ModuleID
	CourseID CourseID
	Position int
	Title    string
	Summary  string
	Lessons  []Lesson
}

// Lesson is one sitting.
type Lesson struct {
	ID       LessonID
	ModuleID ModuleID
	Position int
	Title    string
	Minutes  int
	Required bool // counts towards the completion of its module
	Video    Video
	Rules    []CompletionRule
}

// LessonContent is what a student finds in a lesson, beside its video.
type LessonContent struct {
	Body      string // Markdown
	Homework  string // the task, in Markdown; empty: none
	Materials []File
	Captions  []Captions
}

// Captions are the words of a video in one language, as WebVTT.
type Captions struct {
	Language Language
	File     File
}

// UnlockEvent is the fact after which a rule opens its module.
type UnlockEvent string

// The events of unlock rules.
const (
	EventEnrolled  UnlockEvent = "enrolled"
	EventCompleted UnlockEvent = "completed"
	EventGranted   UnlockEvent = "granted" // only staff open it, one student at a time
)

// UnlockRule says when a module opens. Several rules may open the same module;
// the earliest wins.
type UnlockRule struct {
	ID             RuleID
	ModuleID       ModuleID
	Event          UnlockEvent
	SourceModuleID ModuleID // for EventCompleted
	DelayMinutes   int
	NotBefore      time.Time // zero: no date
}

// CheckReachable answers nil when some path of rules leads to every module.
// Errors: Conflict, code module_unreachable, naming the first such module.
func (c Course) CheckReachable() error {
	reached := map[ModuleID]bool{}
	for changed := true; changed; {
		changed = false
		for _, r := range c.Rules {
			if !reached[r.ModuleID] && (r.Event != EventCompleted || reached[r.SourceModuleID]) {
				reached[r.ModuleID] = true
				changed = true
			}
		}
	}
	for _, m := range c.Modules {
		if !reached[m.ID] {
			return ErrUnreachable.With("module", m.Title)
		}
	}
	return nil
}
