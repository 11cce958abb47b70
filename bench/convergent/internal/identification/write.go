package identification

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/convergent-go/convergent/internal/artifact"
)

// Files are what Write leaves in a folder.
var Files = []string{identifiedFile, similarityFile, resultFile}

const (
	identifiedFile = "identified.csv"
	similarityFile = "similarity.csv"
	resultFile     = "identification.json"
)

// Write leaves a result in a folder: identification.json, and as tables identified.csv, a
// row for each measure, and similarity.csv, one for each two layers besides.
func Write(dir string, r *Result) error {
	identified := [][]string{{"layers", "measure", "networks", "decisions", "identified", "low", "high", "ties_at_random"}}
	similarity := [][]string{{"layers", "measure", "layer", "other_layer", "similarity", "chosen"}}
	for _, t := range r.Tables {
		layers := strconv.Itoa(len(t.Layers))
		for _, m := range t.Measures {
			identified = append(identified, []string{layers, m.Name, strconv.Itoa(m.Networks), strconv.Itoa(m.Decisions), cell(&m.Identified), cell(m.Low), cell(m.High), cell(&m.TiesAtRandom)})
			for i := range t.Layers {
				for j := range t.Layers {
					similarity = append(similarity, []string{layers, m.Name, t.Layers[i], t.Layers[j], cell(&m.Similarity[i][j]), cell(&m.Chosen[i][j])})
				}
			}
		}
	}
	for name, rows := range map[string][][]string{identifiedFile: identified, similarityFile: similarity} {
		if err := artifact.WriteCSV(filepath.Join(dir, name), rows); err != nil {
			return err
		}
	}
	return artifact.WriteJSON(filepath.Join(dir, resultFile), r)
}

func cell(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', 6, 64)
}

// Text is the tables for people, in percent.
func (r *Result) Text() string {
	var b strings.Builder
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\nlayers identified, of %s\n\n%-40s %8s %10s %16s %14s\n", strings.Join(t.Layers, ", "), "measure", "networks", "identified", "95 % interval", "ties at random")
		for _, m := range t.Measures {
			interval := ""
			if m.Low != nil {
				interval = fmt.Sprintf("%.1f to %.1f", 100**m.Low, 100**m.High)
			}
			fmt.Fprintf(&b, "%-40s %8d %8.1f %% %16s %12.1f %%\n", m.Name, m.Networks, 100*m.Identified, interval, 100*m.TiesAtRandom)
		}
	}
	return b.String()
}
