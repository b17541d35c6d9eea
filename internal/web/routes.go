package web

import (
	"net/http"

	"tripwire/internal/roster"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// policy says who may call a route. There is no default: a route without one
// does not compile into the table, and the test that walks the table tries each
// of them as everybody.
type policy int

const (
	public   policy = iota + 1 // anybody, logged in or not
	signedIn                   // anybody with an account, even before an own password
	staff
	admin
	student
)

// admits reports whether an actor may call the route.
func (p policy) admits(a school.Actor) bool {
	switch p {
	case public:
		return true
	case signedIn:
		return a.Role != ""
	case staff:
		return a.Role.Staff()
	case admin:
		return a.Role == school.RoleAdmin
	case student:
		return a.Role == school.RoleStudent
	}
	return false
}

type route struct {
	method  string
	pattern string
	policy  policy
	action  action
}

// action answers a request, or says why it cannot.
type action func(w http.ResponseWriter, r *http.Request) error

// routes is the whole surface of the panel. Scope within a route (whose student)
// is the desk's matter.
func (h *Handler) routes() []route {
	return []route{
		{"GET", "/{$}", signedIn, h.home},

		{"GET", "/login", public, h.loginForm},
		{"POST", "/login", public, h.logIn},
		{"POST", "/logout", signedIn, h.logOut},
		{"POST", "/logout/everywhere", signedIn, h.logOutEverywhere},
		{"GET", "/password", signedIn, h.ownPasswordForm},
		{"POST", "/password", signedIn, h.setOwnPassword},
		{"GET", "/access/{token}", public, h.linkForm},
		{"POST", "/access/{token}", public, h.useLink},
		{"GET", "/setup/{token}", public, h.setupForm},
		{"POST", "/setup/{token}", public, h.setUp},
		{"POST", "/language", public, h.setLanguage},
		{"GET", "/recover", public, h.recoverForm},
		{"POST", "/recover", public, h.recoverAccess},
		{"POST", page.HookPath, public, h.reportBounces}, // which asks for a token of its own

		{"GET", "/course/{slug}", student, h.course},
		{"GET", "/lesson/{lesson}", student, h.lesson},
		{"POST", "/lesson/{lesson}/progress", student, h.reportProgress},
		{"POST", "/lesson/{lesson}/complete", student, h.completeLesson},
		{"POST", "/lesson/{lesson}/homework", student, h.handIn},
		{"POST", "/lesson/{lesson}/homework/draft", student, h.saveDraft},
		{"POST", "/lesson/{lesson}/homework/files", student, h.addDraftFile},
		{"POST", "/lesson/{lesson}/homework/files/{file}/delete", student, h.removeDraftFile},
		{"GET", "/files/{file}", signedIn, h.file},

		{"GET", "/account", signedIn, h.account},
		{"POST", "/account/password", signedIn, h.changePassword},
		{"POST", "/account/email", signedIn, h.requestEmail},

		{"GET", "/integrator", staff, h.toPanel},
		{"GET", "/integrator/sales-manager", staff, h.panel},
		{"GET", eventsPath, staff, h.events},
		{"GET", "/integrator/students/new", staff, h.newStudent},
		{"GET", "/integrator/students/password", staff, h.newPassword},
		{"POST", "/integrator/students", staff, h.createStudent},
		{"POST", "/integrator/students/bulk", staff, h.bulk},
		{"GET", "/integrator/students/print", staff, h.printStudents},
		{"GET", "/integrator/students.csv", staff, h.exportStudents(roster.CSV)},
		{"GET", "/integrator/students.xlsx", staff, h.exportStudents(roster.XLSX)},
		{"POST", "/integrator/views", staff, h.saveView},
		{"POST", "/integrator/views/{view}/delete", staff, h.deleteView},
		{"GET", "/integrator/students/{id}", staff, h.card},
		{"POST", "/integrator/students/{id}", staff, h.editStudent},
		{"POST", "/integrator/students/{id}/block", staff, h.blockStudent},
		{"POST", "/integrator/students/{id}/unblock", staff, h.unblockStudent},
		{"POST", "/integrator/students/{id}/delete", staff, h.deleteStudent},
		{"POST", "/integrator/students/{id}/restore", staff, h.restoreStudent},
		{"POST", "/integrator/students/{id}/link", staff, h.issueLink},
		{"POST", "/integrator/students/{id}/grants", staff, h.grantModule},
		{"POST", "/integrator/students/{id}/refund", admin, h.refundStudent},
		{"POST", "/integrator/students/{id}/price", admin, h.correctPrice},
		{"POST", "/integrator/students/{id}/transfer", admin, h.transferStudent},
		{"POST", "/integrator/students/{id}/test", admin, h.markTest},
		{"POST", "/integrator/students/{id}/untest", admin, h.unmarkTest},
		{"POST", "/integrator/students/{id}/letter", staff, h.resendLetter},
		{"GET", "/integrator/students/{id}/preview", staff, h.previewCourse},
		{"GET", "/integrator/students/{id}/preview/lesson/{lesson}", staff, h.previewLesson},
		{"GET", "/integrator/sales", staff, h.sales},
		{"GET", "/integrator/sales.csv", staff, h.exportSales(roster.CSV)},
		{"GET", "/integrator/sales.xlsx", staff, h.exportSales(roster.XLSX)},
		{"GET", "/integrator/homework", staff, h.homeworkQueue},
		{"POST", "/integrator/homework/{submission}", staff, h.reviewHomework},
		{"GET", "/integrator/courses", admin, h.courses},
		{"GET", "/integrator/lessons/{lesson}", admin, h.lessonEditor},
		{"POST", "/integrator/lessons/{lesson}", admin, h.editLesson},
		{"POST", "/integrator/lessons/{lesson}/video", admin, h.sendToLesson("video", h.sendVideo)},
		{"POST", "/integrator/lessons/{lesson}/material", admin, h.sendToLesson("material", h.sendMaterial)},
		{"POST", "/integrator/lessons/{lesson}/captions", admin, h.sendToLesson("captions", h.sendCaptions)},
		{"POST", "/integrator/lessons/{lesson}/files/{file}/delete", admin, h.removeLessonFile},
		{"GET", "/integrator/history", staff, h.history},
		{"GET", "/integrator/history.csv", staff, h.exportHistory},
		{"GET", "/integrator/trash", staff, h.trash},
		{"GET", "/integrator/letters", admin, h.letters},
		{"GET", "/integrator/letters/{letter}", admin, h.letter},
		{"GET", "/integrator/letters/{letter}/body", admin, h.letterBody},
		{"POST", "/integrator/letters/{letter}/retry", admin, h.letterAction(h.retryLetter)},
		{"POST", "/integrator/letters/{letter}/cancel", admin, h.letterAction(h.withdrawLetter)},
		{"GET", "/integrator/letter-texts", admin, h.letterTexts},
		{"GET", "/integrator/letter-texts/{kind}/{language}", admin, h.letterText},
		{"POST", "/integrator/letter-texts/{kind}/{language}", admin, h.editLetterText},
		{"POST", "/integrator/letter-texts/{kind}/{language}/reset", admin, h.resetLetterText},
		{"POST", "/integrator/letter-texts/{kind}/{language}/test", admin, h.tryLetterText},
		{"GET", "/integrator/letter-texts/{kind}/{language}/preview", admin, h.keptPreview},
		{"POST", "/integrator/letter-texts/{kind}/{language}/preview", admin, h.typedPreview},
		{"GET", "/integrator/mail", admin, h.mailSetup},
		{"POST", "/integrator/mail", admin, h.editMail},
		{"POST", "/integrator/mail/test", admin, h.sendTest},
		{"POST", "/integrator/mail/hook", admin, h.replaceHook},
		{"GET", "/integrator/settings", admin, h.settings},
		{"POST", "/integrator/settings", admin, h.editSettings},
	}
}

// largeBodies are the routes that take more than a form, with how much.
var largeBodies = map[string]int64{
	"/lesson/{lesson}/homework":             512 << 10,
	"/lesson/{lesson}/homework/draft":       512 << 10,
	"/lesson/{lesson}/homework/files":       school.UploadHomework.MaxMB<<20 + maxBody,
	"/integrator/lessons/{lesson}":          2 << 20,
	"/integrator/lessons/{lesson}/video":    school.UploadVideo.MaxMB<<20 + maxBody,
	"/integrator/lessons/{lesson}/material": school.UploadMaterial.MaxMB<<20 + maxBody,
	"/integrator/lessons/{lesson}/captions": school.UploadCaptions.MaxMB<<20 + maxBody,
	page.HookPath:                           maxReport,
}

// beforeOwnPassword are the routes open to who still has to choose a password.
var beforeOwnPassword = map[string]bool{
	"/password": true, "/logout": true, "/login": true, "/language": true, "/recover": true, page.HookPath: true,
	"/access/{token}": true, "/setup/{token}": true,
}
