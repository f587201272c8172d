package cli

import (
	"bufio"
	"encoding/json"
	"io"
)

// A lineBuffer collects output while there is much of it, and passes it on at
// once when somebody follows.
type lineBuffer struct {
	buffer *bufio.Writer
	eager  bool
}

func newLineBuffer(out io.Writer, eager bool) *lineBuffer {
	return &lineBuffer{bufio.NewWriterSize(out, 64<<10), eager}
}

func (b *lineBuffer) write(data []byte) error {
	_, err := b.buffer.Write(data)
	if err == nil && b.eager {
		err = b.buffer.Flush()
	}
	return err
}

func (b *lineBuffer) flush() { _ = b.buffer.Flush() }

// printJSONLine prints one value on one line: a stream of values for programs.
func (t *terminal) printJSONLine(v any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
