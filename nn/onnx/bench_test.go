package onnx

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkNetworks times the networks in the folder $ONNX_NETWORKS, which take images of
// 224 x 224 positions, on batches of 1 and 8 and on 1 and 2 threads, and says what share each
// operator has.
func BenchmarkNetworks(b *testing.B) {
	dir := os.Getenv("ONNX_NETWORKS")
	if dir == "" {
		b.Skip("ONNX_NETWORKS is not set")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.onnx"))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx")
		var m *Model
		for _, n := range []int{1, 8} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/n=%d/threads=%d", name, n, threads), func(b *testing.B) {
					if m == nil {
						var err error
						if m, err = Load(file); err != nil {
							b.Fatal(err)
						}
					}
					m.Threads = threads
					x := NewTensor(make([]float32, n*3*224*224), n, 3, 224, 224)
					for i := range x.Data.([]float32) {
						x.Data.([]float32)[i] = float32(i%255) / 255
					}
					times := make(map[string]time.Duration)
					run := func() {
						if err := timed(m, map[string]*Tensor{m.Inputs()[0].Name: x}, times); err != nil {
							b.Fatal(err)
						}
					}
					run()
					clear(times)
					runs := 0
					for b.Loop() {
						run()
						runs++
					}
					b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(runs), "ms")
					report(b, times, runs)
				})
			}
		}
	}
}

// timed is Run for the model's outputs, and adds to times, by operator.
func timed(m *Model, inputs map[string]*Tensor, times map[string]time.Duration) error {
	var taps []string
	for _, v := range m.outputs {
		taps = append(taps, v.Name)
	}
	p, err := m.plan(taps)
	if err != nil {
		return err
	}
	r := &run{m: m, plan: p, mem: m.pool.get(8 << 30), values: make([]*Tensor, len(m.slots)), threads: m.Threads}
	if err := r.inputs(inputs); err != nil {
		return err
	}
	for _, s := range p.steps {
		start := time.Now()
		if err := r.step(s); err != nil {
			return fmt.Errorf("%v: %w", &s.Node, err)
		}
		name := s.Op
		if os.Getenv("ONNX_SHAPES") != "" {
			name += fmt.Sprint(" ", r.shapes(s))
		}
		times[name] += time.Since(start)
	}
	for _, v := range p.wanted {
		r.values[v] = nil
	}
	m.pool.put(r.mem)
	return nil
}

func (r *run) shapes(s *step) (out [][]int) {
	for _, i := range s.in {
		if i >= 0 {
			if t := r.m.slots[i].constant; t != nil {
				out = append(out, t.Shape)
			}
		}
	}
	for _, i := range s.last().out {
		if t := r.value(i); t != nil {
			out = append(out, t.Shape)
		}
	}
	return out
}

func report(b *testing.B, times map[string]time.Duration, runs int) {
	names := slices.SortedFunc(maps.Keys(times), func(x, y string) int { return cmp.Compare(times[y], times[x]) })
	var total time.Duration
	for _, t := range times {
		total += t
	}
	for _, name := range names {
		if t := times[name]; t > total/200 {
			b.Logf("%8.2f ms %5.1f%%  %s", t.Seconds()*1e3/float64(runs), 100*float64(t)/float64(total), name)
		}
	}
}
