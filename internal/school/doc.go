// Package school has the nouns and rules of the enrolment desk: who is who, what
// a valid e-mail is, who may do what. It touches no database and no network.
package school
