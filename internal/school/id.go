package school

import (
	"crypto/rand"
	"strings"

	"github.com/google/uuid"
)

// UserID names one person, staff or student, everywhere: in the tables, the
// URLs and the activity log. It is a UUID in lower-case text.
type UserID string

// NewUserID answers a fresh id. Ids of version 7 grow with time, so that new
// rows stand together in the indexes.
func NewUserID() UserID { return UserID(uuid.Must(uuid.NewV7()).String()) }

// Nobody stands for the manager where somebody asks for what no manager has: all
// zeros, which no person is ever given.
const Nobody UserID = "00000000-0000-0000-0000-000000000000"

// ParseUserID reads an id from a URL. Errors: NotFound, because an address
// that cannot exist is one that does not.
func ParseUserID(s string) (UserID, error) {
	id, err := uuid.Parse(s)
	if err != nil || len(s) != len(id.String()) {
		return "", ErrNotFound
	}
	return UserID(id.String()), nil
}

// The ids of a course and its parts are integers given by the database.
type (
	CourseID int64
	ModuleID int64
	LessonID int64
	RuleID   int64
	// SubmissionID names one version of a student's homework.
	SubmissionID int64
)

// FileID names a file that we keep: 128 random bits, so that nobody guesses one.
type FileID string

// NewFileID answers a fresh id.
func NewFileID() FileID { return FileID(strings.ToLower(rand.Text())) }

// ParseFileID reads an id from a URL. Errors: NotFound.
func ParseFileID(s string) (FileID, error) {
	if len(s) != len(NewFileID()) || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", ErrNotFound
	}
	return FileID(s), nil
}
