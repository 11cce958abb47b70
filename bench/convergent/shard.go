package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// mostShards is how many parts samples are dealt out to at most.
const mostShards = 1 << 20

// parseShard reads I/N, or auto or auto/N, which the environment of a task says the rest of;
// nothing is all samples.
func parseShard(text string, env func(string) string) (s source.Shard, err error) {
	if text == "" {
		return s, nil
	}
	number, of, cut := strings.Cut(text, "/")
	if cut {
		if s.Of, err = strconv.Atoi(of); err != nil || s.Of < 1 || s.Of > mostShards {
			return s, fmt.Errorf("%q is not a number of shards, from 1 to %d", of, mostShards)
		}
	}
	switch {
	case number == "auto":
		if s, err = taskShard(s.Of, env); err != nil {
			return s, err
		}
	case !cut:
		return s, errors.New("want I/N, shard I of N, or auto or auto/N in a task of a Slurm array or a Kubernetes Job")
	default:
		if s.Number, err = strconv.Atoi(number); err != nil {
			return s, fmt.Errorf("%q is not the number of a shard", number)
		}
	}
	if s.Number < 1 || s.Number > s.Of {
		return s, fmt.Errorf("there is no shard %d of %d: they are numbered from 1 to %d", s.Number, s.Of, s.Of)
	}
	return s, nil
}

// taskShard is the shard of a task of a Slurm array or a Kubernetes Indexed Job, one of so many,
// or 0: as many as the array has tasks. Of given numbers tasks count from 0.
func taskShard(of int, env func(string) string) (s source.Shard, err error) {
	number := func(name string) (n int) {
		text := env(name)
		n, failed := strconv.Atoi(text)
		if failed != nil && err == nil {
			err = fmt.Errorf("%s is %q, which is no number", name, text)
		}
		return n
	}
	const slurm, kubernetes = "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"
	task := slurm
	switch array, job := env(slurm) != "", env(kubernetes) != ""; {
	case array && job:
		return s, fmt.Errorf("%s and %s are both set; give I/N", slurm, kubernetes)
	case job:
		task = kubernetes
	case !array:
		return s, fmt.Errorf("neither %s nor %s is set: this is no task of an array; give I/N", slurm, kubernetes)
	}
	if of > 0 {
		return source.Shard{Number: number(task) + 1, Of: of}, err
	}
	if task == kubernetes {
		return s, errors.New("a Kubernetes Job does not tell its tasks how many there are; give auto/N, N being its completions")
	}
	step := 1
	if env("SLURM_ARRAY_TASK_STEP") != "" {
		step = max(1, number("SLURM_ARRAY_TASK_STEP"))
	}
	id, count, first, last := number(slurm), number("SLURM_ARRAY_TASK_COUNT"), number("SLURM_ARRAY_TASK_MIN"), number("SLURM_ARRAY_TASK_MAX")
	if err == nil && (first > 1 || count < 1 || (last-first)/step+1 != count || (id-first)%step != 0) {
		err = fmt.Errorf("the array has %d tasks from %d to %d, which are not all that count from 0 or 1 in steps of %d: perhaps a part of another; give I/N, or auto/N for tasks that count from 0", count, first, last, step)
	}
	return source.Shard{Number: (id-first)/step + 1, Of: count}, err
}
