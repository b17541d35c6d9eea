package desk

import (
	"errors"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

// One-time links. The token is derived from the key of the installation and a nonce;
// the database has the nonce and the token's hash. So a letter that is tried again
// has the same link, and whoever has the database alone has none.

// tokenOf answers the token of a link.
func (d *Desk) tokenOf(nonce string) string { return d.key.Derive("one-time link", nonce) }

// pathOf answers where a link leads.
func (d *Desk) pathOf(l store.Link) string { return "/access/" + d.tokenOf(l.Nonce) }

// newLink makes a link; it is kept by InsertLink.
func (d *Desk) newLink(id school.UserID, p store.Purpose, ends time.Time) store.Link {
	return d.linkFrom(school.NewToken(), id, p, ends)
}

func (d *Desk) linkFrom(nonce string, id school.UserID, p store.Purpose, ends time.Time) store.Link {
	return store.Link{UserID: id, Purpose: p, Nonce: nonce, TokenHash: digest(d.tokenOf(nonce)), ExpiresAt: ends}
}

// nonceOf is that of the link which a form makes: the form sent twice shows the
// same link, or none when another one has taken its place.
func nonceOf(formKey string) string {
	if formKey == "" {
		return school.NewToken()
	}
	return derive(formKey, "one-time link")
}

func linkEnds(tx *store.Tx, s school.Settings) time.Time {
	return tx.Now.Add(time.Duration(s.LinkHours) * time.Hour)
}

// accessLink answers a link for a person's own password: the one that they have,
// while half of its time is left, so that a letter and a message of the same hour
// say the same; else a new one, with which the old one ends.
func (d *Desk) accessLink(tx *store.Tx, id school.UserID, s school.Settings) (store.Link, error) {
	ends := linkEnds(tx, s)
	l, err := tx.FindLinkOf(id, store.ForAccess)
	if err == nil && l.ExpiresAt.After(tx.Now.Add(ends.Sub(tx.Now)/2)) {
		return l, nil
	}
	if err != nil && !errors.Is(err, school.ErrLinkInvalid) {
		return l, err
	}
	l = d.newLink(id, store.ForAccess, ends)
	return l, tx.InsertLink(l)
}
