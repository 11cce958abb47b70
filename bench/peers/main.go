// Command peers times our work and other libraries' side by side: PyTorch
// (oneDNN), OpenBLAS, NumPy, SciPy and gonum, on the work that bench/work.json lists.
//
//	go run ./bench/peers -python "chroot DIR python3" -only '^conv/vgg'
//
// Runs alternate, ours and the peer's, since the speed of a machine drifts; both
// compute from the same numbers, and results are compared. The Python side is
// peers.py, a part of this program that Python is given by -c, so that the
// command may be one that sees other files than this program does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"

	"github.com/alecthomas/kong"
	"github.com/convergent-go/convergent/bench"
	"github.com/convergent-go/convergent/bench/flags"
)

type options struct {
	Work    string         `help:"What to time, in the form of bench/work.json, which is the default." placeholder:"FILE"`
	Python  string         `help:"Command that starts Python (${default})." default:"python3" placeholder:"CMD"`
	Threads []int          `help:"Numbers of threads, one after the other; else as the list has them." placeholder:"1,2"`
	Tiers   []string       `help:"Instruction sets to time ours with, one after the other, of portable, avx2 and avx512; else the best." placeholder:"avx2,avx512"`
	Only    *regexp.Regexp `help:"Only work whose name matches." placeholder:"REGEXP"`
	Pairs   int            `help:"How often to run ours and a peer in turn (${default})." default:"7"`
	JSON    string         `name:"json" help:"Write the table as JSON, too." placeholder:"FILE"`
}

const description = `Times our work and other libraries' in turn, and checks that both computed the same.

A ratio is a peer's time over ours: above 1, ours is faster. It is the median of the pairs, with the quartiles.`

func main() {
	var o options
	parser := kong.Must(&o, kong.Name("peers"), kong.Description(description), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if _, err := flags.Parse(parser, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\nTry: peers -h\n", err)
		os.Exit(2)
	}
	if err := o.run(); err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	if o.Tiers != nil {
		return o.runTiers()
	}
	works, threads, err := o.list()
	if err != nil {
		return err
	}
	rows := []row{}
	var failed []error
	for i, t := range threads {
		runtime.GOMAXPROCS(t) // gonum and the garbage collector keep to it
		peers, notes, stop := installed(o.Python, t)
		if i == 0 {
			fmt.Fprint(os.Stderr, notes)
			fmt.Println(header)
		}
		s := session{threads: t, pairs: o.Pairs, peak: bench.Peak(t), peers: peers}
		for _, w := range works {
			failed = append(failed, s.compare(w, func(r row) {
				fmt.Println(r)
				rows = append(rows, r)
			}))
		}
		failed = append(failed, stop())
	}
	return errors.Join(append(failed, o.write(rows))...)
}

// write writes the table as JSON, if that is wanted.
func (o *options) write(rows []row) error {
	if o.JSON == "" {
		return nil
	}
	data, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.JSON, append(data, '\n'), 0o666)
}

// list returns the chosen work and numbers of threads.
func (o *options) list() ([]bench.Work, []int, error) {
	list := bench.Standard()
	if o.Work != "" {
		data, err := os.ReadFile(o.Work)
		if err != nil {
			return nil, nil, err
		}
		if list, err = bench.Parse(data); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", o.Work, err)
		}
	}
	all, err := list.Works()
	if err != nil {
		return nil, nil, err
	}
	var works []bench.Work
	for _, w := range all {
		if o.Only == nil || o.Only.MatchString(w.Name) {
			works = append(works, w)
		}
	}
	threads := list.Threads
	if o.Threads != nil {
		threads = o.Threads
	}
	switch {
	case len(works) == 0:
		return nil, nil, fmt.Errorf("no work matches %v", o.Only)
	case len(threads) == 0 || slices.Min(threads) < 1 || o.Pairs < 1:
		return nil, nil, errors.New("-threads and -pairs must be above 0")
	}
	return works, threads, nil
}
