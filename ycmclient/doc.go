// Package ycmclient speaks to one account of Yeastar Central Management (YCM).
//
// A Client owns what the account's requests share: one access token, one request budget in the vendor's terms
// (burst, rate, interval), and the pause after YCM said that the budget was overrun. Every request pays the
// budget, requests for tokens and repeated requests included. Walk reads the whole list of Cloud PBXs, complete or
// not at all; the other methods ask one endpoint each.
//
// Only reads are ever sent: GET, and the POST that asks for a token. Every answer is taken as hostile: it is read
// up to 16 MiB, redirects are not followed, and a value that makes no sense is absent and reported to the Observer.
//
// Errors are of type *Error, with a Class that says what kind of failure it was. They never hold a secret.
package ycmclient
