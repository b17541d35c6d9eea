package files

import (
	"encoding/binary"
	"io"
)

// mp4Seconds reads how long a film is from the header of an MP4 file (ISO/IEC
// 14496-12: the box mvhd within moov), rounded up. It answers 0 for any other
// file. A whole library for these two boxes would be a hundred times their size.
func mp4Seconds(r io.ReadSeeker) int {
	moov, ok := findBox(r, "moov", maxBoxes)
	if !ok {
		return 0
	}
	mvhd, ok := findBox(io.NewSectionReader(readerAt{r}, moov.at, moov.size), "mvhd", maxBoxes)
	if !ok {
		return 0
	}
	header := make([]byte, 32)
	if _, err := (readerAt{r}).ReadAt(header, moov.at+mvhd.at); err != nil {
		return 0
	}
	scale, length := uint64(binary.BigEndian.Uint32(header[12:])), uint64(binary.BigEndian.Uint32(header[16:]))
	if header[0] == 1 { // the version with long times
		scale, length = uint64(binary.BigEndian.Uint32(header[20:])), binary.BigEndian.Uint64(header[24:])
	}
	if scale == 0 || length == 1<<32-1 || length > 1<<62 {
		return 0
	}
	return int((length + scale - 1) / scale) //nolint:gosec // the caller bounds it
}

// box is where the contents of a box lie.
type box struct{ at, size int64 }

// maxBoxes bounds how many boxes are looked at, whatever a file claims.
const maxBoxes = 1000

// findBox looks through boxes that stand one behind the other.
func findBox(r io.ReadSeeker, name string, most int) (box, bool) {
	end, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return box{}, false
	}
	header := make([]byte, 16)
	for at := int64(0); most > 0 && at+8 <= end; most-- {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return box{}, false
		}
		if _, err := io.ReadFull(r, header[:8]); err != nil {
			return box{}, false
		}
		size, body := int64(binary.BigEndian.Uint32(header)), at+8
		switch size {
		case 0: // to the end
			size = end - at
		case 1: // too large for 32 bits
			if _, err := io.ReadFull(r, header[8:]); err != nil {
				return box{}, false
			}
			size, body = int64(binary.BigEndian.Uint64(header[8:])), at+16 //nolint:gosec // checked below
		}
		if size < body-at || size > end-at {
			return box{}, false
		}
		if string(header[4:8]) == name {
			return box{at: body, size: size - (body - at)}, true
		}
		at += size
	}
	return box{}, false
}

// readerAt reads at a place by seeking to it; one reader at a time.
type readerAt struct{ io.ReadSeeker }

// ReadAt is io.ReaderAt's.
func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(r.ReadSeeker, p)
}
