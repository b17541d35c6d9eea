package page

import (
	"slices"
	"strconv"

	"tripwire/internal/school"
)

// EditorPage edits a lesson.
type EditorPage struct {
	Lesson  school.Lesson
	Content school.LessonContent
	Form    school.LessonForm
	Fields  map[string]string
	Params  map[string]string
	Error   string
	Saved   bool
}

func (m EditorPage) has(kind school.RuleKind) bool {
	return slices.Contains(m.Form.Rules, string(kind))
}

var (
	videoSources = []school.VideoSource{
		"", school.VideoFile, school.VideoMP4, school.VideoHLS,
		school.VideoYouTube, school.VideoVimeo, school.VideoKinescope, school.VideoBunny,
	}
	ruleKinds = []school.RuleKind{school.RuleVideo, school.RuleOpened, school.RuleMarked, school.RuleHandedIn, school.RuleAccepted}
)

func editorPath(id school.LessonID) string {
	return "/integrator/lessons/" + strconv.FormatInt(int64(id), 10)
}

// videoKind names a source; the sites have names of their own.
func videoKind(c Chrome, s school.VideoSource) string {
	switch s {
	case school.VideoFile:
		return c.P.T("editor.file")
	case school.VideoMP4:
		return c.P.T("editor.mp4")
	case school.VideoHLS:
		return c.P.T("editor.hls")
	case school.VideoYouTube:
		return "YouTube"
	case school.VideoVimeo:
		return "Vimeo"
	case school.VideoKinescope:
		return "Kinescope"
	case school.VideoBunny:
		return "Bunny"
	default:
		return c.P.T("editor.no_video")
	}
}
