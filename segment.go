package muster

import (
	"fmt"
	"strconv"
	"strings"
)

// Name is the segment's file name.
func (s Segment) Name() string {
	name := fmt.Sprintf("%010d-%012d.log", s.Seq, s.FirstLine)
	if s.Compressed {
		name += ".zst"
	}
	return name
}

// ParseSegmentName reads a segment's file name; ok is false for other files.
func ParseSegmentName(name string) (s Segment, ok bool) {
	base, compressed := strings.CutSuffix(name, ".zst")
	base, isLog := strings.CutSuffix(base, ".log")
	seq, first, found := strings.Cut(base, "-")
	if !isLog || !found || strings.Trim(seq+first, "0123456789") != "" {
		return Segment{}, false
	}
	s.Compressed = compressed
	var err1, err2 error
	s.Seq, err1 = strconv.ParseInt(seq, 10, 64)
	s.FirstLine, err2 = strconv.ParseInt(first, 10, 64)
	return s, err1 == nil && err2 == nil
}
