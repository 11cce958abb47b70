// Command convergent asks whether different neural networks learn the same
// representations: it reproduces "Convergent Learning" (Li, Yosinski, Clune,
// Lipson, Hopcroft, ICLR 2016) from images to a report.
//
//	go run github.com/convergent-go/convergent/bench/convergent@latest reproduce
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/bench/flags"
	"github.com/convergent-go/convergent/internal/artifact"
)

type commands struct {
	Reproduce reproduce       `cmd:"" help:"Train networks from different seeds, compare their units, and write a report."`
	Compare   compareCommand  `cmd:"" help:"Compare networks that were trained elsewhere, as ONNX files or by their activations."`
	Layers    layersCommand   `cmd:"" help:"List the layers of an ONNX network that can be compared."`
	Moments   momentsCommand  `cmd:"" help:"Accumulate activations, or a part of them, to be merged and compared later."`
	Merge     mergeCommand    `cmd:"" help:"Add moments of parts of the samples."`
	Identify  identifyCommand `cmd:"" help:"Ask which layer of another network each layer is most similar to."`

	Completion completionCommand `cmd:"" help:"Print what lets a shell complete commands, flags and files."`
	Help       helpCommand       `cmd:"" help:"Say what a command does, as -h does."`
	Version    versionCommand    `cmd:"" help:"Say which version this is."`

	PrintVersion kong.VersionFlag `name:"version" help:"Say which version this is."`
}

// portableNote says what the portable tier costs. Its products of matrices take 70 times as long
// as AVX2's on the machine of bench/README.md (1.4 GFLOP/s a core, 100).
const portableNote = "convergent: the instruction set in use is portable: results are the same, but take up to 70 times as long as with AVX2"

// computes reports whether a command is one whose time the kernels decide.
func computes(k *kong.Context) bool {
	name, _, _ := strings.Cut(k.Command(), " ")
	return slices.Contains([]string{"reproduce", "compare", "moments", "identify"}, name)
}

// patience is how long an interrupted run has to stop in order.
const patience = 800 * time.Millisecond

// stopped ends a program that was interrupted.
func stopped(k *kong.Context) {
	text := "stopped; the same command goes on from here"
	if name, _, _ := strings.Cut(k.Command(), " "); !slices.Contains([]string{"reproduce", "compare", "identify"}, name) {
		text = "stopped; no file was written in part"
	} else if !artifact.Kept() {
		text = "stopped before anything was saved; the same command begins where this one did"
	}
	fmt.Fprintln(os.Stderr, "convergent:", text)
	os.Exit(130)
}

const description = `Do different neural networks learn the same representations?

This reproduces "Convergent Learning" (ICLR 2016): it trains several convolutional networks from different random starts, lets all of them look at the same images, and compares their units one to one, one to few and many to many.

  convergent reproduce                  generated images, about a minute
  convergent reproduce -data FILE.zip   your own: train/CLASS/*.jpg, test/CLASS/*.jpg
  convergent compare A.onnx B.onnx -data FILE.zip   networks that were trained elsewhere
  convergent compare A.npy B.npy        or their activations

Open report.html in the output folder when it is done.`

func main() {
	if err := asm.TierError(); err != nil {
		fmt.Fprintln(os.Stderr, "convergent:", err)
		os.Exit(2)
	}
	var c commands
	parser := kong.Must(&c, kong.Name("convergent"), kong.Description(description), kong.Vars{"version": version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if len(os.Args) < 2 {
		os.Args = append(os.Args, "--help")
	}
	k, err := flags.Parse(parser, os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "convergent: %v\nTry: convergent COMMAND -h\n", err)
		os.Exit(2)
	}

	// The first interrupt stops the run in order; a second one ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	context.AfterFunc(ctx, func() {
		// What looks at no context, such as a file on a disk that does not answer, is not waited
		// for: files are whole whenever the program ends.
		time.Sleep(patience)
		artifact.Abandon()
		stopped(k)
	})
	k.BindTo(ctx, (*context.Context)(nil))
	if computes(k) && asm.Active() == asm.Portable {
		fmt.Fprintln(os.Stderr, portableNote)
	}
	if err := k.Run(); errors.Is(err, context.Canceled) || err != nil && ctx.Err() != nil {
		stopped(k)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "convergent:", printable(err.Error()))
		os.Exit(1)
	}
}
