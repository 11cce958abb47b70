// Example finds the correlations of networks' units from files of activations, or of
// moments, on any runner of Apache Beam's. Without -runner it does so in its own process.
//
//	go run ./example -files 'shards/*.safetensors' -moments conv1.moments -correlations conv1.csv
package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"log"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"gonum.org/v1/gonum/floats"

	"github.com/convergent-go/convergent/corr"
	corrbeam "github.com/convergent-go/convergent/corr/beam"
)

var (
	files        = flag.String("files", "", "files of a pass over samples, one for each shard: a pattern, in quotes")
	tensors      = flag.String("tensors", "", "names of the tensors that are networks, joined by commas (default: all)")
	moments      = flag.String("moments", "", "write the moments of all samples to this file, which convergent compare reads")
	correlations = flag.String("correlations", "", "write each unit's best partner in each other network to this file")
)

func init() { beam.RegisterDoFn(&write{}) }

// write is a DoFn that writes moments, and the correlations that follow from them.
type write struct{ Moments, Correlations string }

func (w *write) ProcessElement(ctx context.Context, m *corr.Moments) error {
	if err := create(ctx, w.Moments, func(f io.Writer) error { _, err := m.WriteTo(f); return err }); err != nil {
		return err
	}
	return create(ctx, w.Correlations, func(f io.Writer) error { return partners(f, m) })
}

// partners writes the unit of each network that every unit of every other one correlates
// most with.
func partners(f io.Writer, m *corr.Moments) error {
	out := csv.NewWriter(f)
	out.Write([]string{"network", "unit", "partner's network", "partner", "correlation"})
	for a := range m.Networks() {
		for b := range m.Networks() {
			if a == b {
				continue
			}
			c := m.Correlation(nil, a, b)
			for i := range m.Units(a) {
				best := floats.MaxIdx(c.RawRowView(i))
				out.Write([]string{name(m, a), strconv.Itoa(i), name(m, b), strconv.Itoa(best), strconv.FormatFloat(c.At(i, best), 'f', 6, 64)})
			}
		}
	}
	out.Flush()
	return out.Error()
}

// name returns what a network is called.
func name(m *corr.Moments, network int) string {
	if name := m.Network(network).Name; name != "" {
		return name
	}
	return strconv.Itoa(network)
}

// create writes a file in any file system that Beam knows; none if it has no name.
func create(ctx context.Context, name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return err
	}
	defer fs.Close()
	f, err := fs.OpenWrite(ctx, name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	return f.Close()
}

func run(ctx context.Context) error {
	fs, err := filesystem.New(ctx, *files)
	if err != nil {
		return err
	}
	defer fs.Close()
	shards, err := fs.List(ctx, *files)
	if err != nil {
		return err
	}
	if len(shards) == 0 {
		return fmt.Errorf("-files %s: no such files", *files)
	}
	slices.Sort(shards)
	read := new(corrbeam.Read)
	if *tensors != "" {
		read.Tensors = strings.Split(*tensors, ",")
	}
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &write{*moments, *correlations}, corrbeam.Moments(s, corrbeam.Shards(shards), read))
	return beamx.Run(ctx, p)
}

func main() {
	flag.Parse()
	beam.Init()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
