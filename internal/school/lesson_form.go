package school

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// LessonForm is what an administrator types to edit a lesson.
type LessonForm struct {
	Title    string
	Minutes  string
	Body     string
	Homework string
	// VideoSource is empty for none; VideoAddress belongs to all but VideoFile,
	// whose file is sent by itself.
	VideoSource  string
	VideoAddress string
	VideoSeconds string // may be empty; or minutes:seconds
	Rules        []string
	VideoPercent string // of the rule "video"; empty: DefaultVideoPercent
}

// LessonEdit is a valid LessonForm.
type LessonEdit struct {
	Title    string
	Minutes  int
	Body     string
	Homework string
	Video    Video
	Rules    []CompletionRule
}

// Limits of a lesson.
const (
	MaxLessonText    = 100_000 // characters
	maxLessonMinutes = 24 * 60
	maxVideoAddress  = 2000
)

// NewLessonEdit validates the form of a lesson that has this video file now.
// Errors: Invalid, with every faulty field named at once.
func NewLessonEdit(f LessonForm, now Video) (e LessonEdit, err error) {
	faults := Faults{}
	e.Title, err = NewTitle(f.Title)
	faults.Add("title", err)
	if e.Minutes, err = strconv.Atoi(strings.TrimSpace(f.Minutes)); err != nil || e.Minutes < 0 || e.Minutes > maxLessonMinutes {
		faults.Add("minutes", ErrOutOfRange)
	}
	e.Body, err = newText(f.Body, MaxLessonText)
	faults.Add("body", err)
	e.Homework, err = newText(f.Homework, MaxLessonText)
	faults.Add("homework", err)
	e.Video, err = newVideo(f, now)
	faults.Add("video", err)
	if e.Video.Seconds, err = parseSeconds(f.VideoSeconds, e.Video); err != nil {
		faults.Add("video_seconds", err)
	}
	e.Rules, err = newRules(f, e)
	faults.Add("rules", err)
	return e, faults.Err()
}

func newVideo(f LessonForm, now Video) (Video, error) {
	source, address := VideoSource(f.VideoSource), strings.TrimSpace(f.VideoAddress)
	switch source {
	case "":
		return Video{}, nil
	case VideoFile:
		if now.FileID == "" {
			return Video{}, ErrVideoRequired
		}
		return Video{Source: VideoFile, FileID: now.FileID, Seconds: now.Seconds}, nil
	case VideoMP4, VideoHLS:
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > maxVideoAddress || strings.ContainsAny(address, " ;,'\"\r\n\t") {
			return Video{}, ErrVideoAddress
		}
		return Video{Source: source, Address: u.String()}, nil
	case VideoYouTube, VideoVimeo, VideoKinescope, VideoBunny:
	}
	embed, ok := embeds[source]
	if !ok {
		return Video{}, ErrVideoAddress
	}
	for _, known := range embed.known {
		if m := known.FindStringSubmatch(address); m != nil {
			return Video{Source: source, Address: embed.player + strings.Join(m[1:], "/")}, nil
		}
	}
	return Video{}, ErrVideoAddress
}

// embed is one player of another site: where it stands, and the addresses that
// people copy from there. What is kept is the player's own address.
type embed struct {
	player string
	known  []*regexp.Regexp
}

var embeds = map[VideoSource]embed{
	VideoYouTube: {"https://www.youtube-nocookie.com/embed/", []*regexp.Regexp{
		regexp.MustCompile(`^https://(?:www\.|m\.)?youtube\.com/watch\?(?:[^#]*&)?v=([\w-]{11})(?:[&#].*)?$`),
		regexp.MustCompile(`^https://youtu\.be/([\w-]{11})(?:[?#].*)?$`),
		regexp.MustCompile(`^https://www\.youtube(?:-nocookie)?\.com/(?:embed|shorts|live)/([\w-]{11})(?:[?#].*)?$`),
	}},
	VideoVimeo: {"https://player.vimeo.com/video/", []*regexp.Regexp{
		regexp.MustCompile(`^https://(?:www\.)?vimeo\.com/(\d{5,12})(?:[?#].*)?$`),
		regexp.MustCompile(`^https://player\.vimeo\.com/video/(\d{5,12})(?:[?#].*)?$`),
	}},
	VideoKinescope: {"https://kinescope.io/embed/", []*regexp.Regexp{
		regexp.MustCompile(`^https://kinescope\.io/(?:embed/)?([\w-]{8,40})(?:[?#].*)?$`),
	}},
	VideoBunny: {"https://iframe.mediadelivery.net/embed/", []*regexp.Regexp{
		regexp.MustCompile(`^https://(?:iframe|player)\.mediadelivery\.net/(?:embed|play)/(\d{1,10})/([0-9a-f-]{36})(?:[?#].*)?$`),
	}},
}

// Origin is the site that a page with this video has to let in; empty for a file
// of ours and for none.
func (v Video) Origin() string {
	u, err := url.Parse(v.Address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// parseSeconds reads "90" or "1:30"; empty keeps what is known of the file.
func parseSeconds(typed string, v Video) (int, error) {
	if typed = strings.TrimSpace(typed); typed == "" {
		return v.Seconds, nil
	}
	total := 0
	parts := strings.Split(typed, ":")
	for _, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || len(parts) > 3 || n > MaxVideoSeconds {
			return 0, ErrOutOfRange
		}
		total = total*60 + n
	}
	if total > MaxVideoSeconds {
		return 0, ErrOutOfRange
	}
	return total, nil
}

// newRules checks that every rule can be met.
func newRules(f LessonForm, e LessonEdit) (rules []CompletionRule, err error) {
	for _, typed := range f.Rules {
		r := CompletionRule{Kind: RuleKind(typed)}
		switch r.Kind {
		case RuleVideo:
			if r.Percent = DefaultVideoPercent; f.VideoPercent != "" {
				if r.Percent, err = strconv.Atoi(f.VideoPercent); err != nil || r.Percent < 1 || r.Percent > 100 {
					return nil, ErrOutOfRange
				}
			}
			if !e.Video.Source.Tells() {
				return nil, ErrRuleNeedsVideo
			}
			if e.Video.Seconds == 0 {
				return nil, ErrRuleNeedsLength
			}
		case RuleHandedIn, RuleAccepted:
			if e.Homework == "" {
				return nil, ErrRuleNeedsHomework
			}
		case RuleOpened, RuleMarked:
		default:
			return nil, ErrInvalidInput
		}
		rules = append(rules, r)
	}
	return rules, nil
}
