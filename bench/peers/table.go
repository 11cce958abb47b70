package main

import "fmt"

// row is a line of the table. Times are medians, of one run.
type row struct {
	Work      string  `json:"work"`
	Tier      string  `json:"tier"`           // the instruction set of ours
	Peer      string  `json:"peer,omitempty"` // none: ours was timed alone
	Threads   int     `json:"threads"`
	Own       float64 `json:"ours_s"`
	Theirs    float64 `json:"peer_s,omitempty"`
	Ratio     float64 `json:"ratio,omitempty"`      // the peer's time over ours, median of the pairs
	PeakShare float64 `json:"peak_share,omitempty"` // of the multiply-add peak, ours

	variant   string
	low, high float64 // quartiles of the ratio
}

const header = "work                                               threads  tier         ours ms  of peak  peer                       peer ms  ratio"

// String formats a row under the header.
func (r row) String() string {
	share := ""
	if r.PeakShare > 0 {
		share = fmt.Sprintf("%.0f%%", r.PeakShare*100)
	}
	s := fmt.Sprintf("%-50s %7d  %-8s %10.3f %8s", r.Work, r.Threads, r.Tier, r.Own*1e3, share)
	if r.Peer == "" {
		return s
	}
	return fmt.Sprintf("%s  %-23s %10.3f  %.2f (%.2f to %.2f)", s, r.Peer+" "+r.variant, r.Theirs*1e3, r.Ratio, r.low, r.high)
}
