package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/convergent-go/convergent/internal/study"
)

// progress shows events: on a terminal as a bar for all that is under way with
// the time left, elsewhere as a line for each task now and then.
type progress struct {
	bar   *progressbar.ProgressBar // nil if there is no terminal
	tasks map[string]study.Event   // under way
	group string                   // what the bar shows: tasks of one kind share it
	said  map[string]time.Time     // when a task last had a line
}

// every is how often a task has a line where there is no terminal.
const every = 10 * time.Second

func newProgress() *progress {
	p := &progress{tasks: make(map[string]study.Event), said: make(map[string]time.Time)}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		p.bar = progressbar.NewOptions(1, progressbar.OptionSetWriter(os.Stdout), progressbar.OptionSetWidth(30),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progress) show(e study.Event) {
	if p.bar == nil {
		p.print(e)
		return
	}
	// Networks train side by side: one bar for all, their notes beside it.
	group := e.Task[:min(len(e.Task), 5)]
	if group != p.group {
		p.bar.Clear()
		p.bar.Reset()
		p.group, p.tasks = group, make(map[string]study.Event)
	}
	p.tasks[e.Task] = e
	done, total := 0, 0
	for _, t := range p.tasks {
		done += t.Done
		total += t.Total
	}
	text := e.Task
	if e.Note != "" {
		text += " (" + e.Note + ")"
	}
	p.bar.Describe(text)
	p.bar.ChangeMax(max(total, 1))
	p.bar.Set(min(done, max(total, 1)-1)) // never full, which would end the bar
	if e.Done == e.Total && e.Note != "" {
		p.bar.Clear()
		fmt.Println(line(e))
	}
}

func (p *progress) print(e study.Event) {
	if last, ok := p.said[e.Task]; ok && e.Done < e.Total && time.Since(last) < every {
		return
	}
	p.said[e.Task] = time.Now()
	fmt.Println(line(e))
}

func line(e study.Event) string {
	s := fmt.Sprintf("%s: %d of %d", e.Task, e.Done, e.Total)
	if e.Total == 1 {
		s = e.Task
	}
	if e.Note != "" {
		s += ", " + e.Note
	}
	return s
}

func (p *progress) finish() {
	if p.bar != nil {
		p.bar.Clear()
	}
}
