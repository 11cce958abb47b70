// Package progress says how far long work is.
package progress

import (
	"fmt"
	"strings"
)

// Event says how far a task is; tasks may run side by side.
type Event struct {
	Task        string // such as "train network 2" or "compare conv3"
	Done, Total int    // equal at the end; a total of 0 is no work, but something to say
	Note        string // what there is to say beyond that
}

// Func is told of events. Its calls do not overlap.
type Func func(Event)

// Report tells f of an event, if there is an f.
func (f Func) Report(e Event) {
	if f != nil {
		f(e)
	}
}

// Count is a number of what a noun calls one of: 1 layer, 2 layers, 2 batches.
func Count[N int | int64](n N, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "ch"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}
