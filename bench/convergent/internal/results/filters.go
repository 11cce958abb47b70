package results

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"os"
	"path/filepath"
)

// filterFile is a picture of a network's filters, a row of pixels for each row of each.
func filterFile(network int) string { return fmt.Sprintf("filters-%d.png", network+1) }

// WriteFilters writes the filters of the first layer, squares by network and unit, into its
// folder.
func WriteFilters(dir string, filters [][]image.Image) error {
	for n, units := range filters {
		size := units[0].Bounds().Dx()
		sheet := image.NewNRGBA(image.Rect(0, 0, size, len(units)*size))
		for u, filter := range units {
			draw.Draw(sheet, image.Rect(0, u*size, size, (u+1)*size), filter, filter.Bounds().Min, draw.Src)
		}
		if err := writePNG(filepath.Join(dir, filterFile(n)), sheet); err != nil {
			return err
		}
	}
	return nil
}

// openFilters reads what WriteFilters wrote of so many networks; nil if it wrote nothing there.
func openFilters(dir string, networks int) ([][]image.Image, error) {
	var filters [][]image.Image
	for n := range networks {
		sheet, err := readPNG(filepath.Join(dir, filterFile(n)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		size := sheet.Bounds().Dx()
		var units []image.Image
		for y := 0; y+size <= sheet.Bounds().Dy(); y += size {
			filter := image.NewNRGBA(image.Rect(0, 0, size, size))
			draw.Draw(filter, filter.Rect, sheet, image.Pt(0, y), draw.Src)
			units = append(units, filter)
		}
		filters = append(filters, units)
	}
	return filters, nil
}
