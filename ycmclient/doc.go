// Package ycmclient is a client of the API of Yeastar Central Management (YCM), for one account.
//
// Clients of a Client ID share one access token, one limiter in the vendor's terms (burst, rate, interval), and the pause
// after a refusal. Every request takes from the limiter, requests for tokens and retries included. Walk reads the
// whole list of Cloud PBXs, complete or not at all; the other methods query one endpoint each.
//
// Only reads are ever sent: GET, and the POST that requests a token. Answers may be hostile: they are read up to
// 16 MiB, redirects are not followed, and an invalid value is absent and reported to the Observer.
//
// Errors are of type *Error, with a Class that says what kind of failure it was. They never hold a secret.
package ycmclient
