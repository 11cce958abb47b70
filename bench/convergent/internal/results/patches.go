package results

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/convergent-go/convergent/internal/artifact"
)

// PatchCount is how many patches a unit has at most.
const PatchCount = 9

// Patches are stored as a list and one picture: a row for each unit of each network, a
// column for each rank.
const (
	patchesFile = "patches.json"
	sheetFile   = "patches.png"
)

// PatchFiles are what WritePatches writes.
var PatchFiles = []string{patchesFile, sheetFile}

// Patch is a piece of an image that activates a unit: its receptive field,
// grey where that leaves the image.
type Patch struct {
	Image  image.Image `json:"-"`
	Value  float64     `json:"value"`  // the activation
	Sample int         `json:"sample"` // which of the samples, in their order
	Y      int         `json:"y"`      // position in the layer's map
	X      int         `json:"x"`
}

// WritePatches writes patches, by network and unit, whose images are squares of one
// size, into a layer's folder.
func WritePatches(dir string, size int, patches [][][]Patch) error {
	units := 0
	for _, network := range patches {
		units += len(network)
	}
	sheet := image.NewRGBA(image.Rect(0, 0, PatchCount*size, units*size))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	row := 0
	for _, network := range patches {
		for unit, ranks := range network {
			if ranks == nil {
				network[unit] = []Patch{} // an empty list in JSON, not null
			}
			for rank, p := range ranks {
				cell := image.Rect(rank*size, row*size, (rank+1)*size, (row+1)*size)
				draw.Draw(sheet, cell, p.Image, p.Image.Bounds().Min, draw.Src)
			}
			row++
		}
	}
	if err := writePNG(filepath.Join(dir, sheetFile), sheet); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(dir, patchesFile), patches)
}

// OpenPatches reads what WritePatches wrote; nil if it wrote nothing there.
func OpenPatches(dir string) ([][][]Patch, error) {
	var patches [][][]Patch
	err := readJSON(filepath.Join(dir, patchesFile), &patches)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sheet, err := readPNG(filepath.Join(dir, sheetFile))
	if err != nil {
		return nil, err
	}
	size := sheet.Bounds().Dx() / PatchCount
	row := 0
	for _, network := range patches {
		for _, ranks := range network {
			for i := range ranks {
				cell := image.NewRGBA(image.Rect(0, 0, size, size))
				draw.Draw(cell, cell.Bounds(), sheet, image.Pt(i*size, row*size), draw.Src)
				ranks[i].Image = cell
			}
			row++
		}
	}
	return patches, nil
}

func writePNG(path string, m image.Image) error {
	return artifact.Write(path, func(w io.Writer) error { return png.Encode(w, m) })
}

func readPNG(path string) (image.Image, error) {
	file, err := artifact.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
