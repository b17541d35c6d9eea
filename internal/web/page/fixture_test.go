package page_test

import (
	"maps"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tripwire/internal/locale"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

var now = time.Date(2026, 12, 14, 14, 30, 0, 0, time.UTC)

// kind of a fixture: what a page may meet.
type kind string

const (
	full    kind = "full"
	empty   kind = "empty"
	hostile kind = "hostile"
)

const (
	script = `<script>alert("1")</script>`
	evil   = `"><script>alert("1")</script><img src=x onerror=alert(2)>' {name} {{.}} 🤷 مرحبا ӘҒҚҢӨҰҮҺІ`
)

func (k kind) text(s string) string {
	switch k {
	case empty:
		return ""
	case hostile:
		return evil + strings.Repeat("Ұзынесім", 30)
	default:
		return s
	}
}

func chrome(k kind, lang school.Language, role school.Role) page.Chrome {
	c := page.Chrome{
		P:      locale.Printer{Lang: lang, Zone: time.UTC, Now: now},
		School: k.text("Академия Tripwire"), Query: k.text("нұрлан"),
		BaseURL: "https://tripwire.example.com", Path: "/integrator/sales-manager?q=" + k.text("a"),
		RequestID: k.text("7F3K-21"),
	}
	if role != "" {
		c.Actor = school.Actor{ID: "0193", Role: role, Name: k.text("Вера Ким"), Email: school.Email(k.text("vera@example.com")), Language: lang}
	}
	return c
}

func student(k kind, i int) school.Student {
	names := []string{"Тест Ученик", "Ерлан Сапаров", "Ольга Ким", "Әлия Нұрланқызы", "Дмитрий Волков", "Ғалым Өтеген", "Марина Тё", "Константин Константинопольский-Преображенский"}
	s := school.Student{
		ID: school.UserID("01935c3e-0000-7000-8000-00000000000" + string(rune('0'+i))), CourseID: 1,
		FullName: k.text(names[i%len(names)]), Email: school.Email(k.text([]string{"test123", "erlan", "olga.kim", "aliya", "d.volkov", "galym", "m.te", "konstantin.konstantinopolskiy"}[i%8] + "@example.com")),
		Language: school.Languages()[i%3], ManagerName: k.text("Вера К."),
		Price: school.Money{Minor: 500000, Currency: "KZT"}, Source: k.text("panel"),
		GrantedAt: now.Add(-time.Duration(i*i) * 5 * time.Hour).Add(-28 * time.Minute), ModulesTotal: 3,
		ModulesDone: i % 4, ModulesOpen: min(1, 3-i%4),
	}
	switch i {
	case 2:
		s.CompletedAt = now
		s.ModulesDone, s.ModulesOpen = 3, 0
	case 4:
		s.BlockedAt = now
		s.ModulesOpen = 0
	case 1:
		s.Letter = school.StudentLetter{ID: 1, State: school.LetterQueued, Email: s.Email, QueuedAt: s.GrantedAt, DueAt: s.GrantedAt}
	}
	return s
}

func list(k kind) page.StudentList {
	if k == empty {
		return page.StudentList{Page: 1}
	}
	l := page.StudentList{
		Total: 1128, Next: "next", Before: "before", Counts: &school.StudentCounts{Active: 1119, Completed: 9, Test: 2, Undelivered: 7, Stuck: -1}, ShowManager: k == hostile,
		Courses: []school.Facet{{ID: "1", Name: k.text("Интегратор"), Count: 1000}, {ID: "2", Name: k.text("Аналитик"), Count: 128}},
		Views:   []school.SavedView{{ID: 1, Name: k.text("Мои должники"), Query: "status=stuck"}},
	}
	l.State.Set("size", "50")
	if k == hostile {
		l.State.Set("q", evil)
		l.State.Set("status", "active")
		l.Managers = []school.Facet{{ID: "a", Name: evil, Count: 3}, {ID: "b", Name: evil, Count: 1}}
		l.MayTransfer, l.TransferTo = true, []school.Manager{{ID: "a", Name: evil}}
	}
	for i := range 8 {
		l.Students = append(l.Students, student(k, i))
	}
	return l
}

func activity(k kind) []school.Activity {
	if k == empty {
		return nil
	}
	var all []school.Activity
	for i, action := range append(school.Actions(), "future.action") {
		all = append(all, school.Activity{
			ID: int64(i), At: now.Add(-time.Duration(i*i) * time.Hour), Door: school.DoorPanel, ActorName: k.text("Вера К."),
			Subject: k.text("Тест Ученик"), Action: action, Details: map[string]string{"reason": k.text("перенос из прошлого потока")},
		})
	}
	all[0].Details = map[string]string{"course": k.text("Интегратор"), "email": k.text("test123@example.com"), "access": "link"}
	all[1].Details = map[string]string{"old_email": k.text("old@example.com"), "new_email": k.text("new@example.com"), "old_name": k.text("Тест"), "new_name": k.text("Тест Ученик")}
	all[2].ActorName, all[2].Door = "", school.DoorTerminal
	return all
}

func modules(k kind) []school.ModuleProgress {
	if k == empty {
		return nil
	}
	titles := []string{"Введение", "Первый помощник", "Запуск", "Практика", "Эфир"}
	var all []school.ModuleProgress
	for i, title := range titles {
		m := school.ModuleProgress{Module: school.Module{ID: school.ModuleID(16 + i), Position: i + 1, Title: k.text(title), Summary: k.text("Собираем рабочего помощника шаг за шагом.")}}
		m.Module.Lessons = []school.Lesson{{ID: 1, Title: k.text("Знакомство"), Minutes: 24, Required: true}, {ID: 2, Title: k.text("Задание"), Minutes: 0, Required: true}}
		for _, l := range m.Module.Lessons {
			m.Lessons = append(m.Lessons, school.LessonProgress{Lesson: l})
		}
		all = append(all, m)
	}
	all[0].UnlockedAt, all[0].CompletedAt = now.AddDate(0, 0, -3), now.AddDate(0, 0, -2)
	all[0].Lessons[0].CompletedAt, all[0].Lessons[1].CompletedAt = now.AddDate(0, 0, -2), now.AddDate(0, 0, -2)
	all[0].Cause = school.Cause{Event: school.EventEnrolled}
	all[1].UnlockedAt = now.AddDate(0, 0, -2)
	all[1].Lessons[0].CompletedAt = now.AddDate(0, 0, -1)
	all[1].Cause = school.Cause{Event: school.EventGranted, Reason: k.text("перенос из прошлого потока"), GrantedBy: k.text("Вера К.")}
	all[2].Opens = []school.UnlockRule{{ModuleID: 18, Event: school.EventCompleted, SourceModuleID: 17}}
	all[3].UnlockedAt = now.AddDate(0, 5, 0)
	all[3].Cause = school.Cause{Event: school.EventCompleted, SourceModuleID: 16}
	return all
}

func created(k kind, access school.Access) *school.Created {
	m := &school.Created{Student: student(k, 3), Access: access, At: now, MustChange: true, LinkEnds: now.AddDate(0, 0, 3)}
	if access == school.AccessLink {
		m.Link = "/access/KJH2K3JH4K2J3H4K2J3H4KJ2H34KJH23K4JH2K3J4H"
	} else {
		m.Password = "test-1234-word"
		m.PasswordEnds = now.AddDate(0, 0, 7)
	}
	if mods := modules(k); mods != nil {
		m.Unlocked = []school.ModuleProgress{mods[0], mods[3]}
	}
	return m
}

func form(k kind) page.StudentForm {
	f := page.StudentForm{Key: "k1", MayChangePrice: k != empty, CoursePrice: school.Money{Minor: 500000, Currency: "KZT"}, Language: "ru"}
	if k == hostile {
		f.FullName, f.Email, f.Password, f.Price = evil, evil, evil, evil
		f.Error = "invalid_input"
		f.Fields = map[string]string{"full_name": "name_required", "email": "student_exists", "password": "password_too_short", "price": "price_invalid", "language": "language_unknown"}
		f.Params = map[string]string{"student_id": evil, "student_name": evil}
	}
	return f
}

func panel(k kind) page.PanelPage {
	p := locale.Printer{Lang: school.Russian, Zone: time.UTC, Now: now}
	return page.PanelPage{Period: periodOf(k), Stats: stats(k, p), Chart: chart(k, p), Ranking: ranking(k), CourseTitle: k.text("Интегратор"), ModuleCount: 3, Price: school.Money{Minor: 500000, Currency: "KZT"}, List: list(k), Activity: activity(k), Form: form(k)}
}

func card(k kind) page.CardPage {
	m := page.CardPage{Student: student(k, 3), CourseTitle: k.text("Интегратор"), Modules: modules(k), Activity: activity(k), MayGrant: true}
	m.Edit = page.EditForm{FullName: m.Student.FullName, Email: string(m.Student.Email)}
	m.MayCorrect, m.MayTransfer = k != empty, k != empty
	m.Refund.Key, m.Price.Key = "k1", "k2"
	m.Transfer.Managers = []school.Manager{{ID: "a", Name: k.text("Вера К.")}, {ID: "b", Name: k.text("Борис Н.")}}
	if k != empty {
		m.Money = money(k)[:3]
		m.Student.Paid = school.Money{Minor: 350000, Currency: "KZT"}
	}
	if k == hostile {
		m.Student.TestAt = now
		m.Refund = page.MoneyForm{Amount: evil, Reason: evil, Key: evil, Open: true, Fields: map[string]string{"amount": "refund_too_large", "reason": "reason_too_long"}}
		m.Price = page.MoneyForm{Amount: evil, Reason: evil, Key: evil, Open: true, Error: "form_key_reused"}
		m.Transfer.Open, m.Transfer.Fields = true, map[string]string{"manager": "manager_unknown"}
		m.Link = &page.LinkShown{URL: "/access/" + evil, Ends: now.AddDate(0, 0, 3)}
		m.Edit.Fields = map[string]string{"full_name": "name_too_long", "email": "student_exists"}
		m.Edit.Params = map[string]string{"student_id": evil, "student_name": evil}
		m.GrantModule, m.GrantFields, m.GrantReason = 3, map[string]string{"reason": "reason_too_long"}, evil
	}
	return m
}

func money(k kind) []school.MoneyEvent {
	event := func(id int64, kind school.MoneyKind, minor int64, reason string) school.MoneyEvent {
		return school.MoneyEvent{
			ID: id, Kind: kind, At: now.Add(-time.Duration(5-id) * 31 * time.Hour), Amount: school.Money{Minor: minor, Currency: "KZT"}, Reason: reason,
			StudentID: "01935c3e-0000-7000-8000-000000000003", StudentName: k.text("Әлия Нұрланқызы"), StudentEmail: school.Email(k.text("aliya@example.com")),
			OwnerID: "a", SellerID: "b", SellerName: k.text("Борис Н."), ActorName: k.text("Айгүл С."), CourseTitle: k.text("Интегратор"), Counts: true,
		}
	}
	all := []school.MoneyEvent{
		event(1, school.MoneySale, 500000, ""), event(2, school.MoneyRefund, -200000, k.text("не подошло время занятий")),
		event(3, school.MoneyCorrection, 50000, k.text("скидка не положена")), event(4, school.MoneySale, 500000, ""),
	}
	all[3] = all[3].Masked()
	all[2].SellerName, all[2].ActorName = "", ""
	return all
}

func ledger(k kind) page.SalesPage {
	m := page.SalesPage{ShowManager: k == hostile, Period: page.SalesFilter{}.PeriodOf(school.Period{})}
	if k == empty {
		return m
	}
	m.Events, m.Next = money(k), "next"
	m.Sum = school.Sales{Count: 1128, Revenue: []school.Money{{Minor: 564000000, Currency: "KZT"}, {Minor: -50, Currency: k.text("USD")}}}
	m.Managers = []school.Facet{{ID: "a", Name: k.text("Вера К.")}, {ID: "b", Name: k.text("Борис Н.")}}
	m.Courses = []school.Facet{{ID: "1", Name: k.text("Интегратор")}, {ID: "2", Name: k.text("Продажи")}}
	if k == hostile {
		m.Continued = true
		m.Filter = page.SalesFilter{Period: evil, From: evil, To: evil, Manager: evil, Course: evil}
		m.Period = m.Filter.PeriodOf(school.Period{})
		m.Period.Fields = map[string]string{"from": "date_invalid", "to": "range_backwards", "period": "period_unknown"}
	}
	return m
}

func deleted(k kind) page.CardPage {
	m := card(k)
	m.Link = nil
	m.Student.DeletedAt, m.RestoreUntil = now.AddDate(0, 0, -1), now.AddDate(0, 0, 29)
	if k == hostile {
		m.RestoreError, m.RestoreEmail = "email_taken", evil
		m.RestoreParams = map[string]string{"student_id": evil, "student_name": evil}
	}
	return m
}

func historyPage(k kind) page.HistoryPage {
	m := page.HistoryPage{Lines: activity(k), More: k == full, Student: student(k, 3)}
	if k == hostile {
		m.Form = page.HistoryForm{Actor: evil, Action: evil, Student: evil, Query: evil, Period: evil, From: evil, To: evil}
		m.Fields = map[string]string{"from": "date_invalid", "to": "range_backwards", "period": "period_unknown"}
	}
	return m
}

func historyAdmin(k kind) page.HistoryPage {
	m := page.HistoryPage{All: true, Form: page.HistoryForm{Query: k.text("нұрлан")}, Matches: []school.Student{student(k, 1), student(k, 2)}}
	m.Staff = []school.Account{{ID: "a", FullName: k.text("Вера Ким")}}
	if k == empty {
		m.Matches, m.Error = nil, "7F3K-21"
	}
	return m
}

func historyMore(k kind) page.HistoryPage {
	m := page.HistoryPage{Lines: activity(k), After: school.ActivityCursor{At: now, ID: 100}, Appended: true}
	m.More = len(m.Lines) > 0
	return m
}

// pages is every screen in every state worth drawing, by name.
func pages(k kind, lang school.Language) map[string]templ.Component {
	out, sales, admin, pupil := chrome(k, lang, ""), chrome(k, lang, school.RoleSales), chrome(k, lang, school.RoleAdmin), chrome(k, lang, school.RoleStudent)
	sales.Section, pupil.Section = "students", "course"
	wrong := map[string]string{}
	code := ""
	if k == hostile {
		wrong = map[string]string{"password": "password_too_short", "current_password": "password_wrong", "full_name": "name_required", "email": "email_invalid", "name": "name_required", "trash_days": "out_of_range"}
		code = "wrong_credentials"
	}
	open, done, linked, lost, toasted := panel(k), panel(k), panel(k), panel(k), sales
	open.OpenForm = true
	done.Created, linked.Created = created(k, school.AccessPassword), created(k, school.AccessLink)
	lost.ListError, lost.ActivityError = "7F3K-21", "7F3K-21"
	toasted.Toast = &page.Toast{Text: k.text("Ученик Дубль Петров удалён"), UndoAction: "/integrator/students/1/restore"}
	nobody := panel(full)
	nobody.List = page.StudentList{}
	nobody.List.State.Set("q", k.text("нурланкизи"))
	nobody.List.State.Set("status", "active")
	none, faulty, unread := ledger(empty), ledger(empty), ledger(empty)
	none.Filter.Period, faulty.Fault, unread.Error = "today", "page_invalid", k.text("7F3K-21")
	settings := school.Settings{Name: k.text("Академия Tripwire"), TimeZone: k.text("Asia/Almaty"), Language: lang, OwnPassword: true, LinkHours: 72, TrashDays: 30, SessionIdleHours: 72, SessionMaxHours: 720}
	trash := list(k)
	for i := range trash.Students {
		trash.Students[i].DeletedAt = now.AddDate(0, 0, -i)
	}
	sessions := []school.Session{{TokenHash: "a", Device: k.text("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"), LastSeenAt: now}, {TokenHash: "b", Device: k.text("curl/8"), LastSeenAt: now.AddDate(0, -1, 0)}}
	all := map[string]templ.Component{
		"login":    page.Login(out, page.LoginForm{Email: k.text("test123@example.com"), Error: code}),
		"password": page.OwnPassword(out, page.PasswordForm{Fields: wrong, Email: k.text("test123@example.com"), Required: true}),
		"link":     page.LinkInvalid(out),
		"setup":    page.Setup(out, page.SetupForm{FullName: k.text("Вера"), Email: k.text("vera@example.com"), Fields: wrong}),
		"panel":    page.Panel(sales, panel(k)), "form": page.Panel(sales, open), "created": page.Panel(sales, done), "created-link": page.Panel(sales, linked),
		"lost": page.Panel(sales, lost), "nobody": page.Panel(sales, nobody), "toast": page.Panel(toasted, panel(k)),
		"card": page.StudentCard(sales, card(k)), "deleted": page.StudentCard(sales, deleted(k)),
		"sales": page.Sales(admin, ledger(k)), "sales-none": page.Sales(admin, none), "sales-faulty": page.Sales(admin, faulty), "sales-lost": page.Sales(admin, unread),
		"history": page.History(sales, historyPage(k)), "history-admin": page.History(admin, historyAdmin(k)), "fragment-history": page.HistoryLines(sales, historyMore(k)),
		"trash":    page.Trash(admin, page.TrashPage{List: trash, Days: 30}),
		"settings": page.Settings(admin, page.SettingsPage{S: settings, Fields: wrong, Saved: k == full}),
		"account":  page.Account(admin, page.AccountPage{Email: k.text("vera@example.com"), Sessions: sessions, CurrentHash: "a", Password: page.PasswordForm{Fields: wrong}, Saved: k == full}),
		"lesson":   page.Lesson(pupil, lesson(k)), "lesson-done": page.Lesson(pupil, lessonDone(k)), "lesson-preview": page.Lesson(sales, previewed(k)),
		"courses":     page.Courses(pupil, []school.Course{{Slug: "a", Title: k.text("Интегратор")}, {Slug: "b", Title: k.text("Продажи")}}),
		"queue":       page.HomeworkQueue(sales, queue(k)),
		"course-list": page.CourseList(admin, []school.Course{{Title: k.text("Интегратор"), Modules: []school.Module{{ID: 16, Title: k.text("Введение"), Lessons: []school.Lesson{{ID: 67, Title: k.text("Начало")}}}}}}),
		"editor":      page.LessonEditor(admin, editor(k)),
		"home":        page.CourseHome(pupil, page.CoursePage{Course: school.Course{Title: k.text("Интегратор")}, Modules: modules(k), Now: now}),
		"figures":     figures(sales, periodOf(k), stats(k, sales.P), chart(k, sales.P), ranking(k)),
		"unread":      failed(sales, k),
		"error":       page.ErrorPage(sales, page.ErrorPageModel{Status: 500, Code: "internal", RequestID: k.text("7F3K-21"), Retry: k.text("/x")}),
		"error-out":   page.ErrorPage(out, page.ErrorPageModel{Status: 404, Code: "not_found", Params: map[string]string{"a": evil}}),
		"fragment":    page.StudentCreated(sales, *created(k, school.AccessPassword)), "fragment-form": page.FormFragment(sales, form(k)),
	}
	maps.Copy(all, letterPages(k, out, admin))
	return all
}

func file(k kind, id school.FileID) school.File {
	return school.File{ID: id, Name: k.text("Рабочая тетрадь.pdf"), MediaType: "application/pdf", Size: 1_258_291}
}

func submissions(k kind) []school.Submission {
	if k == empty {
		return nil
	}
	return []school.Submission{
		{ID: 2, UserID: "u", LessonID: 1, Version: 2, Text: k.text("Вторая попытка"), HandedInAt: now, Verdict: school.HomeworkWaiting, StudentName: k.text("Әлия"), LessonTitle: k.text("Знакомство"), Task: k.text("Опишите **задачу**")},
		{
			ID: 1, UserID: "u", LessonID: 1, Version: 1, Text: k.text("Первая попытка"), HandedInAt: now.AddDate(0, 0, -1), Verdict: school.HomeworkReturned, Comment: k.text("Добавьте пример"),
			ReviewedBy: k.text("Вера К."), ReviewedAt: now, Files: []school.File{file(k, "f1")}, StudentName: k.text("Әлия"), LessonTitle: k.text("Знакомство"), Task: k.text("Опишите"),
		},
	}
}

func lesson(k kind) page.LessonPage {
	m := page.LessonPage{CoursePage: page.CoursePage{Course: school.Course{Slug: "integrator", Title: k.text("Интегратор")}, Modules: modules(k), Now: now}}
	m.Lesson = school.LessonProgress{Lesson: school.Lesson{ID: 1, Title: k.text("Знакомство"), Required: true}, OpenedAt: now}
	if k == empty {
		return m
	}
	m.Module, m.Current = m.Modules[1], 1
	m.Lesson.Lesson.Minutes = 24
	m.Lesson.Lesson.Video = school.Video{Source: school.VideoFile, FileID: "abc", Seconds: 600}
	m.Lesson.Lesson.Rules = []school.CompletionRule{{Kind: school.RuleVideo, Percent: 80}, {Kind: school.RuleOpened}, {Kind: school.RuleMarked}, {Kind: school.RuleHandedIn}, {Kind: school.RuleAccepted}}
	m.Lesson.Played = school.Played{{From: 0, To: 228_000}}
	m.Lesson.PositionMS, m.Lesson.Homework = 228_000, school.HomeworkReturned
	m.Content = school.LessonContent{
		Body: k.text("Что мы **сделаем**"), Homework: k.text("Опишите задачу"), Materials: []school.File{file(k, "f2")},
		Captions: []school.Captions{{Language: school.Russian, File: file(k, "f3")}, {Language: school.Kazakh, File: file(k, "f4")}},
	}
	m.Draft = school.Draft{Text: k.text("Черновик"), SavedAt: now, Files: []school.File{file(k, "f5")}}
	m.Submissions = submissions(k)[1:]
	m.Fields, m.Params = map[string]string{"text": "text_too_long", "file": "file_too_large"}, map[string]string{"megabytes": "50"}
	m.Error = "lesson_not_qualified"
	return m
}

func lessonDone(k kind) page.LessonPage {
	m := lesson(k)
	m.Lesson.CompletedAt, m.Lesson.Homework, m.Submissions = now, school.HomeworkAccepted, submissions(k)
	m.Lesson.Lesson.Video = school.Video{Source: school.VideoYouTube, Address: "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"}
	m.Celebrate = []school.Module{{ID: 16, Title: k.text("Введение")}}
	return m
}

func previewed(k kind) page.LessonPage {
	m := lesson(k)
	m.Preview = &page.Preview{Student: student(k, 1), Path: "/integrator/students/x/preview/lesson/1", At: "2026-12-01T09:00"}
	m.Lesson.Lesson.Video = school.Video{Source: school.VideoHLS, Address: "https://cdn.example.com/a.m3u8", Seconds: 600}
	m.Lesson.Homework, m.Submissions = school.HomeworkWaiting, submissions(k)
	return m
}

func queue(k kind) page.HomeworkPage {
	m := page.HomeworkPage{Waiting: submissions(k), Total: 21}
	if k == empty {
		m.Total = 0
		return m
	}
	m.Refused, m.Comment, m.Fields = 2, k.text("так"), map[string]string{"comment": "comment_required"}
	return m
}

func editor(k kind) page.EditorPage {
	m := page.EditorPage{Lesson: school.Lesson{ID: 67, Title: k.text("Знакомство")}, Form: school.LessonForm{Title: k.text("Знакомство")}, Saved: k == full}
	if k == empty {
		return m
	}
	m.Lesson.Video, m.Content = school.Video{Source: school.VideoFile, FileID: "abc", Seconds: 61}, lesson(k).Content
	m.Form = school.LessonForm{
		Title: k.text("Знакомство"), Minutes: k.text("24"), Body: k.text("Текст"), Homework: k.text("Задание"), VideoSource: "file", VideoAddress: k.text("https://x"),
		VideoSeconds: k.text("1:01"), Rules: []string{"video", "accepted"}, VideoPercent: k.text("80"),
	}
	m.Error, m.Params = "invalid_input", map[string]string{"megabytes": "50"}
	m.Fields = map[string]string{
		"title": "name_required", "minutes": "out_of_range", "body": "text_too_long", "homework": "text_characters", "video": "video_address",
		"video_seconds": "out_of_range", "rules": "rule_needs_video", "material": "file_type", "captions": "file_empty",
	}
	return m
}
