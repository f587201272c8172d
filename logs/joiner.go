package logs

import (
	"time"

	"muster"
)

// maxLine bounds the memory one line may take. Longer ones are given out in
// pieces.
const maxLine = 8 << 20

// keepBytes is the largest buffer a joiner keeps between lines.
const keepBytes = 64 << 10

// A joiner puts a slot's lines together from their pieces.
type joiner struct {
	stdout, stderr unfinished
}

// unfinished is what there is of a stream's current line.
type unfinished struct {
	text      []byte
	open      bool // there are pieces in text
	at        time.Time
	place     position // of the last piece
	continued bool     // what came before text was given out already
}

func (j *joiner) of(stream muster.Stream) *unfinished {
	if stream == muster.Stderr {
		return &j.stderr
	}
	return &j.stdout
}

// add takes a record. done is set when it completes a line, or when so much
// of one is held that it has to go.
func (j *joiner) add(l muster.Line, place position) (e Entry, done bool) {
	u := j.of(l.Stream)
	e = Entry{At: l.At, Stream: l.Stream, Text: l.Text, Partial: l.Partial}
	if u.open || l.Partial {
		u.text = append(u.text, l.Text...)
		u.open, u.at, u.place = true, l.At, place
		if l.Partial && len(u.text) < maxLine {
			return Entry{}, false
		}
		e.Text = u.text
	}
	e.Continued = u.giveOut(l.Partial)
	return e, true
}

// giveOut empties u, whose line goes on or not, and reports whether it had
// begun before. The text stays valid until the next piece.
func (u *unfinished) giveOut(goesOn bool) (continued bool) {
	continued, u.continued = u.continued, goesOn
	u.open, u.text = false, u.text[:0]
	if cap(u.text) > keepBytes {
		u.text = nil
	}
	return continued
}

// flush gives out the older of the unfinished lines whose last piece is not
// before from, and where that piece is.
func (j *joiner) flush(from position) (e Entry, place position, ok bool) {
	u, stream := &j.stdout, muster.Stdout
	ready := func(u *unfinished) bool { return u.open && !u.place.before(from) }
	if !ready(u) || ready(&j.stderr) && j.stderr.place.before(u.place) {
		u, stream = &j.stderr, muster.Stderr
	}
	if !ready(u) {
		return Entry{}, position{}, false
	}
	e = Entry{At: u.at, Stream: stream, Text: u.text, Partial: true}
	e.Continued = u.giveOut(true)
	return e, u.place, true
}
