package assignment

import (
	"math"

	"github.com/convergent-go/convergent/internal/vec"
)

// start checks the values and, if there are as many rows as columns, makes the
// prices that most columns' largest values are: not if there are more columns,
// where unassigned ones must keep the price 0.
func (s *solver) start() error {
	square := s.Rows == s.Cols
	who := s.from
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
			vec.ColumnMax(s.price, who, s.Row(i), i)
		}
	}
	if square {
		s.reduceColumns(who)
	}
	return nil
}

// reduceColumns assigns each column, at the price of its largest value, to the
// first row that has it, if that is free. Then, unless few rows are left free, it
// moves reduction from columns to rows with no other choice: such a row's column
// may become dearer until a second one is as good, which leaves it less attractive
// to others, at a scan of the row.
func (s *solver) reduceColumns(who []int32) {
	choices, free := make([]int32, s.Rows), s.Rows
	for j, i := range who {
		if math.IsInf(s.price[j], -1) {
			s.price[j] = 0 // forbidden to all; augment will say so
			continue
		}
		if choices[i]++; choices[i] == 1 {
			s.assign(i, int32(j))
			free--
		}
	}
	if free < s.Rows/8 {
		return
	}
	for i, n := range choices {
		if n != 1 {
			continue
		}
		if b := s.best(int32(i)); b.J == int(s.col[i]) && b.J2 >= 0 {
			s.price[b.J] -= b.Second
		}
	}
}

// reduceRows gives each free row its best column, dearer until the second best is
// as good, as in an auction; who held it is free. It returns the rows that are
// still free when none of them can raise a price, or after a number of bids.
func (s *solver) reduceRows(free []int32) []int32 {
	left := free[:0] // never overtakes what is read
	bids := 4 * s.Cols
	for k := 0; k < len(free); bids-- {
		i := free[k]
		k++
		b := s.best(i)
		if b.J < 0 {
			left = append(left, i) // all forbidden; augment will say so
			continue
		}
		// A row with one column only would raise it without end. A rise of less
		// than half an ulp changes nothing: then the second is as good.
		j, price := b.J, s.price[b.J]
		if b.J2 >= 0 {
			price += b.First - b.Second
		}
		higher := price > s.price[j]
		s.price[j] = price
		if !higher && b.J2 >= 0 && s.row[j] >= 0 {
			j = b.J2
		}
		if held := s.row[j]; held >= 0 {
			s.col[held] = -1
			if higher && bids > 0 {
				k--
				free[k] = held // bids at once
			} else {
				left = append(left, held)
			}
		}
		s.assign(i, int32(j))
	}
	return left
}
