package logs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/klauspost/compress/zstd"
)

// Compressed segments are in zstd's seekable format: independent frames and,
// in a frame that decoders skip, the table of their sizes. `zstd -d` reads
// them, and a reader that wants the last hundred lines, or wants them
// backwards, decodes only the frames they are in.
const (
	// frameBytes is the uncompressed size of a frame: what is decoded to read
	// one line. Larger ones compress hardly better.
	frameBytes = 256 << 10

	skippableMagic = 0x184D2A5E
	seekableMagic  = 0x8F92EAB1
	tableHead      = 8 // magic and size of the skippable frame
	tableEntry     = 8 // compressed and uncompressed size of a frame
	tableFoot      = 9 // number of frames, flags, magic
)

// errCorrupt is a compressed segment that does not decode. Readers pass over
// it as over one that was removed.
var errCorrupt = errors.New("not a compressed log segment")

func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*frameBytes))
}

// pack writes what src holds to dst in the seekable format.
func pack(dst io.Writer, src io.Reader, encoder *zstd.Encoder) error {
	var table, out []byte
	in := make([]byte, frameBytes)
	for {
		n, err := io.ReadFull(src, in)
		if n > 0 {
			out = encoder.EncodeAll(in[:n], out[:0])
			if _, err := dst.Write(out); err != nil {
				return err
			}
			table = binary.LittleEndian.AppendUint32(table, uint32(len(out)))
			table = binary.LittleEndian.AppendUint32(table, uint32(n))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	_, err := dst.Write(appendTable(nil, table))
	return err
}

func appendTable(dst, table []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, skippableMagic)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(table)+tableFoot))
	dst = append(dst, table...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(table)/tableEntry))
	dst = append(dst, 0) // no checksums here: each frame has its own
	return binary.LittleEndian.AppendUint32(dst, seekableMagic)
}

// A packed is a compressed segment, open. It holds one decoded frame.
type packed struct {
	file    *os.File
	decoder *zstd.Decoder
	frames  []frame
	size    int64 // uncompressed

	current int // index of the frame in decoded, or -1
	decoded []byte
	scratch []byte
}

// A frame is where a piece of the segment stands, compressed and not.
type frame struct {
	at, from     int64
	packed, size int
}

func openPacked(path string, decoder *zstd.Decoder) (*packed, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	p := &packed{file: file, decoder: decoder, current: -1}
	if err := p.readTable(); err != nil {
		file.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

func (p *packed) readTable() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	var foot [tableFoot]byte
	if _, err := p.file.ReadAt(foot[:], info.Size()-tableFoot); err != nil {
		return errCorrupt
	}
	count := int64(binary.LittleEndian.Uint32(foot[:]))
	tableAt := info.Size() - tableFoot - count*tableEntry
	if binary.LittleEndian.Uint32(foot[5:]) != seekableMagic || foot[4] != 0 || tableAt < tableHead {
		return errCorrupt
	}
	table := make([]byte, count*tableEntry)
	if _, err := p.file.ReadAt(table, tableAt); err != nil {
		return errCorrupt
	}
	return p.addFrames(table, tableAt-tableHead)
}

// addFrames reads the table; limit is where the frames end.
func (p *packed) addFrames(table []byte, limit int64) error {
	var at int64
	for ; len(table) > 0; table = table[tableEntry:] {
		f := frame{at: at, from: p.size}
		f.packed = int(binary.LittleEndian.Uint32(table))
		f.size = int(binary.LittleEndian.Uint32(table[4:]))
		if f.size == 0 || f.size > frameBytes || f.packed > 2*frameBytes {
			return errCorrupt
		}
		at += int64(f.packed)
		p.size += int64(f.size)
		p.frames = append(p.frames, f)
	}
	if at != limit {
		return errCorrupt
	}
	return nil
}

// ReadAt implements io.ReaderAt, except that calls must come one at a time.
func (p *packed) ReadAt(b []byte, off int64) (int, error) {
	done := 0
	for done < len(b) {
		i := sort.Search(len(p.frames), func(i int) bool { return p.frames[i].from > off }) - 1
		if i < 0 || off >= p.size {
			return done, io.EOF
		}
		if err := p.decode(i); err != nil {
			return done, err
		}
		n := copy(b[done:], p.decoded[off-p.frames[i].from:])
		done += n
		off += int64(n)
	}
	return done, nil
}

func (p *packed) decode(i int) error {
	if p.current == i {
		return nil
	}
	p.current = -1
	f := p.frames[i]
	if cap(p.scratch) < f.packed {
		p.scratch = make([]byte, f.packed)
	}
	if _, err := p.file.ReadAt(p.scratch[:f.packed], f.at); err != nil {
		return fmt.Errorf("read %s: %w", p.file.Name(), err)
	}
	var err error
	p.decoded, err = p.decoder.DecodeAll(p.scratch[:f.packed], p.decoded[:0])
	if err != nil || len(p.decoded) != f.size {
		return fmt.Errorf("read %s: %w", p.file.Name(), errCorrupt)
	}
	p.current = i
	return nil
}

// Size implements content.
func (p *packed) Size() (int64, error) { return p.size, nil }

// Close implements content.
func (p *packed) Close() error { return p.file.Close() }

func (p *packed) replacedAt(path string) bool { return plain{p.file}.replacedAt(path) }
