package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/natural"
)

type layersCommand struct {
	Network string `arg:"" help:"A network in ONNX's format."`
	All     bool   `help:"List every tensor that can be compared, and not only those that are by default."`
	Size    int    `help:"Height and width of images, or length of texts, where the network leaves them open (${default})." default:"224"`
}

// Help follows the summary of the command.
func (*layersCommand) Help() string {
	return `Each line is a layer: its name, as -layers of convergent compare takes it; what computes it; its positions and units; and the patch of the image that a position sees. Layers that are compared by default, outputs of nonlinearities and of residual sums, have a star.

Examples:

	convergent layers A.onnx
	convergent layers -all A.onnx`
}

// Run implements the command.
func (c *layersCommand) Run(ctx context.Context) error {
	if err := within("size", c.Size, 1, mostEdge); err != nil {
		return err
	}
	l, err := source.ListLayers(ctx, c.Network, c.Size)
	if err != nil {
		return err
	}
	return c.print(os.Stdout, l)
}

func (c *layersCommand) print(w io.Writer, l *source.LayerList) error {
	fmt.Fprintf(w, "%s\n\n", printable(l.Input))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	hidden, left := 0, 0
	for _, layer := range l.Graph.Layers {
		switch {
		case layer.Reason != "":
			left++
			continue
		case !layer.Default && !c.All:
			hidden++
			continue
		}
		star := " "
		if layer.Default {
			star = "*"
		}
		patch := ""
		if f := layer.Field; f.Stride > 0 {
			patch = fmt.Sprintf("sees %d x %d", f.End-f.Offset, f.End-f.Offset)
		}
		fmt.Fprintf(t, "%s %s\t%s\t%v\t%s\n", star, printable(layer.Name), layer.Kind, source.Layer{Units: layer.Units(), Extents: layer.Extents()}, patch)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if hidden > 0 {
		fmt.Fprintf(w, "\n%s can be compared, too: -all lists what is hidden.\n", natural.Count(hidden, "other"))
	}
	if left > 0 {
		fmt.Fprintf(w, "\n%s cannot be, not beginning with the samples.\n", natural.Count(left, "tensor"))
	}
	return nil
}
