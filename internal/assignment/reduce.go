package assignment

import (
	"math"

	"github.com/convergent-go/convergent/asm"
)

// initialise checks the values and, if there are as many rows as columns, makes the
// prices that most columns' largest values are: not if there are more columns,
// where unassigned ones must have the price 0.
func (s *solver) initialise() error {
	square := s.Rows == s.Cols
	argmax := s.pred
	if square {
		for j := range s.price {
			s.price[j] = math.Inf(-1)
		}
	}
	for i := range s.Rows {
		if err := s.Check(i); err != nil {
			return err
		}
		if square {
			asm.Active().ColumnMax(s.price, argmax, s.Row(i), int32(i))
		}
	}
	if square {
		s.reduceColumns(argmax)
	}
	return nil
}

// reduceColumns assigns each column, at the price of its largest value, to the
// first row that has it, if that is unassigned. Then, unless nearly all rows are
// assigned, it moves reduction from columns to rows with no other choice: such a row's
// column may become dearer until a second one is as good, which leaves it less
// attractive to others, at a scan of the row.
func (s *solver) reduceColumns(argmax []int32) {
	choices, unassigned := make([]int32, s.Rows), s.Rows
	for j, i := range argmax {
		if math.IsInf(s.price[j], -1) {
			s.price[j] = 0 // forbidden to all; augment will say so
			continue
		}
		if choices[i]++; choices[i] == 1 {
			s.assign(i, int32(j))
			unassigned--
		}
	}
	if unassigned < s.Rows/8 {
		return
	}
	for i, n := range choices {
		if n != 1 {
			continue
		}
		if b := s.topTwo(int32(i)); b.Column1 == int(s.col[i]) && b.Column2 >= 0 {
			s.price[b.Column1] -= b.Gain2
		}
	}
}

// reduceRows gives each unassigned row its best column, dearer until the second best is
// as good, as in an auction; the row that owned it is unassigned. It returns the rows
// that are still unassigned when none of them can raise a price, or after a number of
// bids.
func (s *solver) reduceRows(bidders []int32) (unassigned []int32) {
	unassigned = bidders[:0] // never overtakes what is read
	bids := 4 * s.Cols
	for k := 0; k < len(bidders); bids-- {
		i := bidders[k]
		k++
		b := s.topTwo(i)
		if b.Column1 < 0 {
			unassigned = append(unassigned, i) // all forbidden; augment will say so
			continue
		}
		// A row with one column only would raise it without end. A rise of less
		// than half an ulp changes nothing: then the second is as good.
		j, price := b.Column1, s.price[b.Column1]
		if b.Column2 >= 0 {
			price += b.Gain1 - b.Gain2
		}
		higher := price > s.price[j]
		s.price[j] = price
		if !higher && b.Column2 >= 0 && s.row[j] >= 0 {
			j = b.Column2
		}
		if owner := s.row[j]; owner >= 0 {
			s.col[owner] = -1
			if higher && bids > 0 {
				k--
				bidders[k] = owner // bids at once
			} else {
				unassigned = append(unassigned, owner)
			}
		}
		s.assign(i, int32(j))
	}
	return unassigned
}
