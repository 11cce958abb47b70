package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench"
)

//go:embed peers.py
var script string

// installed returns the peers on this machine, set to so many threads, notes on
// which they are and which are left out, and what ends them.
func installed(python string, threads int) (peers []peer, notes string, stop func() error) {
	w, err := start(python, threads)
	if err != nil {
		return []peer{gonum{}}, fmt.Sprintf("torch, openblas, numpy and scipy are left out: %v\n", err), func() error { return nil }
	}
	for _, name := range slices.Sorted(maps.Keys(w.hello.Versions)) {
		notes += fmt.Sprintf("%s: %s\n", name, w.hello.Versions[name])
		peers = append(peers, library{name, w})
	}
	for _, name := range slices.Sorted(maps.Keys(w.hello.Omitted)) {
		notes += fmt.Sprintf("%s is left out: %s\n", name, w.hello.Omitted[name])
	}
	return append(peers, gonum{}), notes, func() error { return w.stop() }
}

// worker is a process that computes with the libraries of Python. It answers
// each line of JSON by another, as peers.py says, and is paused in between.
type worker struct {
	hello struct {
		Peers    map[string][]string `json:"peers"`    // names, by kind of work
		Versions map[string]string   `json:"versions"` // by name
		Omitted  map[string]string   `json:"missing"`  // why, by name
	}
	requests *json.Encoder
	answers  *json.Decoder
	process  *os.Process // nil: is not paused
	stop     func() error
	again    func() (*worker, error) // starts another
	died     bool                    // as where a library divides by zero
}

type request struct {
	Action string `json:"do"` // prepare or run
	Peer   string `json:"peer,omitempty"`
	Work   string `json:"work,omitempty"`
	Spec   any    `json:"spec,omitempty"`
}

type answer struct {
	Variant string      `json:"variant"`
	Samples [][]float64 `json:"samples"`
	Seconds float64     `json:"seconds"`
	Error   string      `json:"error"`
	File    string      `json:"file"` // that a network was exported to, as the worker sees it
	Process int         `json:"process"`
}

// start starts Python by a command such as "chroot DIR python3".
func start(python string, threads int) (*worker, error) {
	words := strings.Fields(python)
	if len(words) == 0 {
		return nil, errors.New("no command for Python")
	}
	cmd := exec.Command(words[0], append(words[1:], "-c", script)...)
	cmd.Stderr, cmd.Env = os.Stderr, os.Environ()
	for _, name := range []string{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", name, threads))
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w, err := connect(in, out)
	if err != nil {
		in.Close()
		if exit := cmd.Wait(); exit != nil {
			err = exit
		}
		return nil, fmt.Errorf("%s: %w", python, err)
	}
	w.process = cmd.Process
	w.again = func() (*worker, error) { return start(python, threads) }
	w.stop = func() error {
		resume(cmd.Process)
		return errors.Join(in.Close(), cmd.Wait())
	}
	return w, nil
}

// connect reads a worker's first line.
func connect(in io.Writer, out io.Reader) (*worker, error) {
	w := &worker{requests: json.NewEncoder(in), answers: json.NewDecoder(out)}
	return w, w.answers.Decode(&w.hello)
}

func (w *worker) ask(r request) (a answer, err error) {
	if w.process != nil {
		resume(w.process)
		defer pause(w.process)
	}
	if err = w.requests.Encode(r); err == nil {
		err = w.answers.Decode(&a)
	}
	if err != nil {
		w.died = true
		return a, err
	}
	if a.Error != "" {
		err = errors.New(a.Error)
	}
	return a, err
}

// export has the worker write a network as an ONNX file, in place of the one before, and
// returns its path. The worker may see another tree of files, which the system shows in a
// folder of the process.
func (l library) export(w bench.Work) (string, error) {
	a, err := l.worker.ask(request{Action: "export", Work: w.Name, Spec: w.Spec})
	if err != nil {
		return "", err
	}
	if path := fmt.Sprintf("/proc/%d/root%s", a.Process, a.File); a.Process > 0 {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return a.File, nil
}

// library is a peer that a worker computes with.
type library struct {
	id     string
	worker *worker
}

func (l library) name() string { return l.id }

func (l library) supports(w bench.Work) bool {
	kind, _, _ := strings.Cut(w.Name, "/")
	return slices.Contains(l.worker.hello.Peers[kind], l.id)
}

// prepare replaces what the worker had prepared before. A worker that died of its last work is
// replaced by another.
func (l library) prepare(w bench.Work) (*entry, error) {
	if l.worker.died {
		another, err := l.worker.again()
		if err != nil {
			return nil, err
		}
		l.worker.stop() // it has failed, and has been reported
		*l.worker = *another
	}
	a, err := l.worker.ask(request{Action: "prepare", Peer: l.id, Work: w.Name, Spec: w.Spec})
	if err != nil {
		return nil, err
	}
	return &entry{variant: a.Variant, samples: a.Samples, seconds: func() (float64, error) {
		a, err := l.worker.ask(request{Action: "run"})
		return a.Seconds, err
	}}, nil
}
