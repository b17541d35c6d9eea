package main

import (
	"context"
	"errors"
	"fmt"

	"tripwire/internal/school"
)

// smallSchool is what the large one is compared with.
const smallSchool = 1000

// view is a page of the panel, as somebody opens it.
type view struct {
	name, what, path string
	admin            bool
}

const panelPath = "/integrator/sales-manager"

var views = []view{
	{"manager", "list, a manager with a quarter of them", panelPath, false},
	{"admin", "list, the administrator", panelPath, true},
	{"manager-search", "search, a manager", panelPath + "?q=student77", false},
	{"admin-search", "search, the administrator", panelPath + "?q=student77", true},
	{"admin-last-page", "the last page, the administrator", panelPath + "?page=%d", true},
}

// panelTasks measure what grows with the number of students.
func (b *bench) panelTasks() (tasks []task) {
	for _, engine := range engines {
		for _, students := range []int{smallSchool, b.students} {
			tasks = append(tasks, task{fmt.Sprintf("panel/%s/%d", engine, students), func(ctx context.Context, name string) error {
				return b.panel(ctx, name, engine, students)
			}})
		}
	}
	return tasks
}

func (b *bench) panel(ctx context.Context, name, engine string, students int) error {
	d, err := b.school(ctx, engine, students)
	if err != nil {
		return err
	}
	err = withPlace(ctx, d, func(at *place) error {
		all, closeAll, err := at.clients(ctx, 1)
		if err != nil {
			return err
		}
		defer closeAll()
		for _, v := range views {
			if err := b.open(ctx, name, at, all[0], v, students); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
		}
		all[0].cookie = at.sessions[0]
		p, err := load(ctx, creating(all, school.AccessLink, true), b.each)
		if err == nil {
			b.add(name+"/create", p)
		}
		return err
	})
	return errors.Join(err, d.drop())
}

func (b *bench) open(ctx context.Context, name string, at *place, c *client, v view, students int) error {
	c.cookie = at.sessions[0]
	if v.admin {
		c.cookie = at.admin
	}
	path := v.path
	if v.name == "admin-last-page" {
		path = fmt.Sprintf(path, students/school.PageSize)
	}
	p, err := load(ctx, []act{func(context.Context) error { return c.get(path) }}, b.each)
	if err == nil {
		b.add(name+"/"+v.name, p)
	}
	return err
}
