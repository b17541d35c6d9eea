package web

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tripwire/internal/roster"
	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// counted are so many rows; then comes end, if it is an error.
func counted(n int, end error) iter.Seq2[[]roster.Cell, error] {
	return func(yield func([]roster.Cell, error) bool) {
		for i := range n {
			if !yield([]roster.Cell{roster.Number(int64(i)), roster.Text(fmt.Sprintf("=Әйгерім %d", i))}, nil) {
				return
			}
		}
		if end != nil {
			yield(nil, end)
		}
	}
}

func tableOf(f roster.Format, rows iter.Seq2[[]roster.Cell, error]) download {
	return download{
		name: "Студенты 2026-11-24", format: f, rows: rows,
		table: roster.Table{Name: "Студенты", Columns: []roster.Column{{Title: "n"}, {Title: "name"}}},
	}
}

// downloads serves one table behind all that stands before it, to clients whose
// pages would be cut off at once.
func downloads(t *testing.T, d func(r *http.Request) download) (*httptest.Server, *journal) {
	t.Helper()
	p := open(t, storetest.SQLite(t))
	h := &Handler{}
	door, log := p.broken(t, func(w http.ResponseWriter, r *http.Request) error { return h.sendTable(w, r, d(r)) })
	s := httptest.NewUnstartedServer(door)
	s.Config.WriteTimeout = time.Nanosecond
	s.Start()
	t.Cleanup(s.Close)
	return s, log
}

// fetch answers the response and the error of reading it to its end.
func fetch(t *testing.T, s *httptest.Server, method string, headers ...string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/broken", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

func TestDownloadOfCSV(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	s, _ := downloads(t, func(*http.Request) download { return tableOf(roster.CSV, counted(rows, nil)) })
	for _, encoding := range []string{"", "gzip"} {
		res, body, err := fetch(t, s, http.MethodGet, "Accept-Encoding", encoding)
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Header.Get("Content-Encoding"); got != encoding {
			t.Fatalf("asked for %q, got %q", encoding, got)
		}
		if encoding == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		all, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil || len(all) != rows+1 || all[rows][1] != "'=Әйгерім 19999" {
			t.Fatalf("%d rows, %v", len(all), err)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/csv; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"Content-Disposition": `attachment; filename="________ 2026-11-24.csv"; ` +
				"filename*=utf-8''%D0%A1%D1%82%D1%83%D0%B4%D0%B5%D0%BD%D1%82%D1%8B%202026-11-24.csv",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
	res, body, err := fetch(t, s, http.MethodHead)
	if err != nil || len(body) > 0 || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("HEAD: %v, %q, %v", res, body, err)
	}
}

func TestDownloadOfXLSX(t *testing.T) {
	t.Parallel()
	s, _ := downloads(t, func(*http.Request) download { return tableOf(roster.XLSX, counted(5000, nil)) })
	res, body, err := fetch(t, s, http.MethodGet, "Accept-Encoding", "gzip")
	if err != nil {
		t.Fatal(err)
	}
	if e := res.Header.Get("Content-Encoding"); e != "" {
		t.Errorf("a zip is compressed once more: %s", e)
	}
	if _, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err != nil || res.Header.Get("Content-Type") != roster.XLSX.MediaType() {
		t.Errorf("%s: %v", res.Header.Get("Content-Type"), err)
	}
}

func TestDownloadThatFailsAtOnceIsAPage(t *testing.T) {
	t.Parallel()
	for _, f := range []roster.Format{roster.CSV, roster.XLSX} {
		s, log := downloads(t, func(*http.Request) download { return tableOf(f, counted(3, errors.New("the rows are away"))) })
		res, body, err := fetch(t, s, http.MethodGet)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusInternalServerError || res.Header.Get("Content-Disposition") != "" ||
			res.Header.Get("Content-Type") != "text/html; charset=utf-8" || strings.Contains(string(body), "rows are away") {
			t.Errorf("%s: %d %v", f, res.StatusCode, res.Header)
		}
		if line := log.line(t, res.Header.Get("X-Request-Id")); line["level"] != "ERROR" {
			t.Errorf("%s: logged as %v", f, line)
		}
	}
}

// TestHalfADownloadDoesNotLookWhole also asks as proxies do that know HTTP/1.0
// only, to which the end of a connection is the end of the file.
func TestHalfADownloadDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	for _, f := range []roster.Format{roster.CSV, roster.XLSX} {
		s, log := downloads(t, func(*http.Request) download { return tableOf(f, counted(20_000, school.ErrUnavailable)) })
		for _, encoding := range []string{"", "gzip"} {
			res, body, err := fetch(t, s, http.MethodGet, "Accept-Encoding", encoding)
			if err == nil || len(body) == 0 || res.StatusCode != http.StatusOK {
				t.Errorf("%s %q: %d bytes came, and %v", f, encoding, len(body), err)
			}
			if body, err := fetchOld(t, s, encoding); err == nil || len(body) == 0 {
				t.Errorf("%s %q over HTTP/1.0: %d bytes came, and %v", f, encoding, len(body), err)
			}
			if line := log.line(t, res.Header.Get("X-Request-Id")); line["refused"] != school.ErrUnavailable.Code {
				t.Errorf("%s: logged as %v", f, line)
			}
		}
	}
}

// fetchOld reads an answer over HTTP/1.0.
func fetchOld(t *testing.T, s *httptest.Server, encoding string) ([]byte, error) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "GET /broken HTTP/1.0\r\nAccept-Encoding: %s\r\n\r\n", encoding); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	first, err := in.ReadString('\n')
	if err != nil || !strings.Contains(first, "200 OK") {
		t.Fatalf("%q, %v", first, err)
	}
	return io.ReadAll(in)
}

// TestDownloadArrivesWhileItIsRead holds the rows back until the first of them are
// there.
func TestDownloadArrivesWhileItIsRead(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "gzip"} {
		arrived := make(chan struct{})
		s, _ := downloads(t, func(r *http.Request) download {
			return tableOf(roster.CSV, func(yield func([]roster.Cell, error) bool) {
				for row, err := range counted(2*flushEvery, nil) {
					if !yield(row, err) {
						return
					}
				}
				select {
				case <-arrived:
				case <-r.Context().Done():
					yield(nil, r.Context().Err())
				}
			})
		})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/broken", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", encoding)
		res, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		close(arrived)
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Error(err)
		}
		_ = res.Body.Close()
	}
}

// TestDownloadStopsWhenTheReaderLeaves has more rows than anybody would wait for.
func TestDownloadStopsWhenTheReaderLeaves(t *testing.T) {
	t.Parallel()
	for _, f := range []roster.Format{roster.CSV, roster.XLSX} {
		stopped := make(chan struct{})
		s, _ := downloads(t, func(*http.Request) download {
			return tableOf(f, func(yield func([]roster.Cell, error) bool) {
				defer close(stopped)
				for {
					for row, err := range counted(1000, nil) {
						if !yield(row, err) {
							return
						}
					}
				}
			})
		})
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/broken", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		leave()
		_ = res.Body.Close()
		<-stopped
	}
}

func TestAttachment(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"students.csv":      `attachment; filename=students.csv`,
		"a b.csv":           `attachment; filename="a b.csv"`,
		"../../etc/x.csv":   `attachment; filename=-..-etc-x.csv`,
		"a\"\r\nSet-Cookie": `attachment; filename=a---Set-Cookie`,
		"Ә.csv":             `attachment; filename=_.csv; filename*=utf-8''%D3%98.csv`,
		"a\u202evsc.exe":    `attachment; filename=a-vsc.exe`,
		"100%.csv":          `attachment; filename=100-.csv`,
	} {
		if got := attachment(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
