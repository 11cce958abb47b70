package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// TestParseShard: numbers of shards, and tasks of arrays as Slurm and Kubernetes tell them.
func TestParseShard(t *testing.T) {
	array := func(id, count, least, most, step string) map[string]string {
		return map[string]string{"SLURM_ARRAY_TASK_ID": id, "SLURM_ARRAY_TASK_COUNT": count, "SLURM_ARRAY_TASK_MIN": least, "SLURM_ARRAY_TASK_MAX": most, "SLURM_ARRAY_TASK_STEP": step}
	}
	job := func(index string) map[string]string { return map[string]string{"JOB_COMPLETION_INDEX": index} }
	for _, c := range []struct {
		text string
		env  map[string]string
		want string // number of of, or of an error
	}{
		{"", nil, "0 of 0"},
		{"1/1", nil, "1 of 1"},
		{"8/8", nil, "8 of 8"},
		{"0/8", nil, "there is no shard 0 of 8: they are numbered from 1 to 8"},
		{"9/8", nil, "there is no shard 9 of 8"},
		{"-1/8", nil, "there is no shard -1 of 8"},
		{"1/0", nil, `"0" is not a number of shards`},
		{"1/-3", nil, `"-3" is not a number of shards`},
		{"1/1000000000000", nil, "is not a number of shards"},
		{"1/99999999999999999999", nil, "is not a number of shards"},
		{"1/x", nil, `"x" is not a number of shards`},
		{"x/8", nil, `"x" is not the number of a shard`},
		{"1/2/3", nil, `"2/3" is not a number of shards`},
		{"3", nil, "want I/N"},
		{"auto", nil, "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"},
		{"auto/8", nil, "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"},

		// As Slurm 22.05 sets them for --array=0-3, 1-4, 1-7:2, 1,3,7, 3 and 4-7.
		{"auto", array("0", "4", "0", "3", "1"), "1 of 4"},
		{"auto", array("3", "4", "0", "3", "1"), "4 of 4"},
		{"auto", array("4", "4", "1", "4", "1"), "4 of 4"},
		{"auto", array("5", "4", "1", "7", "2"), "3 of 4"},
		{"auto", array("5", "4", "1", "7", ""), "the array has 4 tasks from 1 to 7"},
		{"auto", array("3", "3", "1", "7", "1"), "the array has 3 tasks from 1 to 7, which are not all that count from 0 or 1 in steps of 1"},
		{"auto", array("3", "1", "3", "3", "1"), "perhaps a part of another; give I/N, or auto/N"},
		{"auto", array("5", "4", "4", "7", "1"), "perhaps a part of another"},
		{"auto/8", array("3", "1", "3", "3", "1"), "4 of 8"},
		{"auto/8", array("8", "8", "1", "8", "1"), "there is no shard 9 of 8"},
		{"auto", map[string]string{"SLURM_ARRAY_TASK_ID": "1"}, `SLURM_ARRAY_TASK_COUNT is "", which is no number`},
		{"auto", array("one", "4", "0", "3", "1"), `SLURM_ARRAY_TASK_ID is "one", which is no number`},

		{"auto/8", job("0"), "1 of 8"},
		{"auto/8", job("7"), "8 of 8"},
		{"auto/8", job("8"), "there is no shard 9 of 8"},
		{"auto/8", job("x"), `JOB_COMPLETION_INDEX is "x", which is no number`},
		{"auto", job("3"), "a Kubernetes Job does not tell its tasks how many there are; give auto/N"},
		{"auto/8", map[string]string{"SLURM_ARRAY_TASK_ID": "1", "JOB_COMPLETION_INDEX": "1"}, "are both set"},
	} {
		s, err := parseShard(c.text, func(name string) string { return c.env[name] })
		got := fmt.Sprintf("%d of %d", s.Number, s.Of)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s with %v: %s, want %s", c.text, c.env, got, c.want)
		}
	}
}

// TestShard goes the whole way by the command line.
func TestShard(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, name := range []string{"a", "b"} {
		if err := arrays.WriteNPY(name+".npy", numbers{60, 4, i}); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_ARRAY_TASK_ID", "1")
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"moments a.npy b.npy -shard 1/3 -o shards/1.moments", "shards/1.moments\n", 0},
		{"moments a.npy b.npy -shard auto/3 -o shards/2.moments", "shards/2.moments\n", 0},
		{"merge shards -o all.moments", "missing: shard 3 of 3", 1},
		{"merge shards -partial -o 1-2.moments", "1-2.moments: 2 networks, 40 observations, shards 1 to 2 of 3\n", 0},
		{"moments a.npy b.npy -shard auto -o shards/3.moments", "-shard auto: SLURM_ARRAY_TASK_COUNT is", 1},
		{"moments a.npy b.npy -shard=3/3 -o shards/3.moments", "shards/3.moments\n", 0},
		{"merge 1-2.moments shards/3.moments -o all.moments", "all.moments: 2 networks, 60 observations\n", 0},
		{"compare 1-2.moments -o out -draws 2", "warning: 1-2.moments: shards 1 to 2 of 3 alone", 0},
	} {
		stdout, stderr, code := run(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%s: exit code %d, %s%s, want %q", c.args, code, stdout, stderr, c.want)
		}
	}
}
