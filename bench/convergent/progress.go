package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
)

// progress shows events: on a terminal as a bar for all that is under way with
// the time left, elsewhere as a line for each task now and then.
type progress struct {
	bar   *progressbar.ProgressBar // nil if there is no terminal
	stage string                   // what the bar shows: the first word of its tasks
	tasks map[string]study.Event   // of the stage
	said  map[string]time.Time     // when a task last had a line
}

// every is how often a task has a line where there is no terminal.
const every = 10 * time.Second

func newProgress() *progress {
	p := &progress{tasks: make(map[string]study.Event), said: make(map[string]time.Time)}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		// A width that leaves room for the text on 80 columns.
		p.bar = progressbar.NewOptions(1, progressbar.OptionSetWriter(os.Stdout), progressbar.OptionSetWidth(10),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progress) show(e study.Event) {
	switch {
	case p.bar == nil:
		p.print(e)
	case e.Total == 1: // news rather than work
		p.bar.Clear()
		fmt.Println(line(e))
	default:
		p.draw(e)
	}
}

// draw counts together the tasks of a stage, which may run side by side.
func (p *progress) draw(e study.Event) {
	if stage, _, _ := strings.Cut(e.Task, " "); stage != p.stage {
		p.bar.Clear()
		p.bar.Reset()
		p.stage, p.tasks = stage, make(map[string]study.Event)
	}
	p.tasks[e.Task] = e
	done, total := 0, 0
	for _, t := range p.tasks {
		done += t.Done
		total += t.Total
	}
	if e.Done == 0 {
		return // only announced
	}
	text := e.Task
	if e.Note != "" {
		text += ", " + e.Note
	}
	p.bar.Describe(text)
	p.bar.ChangeMax(total)
	p.bar.Set(min(done, total-1)) // never full, which would end the bar
}

func (p *progress) print(e study.Event) {
	last, ok := p.said[e.Task]
	if e.Done == 0 || ok && e.Done < e.Total && time.Since(last) < every {
		return
	}
	p.said[e.Task] = time.Now()
	fmt.Println(line(e))
}

func line(e study.Event) string {
	s := e.Task
	if e.Total > 1 {
		s += fmt.Sprintf(": %d of %d", e.Done, e.Total)
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
