// Package progress says how far long work is.
package progress

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
