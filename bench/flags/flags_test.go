package flags

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestOrder(t *testing.T) {
	var c struct {
		Compare struct {
			Files   []string  `arg:""`
			Out     string    `short:"o"`
			Names   []string  `placeholder:"NAME"`
			Lambdas []float64 `placeholder:"NUMBER"`
			Pool    bool
		} `cmd:""`
		List struct{} `cmd:""`
	}
	parser := kong.Must(&c, kong.Name("test"))
	for args, want := range map[string]string{
		"":                                  "",
		"list":                              "list",
		"compare A B -out x":                "compare A B --out=x",
		"compare A -out x B":                "compare A B --out=x",
		"compare -o x A B":                  "compare A B --out=x",
		"compare -o=x A B":                  "compare A B --out=x",
		"compare --out=x A -pool B":         "compare A B --out=x --pool",
		"compare -out=a=b A --pool=false B": "compare A B --out=a=b --pool=false",
		"compare A -lambdas -1 B":           "compare A B --lambdas=-1",
		"compare A -lambdas -.5,1 - -h":     "compare A - --lambdas=-.5,1 -h",
		"compare A -names list -pool":       "compare A --names=list --pool",
		"compare A B list":                  "compare A B list",
		"compare A -o -- -B --out":          "compare -o -- A -B --out",
		"compare A -out -pool":              "compare A --out --pool",
		"compare A B -out":                  "compare A B --out",
		"compare A -bogus B":                "compare A B --bogus",
		"-h compare":                        "compare -h",
		"dance compare A":                   "dance compare A",
	} {
		if got := order(parser.Model.Node, strings.Fields(args)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
	if _, err := Parse(parser, []string{"compare", "A", "-names", "x,y", "B", "-o=", "-lambdas", "1", "-pool", "--", "-C"}); err != nil {
		t.Fatal(err)
	}
	if got := c.Compare; !slices.Equal(got.Files, []string{"A", "B", "-C"}) || !slices.Equal(got.Names, []string{"x", "y"}) || got.Out != "" || !got.Pool || got.Lambdas[0] != 1 {
		t.Errorf("parsed %+v", got)
	}
	for _, args := range [][]string{{"compare", "A", "B", "-out"}, {"compare", "A", "-out", "-pool"}, {"compare", "A", "-out", "--", "B"}} {
		if _, err := Parse(parser, args); err == nil || !strings.Contains(err.Error(), "--out") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
