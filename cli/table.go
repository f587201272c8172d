package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// printJSON prints a value for programs.
func (t *terminal) printJSON(v any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// A cell is a text and the colour it is shown in: colours do not count for the
// width of a column.
type cell struct {
	text  string
	color int
}

// A table aligns columns for people. Programs have --json.
type table struct {
	header []string
	right  map[int]bool // columns of numbers
	rows   [][]cell
}

func (t *terminal) printTable(tab table) error {
	widths := make([]int, len(tab.header))
	for i, h := range tab.header {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, row := range tab.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	header := make([]cell, len(tab.header))
	for i, h := range tab.header {
		header[i] = cell{h, grey}
	}
	for _, row := range append([][]cell{header}, tab.rows...) {
		if _, err := fmt.Fprintln(t.out, t.line(tab, widths, row)); err != nil {
			return err
		}
	}
	return nil
}

func (t *terminal) line(tab table, widths []int, row []cell) string {
	var b strings.Builder
	for i, c := range row {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text))
		text := t.paint(c.color, c.text)
		switch {
		case tab.right[i]:
			b.WriteString(pad + text)
		case i == len(row)-1:
			b.WriteString(text)
		default:
			b.WriteString(text + pad)
		}
		if i < len(row)-1 {
			b.WriteString("  ")
		}
	}
	return strings.TrimRight(b.String(), " ")
}
