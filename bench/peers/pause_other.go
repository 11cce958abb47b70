//go:build !unix

package main

import (
	"os"
	"time"
)

// pause waits for a process's idle threads to sleep, where it cannot be stopped.
func pause(*os.Process)  { time.Sleep(time.Second / 5) }
func resume(*os.Process) {}
