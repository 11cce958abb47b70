//go:build unix

package comparison

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// BenchmarkStream accumulates moments of two networks of p units in all: from memory, as fast
// as the kernels do; from a pipe that this process fills from memory; and from a pipe that
// another process, cat, fills from a file, which takes its time from the same cores. With one
// thread, what fills the pipe can have a core of its own.
func BenchmarkStream(b *testing.B) {
	const rows, batches, passes = 1024, 16, 4
	for _, p := range []int{512, 1024} {
		units := p / 2
		rnd := rand.New(rand.NewPCG(1, uint64(p)))
		memory := make([][2][]float32, batches)
		var stream bytes.Buffer
		for i := range memory {
			for n := range memory[i] {
				memory[i][n] = make([]float32, rows*units)
				for k := range memory[i][n] {
					memory[i][n][k] = rnd.Float32()
				}
			}
			header := fmt.Sprintf(`{"A/x":{"dtype":"F32","shape":[%d,%d],"data_offsets":[0,%d]},"B/x":{"dtype":"F32","shape":[%[1]d,%[2]d],"data_offsets":[%[3]d,%[4]d]}}`, rows, units, 4*rows*units, 8*rows*units)
			binary.Write(&stream, binary.LittleEndian, uint64(len(header)))
			stream.WriteString(header)
			binary.Write(&stream, binary.LittleEndian, memory[i][0])
			binary.Write(&stream, binary.LittleEndian, memory[i][1])
		}
		file := filepath.Join(b.TempDir(), "stream")
		if err := os.WriteFile(file, stream.Bytes(), 0o666); err != nil {
			b.Fatal(err)
		}
		streamed := func(b *testing.B, threads int, fill func(w *os.File) error) {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			stdin := os.Stdin
			os.Stdin = r
			defer func() { os.Stdin = stdin; r.Close() }()
			if err := fill(w); err != nil {
				b.Skip(err)
			}
			s, err := source.OpenStream(b.Context(), source.Options{Networks: []string{"-"}})
			if err != nil {
				b.Fatal(err)
			}
			m, err := observe.Moments(b.Context(), s, threads, nil)
			if err != nil || m[0].Count() != rows*batches*passes {
				b.Fatal(err)
			}
		}
		for _, threads := range []int{0, 1} {
			for _, road := range []struct {
				name string
				run  func(b *testing.B)
			}{
				{"memory", func(b *testing.B) {
					m := corr.NewMoments(units, units)
					m.Threads = threads
					for range passes {
						for _, x := range memory {
							if err := m.AddTensors(nil, corr.Rows(x[0], rows, units, units), corr.Rows(x[1], rows, units, units)); err != nil {
								b.Fatal(err)
							}
						}
					}
				}},
				{"pipe", func(b *testing.B) {
					streamed(b, threads, func(w *os.File) error {
						go func() {
							for range passes {
								io.Copy(struct{ io.Writer }{w}, bytes.NewReader(stream.Bytes()))
							}
							w.Close()
						}()
						return nil
					})
				}},
				{"cat", func(b *testing.B) {
					streamed(b, threads, func(w *os.File) error {
						c := exec.Command("cat", file, file, file, file)
						c.Stdout = w
						err := c.Start()
						w.Close()
						b.Cleanup(func() { c.Wait() })
						return err
					})
				}},
			} {
				b.Run(fmt.Sprintf("p=%d/threads=%d/%s", p, threads, road.name), func(b *testing.B) {
					before := ownTime(b)
					for b.Loop() {
						road.run(b)
					}
					busy := ownTime(b) - before
					operations := float64(rows*batches*passes) * float64(p) * float64(p+1)
					b.ReportMetric(operations*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
					b.ReportMetric(operations*float64(b.N)/busy.Seconds()/1e9, "GFLOP/core-s")
				})
			}
		}
	}
}

// ownTime is how long cores were at work for this process, and not for cat.
func ownTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
