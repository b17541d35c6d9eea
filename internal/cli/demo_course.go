package cli

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"strconv"
	"time"

	"tripwire/internal/school"
)

// demoMedia are short videos made for the demo by scripts/demo-videos, captions
// and a sheet to download.
//
//go:embed demo_media
var demoMedia embed.FS

// demoVideoSeconds is how long each of the videos is.
const demoVideoSeconds = 20

var demoTexts = []struct{ body, homework string }{
	{
		body: "Интегратор — это человек, который находит работу для ИИ-помощника и доводит её до пользы.\n\n" +
			"**В этом уроке**\n\n- как выбрать первую задачу;\n- что записать до начала;\n- как понять, что помощник справился.\n",
	},
	{
		body:     "Собираем первого рабочего помощника: инструкция, примеры, проверка.\n\n> Хороший помощник начинается с трёх хороших примеров.\n",
		homework: "Опишите задачу, которую Вы отдадите помощнику:\n\n1. что приходит на вход;\n2. что должно получиться;\n3. как Вы проверите результат.\n",
	},
	{body: "Подключаем помощника к настоящей задаче и считаем: сколько времени было, сколько стало.\n"},
}

// furnish puts something into the lessons of the default course, as an
// administrator would.
func (s *demoSchool) furnish(ctx context.Context, admin school.Actor, course school.Course) error {
	n := 0
	for _, m := range course.Modules {
		for _, l := range m.Lessons {
			if n++; n > len(demoTexts) {
				return nil
			}
			if err := s.furnishLesson(ctx, admin, l, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *demoSchool) furnishLesson(ctx context.Context, admin school.Actor, l school.Lesson, n int) error {
	send := func(name string, keep func(r *bytes.Reader) error) error {
		content, err := demoMedia.ReadFile("demo_media/" + name)
		if err != nil {
			return err
		}
		return keep(bytes.NewReader(content))
	}
	video := fmt.Sprintf("lesson-%d.mp4", n)
	if err := send(video, func(r *bytes.Reader) error {
		return s.desk.AddVideo(ctx, admin, l.ID, video, r, demoVideoSeconds)
	}); err != nil {
		return err
	}
	if n == 1 {
		if err := send("lesson-1.ru.vtt", func(r *bytes.Reader) error {
			return s.desk.AddCaptions(ctx, admin, l.ID, school.Russian, "lesson-1.ru.vtt", r)
		}); err != nil {
			return err
		}
		if err := send("checklist.txt", func(r *bytes.Reader) error {
			return s.desk.AddMaterial(ctx, admin, l.ID, "С чего начать.txt", r)
		}); err != nil {
			return err
		}
	}
	text := demoTexts[n-1]
	return s.desk.EditLesson(ctx, admin, l.ID, school.LessonForm{
		Title: l.Title, Minutes: strconv.Itoa(l.Minutes), Body: text.body, Homework: text.homework,
		VideoSource: string(school.VideoFile), Rules: []string{string(school.RuleVideo)},
	})
}

// study watches a lesson to its end and completes it.
func (s *demoSchool) study(ctx context.Context, student school.Actor, lesson school.LessonID) error {
	if _, err := s.desk.MyLesson(ctx, student, lesson); err != nil {
		return err
	}
	s.clock.set(s.clock.now().Add(demoVideoSeconds * time.Second))
	if _, err := s.desk.ReportProgress(ctx, student, lesson, school.PlayReport{
		Ranges: [][2]float64{{0, demoVideoSeconds}}, Duration: demoVideoSeconds, Position: demoVideoSeconds,
	}); err != nil {
		return err
	}
	return s.desk.CompleteLesson(ctx, student, lesson)
}

var demoAnswers = []string{
	"Вход: заявки с сайта. Выход: черновик ответа и тема письма. Проверяю на двадцати старых заявках.",
	"Хочу, чтобы помощник разбирал отзывы по темам. Проверю вручную каждую десятую строку.",
	"Күн сайынғы есепті жинау: кірісі кесте, шығысы қысқа мәтін. Нәтижені өткен аптамен салыстырамын.",
	"Расписание на неделю из переписки в чате. Проверка: нет двух встреч в одно время.",
}

// handIn hands the homework of a lesson in.
func (s *demoSchool) handIn(ctx context.Context, student school.Actor, lesson school.LessonID) error {
	return s.desk.HandIn(ctx, student, lesson, demoAnswers[s.random.IntN(len(demoAnswers))])
}

// review answers the homework that waits for a manager.
func (s *demoSchool) review(ctx context.Context, by school.Actor) error {
	q, err := s.desk.Homework(ctx, by)
	for _, w := range q.Waiting {
		if s.clock.now().Sub(w.HandedInAt) < 60*time.Hour { // has been read, not yet answered
			continue
		}
		verdict, comment := school.HomeworkAccepted, "Отлично, так и делайте."
		if s.random.IntN(4) == 0 {
			verdict, comment = school.HomeworkReturned, "Добавьте, пожалуйста, как именно Вы проверите результат."
		}
		if err == nil {
			err = s.desk.ReviewHomework(ctx, by, w.ID, verdict, comment)
		}
	}
	return err
}
