package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// client is one keep-alive connection that sends ready-made requests and throws
// the answers away. The clients share the machine with the server, so they are
// as cheap as they can be; http.Client would add two goroutines to each.
type client struct {
	addr   string
	cookie string // "tripwire=…"
	conn   net.Conn
	in     *bufio.Reader
	out    bytes.Buffer
}

func dial(ctx context.Context, addr string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{addr: addr, conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// The headers that a browser sends, as far as they cost the server anything.
const (
	browserHeaders = "Accept-Encoding: gzip, deflate, br\r\nSec-Fetch-Site: same-origin\r\n"
	scriptHeaders  = "HX-Request: true\r\nHX-Current-URL: http://%s/integrator/sales-manager\r\n"
)

// as is the client with another session.
func (c *client) as(cookie string) *client {
	c.cookie = cookie
	return c
}

// get asks for a page.
func (c *client) get(path string) error {
	_, err := c.send("GET "+path, "", nil, http.StatusOK)
	return err
}

// post sends a form; script says whether the panel's own script sends it, which
// wants the fragment and not the page.
func (c *client) post(path string, form url.Values, script bool, want int) (http.Header, error) {
	headers := ""
	if script {
		headers = fmt.Sprintf(scriptHeaders, c.addr)
	}
	return c.send("POST "+path, headers, []byte(form.Encode()), want)
}

func (c *client) send(line, headers string, body []byte, want int) (http.Header, error) {
	c.out.Reset()
	c.out.WriteString(line + " HTTP/1.1\r\nHost: " + c.addr + "\r\n" + browserHeaders + headers)
	if c.cookie != "" {
		c.out.WriteString("Cookie: " + c.cookie + "\r\n")
	}
	if body != nil {
		kind := "application/x-www-form-urlencoded"
		if bytes.HasPrefix(body, []byte("{")) {
			kind = "application/json"
		}
		c.out.WriteString("Content-Type: " + kind + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	c.out.WriteString("\r\n")
	c.out.Write(body)
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("%s: answered %s, want %d", line, answer.Status, want)
	}
	return answer.Header, nil
}

// logIn opens a session and answers its cookie.
func logIn(ctx context.Context, addr, email string) (string, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	header, err := c.post("/login", url.Values{"email": {email}, "password": {staffPassword}}, false, http.StatusSeeOther)
	if err != nil {
		return "", err
	}
	for _, line := range header["Set-Cookie"] {
		if k, err := http.ParseSetCookie(line); err == nil && k.Name == "tripwire" {
			return k.Name + "=" + k.Value, nil
		}
	}
	return "", errors.New("the login set no cookie")
}
