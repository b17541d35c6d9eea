package school

import (
	"strings"
	"time"
	"unicode/utf8"
)

// HomeworkState is how the homework of one student in one lesson stands.
type HomeworkState string

// The states; empty is not handed in.
const (
	HomeworkWaiting  HomeworkState = "waiting"
	HomeworkReturned HomeworkState = "returned"
	HomeworkAccepted HomeworkState = "accepted"
)

// Limits of homework.
const (
	MaxHomeworkText   = 20_000 // characters
	MaxHomeworkFiles  = 10     // of one version
	MaxHomeworkFileMB = 50
	MaxComment        = 5_000 // characters
)

// Draft is homework in the making.
type Draft struct {
	Text    string
	SavedAt time.Time // zero: never saved
	Files   []File
}

// Submission is one version of a student's homework, as handed in.
type Submission struct {
	ID         SubmissionID
	UserID     UserID
	LessonID   LessonID
	Version    int
	Text       string
	HandedInAt time.Time
	Verdict    HomeworkState // HomeworkWaiting, HomeworkReturned or HomeworkAccepted
	Comment    string
	ReviewedBy string // the name
	ReviewedAt time.Time
	Files      []File
	// For the queue of staff.
	StudentName string
	LessonTitle string
	Task        string
	Earlier     []Submission // the versions before this one, the newest first
}

// NewHomeworkText checks what a student writes. Errors: Invalid text_too_long,
// text_characters.
func NewHomeworkText(text string) (string, error) { return newText(text, MaxHomeworkText) }

// NewComment checks what staff answer. Errors: as NewHomeworkText.
func NewComment(text string) (string, error) { return newText(text, MaxComment) }

func newText(text string, most int) (string, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", ErrTextCharacters
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if utf8.RuneCountInString(text) > most {
		return "", ErrTextTooLong
	}
	return text, nil
}
