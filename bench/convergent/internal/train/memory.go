package train

import (
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/nn"
)

// Memory estimates the bytes that the images take, with the more of what training the networks
// does, as many at a time as there are threads, and of what observing them does, of which observe
// says how much their description makes it.
func (r *Run) Memory(observe func(*source.Description) int64) (int64, error) {
	images := int64(len(r.set.Train.Pixels) + len(r.set.Test.Pixels))
	widths := append([]float64{r.Width}, r.Widths...)
	var training, observing int64
	for i, width := range widths {
		jobs := r.jobsOf(width)
		if i == 0 {
			jobs = r.jobs()
		}
		n, err := nn.New(jobs[0].arch, jobs[0].seed)
		if err != nil {
			return 0, err
		}
		concurrent := int64(min(par.Threads(r.Threads), len(jobs)))
		training = max(training, concurrent*n.EstimateMemory(max(r.Batch, testBatch), true))
		if i > 0 {
			continue
		}
		a := &activations{Run: r}
		nets := make([]*nn.Net, len(jobs))
		for k := range nets {
			nets[k] = n
		}
		a.describe(jobs, nets)
		a.describeTimes(jobs)
		observing = observe(&a.description)
	}
	return images + max(training, observing), nil
}
