package school

import (
	"path"
	"strings"
	"time"
	"unicode"
)

// File is something that somebody has sent us to keep. Its name is for people;
// where it lies only its id says.
type File struct {
	ID        FileID
	Name      string
	MediaType string
	Size      int64
	SHA256    string // hexadecimal
	CreatedAt time.Time
}

// Upload says what a file is wanted for, and with it what it may be.
type Upload struct {
	MaxMB int64
	// Types are the media types that are accepted; a type that ends in / accepts
	// all of its kind.
	Types []string
}

// What may be sent. The type is read from the contents, never from the name.
var (
	UploadHomework = Upload{MaxMB: MaxHomeworkFileMB, Types: []string{
		"image/png", "image/jpeg", "image/webp", "image/gif", "image/heic", "video/", "audio/", "application/pdf", "text/plain", "text/csv",
		"application/zip", "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.", "application/msword",
		"application/vnd.ms-excel", "application/vnd.ms-powerpoint",
	}}
	UploadVideo    = Upload{MaxMB: 4096, Types: []string{"video/mp4", "video/webm"}}
	UploadCaptions = Upload{MaxMB: 2, Types: []string{"text/vtt"}}
	UploadMaterial = Upload{MaxMB: 200, Types: UploadHomework.Types}
)

// Accepts reports whether a file of this media type may be sent.
func (u Upload) Accepts(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	for _, t := range u.Types {
		if mediaType == t || (strings.HasSuffix(t, "/") || strings.HasSuffix(t, ".")) && strings.HasPrefix(mediaType, t) {
			return true
		}
	}
	return false
}

// maxFileName is how many characters of a file's name are kept.
const maxFileName = 120

// NewFileName makes a name that can be shown of whatever a browser sends. It
// never fails: a nameless file is called "file".
func NewFileName(typed string) string {
	name := path.Base(strings.ReplaceAll(typed, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar || strings.ContainsRune(`/\:*?"<>|`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(strings.TrimSpace(name), ".")
	if runes := []rune(name); len(runes) > maxFileName {
		ext := []rune(path.Ext(name))
		if len(ext) > 10 {
			ext = nil
		}
		name = string(runes[:maxFileName-len(ext)]) + string(ext)
	}
	if name == "" {
		return "file"
	}
	return name
}
