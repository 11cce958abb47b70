package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
)

// bars show events: on a terminal as a bar for the stage that is under way with
// the time left, elsewhere as a line for each task now and then.
type bars struct {
	bar     *progressbar.ProgressBar // nil if there is no terminal
	stages  map[string]*stage        // by the first word of their tasks
	current *stage                   // what the bar shows

	lines   io.Writer
	printed map[string]time.Time // when a task last had a line
}

// every is how often a task has a line where there is no terminal.
const every = 10 * time.Second

func newBars() *bars {
	p := &bars{stages: make(map[string]*stage), lines: os.Stdout, printed: make(map[string]time.Time)}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		p.bar = newBar(os.Stdout)
	}
	return p
}

// whole is the length of a bar.
const whole = 1000

// newBar makes a bar of a width that leaves room for the text on 80 columns.
func newBar(w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(whole, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(10),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

func (p *bars) show(e progress.Event) {
	switch {
	case e.Total == 0: // no work, but something to say
		if p.bar != nil {
			p.bar.Clear()
		}
		fmt.Fprintln(p.lines, text(e))
	case p.bar == nil:
		p.print(e)
	default:
		p.draw(e)
	}
}

func (p *bars) draw(e progress.Event) {
	word, _, _ := strings.Cut(e.Task, " ")
	s := p.stages[word]
	if s == nil || s.done() {
		if e.Total == 1 {
			return // all that there is to do was done at once
		}
		s = &stage{tasks: make(map[string]progress.Event)}
		p.stages[word] = s
	}
	s.add(e)
	if e.Done == 0 {
		return // only announced
	}
	if s != p.current {
		p.bar.Clear()
		p.bar.Reset()
		p.current = s
	}
	p.bar.Describe(text(e))
	p.bar.Set(min(int(whole*s.share), whole-1)) // never full, which would end the bar
}

// stage is tasks of one kind that are under way together.
type stage struct {
	tasks map[string]progress.Event
	share float64 // that is done. It waits, and does not fall, when a task is added late.
}

func (s *stage) add(e progress.Event) {
	s.tasks[e.Task] = e
	done, total := 0, 0
	for _, t := range s.tasks {
		done += t.Done
		total += t.Total
	}
	s.share = max(s.share, float64(done)/float64(max(1, total)))
}

func (s *stage) done() bool {
	for _, t := range s.tasks {
		if t.Done < t.Total {
			return false
		}
	}
	return true
}

func (p *bars) print(e progress.Event) {
	last, ok := p.printed[e.Task]
	if e.Done == 0 || ok && e.Done < e.Total && time.Since(last) < every {
		return
	}
	p.printed[e.Task] = time.Now()
	if e.Total > 1 {
		e.Task += fmt.Sprintf(": %d of %d", e.Done, e.Total)
	} else {
		e.Note = "" // what came out, which the command says at its end
	}
	fmt.Fprintln(p.lines, text(e))
}

func text(e progress.Event) string {
	if e.Note == "" {
		return printable(e.Task)
	}
	return printable(e.Task + ", " + e.Note)
}

// printable is a text in which no name commands the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func (p *bars) finish() {
	if p.bar != nil {
		p.bar.Clear()
	}
}
