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
	"github.com/convergent-go/convergent/asm"
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
	Chart   string         `help:"Draw the ratios as an SVG." placeholder:"FILE"`
	From    []string       `help:"Tables that -json wrote: sum these up, and draw them, in place of timing." placeholder:"FILE,..."`
}

const description = `Times our work and other libraries' in turn, and checks that both computed the same.

A ratio is a peer's time over ours: above 1, ours is faster. It is the median of the pairs, with the quartiles.`

func main() {
	var o options
	parser := kong.Must(&o, kong.Name("peers"), kong.Description(description), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	_, err := flags.Parse(parser, os.Args[1:])
	if err == nil {
		err = asm.TierError()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\nTry: peers -h\n", err)
		os.Exit(2)
	}
	if err := o.run(); err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	switch {
	case o.From != nil:
		rows, err := read(o.From)
		if err != nil {
			return err
		}
		return o.finish(rows)
	case o.Tiers != nil:
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
	return errors.Join(append(failed, o.finish(rows))...)
}

// finish sums up the table where it has a peer, and writes and draws it if that is wanted.
func (o *options) finish(rows []row) error {
	all := groups(rows)
	if len(all) > 0 {
		fmt.Println("\n" + groupHeader)
		for _, g := range all {
			fmt.Println(g)
		}
	}
	if o.JSON != "" {
		data, err := json.MarshalIndent(rows, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.JSON, append(data, '\n'), 0o666); err != nil {
			return err
		}
	}
	switch {
	case o.Chart == "":
		return nil
	case len(all) == 0:
		return errors.New("no ratio to draw: no peer was timed")
	}
	return chart(o.Chart, all)
}

// read reads tables that finish wrote.
func read(paths []string) ([]row, error) {
	var rows []row
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var more []row
		if err := json.Unmarshal(data, &more); err != nil {
			return nil, fmt.Errorf("%s: not a table that -json wrote: %w", path, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
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
