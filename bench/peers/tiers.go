package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/convergent-go/convergent/asm"
)

// runTiers makes one table of what this program says under each tier, which a program has
// from its start on.
func (o *options) runTiers() error {
	supported := make(map[string]bool)
	for _, t := range asm.Supported() {
		supported[t.String()] = true
	}
	for _, t := range o.Tiers {
		if !supported[t] {
			return fmt.Errorf("no tier %q on this machine, which has %v", t, asm.Supported())
		}
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rows := []row{}
	var failed []error
	for i, t := range o.Tiers {
		table := filepath.Join(dir, t)
		if err := o.runTier(t, table, i == 0); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", t, err))
		}
		var more []row
		data, err := os.ReadFile(table)
		if err == nil {
			err = json.Unmarshal(data, &more)
		}
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		rows = append(rows, more...)
	}
	return errors.Join(append(failed, o.finish(rows))...)
}

// runTier runs this program under a tier, and copies its table, with the header or without.
func (o *options) runTier(tier, table string, withHeader bool) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"-python", o.Python, "-pairs", strconv.Itoa(o.Pairs), "-json", table}
	if o.Work != "" {
		args = append(args, "-work", o.Work)
	}
	if o.Only != nil {
		args = append(args, "-only", o.Only.String())
	}
	for _, t := range o.Threads {
		args = append(args, "-threads", strconv.Itoa(t))
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr, cmd.Env = os.Stderr, append(os.Environ(), "CONVERGENT_CPU="+tier)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	inTable := true // what follows is the sum of one tier
	for lines := bufio.NewScanner(out); lines.Scan(); {
		inTable = inTable && lines.Text() != ""
		if inTable && (withHeader || lines.Text() != header) {
			fmt.Println(lines.Text())
		}
	}
	return cmd.Wait()
}
