package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

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
	a.byPath[hashed] = asset{content, contentType(ext)}
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
	_, _ = w.Write(file.content) // the reader has left
}
