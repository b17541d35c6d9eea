package web

import (
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"

	"tripwire/internal/store/storetest"
)

// TestAssetsArePackedForWhoUnpacks alone.
func TestAssetsArePackedForWhoUnpacks(t *testing.T) {
	t.Parallel()
	p := open(t, storetest.SQLite(t))
	b := p.as(t, "a@example.com", staffPassword)
	for _, path := range []string{b.assetOf(t, ".css"), b.assetOf(t, ".js")} {
		plain := b.get(path)
		for accepted, packed := range map[string]bool{
			"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip;q=0.0": false, "gzip; q=0.000": false, "GZIP;Q=0": false, "gzip;\tq=0": false, "deflate, gzip;q=0, br": false, "x-gzipped": false,
			"gzip": true, "GZip": true, "br, gzip": true, "gzip;q=0.5": true, "gzip;q=1.0, identity;q=0": true, "deflate,gzip ; q=0.001": true,
		} {
			a := b.get(path, "Accept-Encoding", accepted)
			if (a.header.Get("Content-Encoding") == "gzip") != packed || !slices.Contains(a.header.Values("Vary"), "Accept-Encoding") {
				t.Errorf("%q: %q, Vary %q", accepted, a.header.Get("Content-Encoding"), a.header.Values("Vary"))
				continue
			}
			body := a.body
			if packed {
				z, err := gzip.NewReader(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				all, err := io.ReadAll(z)
				if err != nil || len(body) >= len(all) {
					t.Errorf("%q: %d bytes of %d, %v", accepted, len(body), len(all), err)
				}
				body = string(all)
			}
			if body != plain.body {
				t.Errorf("%q: another content", accepted)
			}
		}
	}
}
