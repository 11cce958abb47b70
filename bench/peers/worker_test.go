package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench"
)

// fake is a worker whose products are ours, plus an error; it knows no more than
// the protocol.
func fake(in io.Reader, out io.Writer, off float64) {
	answers := json.NewEncoder(out)
	answers.Encode(map[string]any{"peers": map[string][]string{"gemm": {"torch"}}, "versions": map[string]string{"torch": "2"}})
	for requests := json.NewDecoder(in); ; {
		var r struct {
			Action     string `json:"do"`
			Peer, Work string
			Spec       bench.Gemm
		}
		switch {
		case requests.Decode(&r) != nil:
			return
		case r.Action == "run":
			answers.Encode(answer{Seconds: 7})
		case r.Spec.K > 10:
			answers.Encode(answer{Error: "too deep"})
		default:
			job := gonumGemm(r.Spec)
			job.Run()
			samples := ownEntry(job).samples
			samples[0][1] += off
			answers.Encode(answer{Variant: r.Peer + " way", Samples: samples})
		}
	}
}

func TestWorker(t *testing.T) {
	for _, c := range []struct {
		name, list string
		off        float64
		rows       int
		want       string // error
	}{
		{"agrees", `{"gemm": [{"m": 4, "n": 5, "k": 6}]}`, 0, 1, ""},
		{"differs", `{"gemm": [{"m": 4, "n": 5, "k": 6}]}`, 0.01, 0, "gemm/4x5x6: torch: array 0"},
		{"fails", `{"gemm": [{"m": 4, "n": 5, "k": 16}]}`, 0, 0, "gemm/4x5x16: torch: too deep"},
		{"does not do it", `{"moments": [{"n": 4, "p": 5}]}`, 0, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := bench.Parse([]byte(c.list))
			if err != nil {
				t.Fatal(err)
			}
			works, err := list.Works()
			if err != nil {
				t.Fatal(err)
			}
			ask, requests := io.Pipe()
			answers, reply := io.Pipe()
			go fake(ask, reply, c.off)
			defer requests.Close()
			w, err := connect(requests, answers)
			if err != nil {
				t.Fatal(err)
			}
			s := session{threads: 1, pairs: 1, peak: 1e9, peers: []peer{library{"torch", w}}}
			var rows []row
			err = s.compare(works[0], func(r row) { rows = append(rows, r) })
			if got := errorText(err); !strings.Contains(got, c.want) || (c.want == "") != (err == nil) {
				t.Errorf("got error %q, want %q", got, c.want)
			}
			if len(rows) != c.rows {
				t.Fatalf("%d rows, want %d", len(rows), c.rows)
			}
			if c.name == "agrees" && (rows[0].Theirs != 7 || rows[0].variant != "torch way" || rows[0].Ratio < 1) {
				t.Errorf("row %+v", rows[0])
			}
		})
	}
}

// TestWorkerThatDies: work that kills a worker is an error, and the next finds another.
func TestWorkerThatDies(t *testing.T) {
	list, err := bench.Parse([]byte(`{"gemm": [{"m": 4, "n": 5, "k": 6}, {"m": 4, "n": 5, "k": 7}]}`))
	if err != nil {
		t.Fatal(err)
	}
	works, err := list.Works()
	if err != nil {
		t.Fatal(err)
	}
	started, stopped := 0, 0
	var again func() (*worker, error)
	again = func() (*worker, error) {
		ask, requests := io.Pipe()
		answers, reply := io.Pipe()
		if started++; started == 1 {
			go func() { // says what it can do, and dies of the first work
				json.NewEncoder(reply).Encode(map[string]any{"peers": map[string][]string{"gemm": {"torch"}}})
				json.NewDecoder(ask).Decode(new(any))
				reply.Close()
			}()
		} else {
			go fake(ask, reply, 0)
		}
		w, err := connect(requests, answers)
		if err == nil {
			w.again, w.stop = again, func() error { stopped++; return requests.Close() }
		}
		return w, err
	}
	w, err := again()
	if err != nil {
		t.Fatal(err)
	}
	s := session{threads: 1, pairs: 1, peak: 1e9, peers: []peer{library{"torch", w}}}
	if err := s.compare(works[0], func(row) {}); err == nil {
		t.Error("the work of a worker that died passed")
	}
	if err := s.compare(works[1], func(row) {}); err != nil || started != 2 || stopped != 1 {
		t.Errorf("%v after %d starts and %d stops", err, started, stopped)
	}
	w.stop()
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestConnect(t *testing.T) {
	if _, err := connect(io.Discard, strings.NewReader("")); err == nil {
		t.Error("a worker that says nothing passed")
	}
}

func TestQuantile(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.5: 3, 0.75: 4.5, 1: 6} {
		if got := quantile([]float64{6, 1, 3, 4.5, 2}, q); got != want {
			t.Errorf("quantile %g: got %g, want %g", q, got, want)
		}
	}
	if got := quantile([]float64{1, 2}, 0.5); got != 1.5 {
		t.Errorf("got %g", got)
	}
}
