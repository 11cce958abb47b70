package finding

import "sync"

// findingSteps is how many steps each finding is divided into.
const findingSteps = 20

// Steps is how many steps a layer takes.
func Steps() int { return findingSteps * len(findings) }

// steps says how far the findings of a layer are. How many parts a finding has is not known
// before they come: each takes half of what is left of it.
type steps struct {
	report func(done, total int) // may be nil
	total  int

	mu             sync.Mutex
	findings, last int     // findings made, and what was reported last
	from, to       float64 // shares of the finding that the part begins and ends with
	done, tasks    int     // of the part
}

// begin begins a part of so many tasks.
func (s *steps) begin(tasks int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from, s.done, s.tasks = s.to, 0, tasks
	s.to += float64((1 - s.to) / 2)
}

// tick says that a task is done.
func (s *steps) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = min(s.done+1, s.tasks)
	share := s.from + (s.to-s.from)*float64(s.done)/float64(s.tasks)
	s.tell(findingSteps*s.findings + int(findingSteps*share))
}

// next says that a finding is made.
func (s *steps) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings++
	s.from, s.to = 0, 0
	s.tell(findingSteps * s.findings)
}

func (s *steps) tell(done int) {
	if s.report != nil && done > s.last {
		s.last = done
		s.report(done, s.total)
	}
}
