package logs

import (
	"context"
	"io"
	"sort"
)

// A queue gives out the first of its items, of equals the one that went in
// first. It holds one item a slot, so a sorted slice does.
type queue[T any] struct {
	before func(a, b T) bool
	items  []T // the first is last
}

func (q *queue[T]) len() int { return len(q.items) }

func (q *queue[T]) push(item T) {
	i := sort.Search(len(q.items), func(i int) bool { return !q.before(item, q.items[i]) })
	q.items = append(q.items, item)
	copy(q.items[i+1:], q.items[i:])
	q.items[i] = item
}

func (q *queue[T]) pop() T {
	last := len(q.items) - 1
	item := q.items[last]
	q.items = q.items[:last]
	return item
}

// merge emits what the readers have, by time.
func merge(ctx context.Context, readers []*reader, emit func(Entry) error) error {
	type head struct {
		entry Entry
		*reader
	}
	oldest := queue[head]{before: func(a, b head) bool { return a.entry.At.Before(b.entry.At) }}
	push := func(r *reader) error {
		entry, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			oldest.push(head{entry, r})
		}
		return err
	}
	for _, r := range readers {
		if err := push(r); err != nil {
			return err
		}
	}
	for oldest.len() > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := oldest.pop()
		if err := emit(h.entry); err != nil {
			return err
		}
		if err := push(h.reader); err != nil {
			return err
		}
	}
	return nil
}
