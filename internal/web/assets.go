package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"tripwire/internal/web/static"
)

// assets serves the static files under addresses that carry a hash of the
// content, so that a browser may keep them for ever and an update is seen at
// once.
type assets struct {
	byPath map[string]asset  // by hashed path
	hashed map[string]string // name → hashed path
}

type asset struct {
	content     []byte
	contentType string
	// zipped is the content as small as gzip makes it, made when it is first asked
	// for: it is sent for years, so that the time is well spent. nil: it would not
	// become smaller.
	zipped func() []byte
}

func newAsset(content []byte, contentType string) asset {
	a := asset{content: content, contentType: contentType}
	if strings.HasPrefix(contentType, "text/") || strings.HasSuffix(contentType, "+xml") {
		a.zipped = sync.OnceValue(func() []byte { return gzipped(content) })
	}
	return a
}

func gzipped(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // memory takes everything
	}
	return b.Bytes()
}

func loadAssets() (*assets, error) {
	a := &assets{byPath: map[string]asset{}, hashed: map[string]string{}}
	var styles []string
	err := fs.WalkDir(static.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if path.Ext(name) == ".css" { // they name the others: last
			styles = append(styles, name)
			return nil
		}
		return a.add(name, nil)
	})
	if err != nil {
		return nil, err
	}
	for _, name := range styles {
		if err := a.add(name, a.nameHashes); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assets) add(name string, change func(string) string) error {
	content, err := fs.ReadFile(static.Files, name)
	if err != nil {
		return err
	}
	if change != nil {
		content = []byte(change(string(content)))
	}
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	hashed := fmt.Sprintf("/assets/%s.%s%s", strings.TrimSuffix(name, ext), hex.EncodeToString(sum[:6]), ext)
	a.hashed[name] = hashed
	a.byPath[hashed] = newAsset(content, contentType(ext))
	return nil
}

// contentType does not ask the machine, whose table may say anything.
func contentType(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return mime.TypeByExtension(ext)
}

// nameHashes rewrites url("fonts/…") to the hashed addresses.
func (a *assets) nameHashes(css string) string {
	for name, hashed := range a.hashed {
		css = strings.ReplaceAll(css, `url("`+name+`")`, `url("`+hashed+`")`)
	}
	return css
}

// path answers the address of a static file.
func (a *assets) path(name string) string { return a.hashed[name] }

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	trailOf(r.Context()).pattern = "/assets/"
	file, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	content := file.content
	if file.zipped != nil {
		w.Header().Add("Vary", "Accept-Encoding")
		if takesGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
			content = file.zipped()
		}
	}
	_, _ = w.Write(content) // the reader has left
}

// takesGzip reports whether the reader unpacks gzip. A quality of zero is a no.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.ToLower(r.Header.Get("Accept-Encoding")), ",") {
		name, quality, weighed := strings.Cut(strings.Join(strings.Fields(coding), ""), ";")
		if name == "gzip" && (!weighed || strings.Trim(strings.TrimPrefix(quality, "q="), "0.") != "") {
			return true
		}
	}
	return false
}
