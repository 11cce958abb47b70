package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/bench"
)

// peer is another library.
type peer interface {
	name() string
	supports(w bench.Work) bool
	prepare(w bench.Work) (*entry, error)
}

// entry is one side of a comparison: work on its inputs, after a first run.
type entry struct {
	variant string      // how the peer does the work, if it has several ways
	samples [][]float64 // of its results, by bench.Sample
	seconds func() (float64, error)
}

const (
	// atLeast is how long work is repeated for within one timing.
	atLeast = 50 * time.Millisecond
)

// seconds times one run of work in this program.
func seconds(run func() error) (float64, error) {
	start := time.Now()
	for n := 1; ; n++ {
		if err := run(); err != nil {
			return 0, err
		}
		if d := time.Since(start); d >= atLeast {
			return d.Seconds() / float64(n), nil
		}
	}
}

// here makes an entry of a job in this program.
func ownEntry(job *bench.Job) *entry {
	e := &entry{seconds: func() (float64, error) { return seconds(job.Run) }}
	for _, r := range job.Results() {
		e.samples = append(e.samples, bench.Sample(r))
	}
	return e
}

// session compares with one number of threads.
type session struct {
	threads, pairs int
	peak           float64 // operations a second
	peers          []peer
}

// compare times ours against each peer that does such work, or alone if none
// does, and hands out a row of the table for each.
func (s *session) compare(w bench.Work, emit func(row)) error {
	if _, ok := w.Spec.(bench.Inference); ok {
		i := slices.IndexFunc(s.peers, func(p peer) bool { return p.supports(w) })
		if i < 0 {
			fmt.Fprintf(os.Stderr, "%s is left out: no peer exports networks\n", w.Name)
			return nil
		}
		file, err := s.peers[i].(library).export(w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		w = w.Of(file)
	}
	job, err := w.Prepare(s.threads)
	if err != nil {
		return fmt.Errorf("%s: %w", w.Name, err)
	}
	own, alone := ownEntry(job), true
	var failed []error
	for _, p := range s.peers {
		if !p.supports(w) {
			continue
		}
		alone = false
		other, err := p.prepare(w)
		if err == nil {
			err = bench.CheckAgreement(own.samples, other.samples, w.Tolerance)
		}
		var r row
		if err == nil {
			r, err = s.alternate(own, other)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %s: %w", w.Name, p.name(), err))
			continue
		}
		r.Peer, r.variant = p.name(), other.variant
		emit(s.label(r, w))
	}
	if alone {
		r, err := s.alternate(own, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		emit(s.label(r, w))
	}
	return errors.Join(failed...)
}

// alternate runs ours and theirs in turn; nil for theirs is ours alone.
func (s *session) alternate(own, other *entry) (row, error) {
	var a, b, ratios []float64
	for range s.pairs {
		for _, side := range []struct {
			*entry
			times *[]float64
		}{{own, &a}, {other, &b}} {
			if side.entry == nil {
				continue
			}
			t, err := side.seconds()
			if err != nil {
				return row{}, err
			}
			*side.times = append(*side.times, t)
		}
		if other != nil {
			ratios = append(ratios, b[len(b)-1]/a[len(a)-1])
		}
	}
	r := row{Own: quantile(a, 0.5)}
	if other != nil {
		r.Theirs, r.Ratio = quantile(b, 0.5), quantile(ratios, 0.5)
		r.low, r.high = quantile(ratios, 0.25), quantile(ratios, 0.75)
	}
	return r, nil
}

func (s *session) label(r row, w bench.Work) row {
	r.Work, r.Threads, r.Tier, r.PeakShare = w.Name, s.threads, asm.Active().String(), w.Operations/r.Own/s.peak
	return r
}

// quantile interpolates between the two numbers nearest.
func quantile(x []float64, q float64) float64 {
	x = slices.Sorted(slices.Values(x))
	at := q * float64(len(x)-1)
	i := int(at)
	if i+1 == len(x) {
		return x[i]
	}
	return x[i] + (at-float64(i))*(x[i+1]-x[i])
}
