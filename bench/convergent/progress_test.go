package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
)

func barOf(w io.Writer) *bars {
	return &bars{bar: newBar(w), stages: make(map[string]*stage)}
}

// TestBarNeverFalls has tasks of a stage run side by side, in any order; most are added
// while others are under way.
func TestBarNeverFalls(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		p := barOf(io.Discard)
		events := make([]progress.Event, 1+rnd.IntN(6))
		for i := range events {
			events[i] = progress.Event{Task: "train network " + string(rune('1'+i)), Total: 2 + rnd.IntN(50)}
			if rnd.IntN(2) == 0 {
				p.show(events[i])
			}
		}
		shown, n := 0.0, 0
		for len(events) > 0 {
			e := &events[rnd.IntN(len(events))]
			e.Done++
			p.show(*e)
			if p.current != p.stages["train"] {
				t.Fatal("the bar shows another stage")
			}
			if n++; n > 1 && p.bar.State().CurrentPercent < shown {
				t.Fatalf("the bar falls from %v to %v at %+v", shown, p.bar.State().CurrentPercent, *e)
			}
			shown = p.bar.State().CurrentPercent
			if e.Done == e.Total {
				p.show(progress.Event{Task: "test" + strings.TrimPrefix(e.Task, "train"), Done: 1, Total: 1, Note: "accuracy 10 %"})
				*e = events[len(events)-1]
				events = events[:len(events)-1]
			}
			if p.stages["train"].done() {
				break // the next task begins a stage
			}
		}
		if s := p.stages["train"]; s.done() && s.share != 1 {
			t.Fatalf("all is done, and the bar shows %v", s.share)
		}
	}
}

// TestBarOfStages has each stage begin at its own share: what was announced together is
// one stage, and what comes when all before it is done is another.
func TestBarOfStages(t *testing.T) {
	var screen bytes.Buffer
	p := barOf(&screen)
	for _, c := range []struct {
		e    progress.Event
		want float64 // percent
	}{
		{progress.Event{Task: "compare conv1", Total: 4}, 0},
		{progress.Event{Task: "compare conv2", Total: 4}, 0},
		{progress.Event{Task: "stream activations", Done: 9, Total: 10}, 90},
		{progress.Event{Task: "stream activations", Done: 10, Total: 10}, 99},
		{progress.Event{Task: "stream activations again", Done: 1, Total: 10}, 10},
		{progress.Event{Task: "compare conv1", Done: 2, Total: 4}, 25},
		{progress.Event{Task: "compare conv1", Done: 1, Total: 1}, 25}, // done sooner than it was announced
		{progress.Event{Task: "test conv1", Done: 1, Total: 1, Note: "accuracy 10 %"}, 25},
		{progress.Event{Task: "compare conv2", Done: 4, Total: 4}, 99},
	} {
		p.show(c.e)
		if got := 100 * p.bar.State().CurrentPercent; got < c.want-0.5 || got > c.want+1 {
			t.Errorf("%+v: the bar shows %.1f %%, want %v", c.e, got, c.want)
		}
	}
	if s := screen.String(); strings.Contains(s, "accuracy") || strings.Contains(s, "\n") {
		t.Errorf("more than a bar was drawn: %q", s)
	}
}

// TestLines has each task say its first step and its last, and no results.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	p := &bars{lines: &out, printed: make(map[string]time.Time)}
	p.show(progress.Event{Task: "train network 1", Total: 1000})
	for done := range 1000 {
		p.show(progress.Event{Task: "train network 1", Done: done + 1, Total: 1000, Note: "loss 2"})
	}
	p.show(progress.Event{Task: "test network 1", Done: 1, Total: 1, Note: "accuracy 10 %"})
	if want := "train network 1: 1 of 1000, loss 2\ntrain network 1: 1000 of 1000, loss 2\ntest network 1\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
